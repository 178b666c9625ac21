"""Certificates of this package under other people's code, and theirs under this package's.

Two second opinions: pycose (the extra ``cose``), and a script of cbor2, zlib and ``cryptography`` that shares
nothing with the package. Each must accept what the other side issued, and refuse what was tampered with.
"""

from __future__ import annotations

import zlib
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

import healthcert as hc
from healthcert.issue.pki import KeyKind, KeyPair
from tests import support

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@pytest.fixture(params=KeyKind, ids=lambda kind: kind.value)
def pair(request: pytest.FixtureRequest) -> KeyPair:
    return support.dsc(kind=request.param)


def kid_of(pair: KeyPair) -> bytes:
    """HCERT specification, Appendix A: the first 8 bytes of the SHA-256 of the certificate."""
    return pair.certificate.fingerprint(hashes.SHA256())[:8]


def claims() -> dict[int, Any]:
    issued_at = int(support.NOW.timestamp()) - 3600
    return {1: "FR", 4: issued_at + 30 * 86400, 6: issued_at, -260: {1: support.payload()}}


# --- The script: the whole way in either direction, by hand ---


def unwrap(text: str) -> list[Any]:
    """The four elements of the COSE_Sign1 in an HC1 text."""
    digits = [SYMBOLS.index(character) for character in text.removeprefix("HC1:")]
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    numbers = [(sum(digit * 45**place for place, digit in enumerate(group)), len(group) - 1) for group in groups]
    message = cbor2.loads(zlib.decompress(b"".join(number.to_bytes(size, "big") for number, size in numbers)))
    assert message.tag == 18
    return list(message.value)


def wrap(message: bytes) -> str:
    """The HC1 text of a COSE message."""
    data, text = zlib.compress(message, 9), "HC1:"
    for start in range(0, len(data), 2):
        number = int.from_bytes(data[start : start + 2], "big")
        for _ in data[start : start + 2] + b"+":
            number, digit = divmod(number, 45)
            text += SYMBOLS[digit]
    return text


def script_sign(pair: KeyPair, claims: dict[int, Any]) -> list[Any]:
    payload, key = cbor2.dumps(claims), pair.key
    protected = cbor2.dumps({1: -7 if isinstance(key, ec.EllipticCurvePrivateKey) else -37, 4: kid_of(pair)})
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return [protected, {}, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")]
    return [protected, {}, payload, key.sign(signed, PSS, hashes.SHA256())]


def script_verifies(pair: KeyPair, parts: list[Any]) -> bool:
    protected, _, payload, signature = parts
    signed, key = cbor2.dumps(["Signature1", protected, b"", payload]), pair.certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, PSS, hashes.SHA256())
        else:
            raise TypeError("a key of another kind")
    except InvalidSignature:
        return False
    return True


# --- pycose ---


def pycose_key(pair: KeyPair, *, private: bool) -> Any:
    keys = pytest.importorskip("pycose.keys", reason="needs the extra 'cose'")
    from pycose.keys.curves import P256

    if isinstance(pair.key, ec.EllipticCurvePrivateKey):
        secret = pair.key.private_numbers()
        parts = {"x": secret.public_numbers.x, "y": secret.public_numbers.y}
        parts |= {"d": secret.private_value} if private else {}
        return keys.EC2Key(crv=P256, **{name: number.to_bytes(32, "big") for name, number in parts.items()})
    numbers = pair.key.private_numbers()
    parts = {"n": numbers.public_numbers.n, "e": numbers.public_numbers.e}
    if private:
        parts |= {"d": numbers.d, "p": numbers.p, "q": numbers.q}
        parts |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qinv": numbers.iqmp}
    return keys.RSAKey(**{name: number.to_bytes(-(-number.bit_length() // 8), "big") for name, number in parts.items()})


def pycose_sign(pair: KeyPair, claims: dict[int, Any], *, kid_protected: bool = True) -> bytes:
    key = pycose_key(pair, private=True)
    from pycose.algorithms import Es256, Ps256
    from pycose.headers import KID, Algorithm
    from pycose.messages.sign1message import Sign1Message

    algorithm = {Algorithm: Es256 if isinstance(pair.key, ec.EllipticCurvePrivateKey) else Ps256}
    kid = {KID: kid_of(pair)}
    message = Sign1Message(
        phdr=algorithm | kid if kid_protected else algorithm,
        uhdr={} if kid_protected else kid,
        payload=cbor2.dumps(claims),
        key=key,
    )
    encoded: bytes = message.encode()
    return encoded


def pycose_verifies(pair: KeyPair, parts: list[Any]) -> bool:
    key = pycose_key(pair, private=False)
    from pycose.messages.sign1message import Sign1Message

    protected, unprotected, payload, signature = parts
    # Its own decode wants lists where cbor2 6 makes tuples, so it is given the elements.
    message = Sign1Message.from_cose_obj([protected, dict(unprotected), payload, signature], True)
    message.key = key
    return bool(message.verify_signature())


# --- What is issued here is accepted there ---


@pytest.mark.parametrize("event", support.EVENTS.values(), ids=support.EVENTS)
def test_certificate_issued_here_verifies_under_pycose(pair: KeyPair, event: hc.Event) -> None:
    issued = support.issue(event, pair)
    assert pycose_verifies(pair, list(cbor2.loads(issued.cose).value))


@pytest.mark.parametrize("event", support.EVENTS.values(), ids=support.EVENTS)
def test_certificate_issued_here_is_read_and_verified_by_the_script(pair: KeyPair, event: hc.Event) -> None:
    issued = support.issue(event, pair)
    parts = unwrap(issued.text)
    assert script_verifies(pair, parts)
    assert parts == list(cbor2.loads(issued.cose).value)

    protected, unprotected, payload, signature = parts
    is_ec = isinstance(pair.key, ec.EllipticCurvePrivateKey)
    assert cbor2.loads(protected) == {1: -7 if is_ec else -37, 4: kid_of(pair)}
    assert unprotected == {}
    assert len(signature) == (64 if is_ec else 384)
    read = cbor2.loads(payload)
    assert (read[1], read[6], read[4]) == ("FR", support.NOW.timestamp(), issued.expires.timestamp())
    group = {"vaccination": "v", "test": "t", "recovery": "r"}[event.entry_type]
    assert read[-260][1]["nam"]["fn"] == support.HOLDER.family_name
    assert read[-260][1][group][0]["ci"] == issued.certificate_id


# --- What is issued there is accepted here ---


def accepted(pair: KeyPair, text: str) -> hc.Report:
    report = support.verifier(pair).examine(text)
    assert (report.outcome, report.code) == (hc.Outcome.ACCEPTED, hc.Code.OK), report.detail
    assert report.key is not None
    assert report.key.kid == kid_of(pair)
    assert report.certificate is not None
    assert report.certificate.raw == support.payload()
    return report


@pytest.mark.parametrize("kid_protected", [True, False], ids=["kid protected", "kid unprotected"])
def test_message_signed_by_pycose_is_accepted(pair: KeyPair, kid_protected: bool) -> None:
    accepted(pair, wrap(pycose_sign(pair, claims(), kid_protected=kid_protected)))


def test_message_signed_by_the_script_is_accepted_without_a_warning(pair: KeyPair) -> None:
    text = wrap(cbor2.dumps(cbor2.CBORTag(18, script_sign(pair, claims()))))
    assert accepted(pair, text).warnings == ()


def test_message_of_the_script_and_of_pycose_cover_the_same_bytes(pair: KeyPair) -> None:
    """The two second opinions check each other too, so that one mistake cannot hide in both."""
    assert pycose_verifies(pair, script_sign(pair, claims()))
    assert script_verifies(pair, list(cbor2.loads(pycose_sign(pair, claims())).value))


# --- What was tampered with is refused everywhere ---


def later_expiry(parts: list[Any]) -> None:
    changed = cbor2.loads(parts[2])
    parts[2] = cbor2.dumps({**changed, 4: changed[4] + 1})


def another_name(parts: list[Any]) -> None:
    assert b"EXEMPLAIRE" in parts[2]
    parts[2] = parts[2].replace(b"EXEMPLAIRE", b"EXEMPLAIRA")


def same_claims_encoded_otherwise(parts: list[Any]) -> None:
    changed = cbor2.loads(parts[2])
    parts[2] = cbor2.dumps(dict(reversed(changed.items())))


def header_added(parts: list[Any]) -> None:
    parts[0] = cbor2.dumps({**cbor2.loads(parts[0]), 3: "application/cwt"})


def same_header_encoded_otherwise(parts: list[Any]) -> None:
    parts[0] = cbor2.dumps(dict(reversed(cbor2.loads(parts[0]).items())))


def signature_bit(parts: list[Any]) -> None:
    parts[3] = parts[3][:-1] + bytes((parts[3][-1] ^ 1,))


TAMPERINGS = [
    later_expiry,
    another_name,
    same_claims_encoded_otherwise,
    header_added,
    same_header_encoded_otherwise,
    signature_bit,
]
tampered = pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)


@tampered
def test_tampered_message_is_refused_here_and_by_both_second_opinions(pair: KeyPair, tamper: Any) -> None:
    parts = list(cbor2.loads(support.issue(pair=pair).cose).value)
    untouched = list(parts)
    tamper(parts)
    assert parts != untouched

    text = wrap(cbor2.dumps(cbor2.CBORTag(18, parts)))
    report = support.verifier(pair).examine(text)
    assert report.outcome is hc.Outcome.REFUSED
    assert (report.code, report.step) == (hc.Code.SIGNATURE_INVALID, hc.Step.SIGNATURE)
    assert report.certificate is None
    assert not script_verifies(pair, parts)
    assert not pycose_verifies(pair, parts)


def test_signature_of_another_certificate_of_the_same_key_is_refused_by_all(pair: KeyPair) -> None:
    first = list(cbor2.loads(support.issue(support.VACCINATION, pair).cose).value)
    second = list(cbor2.loads(support.issue(support.RECOVERY, pair).cose).value)
    mixed = [*first[:3], second[3]]
    report = support.verifier(pair).examine(wrap(cbor2.dumps(cbor2.CBORTag(18, mixed))))
    assert (report.outcome, report.code) == (hc.Outcome.REFUSED, hc.Code.SIGNATURE_INVALID)
    assert not script_verifies(pair, mixed)
    assert not pycose_verifies(pair, mixed)
