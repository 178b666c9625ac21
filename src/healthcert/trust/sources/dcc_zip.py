"""The EU gateway's public archive: every CSCA and DSC as a file, in a ZIP archive with one signature over it.

Form: ``dcc_trustlist.zip`` and, in base64, a detached CMS message over its bytes. In it are
``CSCA/DCC/<country>/<thumbprint>.pem``, ``DSC/DCC/<country>/<thumbprint>.pem`` and ``Version.txt``, which tells when it
was made. The certificate that publications are signed with is announced elsewhere, and pinned.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.archive import check_method, entry_count, opened
from healthcert.lists.chain import pinned_signer
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, exact_base64, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.chain import Authorities, chained_key, link
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Authority, Context, Fetched, Known, Role, TrustList, check_size, get, part

DOMAIN = "DCC"
VERSION = "Version.txt"
VERSION_LINE = "Export Timestamp: "
_NAME = re.compile(r"(CSCA|DSC)/DCC/([A-Z]{2})/([0-9a-f]{64})\.pem")
_PEM = re.compile(rb"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_CERTIFICATE_BYTES = 16 * 1024  # of one file; a certificate with an RSA key of 4096 bits has under 3 KiB
_RATIO = 20  # certificates hardly become smaller when they are compressed


class Archive:
    """See the module."""

    name = "dcc-zip"
    title = "EU gateway: the public archive of its certificates, a ZIP file and its signature"
    parts = ("archive", "signature")
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        archive = part(parts, "archive")
        # Nothing of the archive is looked at before it is known whose it is.
        signer = _signer(archive, part(parts, "signature"), anchors)
        issued_at, files = _opened(archive, context.limits)
        skipped: list[Rejected] = []
        certificates = {kind: list(_certificates(files, kind, skipped)) for kind in ("CSCA", "DSC")}
        authorities = [certificate for _, certificate in certificates["CSCA"]]
        chain = Authorities(authorities)
        keys = []
        for name, certificate in certificates["DSC"]:
            try:
                keys.append(_key(certificate, chain, signer))
            except TrustError as error:
                skipped.append(Rejected(name, error))
        return TrustList(
            keys=tuple(keys),
            skipped=tuple(skipped),
            assurance=Assurance.SIGNED_CHAIN,
            authorities=tuple(Authority(Role.CSCA, one.der, one.country, DOMAIN) for one in authorities),
            counter=int(issued_at.timestamp()),
            issued_at=issued_at,
            signer=signer,
            signed=hashlib.sha256(archive).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        addresses = {"archive": url, "signature": f"{url}.sig.txt"}
        # What has not changed is not sent again, which helps only where what is known of both parts is at hand.
        before = known if set(self.parts) <= known.parts.keys() else Known()
        found: dict[str, bytes] = {}
        validators: dict[str, str] = {}
        for name, address in addresses.items():
            body, etag = get(fetcher, address, before, context.limits)
            found[name] = before.parts[name] if body is None else body
            validators |= etag
        return None if found == dict(before.parts) else Fetched(found, validators)


def _signer(archive: bytes, signature: bytes, anchors: tuple[TrustAnchor, ...]) -> TrustAnchor:
    message = exact_base64(signature.removesuffix(b"\n"))
    if message is None:
        raise unreadable("the signature is not base64")
    try:
        return pinned_signer(message, archive, anchors)[1]
    except DecodeError as error:
        raise unreadable(error.detail) from None


def _opened(data: bytes, limits: Limits) -> tuple[datetime, dict[str, bytes]]:
    """When the archive was made, and the files with certificates in it, by name."""
    check_size(entry_count(data), limits)
    with opened(data) as archive:
        wanted = {i.filename: i for i in archive.infolist() if i.filename == VERSION or _NAME.fullmatch(i.filename)}
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise unreadable("an archive with two files of one name")
        if VERSION not in wanted:
            raise unreadable(f"an archive without {VERSION}")
        _check_sizes(wanted.values(), limits)
        files = {name: archive.read(info) for name, info in wanted.items()}
    return _exported_at(files.pop(VERSION)), files


def _check_sizes(entries: Iterable[zipfile.ZipInfo], limits: Limits) -> None:
    total = 0
    for entry in entries:
        check_method(entry)
        # No more is inflated of a file than the size that the archive states for it.
        if entry.file_size > min(_CERTIFICATE_BYTES, _RATIO * max(entry.compress_size, 64)):
            raise _too_long("a file that is larger than a certificate")
        total += entry.file_size
        if total > limits.list_bytes:
            raise _too_long(f"more than {limits.list_bytes} bytes in the archive")


def _exported_at(version: bytes) -> datetime:
    lines = version.decode("utf-8", "replace").splitlines()
    found = [line.removeprefix(VERSION_LINE) for line in lines if line.startswith(VERSION_LINE)]
    try:
        (text,) = found
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise unreadable(f"{VERSION} does not tell when the archive was made")


def _certificates(files: Mapping[str, bytes], kind: str, skipped: list[Rejected]) -> Iterator[tuple[str, Certificate]]:
    """The certificates of this kind, each with the name of its file."""
    for name, data in files.items():
        match = _NAME.fullmatch(name)
        if match is None or match[1] != kind:
            continue
        try:
            certificate = parse_certificate(_der(data))
            if certificate.fingerprint != match[3]:
                raise _unusable("the name of the file is not the thumbprint of its certificate")
            # Certificate governance §4.2, §4.3: the country that uses a certificate stands in its subject.
            if certificate.country != match[2]:
                raise _unusable("the folder is not that of the certificate's country")
            # Certificate governance §4.2: a CSCA says that it is one.
            if kind == "CSCA" and certificate.ca is not True:
                raise _unusable("the certificate is not one of an authority")
        except TrustError as error:
            skipped.append(Rejected(name, error))
            continue
        yield name, certificate


def _key(certificate: Certificate, chain: Authorities, signer: TrustAnchor) -> TrustedKey:
    load_public_key(certificate.spki)
    authority = chain.issuer_of(certificate)
    # Certificate governance §2.3: two layers, and a CSCA signs no health certificates.
    if certificate.spki == authority.spki:
        raise _not_chained("its key is that of its CSCA")
    key = chained_key(certificate, authority, (link("publisher", signer),))
    return key.within(DOMAIN, chain=key.chain)


def _der(pem: bytes) -> bytes:
    match = _PEM.fullmatch(pem)
    try:
        return base64.b64decode(b"".join(match[1].split()), validate=True) if match else b""
    except binascii.Error:
        return b""


def _unusable(detail: str) -> TrustError:
    return TrustError(Code.CERTIFICATE_UNREADABLE, detail, Step.TRUST)


def _not_chained(detail: str) -> TrustError:
    return TrustError(Code.KEY_NOT_CHAINED, detail, Step.TRUST)


def _too_long(detail: str) -> TrustError:
    return TrustError(Code.INPUT_TOO_LONG, detail, Step.TRUST)
