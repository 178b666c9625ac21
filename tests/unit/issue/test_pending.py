"""Signing in two steps: a digest that leaves, and a signature that comes back, perhaps long after."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.issue.pki import KeyKind, KeyPair
from tests.support import CLOCK, DAY, EVENTS, HOLDER, NOW, RECOVERY, TEST, VACCINATION, dsc, verifier

TERMS = hc.Terms(certificate_id="URN:UVCI:01:FR:W7V2BE46QSBJ#L", issued_at=NOW, expires=NOW + 30 * DAY)


def pair(kind: KeyKind = KeyKind.EC_P256) -> KeyPair:
    return dsc(kind=kind)


def issuer(kind: KeyKind = KeyKind.EC_P256, clock: hc.Clock = CLOCK, name: str | None = None) -> hc.Issuer:
    return hc.Issuer(pair(kind).signer(), country="FR", clock=clock, name=name)


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_a_signature_from_elsewhere_completes_it(event: hc.Event, kind: KeyKind) -> None:
    pending = issuer(kind).prepare(event, holder=HOLDER)
    assert len(pending.digest) == 32
    issued = pending.complete(pair(kind).signer().sign(pending.digest, prehashed=True))
    assert verifier(pair(kind), policy=hc.Policy.strict()).examine(issued.text).code == "OK"
    assert (issued.certificate_id, issued.expires) == (pending.terms.certificate_id, pending.terms.expires)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_signature_that_is_not_its_own_is_refused(kind: KeyKind) -> None:
    pending = issuer(kind).prepare(TEST, holder=HOLDER)
    right = pair(kind).signer().sign(pending.digest, prehashed=True)
    other = issuer(kind).prepare(TEST, holder=HOLDER).digest
    for wrong in (
        b"",
        bytes(64),
        right[:-1],
        right + b"\0",
        bytes((right[0] ^ 1, *right[1:])),
        pair(kind).signer().sign(other, prehashed=True),
        dsc(hc.EntryType.TEST).signer().sign(pending.digest, prehashed=True),
    ):
        with pytest.raises(hc.IssueError) as caught:
            pending.complete(wrong)
        assert (caught.value.code, caught.value.step) == ("SIGNING_FAILED", "signature")
    assert pending.complete(right).signature == right


@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_the_record_is_the_same_on_whatever_terms(event: hc.Event) -> None:
    pending = issuer().prepare(event, holder=HOLDER)
    others = (
        issuer().prepare(event, holder=HOLDER),
        issuer().prepare(event, holder=HOLDER).on(TERMS),
        issuer(clock=hc.FixedClock(NOW + 30 * DAY)).prepare(event, holder=HOLDER),
        issuer(KeyKind.RSA_3072).prepare(event, holder=HOLDER),
    )
    assert {other.record for other in others} == {pending.record}
    assert len({other.digest for other in others} | {pending.digest}) == 5
    assert pending.terms.certificate_id.encode() not in pending.record


@pytest.mark.parametrize(
    ("event", "holder"),
    [
        (replace(TEST, sampled_at=NOW - DAY - timedelta(minutes=1)), HOLDER),
        (replace(TEST, centre="Another Centre"), HOLDER),
        (replace(TEST, country="BE"), HOLDER),
        (replace(TEST, certificate_id="URN:UVCI:01:FR:0#1"), HOLDER),
        (TEST, replace(HOLDER, birth_date="1984-03-01")),
        (TEST, replace(HOLDER, given_name="Zoe")),
        (RECOVERY, HOLDER),
        (VACCINATION, HOLDER),
    ],
)
def test_another_record_is_another(event: hc.Event, holder: hc.Holder) -> None:
    assert issuer().prepare(event, holder=holder).record != issuer().prepare(TEST, holder=HOLDER).record


def test_how_an_issuer_writes_makes_no_other_record() -> None:
    """Or a change of the profile would issue all that comes again a second time."""
    nameless = replace(TEST, country="FR", issuer=None)
    written = {
        issuer(name="One").prepare(nameless, holder=HOLDER).record,
        issuer(name="Another").prepare(nameless, holder=HOLDER).record,
        issuer(name="One").prepare(replace(nameless, country=None, issuer="A third"), holder=HOLDER).record,
        issuer().prepare(TEST, holder=replace(HOLDER, family_name_icao="SPELT<OTHERWISE")).record,
    }
    assert written == {issuer().prepare(TEST, holder=HOLDER).record}


def test_one_moment_in_two_time_zones_is_one_record() -> None:
    """Or the same sample would be certified twice, once from each of two systems."""
    assert TEST.sampled_at is not None
    there = replace(TEST, sampled_at=TEST.sampled_at.astimezone(timezone(timedelta(hours=-5))))
    one, other = (issuer().prepare(event, holder=HOLDER) for event in (TEST, there))
    assert one.payload["t"][0]["sc"] != other.payload["t"][0]["sc"]
    assert one.record == other.record
    # The text says the zone, so that what was issued cannot be made again from the other record.
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        other.on(one.terms).complete(one.sign().signature)


def test_spaces_around_and_between_names_make_no_other_record() -> None:
    spaced = replace(HOLDER, family_name=f"  {HOLDER.family_name} ", given_name="Zoé  Ana")
    plain = replace(HOLDER, given_name="Zoé Ana")
    written = [issuer().prepare(TEST, holder=holder) for holder in (spaced, plain)]
    assert written[0].payload["nam"] == written[1].payload["nam"]
    assert written[0].record == written[1].record


def test_names_of_the_passport_alone_tell_persons_apart() -> None:
    one = hc.Holder(family_name_icao="EXEMPLE", given_name_icao="ZOE", birth_date="1984")
    assert len({issuer().prepare(TEST, holder=h).record for h in (one, replace(one, given_name_icao="ANA"))}) == 2


@pytest.mark.parametrize("kind", list(KeyKind))
def test_its_terms_and_signature_give_the_very_same_certificate_again(kind: KeyKind) -> None:
    issued = issuer(kind).issue(TEST, holder=HOLDER)
    terms = hc.Terms(certificate_id=issued.certificate_id, issued_at=issued.issued_at, expires=issued.expires)
    late = issuer(kind, hc.FixedClock(NOW + 300 * DAY))
    assert late.issue(TEST, holder=HOLDER).text != issued.text
    again = late.prepare(TEST, holder=HOLDER).on(terms).complete(issued.signature)
    assert (again.text, again.cose, again.signature) == (issued.text, issued.cose, issued.signature)
    assert (again.certificate_id, again.issued_at, again.expires) == (
        issued.certificate_id,
        issued.issued_at,
        issued.expires,
    )


def test_its_signature_is_not_one_of_another_record_or_of_other_terms() -> None:
    issued = issuer().issue(TEST, holder=HOLDER)
    terms = hc.Terms(certificate_id=issued.certificate_id, issued_at=issued.issued_at, expires=issued.expires)
    for event, changed in (
        (replace(TEST, centre="Another Centre"), terms),
        (TEST, replace(terms, expires=terms.expires + DAY)),
        (TEST, replace(terms, certificate_id=TERMS.certificate_id)),
        (TEST, replace(terms, issued_at=terms.issued_at - timedelta(seconds=1))),
    ):
        with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
            issuer().prepare(event, holder=HOLDER).on(changed).complete(issued.signature)


def test_what_is_prepared_shows_nobody_what_it_certifies() -> None:
    pending = issuer().prepare(TEST, holder=HOLDER)
    assert repr(pending) == str(pending) == "PendingCertificate(...)"
