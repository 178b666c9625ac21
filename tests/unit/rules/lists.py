"""Lists that the tests of the store of rules install: rules that differ in little, and a source that says it is signed.

No real format has a number, a moment and an end at once; what a store does with each is the same for all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import healthcert as hc
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.rules.feed import RuleChange, RuleFeed
from healthcert.rules.sources import registry
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, Source, get, part
from healthcert.rules.store import RuleStore
from healthcert.rules.update import update_rules
from tests.support import NOW, csca

HOUR = timedelta(hours=1)
_KINDS = {"GR": "General", "IR": "General", "VR": "Vaccination", "TR": "Test", "RR": "Recovery"}
PASSES = {"if": [True, True, False]}
FAILS = {"if": [True, False, True]}


def rule_document(identifier: str = "GR-FR-0001", **changes: Any) -> dict[str, Any]:
    """A rule with the members of the gateway's schema."""
    prefix, country, _ = identifier.split("-")
    document = {
        "Identifier": identifier,
        "Type": "Invalidation" if prefix == "IR" else "Acceptance",
        "Country": country,
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "1.0.0",
        "CertificateType": _KINDS.get(prefix, "General"),
        "Description": [{"lang": "en", "desc": "An example that every certificate meets."}],
        "ValidFrom": "2021-07-01T00:00:00Z",
        "ValidTo": "2030-06-01T00:00:00Z",
        "AffectedFields": ["dob"],
        "Logic": PASSES,
    }
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


def rules_of(**counts: int) -> list[dict[str, Any]]:
    """So many rules of each country: ``rules_of(FR=3, AT=1)``."""
    return [rule_document(f"GR-{c}-{number:04}") for c, count in counts.items() for number in range(count)]


def value_set(name: str = "disease-agent-targeted", *codes: str, date: str = "2021-04-27") -> dict[str, Any]:
    entry = {"display": "A code", "lang": "en", "active": True, "version": "1", "system": "http://snomed.info/sct"}
    return {"valueSetId": name, "valueSetDate": date, "valueSetValues": dict.fromkeys(codes or ("840539006",), entry)}


@cache
def anchor() -> TrustAnchor:
    certificate = parse_certificate(csca().certificate_der())
    return TrustAnchor("the signer of rules", certificate.spki, certificate.der)


class Signed:
    """A list in one JSON object: ``documents`` (rules and value sets), and what it says of itself.

    ``signed`` true stands for a signature that holds with the first anchor, ``signatures`` for what is signed apart.
    """

    name = "signed"
    title = "a list of the tests"
    parts = ("list",)
    anchored = True
    options = ("unsigned", "token")

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        given = json.loads(part(parts, "list"))
        into = Gathering(context.limits)
        for number, document in enumerate(given.get("documents", ())):
            raw = json.dumps(document).encode()
            if "valueSetId" in document:
                into.add_value_set(f"document {number}", raw)
            else:
                into.add_rule(f"document {number}", raw)
        signed = given.get("signed", True)
        return into.finish(
            national={name: text.encode() for name, text in given.get("national", {}).items()},
            countries=frozenset(given.get("countries", ())),
            assurance=Assurance.SIGNED_LIST if signed else Assurance.TLS_ONLY,
            counter=given.get("counter"),
            issued_at=_moment(given.get("issued_at")),
            expires_at=_moment(given.get("expires_at")),
            signer=context.pinned()[0] if signed else None,
            signed=tuple(hashlib.sha256(text.encode()).digest() for text in given.get("signatures", ())),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known if "list" in known.parts else Known(), context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def list_of(*documents: Mapping[str, Any], at: datetime | None = None, **said: Any) -> dict[str, bytes]:
    """The part of a list; ``at`` is its number and moment."""
    if at is not None:
        said = {"counter": int(at.timestamp()), "issued_at": at.isoformat()} | said
    return {"list": json.dumps({"documents": documents} | said).encode()}


def feed(format_: str = "signed", **changes: Any) -> RuleFeed:
    anchors = (anchor(),) if format_ == "signed" else ()
    return RuleFeed(**{"name": format_, "format": format_, "anchors": anchors} | changes)


@dataclass
class Server:
    """Answers from a table; an exception in it is raised. What was asked is written down."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> hc.Response:
        self.asked.append((url, dict(headers or {})))
        answer = self.answers.get(url, hc.FetchError(hc.Code.FETCH_FAILED, "it answered with status 404"))
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, hc.Response):
            return answer
        etag = f'"{hash(answer)}"'
        if (headers or {}).get("If-None-Match") == etag:
            return hc.Response(304)
        return hc.Response(200, answer, {"etag": etag})

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> hc.Response:
        raise AssertionError("nothing is ever posted")


def url_of(name: str) -> str:
    return f"https://{name}.example/rules"


def source(name: str = "signed", **changes: Any) -> RuleFeed:
    return feed(**({"name": name, "url": url_of(name)} | changes))


def update(store: RuleStore, server: Server, *feeds: RuleFeed, at: datetime = NOW, **more: Any) -> list[RuleChange]:
    return list(update_rules(store, feeds or (source(),), lambda _: server, clock=hc.FixedClock(at), **more))


def serving(parts: Mapping[str, bytes], name: str = "signed") -> Server:
    return Server({url_of(name): parts["list"]})


def source_named(name: str) -> Source:
    """The registry, and the source of the tests."""
    return Signed() if name == "signed" else registry.source_named(name)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
