"""Issuing: what comes out verifies, and what should not be issued is not."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cbor2
import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import DETECTED
from healthcert.encoding import cose
from healthcert.issue.pki import KeyKind, new_dsc
from tests.support import (
    CLOCK,
    DAY,
    EVENTS,
    HOLDER,
    NOW,
    RECOVERY,
    TEST,
    VACCINATION,
    csca,
    dsc,
    issue,
    trust,
    verifier,
)


def issuer(**changes: Any) -> hc.Issuer:
    arguments: dict[str, Any] = {"signer": dsc().signer(), "country": "FR", "clock": CLOCK} | changes
    return hc.Issuer(arguments.pop("signer"), **arguments)


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_what_is_issued_is_accepted_by_the_strictest_policy(event: hc.Event, kind: KeyKind) -> None:
    pair = dsc(kind=kind)
    issued = issue(event, pair)
    verified = verifier(pair, policy=hc.Policy.strict()).verify(issued.text)
    got = verified.certificate
    assert got.holder.name == "Zoé Exemplaire-Müller"
    assert (got.holder.family_name_icao, got.holder.given_name_icao) == ("EXEMPLAIRE<MUELLER", "ZOE")
    assert got.events == (replace(event, country="FR", certificate_id=issued.certificate_id),)
    assert got.identifiers == (issued.certificate_id,)
    assert (got.issuer, got.issued_at, got.expires_at) == ("FR", issued.issued_at, issued.expires)
    assert got.version == "1.3.0"


def test_the_message_has_the_form_the_specification_asks_for() -> None:
    message = cbor2.loads(issue().cose)
    assert message.tag == 18
    protected, unprotected, claims, signature = message.value
    # HCERT specification §3.3.1; RFC 9052 §9.
    assert cbor2.loads(protected) == {1: -7, 4: dsc().signer().kid}
    assert unprotected == {}
    assert len(signature) == 64
    assert list(cbor2.loads(claims)) == [1, 4, 6, -260]
    assert all(type(cbor2.loads(claims)[key]) is int for key in (4, 6))  # I-CO4
    json.dumps(cbor2.loads(claims)[-260])  # I-CO5: raises for CBOR's undefined, which no JSON has


@pytest.mark.parametrize(
    ("entry_type", "days"),
    [(hc.EntryType.VACCINATION, 365), (hc.EntryType.TEST, 3), (hc.EntryType.RECOVERY, 365)],
)
def test_validity_by_type_and_never_beyond_the_dsc(entry_type: hc.EntryType, days: int) -> None:
    issued = issue(EVENTS[entry_type])
    assert issued.issued_at == NOW
    assert issued.expires == NOW + timedelta(days=days)
    short = new_dsc(csca(), "Short", now=NOW - DAY, validity=3 * DAY)
    assert issue(EVENTS[entry_type], short).expires == NOW + 2 * DAY


def test_validity_is_the_policy_s() -> None:
    policy = hc.IssuePolicy(validity=dict.fromkeys(hc.EntryType, timedelta(hours=1)))
    assert issuer(policy=policy).issue(VACCINATION, holder=HOLDER).expires == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "code"),
    [(NOW - 21 * DAY, "PUBLIC_KEY_NOT_YET_VALID"), (NOW + 2 * 365 * DAY, "PUBLIC_KEY_EXPIRED")],
)
def test_a_dsc_outside_its_validity_issues_nothing(at: datetime, code: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issuer(clock=hc.FixedClock(at)).issue(VACCINATION, holder=HOLDER)
    assert (caught.value.code, caught.value.step) == (code, "time")


def test_a_dsc_issues_only_what_its_usage_covers() -> None:
    signer = dsc(hc.EntryType.TEST).signer()
    assert issuer(signer=signer).issue(TEST, holder=HOLDER).text
    with pytest.raises(hc.IssueError) as caught:
        issuer(signer=signer).issue(RECOVERY, holder=HOLDER)
    assert (caught.value.code, caught.value.step) == ("KEY_USAGE_MISMATCH", "usage")


class WrongSigner:
    """A signer whose parts do not fit, as a misconfigured module's would not."""

    def __init__(self, **changes: Any) -> None:
        good = dsc().signer()
        self.kid = changes.get("kid", good.kid)
        self.algorithm = changes.get("algorithm", good.algorithm)
        self.certificate = changes.get("certificate", good.certificate)
        self._sign = changes.get("sign", good.sign)

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        signature: bytes = self._sign(data)
        return signature


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kid": b"12345678"}, "SIGNER_KEY_MISMATCH"),
        ({"algorithm": hc.Algorithm.PS256}, "UNSUITABLE_PUBLIC_KEY_TYPE"),
        ({"algorithm": hc.Algorithm.ES384}, "ALGORITHM_NOT_ACCEPTED"),
    ],
)
def test_a_signer_that_does_not_fit_its_dsc_is_refused_at_once(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issuer(signer=WrongSigner(**changes))
    assert caught.value.code == code


@pytest.mark.parametrize("sign", [lambda _: bytes(64), lambda _: b"", dsc(hc.EntryType.TEST).signer().sign])
def test_a_signature_that_would_not_verify_never_leaves(sign: Any) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issuer(signer=WrongSigner(sign=sign)).issue(VACCINATION, holder=HOLDER)
    assert caught.value.code == "SIGNING_FAILED"


@pytest.mark.parametrize("country", ["fr", "FRA", "F", "", "F\n", "Ф"])
def test_the_country_is_two_capital_letters(country: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issuer(country=country)
    assert caught.value.code == "FIELD_INVALID"


SYSTEM = "http://snomed.info/sct"
WRONG: list[tuple[str, hc.EntryType, Any]] = [
    ("dose", hc.EntryType.VACCINATION, 0),
    ("dose", hc.EntryType.VACCINATION, True),
    ("dose", hc.EntryType.VACCINATION, 2.0),
    ("dose", hc.EntryType.VACCINATION, "2"),
    ("series", hc.EntryType.VACCINATION, 100),
    ("date", hc.EntryType.VACCINATION, date(1, 1, 1)),
    ("sampled_at", hc.EntryType.TEST, datetime(2021, 8, 19, tzinfo=timezone(timedelta(seconds=19815)))),
    ("date", hc.EntryType.VACCINATION, "2021-06-11"),
    ("date", hc.EntryType.VACCINATION, NOW),
    ("vaccine", hc.EntryType.VACCINATION, hc.Coding(SYSTEM, "")),
    ("product", hc.EntryType.VACCINATION, hc.Coding(SYSTEM, "EU 1")),
    ("manufacturer", hc.EntryType.VACCINATION, None),
    ("disease", hc.EntryType.VACCINATION, hc.Coding(SYSTEM, "x" * 81)),
    ("vaccine", hc.EntryType.VACCINATION, hc.Coding(SYSTEM, [])),  # type: ignore[arg-type]
    ("country", hc.EntryType.VACCINATION, {"FR": 1}),
    ("country", hc.EntryType.VACCINATION, "france"),
    ("issuer", hc.EntryType.VACCINATION, None),
    ("issuer", hc.EntryType.VACCINATION, "x" * 81),
    ("issuer", hc.EntryType.VACCINATION, "two\nlines"),
    ("certificate_id", hc.EntryType.VACCINATION, "x" * 81),
    ("test_type", hc.EntryType.TEST, hc.Coding("", "LP 1")),
    ("sampled_at", hc.EntryType.TEST, datetime(2021, 8, 19)),  # noqa: DTZ001 no zone is the fault
    ("sampled_at", hc.EntryType.TEST, date(2021, 8, 19)),
    ("centre", hc.EntryType.TEST, " "),
    ("name", hc.EntryType.TEST, "x" * 81),
    ("first_positive", hc.EntryType.RECOVERY, "2021"),
    ("valid_until", hc.EntryType.RECOVERY, date(2021, 5, 11)),
]


@pytest.mark.parametrize(("field", "kind", "value"), WRONG, ids=[f"{w[0]} {w[2]!r}"[:40] for w in WRONG])
def test_a_wrong_field_is_named_with_its_rule_and_an_example(field: str, kind: hc.EntryType, value: Any) -> None:
    event: Any = replace(EVENTS[kind], **{field: value})
    with pytest.raises(hc.IssueError) as caught:
        issuer().issue(event, holder=HOLDER)
    error = caught.value
    assert (error.code, error.step) == ("FIELD_INVALID", "content")
    name, rule = error.detail.split(": ", 1)
    assert name == field
    assert "; for example " in rule
    assert not isinstance(value, str) or not value.strip() or value not in error.detail.split("; for")[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_date": "29.02.1984"}, "birth_date"),
        ({"birth_date": "1985-02-29"}, "birth_date"),
        ({"birth_date": "1899"}, "birth_date"),
        ({"birth_date": date(1984, 2, 29)}, "birth_date"),
        ({"family_name_icao": "Müller"}, "family_name_icao"),
        ({"given_name_icao": "ZOE<<X"}, "given_name_icao"),
        ({"family_name": None, "given_name": None}, "family_name"),
        ({"family_name": "x" * 81}, "family_name"),
        ({"family_name": 7}, "family_name"),
    ],
)
def test_a_wrong_holder_is_told_likewise(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issuer().issue(VACCINATION, holder=replace(HOLDER, **changes))
    assert caught.value.code == "FIELD_INVALID"
    assert caught.value.detail.startswith(f"{field}: ")


@pytest.mark.parametrize("birth_date", ["1984-02-29", "1984-02", "1984", ""])
def test_a_birth_date_may_be_partial(birth_date: str) -> None:
    issued = issue(holder=replace(HOLDER, birth_date=birth_date))
    assert verifier(policy=hc.Policy.strict()).verify(issued.text).certificate.holder.birth_date == birth_date


def test_names_in_other_scripts_ask_for_the_passport_spelling() -> None:
    holder = hc.Holder(family_name="王小明", birth_date="1984")
    with pytest.raises(hc.IssueError) as caught:
        issue(holder=holder)
    assert caught.value.code == "NAME_NEEDS_PASSPORT_SPELLING"
    issued = issue(holder=replace(holder, family_name_icao="WANG<XIAOMING"))
    assert verifier().verify(issued.text).certificate.holder.family_name_icao == "WANG<XIAOMING"


def test_an_issuer_may_have_a_transliteration_of_its_own() -> None:
    holder = replace(HOLDER, family_name="Exemplaire-Müller", family_name_icao=None)
    for changes, spelling in (({}, "EXEMPLAIRE<MUELLER"), ({"Ü": "U"}, "EXEMPLAIRE<MULLER")):
        issued = issuer(policy=hc.IssuePolicy(transliteration=changes)).issue(VACCINATION, holder=holder)
        assert verifier().verify(issued.text).certificate.holder.family_name_icao == spelling


@pytest.mark.parametrize("variant", [{"ü": "U"}, {"Ü": "Ü"}, {"": "A"}, {"王": "wang"}])
def test_an_impossible_transliteration_is_told_at_once(variant: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="of a variant"):
        hc.IssuePolicy(transliteration=variant)


@pytest.mark.parametrize(
    ("kind", "field", "code"),
    [
        (hc.EntryType.VACCINATION, "vaccine", "Comirnaty"),
        (hc.EntryType.VACCINATION, "vaccine", "J07BX03"),  # inactive since release 2.11.0
        (hc.EntryType.VACCINATION, "disease", "16541001"),
        (hc.EntryType.TEST, "test_type", "PCR"),
        (hc.EntryType.TEST, "result", "negative"),
    ],
)
def test_codes_outside_the_value_sets_are_issued_only_when_named(kind: hc.EntryType, field: str, code: str) -> None:
    change: dict[str, Any] = {field: hc.Coding("", code)}
    event = replace(EVENTS[kind], **change)
    with pytest.raises(hc.IssueError) as caught:
        issue(event)
    assert caught.value.detail.startswith(f"{field}: an active code")
    policy = hc.IssuePolicy(unlisted_codes=frozenset((code,)))
    assert issuer(policy=policy).issue(event, holder=HOLDER).text


@pytest.mark.parametrize(
    ("event", "holder"),
    [
        (replace(VACCINATION, batch="LOT9"), HOLDER),
        (replace(VACCINATION, centre="Z"), HOLDER),
        (replace(VACCINATION, clinician="Z"), HOLDER),
        (replace(VACCINATION, other={"x": 1}), HOLDER),
        (replace(RECOVERY, other={"x": 1}), HOLDER),
        (VACCINATION, replace(HOLDER, full_name="Zoé Exemplaire")),
        (VACCINATION, replace(HOLDER, other={"x": 1})),
        (replace(TEST, resulted_at=NOW), HOLDER),
        (VACCINATION, replace(HOLDER, document_number="P123")),
        (VACCINATION, replace(HOLDER, sex=hc.Coding("", "F"))),
    ],
)
def test_nothing_that_was_to_be_certified_is_left_out_in_silence(event: hc.Event, holder: hc.Holder) -> None:
    with pytest.raises(hc.IssueError, match="no place"):
        issue(event, holder=holder)


def test_a_policy_names_only_what_it_changes() -> None:
    policy = hc.IssuePolicy(validity={hc.EntryType.TEST: DAY})
    assert policy.validity == hc.IssuePolicy().validity | {hc.EntryType.TEST: DAY}  # type: ignore[operator]
    for nothing in (timedelta(0), -DAY):
        with pytest.raises(ValueError, match="validity"):
            hc.IssuePolicy(validity={hc.EntryType.TEST: nothing})


def test_a_validity_beyond_the_calendar_ends_with_the_dsc() -> None:
    policy = hc.IssuePolicy(validity=dict.fromkeys(hc.EntryType, timedelta.max))
    issued = issuer(policy=policy).issue(VACCINATION, holder=HOLDER)
    assert issued.expires == dsc().certificate.not_valid_after_utc


@pytest.mark.parametrize("birth_date", ["2021-06-12", "2021-07", "2022", "2090-01-01"])
def test_nobody_is_born_after_the_event(birth_date: str) -> None:
    with pytest.raises(hc.IssueError, match="birth_date"):
        issue(holder=replace(HOLDER, birth_date=birth_date))
    assert issue(holder=replace(HOLDER, birth_date="2021-06")).text


def test_the_country_is_that_of_the_dsc() -> None:
    with pytest.raises(hc.IssueError, match="country: that of the DSC; for example FR"):
        issuer(country="DE")


def test_names_are_normalised() -> None:
    decomposed = hc.Holder(family_name="Mu\u0308ller", birth_date="1984")
    # HCERT specification §3.3.7: strings SHOULD be NFC normalised.
    assert verifier().verify(issue(holder=decomposed).text).certificate.holder.family_name == "Müller"


def test_events_in_the_future_are_not_certified() -> None:
    for event in (
        replace(VACCINATION, date=date(2021, 8, 22)),
        replace(TEST, sampled_at=NOW + timedelta(seconds=1)),
        replace(RECOVERY, first_positive=date(2021, 8, 22), valid_from=date(2021, 8, 22)),
    ):
        with pytest.raises(hc.IssueError) as caught:
            issue(event)
        assert caught.value.code == "EVENT_IN_FUTURE"


def test_a_positive_test_can_be_certified_and_is_never_accepted() -> None:
    report = verifier().examine(issue(replace(TEST, result=DETECTED)).text)
    assert (report.outcome, report.code) == ("refused", "TEST_RESULT_POSITIVE")


def test_an_identifier_of_the_record_is_kept_and_else_a_new_one_is_made() -> None:
    mine = replace(VACCINATION, certificate_id="URN:UVCI:01:FR:MINE#X")
    assert issue(mine).certificate_id == "URN:UVCI:01:FR:MINE#X"
    fresh = {issue().certificate_id for _ in range(5)}
    assert len(fresh) == 5
    assert all(identifier.startswith("URN:UVCI:01:FR:") for identifier in fresh)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_digest_can_be_signed_in_place_of_the_sig_structure(kind: KeyKind) -> None:
    import hashlib

    signer = dsc(kind=kind).signer()
    data = cose.sig_structure(b"", b"payload")
    signature = signer.sign(hashlib.sha256(data).digest(), prehashed=True)
    assert signer.algorithm.verify(next(iter(trust(dsc(kind=kind)))).public_key, signature, data)
    with pytest.raises(hc.IssueError) as caught:
        signer.sign(b"not a digest", prehashed=True)
    assert caught.value.code == "SIGNING_FAILED"


def test_pem_signer_from_files(tmp_path: Path) -> None:
    key, certificate = tmp_path / "dsc.key.pem", tmp_path / "dsc.pem"
    certificate.write_bytes(dsc().certificate_pem())
    key.write_bytes(dsc().key_pem(None))
    assert hc.PemSigner.load(key, certificate).kid == dsc().signer().kid
    key.write_bytes(dsc().key_pem(b"secret words"))
    assert hc.PemSigner.load(str(key), str(certificate), passphrase=b"secret words").algorithm is hc.Algorithm.ES256
    for passphrase in (None, b"other words"):
        with pytest.raises(hc.IssueError) as caught:
            hc.PemSigner.load(key, certificate, passphrase=passphrase)
        assert caught.value.code == "SIGNER_KEY_UNREADABLE"
        assert "words" not in str(caught.value)
    key.write_bytes(dsc(hc.EntryType.TEST).key_pem(None))
    with pytest.raises(hc.IssueError) as caught:
        hc.PemSigner.load(key, certificate)
    assert caught.value.code == "SIGNER_KEY_MISMATCH"
    certificate.write_bytes(b"rubbish")
    with pytest.raises(hc.IssueError) as caught:
        hc.PemSigner.load(key, certificate)
    assert caught.value.code == "CERTIFICATE_UNREADABLE"
    assert "PRIVATE" not in repr(dsc().signer())


def test_what_writing_programs_leave_in_names_is_taken_out_and_joiners_stay() -> None:
    holder = hc.Holder(
        family_name="\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        given_name="An\u00adna\u00a0Z\u200f",
        birth_date="1984",
    )
    shown = verifier().verify(issue(holder=holder).text).certificate.holder
    assert shown.family_name == holder.family_name
    assert (shown.given_name, shown.given_name_icao) == ("Anna Z", "ANNA<Z")


@pytest.mark.parametrize("name", ["Ь", "'", "·"])
def test_a_name_that_would_vanish_asks_for_the_passport_spelling(name: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        issue(holder=hc.Holder(family_name=name, given_name="Zoé", birth_date="1984"))
    assert caught.value.code == "NAME_NEEDS_PASSPORT_SPELLING"


def test_policies_take_any_collection() -> None:
    assert hc.IssuePolicy(unlisted_codes=["X"]).unlisted_codes == {"X"}  # type: ignore[arg-type]
    assert hc.Policy(families=["EU DCC"]).families == {"EU DCC"}  # type: ignore[arg-type]
