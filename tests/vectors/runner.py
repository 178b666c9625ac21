"""Runs published vectors through the verifier, as any other implementer would: from the files alone."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import healthcert as hc
from healthcert.limits import DEFAULT_LIMITS
from healthcert.revocation.batch import Place
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.installing import Update
from healthcert.revocation.segment import NEVER, Origin
from healthcert.revocation.sources.protocol import Listed
from healthcert.trust.generation import Head, make_generation
from healthcert.trust.sources.protocol import Authority, Role

_DAY = timedelta(days=1)
FOLDER = Path(__file__).resolve().parents[2] / "test_vectors"
KEYS: dict[str, dict[str, Any]] = json.loads((FOLDER / "keys" / "keys.json").read_text("utf-8"))
_PEMS = {name: (FOLDER / "keys" / entry["file"]).read_text("utf-8") for name, entry in KEYS.items()}


@dataclass(frozen=True)
class Vector:
    """One folder of ``test_vectors/cases``."""

    folder: Path
    case: dict[str, Any]

    @property
    def id(self) -> str:
        identifier: str = self.case["id"]
        return identifier

    @property
    def scan(self) -> str | bytes:
        """What is examined: the text, or the bytes of a barcode that holds no text."""
        found = self.case.get("text")
        return bytes.fromhex(self.case["bytes"]) if found is None else str(found)

    @property
    def trust(self) -> tuple[str, ...]:
        return tuple(self.case["trust"])

    @property
    def outcome(self) -> dict[str, Any] | None:
        """What an examination must find; None where there is nothing to examine."""
        expected = {key: value for key, value in self.case["expected"].items() if key != "reads"}
        return expected or None


def load() -> list[Vector]:
    """Every vector, in the order of the folders' names."""
    folders = sorted((FOLDER / "cases").iterdir())
    return [Vector(folder, json.loads((folder / "case.json").read_text("utf-8"))) for folder in folders]


def trust_store(names: tuple[str, ...]) -> hc.TrustStore:
    """A store of these keys and certificates, in this order."""
    store = hc.TrustStore()
    for name in names:
        if "list" in KEYS[name]:
            _put_on_list(store, name, KEYS[name]["list"])
        else:
            store.add(_keys(name, KEYS[name].get("domain")))
    return store


def _keys(name: str, domain: str | None) -> list[hc.TrustedKey]:
    """The keys of an entry under its kid, for this domain alone or for any."""
    entry, kid = KEYS[name], bytes.fromhex(KEYS[name]["kid"])
    issuer = entry.get("issuer")
    if entry["holds"] == "certificate":
        # Of most certificates the kid is their own; a 2D-Doc's goes by another name.
        return [replace(key, kid=kid) for key in hc.TrustStore.from_certificates(_PEMS[name], domain=domain)]
    store = hc.TrustStore()
    store.add_public_key(_PEMS[name], kid=kid, domain=domain, issuer=issuer)
    return list(store)


def _put_on_list(store: hc.TrustStore, name: str, facts: dict[str, str]) -> None:
    """The key as one that a published list has, which was checked; or the authority as one that it has."""
    (key,) = _keys(name, facts.get("domain", KEYS[name].get("domain")))
    ends = datetime.fromisoformat(facts["best_before"]) if "best_before" in facts else None
    head = Head(
        source=name,
        format="de",
        assurance=hc.Assurance(facts["assurance"]),
        digest=name.encode(),
        signed=name.encode(),
        fetched_at=datetime.fromtimestamp(0, UTC),
        loaded_at=datetime.fromtimestamp(0, UTC),
        expires_at=ends,
    )
    role = Role.UPLOAD if facts.get("role") == "uploader" else Role.CSCA
    authority = Authority(role, key.certificate, key.country, key.domain)
    made = make_generation(head, [replace(key, provenance=())])
    if "role" in facts:
        made = make_generation(head, [], (authority,))
    with store.transaction() as change:
        change.put(made, {})


def revocation_store(lists: list[dict[str, Any]] | None) -> hc.RevocationStore | None:
    """A store of these lists; None where the case has none."""
    if lists is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="vectors-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = hc.RevocationStore.open(folder)
    for number, facts in enumerate(lists, 1):
        feed = hc.RevocationFeed(name=f"list {number}", format="fr", max_age=None)
        # Read while it was still fresh.
        moment = datetime.fromisoformat(facts["best_before"]) - timedelta(days=1)
        update = Update(store, feed, moment, force=False, limits=DEFAULT_LIMITS, countries_of=None, progress=None)
        update.run(partial(_take_in, facts))
    return store


def _take_in(facts: dict[str, Any], into: Gathering, _known: Any, _context: Any) -> Listed:
    entries = [
        (
            Place(
                IdentifierType(entry["type"]),
                bytes.fromhex(entry["kid"]) if entry.get("kid") else None,
                entry.get("issuer", ""),
            ),
            bytes.fromhex(entry["key"]),
            Origin(
                expires=entry.get("expires", NEVER), before=entry.get("before", NEVER), country=entry.get("country")
            ),
        )
        for entry in facts["entries"]
    ]
    into.add_each("entries", entries)
    modes = {}
    for number, slice_ in enumerate(facts.get("filters", ())):
        kid = bytes.fromhex(slice_["kid"])
        modes[kid] = Mode(slice_["mode"])
        into.add_filter(
            f"filter {number}",
            kid,
            slice_["partition"],
            slice_["chunk"],
            bytes.fromhex(slice_["data"]),
            Origin(expires=slice_.get("expires", NEVER)),
            bloom=slice_["format"] == "BLOOMFILTER",
        )
    types = {IdentifierType(entry["type"]) for entry in facts["entries"]}
    if modes:
        types |= {IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI}
    return Listed(
        types=tuple(sorted(types)),
        kids=frozenset(map(bytes.fromhex, facts.get("kids", ()))),
        keys=frozenset((one["issuer"], bytes.fromhex(one["kid"])) for one in facts.get("keys", ())),
        countries=frozenset(facts["countries"]),
        modes=modes,
        expires_at=datetime.fromisoformat(facts["best_before"]),
    )


def rule_store(lists: list[dict[str, Any]] | None) -> hc.RuleStore | None:
    """A store of these lists of rules; None where the case has none."""
    if lists is None:
        return None
    store = hc.RuleStore()
    for number, facts in enumerate(lists, 1):
        ends = datetime.fromisoformat(facts["best_before"]) if "best_before" in facts else None
        feed = hc.RuleFeed(name=f"list {number}", format="folder", max_age=None if ends is None else _DAY)
        parts = {f"{at}/rule.json": json.dumps(rule).encode() for at, rule in enumerate(facts["rules"])}
        parts |= {f"set {at}.json": json.dumps(found).encode() for at, found in enumerate(facts.get("value_sets", ()))}
        # Read while it was still fresh.
        moment = datetime.fromtimestamp(0, UTC) if ends is None else ends - _DAY
        hc.install_rules(store, feed, parts, clock=hc.FixedClock(moment))
    return store


def policy(described: str | dict[str, Any], **further: Any) -> hc.Policy:
    """``default``, ``strict``, or the default with some values changed; ``further`` are changes that no case has."""
    if described == "strict":
        return hc.Policy.strict()
    readers: dict[str, Any] = {
        "families": lambda value: ("families", frozenset(value)),
        "entry_types": lambda value: ("entry_types", frozenset(map(hc.EntryType, value))),
        "algorithms": lambda value: ("algorithms", frozenset(hc.Algorithm[name] for name in value)),
        "rsa_bits": lambda value: ("rsa_bits", value),
        "clock_skew_seconds": lambda value: ("clock_skew", timedelta(seconds=value)),
        "assurances": lambda value: ("assurances", frozenset(map(hc.Assurance, value))),
        "trust_grace_seconds": lambda value: ("trust_grace", timedelta(seconds=value)),
        "revocation": lambda value: ("revocation", hc.RevocationCheck(value)),
        "revocation_grace_seconds": lambda value: ("revocation_grace", timedelta(seconds=value)),
        "revocation_odds": lambda value: ("revocation_odds", value),
        "country": lambda value: ("country", value),
        "region": lambda value: ("region", value),
        "rules": lambda value: ("rules", hc.RulesCheck(value)),
        "rules_grace_seconds": lambda value: ("rules_grace", timedelta(seconds=value)),
        "engine_version": lambda value: ("engine_version", value),
    }
    changed = {} if isinstance(described, str) else described
    changes: dict[str, Any] = dict(readers[name](value) for name, value in changed.items())
    return hc.Policy(**changes | further)


def report_on(vector: Vector, demanded: hc.Policy | None = None) -> hc.Report:
    """What is found in a vector under its circumstances, or under another policy."""
    demanded, clock = demanded or policy(vector.case["policy"]), hc.FixedClock(vector.case["clock"])
    verifier = hc.Verifier(
        trust_store(vector.trust),
        revocation=revocation_store(vector.case.get("revocation")),
        rules=rule_store(vector.case.get("rules")),
        policy=demanded,
        clock=clock,
    )
    return verifier.examine(vector.scan)


def summary(report: hc.Report) -> dict[str, Any]:
    """A report in the form of ``expected``."""
    found: dict[str, Any] = {
        "outcome": report.outcome.value,
        "code": report.code.value,
        "step": None if report.step is None else report.step.value,
        "warnings": sorted(warning.code.value for warning in report.warnings),
    }
    if report.beside:
        found["beside"] = [beside.code.value for beside in report.beside]
    if report.rules is not None:
        found["rules"] = {result.rule.identifier: result.state.value for result in report.rules.results}
    return found
