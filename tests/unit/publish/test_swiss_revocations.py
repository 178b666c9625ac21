"""Publishing a Swiss revocation list: read back by its own reader before it goes out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.encoding import jws
from healthcert.errors import Code, IssueError
from healthcert.issue.pki import KeyPair
from healthcert.issue.signer import Signer
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.swiss import SIGNER
from healthcert.publish import readable_revocations
from healthcert.publish.swiss_revocations import publish
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from tests.support import DAY, NOW, dsc
from tests.support_lists import chain
from tests.unit.revocation.sources.national import Desk

SIGNERS = chain(SIGNER)
ONE, TWO = "urn:uvci:01:CH:1", "urn:uvci:01:CH:2"


def signer(pair: KeyPair = SIGNERS.leaf) -> Signer:
    return pair.signer()


def refused(*identifiers: str, pair: KeyPair = SIGNERS.leaf, **options: object) -> str:
    with pytest.raises(IssueError) as caught:
        publish(identifiers, signer(pair), **({"now": NOW} | options))  # type: ignore[arg-type]
    assert caught.value.code is Code.PUBLISHING_REFUSED
    return caught.value.detail


def test_what_is_published_is_found(tmp_path: Path) -> None:
    token = publish([TWO, ONE, TWO], signer(), now=NOW, chain=[SIGNERS.between.certificate_der()])
    assert json.loads(jws.read(token).payload) == {"revokedCerts": [ONE, TWO], "validDuration": 172800000}
    desk = Desk(tmp_path, "ch", SIGNERS.anchor())
    assert desk.install({"list": token}).records == 2
    for identifier, expected in ((ONE, Standing.HIT), (TWO, Standing.HIT), ("x", Standing.CLEAR)):
        assert desk.ask(IdentifierType.UVCI, uvci_hash(identifier), country="CH") is expected


def test_nobody_is_revoked(tmp_path: Path) -> None:
    token = publish([], signer(), now=NOW, valid_for=timedelta(hours=1), chain=[SIGNERS.between.certificate_der()])
    desk = Desk(tmp_path, "ch", SIGNERS.anchor())
    desk.install({"list": token})
    assert desk.ask(IdentifierType.UVCI, uvci_hash(ONE), country="CH") is Standing.CLEAR
    assert desk.ask(IdentifierType.UVCI, uvci_hash(ONE), country="CH", now=NOW + DAY) is Standing.UNKNOWN


def test_what_its_readers_would_refuse() -> None:
    assert "array" in refused("")
    assert "surrogate" in refused("\ud800")
    assert "moment" in refused(ONE, valid_for=timedelta(microseconds=999))
    assert "chain" in refused(ONE, chain=[b""] * 6)
    assert "not valid" in refused(ONE, now=NOW + 36500 * DAY)
    assert refused(ONE, chain=[b"no certificate"])


def test_a_list_that_is_longer_than_its_readers_take(monkeypatch: pytest.MonkeyPatch) -> None:
    room = len(publish([ONE], signer(), now=NOW))
    monkeypatch.setattr(readable_revocations, "DEFAULT_LIMITS", replace(DEFAULT_LIMITS, list_bytes=room))
    assert len(publish([ONE], signer(), now=NOW)) == room
    assert "longer than they take" in refused(ONE + "1")


def test_any_signer_with_a_name() -> None:
    assert publish([ONE], signer(dsc()), now=NOW)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), max_size=5))
def test_whatever_is_revoked_is_read_back(identifiers: set[str]) -> None:
    found = json.loads(jws.read(publish(identifiers, signer(), now=NOW)).payload)
    assert found["revokedCerts"] == sorted(identifiers)
