"""What is published in the Austrian form is what the Austrian source reads."""

from __future__ import annotations

from datetime import datetime, timedelta

import cbor2
import pytest

from healthcert.errors import Code, IssueError, TrustError
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert.model import EntryType
from healthcert.publish.austrian import publish
from healthcert.trust.sources.at import Austrian
from healthcert.trust.sources.protocol import Context, TrustList
from tests.support import DAY, NOW, csca, dsc
from tests.support_lists import anchor_of

PAIRS = [dsc(), dsc(EntryType.TEST), dsc(kind=KeyKind.RSA_3072)]
CERTIFICATES = [pair.certificate_der() for pair in PAIRS]


def published(certificates: list[bytes], by: KeyPair) -> TrustList:
    parts = publish(certificates, by.signer(), issued_at=NOW, expires_at=NOW + 2 * DAY)
    assert set(parts) == set(Austrian.parts)
    return Austrian().load(parts, Context((anchor_of(by),), NOW))


@pytest.mark.parametrize("kind", KeyKind)
def test_what_is_published_is_read(kind: KeyKind) -> None:
    signer = new_dsc(csca(), "List", now=NOW - DAY, kind=kind)
    found = published(CERTIFICATES, signer)
    assert [key.certificate for key in found.keys] == CERTIFICATES
    assert [key.usages for key in found.keys] == [None, frozenset((EntryType.TEST,)), None]
    assert (found.issued_at, found.expires_at, found.skipped) == (NOW, NOW + 2 * DAY, ())


def test_a_certificate_that_is_given_twice_is_there_once() -> None:
    assert len(published([CERTIFICATES[0], CERTIFICATES[1], CERTIFICATES[0]], dsc()).keys) == 2


def test_its_form_is_that_of_version_2() -> None:
    parts = publish(CERTIFICATES[:1], dsc().signer(), issued_at=NOW, expires_at=NOW + DAY)
    assert cbor2.loads(parts["list"]) == {"c": [{"i": dsc().signer().kid, "c": CERTIFICATES[0]}]}
    message = cbor2.loads(parts["signature"])
    assert message.tag == 18
    assert cbor2.loads(message.value[0]) == {1: -7, 4: dsc().signer().kid, 42: 2}
    assert message.value[1] == {}
    assert cbor2.loads(message.value[2]).keys() == {2, 4, 5}


@pytest.mark.parametrize(
    ("issued_at", "expires_at"),
    [
        (NOW, NOW),
        (NOW, NOW - DAY),
        (NOW, NOW + timedelta(milliseconds=1)),
        (NOW.replace(tzinfo=None), NOW + DAY),
        (NOW, (NOW + DAY).replace(tzinfo=None)),
    ],
)
def test_moments_that_are_not_in_order_are_refused(issued_at: datetime, expires_at: datetime) -> None:
    with pytest.raises(IssueError) as caught:
        publish(CERTIFICATES, dsc().signer(), issued_at=issued_at, expires_at=expires_at)
    assert caught.value.code == Code.PUBLISHING_REFUSED


def test_what_no_verifier_could_use_is_not_published() -> None:
    with pytest.raises(TrustError) as caught:
        publish([b"no certificate"], dsc().signer(), issued_at=NOW, expires_at=NOW + DAY)
    assert caught.value.code == Code.CERTIFICATE_UNREADABLE


def test_it_is_the_signers_own_list() -> None:
    other = new_csca("AT", "Other", now=NOW - DAY)
    parts = publish(CERTIFICATES, dsc().signer(), issued_at=NOW, expires_at=NOW + DAY)
    with pytest.raises(TrustError) as caught:
        Austrian().load(parts, Context((anchor_of(other),), NOW))
    assert caught.value.code == Code.TRUST_LIST_NOT_AUTHENTIC


def test_a_list_that_its_readers_could_not_use_is_not_published() -> None:
    with pytest.raises(IssueError, match="neither keys nor authorities") as caught:
        publish([], dsc().signer(), issued_at=NOW, expires_at=NOW + DAY)
    assert caught.value.code == Code.PUBLISHING_REFUSED
    # Nobody could pin a certificate that has ended.
    with pytest.raises(IssueError):
        publish(CERTIFICATES, dsc().signer(), issued_at=NOW + 9999 * DAY, expires_at=NOW + 10_000 * DAY)
