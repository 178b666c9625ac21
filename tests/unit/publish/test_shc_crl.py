"""Publishing the revocation list of a key of SMART Health Cards, after the one that there was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, IssueError
from healthcert.publish.readable_revocations import check_taken
from healthcert.publish.shc_crl import publish
from healthcert.revocation.answer import Standing
from healthcert.revocation.crl import read_crl
from healthcert.revocation.identifiers import IdentifierType, rid_key
from tests.support import NOW
from tests.unit.revocation.sources.national import Desk

KID, ISS = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s", "https://issuer.example"
MOMENT = datetime.fromtimestamp(1_600_000_000, UTC)
LATER = MOMENT + timedelta(days=1)


def refused(rids: Mapping[str, datetime | None], kid: str = KID, **options: Any) -> str:
    with pytest.raises(IssueError) as caught:
        publish(kid, rids, **options)
    assert caught.value.code is Code.PUBLISHING_REFUSED
    return caught.value.detail


def test_a_first_list(tmp_path: Path) -> None:
    data = publish(KID, {"b": None, "a": MOMENT})
    assert json.loads(data) == {"kid": KID, "method": "rid", "ctr": 1, "rids": ["a.1600000000", "b"]}
    assert data == publish(KID, {"a": MOMENT, "b": None})
    desk = Desk(tmp_path, "shc", options={"issuer": ISS})
    desk.install({f"{KID}.json": data})
    for rid, not_before, expected in (
        ("b", 2e9, Standing.HIT), ("a", 1.5e9, Standing.HIT), ("a", 1.6e9, Standing.CLEAR), ("c", None, Standing.CLEAR)
    ):  # fmt: skip
        found = desk.ask(
            IdentifierType.SHC_RID, rid_key(rid), kid=KID.encode(), issuer=ISS, not_before=not_before, now=NOW
        )
        assert found is expected


def test_the_list_after_it() -> None:
    first = publish(KID, {"a": MOMENT, "b": None, "c": LATER})
    second = publish(KID, {"a": LATER, "b": MOMENT, "c": MOMENT, "d": None}, before=first)
    # What was revoked is never less so.
    assert json.loads(second) == {
        "kid": KID, "method": "rid", "ctr": 2,
        "rids": [f"a.{int(LATER.timestamp())}", "b", f"c.{int(LATER.timestamp())}", "d"],
    }  # fmt: skip
    assert read_crl(publish(KID, {"a": None}, before=second), KID).rids["a"] is None
    # Where nothing is new, nobody need fetch it again.
    assert publish(KID, {"b": MOMENT, "c": None} | {"c": LATER}, before=first) == first
    assert publish(KID, {}, before=first) == first


def test_part_of_a_second_counts() -> None:
    data = publish(KID, {"a": MOMENT + timedelta(milliseconds=1)})
    assert read_crl(data, KID).rids == {"a": 1_600_000_001}


def test_the_other_method() -> None:
    data = publish(KID, {"JuTJHwXo2Yc": None}, method="hash-fhir")
    assert read_crl(data, KID).method == "hash-fhir"
    assert "another method" in refused({}, before=data)


def test_nobody_is_revoked() -> None:
    assert json.loads(publish(KID, {}))["rids"] == []


def test_what_its_readers_would_refuse() -> None:
    assert "rid" in refused({"no rid": None})
    assert "rid" in refused({"a" * 25: None})
    assert "moment" in refused({"a": datetime(1969, 1, 1, tzinfo=UTC)})
    assert "zone" in refused({"a": datetime(2021, 1, 1)})  # noqa: DTZ001
    assert "method" in refused({}, method="x")
    assert "kid" in refused({}, kid="../kid")
    assert "until now" in refused({}, before=b"{}")
    assert "until now" in refused({}, before=publish("another", {}))


def test_a_list_that_is_not_taken_in_full() -> None:
    good = publish(KID, {"a": None})
    check_taken("shc", {f"{KID}.json": good}, 1, NOW, options={"issuer": ISS})
    for files, count in (({f"{KID}.json": good}, 2), ({f"{KID}.json": good, "other.json": good}, 1)):
        with pytest.raises(IssueError) as caught:
            check_taken("shc", files, count, NOW, options={"issuer": ISS})
        assert caught.value.code is Code.PUBLISHING_REFUSED


MOMENTS = st.none() | st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
RIDS = st.dictionaries(st.from_regex("[A-Za-z0-9_-]{1,24}", fullmatch=True), MOMENTS, max_size=5)


@settings(max_examples=40, deadline=None)
@given(RIDS, RIDS)
def test_whatever_is_revoked_is_read_back(
    first: dict[str, datetime | None], second: dict[str, datetime | None]
) -> None:
    before = publish(KID, first)
    found = read_crl(publish(KID, second, before=before), KID)
    assert found.rids.keys() == first.keys() | second.keys()
    for rid in found.rids:
        moments = [given[rid] for given in (first, second) if rid in given]
        known = [int(moment.timestamp()) for moment in moments if moment is not None]
        assert found.rids[rid] == (max(known) if len(known) == len(moments) else None)
