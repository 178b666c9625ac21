"""The French block lists: pages of two lists, what was said last of a hash, and the text that others hand on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from healthcert.limits import Limits
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, french_2ddoc_hash, french_dcc_hash
from tests.support_lists import WEIRD, spoiled
from tests.unit.revocation.sources.national import URL, Desk, Server, survives

DCC, TWODDOC = IdentifierType.FR_DCC, IdentifierType.FR_2DDOC
ONE, TWO, THREE = (french_dcc_hash("fr", f"URN:UVCI:01:FR:{name}#1") for name in "ABC")
BARCODE = french_2ddoc_hash("DC04DHI0TST11E3C1E3CB201FRF0JEAN\x1d\x1fSIGNATURE")


def page(*elements: Any, last: Any = None) -> bytes:
    found = [{"hash": one.hex(), "active": True} if isinstance(one, bytes) else one for one in elements]
    return json.dumps({"elements": found} | ({} if last is None else {"lastIndexBlacklist": last})).encode()


def off(key: bytes) -> dict[str, Any]:
    return {"hash": key.hex(), "active": False}


def lists(dcc: Mapping[int, Any], twoddoc: Mapping[int, Any] | None = None) -> Server:
    barcodes = {0: page()} if twoddoc is None else twoddoc
    return Server(
        {f"{URL}/dcc/{index}": answer for index, answer in dcc.items()}
        | {f"{URL}/2ddoc/{index}": answer for index, answer in barcodes.items()}
    )


def desk(path: Path, **options: str) -> Desk:
    return Desk(path, "fr", options=options)


def hits(found: Desk, type_: IdentifierType = DCC) -> list[bool]:
    return [found.ask(type_, one, country="FR") is Standing.HIT for one in (ONE, TWO, THREE)]


def test_files_of_both_lists(tmp_path: Path) -> None:
    found = desk(tmp_path)
    change = found.install(
        {"blacklist_qrcode_tacv.json": page(ONE, off(TWO)), "blacklist_2ddoc_tacv.json": page(BARCODE)}
    )
    assert change.records == 2
    assert hits(found) == [True, False, False]
    assert hits(found, TWODDOC) == [False, False, False]
    assert found.ask(TWODDOC, BARCODE, country="FR") is Standing.HIT
    assert found.ask(DCC, TWO, country="FR") is Standing.CLEAR
    assert found.ask(DCC, THREE, country="DE") is Standing.UNKNOWN
    assert found.ask(DCC, ONE, country="DE") is Standing.HIT


def test_a_list_speaks_for_what_it_is_of(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"dcc/0": page(ONE), "dcc/1": page(TWO)})
    assert hits(found) == [True, True, False]
    assert found.ask(DCC, THREE, country="FR") is Standing.CLEAR
    assert found.ask(TWODDOC, BARCODE, country="FR") is Standing.UNKNOWN


def test_the_text_that_others_hand_on(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"blacklist.json": json.dumps(f"{ONE.hex()} {BARCODE.hex().upper()}").encode()})
    assert hits(found) == [True, False, False]
    # It does not tell which are which.
    assert found.ask(TWODDOC, BARCODE, country="FR") is found.ask(DCC, BARCODE, country="FR") is Standing.HIT
    # Nor is it complete, so that it speaks for nobody, alone or beside a list.
    assert found.ask(TWODDOC, THREE, country="FR") is Standing.UNKNOWN
    text = json.dumps(ONE.hex()).encode()
    found.install({"dcc": page(TWO), "text": text})
    assert hits(found) == [True, True, False]
    assert found.ask(DCC, THREE, country="FR") is Standing.UNKNOWN
    told = desk(tmp_path / "told", countries="FR")
    told.install({"text": text})
    assert told.ask(DCC, THREE, country="FR") is Standing.CLEAR


def test_what_was_said_last_holds(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"dcc": page(ONE, TWO, off(ONE), off(THREE), THREE)})
    assert hits(found) == [False, True, True]


def test_numbers_in_names_are_the_order_of_pages(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install(
        {"dcc/0": page(TWO), "dcc/1000": page(off(ONE), THREE), "dcc/999": page(ONE), "dcc/2": page(off(THREE))}
    )
    assert hits(found) == [False, True, True]


def test_pages_of_a_list_of_which_there_are_more_speak_for_nobody(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"dcc/0": page(ONE, last=3)})
    assert [found.ask(DCC, key, country="FR") for key in (ONE, TWO)] == [Standing.HIT, Standing.UNKNOWN]
    found.install({"dcc/0": page(ONE, last=3), "dcc/1": page(TWO, THREE, last=3)})
    assert found.ask(DCC, french_dcc_hash("FR", "4"), country="FR") is Standing.CLEAR
    # What is missing of one list is not made up for by the other.
    found.install({"dcc/0": page(ONE, TWO, last=2), "2ddoc/0": page(BARCODE, last=2)})
    assert found.ask(TWODDOC, ONE, country="FR") is Standing.UNKNOWN
    # Nor is it by what the operator says of the list.
    other = desk(tmp_path / "other", countries="FR")
    other.install({"dcc/0": page(ONE, last=3)})
    assert other.ask(DCC, TWO, country="FR") is Standing.UNKNOWN


NO_ELEMENTS: tuple[Any, ...] = (
    None, 1, "x", [], {}, {"hash": ONE.hex()}, {"hash": ONE.hex(), "active": 1}, {"active": True},
    {"hash": ONE.hex()[1:], "active": True}, {"hash": ONE.hex() + "0", "active": True},
    {"hash": " " + ONE.hex()[1:], "active": True}, {"hash": 1, "active": False}, {"hash": "x" * 64, "active": False},
)  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"dcc": b""},
        {"dcc": b"[]"},
        {"dcc": b"{}"},
        {"dcc": b'{"elements": {}}'},
        {"dcc": b'{"elements": [], "elements": []}'},
        {"blacklist.json": page(ONE)},
        {"dcc": b'""'},
        {"dcc": json.dumps(f"{ONE.hex()}  {TWO.hex()}").encode()},
        {"dcc": page(ONE, last=-1)},
        {"dcc": page(ONE, last="1")},
        *({"dcc": page(ONE, element)} for element in NO_ELEMENTS),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert desk(tmp_path).refusal(files) == "REVOCATION_LIST_UNREADABLE"


def test_more_than_is_taken(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.limits = Limits(revocation_entries=2)
    found.install({"dcc": page(ONE, TWO)})
    assert found.refusal({"dcc": page(ONE, TWO, THREE)}) == "INPUT_TOO_LONG"
    assert found.failure(lists({0: page(ONE, TWO, THREE)})) == "INPUT_TOO_LONG"


# --- fetching ---


def test_pages_until_there_is_nothing_new(tmp_path: Path) -> None:
    found = desk(tmp_path, token="t0ken")
    server = lists({0: page(ONE, TWO), 2: page(THREE, off(ONE)), 4: page()}, {0: page(BARCODE), 1: page()})
    assert found.fetch(server).records == 3
    assert {headers["Authorization"] for _, headers in server.asked} == {"Bearer t0ken"}
    assert [url.removeprefix(URL) for url in server.urls] == ["/dcc/0", "/dcc/2", "/dcc/4", "/2ddoc/0", "/2ddoc/1"]
    assert hits(found) == [False, True, True]
    assert found.ask(TWODDOC, BARCODE, country="FR") is Standing.HIT
    assert found.fetch(lists({0: page(THREE, TWO, ONE), 3: page()}, {0: page(BARCODE), 1: page()})).records == 4
    assert hits(found) == [True, True, True]


@pytest.mark.parametrize("end", [page(), page(last=3), page(ONE, TWO), page(THREE, last=2), 404])
def test_how_a_list_may_end(tmp_path: Path, end: Any) -> None:
    found = desk(tmp_path)
    # The last index may be that of all elements, or of those on the page.
    for number, last in enumerate((None, 3, 2)):
        assert desk(tmp_path / str(number)).fetch(lists({0: page(ONE, TWO, THREE, last=last), 3: end})).records == 3
    assert found.fetch(lists({0: page(ONE, last=1), 1: page(TWO, THREE, last=3), 3: end})).records == 3


@pytest.mark.parametrize("end", [page(), page(last=4), page(ONE), 404])
def test_a_list_that_ends_too_early(tmp_path: Path, end: Any) -> None:
    found = desk(tmp_path)
    assert found.failure(lists({0: page(ONE, TWO, THREE, last=9), 3: end})) == "FETCH_REFUSED"
    assert hits(found) == [False, False, False]


def test_pages_end(tmp_path: Path) -> None:
    def endless(url: str, headers: Mapping[str, str]) -> bytes:
        return page(hashlib.sha256(url.encode()).digest())

    found = desk(tmp_path)
    found.limits = Limits(list_pages=3)
    server = Server(endless)
    assert found.failure(server) == "FETCH_REFUSED"
    assert len(server.asked) == 3


@pytest.mark.parametrize("answers", [{}, {0: 401}, {0: page(ONE), 1: 500}, {0: page(ONE), 1: 400}])
def test_a_failure_takes_nothing_in(tmp_path: Path, answers: dict[int, Any]) -> None:
    found = desk(tmp_path)
    assert found.failure(lists(answers)) == "FETCH_FAILED"
    assert hits(found) == [False, False, False]


def secrets() -> Iterable[str]:
    return "a b", "a\r\nHost: b", "é", ""


@pytest.mark.parametrize("secret", secrets())
def test_a_token_that_cannot_stand_in_a_header(tmp_path: Path, secret: str) -> None:
    server = lists({})
    assert desk(tmp_path, token=secret).failure(server) == "REVOCATION_CONFIG_INVALID"
    assert server.asked == []


@settings(max_examples=60, deadline=None)
@given(WEIRD | spoiled(json.loads(page(ONE, off(TWO), last=2))))
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    survives(tmp_path_factory.mktemp("store"), "fr", {"dcc": json.dumps(document).encode()})
