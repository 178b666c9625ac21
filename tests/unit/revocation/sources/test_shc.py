"""Revocation lists of SMART Health Cards: one for each key, at the number that the key says, which never falls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import RevocationError, TrustError
from healthcert.fetch import Response
from healthcert.limits import Limits
from healthcert.revocation.answer import Standing
from healthcert.revocation.crl import read_crl
from healthcert.revocation.identifiers import IdentifierType, rid_key
from tests.support_lists import WEIRD, spoiled
from tests.unit.revocation.sources.national import Desk, Server, survives

ISS = "https://issuer.example/shc"
KID, OTHER, PLAIN = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s", "other", "plain"
KEY_SET = f"{ISS}/.well-known/jwks.json"


def crl(*rids: Any, kid: Any = KID, ctr: Any = 1, method: Any = "rid", **members: Any) -> bytes:
    return json.dumps({"kid": kid, "method": method, "ctr": ctr, "rids": list(rids)} | members).encode()


def jwk(kid: Any, version: Any = ...) -> dict[str, Any]:
    return {"kty": "EC", "kid": kid} | ({} if version is ... else {"crlVersion": version})


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def service(keys: bytes, lists: Mapping[str, Any], etag: str | None = None) -> Server:
    answers: dict[str, Any] = {f"{ISS}/.well-known/crl/{kid}.json": found for kid, found in lists.items()}
    return Server({**answers, KEY_SET: Response(200, keys, {"etag": etag} if etag else {})})


def desk(path: Path, issuer: str = ISS, url: str = ISS) -> Desk:
    return Desk(path, "shc", url=url, options={"issuer": issuer})


def standing(
    found: Desk,
    rid: str,
    kid: str = KID,
    *,
    issuer: str = ISS,
    not_before: float | None = None,
    type_: IdentifierType = IdentifierType.SHC_RID,
) -> Standing:
    return found.ask(type_, rid_key(rid), kid=kid.encode(), issuer=issuer, not_before=not_before)


def test_a_list_and_its_key_set(tmp_path: Path) -> None:
    found = desk(tmp_path)
    files = {
        ".well-known/jwks.json": key_set(jwk(KID, 1), jwk(PLAIN)),
        f".well-known/crl/{KID}.json": crl("revoked", "before.1600000000"),
        "readme.txt": b"",
    }
    assert found.install(files).records == 2
    assert standing(found, "revoked") is standing(found, "revoked", not_before=2e9) is Standing.HIT
    # Only cards from before the moment.
    assert standing(found, "before", not_before=1599999999.5) is Standing.HIT
    assert standing(found, "before", not_before=1600000000) is Standing.CLEAR
    assert standing(found, "other") is standing(found, "Revoked") is Standing.CLEAR
    # A key that has no list revokes nothing; one that nobody mentions is another thing.
    assert standing(found, "revoked", PLAIN) is Standing.CLEAR
    assert standing(found, "revoked", OTHER) is Standing.UNKNOWN
    assert standing(found, "revoked", issuer="https://else.example") is Standing.UNKNOWN


def test_a_list_alone(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({f"{KID}.json": crl("revoked", ctr=7)})
    assert standing(found, "revoked") is Standing.HIT
    assert standing(found, "other") is Standing.CLEAR
    assert standing(found, "revoked", PLAIN) is Standing.UNKNOWN


def test_cards_without_a_rid(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({f"{KID}.json": crl("JuTJHwXo2Yc", method="hash-fhir")})
    assert standing(found, "JuTJHwXo2Yc", type_=IdentifierType.SHC_FHIR) is Standing.HIT
    assert standing(found, "JuTJHwXo2Yc") is Standing.CLEAR


def test_a_list_of_nobody(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({f"{KID}.json": crl()})
    assert standing(found, "any") is Standing.CLEAR


def test_a_server_that_is_gone_is_not_waited_for_again_and_again(tmp_path: Path) -> None:
    found = desk(tmp_path)
    kids = [f"kid{number}" for number in range(20)]
    server = service(
        key_set(jwk(PLAIN), *(jwk(kid, 1) for kid in kids)), {"kid0": crl("a", kid="kid0")} | dict.fromkeys(kids[1:], 0)
    )
    change = found.fetch(server)
    assert (len(server.asked), len(change.skipped)) == (5, 19)
    assert [standing(found, "b", kid) for kid in ("kid0", "kid1", PLAIN)] == [
        Standing.CLEAR,
        Standing.UNKNOWN,
        Standing.CLEAR,
    ]


BAD = {
    "no JSON": b"",
    "no object": b"[]",
    "a member twice": b'{"kid": "a", "kid": "a"}',
    "another kid": crl("a", kid=OTHER),
    "no kid": crl("a", kid=None),
    "another method": crl("a", method="hash"),
    "no method": crl("a", method=None),
    "a list as method": crl("a", method=["rid"]),
    "another number": crl("a", ctr=2),
    "a number as text": crl("a", ctr="1"),
    "a boolean as number": crl("a", ctr=True),
    "a fraction as number": crl("a", ctr=1.0),
    "no array": crl(rids={}),
    "a rid that is no text": crl(1),
    "an empty rid": crl(""),
    "an empty rid with a moment": crl(".1600000000"),
    "a rid that is too long": crl("a" * 25),
    "a rid that is not base64url": crl("a+b"),
    "a rid with padding": crl("base64=="),
    "a rid twice": crl("a", "b", "a"),
    "a rid with and without a moment": crl("a.1600000000", "a"),
    "a rid with two moments": crl("a.1", "a.2"),
    "no moment": crl("a."),
    "a moment that is no number": crl("a.1x"),
    "a moment in digits of other scripts": crl("a.²"),
    "a fraction of a second": crl("a.1.5"),
    "a moment before all": crl("a.-1"),
    "a moment after all": crl("a." + "9" * 13),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_list(tmp_path: Path, data: bytes) -> None:
    """It is refused when it is the only one, and skipped among others."""
    keys = key_set(jwk(KID, 1), jwk(PLAIN))
    assert desk(tmp_path / "alone").refusal({"jwks.json": key_set(jwk(KID, 1)), f"{KID}.json": data}) == (
        "REVOCATION_LIST_UNREADABLE"
    )
    found = desk(tmp_path)
    change = found.install({"jwks.json": keys, f"{KID}.json": data})
    assert [(source, code[-15:]) for source, code in found.skipped(change)] == [(KID, "LIST_UNREADABLE")]
    assert standing(found, "a") is Standing.UNKNOWN
    assert standing(found, "a", PLAIN) is Standing.CLEAR


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"readme.txt": b""},
        {"a/k.json": crl(kid="k"), "b/k.json": crl(kid="k")},
        {"jwks.json": b"{}"},
        {"jwks.json": b'{"keys": {}}'},
        {"jwks.json": key_set(1)},
        {"jwks.json": key_set(jwk(1))},
        {"jwks.json": key_set(jwk("../a", 1))},
        {"jwks.json": key_set(jwk(KID), jwk(KID))},
        {"jwks.json": key_set(jwk(KID, None))},
        {"jwks.json": key_set(jwk(KID, "1"))},
        {"jwks.json": key_set(jwk(KID, -1))},
        {"jwks.json": key_set(jwk(KID, 1))},
        {"no kid.json": crl(kid="no kid")},
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert desk(tmp_path).refusal(files) == "REVOCATION_LIST_UNREADABLE"


@pytest.mark.parametrize(
    "issuer", ["", "issuer.example", "http://issuer.example", f"{ISS}/", f"{ISS}?a", f"{ISS}#a", f"{ISS}/{'a' * 1024}"]
)
def test_the_issuer_is_an_address(tmp_path: Path, issuer: str) -> None:
    files = {f"{KID}.json": crl()}
    assert desk(tmp_path, issuer).refusal(files) == "REVOCATION_CONFIG_INVALID"
    assert Desk(tmp_path, "shc").refusal(files) == "REVOCATION_CONFIG_INVALID"


def test_more_keys_than_are_taken(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.limits = Limits(list_pages=1)
    assert found.refusal({"jwks.json": key_set(jwk(KID), jwk(OTHER))}) == "INPUT_TOO_LONG"
    found.install({"jwks.json": key_set(jwk(KID))})


def test_a_key_set_of_one_key_alone(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({"jwks.json": json.dumps(jwk(KID, 1)).encode(), f"{KID}.json": crl("a")})
    assert standing(found, "a") is Standing.HIT


# --- numbers never fall ---


def test_an_older_list_does_not_come_back(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({f"{KID}.json": crl("a", "b", ctr=5), "other.json": crl(kid=OTHER)})
    change = found.install({f"{KID}.json": crl("a", ctr=4), "other.json": crl(kid=OTHER)})
    assert found.skipped(change) == [(KID, "REVOCATION_LIST_ROLLED_BACK")]
    assert standing(found, "b") is Standing.HIT
    assert standing(found, "c") is Standing.UNKNOWN
    change = found.install({f"{KID}.json": crl("c", ctr=5), "other.json": crl(kid=OTHER)})
    assert found.skipped(change) == [(KID, "REVOCATION_LIST_EQUIVOCATES")]
    # The same list in another order is the same list.
    assert found.install({f"{KID}.json": crl("b", "a", ctr=5)}).skipped == ()
    assert standing(found, "c") is Standing.CLEAR
    found.install({f"{KID}.json": crl("c", "b", ctr=6)})
    assert [standing(found, rid) for rid in "abc"] == [Standing.CLEAR, Standing.HIT, Standing.HIT]


def test_a_key_that_is_gone_for_a_while(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install({f"{KID}.json": crl("a", ctr=5)})
    found.install({"jwks.json": key_set(jwk(OTHER))})
    assert standing(found, "b") is Standing.UNKNOWN
    assert found.refusal({f"{KID}.json": crl(ctr=4)}) == "REVOCATION_LIST_ROLLED_BACK"
    # Nor does a key that had a list stop having one.
    assert found.refusal({"jwks.json": key_set(jwk(KID))}) == "REVOCATION_LIST_ROLLED_BACK"
    assert standing(found, "a") is Standing.HIT


# --- fetching ---


def test_only_lists_that_changed_are_fetched(tmp_path: Path) -> None:
    found = desk(tmp_path)
    lists = {KID: crl("a"), OTHER: crl("b", kid=OTHER)}
    server = service(key_set(jwk(KID, 1), jwk(OTHER, 1), jwk(PLAIN)), lists, '"1"')
    assert found.fetch(server).records == 2
    assert [url.rpartition("/")[2] for url in server.urls] == ["jwks.json", f"{KID}.json", "other.json"]
    assert found.fetch(server).unchanged
    assert server.asked == [(KEY_SET, {"If-None-Match": '"1"'})]
    server = service(key_set(jwk(KID, 2), jwk(OTHER, 1)), lists | {KID: crl("c", ctr=2)}, '"2"')
    found.fetch(server)
    assert [url.rpartition("/")[2] for url in server.urls] == ["jwks.json", f"{KID}.json"]
    assert [standing(found, rid) for rid in "ac"] == [Standing.CLEAR, Standing.HIT]
    assert standing(found, "b", OTHER) is Standing.HIT
    # The number of the key went back, and nothing is fetched for it.
    server = service(key_set(jwk(KID, 1), jwk(OTHER, 1)), lists)
    assert found.skipped(found.fetch(server)) == [(KID, "REVOCATION_LIST_ROLLED_BACK")]
    assert server.urls == [KEY_SET]
    assert standing(found, "c") is Standing.HIT
    assert standing(found, "d") is Standing.UNKNOWN


def test_a_list_that_cannot_be_fetched_is_asked_for_again(tmp_path: Path) -> None:
    found = desk(tmp_path)
    keys = key_set(jwk(KID, 1), jwk(OTHER, 1))
    change = found.fetch(service(keys, {KID: crl("a")}, '"1"'))
    assert found.skipped(change) == [(OTHER, "FETCH_FAILED")]
    assert standing(found, "a") is Standing.HIT
    assert standing(found, "b", OTHER) is Standing.UNKNOWN
    server = service(keys, {KID: crl("a"), OTHER: crl("b", kid=OTHER)}, '"1"')
    found.fetch(server)
    assert [url.rpartition("/")[2] for url in server.urls] == ["jwks.json", "other.json"]
    assert standing(found, "b", OTHER) is Standing.HIT


def test_when_nothing_can_be_fetched(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.failure(Server({})) == "FETCH_FAILED"
    assert found.failure(service(key_set(jwk(KID, 1)), {})) == "FETCH_FAILED"
    assert found.failure(service(key_set(jwk(KID, 1)), {KID: crl(ctr=2)})) == "REVOCATION_LIST_UNREADABLE"
    assert found.failure(service(b"<html>", {})) == "REVOCATION_LIST_UNREADABLE"


def test_another_issuer_has_lists_of_its_own(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = service(key_set(jwk(KID, 1)), {KID: crl("a")}, '"1"')
    found.fetch(server)
    elsewhere = "https://else.example"
    other = desk(tmp_path, elsewhere)
    other.fetch(server)
    assert standing(other, "a", issuer=elsewhere) is Standing.HIT
    assert standing(other, "a") is Standing.UNKNOWN


# --- whatever comes ---


@settings(max_examples=60, deadline=None)
@given(WEIRD | spoiled(json.loads(crl("a", "b.16"))) | spoiled(json.loads(key_set(jwk(KID, 1)))), st.booleans())
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, document: Any, keys: bool) -> None:
    data = json.dumps(document).encode()
    files = {"jwks.json": data if keys else key_set(jwk(KID, 1)), f"{KID}.json": crl("a") if keys else data}
    survives(tmp_path_factory.mktemp("store"), "shc", files, issuer=ISS)


@given(st.binary(max_size=60))
def test_nothing_else_escapes_from_a_list(data: bytes) -> None:
    with pytest.raises((RevocationError, TrustError)):
        read_crl(data, KID)
