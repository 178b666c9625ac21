"""Seals under generated input: what is written is read back, and anything else is refused as it may be."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.codings import ICD_11
from healthcert.encoding.jcs import canonical
from healthcert.errors import Code, DecodeError, IssueError, Step, VerificationError
from healthcert.families.vds_nc.content import read_seal
from healthcert.families.vds_nc.encode import unsigned
from healthcert.families.vds_nc.family import VDS_NC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, Holder, Vaccination
from tests.support import NOW
from tests.support_seals import TESTED, VACCINATED, barcode_signer, changed, examine, seal

many = settings(derandomize=True, deadline=None, max_examples=100)
few = settings(many, max_examples=60)

CODES = {
    Code.JSON_DESERIALIZATION_FAILED,
    Code.CANONICALIZATION_FAILED,
    Code.UNSUPPORTED_VERSION,
    Code.FAMILY_NOT_SUPPORTED,
}
printable = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp"))
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, prefix: str = "") -> list[str]:
    """Where something stands in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [f"{prefix}{name}" for name, _ in items]
    return found + [below for name, inner in items for below in paths(inner, f"{prefix}{name}.")]


def refused(call: Callable[[], Any]) -> DecodeError | VerificationError | None:
    """The refusal, if it is one; any other exception fails the test."""
    try:
        call()
    except (DecodeError, VerificationError) as error:
        return error
    return None


def reads(text: str) -> None:
    """Reads all there is to read."""
    list(VDS_NC.layers(text, DEFAULT_LIMITS))
    decoded = VDS_NC.decode(text, DEFAULT_LIMITS)
    VDS_NC.check_signer(decoded)
    VDS_NC.entry_types(decoded)
    VDS_NC.parse(decoded, ())


@many
@given(st.text(max_size=60) | json_values.map(json.dumps))
def test_anything_is_read_or_refused(text: str) -> None:
    assert VDS_NC.recognises(text) is False or "icao." in text
    error = refused(lambda: reads(text))
    assert error is not None
    assert error.code in CODES


@many
@given(st.sampled_from([VACCINATED, TESTED]), st.data(), json_values)
def test_any_member_may_be_anything(data: dict[str, Any], draw: st.DataObject, value: Any) -> None:
    wrong = changed(data, draw.draw(st.sampled_from(paths(data))), value)
    error = refused(lambda: read_seal(wrong))
    if error is not None:
        assert (error.code, error.step) == (Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT)


@many
@given(st.data(), json_values)
def test_any_member_of_the_whole_may_be_anything(draw: st.DataObject, value: Any) -> None:
    whole = {"data": VACCINATED, "sig": json.loads(seal())["sig"]}
    text = json.dumps(changed(whole, draw.draw(st.sampled_from(paths(whole))), value))
    error = refused(lambda: reads(text))
    if error is not None:
        assert error.code in CODES | {Code.SCHEMA_VALIDATION_FAILED}


@few
@given(st.data(), json_values)
def test_no_change_of_what_is_signed_goes_unnoticed(draw: st.DataObject, value: Any) -> None:
    sealed = json.loads(seal())
    path = draw.draw(st.sampled_from(paths(VACCINATED)))
    sealed["data"] = changed(VACCINATED, path, value)
    report = examine(json.dumps(sealed))
    if canonical(sealed["data"]) == canonical(VACCINATED):
        assert report.outcome == "accepted"
    else:
        assert report.outcome in ("refused", "undetermined")
        assert report.certificate is None


@many
@given(st.binary(min_size=1, max_size=70), st.booleans())
def test_signatures_have_one_spelling_with_padding_and_one_without(signature: bytes, padded: bool) -> None:
    text = base64.urlsafe_b64encode(signature).decode()
    text = text if padded else text.rstrip("=")
    assert VDS_NC.decode(seal(sigvl=text), DEFAULT_LIMITS).signature == signature


@many
@given(st.text("ABCwxyz019+/-_=", max_size=12))
def test_no_other_spelling_is_read(text: str) -> None:
    sealed = seal(sigvl=text)
    error = refused(lambda: VDS_NC.decode(sealed, DEFAULT_LIMITS))
    if error is None:
        exact = base64.urlsafe_b64encode(VDS_NC.decode(sealed, DEFAULT_LIMITS).signature).decode()
        assert text in (exact, exact.rstrip("="))
    else:
        assert error.code is Code.JSON_DESERIALIZATION_FAILED


names = st.text(printable, min_size=1, max_size=39)
days = st.dates(date(2020, 1, 1), date(2021, 8, 1))
doses = st.builds(
    Vaccination,
    disease=st.none() | st.just(Coding(ICD_11, "RA01.0")),
    vaccine=st.sampled_from([Coding(ICD_11, "XM68M6"), Coding(ICD_11, "XM9QW8")]),
    product=st.builds(Coding, st.just(""), names),
    dose=st.integers(1, 99),
    date=days,
    country=st.sampled_from(["FR", "DE", "JP", "AU"]),
    certificate_id=st.just("FR0000000001"),
    batch=st.text(printable, min_size=1, max_size=20),
    centre=st.none() | st.text(printable, min_size=1, max_size=20),
    other=st.just({}) | days.map(lambda day: {"dvn": day.isoformat()}),
)
holders = st.builds(
    Holder,
    full_name=names,
    birth_date=st.dates(date(1900, 1, 1), date(2019, 1, 1)).map(date.isoformat),
    sex=st.none() | st.sampled_from("MFX").map(lambda sex: Coding("", sex)),
    document_number=st.none() | st.text(printable, min_size=1, max_size=11),
    other=st.just({}) | st.text(printable, min_size=1, max_size=24).map(lambda number: {"ai": number}),
)


@few
@given(st.lists(doses, min_size=1, max_size=4), holders)
def test_what_is_written_is_read_back(events: list[Vaccination], holder: Holder) -> None:
    signer = barcode_signer().signer()
    try:
        message = unsigned(
            events=events,
            holder=holder,
            issuer="FRA",
            certificate=signer.certificate,
            issued_at=datetime(2021, 8, 2, tzinfo=UTC),
            algorithm=signer.algorithm,
        )
    except IssueError as error:  # a letter that becomes several in NFC
        refusal = error
    else:
        wire = message.assemble(signer.sign(message.to_be_signed))
        report = examine(wire.text, at=NOW)
        assert (report.outcome, report.warnings) == ("accepted", ())
        assert report.certificate is not None
        _same(report.certificate, holder, events)
        return
    assert refusal.code is Code.FIELD_INVALID


def _same(certificate: hc.HealthCertificate, holder: Holder, events: list[Vaccination]) -> None:
    """The same, but for the order of doses, which are put together by vaccine, and for the normal form of texts."""
    assert certificate.holder.birth_date == holder.birth_date
    read = [event for event in certificate.events if isinstance(event, Vaccination)]
    assert len(read) == len(events)
    assert sorted((event.date, event.dose, event.country) for event in read if event.date) == sorted(
        (event.date, event.dose, event.country) for event in events if event.date
    )
