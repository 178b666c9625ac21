"""Reading a rule, and what it says of itself."""

from __future__ import annotations

import gc
import hashlib
import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.rule import read_rule, version_key
from tests.unit.rules.judging import rule
from tests.unit.rules.lists import rule_document


def refused(given: Any) -> str:
    with pytest.raises(RuleError) as caught:
        read_rule(given)
    assert (caught.value.code, caught.value.step) == (Code.RULE_INVALID, Step.RULES)
    return caught.value.detail


# --- Reading ---


def test_reading() -> None:
    document = rule_document(
        "VR-AT-0001", Region="w", AffectedFields=["v.0", "v.0.dn"], Hash="ignored", Extra={"a": [1]}
    )
    data = json.dumps(document).encode()
    read = read_rule(data)
    assert (read.identifier, read.type, read.country, read.region) == ("VR-AT-0001", "Acceptance", "AT", "W")
    assert (read.version, read.schema_version, read.engine, read.engine_version) == (
        "1.0.0",
        "1.0.0",
        "CERTLOGIC",
        "1.0.0",
    )
    assert read.certificate_type == "Vaccination"
    assert read.descriptions == (("en", "An example that every certificate meets."),)
    assert read.valid_from == datetime(2021, 7, 1, tzinfo=UTC)
    assert read.valid_to == datetime(2030, 6, 1, tzinfo=UTC)
    assert read.affected_fields == ("v.0", "v.0.dn")
    assert read.logic == document["Logic"]
    assert read.digest == hashlib.sha256(data).hexdigest()
    assert read_rule(document).digest is None


def test_small_initials() -> None:
    document = rule_document(Region=None)
    small = {name[0].lower() + name[1:]: value for name, value in document.items()}
    assert read_rule(small) == read_rule(document)
    assert "twice" in refused(document | {"logic": {"!": [1]}})
    assert "twice" in refused({**document, "validTo": "2040-01-01T00:00:00Z"})


def test_a_country_in_small_letters() -> None:
    assert rule(Country="fr").country == "FR"


@pytest.mark.parametrize("region", [None, "", "  ", "FR", "fr", " Fr "])
def test_no_region(region: str | None) -> None:
    assert rule(Region=region).region is None


@pytest.mark.parametrize(("region", "expected"), [("IDF", "IDF"), (" idf ", "IDF"), ("DE", "DE"), ("1", "1")])
def test_region(region: str, expected: str) -> None:
    assert rule(Region=region).region == expected


def test_unknown_types_and_identifiers_are_kept() -> None:
    read = rule(Type="BoosterNotification", Identifier="BNR-DE-0200", CertificateType="Everything")
    assert (read.type, read.identifier, read.certificate_type) == ("BoosterNotification", "BNR-DE-0200", "Everything")


def test_moments_are_in_utc() -> None:
    read = rule(ValidFrom="2022-01-15T01:00:00+02:00", ValidTo="2022-02-01T00:00:00.250-01:30")
    assert read.valid_from == datetime(2022, 1, 14, 23, tzinfo=UTC)
    assert read.valid_to == datetime(2022, 2, 1, 1, 30, 0, 250000, tzinfo=UTC)
    assert read.valid_from.tzinfo is UTC


GONE = object()


@pytest.mark.parametrize(
    ("member", "values"),
    [
        *((name, (None, "", 1, True, [], {}, "x" * 65, "a\nb", "a\x00", GONE))
          for name in ("Identifier", "Type", "Country", "Version", "SchemaVersion", "Engine", "EngineVersion",
          "CertificateType")),
        ("Country", ("F", "FRA", "F1", "ÄÖ", "FR ", " FR")),
        ("Version", ("1", "1.0", "1.0.0.0", "1.0.x", "v1.0.0", "1.0.0-rc1", "-1.0.0", "1.0.٠", "1..0",
        "1.0.1234567890")),
        ("Region", (1, True, [], {}, "x" * 65)),
        *((name, (None, GONE, 0, "", "2022-01-15", "2022-01-15T00:00:00", "2022-01-15T00:00Z",
        "2022-13-01T00:00:00Z", "2022-02-30T00:00:00Z",
                  "2022-01-15T24:00:00Z", "2022-01-15T23:59:60Z", "2022-01-15T00:00:00+24:00",
                  "2022-01-15T00:00:00+0100",
                  "2022-01-15T00:00:00Z\n", "2022-01-15 00:00:00Z", "0001-01-01T00:00:00+01:00",
                  "9999-12-31T23:59:59-01:00",
                  "٢٠٢٢-01-15T00:00:00Z")) for name in ("ValidFrom", "ValidTo")),
        ("Logic", (None, GONE, {}, [], True, "x", 1)),
        ("Description", (None, "text", {}, ["text"], [{}], [{"lang": "en"}], [{"desc": "x"}], [{"lang": 1,
        "desc": "x"}], [{"lang": "en", "desc": None}])),
        ("AffectedFields", (None, "v.0", {}, [1], [None], [["v"]])),
    ],
)  # fmt: skip
def test_what_is_no_rule(member: str, values: tuple[Any, ...]) -> None:
    for value in values:
        document: dict[str, Any] = rule_document()
        if value is GONE:
            del document[member]
        else:
            document[member] = value
        said = refused(document)
        assert said.isprintable()
        if value is not GONE and not isinstance(value, (int, dict)):
            refused(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":1e999}']
)
def test_bytes_that_are_no_rule(data: bytes) -> None:
    refused(data)


def test_descriptions_and_affected_fields_may_be_missing() -> None:
    read = rule(Description=None, AffectedFields=None)
    assert (read.descriptions, read.affected_fields) == ((), ())
    assert read.description("de") == "GR-FR-0001"


# --- Versions ---


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1.0.12", (1, 0, 12)), ("01.002.0003", (1, 2, 3)), ("999999999.0.0", (999999999, 0, 0)), ("1.0", None),
        ("", None), ("1.0.0 ", None),
        ("1.0.0\n", None), ("1.0.0.0", None), ("1.0.-1", None), ("1.0.0-rc.6", None), ("1.0.٣", None),
        ("1234567890.0.0", None),
    ],
)  # fmt: skip
def test_version_keys(text: str, key: tuple[int, int, int] | None) -> None:
    assert version_key(text) == key


def test_versions_are_ordered_as_numbers() -> None:
    texts = ["1.0.100", "1.0.99", "1.0.12", "1.0.2", "1.1.0", "2.0.0", "0.9.9", "10.0.0"]
    assert sorted(texts, key=lambda text: version_key(text) or (0, 0, 0)) == [
        "0.9.9", "1.0.2", "1.0.12", "1.0.99", "1.0.100", "1.1.0", "2.0.0", "10.0.0",
    ]  # fmt: skip


# --- Descriptions ---

TOLD = (
    ("de", "Deutsch"),
    ("en", "English"),
    ("en", "Again"),
    ("pt-br", "Brasil"),
    ("si", "Slovensko"),
    ("ua", "Ukrainian"),
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Deutsch"), ("DE", "Deutsch"), ("de-AT", "Deutsch"), ("de_CH", "Deutsch"), ("en", "English"),
        ("en-GB", "English"),
        ("pt-BR", "Brasil"), ("pt", "English"), ("fr", "English"), ("", "English"), ("-", "English"),
        ("sl", "Slovensko"), ("sl-SI", "Slovensko"), ("si", "Slovensko"), ("uk", "Ukrainian"), ("ua", "Ukrainian"),
        ("uk-UA", "Ukrainian"),
    ],
)  # fmt: skip
def test_description(language: str, text: str) -> None:
    given = [{"lang": lang, "desc": desc} for lang, desc in TOLD]
    assert rule(Description=given).description(language) == text


def test_description_without_english() -> None:
    given = [{"lang": "fr", "desc": "un"}, {"lang": "de", "desc": "eins"}]
    assert rule(Description=given).description("it") == "un"
    assert rule(Description=given).description() == "un"
    assert rule(Description=[]).description("it") == "GR-FR-0001"
    both = [{"lang": "ua", "desc": "by country"}, {"lang": "uk", "desc": "by language"}]
    assert rule(Description=both).description("uk") == "by language"


# --- The logic ---


def test_program_is_made_once() -> None:
    read = rule()
    assert read.program is read.program
    assert read.program({"payload": {}}) is True
    assert repr(read) == "Rule('GR-FR-0001', '1.0.0')"


def test_a_rule_that_cannot_be_evaluated_keeps_nothing_of_what_it_was_asked_about() -> None:
    read = rule(logic={"foo": []})

    class Certificate:
        pass

    def ask(certificate: Certificate) -> int:
        with pytest.raises(RuleError) as caught:
            read.program(certificate)
        assert (caught.value.code, caught.value.step) == (Code.CERTLOGIC_INVALID, Step.RULES)
        return len(traceback.extract_tb(caught.value.__traceback__))

    depths = {ask(Certificate()) for _ in range(50)}
    assert len(depths) == 1
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Certificate)]


def test_a_logic_beyond_the_bounds_is_read_and_cannot_be_evaluated() -> None:
    deep: Any = True
    for _ in range(100):
        deep = {"!": [deep]}
    read = rule(logic=deep)
    with pytest.raises(RuleError) as caught:
        _ = read.program
    assert caught.value.code is Code.CERTLOGIC_LIMIT


def test_the_value_sets_that_a_rule_reads() -> None:
    sets = [{"var": f"external.valueSets.{name}"} for name in ("b", "a", "b")]
    assert rule(logic={"and": [{"in": ["x", one]} for one in sets]}).value_sets == ("a", "b")
    assert rule(logic={"in": ["x", {"var": "payload.valueSets.a"}]}).value_sets == ()


@pytest.mark.parametrize("text", ["1.0.0" + "0" * 30, "9" * 5000, "1234567890.0.0"])
def test_versions_too_long_to_be_one(text: str) -> None:
    assert version_key(text) is None
