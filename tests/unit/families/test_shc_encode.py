"""What is issued as a SMART Health Card: read back without a finding, small, and nothing left out in silence."""

from __future__ import annotations

import hmac
import json
import zlib
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19, NOT_DETECTED
from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.families.shc.encode import UnsignedCard, file_of, rid_for, unsigned, unsigned_bundle
from healthcert.families.shc.forms import cards_in
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding
from tests.support_shc import CARD, CVX, DOSE, ISSUER, NOW, TEST, bundle, examine, key, kid, verifier, with_

HOLDER = hc.Holder(family_name="Exemplaire", given_name="Zoé M.", birth_date="1984-02-29")
FIRST = hc.Vaccination(
    disease=COVID_19,
    vaccine=Coding(CVX, "207"),
    date=date(2021, 1, 29),
    batch="0000007",
    centre="Example Hospital",
)
RESULT = hc.TestResult(
    test_type=Coding("http://loinc.org", "94558-4"),
    sampled_at=datetime(2021, 8, 19, 8, 30, tzinfo=timezone(timedelta(hours=2))),
    result=NOT_DETECTED,
    centre="Example Hospital",
    resulted_at=datetime(2021, 8, 19, 16, tzinfo=UTC),
    device=Coding("", "Example device"),
)
INDEPENDENT = timedelta(days=30)


def card(*events: hc.Event, holder: hc.Holder = HOLDER, **changes: Any) -> UnsignedCard:
    defaults: dict[str, Any] = {"issuer": ISSUER, "kid": kid(), "issued_at": NOW}
    return unsigned(events=events or (FIRST,), holder=holder, **(defaults | changes))


def own(of: Any, **changes: Any) -> UnsignedCard:
    defaults: dict[str, Any] = {"issuer": ISSUER, "kid": kid(), "issued_at": NOW}
    return unsigned_bundle(of, **(defaults | changes))


def signed(unsigned_card: UnsignedCard) -> hc.Report:
    wire = unsigned_card.assemble(Algorithm.ES256.sign(key(), unsigned_card.to_be_signed))
    return examine(wire.text, hc.Policy.strict())


def payload(unsigned_card: UnsignedCard) -> dict[str, Any]:
    token = jws.read(unsigned_card.assemble(bytes(64)).binary)
    found: dict[str, Any] = json.loads(zlib.decompress(token.payload, wbits=-15))
    return found


def refusal(*events: hc.Event, **changes: Any) -> IssueError:
    with pytest.raises(IssueError) as caught:
        card(*events, **changes)
    assert caught.value.step is Step.CONTENT
    return caught.value


# --- What is written ---


@pytest.mark.parametrize(
    "event",
    [
        FIRST,
        replace(FIRST, manufacturer=Coding("http://hl7.org/fhir/sid/mvx", "MOD"), dose=2, series=2),
        replace(FIRST, disease=Coding("http://snomed.info/sct", "56717001"), dose=1, batch=None, centre=None),
        RESULT,
        replace(RESULT, sampled_at=None, sampled_on=date(2021, 8, 19), centre=None, resulted_at=None),
    ],
)
def test_what_is_issued_is_accepted_to_the_letter_and_says_the_same(event: hc.Event) -> None:
    report = signed(card(event))
    assert (report.code, report.detail) == ("OK", "")
    assert report.certificate is not None
    assert report.certificate.holder == HOLDER
    (found,) = report.certificate.events
    assert isinstance(found, (hc.Vaccination, hc.TestResult))
    assert replace(found, other={}) == event


def test_the_forms_of_a_card() -> None:
    wire = card().assemble(bytes(64))
    assert wire.text.startswith("shc:/")
    assert wire.segments == (b"shc:/", wire.text.removeprefix("shc:/"))
    assert jws.read(wire.binary).header == {"zip": "DEF", "alg": "ES256", "kid": kid()}
    assert (wire.symbol, repr(wire)) == ("qr", "Wire(...)")
    for_file = card(file_only=True).assemble(bytes(64))
    assert (for_file.text, for_file.binary, for_file.segments) == (wire.binary.decode(), wire.binary, ())


def test_the_payload_is_small() -> None:
    (entry, dose) = payload(card())["vc"]["credentialSubject"]["fhirBundle"]["entry"]
    assert dose == {"fullUrl": "resource:1", "resource": DOSE}
    assert entry["resource"]["name"] == [{"family": "Exemplaire", "given": ["Zoé M."]}]
    token = jws.read(card().assemble(bytes(64)).binary)
    text = zlib.decompress(token.payload, wbits=-15)
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False).encode()


def test_the_types_of_a_card() -> None:
    base = "https://smarthealth.cards#"
    other = replace(FIRST, disease=None, vaccine=Coding(CVX, "08"))
    for events, types in (
        ((FIRST,), ["immunization", "covid19"]),
        ((other,), ["immunization"]),
        ((RESULT,), ["laboratory"]),
        ((FIRST, RESULT), ["immunization", "laboratory", "covid19"]),
    ):
        assert payload(card(*events))["vc"]["type"] == [CARD, *[base + type_ for type_ in types]]


def test_times_and_what_names_the_card() -> None:
    found = payload(card(expires_at=NOW + INDEPENDENT, rid="MKyCxh7p6uQ"))
    assert (found["nbf"], found["exp"] - found["nbf"]) == (int(NOW.timestamp()), 30 * 86400)
    assert found["vc"]["rid"] == "MKyCxh7p6uQ"
    assert payload(card(issued_at=NOW + timedelta(milliseconds=500)))["nbf"] == NOW.timestamp() + 0.5
    wire = card(expires_at=NOW + INDEPENDENT)
    token = wire.assemble(Algorithm.ES256.sign(key(), wire.to_be_signed)).text
    assert verifier(at=NOW + INDEPENDENT + timedelta(seconds=1)).examine(token).code == "CWT_EXPIRED"


def test_other_kinds_of_names() -> None:
    full = hc.Holder(
        full_name="Zoé Exemplaire", birth_date="1984", sex=Coding("http://hl7.org/fhir/administrative-gender", "female")
    )
    report = signed(card(holder=full))
    assert report.certificate is not None
    assert replace(report.certificate.holder, other={}) == full


# --- What is refused ---


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vaccine": None}, "vaccine"),
        ({"vaccine": Coding("", "207")}, "vaccine"),
        ({"vaccine": Coding(CVX, "20 7")}, "vaccine"),
        ({"vaccine": Coding(CVX, "")}, "vaccine"),
        ({"date": None}, "date"),
        ({"date": datetime(2021, 1, 29, tzinfo=UTC)}, "date"),
        ({"date": date(1899, 12, 31)}, "date"),
        ({"disease": Coding("http://snomed.info/sct", "56717001")}, "dose"),
        ({"series": 2}, "dose"),
        ({"dose": 0}, "dose"),
        ({"dose": 1, "series": 100}, "series"),
        ({"batch": " "}, "batch"),
        ({"centre": "two\nlines"}, "centre"),
        ({"centre": "\ud800"}, "centre"),
        ({"product": Coding("x", "y")}, "product"),
        ({"country": "FR"}, "country"),
        ({"issuer": "Ministry"}, "issuer"),
        ({"certificate_id": "1"}, "certificate_id"),
        ({"clinician": "Dr A"}, "clinician"),
        ({"other": {"x": 1}}, "other"),
    ],
)
def test_a_dose_that_a_card_cannot_hold(changes: dict[str, Any], field: str) -> None:
    error = refusal(replace(FIRST, **changes))
    assert error.code is Code.FIELD_INVALID
    assert error.detail.startswith(f"{field}: ")
    assert "; for example " in error.detail


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"test_type": None}, "test_type"),
        ({"result": Coding("", "negative")}, "result"),
        ({"sampled_at": None}, "sampled_at"),
        ({"sampled_on": date(2021, 8, 19)}, "sampled_at"),
        ({"sampled_at": datetime(2021, 8, 19, 8)}, "sampled_at"),  # noqa: DTZ001
        ({"resulted_at": datetime(2021, 8, 19, 8)}, "resulted_at"),  # noqa: DTZ001
        ({"disease": COVID_19}, "disease"),
        ({"name": "qPCR"}, "name"),
        ({"country": "FR"}, "country"),
        ({"other": {"x": 1}}, "other"),
    ],
)
def test_a_test_that_a_card_cannot_hold(changes: dict[str, Any], field: str) -> None:
    error = refusal(replace(RESULT, **changes))
    assert (error.code, error.detail.split(":")[0]) == (Code.FIELD_INVALID, field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"family_name": None, "given_name": None}, "family_name"),
        ({"family_name": "E" * 201}, "family_name"),
        ({"full_name": "Zoé Exemplaire"}, "full_name"),
        ({"birth_date": ""}, "birth_date"),
        ({"birth_date": "84"}, "birth_date"),
        ({"sex": Coding("", "female")}, "sex"),
        ({"family_name_icao": "EXEMPLAIRE"}, "family_name_icao"),
        ({"nationality": "FR"}, "nationality"),
        ({"document_number": "1"}, "document_number"),
        ({"guardian": "A"}, "guardian"),
        ({"other": {"x": 1}}, "other"),
    ],
)
def test_a_holder_that_a_card_cannot_hold(changes: dict[str, Any], field: str) -> None:
    error = refusal(holder=replace(HOLDER, **changes))
    assert (error.code, error.detail.split(":")[0]) == (Code.FIELD_INVALID, field)
    assert "Exemplaire" not in error.detail.split("for example")[0]


def test_a_day_that_there_is_not_is_refused() -> None:
    assert refusal(holder=replace(HOLDER, birth_date="1983-02-29")).code is Code.SCHEMA_VALIDATION_FAILED


def test_other_events_have_no_card() -> None:
    recovery = hc.Recovery(disease=COVID_19, first_positive=NOW.date(), valid_from=NOW.date(), valid_until=NOW.date())
    assert refusal(recovery).code is Code.FIELD_INVALID
    with pytest.raises(IssueError, match="events: "):
        unsigned(events=(), holder=HOLDER, issuer=ISSUER, kid=kid(), issued_at=NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kid": "key-1"}, "kid"),
        ({"kid": kid() + "="}, "kid"),
        ({"issuer": "http://cards.example.org"}, "issuer"),
        ({"issuer": ISSUER + "/"}, "issuer"),
        ({"issuer": "https://cards.example.org/a b"}, "issuer"),
        ({"issuer": ""}, "issuer"),
        ({"issued_at": NOW.replace(tzinfo=None)}, "issued_at"),
        ({"expires_at": NOW.replace(tzinfo=None)}, "expires_at"),
        ({"expires_at": NOW}, "expires_at"),
        ({"rid": "a.b"}, "rid"),
        ({"rid": ""}, "rid"),
        ({"rid": "x" * 25}, "rid"),
    ],
)
def test_what_else_a_card_cannot_have(changes: dict[str, Any], field: str) -> None:
    error = refusal(**changes)
    assert (error.code, error.detail.split(":")[0]) == (Code.FIELD_INVALID, field)


def test_another_algorithm_is_refused() -> None:
    with pytest.raises(IssueError, match="ALGORITHM_NOT_ACCEPTED"):
        card(algorithm=Algorithm.ES384)


def test_a_card_that_no_code_holds_goes_into_a_file_only() -> None:
    many = [replace(FIRST, date=date(2021, 1, 1) + timedelta(days=n), batch=f"{n * 7919 % 65521:x}") for n in range(60)]
    error = refusal(*many)
    assert error.code is Code.BARCODE_TOO_LARGE
    report = signed_file(card(*many, file_only=True))
    assert report.code == "OK"
    assert [warning.code for warning in report.warnings if warning.code != "REVOCATION_UNKNOWN"] == ["CARD_TOO_LONG"]


def signed_file(unsigned_card: UnsignedCard) -> hc.Report:
    wire = unsigned_card.assemble(Algorithm.ES256.sign(key(), unsigned_card.to_be_signed))
    return examine(file_of([wire.binary]).decode())


# --- Bundles of an issuer's own ---


def test_a_bundle_of_ones_own() -> None:
    of = bundle(DOSE, TEST, with_(DOSE, resourceType="Condition"))
    made = own(of, types=["https://smarthealth.cards#immunization", CARD])
    assert signed(made).code == "OK"
    assert payload(made)["vc"] == {
        "type": [CARD, "https://smarthealth.cards#immunization"],
        "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": of},
    }


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (bundle(with_(DOSE, id="1")), Code.FIELD_UNEXPECTED),
        (bundle(with_(DOSE, "patient")), Code.FIELD_MISSING),
        (bundle(with_(DOSE, status="not-done")), Code.NO_ENTRY),
        (bundle(with_(DOSE, "vaccineCode")), Code.SCHEMA_VALIDATION_FAILED),
        ([], Code.SCHEMA_VALIDATION_FAILED),
        ({"resourceType": {1, 2}}, Code.FIELD_INVALID),
        (bundle(with_(DOSE, x=float("nan"))), Code.FIELD_INVALID),
        (bundle(with_(DOSE, x="\ud800")), Code.FIELD_INVALID),
    ],
)
def test_a_bundle_that_a_strict_verifier_would_refuse(of: Any, code: Code) -> None:
    with pytest.raises(IssueError) as caught:
        own(of)
    assert caught.value.code is code


# --- Files and revocation identifiers ---


def test_a_file_holds_cards() -> None:
    cards = [card().assemble(bytes(64)).binary, card(RESULT).assemble(bytes(64)).binary]
    assert cards_in(file_of(cards).decode(), DEFAULT_LIMITS) == tuple(one.decode() for one in cards)
    for wrong in ([], cards * 33):
        with pytest.raises(IssueError, match="cards: "):
            file_of(wrong)


def test_the_recommended_rid() -> None:
    secret = bytes(range(32))
    expected = hmac.new(secret + kid().encode(), b"user 1", "sha256").digest()[:8]
    rid = rid_for(secret, kid(), "user 1")
    assert jws._exact(rid.encode()) == expected
    assert payload(card(rid=rid))["vc"]["rid"] == rid
    assert rid_for(secret, kid(), "user 2") != rid
    with pytest.raises(IssueError, match="secret: "):
        rid_for(secret[:31], kid(), "user 1")
