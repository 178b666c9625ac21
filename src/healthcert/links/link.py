"""A health link: where somebody's files lie, and the key that they are encrypted with.

A link is a secret: whoever has it may fetch the files and read them. It says nothing of who made it; one is signed only
where something signs it, as an HC1 certificate does that holds one (claim -260, key 5). Sources: HL7 SMART Health Cards
and Links 1.0.0, "SMART Health Links"; WHO SMART Trust, Health Link Payload (``vhlink``), which adds the type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, Step
from healthcert.fetch import parse_address
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links import base64url
from healthcert.model import Private

VERSION = 1
KEY_BYTES = 32

# Padding is none of the specification's, but verifiable links are seen with it.
_TEXT = re.compile(r"(?:(https://[^\s#]+)#)?(shlink|vhlink):/([A-Za-z0-9_-]+)={0,2}", re.ASCII)
_LONG_TERM, _PASSCODE, _DIRECT = "L", "P", "U"
_URL_CHARS = 128
_LABEL_CHARS = 80
_LAST_MOMENT = 253_402_300_799  # the year 9999; what is beyond it was meant in another unit


class HealthLink(Private, frozen=True, kw_only=True):
    """A link as it was read, or is to be written. Its repr tells nothing: it holds a key.

    ``url`` is where its files or their manifest are asked for. ``key`` are the 32 bytes that decrypt them. ``exp`` is
    when it ends, in seconds since 1970, by its own word; its server decides. ``flag`` are letters, of which L, P and U
    mean something here. ``label`` says in up to 80 characters what is behind it, and is whatever its maker wrote. ``v``
    is the version of the protocol. ``type`` is ``shl`` for a SMART Health Link and ``vhl`` for a verifiable one.
    ``viewer`` is the page that it is opened on in a browser, where it names one.
    """

    url: str
    key: bytes
    exp: float | None = None
    flag: str = ""
    label: str | None = None
    v: int = VERSION
    type: Literal["shl", "vhl"] = "shl"
    viewer: str | None = None

    @property
    def long_term(self) -> bool:
        """Whether it is meant to be opened again and again, and what is behind it may change."""
        return _LONG_TERM in self.flag

    @property
    def needs_passcode(self) -> bool:
        """Whether its server asks for a passcode."""
        return _PASSCODE in self.flag

    @property
    def direct(self) -> bool:
        """Whether its URL is that of the one file itself, and not of a manifest."""
        return _DIRECT in self.flag

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by its own word; None where it does not say."""
        return None if self.exp is None else datetime.fromtimestamp(self.exp, UTC)

    def to_text(self, viewer: str | None = None) -> str:
        """The link as text, behind its viewer's address or the one given here.

        Raises :class:`DecodeError` for what could not be read back.
        """
        page = self.viewer if viewer is None else viewer
        members = {
            "url": self.url,
            "flag": self.flag or None,
            "key": base64url.encode(self.key),
            "label": self.label,
            "exp": self.exp,
            "v": None if self.v == VERSION else self.v,
            "type": "vhl" if self.type == "vhl" else None,
        }
        # SMART Health Links, "Construct a SMART Health Link Payload": minified, base64url, and the scheme.
        there = {name: value for name, value in members.items() if value is not None}
        _link(there, page, verifiable=self.type == "vhl")
        payload = json.dumps(there, ensure_ascii=False, separators=(",", ":")).encode()
        text = f"{'vhlink' if self.type == 'vhl' else 'shlink'}:/{base64url.encode(payload)}"
        text = text if page is None else f"{page}#{text}"
        read_link(text)
        return text


def is_link(text: str) -> bool:
    """Whether ``text`` has the form of a health link."""
    return _TEXT.fullmatch(text.strip("\r\n")) is not None


def read_link(text: str, *, limits: Limits = DEFAULT_LIMITS) -> HealthLink:
    """The link in ``text``; nothing is fetched.

    Raises :class:`DecodeError`: ``INVALID_SCHEME_PREFIX`` for what is no link, ``INPUT_TOO_LONG``,
    ``JSON_DESERIALIZATION_FAILED``, ``UNSUPPORTED_VERSION`` for a link of a later protocol, and
    ``SCHEMA_VALIDATION_FAILED`` for a member that is not as it has to be.
    """
    text = text.strip("\r\n")
    if len(text) > limits.text_chars:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.text_chars} characters", Step.RECOGNISE)
    match = _TEXT.fullmatch(text)
    if match is None:
        detail = "not a health link (shlink:/ or vhlink:/ and what follows)"
        raise DecodeError(Code.INVALID_SCHEME_PREFIX, detail, Step.RECOGNISE)
    viewer, scheme, encoded = match.groups()
    data = base64url.decode(encoded)
    if data is None:
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, "the link: not base64url in its one spelling", Step.DECODE)
    payload = jsontext.read(data, max_depth=limits.json_depth)
    if not isinstance(payload, dict):
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, "the link: not a JSON object", Step.DECODE)
    return _link(payload, viewer, verifiable=scheme == "vhlink")


def _link(payload: Mapping[str, Any], viewer: str | None, *, verifiable: bool) -> HealthLink:
    # SMART Health Links, "Protocol Versioning": members and flags that are not known are ignored; a change that cannot
    # be ignored has another version.
    version = _number(payload, "v", texts=verifiable)
    if version not in (None, VERSION):
        detail = "the link: of a version of the protocol that is not supported"
        raise DecodeError(Code.UNSUPPORTED_VERSION, detail, Step.DECODE)
    # A verifiable link may come without its type, and a type without the scheme.
    is_vhl = verifiable or _text(payload, "type") == "vhl"
    if viewer is not None and parse_address(viewer) is None:
        raise _invalid("the viewer: not the https address of a server")
    return HealthLink(
        url=_url(payload, within=None if is_vhl else _URL_CHARS),
        key=_key(payload),
        exp=_exp(payload, texts=verifiable),
        flag=_flag(payload),
        label=_label(payload),
        type="vhl" if is_vhl else "shl",
        viewer=viewer,
    )


def _url(payload: Mapping[str, Any], within: int | None) -> str:
    url = _text(payload, "url")
    # SMART Health Links, "Establish a SMART Health Link Manifest URL": at most 128 characters. Those of IHE's
    # verifiable links are searches, and longer.
    if url is None or (within is not None and len(url) > within):
        raise _invalid("url: missing, or of more than 128 characters")
    if parse_address(url) is None:
        raise _invalid("url: not https, a name, and no user or fragment")
    return url


def _key(payload: Mapping[str, Any]) -> bytes:
    # SMART Health Links, payload: 32 bytes in 43 characters of base64url.
    key = base64url.decode(_text(payload, "key") or "")
    if key is None or len(key) != KEY_BYTES:
        raise _invalid("key: not 32 bytes in 43 characters of base64url")
    return key


def _exp(payload: Mapping[str, Any], *, texts: bool) -> float | None:
    exp = _number(payload, "exp", texts=texts)
    if exp is not None and not 0 <= exp <= _LAST_MOMENT:
        raise _invalid("exp: not in seconds since 1970")
    return exp


def _flag(payload: Mapping[str, Any]) -> str:
    flag = _text(payload, "flag") or ""
    # SMART Health Links, payload: a letter a flag.
    if not re.fullmatch("[A-Z]{0,26}", flag) or len(set(flag)) != len(flag):
        raise _invalid("flag: not letters from A to Z, each there once")
    # SMART Health Links, payload: U is not combined with P.
    if _DIRECT in flag and _PASSCODE in flag:
        raise _invalid("flag: U together with P")
    return flag


def _label(payload: Mapping[str, Any]) -> str | None:
    label = _text(payload, "label")
    # SMART Health Links, payload: at most 80 characters.
    if label is not None and len(label) > _LABEL_CHARS:
        raise _invalid("label: more than 80 characters")
    return label


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"{name}: not a text")
    # RFC 8259 §8.2: half of a pair of surrogates is no character, and cannot be written again.
    if value is not None and any("\ud800" <= character <= "\udfff" for character in value):
        raise _invalid(f"{name}: not Unicode")
    return value


def _number(payload: Mapping[str, Any], name: str, *, texts: bool) -> float | None:
    value = payload.get(name)
    # WHO SMART Trust, Health Link Payload (draft): numbers are typed as texts there.
    if texts and isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value):
        return int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise _invalid(f"{name}: not a number")
    return value


def _invalid(detail: str) -> DecodeError:
    return DecodeError(Code.SCHEMA_VALIDATION_FAILED, f"the link: {detail}", Step.DECODE)
