"""One faulty layer at a time, everything else sound: the fault is found at its step, under its code."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.encoding import base45, deflate
from healthcert.intake.record import ENTRY_TYPES
from healthcert.issue.pki import KeyKind
from tests.support import (
    DAY,
    NOW,
    PAYLOAD,
    RECOVERY_ENTRY,
    TEST_ENTRY,
    Press,
    csca,
    dsc,
    outcomes,
    payload,
    payload_with,
    trust,
    vaccination,
    verifier,
    without,
)

HOUR = 3600
MONTH = 30 * 86400  # how long the press makes a certificate valid
T = int(NOW.timestamp())
OTHER = dsc(hc.EntryType.TEST, hc.EntryType.RECOVERY)
RSA = dsc(kind=KeyKind.RSA_3072)


def press(**changes: Any) -> str:
    return Press(**changes).text()


def test_the_press_makes_a_certificate_that_is_accepted_without_a_warning() -> None:
    report = verifier().examine(press())
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.warnings == ()
    assert outcomes(report) == dict.fromkeys(
        ("recognise", "decode", "trust", "signature", "time", "content", "usage"), "passed"
    ) | {"revocation": "not_run", "rules": "not_run"}


def bomb(_data: bytes) -> bytes:
    return zlib.compress(b"\x00" * (hc.Limits().inflated_bytes + 1))


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def other_key(data: bytes) -> bytes:
    return OTHER.signer().sign(data)


def der_signature(data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    raw = dsc().signer().sign(data)
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


FAULTS: list[tuple[str, Callable[[], str], str, str]] = [
    # HCERT specification §4.2.2: the context identifier.
    ("H1 another prefix", lambda: press(prefix="HL0:"), "recognise", "INVALID_SCHEME_PREFIX"),
    ("H2 a later version", lambda: press(prefix="HC2:"), "recognise", "UNSUPPORTED_VERSION"),
    ("H2 version letters", lambda: press(prefix="HCZ:"), "recognise", "UNSUPPORTED_VERSION"),
    ("H3 no prefix", lambda: press(prefix=""), "recognise", "INVALID_SCHEME_PREFIX"),
    ("a lower-case prefix", lambda: press(prefix="hc1:"), "recognise", "INVALID_SCHEME_PREFIX"),
    ("a text key in the hcert claim", lambda: press(claims={-260: {1: payload(), "x": 1}}), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("a sibling's prefix", lambda: press(prefix="DK3:"), "recognise", "FAMILY_NOT_ACCEPTED"),
    ("a space before the prefix", lambda: press(prefix=" HC1:"), "recognise", "INVALID_SCHEME_PREFIX"),
    ("nothing", lambda: "", "recognise", "INVALID_SCHEME_PREFIX"),
    ("too much text", lambda: press(prefix="HC1:" + "A" * 4300), "recognise", "INPUT_TOO_LONG"),
    # RFC 9285 §6.
    ("B1 outside the alphabet", lambda: press() + "a", "decode", "BASE_45_DECODING_FAILED"),
    ("base45 group too large", lambda: "HC1::::", "decode", "BASE_45_DECODING_FAILED"),
    ("only the prefix", lambda: "HC1:", "decode", "DECOMPRESSION_FAILED"),
    # RFC 1950.
    ("Z1 a broken stream", lambda: press(compress=lambda d: deflate.deflate(d)[:-4]), "decode", "DECOMPRESSION_FAILED"),
    ("Z2 not compressed", lambda: press(compress=lambda d: d), "decode", "DECOMPRESSION_FAILED"),
    ("gzip", lambda: press(compress=gzip.compress), "decode", "DECOMPRESSION_FAILED"),
    ("raw deflate", lambda: press(compress=raw_deflate), "decode", "DECOMPRESSION_FAILED"),
    ("bytes after the stream", lambda: press(compress=lambda d: zlib.compress(d) + b"\0"), "decode", "DECOMPRESSION_FAILED"),
    ("two streams", lambda: press(compress=lambda d: zlib.compress(d) * 2), "decode", "DECOMPRESSION_FAILED"),
    ("a bomb", lambda: press(compress=bomb), "decode", "DECOMPRESSION_FAILED"),
    # RFC 9052 §4.2.
    ("bytes after the message", lambda: press(outer=lambda d: d + b"\0"), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("COSE_Mac0", lambda: press(tag=lambda m: cbor2.CBORTag(17, m)), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("COSE_Sign", lambda: press(tag=lambda m: cbor2.CBORTag(98, m)), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("CWT tag alone", lambda: press(tag=lambda m: cbor2.CBORTag(61, m)), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("five elements", lambda: press(tag=lambda m: [*m, b""]), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("a map for an array", lambda: press(tag=lambda m: dict(enumerate(m))), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("a detached payload", lambda: press(tag=lambda m: [m[0], m[1], None, m[3]]), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("a text kid", lambda: press(kid="abcdefgh"), "decode", "COSE_DESERIALIZATION_FAILED"),
    ("crit", lambda: press(protected={1: -7, 2: [99], 4: dsc().signer().kid, 99: 1}), "decode", "CRITICAL_HEADER_UNKNOWN"),
    ("nested too deep", lambda: press(cwt=b"\x81" * 10_000 + b"\0"), "decode", "CBOR_DESERIALIZATION_FAILED"),
    # RFC 8392, HCERT specification §3.3.7.
    ("CBO1 not a map under the claim", lambda: press(payload=b"\xa0"), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("CBO2 broken claims", lambda: press(cwt=b"\xff\xff"), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("claims in an array", lambda: press(cwt=b"\x80"), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("no hcert claim", lambda: press(claims={-260: ...}), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("a claim key that equals an integer", lambda: press(cwt=cbor2.dumps({1: "FR", 4.0: T + 60, 6: T - 60, -260: {1: payload()}})), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("true for key 1", lambda: press(claims={-260: {True: payload()}}), "decode", "CBOR_DESERIALIZATION_FAILED"),
    ("a claim twice", lambda: press(cwt=b"\xa2\x04\x01\x04\x02"), "decode", "CBOR_DESERIALIZATION_FAILED"),
    # HCERT specification §3.3.3.
    ("CO23 a kid nobody has", lambda: press(kid=b"12345678"), "trust", "KEY_NOT_IN_TRUST_LIST"),
    (
        "CO22 the right kid only unprotected",
        lambda: press(protected={1: -7, 4: b"foo"}, unprotected={4: dsc().signer().kid}),
        "trust",
        "KEY_NOT_IN_TRUST_LIST",
    ),
    ("CO25 a short kid", lambda: press(kid=dsc().signer().kid[:7]), "trust", "KEY_NOT_IN_TRUST_LIST"),
    ("CO26 a long kid", lambda: press(kid=dsc().signer().kid + b"\0"), "trust", "KEY_NOT_IN_TRUST_LIST"),
    ("no kid", lambda: press(protected={1: -7}), "trust", "KEY_NOT_IN_TRUST_LIST"),
    # HCERT specification §3.3.2, RFC 9053 §2.
    ("CO4 another algorithm", lambda: press(alg=-35), "signature", "ALGORITHM_NOT_ACCEPTED"),
    ("an unknown algorithm", lambda: press(alg=-65535), "signature", "ALGORITHM_NOT_ACCEPTED"),
    ("a named algorithm", lambda: press(alg="ES256"), "signature", "ALGORITHM_NOT_ACCEPTED"),
    ("no algorithm", lambda: press(protected={4: dsc().signer().kid}), "signature", "ALGORITHM_NOT_ACCEPTED"),
    ("CO27 alg for another key", lambda: press(alg=-37), "signature", "UNSUITABLE_PUBLIC_KEY_TYPE"),
    ("CO27 ES256 with an RSA key", lambda: press(pair=RSA), "signature", "UNSUITABLE_PUBLIC_KEY_TYPE"),
    ("CO5 three bytes", lambda: press(sign=lambda _: b"\1\2\3"), "signature", "SIGNATURE_INVALID"),
    ("CO24 too long", lambda: press(sign=lambda d: dsc().signer().sign(d) + b"\0"), "signature", "SIGNATURE_INVALID"),
    ("no signature", lambda: press(sign=lambda _: b""), "signature", "SIGNATURE_INVALID"),
    ("all zero", lambda: press(sign=lambda _: bytes(64)), "signature", "SIGNATURE_INVALID"),
    ("in DER", lambda: press(sign=der_signature), "signature", "SIGNATURE_INVALID"),
    ("one bit flipped", lambda: press(sign=lambda d: flipped(dsc().signer().sign(d))), "signature", "SIGNATURE_INVALID"),
    ("another key's", lambda: press(sign=other_key), "signature", "SIGNATURE_INVALID"),
    # HCERT specification §3.3.5, §3.3.6.
    ("CO16 before iat", lambda: press(claims={6: T + 1}), "time", "CWT_NOT_YET_VALID"),
    ("before nbf", lambda: press(claims={5: T + 1}), "time", "CWT_NOT_YET_VALID"),
    ("CO17 after exp", lambda: press(claims={4: T - 1}), "time", "CWT_EXPIRED"),
    ("no exp", lambda: press(claims={4: ...}), "time", "CWT_TIME_INVALID"),
    ("no iat", lambda: press(claims={6: ...}), "time", "CWT_TIME_INVALID"),
    ("exp is NaN", lambda: press(claims={4: float("nan")}), "time", "CWT_TIME_INVALID"),
    ("exp is infinite", lambda: press(claims={4: float("inf")}), "time", "CWT_TIME_INVALID"),
    ("exp is true", lambda: press(claims={4: True}), "time", "CWT_TIME_INVALID"),
    ("exp in milliseconds", lambda: press(claims={4: (T + HOUR) * 1000}), "time", "CWT_TIME_INVALID"),
    ("exp is text", lambda: press(claims={4: "2030-01-01"}), "time", "CWT_TIME_INVALID"),
    ("iat is negative", lambda: press(claims={6: -1}), "time", "CWT_TIME_INVALID"),
    ("issued before the key", lambda: press(claims={6: T - 25 * 86400}), "time", "ISSUED_BEFORE_KEY"),
    # DCC schema 1.3, hcert.md §3.
    ("DGC1 nothing but a name", lambda: press(payload=payload(v=None, dob=None)), "content", "SCHEMA_VALIDATION_FAILED"),
    ("no entry", lambda: press(payload=payload(v=None)), "content", "NO_ENTRY"),
    (
        "DGC2 three kinds",
        lambda: press(payload=payload(t=[TEST_ENTRY], r=[RECOVERY_ENTRY])),
        "content",
        "MULTIPLE_ENTRIES",
    ),
    ("two of a kind", lambda: press(payload=payload(v=PAYLOAD["v"] * 2)), "content", "MULTIPLE_ENTRIES"),
    (
        "DGC7 a detected result",
        lambda: press(payload=payload_with("t", TEST_ENTRY | {"tr": "260373001"})),
        "content",
        "TEST_RESULT_POSITIVE",
    ),
    (
        "a result that is no result",
        lambda: press(payload=payload_with("t", TEST_ENTRY | {"tr": ""})),
        "content",
        "TEST_RESULT_UNKNOWN",
    ),
    (
        "DGC8 a future sample",
        lambda: press(payload=payload_with("t", TEST_ENTRY | {"sc": "2021-08-20T10:00:01Z"})),
        "content",
        "EVENT_IN_FUTURE",
    ),
    ("a future dose", lambda: press(payload=vaccination(dt="2021-08-22")), "content", "EVENT_IN_FUTURE"),
    ("another claim", lambda: press(claims={-260: {-7: {"n": "X"}}}), "content", "CONTENT_NOT_SUPPORTED"),
    *[
        (f"v without {key}", lambda key=key: press(payload=payload(v=[without(PAYLOAD["v"][0], key)])), "content", code)
        for key, code in dict.fromkeys(PAYLOAD["v"][0], "SCHEMA_VALIDATION_FAILED").items()
    ],
    *[
        (f"t without {key}", lambda key=key: press(payload=payload_with("t", without(TEST_ENTRY, key))), "content", code)
        for key, code in dict.fromkeys(TEST_ENTRY.keys() - {"nm", "tc"}, "SCHEMA_VALIDATION_FAILED").items()
    ],
    *[
        (f"r without {key}", lambda key=key: press(payload=payload_with("r", without(RECOVERY_ENTRY, key))), "content", code)
        for key, code in dict.fromkeys(RECOVERY_ENTRY, "SCHEMA_VALIDATION_FAILED").items()
    ],
    *[
        (name, lambda changed=changed: press(payload=changed), "content", "SCHEMA_VALIDATION_FAILED")
        for name, changed in {
            "no such day": vaccination(dt="2021-02-30"),
            "a day with a line end": vaccination(dt="2021-06-11\n"),
            "Arabic digits": vaccination(dt="٢٠٢١-٠٦-١١"),
            "dose 0": vaccination(dn=0),
            "dose -1": vaccination(dn=-1),
            "dose as text": vaccination(dn="2"),
            "dose true": vaccination(dn=True),
            "dose 1.5": vaccination(dn=1.5),
            "country in lower case": vaccination(co="fr"),
            "a number for a code": vaccination(vp=1119349007),
            "no version": payload(ver=None),
            "a version of words": payload(ver="latest"),
            "no name": payload(nam={}),
            "empty names": payload(nam={"fn": "", "gn": ""}),
            "names of fillers": payload(nam={"fnt": "<", "gn": " "}),
            "birth date without a century": payload(dob="84-02-29"),
            "birth date in 1899": payload(dob="1899-12-31"),
            "no such birthday": payload(dob="1985-02-29"),
            "month 13": payload(dob="1984-13"),
            "sample without a time": payload_with("t", TEST_ENTRY | {"sc": "2021-08-19"}),
            "sample at 25 o'clock": payload_with("t", TEST_ENTRY | {"sc": "2021-08-19T25:00:00Z"}),
            "a group that is a map": payload(v={"0": PAYLOAD["v"][0]}),
            "an entry that is text": payload(v=["yes"]),
        }.items()
    ],
]  # fmt: skip


@pytest.mark.parametrize(("make", "step", "code"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_is_found_where_it_is(make: Callable[[], str], step: str, code: str) -> None:
    report = verifier(dsc(), RSA).examine(make())
    assert report.outcome is hc.Outcome.REFUSED
    assert (report.step, report.code) == (step, code)
    assert report[hc.Step(step)].outcome is hc.StepResult.FAILED


@pytest.mark.parametrize("usage", ENTRY_TYPES)
@pytest.mark.parametrize("group", ["v", "t", "r"])
def test_co6_to_co14_the_usage_of_the_dsc_decides_what_it_may_sign(group: str, usage: hc.EntryType) -> None:
    content = {"v": payload(), "t": payload_with("t", TEST_ENTRY), "r": payload_with("r", RECOVERY_ENTRY)}[group]
    pair = dsc(usage)
    report = verifier(pair).examine(press(payload=content, pair=pair))
    if usage.value.startswith(group):
        assert report.outcome is hc.Outcome.ACCEPTED
    else:
        assert (report.outcome, report.step, report.code) == ("refused", "usage", "KEY_USAGE_MISMATCH")


@pytest.mark.parametrize(
    ("at", "code"),
    [(NOW + 2 * 365 * DAY, "PUBLIC_KEY_EXPIRED"), (NOW - 21 * DAY, "PUBLIC_KEY_NOT_YET_VALID")],
)
def test_a_key_outside_its_validity_is_refused(at: Any, code: str) -> None:
    moment = int(at.timestamp())
    text = press(claims={4: moment + HOUR, 6: moment - HOUR})
    report = verifier(at=at).examine(text)
    assert (report.outcome, report.step, report.code) == ("refused", "time", code)


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(-1, "refused"), (0, "accepted"), (30 * 86400, "accepted"), (30 * 86400 + 1, "refused")]
)
def test_the_certificate_is_valid_from_iat_to_exp_both_included(seconds: int, outcome: str) -> None:
    at = NOW - timedelta(hours=1) + timedelta(seconds=seconds)
    assert verifier(at=at).examine(press()).outcome == outcome


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(-61, "refused"), (-60, "accepted"), (30 * 86400 + 60, "accepted"), (30 * 86400 + 61, "refused")],
)
def test_clock_skew_widens_both_ends(seconds: int, outcome: str) -> None:
    at = NOW - timedelta(hours=1) + timedelta(seconds=seconds)
    policy = hc.Policy(clock_skew=timedelta(minutes=1))
    assert verifier(policy=policy, at=at).examine(press()).outcome == outcome


def test_an_empty_store_leaves_the_standing_undetermined() -> None:
    report = hc.Verifier(hc.TrustStore(), clock=hc.FixedClock(NOW)).examine(press())
    assert (report.outcome, report.step, report.code) == ("undetermined", "trust", "TRUST_STORE_EMPTY")
    assert report.certificate is None


def test_required_revocation_without_lists_leaves_the_standing_undetermined() -> None:
    policy = hc.Policy(revocation=hc.RevocationCheck.REQUIRED)
    report = verifier(policy=policy).examine(press())
    assert (report.outcome, report.step, report.code) == ("undetermined", "revocation", "REVOCATION_UNKNOWN")


def test_rsa_below_2048_bits_is_refused_unless_the_policy_lowers_the_bar() -> None:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    store = trust()
    store.add_public_key(
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), kid=b"weak-rsa"
    )
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    text = press(alg=-37, kid=b"weak-rsa", sign=lambda data: key.sign(data, pss, SHA256()))
    clock = hc.FixedClock(NOW)
    report = hc.Verifier(store, clock=clock).examine(text)
    assert (report.outcome, report.step, report.code) == ("refused", "signature", "PUBLIC_KEY_TOO_WEAK")
    lenient = hc.Verifier(store, policy=hc.Policy(rsa_bits=1024), clock=clock).examine(text)
    assert lenient.outcome is hc.Outcome.ACCEPTED
    assert [warning.code for warning in lenient.warnings] == ["KEY_DATES_UNKNOWN"]


def test_a_policy_refuses_families_and_entry_types_it_does_not_name() -> None:
    no_family = hc.Policy(families=frozenset())
    assert verifier(policy=no_family).examine(press()).code == "FAMILY_NOT_ACCEPTED"
    only_tests = hc.Policy(entry_types=frozenset((hc.EntryType.TEST,)))
    report = verifier(policy=only_tests).examine(press())
    assert (report.step, report.code) == ("content", "ENTRY_TYPE_NOT_ACCEPTED")


def test_a_csca_key_in_the_store_does_not_sign_for_its_dscs() -> None:
    assert verifier(csca()).examine(press()).code == "KEY_NOT_IN_TRUST_LIST"


def test_base45_of_another_text_is_not_mixed_in() -> None:
    first, second = press(), press(payload=vaccination(dn=3))
    spliced = first[:300] + second[300:]
    assert verifier().examine(spliced).outcome is hc.Outcome.REFUSED
    assert base45.decode(first[4:]) != base45.decode(second[4:])


@pytest.mark.parametrize("prefix", ["NL2:", "shc:/", "NZCP:/", "DC04"])
def test_a_text_of_another_family_is_told_by_its_name(prefix: str) -> None:
    report = verifier().examine(press(prefix=prefix))
    assert (report.step, report.code) == ("recognise", "INVALID_SCHEME_PREFIX")
    assert report.detail.endswith("which is not supported")


def test_hostile_headers_leave_nothing_behind() -> None:
    from healthcert.encoding import cose

    examine = verifier().examine
    cose._decode_protected.cache_clear()
    for number in range(50):
        header = cbor2.dumps({1: -7, 4: number.to_bytes(8), 5: [{}] * 60_000})
        message = b"\xd2\x84" + cose._bstr(header) + b"\xa0\x41\xa0\x41\x00"
        assert examine("HC1:" + base45.encode(deflate.deflate(message))).outcome is hc.Outcome.REFUSED
    assert cose._decode_protected.cache_info().currsize == 0


def test_a_stored_block_has_no_room_for_other_bits() -> None:
    # RFC 1951 §3.2.4: what an RSA certificate compresses to; five bits before the next byte are ignored.
    stored = zlib.compress(bytes(range(256)) * 2, 0)
    assert deflate.inflate(stored, limit=1000) == bytes(range(256)) * 2
    for bit in range(3, 8):
        with pytest.raises(hc.DecodeError):
            deflate.inflate(stored[:2] + bytes((stored[2] | 1 << bit,)) + stored[3:], limit=1000)
