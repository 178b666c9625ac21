"""Trusted issuers: the text that the trust anchor signed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from healthcert.errors import Code, TrustError
from healthcert.trust.sources.trusted_issuer import verify_trusted_issuer
from tests.gateway_world import (
    Pair,
    make,
    world,
)
from tests.unit.trust.sources.dgcg_lists import (
    FR,
    ISSUER,
)


def issuer(text: str, signed_by: Pair | None = None, *, attached: bool = False, **changes: Any) -> dict[str, Any]:
    message = (signed_by or world().anchor).cms(text.encode(), attached=attached)
    return ISSUER | {"signature": base64.b64encode(message).decode()} | changes


@pytest.mark.parametrize(("end", "form"), [(";", "gateway"), ("", "successor")])
@pytest.mark.parametrize("attached", [True, False])
def test_a_trusted_issuer_is_signed_in_either_spelling(end: str, form: str, attached: bool) -> None:
    given = issuer(f"FR;France;https://issuer.example/keys;HTTP{end}", attached=attached)
    found = verify_trusted_issuer(given, [world().anchor.anchor()])
    assert (found.country, found.url, found.type, found.form) == (FR, ISSUER["url"], "HTTP", form)


@pytest.mark.parametrize("member", ["country", "name", "url", "type"])
def test_no_member_of_a_trusted_issuer_can_be_changed(member: str) -> None:
    given = issuer("FR;France;https://issuer.example/keys;HTTP;")
    assert _refusal(given | {member: "XX"}) is Code.TRUST_LIST_NOT_AUTHENTIC
    for value in ("null", "", None, 5, "a;b"):
        assert _refusal(given | {member: value}) is Code.TRUST_LIST_UNREADABLE


def test_a_separator_cannot_move_between_the_members_of_a_trusted_issuer() -> None:
    given = issuer("FR;France;https://issuer.example/keys;HTTP;")
    moved = {"country": "FR;France", "name": "https://issuer.example/keys", "url": "HTTP", "type": ""}
    assert _refusal(given | moved) is Code.TRUST_LIST_UNREADABLE


def test_a_trusted_issuer_that_a_stranger_signed_is_none() -> None:
    given = issuer("FR;France;https://issuer.example/keys;HTTP;", make("EU", "Trust anchor"))
    assert _refusal(given) is Code.TRUST_LIST_NOT_AUTHENTIC


@pytest.mark.parametrize("signature", [None, "", "AAAA", "no base64"])
def test_a_trusted_issuer_without_a_signature_is_none(signature: Any) -> None:
    with pytest.raises(TrustError):
        verify_trusted_issuer(ISSUER | {"signature": signature}, [world().anchor.anchor()])


def test_a_trusted_issuer_of_no_text_is_none() -> None:
    given = issuer("FR;?;https://issuer.example/keys;HTTP;", name="\ud800")
    assert _refusal(given) is Code.TRUST_LIST_NOT_AUTHENTIC


def _refusal(given: Mapping[str, Any]) -> Code:
    with pytest.raises(TrustError) as caught:
        verify_trusted_issuer(given, [world().anchor.anchor()])
    return caught.value.code
