"""The name of a key in a hardware module: a PKCS #11 URI (RFC 7512).

``pkcs11:token=Health;object=DSC%201?module-path=/usr/lib/softhsm/libsofthsm2.so``. Such a name is shown, logged and
written into profiles, so it never holds a PIN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step

SCHEME = "pkcs11:"

# RFC 7512 §2.3: what may stand as it is in a value of the path, and in one of the query.
_COMMON = "A-Za-z0-9._~:\\[\\]@!$'()*+,=\\-"
_PATH_VALUE = re.compile(f"(?:[{_COMMON}&]|%[0-9A-Fa-f]{{2}})*")
_QUERY_VALUE = re.compile(f"(?:[{_COMMON}/?|]|%[0-9A-Fa-f]{{2}})*")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_NOT_IN_PATH = re.compile(rb"[^A-Za-z0-9._~:@!$'()*+,=-]")
_NOT_IN_QUERY = re.compile(rb"[^A-Za-z0-9._~:@!$'()*+,=/-]")
_TEXTS = ("token", "serial", "manufacturer", "model", "object")
_SLOT = re.compile("[0-9]{1,19}")


class Pkcs11Uri(Struct, frozen=True, kw_only=True):
    """Which key, on which token, behind which module. What is None is not looked at in the search."""

    token: str | None = None
    """The token's label (CKA_LABEL of the token, as it was initialised with)."""
    serial: str | None = None
    """The token's serial number."""
    manufacturer: str | None = None
    """Who made the token."""
    model: str | None = None
    """The token's model."""
    slot_id: int | None = None
    """The slot's number. Many modules number anew at each start: a label or serial number is better."""
    object: str | None = None
    """The key's label (CKA_LABEL)."""
    id: bytes | None = None
    """The key's identifier (CKA_ID)."""
    module_path: str | None = None
    """The file with the module, a shared library."""
    pin_source: str | None = None
    """The file with the PIN in its first line."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The parts of a PKCS #11 URI.

        Raises :class:`IssueError` (``FIELD_INVALID``) for what is none, for an attribute that is there twice or that
        is not known here (another key could be meant), and for a PIN in the URI. The text is never quoted.
        """
        # RFC 3986 §3.1: the scheme's letters may be of either case.
        if text[: len(SCHEME)].lower() != SCHEME:
            raise _invalid("not a PKCS #11 URI; for example pkcs11:token=Health;object=DSC%201")
        path, mark, query = text[len(SCHEME) :].partition("?")
        given = _attributes(path, ";", _PATH_VALUE) if path else {}
        asked = _attributes(query, "&", _QUERY_VALUE) if mark else {}
        # RFC 7512 §2.4: who stores or shows a URI with a PIN in it gives the PIN away.
        if "pin-value" in asked:
            raise _invalid("pin-value: a PIN does not belong into a URI; give it by file, variable or prompt")
        if "module-name" in asked:
            raise _invalid("module-name: give the module's file, as module-path")
        # RFC 7512 §2.3: a URI with an attribute that the consumer does not know must not be taken for another's name.
        unknown = given.keys() - {*_TEXTS, "id", "type", "slot-id"} or asked.keys() - {"module-path", "pin-source"}
        if unknown:
            raise _invalid("an attribute that is not supported; " + ", ".join((*_TEXTS, "id", "slot-id")) + " are")
        if given.get("type", b"private") != b"private":
            raise _invalid("type: the key that signs is private")
        texts = {name: _text(name, given[name]) for name in _TEXTS if name in given}
        return cls(
            **texts,
            id=given.get("id"),
            slot_id=_slot(given["slot-id"]) if "slot-id" in given else None,
            module_path=_text("module-path", asked["module-path"]) if "module-path" in asked else None,
            pin_source=_pin_source(_text("pin-source", asked["pin-source"])) if "pin-source" in asked else None,
        )

    def __str__(self) -> str:
        """The URI, with its attributes in a fixed order."""
        path = [f"{name}={_quoted(value)}" for name in _TEXTS if (value := getattr(self, name)) is not None]
        if self.slot_id is not None:
            path.append(f"slot-id={self.slot_id}")
        if self.id is not None:
            path.append("id=" + "".join(f"%{byte:02X}" for byte in self.id))
        query = []
        if self.module_path is not None:
            query.append("module-path=" + _quoted(self.module_path, _NOT_IN_QUERY))
        if self.pin_source is not None:
            query.append("pin-source=" + _quoted(f"file:{self.pin_source}", _NOT_IN_QUERY))
        return SCHEME + ";".join(path) + ("?" + "&".join(query) if query else "")

    def describe_token(self) -> str:
        """The token as a prompt or an error names it."""
        named = self.token or self.serial or self.model or self.manufacturer
        return named or ("the token" if self.slot_id is None else f"slot {self.slot_id}")


def is_pkcs11(text: str) -> bool:
    """Whether a name of a key is meant to be a PKCS #11 URI."""
    return text[: len(SCHEME)].lower() == SCHEME


def _attributes(part: str, separator: str, value_form: re.Pattern[str]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in part.split(separator):
        name, equals, value = attribute.partition("=")
        if not (name and equals):
            raise _invalid(f"attributes are name=value, separated by {separator}")
        if value_form.fullmatch(value) is None:
            raise _invalid("a character in a value that has to be escaped; for example %20 for a space")
        # RFC 7512 §2.3: an attribute stands at most once.
        if name in found:
            raise _invalid("an attribute is there twice")
        found[name] = _ESCAPED.sub(lambda escape: bytes.fromhex(escape[1].decode()), value.encode())
    return found


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid(f"{name}: not UTF-8") from None
    if "\0" in text:
        raise _invalid(f"{name}: a NUL character")
    return text


def _slot(value: bytes) -> int:
    text = value.decode("latin-1")
    if _SLOT.fullmatch(text) is None:
        raise _invalid("slot-id: a decimal number")
    return int(text)


def _pin_source(value: str) -> str:
    # RFC 7512 §2.4 lets a source also be a command (|...): what a name says is never run here.
    path = value.removeprefix("file:")
    if path == value or not path:
        raise _invalid("pin-source: a file; for example file:/etc/healthcert/pin")
    if path.startswith("//"):
        if not path.startswith("///"):
            raise _invalid("pin-source: a file of this machine; for example file:/etc/healthcert/pin")
        path = path[2:]
    return path


def _quoted(text: str, escaped: re.Pattern[bytes] = _NOT_IN_PATH) -> str:
    return escaped.sub(lambda byte: b"%%%02X" % byte[0][0], text.encode()).decode()


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"key: {detail}", Step.SIGNATURE)
