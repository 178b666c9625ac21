"""Measures a destination's rules on one certificate, and what compiling rules costs, against one ECDSA verification.

The destination and its fifteen rules are made up in
the shapes that real ones have. Where PyPI's ``panzi-json-logic`` is installed, which nothing here depends on, both
evaluate the same rules on the same data.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import healthcert as hc
from bench.lines import MILLISECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, clocked, cost, line, rate
from healthcert.intake.record import read_record
from healthcert.issue.pki import new_csca, new_dsc
from healthcert.rules.certlogic import Program
from healthcert_cli.commands.demo import RECORD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COUNTRY = "XA"
RULES = 500
TIMES = 500
Logic = dict[str, Any]


def lines(settings: Settings) -> Iterator[Line]:
    """A certificate judged, every rule evaluated on it, and many rules compiled."""
    say("a country's rules")
    certificate, kid = certificate_to_judge()
    book = hc.RuleBook(map(hc.read_rule, destination()))
    ruling = book.judge(hc.RuleSubject.of(certificate, kid), country=COUNTRY, at=NOW)
    assert ruling.outcome is hc.RulingOutcome.PASSED
    verified = ecdsa()

    def judged() -> None:
        for _ in range(TIMES):
            # As the pipeline does it: what a rule sees is made of each certificate anew.
            book.judge(hc.RuleSubject.of(certificate, kid), country=COUNTRY, at=NOW)

    name = f"rules: {len(book.rules)} of a destination, against a bare ECDSA verify"
    about = f"{len(ruling.results)} are about this certificate"
    yield cost(name, judged, verified, settings, count=TIMES, asked=0.25, detail=about)
    yield from every_rule(book, hc.RuleSubject.of(certificate, kid), verified, settings)
    yield from compiled(verified, settings)


def every_rule(
    book: hc.RuleBook, subject: hc.RuleSubject, verified: Callable[[], None], settings: Settings
) -> Iterator[Line]:
    """All rules on one certificate, whatever they are about, as the worst that a destination could ask."""
    programs = [rule.program for rule in book.rules]
    external = subject.external(NOW, COUNTRY, None, dict(book.value_sets.codes))
    data = {"payload": subject.payload, "external": external}

    def ours() -> None:
        for _ in range(TIMES):
            for program in programs:
                program(data)

    yield cost("rules: all evaluated, whatever they are about", ours, verified, settings, count=TIMES)
    name = "rules: all evaluated, against panzi-json-logic"
    try:
        peer = import_module("json_logic.cert_logic").certLogic
    except ImportError:
        yield Line(name=name, asked=20, reason="panzi-json-logic is not installed")
        return
    logics = [rule.logic for rule in book.rules]
    plain = json.loads(json.dumps(data))  # what any other implementation is given
    for logic, program in zip(logics, programs, strict=True):
        assert peer(logic, plain) == program(data)

    def theirs() -> None:
        for _ in range(TIMES // 10):
            for logic in logics:
                peer(logic, plain)

    yield rate(name, ours, theirs, settings, count=TIMES, bare_count=TIMES // 10, asked=20)


def compiled(verified: Callable[[], None], settings: Settings) -> Iterator[Line]:
    """Many different rules, each for the first time."""
    text = json.dumps([one["Logic"] for number in range(RULES // 15 + 1) for one in destination(number)][:RULES])

    def milliseconds() -> float:
        logics = json.loads(text)
        start = time.perf_counter()
        for logic in logics:
            Program(logic)
        return (time.perf_counter() - start) * 1e3

    milliseconds()
    pairs = [(milliseconds(), clocked(verified) * 1e3 / TIMES) for _ in range(settings.turns(15))]
    detail = f"as long as {statistics.median(mine / theirs for mine, theirs in pairs):.0f} bare ECDSA verifies"
    took = Spread.of([mine for mine, _ in pairs])
    yield line(f"rules: compile {RULES}", took, asked=40, at_most=True, unit=MILLISECONDS, detail=detail)


def certificate_to_judge() -> tuple[hc.HealthCertificate, bytes]:
    """A vaccination as a verifier reads it, and the kid it was signed under."""
    csca = new_csca("FR", "Bench", now=NOW - timedelta(days=1))
    pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1))
    record = {**RECORD, "date": "2025-10-01"}
    holder, event = read_record(hc.EntryType.VACCINATION, record)
    clock = hc.FixedClock(NOW)
    issued = hc.Issuer(pair.signer(), country="FR", clock=clock).issue(event, holder=holder)
    trust = hc.TrustStore.from_certificates([pair.certificate_der()])
    return hc.Verifier(trust, clock=clock).verify(issued.text).certificate, pair.signer().kid


def ecdsa() -> Callable[[], None]:
    """So many bare verifications on P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    scheme, data = ec.ECDSA(hashes.SHA256()), bytes(300)
    signature, public = key.sign(data, scheme), key.public_key()

    def verified() -> None:
        for _ in range(TIMES):
            public.verify(signature, data, scheme)

    return verified


def destination(variant: int = 0) -> list[dict[str, Any]]:
    """The rules of a country that there is not; a variant asks for other days and products."""
    made = {
        "General": general(),
        "Vaccination": vaccination(variant),
        "Test": test(variant),
        "Recovery": recovery(variant),
    }
    return [
        _rule(type_, number, logic) for type_, logics in made.items() for number, logic in enumerate(logics, 1)
    ]  # fmt: skip


def general() -> list[Logic]:
    """It is about the one disease, and of one kind."""
    entries = [_var(f"payload.{group}.0") for group in "vtr"]
    alone = [{"!": [{"and": [one, other]}]} for one, other in ((entries[0], entries[1]), (entries[0], entries[2]))]
    of_disease = [_listed(f"payload.{group}.0.tg", "disease-agent-targeted") for group in "vtr"]
    return [
        {"if": [entries[0], of_disease[0], {"if": [entries[1], of_disease[1], of_disease[2]]}]},
        {"and": [*alone, {"!": [{"and": [entries[1], entries[2]]}]}]},
    ]


def vaccination(variant: int) -> list[Logic]:
    """A listed product, all doses, and neither too long ago nor yesterday."""
    given, done, asked = _var("payload.v.0"), _var("payload.v.0.dn"), _var("payload.v.0.sd")
    one_dose = {"===": [_var("payload.v.0.mp"), "EU/1/20/1525"]}
    products = ["EU/1/20/1528", "EU/1/20/1507", "EU/1/21/1529", "EU/1/20/1525", f"XA/{variant}"]
    since = _since("payload.v.0.dt", 14 + variant, "day")
    late = {
        "if": [
            {">": [done, asked]},
            _until("payload.v.0.dt", 540, "day"),
            _until("payload.v.0.dt", 270 + variant, "day"),
        ]
    }
    return [
        {"if": [given, {"in": [_var("payload.v.0.mp"), products]}, True]},
        {"if": [given, _listed("payload.v.0.ma", "vaccines-covid-19-auth-holders"), True]},
        {"if": [given, {">=": [done, asked]}, True]},
        {"if": [given, {"if": [one_dose, _since("payload.v.0.dt", 28, "day"), since]}, True]},
        {"if": [given, late, True]},
        {"if": [given, {"and": [{">": [done, 0]}, {">": [asked, 0]}, {"<": [done, 10]}]}, True]},
    ]


def test(variant: int) -> list[Logic]:
    """A listed kind of test that did not find the disease, lately."""
    given, kind = _var("payload.t.0"), _var("payload.t.0.tt")
    naat = {"===": [kind, "LP6464-4"]}
    hours = {"if": [naat, _until("payload.t.0.sc", 72, "hour"), _until("payload.t.0.sc", 24 + variant, "hour")]}
    made_by = {"if": [naat, True, _listed("payload.t.0.ma", "covid-19-lab-test-manufacturer-and-name")]}
    return [
        {"if": [given, _listed("payload.t.0.tt", "covid-19-lab-test-type"), True]},
        {"if": [given, {"===": [_var("payload.t.0.tr"), "260415000"]}, True]},
        {"if": [given, hours, True]},
        {"if": [given, made_by, True]},
    ]


def recovery(variant: int) -> list[Logic]:
    """Between its own days, and for so long after the first positive test."""
    given = _var("payload.r.0")
    own = {"and": [_since("payload.r.0.df", 0, "day"), _until("payload.r.0.du", 0, "day")]}
    return [
        {"if": [given, own, True]},
        {"if": [given, _until("payload.r.0.fr", 180 + variant, "day"), True]},
        {"if": [given, _since("payload.r.0.fr", 11, "day"), True]},
    ]


def _rule(type_: str, number: int, logic: Logic) -> dict[str, Any]:
    return {
        "Identifier": f"{type_[0]}R-{COUNTRY}-{number:04}",
        "Type": "Acceptance",
        "Country": COUNTRY,
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "1.0.0",
        "CertificateType": type_,
        "Description": [{"lang": "en", "desc": "A rule of a country that there is not."}],
        "ValidFrom": "2025-01-01T00:00:00Z",
        "ValidTo": "2030-01-01T00:00:00Z",
        "AffectedFields": ["dob"],
        "Logic": logic,
    }


def _var(path: str) -> Logic:
    return {"var": path}


def _listed(path: str, value_set: str) -> Logic:
    return {"in": [_var(path), _var(f"external.valueSets.{value_set}")]}


def _compared(operator: str, path: str, amount: int, unit: str) -> Logic:
    clock = {"plusTime": [_var("external.validationClock"), 0, "day"]}
    return {operator: [clock, {"plusTime": [_var(path), amount, unit]}]}


_since, _until = partial(_compared, "not-before"), partial(_compared, "not-after")
