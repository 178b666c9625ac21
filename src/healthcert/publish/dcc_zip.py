"""The EU gateway's public archive: certificates as files in a ZIP archive, and a detached signature over it."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

from healthcert.encoding import cms_write
from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.issue.signer import Signer
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.readable import check_readable
from healthcert.trust.sources.dcc_zip import DOMAIN, VERSION, VERSION_LINE, Archive

_UNTIMED = (1980, 1, 1, 0, 0, 0)  # the same archive whenever it is made; Version.txt says when
_ATTRIBUTES = 0o100644 << 16  # a file that all may read, its owner write


def publish(
    certificates: Sequence[bytes], signer: Signer, *, issued_at: datetime, authorities: Sequence[bytes]
) -> dict[str, bytes]:
    """The archive of these DSCs and the CSCAs that issued them, all in DER, and its signature.

    The same certificates and moment make the same archive. Raises :class:`IssueError` (``PUBLISHING_REFUSED``), and
    what ``signer`` raises.
    """
    moment = issued_at.astimezone(UTC).replace(microsecond=0)
    files = {VERSION: f"DGCG Data Export\n\n{VERSION_LINE}{moment.isoformat()}\n".encode()}
    for folder, ders in (("CSCA", authorities), ("DSC", certificates)):
        files |= dict(_file(folder, der) for der in ders)
    archive = _zipped(files)
    message = cms_write.write(archive, signer.certificate, signer.sign, signer.algorithm, attached=False)
    parts = {"archive": archive, "signature": base64.b64encode(message)}
    check_readable(Archive(), parts, signer, issued_at)
    return parts


def _file(folder: str, der: bytes) -> tuple[str, bytes]:
    try:
        certificate = parse_certificate(der)
    except TrustError as error:
        raise IssueError(Code.PUBLISHING_REFUSED, error.detail, Step.TRUST) from None
    country = certificate.country or ""
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise IssueError(Code.PUBLISHING_REFUSED, "a certificate that does not say its country", Step.TRUST)
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    return f"{folder}/{DOMAIN}/{country}/{certificate.fingerprint}.pem", pem.encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _UNTIMED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same on every system
            entry.external_attr = _ATTRIBUTES
            archive.writestr(entry, files[name])
    return buffer.getvalue()
