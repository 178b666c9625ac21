"""What the pipeline does for all families alike: whose keys count, when a certificate ends, bytes, several at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.lists.anchors import Environment
from healthcert.model import Scan
from healthcert.trust.generation import Head, make_generation
from healthcert.trust.sources.protocol import Authority, Role
from tests import issuing
from tests.issuing import CASES, PLAIN
from tests.support import CLOCK, DAY, NOW, Press, csca, dsc, trust, verifier

SHC, NZCP = CASES["shc vaccination"], CASES["nzcp"]


def examine(case: issuing.Case, store: hc.TrustStore | None = None, at: datetime = NOW) -> hc.Report:
    policy = hc.Policy(families=hc.Policy().families | {"Swiss certificate light", "Austrian exemption certificate"})
    store = case.trust() if store is None else store
    return hc.Verifier(store, policy=policy, clock=hc.FixedClock(at)).examine(case.issue().text)


@pytest.mark.parametrize("name", CASES)
def test_every_family_is_accepted_with_its_key_and_no_other(name: str) -> None:
    case = CASES[name]
    assert examine(case).code == "OK"
    for other in CASES.values():
        if other.kind != case.kind:
            report = examine(case, other.trust())
            assert report.step == "trust", other.kind
            assert report.certificate is None


def test_a_key_is_of_its_issuer_alone() -> None:
    (key,) = SHC.trust()
    for issuer, told in (
        ("https://other.example/issuer", "only for: SHC of another issuer"),
        (None, "not as a key of the issuer that the certificate names"),
    ):
        report = examine(SHC, hc.TrustStore([dataclasses.replace(key, issuer=issuer)]))
        assert (report.code, report.step) == ("KEY_NOT_IN_TRUST_LIST", "trust")
        assert told in report.detail
        assert key.kid.decode() in report.detail, "a kid of text is told as text"


def test_a_key_by_its_issuer_has_no_dates_and_needs_none() -> None:
    (key,) = NZCP.trust()
    assert (key.not_before, key.not_after) == (None, None)
    assert not examine(NZCP).warnings
    ended = examine(NZCP, hc.TrustStore([dataclasses.replace(key, not_after=NOW - DAY)]))
    assert ended.code == "PUBLIC_KEY_EXPIRED"


@pytest.mark.parametrize(
    ("issue", "ends_at_exp"),
    [(NZCP.issue, True), (CASES["light"].issue, False)],
    ids=["NZCP", "LT1"],
)
def test_a_pass_has_ended_at_exp_itself_and_an_hcert_after_it(
    issue: Callable[[], hc.IssuedCertificate], ends_at_exp: bool
) -> None:
    issued = issue()
    assert issued.expires is not None
    case = NZCP if ends_at_exp else CASES["light"]
    for at, code in (
        (issued.expires - timedelta(seconds=1), "OK"),
        (issued.expires, "CWT_EXPIRED" if ends_at_exp else "OK"),
        (issued.expires + timedelta(seconds=1), "CWT_EXPIRED"),
    ):
        policy = hc.Policy(families=hc.Policy().families | {case.kind})
        report = hc.Verifier(case.trust(), policy=policy, clock=hc.FixedClock(at)).examine(issued.text)
        assert report.code == code, at


def test_a_document_outlives_the_certificate_that_was_valid_when_it_was_signed() -> None:
    case = CASES["2d-doc vaccination"]
    (key,) = case.trust()
    assert key.not_after is not None
    assert examine(case, at=key.not_after + 30 * DAY).code == "OK"
    early = hc.TrustStore([dataclasses.replace(key, not_after=NOW - 2 * DAY)])
    assert examine(case, early).code == "PUBLIC_KEY_EXPIRED"
    late = hc.TrustStore([dataclasses.replace(key, not_before=NOW + 2 * DAY)])
    assert examine(case, late).code == "PUBLIC_KEY_NOT_YET_VALID"


def authorities(fetched_at: datetime, *ders: bytes) -> hc.TrustStore:
    """A store with a list of authorities, and nothing else."""
    head = Head(
        source="icao",
        format="icao",
        assurance=hc.Assurance.SIGNED_LIST,
        digest=b"1",
        signed=b"1",
        fetched_at=fetched_at,
        loaded_at=fetched_at,
        max_age=24 * 3600,
    )
    store = hc.TrustStore()
    with store.transaction() as change:
        change.settle(Environment.PRODUCTION)
        change.put(make_generation(head, (), tuple(Authority(Role.CSCA, der, "FR", "ICAO") for der in ders)), {})
    return store


def test_authorities_that_are_too_old_tell_nothing() -> None:
    case = CASES["vds-nc vaccination"]
    assert examine(case, authorities(NOW, csca().certificate_der())).code == "OK"
    overdue = examine(case, authorities(NOW - 2 * DAY, csca().certificate_der()))
    assert (overdue.code, [warning.code for warning in overdue.warnings]) == ("OK", ["TRUST_LIST_STALE"])
    old = examine(case, authorities(NOW - 30 * DAY, csca().certificate_der()))
    assert (old.outcome, old.code) == ("undetermined", "TRUST_LIST_EXPIRED")
    # An authority of today is not on a list of long ago: that it is missing says nothing.
    missing = examine(case, authorities(NOW - 30 * DAY, issuing.austrian().certificate_der()))
    assert (missing.outcome, missing.code) == ("undetermined", "TRUST_LIST_EXPIRED")
    current = examine(case, authorities(NOW, issuing.austrian().certificate_der()))
    assert (current.outcome, current.code) == ("refused", "KEY_NOT_IN_TRUST_LIST")


def test_the_algorithms_are_the_familys_own_unless_the_policy_names_them() -> None:
    case = CASES["divoc test"]
    text = case.issue().text
    for algorithms, code in (
        (None, "OK"),
        ({hc.Algorithm.EdDSA}, "OK"),
        ({hc.Algorithm.ES256, hc.Algorithm.PS256}, "ALGORITHM_NOT_ACCEPTED"),
    ):
        policy = hc.Policy(algorithms=None if algorithms is None else frozenset(algorithms))
        assert hc.Verifier(case.trust(), policy=policy, clock=CLOCK).examine(text).code == code


@pytest.mark.parametrize("name", ["divoc vaccination", "nzcp", "shc test"])
def test_the_bytes_of_a_barcode_are_as_good_as_its_text(name: str) -> None:
    case = CASES[name]
    issued = case.issue()
    verifier = hc.Verifier(case.trust(), clock=CLOCK)
    data = b"".join(part if isinstance(part, bytes) else part.encode() for part in issued.wire.segments)
    for scanned in (data, Scan.of(data), issued.text):
        assert verifier.examine(scanned).code == "OK"
    assert [report.code for report in verifier.examine_many([data, issued.text])] == ["OK", "OK"]
    assert hc.inspect_unverified(data).problem is None


def wallet(*cards: hc.IssuedCertificate) -> str:
    return hc.ShcIssuer.file_of(*cards).decode()


def test_of_a_document_the_worst_certificate_speaks_for_all() -> None:
    good, other = SHC.issue(), issuing.shc().issue(issuing.SHC_TEST, holder=PLAIN)
    stranger = hc.ShcIssuer(issuing.key(), issuer="https://stranger.example", clock=CLOCK)
    bad = stranger.issue(issuing.SHC_DOSE, holder=PLAIN)
    verifier = hc.Verifier(SHC.trust(), clock=CLOCK)

    both = verifier.examine(wallet(good, other))
    assert (both.outcome, both.code, len(both.beside)) == ("accepted", "OK", 1)
    assert both.beside[0].outcome == "accepted"
    for cards in ((good, bad, other), (bad, good, other), (good, other, bad)):
        report = verifier.examine(wallet(*cards))
        assert (report.outcome, report.code) == ("refused", "KEY_NOT_IN_TRUST_LIST")
        assert [one.code for one in report.beside] == ["OK", "OK"]
        assert [one["code"] for one in report.to_dict()["beside"]] == ["OK", "OK"]
        with pytest.raises(hc.VerificationError, match="KEY_NOT_IN_TRUST_LIST"):
            verifier.verify(wallet(*cards))
    many = list(verifier.examine_many([wallet(good, bad), good.text]))
    assert [report.code for report in many] == ["KEY_NOT_IN_TRUST_LIST", "OK"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"verifiableCredential": []}', "NO_ENTRY"),
        (json.dumps({"verifiableCredential": ["eyJ.eyJ.x"] * 65}), "INPUT_TOO_LONG"),
        ('{"verifiableCredential": ["x"', "JSON_DESERIALIZATION_FAILED"),
        ("{" + " " * 300_000, "INPUT_TOO_LONG"),
    ],
    ids=["empty", "too many", "cut", "too long"],
)
def test_a_document_without_certificates_is_none(text: str, code: str) -> None:
    report = verifier().examine(text)
    assert (report.outcome, report.code, report.step) == ("refused", code, "recognise")


def test_a_family_without_lists_is_unknown_where_revocation_has_to_be_told() -> None:
    for case in (NZCP, CASES["vds-nc vaccination"], CASES["divoc vaccination"]):
        policy = hc.Policy(revocation=hc.RevocationCheck.REQUIRED)
        report = hc.Verifier(case.trust(), policy=policy, clock=CLOCK).examine(case.issue().text)
        assert (report.outcome, report.code) == ("undetermined", "REVOCATION_UNKNOWN")


def test_no_country_has_rules_about_other_families() -> None:
    report = hc.Verifier(NZCP.trust(), policy=hc.Policy(country="FR"), clock=CLOCK).examine(NZCP.issue().text)
    assert (report.outcome, report.code) == ("undetermined", "RULES_UNKNOWN")
    policy = hc.Policy(country="FR", rules=hc.RulesCheck.IF_AVAILABLE)
    assert hc.Verifier(NZCP.trust(), policy=policy, clock=CLOCK).examine(NZCP.issue().text).code == "OK"


def test_what_is_known_and_not_verified_is_not_called_invalid() -> None:
    for text, outcome, code in (
        ("NL2:ABC", "undetermined", "FAMILY_NOT_SUPPORTED"),
        ("CRED:1:BADGE:X", "undetermined", "FAMILY_NOT_SUPPORTED"),
        ("shlink:/eyJ1cmwiOiJodHRwczovL2EuZXhhbXBsZSJ9", "refused", "NOT_SIGNED"),
        ("HC2:ABC", "refused", "UNSUPPORTED_VERSION"),
        ("no certificate at all", "refused", "INVALID_SCHEME_PREFIX"),
    ):
        report = verifier().examine(text)
        assert (report.outcome, report.code) == (outcome, code), text
        assert report.detail


def test_an_hcert_is_verified_under_a_link_of_the_french_wallet() -> None:
    text = Press().text()
    escaped = "".join(character if character.isalnum() else f"%{ord(character):02X}" for character in text)
    link = f"https://bonjour.tousanticovid.gouv.fr/app/walletdcc#{escaped}"
    report = hc.Verifier(trust(dsc()), clock=CLOCK).examine(link)
    assert (report.code, report.family) == ("OK", "EU DCC")


def test_a_policy_has_to_name_only_families_that_there_are() -> None:
    with pytest.raises(ValueError, match="no such family: NL"):
        hc.Policy(families=frozenset({"NL"}))
    report = hc.Verifier(
        NZCP.trust(), policy=replace(hc.Policy(), families=frozenset({"EU DCC"})), clock=CLOCK
    ).examine(NZCP.issue().text)
    assert (report.code, report[hc.Step.SIGNATURE].outcome) == ("FAMILY_NOT_ACCEPTED", "passed")


def test_a_pass_from_the_last_second_of_time_is_no_accident() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    for case in CASES.values():
        assert examine(case, at=end).code not in ("GENERAL_ERROR", ""), case.kind


def test_what_is_beyond_all_limits_is_refused_before_it_is_copied() -> None:
    for given in ("x" * 2**20 + "x", b"x" * 2**20 + b"x", b"\r\n" * 2**20):
        report = verifier().examine(given)
        assert (report.code, report.step) == ("INPUT_TOO_LONG", "recognise")
        assert [found.code for found in verifier().examine_many([given])] == ["INPUT_TOO_LONG"]
        assert hc.inspect_unverified(given).problem is not None


def test_a_byte_order_mark_is_no_part_of_a_text() -> None:
    text = "\ufeff" + NZCP.issue().text
    verifier = hc.Verifier(NZCP.trust(), clock=CLOCK)
    assert [verifier.examine(text).code, *(found.code for found in verifier.examine_many([text]))] == ["OK", "OK"]
    assert hc.inspect_unverified(text).family == "NZ COVID Pass"


def test_of_many_what_is_no_text_is_no_accident_for_the_others() -> None:
    text = NZCP.issue().text
    verifier = hc.Verifier(NZCP.trust(), clock=CLOCK)
    found = list(verifier.examine_many([text, None, text]))  # type: ignore[list-item]
    assert [report.code for report in found] == ["OK", "GENERAL_ERROR", "OK"]


def test_issuers_that_are_not_there_are_not_remembered() -> None:
    store = SHC.trust()
    (key,) = store
    for number in range(50):
        assert not store.candidates(key.kid, domains=frozenset({"SHC"}), issuer=f"https://{number}.example")
    assert len(store._index.found) <= 1


def test_a_seal_ends_with_its_signer() -> None:
    case = CASES["vds-nc vaccination"]
    text = case.issue().text
    for at, code in ((NOW, "OK"), (NOW + 4000 * DAY, "PUBLIC_KEY_EXPIRED")):
        report = hc.Verifier(case.trust(), clock=hc.FixedClock(at)).examine(text)
        assert report.code == code
