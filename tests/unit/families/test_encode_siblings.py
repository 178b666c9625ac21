"""The siblings of the EU DCC as they are issued: read back without a remark, and nothing left out in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19, ICD_11, PREQUALIFIED
from healthcert.encoding import cose
from healthcert.families.hcert.encode import Unsigned
from healthcert.families.hcert.encode_siblings import (
    unsigned_dvc,
    unsigned_exemption,
    unsigned_light,
    unsigned_link,
)
from healthcert.families.protocol import Wire
from healthcert.model import Coding, Exemption, Holder, Vaccination
from tests.support import DAY, NOW, dsc, trust

SIGNER = dsc().signer()
UNDER: dict[str, Any] = {
    "issuer": "FR",
    "issued_at": NOW - DAY,
    "expires_at": NOW + DAY,
    "algorithm": SIGNER.algorithm,
    "kid": SIGNER.kid,
}
DOSE = Vaccination(
    product=Coding(PREQUALIFIED, "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"),
    date=date(2021, 6, 11),
    batch="LOT9",
    clinician="Dr Example",
    issuer="Ministry of Examples",
)
TRAVELLER = Holder(
    full_name="Zoé Exemplaire-Müller",
    birth_date="1984-02-29",
    sex=Coding("http://hl7.org/fhir/administrative-gender", "female"),
    nationality="FRA",
    document_number="X1234567",
    guardian="Ada Exemplaire",
)
NAMED = Holder(family_name="Exemplaire-Müller", given_name="Zoé", birth_date="1984")
EXEMPT = Exemption(
    disease=COVID_19,
    valid_until=date(2021, 12, 31),
    country="FR",
    issuer="Ministry of Examples",
    certificate_id="URN:UVCI:01:FR:T5DWTJYS4ZR8#4",
)
LINK = "vhlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"


def signed(unsigned: Unsigned) -> Wire:
    return unsigned.assemble(SIGNER.sign(unsigned.to_be_signed))


def accepted(wire: Wire, family: str) -> hc.HealthCertificate:
    """The certificate, which the letter of the specification has nothing to say against."""
    policy = replace(hc.Policy.strict(), families=frozenset((family,)))
    report = hc.Verifier(trust(), policy=policy, clock=hc.FixedClock(NOW)).examine(wire.text)
    assert (report.outcome, report.detail, [*report.warnings]) == ("accepted", "", [])
    assert report.certificate is not None
    return report.certificate


# --- Read back ---


def test_a_vaccination_record_says_what_was_certified() -> None:
    certificate = accepted(signed(unsigned_dvc(DOSE, TRAVELLER, **UNDER)), "WHO DVC")
    (dose,) = certificate.events
    assert isinstance(dose, Vaccination)
    assert replace(dose, disease=None) == DOSE
    assert dose.disease == Coding(ICD_11, "1D47")
    assert replace(certificate.holder, sex=None) == replace(TRAVELLER, sex=None)
    assert certificate.holder.sex == Coding("", "female")  # the form has no place for the system
    assert (certificate.version, certificate.issuer) == ("1", "FR")
    assert (certificate.issued_at, certificate.expires_at) == (NOW - DAY, NOW + DAY)


def test_a_vaccination_record_of_the_least() -> None:
    dose = replace(DOSE, clinician=None, disease=Coding(ICD_11, "1D47"))
    named = replace(TRAVELLER, full_name=None, family_name="Exemplaire", given_name="Zoé")
    holder = replace(named, document_number=None, guardian=None)
    certificate = accepted(signed(unsigned_dvc(dose, holder, **UNDER, version="2025-1")), "WHO DVC")
    assert certificate.holder.full_name == "Zoé Exemplaire"
    assert certificate.raw.keys() == {"n", "dob", "s", "nt", "v", "vx"}
    assert certificate.raw["vx"].keys() == {"vp", "bo", "dt", "is"}
    assert certificate.version == "2025-1"


def test_a_light_has_a_holder_and_no_more() -> None:
    wire = signed(unsigned_light(NAMED, **UNDER | {"issuer": "CH BAG"}))
    certificate = accepted(wire, "Swiss certificate light")
    assert wire.text.startswith("LT1:")
    assert certificate.holder == replace(NAMED, family_name_icao="EXEMPLAIRE<MUELLER", given_name_icao="ZOE")
    assert (certificate.issuer, certificate.events, certificate.version) == ("CH BAG", (), "1.0.0")


@pytest.mark.parametrize("link", [LINK, LINK.replace("vh", "sh", 1), f"https://viewer.example#{LINK}"])
def test_a_link_leads_where_it_was_to_lead(link: str) -> None:
    certificate = accepted(signed(unsigned_link(link, **UNDER)), "health link")
    assert (certificate.links, certificate.raw) == ((link,), {"health link": link})


def test_an_exemption_says_until_when() -> None:
    wire = signed(unsigned_exemption(EXEMPT, NAMED, **UNDER))
    assert wire.text.startswith("AT1:")
    certificate = accepted(wire, "Austrian exemption certificate")
    assert certificate.events == (EXEMPT,)
    assert certificate.identifiers == (EXEMPT.certificate_id,)


def test_the_wire_holds_the_message_and_what_the_barcode_holds() -> None:
    wire = signed(unsigned_light(NAMED, **UNDER))
    message = cose.decode_sign1(wire.binary, max_depth=16)
    assert (message.protected[cose.KID], message.unprotected) == (SIGNER.kid, {})
    assert wire.segments == (wire.text,)
    assert wire.symbol == "qr"


PRINTED = st.text("abcdefghijklmnopqrstuvwxyzäöüéèß ABC'-.", min_size=1, max_size=80).filter(
    lambda text: text.strip() and text not in ("null", "undefined")
)


@given(
    name=PRINTED,
    batch=PRINTED,
    clinician=PRINTED,
    day=st.dates(date(1990, 1, 1), date(2021, 8, 19)),
    digest=st.text("0123456789abcdef", min_size=32, max_size=32),
)
def test_whatever_is_issued_is_read_back(name: str, batch: str, clinician: str, day: date, digest: str) -> None:
    product = Coding(PREQUALIFIED, f"PolioVaccineOralOPVBivalProduct{digest}")
    dose = replace(DOSE, product=product, batch=batch, clinician=clinician, date=day)
    certificate = accepted(signed(unsigned_dvc(dose, replace(TRAVELLER, full_name=name), **UNDER)), "WHO DVC")
    (event,) = certificate.events
    assert isinstance(event, Vaccination)
    assert event == replace(dose, disease=Coding(ICD_11, "1C81"))
    assert certificate.holder.full_name == name


# --- Refused ---


@pytest.mark.parametrize("nothing", ["null", "undefined"])
def test_what_readers_take_for_nothing_is_not_written(nothing: str) -> None:
    assert refused(unsigned_dvc, DOSE, replace(TRAVELLER, full_name=nothing)).startswith("full_name: ")
    for name in ("batch", "clinician", "issuer"):
        assert refused(unsigned_dvc, replace(DOSE, **{name: nothing}), TRAVELLER).startswith(f"{name}: ")


def refused(call: Any, *given: Any, **under: Any) -> str:
    with pytest.raises(hc.IssueError) as caught:
        call(*given, **UNDER | under)
    assert caught.value.code == "FIELD_INVALID"
    return caught.value.detail


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vaccine": Coding("x", "y")}, "vaccine"),
        ({"manufacturer": Coding("x", "y")}, "manufacturer"),
        ({"dose": 1}, "dose"),
        ({"dose": 0}, "dose"),
        ({"series": 2}, "series"),
        ({"country": "FR"}, "country"),
        ({"certificate_id": "X"}, "certificate_id"),
        ({"centre": "X"}, "centre"),
        ({"other": {"x": 1}}, "other"),
        ({"product": None}, "product"),
        ({"product": Coding("urn:example", DOSE.product.code if DOSE.product else "")}, "product"),
        ({"product": Coding(PREQUALIFIED, "YellowFever")}, "product"),
        ({"disease": COVID_19}, "disease"),
        ({"product": Coding(PREQUALIFIED, "MeaslesProduct" + "0" * 32), "disease": COVID_19}, "disease"),
        ({"clinician": None, "issuer": ""}, "clinician"),
        ({"clinician": "x" * 81}, "clinician"),
        ({"issuer": "line\nbreak"}, "issuer"),
        ({"batch": None}, "batch"),
        ({"date": None}, "date"),
        ({"date": datetime(2021, 6, 11, tzinfo=UTC)}, "date"),
        ({"date": date(1984, 2, 28)}, "birth_date"),
    ],
)
def test_a_dose_that_a_record_cannot_hold_is_refused(changes: dict[str, Any], field: str) -> None:
    detail = refused(unsigned_dvc, replace(DOSE, **changes), TRAVELLER)
    assert detail.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"full_name": None}, "full_name"),
        ({"family_name_icao": "X"}, "family_name_icao"),
        ({"other": {"x": 1}}, "other"),
        ({"birth_date": ""}, "birth_date"),
        ({"birth_date": "1984-02"}, "birth_date"),
        ({"birth_date": "1985-02-29"}, "birth_date"),
        ({"sex": None}, "sex"),
        ({"sex": Coding("", "F")}, "sex"),
        ({"nationality": None}, "nationality"),
        ({"nationality": "FR"}, "nationality"),
        ({"document_number": "x" * 81}, "document_number"),
    ],
)
def test_a_holder_that_a_record_cannot_hold_is_refused(changes: dict[str, Any], field: str) -> None:
    assert refused(unsigned_dvc, DOSE, replace(TRAVELLER, **changes)).startswith(f"{field}: ")


@pytest.mark.parametrize("name", ["full_name", "nationality", "document_number", "guardian"])
def test_a_light_and_an_exemption_have_no_place_for_more_of_the_holder(name: str) -> None:
    holder = replace(NAMED, **{name: "X"})
    assert refused(unsigned_light, holder).startswith(f"{name}: ")
    assert refused(unsigned_exemption, EXEMPT, holder).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"other": {"x": 1}}, "other"),
        ({"issuer": None}, "issuer"),
        ({"certificate_id": None}, "certificate_id"),
        ({"valid_until": None}, "valid_until"),
    ],
)
def test_an_exemption_has_all_that_belongs_to_it(changes: dict[str, Any], what: str) -> None:
    assert refused(unsigned_exemption, replace(EXEMPT, **changes), NAMED).startswith(f"{what}: ")


def test_an_exemption_is_from_the_vaccination_against_covid_19_in_a_country() -> None:
    with pytest.raises(hc.IssueError) as caught:
        unsigned_exemption(replace(EXEMPT, disease=Coding(ICD_11, "1D47")), NAMED, **UNDER)
    assert caught.value.code == "UNKNOWN_DISEASE"
    with pytest.raises(hc.IssueError) as caught:
        unsigned_exemption(replace(EXEMPT, country="XX"), NAMED, **UNDER)
    assert caught.value.code == "UNKNOWN_CODE"


@pytest.mark.parametrize("link", ["", "https://example.org/", f"{LINK} x", f"{LINK}\n", "vhlink:/"])
def test_what_is_no_health_link_is_refused(link: str) -> None:
    detail = refused(unsigned_link, link)
    assert "example.org" not in detail


@pytest.mark.parametrize(
    ("under", "field"),
    [
        ({"issuer": "France"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": NOW - DAY}, "expires_at"),
        ({"expires_at": NOW.replace(tzinfo=None) + DAY}, "expires_at"),
        ({"issued_at": datetime(1969, 1, 1, tzinfo=UTC)}, "issued_at"),
        ({"kid": b"11"}, "kid"),
    ],
)
def test_who_issues_and_until_when_has_to_be_said(under: dict[str, Any], field: str) -> None:
    assert refused(unsigned_dvc, DOSE, TRAVELLER, **under).startswith(f"{field}: ")
    assert refused(unsigned_link, LINK, **under).startswith(f"{field}: ")


def test_times_are_whole_seconds_wherever_they_are_told() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    under = UNDER | {"issued_at": NOW.astimezone(zone) - DAY, "expires_at": NOW.replace(microsecond=999) + DAY}
    certificate = accepted(signed(unsigned_link(LINK, **under)), "health link")
    assert (certificate.issued_at, certificate.expires_at) == (NOW - DAY, NOW + DAY)


def test_a_refusal_repeats_nothing_that_was_given() -> None:
    secret = replace(TRAVELLER, document_number="SECRET\n")
    assert "SECRET" not in refused(unsigned_dvc, DOSE, secret)
    assert "SECRET" not in repr(unsigned_dvc(DOSE, replace(TRAVELLER, document_number="SECRET"), **UNDER))
