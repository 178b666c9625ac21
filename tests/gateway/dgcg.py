"""The EU gateway (DGCG): who may call it, what it lists, and what it takes from member states.

Its revocation lists are in :mod:`tests.gateway.revocation`, its rules in :mod:`tests.gateway.rules`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from healthcert.encoding import ber, cms
from healthcert.errors import HealthCertError
from healthcert.issue.pki import KeyPair
from healthcert.lists.x509 import Certificate, parse_certificate
from tests.gateway.messages import Reply, Request, json_reply
from tests.gateway.revocation import RevocationList, problem
from tests.gateway.rules import RuleBoard

TYPES = ("AUTHENTICATION", "UPLOAD", "CSCA", "DSC")
_PAGE = 100


def sign_cms(content: bytes, pair: KeyPair, *, attached: bool = False) -> str:
    """A CMS message over ``content``, in base64, by the hand of another library."""
    options = [pkcs7.PKCS7Options.Binary] + ([] if attached else [pkcs7.PKCS7Options.DetachedSignature])
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    signed = builder.add_signer(pair.certificate, pair.key, hashes.SHA256()).sign(Encoding.DER, options)
    return base64.b64encode(signed).decode()


def detached(message: bytes) -> bytes:
    """A CMS message without its content (RFC 5652 §5.2), which is how the gateway lists those it was given."""
    kind, wrapped = ber.read(message).children()
    version, digests, content, *rest = wrapped.children()[0].children()
    bare = _tagged(ber.SEQUENCE, content.children()[0].raw)
    signed = _tagged(ber.SEQUENCE, version.raw, digests.raw, bare, *(part.raw for part in rest))
    return _tagged(ber.SEQUENCE, kind.raw, _tagged(0xA0, signed))


def _tagged(tag: int, *parts: bytes) -> bytes:
    return ber.Element(tag, b"", b"".join(parts)).definite()


@dataclass
class Row:
    """A certificate on the gateway, and the message of whoever vouched for it."""

    type: str
    certificate: Certificate
    signature: str
    changed: datetime
    deleted: bool = False
    roles: frozenset[str] = frozenset()

    @property
    def country(self) -> str:
        return self.certificate.country or ""

    def item(self) -> dict[str, Any]:
        """As it is listed. A deleted one has no content any more."""
        return {
            "kid": base64.b64encode(self.certificate.kid).decode(),
            "timestamp": self.changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "country": self.country,
            "certificateType": self.type,
            "thumbprint": self.certificate.fingerprint,
            "signature": None if self.deleted else self.signature,
            "rawData": None if self.deleted else base64.b64encode(self.certificate.der).decode(),
        }


@dataclass
class Dgcg:
    """The gateway's data base and its calls. ``now`` is the moment at which things happen to it."""

    now: datetime = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
    rows: list[Row] = field(default_factory=list)
    revocations: RevocationList = field(default_factory=RevocationList)
    rules: RuleBoard = field(default_factory=RuleBoard)

    def add(self, kind: str, certificate: bytes, by: KeyPair, *, roles: Iterable[str] = ()) -> Row:
        """Enters a certificate; ``by`` is the trust anchor, or for a DSC the uploader."""
        row = Row(kind, parse_certificate(certificate), sign_cms(certificate, by), self.now, roles=frozenset(roles))
        self.rows.append(row)
        return row

    def delete(self, row: Row) -> None:
        row.deleted, row.changed = True, self.now

    def answer(self, request: Request) -> Reply:
        caller = self._caller(request)
        if isinstance(caller, Reply):
            return caller
        steps = request.path.strip("/").split("/")
        if request.method == "GET" and steps[0] == "trustList" and len(steps) <= 3:
            return self._trust_list(request, *steps[1:])
        if steps[0] == "revocation-list":
            uploaders = [row.certificate for row in self._live("UPLOAD", caller.country)]
            return self.revocations.answer(request, caller.country, caller.roles, uploaders, self.now)
        if steps[0] in ("rules", "countrylist", "valuesets"):
            uploaders = [row.certificate for row in self._live("UPLOAD", caller.country)]
            return self.rules.answer(request, caller.country, uploaders, self.now)
        if request.method == "POST" and steps == ["signerCertificate"]:
            return self._upload(request, caller)
        if request.method == "POST" and steps == ["signerCertificate", "delete"]:
            return self._withdraw(request, caller)
        return problem(404, "no such call")

    def _caller(self, request: Request) -> Row | Reply:
        assert request.certificate is not None, "TLS lets nobody in without one"
        shown = parse_certificate(request.certificate)
        if shown.country is None:
            return problem(400, "the client certificate names no country")
        for row in self._live("AUTHENTICATION"):
            if row.certificate.fingerprint == shown.fingerprint and row.country == shown.country:
                return row
        return problem(401, "unknown client certificate")

    def _trust_list(self, request: Request, kind: str | None = None, country: str | None = None) -> Reply:
        if kind is not None and kind not in TYPES:
            return problem(400, "no such type")
        found = [r for r in self.rows if kind in (None, r.type) and country in (None, r.country)]
        try:
            if since := request.headers.get("if-modified-since"):
                moment = datetime.fromisoformat(since)
                found = [row for row in found if row.changed >= moment]
            else:
                found = [row for row in found if not row.deleted]
            found.sort(key=lambda row: row.item()["kid"])
            if "page" in request.query:
                page, size = int(request.query["page"]), int(request.query.get("pagesize", _PAGE))
                found = found[page * size : (page + 1) * size]
        except (ValueError, TypeError):
            return problem(400, "a header or parameter that cannot be read")
        return json_reply([row.item() for row in found])

    def _upload(self, request: Request, caller: Row) -> Reply:
        dsc = self._signed(request, caller)
        if isinstance(dsc, Reply):
            return dsc
        if all(dsc.problem_with_issuer(csca.certificate) for csca in self._live("CSCA", caller.country)):
            return problem(400, "not issued by a CSCA of the country")
        if any(dsc.kid == row.certificate.kid for row in self._live("DSC")):
            return problem(409, "it is there already")
        message = base64.b64encode(detached(base64.b64decode(request.body))).decode()
        self.rows.append(Row("DSC", dsc, message, self.now))
        return Reply(201)

    def _withdraw(self, request: Request, caller: Row) -> Reply:
        dsc = self._signed(request, caller)
        if isinstance(dsc, Reply):
            return dsc
        for row in self._live("DSC", caller.country):
            if row.certificate.der == dsc.der:
                self.delete(row)
                return Reply(204)
        return problem(404, "it is not there")

    def _signed(self, request: Request, caller: Row) -> Certificate | Reply:
        """The certificate in a message that an uploader of the caller's country signed."""
        if request.headers.get("content-type") not in ("application/cms", "application/cms-text"):
            return problem(415, "not a CMS message")
        try:
            message = cms.read(base64.b64decode(request.body, validate=True))
            if message.content is None or len(message.certificates) != 1 or len(message.signers) != 1:
                return problem(400, "a message with its content, one certificate and one signature is expected")
            signer, dsc = parse_certificate(message.certificates[0]), parse_certificate(message.content)
        except (HealthCertError, binascii.Error, ValueError):
            return problem(400, "the message cannot be read")
        if not any(row.certificate.der == signer.der for row in self._live("UPLOAD", caller.country)):
            return problem(403, "not signed by an uploader of the country")
        if not message.signers[0].verify(signer.public_key(), message.content, message.content_type):
            return problem(400, "the signature does not verify")
        if dsc.country != caller.country:
            return problem(403, "of another country")
        return dsc

    def _live(self, kind: str, country: str | None = None) -> list[Row]:
        return [r for r in self.rows if r.type == kind and not r.deleted and country in (None, r.country)]
