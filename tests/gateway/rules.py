"""The servers of rules: what the EU gateway takes, lists and hands out of them, and the service for verifiers' apps."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from healthcert.encoding import cms
from healthcert.errors import HealthCertError
from healthcert.lists.x509 import Certificate, parse_certificate
from tests.gateway.messages import Reply, Request, json_reply
from tests.gateway.revocation import problem

if TYPE_CHECKING:
    from tests.gateway.server import Gateway


@dataclass
class StoredRule:
    """A version of a rule on the gateway, in the message of its country."""

    country: str
    rule: Mapping[str, Any]
    message: str

    def listed(self) -> dict[str, Any]:
        rule = self.rule
        return {
            "version": rule["Version"],
            "validFrom": rule["ValidFrom"],
            "validTo": rule["ValidTo"],
            "cms": self.message,
        }


@dataclass
class RuleBoard:
    """The gateway's rules, value sets and countries."""

    countries: list[str] = field(default_factory=lambda: ["DE", "FR"])
    rows: list[StoredRule] = field(default_factory=list)
    value_sets: dict[str, bytes] = field(default_factory=dict)

    def add(self, rule: Mapping[str, Any], message: str, country: str | None = None) -> StoredRule:
        """Enters a rule, whatever its message is; ``country`` is whose list it stands on."""
        row = StoredRule(country or rule["Country"], rule, message)
        self.rows.append(row)
        return row

    def answer(self, request: Request, country: str, uploaders: Iterable[Certificate], now: datetime) -> Reply:
        """To a member state of this country, which has these upload certificates."""
        steps = request.path.strip("/").split("/")
        if request.method == "POST" and steps in (["rules"], ["rules", "delete"]):
            return self._changed(request, country, uploaders, delete=len(steps) > 1)
        match steps:
            case ["countrylist"]:
                return json_reply(self.countries)
            case ["rules", country] if len(country) == 2:
                return json_reply(self._listed(country, now))
            case ["valuesets"]:
                return json_reply(sorted(self.value_sets))
            case ["valuesets", name] if name in self.value_sets:
                return Reply(200, self.value_sets[name], {"Content-Type": "application/json"})
        return problem(404, "no such call")

    def _listed(self, country: str, now: datetime) -> dict[str, list[dict[str, Any]]]:
        """The newest version of each rule alone if it is valid already, else with the one that is, and all between."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in sorted((row for row in self.rows if row.country == country), key=_version, reverse=True):
            listed = found.setdefault(row.rule["Identifier"], [])
            if not listed or datetime.fromisoformat(listed[-1]["validFrom"]) > now:
                listed.append(row.listed())
        return found

    def _changed(self, request: Request, country: str, uploaders: Iterable[Certificate], *, delete: bool) -> Reply:
        content = _signed(request, uploaders)
        if isinstance(content, Reply):
            return content
        if delete:
            gone = [row for row in self.rows if row.rule["Identifier"] == content.decode() and row.country == country]
            self.rows = [row for row in self.rows if row not in gone]
            return Reply(204) if gone else problem(404, "no such rule")
        rule = json.loads(content)
        if rule["Country"] != country:
            return problem(403, "of another country")
        same = [row for row in self.rows if row.rule["Identifier"] == rule["Identifier"]]
        if any(_version(row) >= _version_of(rule) for row in same):
            return problem(400, "not a higher version")
        self.add(rule, request.body.decode())
        return Reply(201)


def _version(row: StoredRule) -> tuple[int, ...]:
    return _version_of(row.rule)


def _version_of(rule: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(map(int, rule["Version"].split(".")))


def _signed(request: Request, uploaders: Iterable[Certificate]) -> bytes | Reply:
    """What is in a message that one of the uploaders signed."""
    if request.headers.get("content-type") not in ("application/cms", "application/cms-text"):
        return problem(415, "not a CMS message")
    try:
        message = cms.read(base64.b64decode(request.body, validate=True))
        signer = parse_certificate(message.certificates[0])
    except (HealthCertError, binascii.Error, IndexError):
        return problem(400, "the message cannot be read")
    if message.content is None or not any(uploader.der == signer.der for uploader in uploaders):
        return problem(403, "not signed by an uploader of the country")
    if not message.signers[0].verify(signer.public_key(), message.content, message.content_type):
        return problem(400, "the signature does not verify")
    return message.content


# --- The service for verifiers' apps ---


def written_hash(data: bytes) -> str:
    """The hash as the service writes it: a number, before which one missing zero is put, and no more."""
    text = f"{int(hashlib.sha256(data).hexdigest(), 16):x}"
    return f"0{text}" if len(text) == 63 else text


def header_signature(data: bytes, key: ec.EllipticCurvePrivateKey) -> str:
    """The signature over the text of the hash, as it comes in ``X-SIGNATURE``."""
    return base64.b64encode(key.sign(written_hash(data).encode(), ec.ECDSA(hashes.SHA256()))).decode()


@dataclass
class RuleService:
    """The service below ``path``. What it ``lists`` is made anew for each request, so that it may change.

    Without a key it signs nothing; it signs the list of countries where it ``signs_countries``. ``instead`` are
    documents that it hands out in the place of others, by their hash.
    """

    rules: Sequence[bytes] = ()
    value_sets: Sequence[bytes] = ()
    countries: Sequence[str] = ("DE", "FR")
    key: ec.EllipticCurvePrivateKey | None = None
    signs_countries: bool = True
    instead: dict[str, bytes | None] = field(default_factory=dict)

    def serve(self, gateway: Gateway, path: str) -> str:
        """Serves all that there is now; to be called again once there is more."""
        gateway.route(f"{path}/rules", lambda request: self._list(request, self.rule_list()))
        gateway.route(f"{path}/valuesets", lambda request: self._list(request, self.set_list()))
        gateway.route(
            f"{path}/countrylist", lambda request: self._list(request, self.country_list(), is_countries=True)
        )
        for raw in self.rules:
            country = json.loads(raw)["Country"]
            gateway.route(f"{path}/rules/{country}/{written_hash(raw)}", self._document(raw))
        for raw in self.value_sets:
            gateway.route(f"{path}/valuesets/{written_hash(raw)}", self._document(raw))
        return gateway.url + path

    def rule_list(self) -> bytes:
        rules = [(json.loads(raw), written_hash(raw)) for raw in self.rules]
        return json.dumps(
            [
                {"identifier": r["Identifier"], "version": r["Version"], "country": r["Country"], "hash": h}
                for r, h in rules
            ]
        ).encode()

    def set_list(self) -> bytes:
        return json.dumps(
            [{"id": json.loads(raw)["valueSetId"], "hash": written_hash(raw)} for raw in self.value_sets]
        ).encode()

    def country_list(self) -> bytes:
        return json.dumps(list(self.countries)).encode()

    def _list(self, request: Request, body: bytes, *, is_countries: bool = False) -> Reply:
        tag = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        signed = self.signs_countries or not is_countries
        return _versioned(request, Reply(200, body, tag | (self._signature(body) if signed else {})))

    def _document(self, raw: bytes) -> Any:
        def answer(request: Request) -> Reply:
            body = self.instead.get(written_hash(raw), raw)
            reply = problem(404, "no such hash") if body is None else Reply(200, body, self._signature(raw))
            return _versioned(request, reply)

        return answer

    def _signature(self, data: bytes) -> dict[str, str]:
        return {} if self.key is None else {"X-SIGNATURE": header_signature(data, self.key)}


def _versioned(request: Request, reply: Reply) -> Reply:
    return reply if request.headers.get("x-version") == "1.0" else problem(400, "no version of the interface")
