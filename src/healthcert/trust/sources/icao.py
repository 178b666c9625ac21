"""ICAO: a master list of the authorities (CSCA) whose signers seal travel documents, and visible digital seals.

Form: a CMS SignedData with content of its own type (Doc 9303-12 §9): ``CscaMasterList ::= SEQUENCE { version (0),
certList SET OF Certificate }``. Its signer's certificate comes with it, under a pinned authority. It holds no keys that
sign health certificates, only those that vouch for such keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from healthcert.encoding import ber, cms
from healthcert.errors import Code, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.chain import anchor_of, chained_signer
from healthcert.lists.reading import Rejected, not_authentic, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import (
    Authority,
    Context,
    Fetched,
    Known,
    Role,
    TrustList,
    check_size,
    get,
    part,
    rejected,
)

DOMAIN = "ICAO"
MASTER_LIST = "2.23.136.1.1.2"
MASTER_LIST_SIGNER = "2.23.136.1.1.3"
_MAX_TRIES = 16  # certificates of one name that are tried as the issuer of one link certificate


class MasterList:
    """See the module."""

    name = "icao"
    title = "ICAO: master list of national authorities, in CMS"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        data = part(parts, "list")
        message = cms.read(data)
        # Doc 9303-12: what the same authority signed for another purpose is no master list.
        if message.content_type != MASTER_LIST:
            raise not_authentic("a signed message of another kind than a master list")
        content, signer = chained_signer(data, None, anchors, context.now)
        if not _signs_lists(message, content, signer, context):
            raise not_authentic("its signer is under a pinned authority, but for other things than master lists")
        signed_at = message.signers[0].signing_time
        entries = authorities((f"certificate {n}", der) for n, der in enumerate(_certificates(content, context), 1))
        return TrustList(
            keys=(),
            authorities=tuple(entry for entry in entries if isinstance(entry, Authority)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            signer=signer,
            signed=hashlib.sha256(content).digest(),
            counter=None if signed_at is None else int(signed_at.timestamp()),
            issued_at=signed_at,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _signs_lists(message: cms.SignedMessage, content: bytes, anchor: TrustAnchor, context: Context) -> bool:
    """Whether the signer is pinned itself, or its certificate says that it signs master lists.

    The same authorities certify those who sign passports, all over the world.
    """
    signature = message.signers[0]
    if signature.verify(anchor.public_key(), content, MASTER_LIST):
        return True
    certificates = [found for der in message.certificates if isinstance(found := _parsed("signer", der), Certificate)]
    # Doc 9303-12, profile of a master list signer: the one certificate both says so and chains up to the anchor.
    signers = [found for found in certificates if MASTER_LIST_SIGNER in found.extended_usages]
    for found in signers:
        try:
            if signature.verify(found.public_key(), content, MASTER_LIST):
                anchor_of(found, certificates, (anchor,), context.now)
                return True
        except TrustError:
            continue
    return False


def _certificates(content: bytes, context: Context) -> list[bytes]:
    parts = ber.read(content, ber.SEQUENCE).children()
    if [found.tag for found in parts] != [ber.INTEGER, ber.SET]:
        raise unreadable("its content is not a version and a set of certificates")
    if parts[0].body != b"\0":
        raise unreadable("a master list of a version that is not known")
    elements = parts[1].children()
    check_size(len(elements), context.limits)
    return [element.raw for element in elements]


def authorities(entries: Iterable[tuple[str, bytes]]) -> list[Authority | Rejected]:
    """What stands in a list of authorities: those that signed themselves, and those that another one there signed.

    The latter link a new key of a country to the one before it (Doc 9303-12). Each entry is where it stands, and DER.
    """
    read = [(where, _parsed(where, der)) for where, der in entries]
    by_name: dict[bytes, list[Certificate]] = {}
    for _, found in read:
        if isinstance(found, Certificate):
            by_name.setdefault(found.subject, []).append(found)
    return [found if isinstance(found, Rejected) else _judged(where, found, by_name) for where, found in read]


def _parsed(where: str, der: bytes) -> Certificate | Rejected:
    try:
        return parse_certificate(der)
    except TrustError as error:
        return Rejected(where, error)


def _judged(where: str, certificate: Certificate, by_name: Mapping[bytes, list[Certificate]]) -> Authority | Rejected:
    # Doc 9303-12, CSCA profile: basicConstraints says that it is an authority; keyUsage that it signs certificates.
    if certificate.ca is not True or certificate.signs_certificates is False:
        return rejected(where, "not an authority that may sign certificates", Code.KEY_NOT_CHAINED)
    if certificate.problem_with_issuer(certificate) is not None:
        others = by_name.get(certificate.issuer, ())[:_MAX_TRIES]
        # Doc 9303-12: a link certificate belongs to the same country on both sides.
        if not any(
            other.ca is True and other.country == certificate.country and certificate.problem_with_issuer(other) is None
            for other in others
        ):
            return rejected(where, "neither signed by itself nor by another one in the list", Code.KEY_NOT_CHAINED)
    country = certificate.country or ""
    two_letters = len(country) == 2 and country.isalpha()
    return Authority(Role.CSCA, certificate.der, country if two_letters else None, DOMAIN)
