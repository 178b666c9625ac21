"""Passes for Google's wallet: a signed token (JWT), which a link carries to the telephone.

Sources: Google Wallet API, "JWT" and "GenericObject" of its REST reference. The reference of COVID cards is given to
approved issuers alone; their fields are as the public sources of the English NHS and of Singapore's Notarise use them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from healthcert.clock import Clock, SystemClock
from healthcert.document.passes.barcode import message_of, serial_of
from healthcert.document.passes.content import Content, Entry, Texts, content_of
from healthcert.document.passes.keys import private_key_of, signing
from healthcert.document.sheet import Sheet
from healthcert.document.template import Template
from healthcert.encoding import jws
from healthcert.errors import Code, DocumentError, Step
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.model import Private

SAFE_LINK = 1800
"""Characters of a token up to which every browser takes its link, says Google."""

_SAVE = "https://pay.google.com/gp/v/save/"
ISSUER = re.compile(r"[0-9]{1,30}")
"""The number of an issuer."""
_CLASS = re.compile(r"([0-9]{1,30})\.[A-Za-z0-9._-]{1,200}")
_ORIGIN = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,128}@[A-Za-z0-9.-]{1,253}")
_KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


class SaveLink(Private, frozen=True, kw_only=True):
    """A pass as it is handed out. Whoever has it can read it: it is signed, not encrypted.

    ``token`` is the JWT, for an application or for Google's interface (``jwt.insert``); ``url`` a link with it.
    """

    token: str

    @property
    def url(self) -> str:
        return _SAVE + self.token

    @property
    def safe(self) -> bool:
        """Whether every browser takes the link whole."""
        return len(self.token) <= SAFE_LINK


class _KeyFile(msgspec.Struct, frozen=True):
    """What is used of the file that Google gives for the key of a service account."""

    client_email: str
    private_key: str
    private_key_id: str


class ServiceAccount:
    """Signs tokens as a service account, which its issuer has let in at Google's wallet console."""

    def __init__(self, email: str, key_id: str, key: RSAPrivateKey, clock: Clock | None = None) -> None:
        self.email = email
        self._key_id = key_id
        self._sign = signing(key)
        self._clock = clock or SystemClock()

    @classmethod
    def load(cls, path: str | Path, *, clock: Clock | None = None) -> Self:
        """The account whose key is in a file of JSON, as Google's console hands it out.

        Raises :class:`DocumentError` (``SIGNER_KEY_UNREADABLE``, ``UNSUITABLE_PUBLIC_KEY_TYPE``,
        ``PUBLIC_KEY_TOO_WEAK``), :class:`DecodeError` (``INPUT_TOO_LONG``); OSError when it cannot be read.
        """
        try:
            found = msgspec.json.decode(read_file(path, DEFAULT_LIMITS.key_file_bytes), type=_KeyFile)
        # Its messages would tell what is in the file.
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise _unreadable() from None
        if not (_EMAIL.fullmatch(found.client_email) and _KEY_ID.fullmatch(found.private_key_id)):
            raise _unreadable()
        return cls(found.client_email, found.private_key_id, private_key_of(found.private_key.encode()), clock)

    def token(self, kind: str, payload: dict[str, Any], origins: Sequence[str] = ()) -> str:
        """A JWT that asks for ``payload`` to be saved. ``origins`` are the web sites that show a button for it.

        Raises ValueError for an origin that is none.
        """
        if not all(map(_ORIGIN.fullmatch, origins)):
            raise ValueError("origins: https:// and the name of a host, nothing after it")
        claims = {
            "iss": self.email,
            "aud": "google",
            "typ": kind,
            "iat": int(self._clock.now().timestamp()),
            "origins": list(origins),
            "payload": payload,
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key_id}
        return jws.write(msgspec.json.encode(claims), header, self._sign).decode("ascii")

    def __repr__(self) -> str:
        return f"ServiceAccount({self.email})"


def google_pass(
    sheets: Sequence[Sheet],
    text: str,
    account: ServiceAccount,
    *,
    class_id: str,
    origins: Sequence[str] = (),
    template: Template | None = None,
) -> SaveLink:
    """A generic pass for the certificate ``text``.

    ``class_id`` is the class of passes that the issuer has made at Google's (``ISSUER.NAME``); ``sheets`` are as for
    :func:`apple_pass`. What the pass says goes to Google, and is kept there for the account that saves it: that is
    allowed for health data with Google's explicit permission only. Raises :class:`DocumentError` (``DOCUMENT_FAILED``);
    ValueError for a class or an origin that is none, and for sheets that are not of one certificate.
    """
    issuer = _CLASS.fullmatch(class_id)
    if issuer is None:
        raise ValueError("class_id: the issuer's number, a dot and a name, for example 3388000000012345678.certificate")
    template = template or Template()
    message = message_of(text)
    content = content_of(sheets, template)
    generic: dict[str, Any] = {
        "id": f"{issuer[1]}.{serial_of(message)}",
        "classId": class_id,
        "state": "ACTIVE",
        "cardTitle": _localised(content.languages, content.organisation),
        "header": _localised(content.languages, content.holder.value),
        "subheader": _localised(content.languages, content.title),
        "hexBackgroundColor": template.colour,
        "barcode": {"type": "QR_CODE", "value": message, "alternateText": content.title[0]},
        "textModulesData": [_module(content, entry) for entry in content.back],
    }
    if content.expires_on is not None:
        generic["validTimeInterval"] = {"end": {"date": f"{content.expires_on.isoformat()}T23:59:59Z"}}
    return SaveLink(token=account.token("savetowallet", {"genericObjects": [generic]}, origins))


def _module(content: Content, entry: Entry) -> dict[str, Any]:
    """A labelled value; in the short form where it is the same in all languages, as links should be short."""
    found: dict[str, Any] = {"id": entry.key}
    for name, localised, texts in (("header", "localizedHeader", entry.label), ("body", "localizedBody", entry.value)):
        if len(set(texts)) == 1:
            found[name] = texts[0]
        else:
            found[localised] = _localised(content.languages, texts)
    return found


def _localised(languages: Texts, texts: Texts) -> dict[str, Any]:
    """A LocalizedString: the first text for all languages, and those that differ from it."""
    first, *others = ({"language": language, "value": text} for language, text in zip(languages, texts, strict=True))
    found: dict[str, Any] = {"defaultValue": first}
    if translated := [other for other in others if other["value"] != first["value"]]:
        found["translatedValues"] = translated
    return found


def _unreadable() -> DocumentError:
    return DocumentError(Code.SIGNER_KEY_UNREADABLE, "not the key file of a service account", Step.SIGNATURE)
