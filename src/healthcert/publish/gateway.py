"""The EU gateway's side and a country's side of it: lists of signed items, and requests that add and withdraw a DSC."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from healthcert.encoding import cms_write
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.issue.signer import Signer
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.publish.readable import check_readable
from healthcert.trust.sources.dgcg import Gateway
from healthcert.trust.sources.dgcg_items import encode

Item = Mapping[str, str]

CMS_TYPE = "application/cms"
"""The type of the messages that gateways take."""


def item(certificate: bytes, country: str, kind: str, signer: Signer, timestamp: datetime) -> Item:
    """One item of the gateway's lists: a certificate in DER, and the signature that vouches for it.

    ``kind`` is ``DSC``, signed by the country's upload certificate, or ``CSCA`` or ``UPLOAD``, signed by the trust
    anchor. Raises :class:`IssueError` (``PUBLISHING_REFUSED``), and what ``signer`` raises.
    """
    found = parsed(certificate)
    if kind not in Gateway.parts:
        raise _refused(f"the gateway has no items of that type; there are: {', '.join(Gateway.parts)}")
    # Certificate governance §4: the country that uses a certificate stands in its subject.
    if found.country != country:
        raise _refused("the certificate is not of that country")
    return {
        "kid": base64.b64encode(found.kid).decode(),
        "timestamp": timestamp.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "country": country,
        "certificateType": kind,
        "thumbprint": found.fingerprint,
        "signature": signed(certificate, signer, attached=False).decode(),
        "rawData": base64.b64encode(certificate).decode(),
    }


def lists_of(items: Iterable[Item]) -> dict[str, bytes]:
    """The lists that these items make, of whatever countries, one list a type."""
    given = list(items)
    return {kind: encode(one for one in given if one["certificateType"] == kind) for kind in Gateway.parts}


def publish(
    certificates: Sequence[bytes],
    signer: Signer,
    *,
    issued_at: datetime,
    authorities: Sequence[bytes],
    anchor: Signer,
) -> dict[str, bytes]:
    """The three lists of one country, as its own gateway would send them: DSC, CSCA and UPLOAD.

    ``certificates`` are DSCs, issued by the ``authorities`` and vouched for by ``signer``, who holds the upload
    certificate; ``anchor`` is the trust anchor. Raises :class:`IssueError` (``PUBLISHING_REFUSED``), and what the
    signers raise.
    """
    country = parsed(signer.certificate).country or ""
    parts = lists_of(
        [
            *(item(der, country, "DSC", signer, issued_at) for der in certificates),
            *(item(der, country, "CSCA", anchor, issued_at) for der in authorities),
            item(signer.certificate, country, "UPLOAD", anchor, issued_at),
        ]
    )
    check_readable(Gateway(), parts, anchor, issued_at)
    return parts


def upload_request(certificate: bytes, signer: Signer, *, signing_time: datetime | None = None) -> bytes:
    """The body of the request that adds a DSC (DER) to the gateway, signed with the upload certificate.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for what every gateway turns down, and what ``signer`` raises.
    """
    # DGCG: the signer is of the country that uploads, and so is the certificate.
    if (country := parsed(certificate).country) is None or country != parsed(signer.certificate).country:
        raise _refused("the certificate is not of the country of the upload certificate")
    return signed(certificate, signer, attached=True, signing_time=signing_time)


def delete_request(certificate: bytes, signer: Signer, *, signing_time: datetime | None = None) -> bytes:
    """The body of the request that withdraws a DSC: the same as the one that adds it, sent elsewhere."""
    return upload_request(certificate, signer, signing_time=signing_time)


def upload(fetcher: Fetcher, url: str, body: bytes, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Adds a DSC to the gateway at ``url``; ``fetcher`` shows it the country's TLS certificate.

    ``body`` is from :func:`upload_request`. Raises :class:`FetchError` for any answer but that it was done.
    """
    address = f"{url.rstrip('/')}/signerCertificate"
    fetcher.post(address, body, content_type=CMS_TYPE, limit=limits.key_file_bytes)


def withdraw(fetcher: Fetcher, url: str, body: bytes, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Withdraws a DSC from the gateway, likewise; ``body`` is from :func:`delete_request`."""
    address = f"{url.rstrip('/')}/signerCertificate/delete"
    fetcher.post(address, body, content_type=CMS_TYPE, limit=limits.key_file_bytes)


def signed(content: bytes, signer: Signer, *, attached: bool, signing_time: datetime | None = None) -> bytes:
    """A message over ``content``, which it holds when it is ``attached``, as gateways take them and hand them out.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for an algorithm that they do not take, and what ``signer``
    raises.
    """
    # DGCG: messages are signed with SHA-256 and ECDSA or RSA, and come in base64 without line breaks.
    if signer.algorithm not in (Algorithm.ES256, Algorithm.PS256):
        raise _refused(f"the gateway takes ES256 and PS256, and the signer has {signer.algorithm.name}")
    message = cms_write.write(
        content, signer.certificate, signer.sign, signer.algorithm, attached=attached, signing_time=signing_time
    )
    return base64.b64encode(message)


def parsed(certificate: bytes) -> Certificate:
    """A certificate in DER. Raises :class:`IssueError` (``PUBLISHING_REFUSED``)."""
    try:
        return parse_certificate(certificate)
    except TrustError as error:
        raise _refused(error.detail) from None


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.TRUST)
