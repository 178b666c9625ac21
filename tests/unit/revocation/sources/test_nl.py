"""The Dutch denylist: proof identifiers in a configuration that is signed beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from healthcert.fetch import Response
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType
from tests.support import dsc
from tests.support_lists import DUTCH_SIGNER, WEIRD, anchor_of, b64, chain, dutch_wrapper, spoiled
from tests.unit.revocation.sources.national import URL, Desk, Server, survives

SIGNERS = chain(DUTCH_SIGNER)
ANCHOR = SIGNERS.anchor(DUTCH_SIGNER)
DENIED, FREED, DOMESTIC, CLEAR = (bytes((number,)) * 16 for number in range(4))


def config(entries: Mapping[str, Any] | None = None, *, flat: bool = False) -> bytes:
    found = {b64(DENIED): True, b64(FREED): False} | dict(entries or {})
    rules: dict[str, Any] = {"proofIdentifierDenylist": found}
    document = rules if flat else {"europeanVerificationRules": rules}
    domestic = {"proofIdentifierDenylist": {b64(DOMESTIC): True}}
    return signed({"configTTL": 300, "domesticVerificationRules": domestic} | document)


def signed(document: Any) -> bytes:
    return dutch_wrapper(json.dumps(document).encode())


def desk(path: Path, *anchors: TrustAnchor, **options: str) -> Desk:
    return Desk(path, "nl", *(anchors or (ANCHOR,)), options=options)


def standing(found: Desk, key: bytes, country: str = "NL") -> Standing:
    return found.ask(IdentifierType.NL_PROOF, key, country=country)


@pytest.mark.parametrize("flat", [False, True])
def test_the_denylist(tmp_path: Path, flat: bool) -> None:
    found = desk(tmp_path)
    change = found.install({"config.json": config(flat=flat)})
    assert change.records == 1
    assert standing(found, DENIED) is standing(found, DENIED, "FR") is Standing.HIT
    assert standing(found, FREED) is standing(found, DOMESTIC) is standing(found, CLEAR) is Standing.CLEAR
    assert standing(found, CLEAR, "FR") is Standing.UNKNOWN


def test_the_operator_says_for_whom_it_speaks(tmp_path: Path) -> None:
    found = desk(tmp_path, countries="*")
    found.install({"config.json": config()})
    assert standing(found, CLEAR, "FR") is Standing.CLEAR
    assert desk(tmp_path, countries="nl").refusal({"config.json": config()}) == "REVOCATION_CONFIG_INVALID"


GOOD = json.loads(config())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "UNREADABLE"),
        (b"[]", "UNREADABLE"),
        (json.dumps(GOOD | {"payload": b64(b"{}")}).encode(), "NOT_AUTHENTIC"),
        (json.dumps(GOOD | {"payload": 1}).encode(), "UNREADABLE"),
        (json.dumps(GOOD | {"signature": "AAAA"}).encode(), "UNREADABLE"),
        (dutch_wrapper(b"{}", chain(DUTCH_SIGNER, years=9)), "NOT_AUTHENTIC"),
        (signed([]), "UNREADABLE"),
        (signed({}), "UNREADABLE"),
        (signed({"domesticVerificationRules": {"proofIdentifierDenylist": {}}}), "UNREADABLE"),
        (signed({"europeanVerificationRules": {"proofIdentifierDenylist": []}}), "UNREADABLE"),
        (signed({"europeanVerificationRules": []}), "UNREADABLE"),
        (config({"short": True}), "UNREADABLE"),
        (config({b64(CLEAR)[:-1]: True}), "UNREADABLE"),
        (config({b64(CLEAR + b"0"): True}), "UNREADABLE"),
        (config({b64(CLEAR): 1}), "UNREADABLE"),
        (config({b64(CLEAR): None}), "UNREADABLE"),
    ],
)
def test_what_does_not_check_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    assert desk(tmp_path).refusal({"config.json": data}) == f"REVOCATION_LIST_{code}"


def test_who_signed(tmp_path: Path) -> None:
    files = {"config.json": config()}
    assert Desk(tmp_path, "nl").refusal(files) == "REVOCATION_ANCHOR_MISSING"
    # A root vouches for all the web servers of the country, too.
    assert desk(tmp_path, SIGNERS.anchor()).refusal(files) == "REVOCATION_ANCHOR_MISSING"
    assert desk(tmp_path, anchor_of(dsc())).refusal(files) == "REVOCATION_LIST_NOT_AUTHENTIC"
    assert desk(tmp_path, SIGNERS.anchor("other")).refusal(files) == "REVOCATION_LIST_NOT_AUTHENTIC"
    assert desk(tmp_path).refusal({**files, "more": b""}) == "REVOCATION_LIST_UNREADABLE"


def test_fetching(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server({URL: Response(200, config(), {"etag": '"1"'})})
    assert found.fetch(server).records == 1
    assert found.fetch(server).unchanged
    assert [headers for _, headers in server.asked] == [{}, {"If-None-Match": '"1"'}]
    assert standing(found, DENIED) is Standing.HIT
    server = Server({URL: Response(200, config({b64(CLEAR): True}), {"etag": '"2"'})})
    assert found.fetch(server).records == 2
    assert standing(found, CLEAR) is Standing.HIT
    assert found.failure(Server({URL: config()})) == "REVOCATION_LIST_ROLLED_BACK"
    assert standing(found, CLEAR) is Standing.HIT


def test_other_countries_are_a_reason_to_read_it_again(tmp_path: Path) -> None:
    found = desk(tmp_path, countries="*")
    server = Server({URL: Response(200, config(), {"etag": '"1"'})})
    found.fetch(server)
    found.feed = replace(found.feed, options={})
    found.fetch(server)
    assert [standing(found, CLEAR), standing(found, CLEAR, "FR")] == [Standing.CLEAR, Standing.UNKNOWN]
    assert found.fetch(server).unchanged
    assert server.asked[-1] == (URL, {"If-None-Match": '"1"'})


def test_nothing_has_changed_is_an_answer_and_no_list(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server({URL: Response(304)})
    assert found.failure(server) == "FETCH_REFUSED"
    found.fetch(Server({URL: config()}))
    assert found.failure(server) == "FETCH_REFUSED"


def test_without_an_etag(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server({URL: config()})
    assert found.fetch(server).records == found.fetch(server).records == 1
    assert [headers for _, headers in server.asked] == [{}, {}]


@settings(max_examples=60, deadline=None)
@given(WEIRD | spoiled({"europeanVerificationRules": {"proofIdentifierDenylist": {b64(DENIED): True}}}))
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    survives(tmp_path_factory.mktemp("store"), "nl", {"config": signed(document)}, ANCHOR)
