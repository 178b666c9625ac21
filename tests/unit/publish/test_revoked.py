"""What revokes a certificate: its identifiers, from its text or from the one identifier that an issuer keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import healthcert as hc
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, IssueError
from healthcert.families import recognise
from healthcert.issue.pki import KeyKind
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish.revoked import RevokedEntry, entries_of_certificate, entries_of_uvci
from healthcert.revocation.identifiers import (
    IdentifierType,
    country_uci_hash,
    dutch_proof_id,
    french_dcc_hash,
    signature_hash,
    uci_hash,
    uvci_hash,
)
from tests.support import DAY, DVC, NOW, PAYLOAD, Press, dsc, issue, vaccination

SIGNATURE, UCI, BOTH = IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI
CI = PAYLOAD["v"][0]["ci"]
END = NOW + 30 * DAY - timedelta(hours=1)


def refused(call: Callable[[], object], detail: str) -> None:
    with pytest.raises(IssueError) as caught:
        call()
    assert caught.value.code is Code.PUBLISHING_REFUSED
    assert detail in caught.value.detail
    assert CI not in caught.value.detail


def test_a_certificate_is_named_by_each_type_that_is_asked_for() -> None:
    text = Press().text()
    signature = recognise(text, DEFAULT_LIMITS)[0].decode(text, DEFAULT_LIMITS).signature
    wanted = {
        BOTH: country_uci_hash("FR", CI),
        SIGNATURE: signature_hash(signature, Algorithm.ES256),
        UCI: uci_hash(CI),
        IdentifierType.UVCI: uvci_hash(CI),
        IdentifierType.NL_PROOF: dutch_proof_id(signature, Algorithm.ES256),
        IdentifierType.FR_DCC: french_dcc_hash(PAYLOAD["v"][0]["co"], CI),
    }
    kid = dsc().signer().kid
    found = entries_of_certificate(text + "\r\n", [BOTH, *wanted])
    assert [entry for entry in found if entry.type is not BOTH] == [
        RevokedEntry(type_, key, kid, "FR", END) for type_, key in wanted.items() if type_ is not BOTH
    ]
    assert found[0] == RevokedEntry(BOTH, wanted[BOTH], kid, "FR", END)
    assert found[0].expires == datetime(2021, 9, 19, 9, tzinfo=UTC)
    assert repr(found[0]) == "RevokedEntry(...)"


def test_of_an_rsa_signature_all_counts() -> None:
    text = issue(pair=dsc(kind=KeyKind.RSA_3072)).text
    signature = recognise(text, DEFAULT_LIMITS)[0].decode(text, DEFAULT_LIMITS).signature
    assert len(signature) == 384
    (found,) = entries_of_certificate(text, [SIGNATURE])
    assert found.key == signature_hash(signature, Algorithm.PS256)


def test_a_country_in_the_entry_counts_too_where_it_is_another() -> None:
    text = Press(payload=vaccination(co="DE"), claims={1: "FR"}).text()
    found = entries_of_certificate(text, [BOTH])
    assert [entry.key for entry in found] == [country_uci_hash("FR", CI), country_uci_hash("DE", CI)]
    assert {entry.country for entry in found} == {"FR"}


def test_without_issuer_the_entry_tells_the_country_and_without_end_there_is_none() -> None:
    (found,) = entries_of_certificate(Press(payload=vaccination(co="DE"), claims={1: ..., 4: ...}).text(), [UCI])
    assert (found.country, found.expires) == ("DE", None)
    (found,) = entries_of_certificate(Press(payload=vaccination(co=""), claims={1: "Somebody"}).text(), [UCI])
    assert found.country is None


def test_every_entry_of_a_certificate_is_named() -> None:
    payload = vaccination()
    payload["v"].append(payload["v"][0] | {"ci": "URN:UVCI:01:FR:OTHER#1"})
    found = entries_of_certificate(Press(payload=payload).text(), [UCI])
    assert [entry.key for entry in found] == [uci_hash(CI), uci_hash("URN:UVCI:01:FR:OTHER#1")]


@pytest.mark.parametrize(
    ("press", "detail"),
    [
        (Press(alg=-999), "algorithm"),
        (Press(payload={"ver": "1.3.0"}), "not an EU DCC with an entry"),
        (Press(payload=vaccination(ci=7)), "without an identifier"),
        (Press(payload=vaccination(ci="")), "without an identifier"),
        (Press(payload={"v": [None]}), "without an identifier"),
        (Press(payload={"v": {"ci": "x"}}), "not an EU DCC with an entry"),
        (Press(claims={-260: {-6: DVC}}), "not an EU DCC with an entry"),
        (Press(prefix="NO1:"), "not an EU DCC"),
    ],
)
def test_other_certificates_are_refused(press: Press, detail: str) -> None:
    refused(lambda: entries_of_certificate(press.text(), [UCI]), detail)


def test_what_cannot_be_had_is_refused() -> None:
    text = Press().text()
    refused(lambda: entries_of_certificate(text, [UCI, IdentifierType.SHC_RID]), "by its SHC-RID")
    broken = Press(sign=lambda _: b"short").text()
    refused(lambda: entries_of_certificate(broken, [SIGNATURE]), "of another length")
    for other in ("", "HC1:", "HC1:NCF", "hello"):
        with pytest.raises(DecodeError):
            entries_of_certificate(other, [UCI])


def of_uvci(uvci: str = CI, **changes: Any) -> list[RevokedEntry]:
    given: dict[str, Any] = {"country": "FR", "expires": END, "types": [UCI]} | changes
    return entries_of_uvci(uvci, **given)


def test_an_identifier_is_enough_for_what_is_made_of_it() -> None:
    types = [UCI, BOTH, IdentifierType.UVCI, IdentifierType.FR_DCC]
    found = of_uvci(types=[*types, UCI], kid=b"12345678")
    keys = [uci_hash(CI), country_uci_hash("FR", CI), uvci_hash(CI), french_dcc_hash("FR", CI)]
    assert found == [RevokedEntry(t, key, b"12345678", "FR", END) for t, key in zip(types, keys, strict=True)]
    assert of_uvci(expires=None)[0].expires is None


@pytest.mark.parametrize(
    ("uvci", "changes", "detail"),
    [
        ("", {}, "needed"),
        ("x" * 1001, {}, "needed"),
        (CI, {"country": "fr"}, "needed"),
        (CI, {"country": "FRA"}, "needed"),
        (CI, {"expires": datetime(2021, 9, 1)}, "time zone"),  # noqa: DTZ001
        (CI, {"types": [SIGNATURE]}, "by its SIGNATURE"),
        (CI, {"types": [UCI, IdentifierType.NL_PROOF]}, "by its NL-PROOF"),
        ("\ud800", {}, "surrogate"),
    ],
)
def test_what_is_not_enough(uvci: str, changes: dict[str, Any], detail: str) -> None:
    refused(lambda: of_uvci(uvci, **changes), detail)


def test_both_ways_lead_to_the_same() -> None:
    text = issue().text
    report = hc.Verifier(hc.TrustStore.from_certificates([dsc().certificate_der()]), clock=hc.FixedClock(NOW)).examine(
        text
    )
    assert report.certificate is not None
    (uvci,) = report.certificate.identifiers
    (one,) = entries_of_certificate(text, [BOTH])
    (other,) = of_uvci(uvci, types=[BOTH], expires=one.expires, kid=one.kid)
    assert one == other
