"""Passes for Apple's wallet: a ``.pkpass`` is a ZIP archive of a description, pictures, words and a signature.

Sources: Apple's documentation "Wallet Passes", its chapters "Creating the Source for a Pass" and "Building a Pass".
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import Name, load_der_x509_certificate
from cryptography.x509.oid import NameOID, ObjectIdentifier

from healthcert.clock import Clock, SystemClock
from healthcert.document.passes.barcode import message_of, serial_of
from healthcert.document.passes.content import Content, Entry, content_of
from healthcert.document.passes.keys import certificate_of, open_pkcs12, private_key_of, signing
from healthcert.document.passes.pictures import pictures_of
from healthcert.document.passes.signature import detached_signature
from healthcert.document.passes.strings import Strings
from healthcert.document.sheet import Sheet
from healthcert.document.template import Template
from healthcert.errors import Code, DocumentError, Step
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.x509 import Certificate

MEDIA_TYPE = "application/vnd.apple.pkpass"
"""What a server says that a pass is, so that a telephone takes it."""

_PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_TEAM = re.compile(r"[A-Z0-9]{1,32}")
_WHITE = "rgb(255, 255, 255)"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # in a ZIP archive; the time of the files is nobody's affair


class PassSigner:
    """Signs Apple passes with the key and the certificate that Apple gave their issuer for one type of pass.

    ``pass_type`` and ``team`` are what Apple wrote into the certificate; passes must name the same.
    """

    def __init__(
        self, key: RSAPrivateKey, certificate: Certificate, wwdr: Certificate, clock: Clock | None = None
    ) -> None:
        """``wwdr`` is the certificate of Apple's that signed ``certificate`` (Worldwide Developer Relations).

        Raises :class:`DocumentError`: ``SIGNER_KEY_MISMATCH`` where the three do not belong together,
        ``CERTIFICATE_UNREADABLE`` for a certificate that is not for passes.
        """
        if key.public_key() != certificate.public_key():
            raise _mismatch("the key is not the one of the certificate")
        problem = certificate.problem_with_issuer(wwdr)
        if problem is not None:
            raise _mismatch(f"the certificate was not issued by the intermediate one: {problem}")
        self.pass_type, self.team = _identifiers(certificate)
        self._sign = signing(key)
        self._certificates = (certificate, wwdr)
        self._clock = clock or SystemClock()

    @classmethod
    def load(
        cls,
        key: str | Path,
        certificate: str | Path,
        wwdr: str | Path,
        *,
        passphrase: bytes | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """A signer from the files of a private key, its certificate and Apple's, each PEM or DER.

        Raises :class:`DocumentError` (``SIGNER_KEY_UNREADABLE``, ``UNSUITABLE_PUBLIC_KEY_TYPE``,
        ``PUBLIC_KEY_TOO_WEAK``, ``CERTIFICATE_UNREADABLE``, ``SIGNER_KEY_MISMATCH``), :class:`TrustError`
        (``CERTIFICATE_UNREADABLE``), :class:`DecodeError` (``INPUT_TOO_LONG``); OSError when a file cannot be read.
        """
        private = private_key_of(_read(key), passphrase)
        return cls(private, certificate_of(_read(certificate), "pass"), certificate_of(_read(wwdr), "WWDR"), clock)

    @classmethod
    def load_pkcs12(
        cls, path: str | Path, wwdr: str | Path, *, passphrase: bytes | None = None, clock: Clock | None = None
    ) -> Self:
        """A signer from a PKCS #12 file (.p12), as a Mac's keychain exports it. Raises as :meth:`load`."""
        private, certificate = open_pkcs12(_read(path), passphrase)
        return cls(private, certificate, certificate_of(_read(wwdr), "WWDR"), clock)

    def sign(self, manifest: bytes) -> bytes:
        """The signature of a pass: a detached CMS message over its manifest.

        Raises :class:`DocumentError` (``PUBLIC_KEY_EXPIRED``, ``PUBLIC_KEY_NOT_YET_VALID``) while one of the
        certificates is not valid: no telephone would take the pass.
        """
        moment = self._clock.now()
        for certificate in self._certificates:
            if moment < certificate.not_before:
                raise DocumentError(Code.PUBLIC_KEY_NOT_YET_VALID, "a certificate of the pass signer", Step.SIGNATURE)
            if moment > certificate.not_after:
                raise DocumentError(Code.PUBLIC_KEY_EXPIRED, "a certificate of the pass signer", Step.SIGNATURE)
        return detached_signature(manifest, [certificate.der for certificate in self._certificates], self._sign, moment)

    def __repr__(self) -> str:
        return f"PassSigner({self.pass_type}, {self.team})"


def apple_pass(sheets: Sequence[Sheet], text: str, signer: PassSigner, *, template: Template | None = None) -> bytes:
    """A pass for the certificate ``text``, as the bytes of a ``.pkpass`` file.

    ``sheets`` are what is said of the certificate, one a language; the first is for telephones in any other. The same
    sheets, signer and moment give the same bytes. Raises :class:`DocumentError`: ``DOCUMENT_FAILED`` for a certificate
    that no pass can show, and what :meth:`PassSigner.sign` raises; ValueError for sheets that are not of one
    certificate.
    """
    template = template or Template()
    message = message_of(text)
    content = content_of(sheets, template)
    strings = Strings(content.languages)
    description = _description(content, strings, template)
    description |= {
        "passTypeIdentifier": signer.pass_type,
        "teamIdentifier": signer.team,
        "serialNumber": serial_of(message),
        **_barcode(message),
    }
    files = {"pass.json": _json(description), **pictures_of(template), **dict(strings.files())}
    # "Building a Pass": the SHA-1 of every file but these two. What the signature is over is hashed with SHA-256.
    digests = {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in sorted(files.items())}
    manifest = _json(digests)
    return _archive(files | {"manifest.json": manifest, "signature": signer.sign(manifest)})


def _description(content: Content, strings: Strings, template: Template) -> dict[str, Any]:
    """What pass.json says of the pass, but for whose it is and its barcode."""

    def field(entry: Entry, **more: Any) -> dict[str, Any]:
        return {"key": entry.key, "label": strings.key(entry.label), "value": strings.key(entry.value), **more}

    found: dict[str, Any] = {
        "formatVersion": 1,
        "organizationName": strings.key(content.organisation),
        "description": strings.key(content.title),
        "logoText": strings.key(content.title),
        "foregroundColor": _WHITE,
        "labelColor": _WHITE,
        "backgroundColor": _rgb(template.colour),
        # It holds health data: the telephone offers no button to send it on.
        "sharingProhibited": True,
        "generic": {
            "primaryFields": [field(content.holder)],
            "secondaryFields": [] if content.birth is None else [field(content.birth)],
            "auxiliaryFields": [field(content.summary)],
            # Dates and identifiers are neither appointments nor telephone numbers.
            "backFields": [
                field(entry) | {"key": f"back-{entry.key}", "dataDetectorTypes": []} for entry in content.back
            ],
        },
    }
    if content.expires_on is not None:
        found["expirationDate"] = f"{content.expires_on.isoformat()}T23:59:59Z"
    return found


def _barcode(message: str) -> dict[str, Any]:
    """The barcode, in the form of today and in that of telephones before iOS 9, which know one alone."""
    # Texts of certificates are ASCII, and so the same bytes in this encoding, which is the one that scanners expect.
    barcode = {"format": "PKBarcodeFormatQR", "message": message, "messageEncoding": "iso-8859-1"}
    return {"barcodes": [barcode], "barcode": barcode}


def _identifiers(certificate: Certificate) -> tuple[str, str]:
    """The pass type and the team of a pass certificate: UID and OU of its subject."""
    try:
        subject = load_der_x509_certificate(certificate.der).subject
        pass_type, team = _only(subject, NameOID.USER_ID), _only(subject, NameOID.ORGANIZATIONAL_UNIT_NAME)
    except ValueError:
        pass_type = team = ""
    if not (_PASS_TYPE.fullmatch(pass_type) and _TEAM.fullmatch(team)):
        detail = "the certificate is not one for passes: its subject has no pass type (UID) and team (OU)"
        raise DocumentError(Code.CERTIFICATE_UNREADABLE, detail, Step.SIGNATURE)
    return pass_type, team


def _only(subject: Name, kind: ObjectIdentifier) -> str:
    [attribute] = subject.get_attributes_for_oid(kind)
    return str(attribute.value)


def _rgb(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgb({red}, {green}, {blue})"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _archive(files: dict[str, bytes]) -> bytes:
    """A ZIP archive in which nothing but names and contents makes a difference."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3  # else the kind of machine would be told
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return file.getvalue()


def _read(path: str | Path) -> bytes:
    return read_file(path, DEFAULT_LIMITS.key_file_bytes)


def _mismatch(detail: str) -> DocumentError:
    return DocumentError(Code.SIGNER_KEY_MISMATCH, detail, Step.SIGNATURE)
