"""The Swiss list: plain identifiers in tokens of a signer pinned by name, everything at once or in pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from healthcert.fetch import Response
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.swiss import SIGNER
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from tests.support import DAY, NOW
from tests.support_lists import WEIRD, Chain, anchor_of, below, chain, spoiled, swiss_token
from tests.unit.revocation.sources.national import URL, Desk, Server, survives

SIGNERS = chain(SIGNER)
ONE, TWO, THREE = (f"urn:uvci:01:CH:{number * 24}" for number in "123")
LIST = f"{URL}/revocationList"
HOURS_48 = 48 * 3600 * 1000


def token(*identifiers: Any, signed_by: Chain | None = None, **members: Any) -> bytes:
    return swiss_token({"revokedCerts": list(identifiers), "validDuration": HOURS_48} | members, signed_by)


def page(*identifiers: str, following: str | None = None, last: bool = False) -> Response:
    headers = ({"up-to-date": "true"} if last else {}) | ({} if following is None else {"x-next-since": following})
    return Response(200, token(*identifiers), headers)


def desk(path: Path, anchor: TrustAnchor | None = None, **options: str) -> Desk:
    return Desk(path, "ch", anchor or SIGNERS.anchor(), options=options)


def standing(found: Desk, identifier: str, country: str = "CH", now: datetime = NOW) -> Standing:
    return found.ask(IdentifierType.UVCI, uvci_hash(identifier), country=country, now=now)


def test_a_token(tmp_path: Path) -> None:
    found = desk(tmp_path)
    change = found.install({"revocationList": token(ONE, TWO) + b"\n"})
    assert (change.records, change.skipped) == (2, ())
    assert standing(found, ONE) is standing(found, TWO) is Standing.HIT
    assert standing(found, THREE) is Standing.CLEAR
    # Whatever its country, what is listed is listed; but the list does not speak for others.
    assert standing(found, ONE, "FR") is Standing.HIT
    assert standing(found, THREE, "FR") is Standing.UNKNOWN


def test_identifiers_are_compared_as_they_are_written(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"list": token(ONE)})
    assert standing(found, ONE.upper()) is Standing.CLEAR


def test_it_holds_for_as_long_as_it_says(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"list": token(ONE, validDuration=3600_000)})
    assert standing(found, THREE, now=NOW + DAY / 25) is Standing.CLEAR
    late = NOW + DAY / 23
    assert standing(found, THREE, now=late) is Standing.UNKNOWN
    # A list that is overdue still names what it names.
    assert standing(found, ONE, now=late) is Standing.HIT


def test_the_operator_says_for_whom_it_speaks(tmp_path: Path) -> None:
    found = desk(tmp_path, countries="LI,CH")
    found.install({"list": token(ONE)})
    assert standing(found, THREE, "LI") is Standing.CLEAR


def test_several_tokens_are_one_list(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"1": token(ONE), "2": token(TWO, validDuration=1000)})
    assert standing(found, ONE) is standing(found, TWO) is Standing.HIT
    assert standing(found, THREE, now=NOW + DAY) is Standing.UNKNOWN
    found.install({"1": token(ONE), "2": token(TWO, THREE)})
    assert standing(found, THREE) is Standing.HIT


STRANGER = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, "www.example.ch"))
ENDED = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, SIGNER, begin=NOW - 800 * DAY, years=1))
GOOD = token(ONE)
NO_DURATION: tuple[Any, ...] = (None, 0, -1, "1", 1.5, True, [])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (token(ONE, signed_by=STRANGER), "NOT_AUTHENTIC"),
        (token(ONE, signed_by=ENDED), "NOT_AUTHENTIC"),
        (GOOD[:-8] + b"AAAAAAAA", "NOT_AUTHENTIC"),
        (GOOD[:-1], "UNREADABLE"),
        (b"", "UNREADABLE"),
        (b"{}", "UNREADABLE"),
        (swiss_token([]), "UNREADABLE"),
        (swiss_token({"revokedCerts": [ONE]}), "UNREADABLE"),
        (swiss_token({"validDuration": 1}), "UNREADABLE"),
        (token(ONE, revokedCerts=ONE), "UNREADABLE"),
        (token(ONE, 1), "UNREADABLE"),
        (token(ONE, ""), "UNREADABLE"),
        (token(ONE, "\ud800"), "UNREADABLE"),
        *((token(ONE, validDuration=value), "UNREADABLE") for value in NO_DURATION),
    ],
)
def test_a_bad_token_refuses_the_list(tmp_path: Path, data: bytes, code: str) -> None:
    assert desk(tmp_path).refusal({"1": GOOD, "2": data}) == f"REVOCATION_LIST_{code}"


def test_the_signer_is_pinned_by_name(tmp_path: Path) -> None:
    assert Desk(tmp_path, "ch").refusal({"list": GOOD}) == "REVOCATION_ANCHOR_MISSING"
    assert desk(tmp_path, SIGNERS.anchor("other")).refusal({"list": GOOD}) == "REVOCATION_LIST_NOT_AUTHENTIC"
    for number, anchor in enumerate((SIGNERS.anchor(SIGNER), anchor_of(SIGNERS.leaf))):
        assert desk(tmp_path / str(number), anchor).install({"list": GOOD}).records == 1
    # The stages for tests have other signers, where the operator says so.
    test_stage = desk(tmp_path / "test", SIGNERS.anchor("www.example.ch"))
    assert test_stage.install({"list": token(ONE, signed_by=STRANGER)}).records == 1


def test_no_files_or_too_many(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.refusal({}) == "REVOCATION_LIST_UNREADABLE"
    found.limits = Limits(list_pages=1)
    assert found.refusal({"1": GOOD, "2": GOOD}) == "REVOCATION_LIST_UNREADABLE"
    found.install({"1": GOOD})


# --- fetching ---


def test_version_1_gives_everything_at_once(tmp_path: Path) -> None:
    found = desk(tmp_path, token="t0ken")
    server = Server({LIST: token(ONE, TWO)})
    assert found.fetch(server).added == 1
    assert server.asked == [(LIST, {"Accept": "application/json+jws", "Authorization": "Bearer t0ken"})]
    assert standing(found, ONE) is Standing.HIT
    # The same list again is fresh again.
    later = NOW + 3 * DAY
    assert standing(found, THREE, now=later) is Standing.UNKNOWN
    assert found.fetch(server, later).added == 0
    assert standing(found, THREE, now=later) is Standing.CLEAR
    assert found.fetch(Server({LIST: token(ONE, TWO, THREE)}), later).added == 1
    assert standing(found, THREE, now=later) is Standing.HIT
    assert found.failure(Server({LIST: token(ONE, TWO)}), later) == "REVOCATION_LIST_ROLLED_BACK"


def test_version_2_gives_pages_and_then_what_is_new(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server({LIST: page(ONE, following="4"), f"{LIST}?since=4": page(TWO, following="7", last=True)})
    assert found.fetch(server).added == 2
    assert server.urls == [LIST, f"{LIST}?since=4"]
    assert standing(found, ONE) is standing(found, TWO) is Standing.HIT
    server = Server({f"{LIST}?since=7": page(following="7", last=True)})
    assert found.fetch(server, NOW + DAY).added == 0
    assert server.urls == [f"{LIST}?since=7"]
    server = Server({f"{LIST}?since=7": page(THREE, following="8", last=True)})
    assert found.fetch(server, NOW + 2 * DAY).added == 1
    later = NOW + 3 * DAY
    assert [standing(found, one, now=later) for one in (ONE, TWO, THREE)] == [Standing.HIT] * 3
    # Once a week all of it is fetched again, and what is not on it any more is gone.
    server = Server({LIST: page(TWO, THREE, ONE, following="9"), f"{LIST}?since=9": page(following="9")})
    change = found.fetch(server, NOW + 8 * DAY)
    assert (change.added, change.withdrawn, change.records) == (1, 2, 3)
    # The same pages a week later are not taken for an old list.
    assert found.fetch(Server({f"{LIST}?since=9": page(following="9")}), NOW + 9 * DAY).added == 0
    assert found.fetch(server, NOW + 16 * DAY).error is None


def test_another_address_begins_anew(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.fetch(Server({LIST: page(ONE, following="4", last=True)}))
    other = Desk(tmp_path, "ch", SIGNERS.anchor(), url="https://lists.example/v2")
    server = Server({"https://lists.example/v2/revocationList": page(ONE, TWO, following="2", last=True)})
    assert other.fetch(server).records == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (page(ONE, following="x"), None),
        (page(ONE, following=""), None),
        (page(ONE, following="-1"), None),
        (page(ONE, following="1" * 19), None),
        (page(ONE, following="4"), page(TWO)),
        (page(ONE, following="4"), page(TWO, following="4")),
        (page(ONE, following="4"), page(TWO, following="3", last=True)),
        (page(ONE, following="4"), page(following="3", last=True)),
    ],
)
def test_pages_that_do_not_go_on(tmp_path: Path, first: Response, second: Response | None) -> None:
    answers: dict[str, Any] = {LIST: first} | ({} if second is None else {f"{LIST}?since=4": second})
    assert desk(tmp_path).failure(Server(answers)) == "FETCH_REFUSED"


def test_a_cursor_that_falls_back(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.fetch(Server({LIST: page(ONE, following="4", last=True)}))
    for answer in (page(TWO, following="3", last=True), page(TWO), page(TWO, last=True)):
        assert found.failure(Server({f"{LIST}?since=4": answer})) == "FETCH_REFUSED"
    assert standing(found, TWO) is Standing.CLEAR


def test_pages_end(tmp_path: Path) -> None:
    def endless(url: str, headers: Mapping[str, str]) -> Response:
        since = int(url.partition("since=")[2] or 0)
        return page(f"{ONE}{since}", following=str(since + 1))

    found = desk(tmp_path)
    found.limits = Limits(list_pages=3)
    server = Server(endless)
    assert found.failure(server) == "FETCH_REFUSED"
    assert len(server.asked) == 3


def test_a_failure_takes_nothing_in(tmp_path: Path) -> None:
    found = desk(tmp_path)
    answers: dict[str, Any] = {LIST: page(ONE, following="4"), f"{LIST}?since=4": 503}
    assert found.failure(Server(answers)) == "FETCH_FAILED"
    assert standing(found, ONE) is Standing.UNKNOWN
    answers[f"{LIST}?since=4"] = token(TWO, signed_by=STRANGER)
    assert found.failure(Server(answers)) == "REVOCATION_LIST_NOT_AUTHENTIC"
    assert standing(found, ONE) is Standing.UNKNOWN


@pytest.mark.parametrize("secret", ["a b", "a\r\nHost: b", "é"])
def test_a_token_that_cannot_stand_in_a_header(tmp_path: Path, secret: str) -> None:
    server = Server({})
    found = desk(tmp_path, token=secret)
    assert found.failure(server) == "REVOCATION_CONFIG_INVALID"
    assert server.asked == []


@settings(max_examples=60, deadline=None)
@given(WEIRD | spoiled({"revokedCerts": [ONE, TWO], "validDuration": HOURS_48}))
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, payload: Any) -> None:
    survives(tmp_path_factory.mktemp("store"), "ch", {"list": swiss_token(payload)}, SIGNERS.anchor())
