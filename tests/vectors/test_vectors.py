"""Every published vector comes out as it says, and is what its maker makes."""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

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
        reports = verifier.examine_many([vector.scan for vector in vectors])
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


@pytest.mark.parametrize("form", ["HC1", "SHC", "NZCP", "VDS", "DIV", "2DD"])
def test_the_layers_are_those_below_the_text(form: str) -> None:
    """Where nothing is wrong, an independent reader finds each layer in the one around it."""
    sound = [vector for vector in EXAMINED if _form(vector) == form and vector.outcome == _SOUND]
    layered = [vector for vector in sound if "layers" in vector.case]
    assert layered
    for vector in layered:
        layers = {name: bytes.fromhex(value) for name, value in vector.case["layers"].items()}
        assert _LAYERS[form](vector.scan, layers), vector.id


_MEMBER = "certificate.json"
_SOUND: dict[str, Any] = {"outcome": "accepted", "code": "OK", "step": None, "warnings": []}


def _form(vector: Vector) -> str:
    found = vector.id.split("-")[1] if vector.id.startswith("HC-") else ""
    return found if found in _LAYERS else "HC1"


def _of_hcert(_text: str | bytes, layers: dict[str, bytes]) -> bool:
    message = cbor2.loads(layers["cose"])
    while isinstance(message, cbor2.CBORTag):
        message = message.value
    return zlib.decompress(layers["compressed"]) == layers["cose"] and message[2] == layers["cwt"]


def _of_card(text: str | bytes, layers: dict[str, bytes]) -> bool:
    assert isinstance(text, str)
    digits = text.rpartition("/")[2].rpartition(":")[2]
    token = "".join(chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits), 2)) if digits.isdigit() else text
    payload = token.split(".")[1]
    return zlib.decompress(base64.urlsafe_b64decode(payload + "=="), -15) == layers["json"]


def _of_pass(text: str | bytes, layers: dict[str, bytes]) -> bool:
    assert isinstance(text, str)
    symbols = text.strip().removeprefix("NZCP:/1/")
    message = base64.b32decode(symbols + "=" * (-len(symbols) % 8))
    return message == layers["cose"] and cbor2.loads(message).value[2] == layers["cwt"]


def _of_seal(text: str | bytes, layers: dict[str, bytes]) -> bool:
    def whole(digits: str) -> float:
        return int(number) if (number := float(digits)).is_integer() else number

    plain = text.removeprefix("\ufeff") if isinstance(text, str) else text
    found = json.loads(plain, parse_float=whole)
    data = (found[0] if isinstance(found, list) else found)["data"]
    # The canonical form of whole numbers, under names in ASCII. Other numbers, and names, come with a warning.
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == layers["signed"]


def _of_divoc(text: str | bytes, layers: dict[str, bytes]) -> bool:
    header = json.loads(layers["json"])["proof"]["jws"].partition(".")[0]
    archived = isinstance(text, str) or zipfile.ZipFile(io.BytesIO(text)).read(_MEMBER).rstrip(b" ") == layers["json"]
    return archived and layers["signed"].startswith(f"{header}.".encode()) and len(layers["signed"]) == len(header) + 65


def _of_document(text: str | bytes, layers: dict[str, bytes]) -> bool:
    signed = (text if isinstance(text, str) else text.decode("latin-1")).partition("\x1f")[0]
    # Readers spell separators, and some bytes, in other ways.
    return signed.encode() == layers["signed"] or not signed.isascii() or "\x1f" not in str(text)


_LAYERS: dict[str, Callable[[str | bytes, dict[str, bytes]], bool]] = {
    "HC1": _of_hcert,
    "SHC": _of_card,
    "NZCP": _of_pass,
    "VDS": _of_seal,
    "DIV": _of_divoc,
    "2DD": _of_document,
}


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
    for made in (report_on(vector), hc.inspect_unverified(vector.scan)):
        sent = pickle.loads(pickle.dumps(made))
        assert sent.to_dict() == made.to_dict()
        json.dumps(sent.to_dict(), allow_nan=False)
