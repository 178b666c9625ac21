"""Trusted lists in XML, signed in the test with another canonical form than the one that is tested: that of lxml."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from healthcert.encoding.algorithms import Algorithm
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from tests.support import DAY, NOW
from tests.unit.trust.sources.world import b64

DSIG, EXCLUSIVE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f'<ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="{EXCLUSIVE}"/>'
FILTERED = (
    '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"><f:XPath'
    ' xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">/descendant::ds:Signature</f:XPath>'
    f'</ds:Transform><ds:Transform Algorithm="{EXCLUSIVE}"/>'
)
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
IN_FORCE = "http://uri.etsi.org/TrstSvc/Svcstatus/inaccord"
CERTIFIES = "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"


@cache
def operator() -> KeyPair:
    """The authority above the seal of the list."""
    return new_csca("FR", "Services Applicatifs", now=NOW - 30 * DAY)


@cache
def seal(kind: KeyKind = KeyKind.RSA_3072) -> KeyPair:
    return new_dsc(operator(), "CACHET 2DDOC", now=NOW - 20 * DAY, kind=kind)


@cache
def authority(name: str = "FR03") -> KeyPair:
    return new_csca("FR", name, now=NOW - 30 * DAY)


@cache
def leaf(name: str = "AHP1", under: str = "FR03") -> KeyPair:
    return new_dsc(authority(under), name, now=NOW - 20 * DAY)


@dataclass(frozen=True)
class Service:
    """A service of an authority as the list has it."""

    name: str = "FR03"
    certificate: str | None = None
    status: str = IN_FORCE
    type: str = CERTIFIES
    since: str = "2015-07-16T22:00:00Z"

    def xml(self) -> str:
        der = b64(authority(self.name).certificate_der()) if self.certificate is None else self.certificate
        return f"""
\t\t<tsl:TrustServiceProvider><tsl:TSPInformation><tsl:TSPName><tsl:Name xml:lang="fr">Autorité &amp; fils</tsl:Name>
\t\t</tsl:TSPName><tsl:TSPTradeName><tsl:Name xml:lang="en">{self.name}</tsl:Name>
\t\t<tsl:Name xml:lang="fr">{self.name}</tsl:Name>
\t\t</tsl:TSPTradeName></tsl:TSPInformation><!-- its services -->
\t\t<tsl:TSPServices><tsl:TSPService><tsl:ServiceInformation>
\t\t\t<tsl:ServiceTypeIdentifier>{self.type}</tsl:ServiceTypeIdentifier><tsl:ServiceDigitalIdentity><tsl:DigitalId>
\t\t\t\t<tsl:X509Certificate>
\t\t\t\t\t{der}
\t\t\t\t</tsl:X509Certificate></tsl:DigitalId></tsl:ServiceDigitalIdentity>
\t\t\t<tsl:ServiceStatus>{self.status}</tsl:ServiceStatus><tsl:StatusStartingTime>{self.since}</tsl:StatusStartingTime>
\t\t</tsl:ServiceInformation></tsl:TSPService></tsl:TSPServices></tsl:TrustServiceProvider>"""


@dataclass(frozen=True)
class ListPress:
    """A signed list as its operator makes it, and with any one thing wrong."""

    services: tuple[Service, ...] = (Service(),)
    scheme: str = "FR:2D-Doc"
    sequence: str = "22"
    issued: str = "2021-08-10T11:00:00Z"
    next_update: str = "<tsl:dateTime>2022-02-10T11:00:00Z</tsl:dateTime>"
    root: str = "TrustServiceStatusList"
    prolog: str = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    transforms: str = FILTERED
    properties_transform: str = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
    canonical: str = EXCLUSIVE
    method: str = RSA_SHA256
    digest: str = SHA256
    uri: str = ""
    more_references: str = ""
    signer: KeyPair = field(default_factory=seal)
    certificates: tuple[bytes, ...] | None = None

    def body(self, signature: str) -> str:
        return f"""{self.prolog}<tsl:{self.root} xmlns:ds="{DSIG}" xmlns:tsl="http://uri.etsi.org/02231/v2#" \
xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" xmlns:unused="urn:unused" TSLTag="http://uri.etsi.org/02231/TSLTag">
\t<tsl:SchemeInformation><tsl:TSLSequenceNumber>{self.sequence}</tsl:TSLSequenceNumber>
\t\t<tsl:SchemeName><tsl:Name xml:lang="en">{self.scheme}</tsl:Name>
\t\t<tsl:Name xml:lang="fr">{self.scheme}</tsl:Name></tsl:SchemeName>
\t\t<tsl:ListIssueDateTime>{self.issued}</tsl:ListIssueDateTime><tsl:NextUpdate>{self.next_update}</tsl:NextUpdate>
\t</tsl:SchemeInformation>
\t<tsl:TrustServiceProviderList>{"".join(service.xml() for service in self.services)}
\t</tsl:TrustServiceProviderList>
{signature}</tsl:{self.root}>"""

    def signature(self, content: str, properties: str, value: str) -> str:
        chain = (self.signer.certificate_der(),) if self.certificates is None else self.certificates
        shown = "".join(f"<ds:X509Certificate>{b64(der)}</ds:X509Certificate>" for der in chain)
        return (
            f'<ds:Signature Id="s"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{self.canonical}"/>'
            f'<ds:SignatureMethod Algorithm="{self.method}"/><ds:Reference Id="r" URI="{self.uri}">'
            f'<ds:Transforms>{self.transforms}</ds:Transforms><ds:DigestMethod Algorithm="{self.digest}"/>'
            f"<ds:DigestValue>{content}</ds:DigestValue></ds:Reference>"
            '<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#p"><ds:Transforms>'
            f'{self.properties_transform}</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/>'
            f"<ds:DigestValue>{properties}</ds:DigestValue></ds:Reference>{self.more_references}</ds:SignedInfo>"
            f'<ds:SignatureValue Id="v">{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>{shown}</ds:X509Data>'
            '</ds:KeyInfo><ds:Object><xades:QualifyingProperties Target="#s"><xades:SignedProperties Id="p">'
            "<xades:SignedSignatureProperties><xades:SigningTime>2021-08-10T08:19:41Z</xades:SigningTime>"
            "</xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object>"
            "</ds:Signature>"
        )

    def xml(self) -> bytes:
        content = digest_of(canonical(self.body(""), None))
        draft = self.body(self.signature(content, "", ""))
        properties = digest_of(canonical(draft, "{http://uri.etsi.org/01903/v1.3.2#}SignedProperties"))
        draft = self.body(self.signature(content, properties, ""))
        signed = canonical(draft, f"{{{DSIG}}}SignedInfo")
        return self.body(self.signature(content, properties, b64(self._sign(signed)))).encode("utf-8")

    def _sign(self, data: bytes) -> bytes:
        key: Any = self.signer.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return Algorithm.ES256.sign(key, data)

    def with_(self, **changes: Any) -> ListPress:
        return replace(self, **changes)


def canonical(document: str, tag: str | None) -> bytes:
    """Exclusive XML Canonicalization 1.0 of a document, or of the first element of a name in it."""
    etree = pytest.importorskip("lxml.etree")
    root = etree.fromstring(document.encode("utf-8"))
    element = root.getroottree() if tag is None else next(root.iter(tag))
    found: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return found


def digest_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
