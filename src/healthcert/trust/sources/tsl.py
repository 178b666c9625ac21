"""France: the trusted list of 2D-Doc (``tsl_signed.xml``), whose authorities certify those who sign 2D-Docs.

Form: XML of ETSI TS 119 612 (before: TS 102 231), a ``TrustServiceProvider`` for each authority, whose identifier
(``FR03``) is its trade name, with the certificates of its services. It is signed (XAdES) with a seal of France Titres
(ANTS), which is to be pinned, or the authority above it.

The list holds no keys that sign documents. Those are in the authorities' own directories, each of another form; how the
certificates that are found there are added is in :mod:`healthcert.trust.sources.twoddoc`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from msgspec import Struct

from healthcert.errors import Code, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.reading import Rejected, not_authentic, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.plain import moment_of
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
from healthcert.trust.sources.tsl_signature import octets_of, signed_content
from healthcert.trust.sources.tsl_xml import read_tree

DOMAIN, COUNTRY = "2D-DOC", "FR"
_NS = "{http://uri.etsi.org/02231/v2#}"
_SCHEME = "2D-DOC"
# ETSI TS 119 612 §5.5.1, §5.5.4, Annex D.5: authorities that certify, and states in which their word counts.
_AUTHORITIES = ("/Svctype/CA/PKC", "/Svctype/CA/QC")
_IN_FORCE = ("inaccord", "granted", "recognisedatnationallevel", "undersupervision", "accredited")
_SKEW = timedelta(seconds=300)


class Tsl(Struct, frozen=True):
    """A trusted list: its authorities by the identifier that headers of 2D-Docs name them by."""

    authorities: Mapping[str, tuple[Certificate, ...]]
    skipped: tuple[Rejected, ...]
    sequence: int
    issued_at: datetime
    expires_at: datetime | None
    signer: TrustAnchor
    digest: bytes

    def listed(self) -> tuple[Authority, ...]:
        """The authorities as lists have them."""
        certificates = {one.der: one for several in self.authorities.values() for one in several}
        return tuple(Authority(Role.CSCA, der, one.country or COUNTRY, DOMAIN) for der, one in certificates.items())


class TrustedServices:
    """See the module."""

    name = "tsl"
    title = "France (2D-Doc): trusted list of authorities, in signed XML"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        tsl = read_tsl(part(parts, "list"), context)
        return TrustList(
            keys=(),
            assurance=Assurance.SIGNED_LIST,
            skipped=tsl.skipped,
            authorities=tsl.listed(),
            counter=tsl.sequence,
            issued_at=tsl.issued_at,
            expires_at=tsl.expires_at,
            signer=tsl.signer,
            signed=tsl.digest,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def read_tsl(data: bytes, context: Context) -> Tsl:
    """The list, once a pinned anchor vouches for its signature.

    Raises :class:`TrustError`: ``TRUST_ANCHOR_MISSING``, ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    if len(data) > context.limits.list_bytes:
        raise unreadable(f"a list of more than {context.limits.list_bytes} bytes")
    signed = signed_content(data, need_anchors(context.anchors, context.now), context.now)
    # What was signed is read, and not the document that it came in.
    root = read_tree(signed.content)
    if root.tag != f"{_NS}TrustServiceStatusList":
        raise unreadable("not a trusted list")
    scheme = root.find(f"{_NS}SchemeInformation")
    if scheme is None:
        raise unreadable("a trusted list that does not say of which scheme")
    names = [element.text or "" for element in scheme.iterfind(f"{_NS}SchemeName/{_NS}Name")]
    # Whoever signs other lists as well has signed those for another purpose.
    if not names or not all(_SCHEME in name.upper() for name in names):
        raise not_authentic("a trusted list of another scheme than 2D-Doc")
    sequence = _text(scheme, "TSLSequenceNumber")
    issued_at = moment_of(_text(scheme, "ListIssueDateTime"))
    if not sequence.isascii() or not sequence.isdigit() or len(sequence) > 9 or issued_at is None:
        raise unreadable("a trusted list without a number, or without the moment of its issue")
    if issued_at > context.now + _SKEW:
        raise not_authentic("the list is signed for a time that has not come")
    entries = list(_entries(root, context))
    found: dict[str, tuple[Certificate, ...]] = {}
    for identifier, entry in entries:
        if isinstance(entry, Certificate):
            found[identifier] = (*found.get(identifier, ()), entry)
    return Tsl(
        authorities=found,
        skipped=tuple(entry for _, entry in entries if isinstance(entry, Rejected)),
        sequence=int(sequence),
        issued_at=issued_at,
        # ETSI TS 119 612 §5.3.15: an empty one is that of a closed list.
        expires_at=moment_of(_text(scheme, f"NextUpdate/{_NS}dateTime")),
        signer=signed.signer,
        digest=hashlib.sha256(signed.content).digest(),
    )


def _entries(root: ET.Element, context: Context) -> Iterator[tuple[str, Certificate | Rejected]]:
    providers = root.findall(f"{_NS}TrustServiceProviderList/{_NS}TrustServiceProvider")
    services = [(provider, service) for provider in providers for service in provider.iter(f"{_NS}TSPService")]
    check_size(len(services), context.limits)
    for number, (provider, service) in enumerate(services, 1):
        where = f"service {number}"
        names = {
            (name.text or "").strip() for name in provider.iterfind(f"{_NS}TSPInformation/{_NS}TSPTradeName/{_NS}Name")
        }
        identifier = next(iter(sorted(name for name in names if _is_identifier(name))), "")
        information = service.find(f"{_NS}ServiceInformation")
        if information is None or not identifier:
            yield "", rejected(where, "no identifier of an authority", Code.KEY_NOT_CHAINED)
        elif problem := _problem(information, context.now):
            yield "", rejected(where, problem, Code.KEY_NOT_CHAINED)
        else:
            for element in information.iter(f"{_NS}X509Certificate"):
                yield identifier, _authority(where, element)


def _problem(information: ET.Element, now: datetime) -> str | None:
    """Why what a service certifies does not count; None when it does."""
    if not _text(information, "ServiceTypeIdentifier").endswith(_AUTHORITIES):
        return "not a service that certifies"
    if _text(information, "ServiceStatus").rpartition("/")[2] not in _IN_FORCE:
        return "not a service in force"
    since = moment_of(_text(information, "StatusStartingTime"))
    return "not a service in force yet" if since is None or since > now else None


def _authority(where: str, element: ET.Element) -> Certificate | Rejected:
    try:
        certificate = parse_certificate(octets_of(element) or b"")
        certificate.public_key()
    except TrustError as error:
        return Rejected(where, error)
    # RFC 5280 §4.2.1.9, §4.2.1.3.
    if certificate.ca is not True or certificate.signs_certificates is False:
        return rejected(where, "not an authority that may sign certificates", Code.KEY_NOT_CHAINED)
    return certificate


def _is_identifier(name: str) -> bool:
    return len(name) == 4 and name.isascii() and name.isalnum() and name.isupper()


def _text(parent: ET.Element, path: str) -> str:
    return (parent.findtext(f"{_NS}{path}") or "").strip()
