"""The French list, as it came and as it was handed on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from healthcert.trust.keys import Assurance
from healthcert.trust.sources.fr import French
from healthcert.trust.sources.protocol import Known, TrustList
from tests.support import dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    check_no_more,
    context,
    curve_key,
    damaged,
    kid_of,
    loaded,
    mutations,
    problems,
    refusal,
    spki_of,
)

SOURCE = French()
PLAIN = context()
KID = b64(kid_of(dsc()))
BARE = curve_key()


def twice(der: bytes) -> str:
    return b64(b64(der).encode())


ORIGINAL: dict[str, Any] = {
    "certificates2DDoc": {"FR03": "x"},
    "certificatesDCC": {KID: twice(dsc().certificate_der()), "AAAAAAAAAAA": twice(BARE)},
    "specificValues": {"validity": {}},
}
HANDED_ON: dict[str, Any] = {
    KID: {
        "serialNumber": "01",
        "subject": "CN=Test DSC, C=FR",
        "issuer": "C=FR, CN=Test CSCA",
        "notBefore": "2021-07-31T10:00:00.000Z",
        "notAfter": "2023-07-31T10:00:00.000Z",
        "fingerprint": "00" * 20,
        "publicKeyAlgorithm": {"name": "ECDSA", "namedCurve": "P-256"},
        "publicKeyPem": b64(spki_of(dsc())),
    }
}


def load(document: Any) -> TrustList:
    return SOURCE.load({"list": json.dumps(document).encode()}, PLAIN)


def handed_on(**changes: Any) -> TrustList:
    return load({KID: HANDED_ON[KID] | changes})


def test_the_list_as_it_came() -> None:
    found = load(ORIGINAL)
    assert (found.assurance, found.skipped) == (Assurance.TLS_ONLY, ())
    first, second = found.keys
    assert (first.kid, first.certificate, first.country, first.domain) == (
        kid_of(dsc()),
        dsc().certificate_der(),
        "FR",
        "DCC",
    )
    # A bare key, whose kid came without its padding.
    assert (second.kid, second.spki, second.certificate, second.not_after) == (b"\0" * 8, BARE, None, None)


def test_the_list_as_it_was_handed_on() -> None:
    found = load(HANDED_ON)
    (key,) = found.keys
    assert (found.assurance, key.kid, key.country, key.domain) == (Assurance.TLS_ONLY, kid_of(dsc()), "FR", "DCC")
    assert (str(key.not_before), str(key.not_after)) == ("2021-07-31 10:00:00+00:00", "2023-07-31 10:00:00+00:00")
    assert key.certificate is None


@pytest.mark.parametrize(
    "changes",
    [
        {"notBefore": "2020-01-01", "notAfter": "2030-01-01"},
        {"fingerprint": ""},
        {"fingerprint": None},
        {"notBefore": "2021-02-29", "notAfter": "soon"},
        {"notBefore": None, "notAfter": 5},
    ],
)
def test_dates_that_were_made_up_or_cannot_be_are_unknown(changes: dict[str, Any]) -> None:
    (key,) = handed_on(**changes).keys
    assert (key.not_before, key.not_after) == (None, None)


def test_a_certificate_says_more_than_what_was_handed_on() -> None:
    der = b64(dsc().certificate_der())
    (key,) = handed_on(publicKeyPem=der, subject="C=DE", notAfter="2099-01-01", notBefore="2000-01-01").keys
    assert (key.country, key.certificate) == ("FR", dsc().certificate_der())
    assert str(key.not_after) == "2023-07-31 10:00:00+00:00"


@pytest.mark.parametrize(
    ("subject", "country"),
    [
        ("C=FR, CN=x", "FR"),
        ("CN=x, O=y,C=fr", "FR"),
        ("C=UK, CN=x", "GB"),
        ("C=EL", "GR"),
        ("UNKNOWN", None),
        ("OC=FR", None),
        ("C=FRA", None),
        ("C=FR, O=y, C=DE", None),
        (None, None),
        (["C=FR"], None),
    ],
)
def test_countries(subject: Any, country: str | None) -> None:
    assert handed_on(subject=subject).keys[0].country == country


@pytest.mark.parametrize("document", [{}, {"error": "no"}, {"certificatesDCC": []}, {KID: {"x": 1}}, [], "x"])
def test_an_answer_that_is_no_list(document: Any) -> None:
    assert refusal(SOURCE, {"list": json.dumps(document).encode()}, PLAIN) == "TRUST_LIST_UNREADABLE"


def test_bad_entries_are_skipped() -> None:
    entries = {KID: twice(BARE), "BBBBBBBBBBB=": twice(dsc().certificate_der()), "CCCC": b64(BARE), "DDDD": 5}
    found = load({"certificatesDCC": entries})
    # The first is what cannot be told: a bare key in the place of a certificate.
    assert problems(found) == [
        ("entry 2", "its kid is not that of its certificate"),
        ("entry 3", "neither a certificate nor a public key in base64"),
        ("entry 4", "neither a certificate nor a public key in base64"),
    ]
    found = load(HANDED_ON | {"DDDD": 5, "!": HANDED_ON[KID]})
    assert problems(found) == [("entry 2", "no object"), ("entry 3", "its kid is not base64 of a few bytes")]


def test_more_entries_than_are_taken() -> None:
    assert refusal(SOURCE, {"list": json.dumps(ORIGINAL).encode()}, context(limits=FEW)) == "INPUT_TOO_LONG"


@pytest.mark.parametrize("document", [ORIGINAL, HANDED_ON], ids=["original", "handed on"])
def test_a_changed_list_has_no_other_keys(document: Any) -> None:
    good = load(document)
    for changed in mutations(document):
        check_no_more(good, loaded(SOURCE, {"list": changed}, PLAIN))


@given(damaged(json.dumps(ORIGINAL).encode(), json.dumps(HANDED_ON).encode()))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, PLAIN)


def test_the_token_is_a_bearers() -> None:
    server = Table({"https://example.fr/tacv": answer(b"{}")})
    SOURCE.fetch(server, "https://example.fr/tacv", Known(), context(token="abc"))
    assert server.asked == [("https://example.fr/tacv", {"Authorization": "Bearer abc"})]
