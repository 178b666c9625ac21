"""Which authority issued a DSC, and what its key is then worth."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from healthcert.errors import Code, TrustError
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust import chain
from healthcert.trust.chain import Authorities, chained_key, link
from tests.gateway_world import Pair, authority, make
from tests.support import DAY, NOW

FR = "FR"


def parsed(pair: Pair) -> Certificate:
    return parse_certificate(pair.der)


def test_the_issuer_is_found_among_those_of_its_name() -> None:
    cscas = [authority(), authority(), authority(FR, "other"), authority("DE", "CSCA")]
    known = Authorities(map(parsed, cscas))
    for csca in cscas[:3]:
        assert known.issuer_of(parsed(make(FR, "DSC", csca))).der == csca.der


def issuer_problem(known: Authorities, dsc: Pair) -> str:
    with pytest.raises(TrustError) as caught:
        known.issuer_of(parsed(dsc))
    assert caught.value.code is Code.KEY_NOT_CHAINED
    return caught.value.detail


def test_an_authority_that_is_not_there_is_told_from_one_that_did_not_sign() -> None:
    known = Authorities([parsed(authority())])
    assert issuer_problem(known, make(FR, "DSC", authority(FR, "x"))) == "no trusted authority of that name"
    assert issuer_problem(known, make(FR, "DSC", authority())) == "the issuer's signature does not verify"


def test_an_authority_of_another_country_issues_nothing_here() -> None:
    csca = authority("DE")
    assert issuer_problem(Authorities([parsed(csca)]), make(FR, "DSC", csca)) == "the authority is another country's"


def test_no_more_than_some_authorities_of_one_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    csca, namesakes = authority(), [parsed(authority()) for _ in range(3)]
    dsc = make(FR, "DSC", csca)
    monkeypatch.setattr(chain, "_MAX_TRIES", 3)
    assert Authorities([*namesakes[:2], parsed(csca)]).issuer_of(parsed(dsc)).der == csca.der
    assert issuer_problem(Authorities([*namesakes, parsed(csca)]), dsc)
    # One that is listed again and again is tried once, and one whose key is named comes first.
    assert Authorities([namesakes[0]] * 3 + [parsed(csca)]).issuer_of(parsed(dsc)).der == csca.der
    named = make(FR, "DSC", csca, issuer_key_id=parsed(csca).subject_key_id)
    assert Authorities([*namesakes, parsed(csca)]).issuer_of(parsed(named)).der == csca.der


def test_a_chained_key_is_valid_while_both_are() -> None:
    csca = parsed(authority(start=NOW - 5 * DAY, end=NOW + 5 * DAY))
    above = link("TA", csca)
    for start, end, expected in ((-9, 9, (-5, 5)), (-3, 3, (-3, 3)), (-9, 3, (-5, 3)), (-3, 9, (-3, 5))):
        key = chained_key(parsed(make(FR, "DSC", start=NOW + start * DAY, end=NOW + end * DAY)), csca, [above])
        assert (key.not_before, key.not_after) == (NOW + expected[0] * DAY, NOW + expected[1] * DAY)
        assert [one.role for one in key.chain] == ["CSCA", "TA"]


def test_names_of_links_are_what_is_known() -> None:
    certificate = parsed(make(FR, "DSC"))
    assert link("x", certificate).subject == "DSC"
    unnamed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, FR)]))
        .issuer_name(x509.Name([]))
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
    )
    der = unnamed.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    assert link("x", parse_certificate(der)).subject == FR
