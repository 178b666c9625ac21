"""Every published vector comes out as it says, and is what its maker makes."""

from __future__ import annotations

import json
import pickle
import zlib

import cbor2
import jsonschema
import pytest
from tools.make_vectors import files

import healthcert as hc
from healthcert.verify.policy import TOLERABLE
from tests.vectors.runner import (
    FOLDER,
    KEYS,
    Vector,
    load,
    policy,
    report_on,
    revocation_store,
    rule_store,
    summary,
    trust_store,
)

VECTORS = load()
EXAMINED = [vector for vector in VECTORS if vector.outcome is not None]
PICTURES = [vector for vector in VECTORS if "picture" in vector.case]
PUBLIC_SUITE = (
    *("Q1", "Q2", "H1", "H2", "H3", "B1", "Z1", "Z2", "CBO1", "CBO2"),
    *(f"CO{number}" for number in range(1, 29)),
    *(f"DGC{number}" for number in range(1, 9)),
)
SCHEMA = json.loads((FOLDER / "vector.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", EXAMINED, ids=lambda vector: vector.id)
def test_the_verifier_finds_what_is_expected(vector: Vector) -> None:
    assert summary(report_on(vector)) == vector.outcome


@pytest.mark.parametrize("vector", EXAMINED, ids=lambda vector: vector.id)
def test_the_steps_agree_with_the_verdict(vector: Vector) -> None:
    report = report_on(vector)
    required = ("recognise", "decode", "trust", "signature", "time", "content", "usage")
    if report.step is None:
        assert {report[hc.Step(step)].outcome.value for step in required} == {"passed"}
    else:
        worse = "undetermined" if report.outcome is hc.Outcome.UNDETERMINED else "failed"
        assert (report[report.step].outcome.value, report[report.step].code) == (worse, report.code)
    # Nobody's word is taken for health data before the signature held.
    if report.certificate is not None:
        assert report[hc.Step.SIGNATURE].code in ("OK", "ALGORITHM_UNPROTECTED")


@pytest.mark.parametrize("code", sorted(TOLERABLE))
def test_a_departure_alone_can_be_refused(code: hc.Code) -> None:
    alone = [v for v in EXAMINED if v.outcome and v.outcome["code"] == "OK" and set(v.outcome["warnings"]) == {code}]
    assert alone
    for vector in alone:
        report = report_on(vector, policy(vector.case["policy"], tolerated=TOLERABLE - {code}))
        # Of an overdue list it is the verifier who cannot tell; everything else is the certificate's.
        outcome = "undetermined" if code is hc.Code.TRUST_LIST_STALE else "refused"
        assert (report.outcome, report.code) == (outcome, code), vector.id


def test_many_at_once_find_the_same_as_one_by_one() -> None:
    alike: dict[str, list[Vector]] = {}
    for vector in EXAMINED:
        circumstances = [vector.case.get(name) for name in ("clock", "policy", "trust", "revocation", "rules")]
        alike.setdefault(json.dumps(circumstances), []).append(vector)
    for vectors in alike.values():
        case = vectors[0].case
        clock = hc.FixedClock(case["clock"])
        lists = revocation_store(case.get("revocation"))
        rules = rule_store(case.get("rules"))
        trusted = trust_store(vectors[0].trust)
        demanded = policy(case["policy"])
        verifier = hc.Verifier(trusted, revocation=lists, rules=rules, policy=demanded, clock=clock)
        reports = verifier.examine_many([vector.case["text"] for vector in vectors])
        found = {vector.id: summary(report) for vector, report in zip(vectors, reports, strict=True)}
        assert found == {vector.id: vector.outcome for vector in vectors}


@pytest.mark.parametrize("vector", PICTURES, ids=lambda vector: vector.id)
def test_a_picture_reads_as_its_text_or_not_at_all(vector: Vector) -> None:
    texts = hc.read_barcodes(vector.folder / vector.case["picture"])
    assert texts == ([vector.case["text"]] if vector.case["expected"]["reads"] else [])


def test_every_case_has_its_form_and_its_own_folder() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    for vector in VECTORS:
        assert [error.message for error in validator.iter_errors(vector.case)] == [], vector.folder.name
        assert vector.id == vector.folder.name
        assert KEYS.keys() >= set(vector.trust)
        assert {"case.json", vector.case.get("picture", "case.json")} == {path.name for path in vector.folder.iterdir()}


def test_every_case_of_the_public_suite_is_there() -> None:
    assert set(PUBLIC_SUITE) == {vector.id for vector in VECTORS if not vector.id.startswith("HC-")}


def test_the_codes_are_those_of_the_library() -> None:
    for vector in EXAMINED:
        assert vector.outcome is not None
        for code in (vector.outcome["code"], *vector.outcome["warnings"]):
            assert code in hc.Code.__members__


def test_every_departure_that_can_be_tolerated_has_a_case_where_it_is_and_one_where_it_is_not() -> None:
    tolerated = {code for vector in EXAMINED if vector.outcome for code in vector.outcome["warnings"]}
    strict = {vector.outcome["code"] for vector in EXAMINED if vector.outcome and vector.case["policy"] == "strict"}
    # No departures of the certificate's, but gaps of the verifier's.
    tolerated -= {"REVOCATION_UNKNOWN", "RULES_UNKNOWN"}
    assert tolerated == {code.value for code in TOLERABLE}
    assert strict == tolerated | {"OK"}


def test_the_layers_are_those_below_the_text() -> None:
    """Where nothing is wrong, an independent reader finds each layer in the one around it."""
    for vector in EXAMINED:
        if vector.outcome == {"outcome": "accepted", "code": "OK", "step": None, "warnings": []} and vector.case.get(
            "layers"
        ):
            layers = {name: bytes.fromhex(value) for name, value in vector.case["layers"].items()}
            assert zlib.decompress(layers["compressed"]) == layers["cose"]
            message = cbor2.loads(layers["cose"])
            while isinstance(message, cbor2.CBORTag):
                message = message.value
            assert message[2] == layers["cwt"]


def test_making_them_again_gives_the_same_files() -> None:
    made = files()
    there = {
        str(path.relative_to(FOLDER).as_posix()): path.read_bytes()
        for folder in ("cases", "keys")
        for path in (FOLDER / folder).rglob("*")
        if path.is_file() and not path.name.endswith(".key.pem")
    }
    assert there.keys() == made.keys()
    assert [path for path, data in made.items() if there[path] != data] == []


@pytest.mark.parametrize("vector", EXAMINED, ids=lambda vector: vector.id)
def test_a_report_can_be_sent_to_another_process_and_looks_the_same_there(vector: Vector) -> None:
    for made in (report_on(vector), hc.inspect_unverified(vector.case["text"])):
        sent = pickle.loads(pickle.dumps(made))
        assert sent.to_dict() == made.to_dict()
        json.dumps(sent.to_dict(), allow_nan=False)
