"""A certificate that is made again on terms that were kept."""

from __future__ import annotations

import pytest

import healthcert as hc
from healthcert.issue.signing import SigningKey
from tests.support import CLOCK, DAY, EVENTS, HOLDER, NOW, dsc

ISSUER = hc.Issuer(dsc().signer(), country="FR", clock=CLOCK)
OTHER = hc.KeyKind.RSA_3072
ALGORITHMS = (hc.Algorithm.ES256, hc.Algorithm.PS256)


@pytest.mark.parametrize("event", EVENTS.values())
def test_on_the_terms_of_one_that_was_issued_it_is_the_same(event: hc.Event) -> None:
    issued = ISSUER.issue(event, holder=HOLDER)
    terms = hc.Terms(certificate_id=issued.certificate_id, issued_at=issued.issued_at, expires=issued.expires)
    later = hc.Issuer(dsc().signer(), country="FR", clock=hc.FixedClock(NOW + DAY)).prepare(event, holder=HOLDER)
    again = later.on(terms)
    assert again.complete(issued.signature) == issued
    assert again.to_be_signed == ISSUER.prepare(event, holder=HOLDER).on(terms).to_be_signed
    assert again.record == later.record
    assert later.terms != terms


def test_under_another_dsc_of_the_issuer() -> None:
    issuer = hc.Issuer(dsc(kind=OTHER).signer(), country="FR", clock=CLOCK)
    issued = issuer.issue(EVENTS[hc.EntryType.TEST], holder=HOLDER)
    terms = hc.Terms(certificate_id=issued.certificate_id, issued_at=issued.issued_at, expires=issued.expires)
    pending = ISSUER.prepare(EVENTS[hc.EntryType.TEST], holder=HOLDER)
    key = SigningKey(dsc(kind=OTHER).signer(), algorithms=ALGORITHMS)
    assert pending.on(terms, key).complete(issued.signature).text == issued.text
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        pending.on(terms).complete(issued.signature)
