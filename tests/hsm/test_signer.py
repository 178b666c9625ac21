"""Signing with keys that are in a hardware module."""

from __future__ import annotations

import hashlib
import threading
from datetime import date

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import healthcert as hc
from healthcert.issue.hsm.keys import new_token_key
from healthcert.issue.hsm.signer import Pkcs11Signer
from healthcert.issue.hsm.uri import Pkcs11Uri
from healthcert.issue.pki import KeyKind, new_dsc
from tests import softhsm
from tests.hsm.keys import NOW, KeyOnToken, csca, dsc_of

RECOVERY = hc.Recovery(
    disease=hc.Coding("http://snomed.info/sct", "840539006"),
    first_positive=date(2025, 11, 10),
    valid_from=date(2025, 11, 21),
    valid_until=date(2026, 4, 9),
)


def open_signer(of: KeyOnToken, sessions: int = 2) -> Pkcs11Signer:
    return Pkcs11Signer(of.uri, of.certificate, pin=softhsm.PIN, sessions=sessions)


def test_a_certificate_issued_with_a_key_in_the_module_is_accepted(on_token: KeyOnToken) -> None:
    clock = hc.FixedClock(NOW)
    issuer = hc.Issuer(open_signer(on_token), country="FR", name="Ministry of Examples", clock=clock)
    issued = issuer.issue(RECOVERY, holder=hc.Holder("Exemple", "Zoé", "1984-02-29"))
    trust = hc.TrustStore.from_certificates([on_token.certificate])
    assert hc.Verifier(trust, clock=clock).examine(issued.text).outcome is hc.Outcome.ACCEPTED


def test_a_digest_alone_can_be_signed(on_token: KeyOnToken) -> None:
    signer = open_signer(on_token)
    signature = signer.sign(hashlib.sha256(b"certificate").digest(), prehashed=True)
    assert signer.algorithm.verify(on_token.key.public_key(), signature, b"certificate")
    with pytest.raises(hc.IssueError) as caught:
        signer.sign(b"certificate", prehashed=True)
    assert caught.value.code is hc.Code.SIGNING_FAILED


def test_the_key_does_not_leave_the_token(on_token: KeyOnToken) -> None:
    assert open_signer(on_token).extractable is False
    assert on_token.key.extractable is False


def test_a_certificate_of_another_key_is_refused(on_token: KeyOnToken) -> None:
    other = new_dsc(csca(), "Other", now=NOW).certificate_der()
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(on_token.uri, other, pin=softhsm.PIN)
    assert caught.value.code is hc.Code.SIGNER_KEY_MISMATCH


def test_the_certificate_tells_which_of_several_keys_is_meant(token: softhsm.SoftToken) -> None:
    made = [new_token_key(token.uri(f"Rollover {n}"), KeyKind.EC_P256, softhsm.PIN) for n in range(2)]
    for key in made:
        signer = Pkcs11Signer(token.uri(), dsc_of(key.public_key()), pin=softhsm.PIN)
        assert signer.algorithm.verify(key.public_key(), signer.sign(b"data"), b"data")


def test_many_threads_sign_over_few_sessions(on_token: KeyOnToken) -> None:
    signer = open_signer(on_token, sessions=3)
    public, failed = on_token.key.public_key(), []

    def work(number: int) -> None:
        for turn in range(8):
            data = f"{number} {turn}".encode()
            if not signer.algorithm.verify(public, signer.sign(data), data):
                failed.append(data)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(signer._pool._free) <= 3


def test_two_signers_of_one_token_do_not_disturb_each_other(on_token: KeyOnToken, ec_key: KeyOnToken) -> None:
    first, second = open_signer(on_token), open_signer(ec_key)
    first.close()
    assert second.algorithm.verify(ec_key.key.public_key(), second.sign(b"data"), b"data")
    assert first.algorithm.verify(on_token.key.public_key(), first.sign(b"data"), b"data")


def test_a_key_named_by_its_id(ec_key: KeyOnToken, token: softhsm.SoftToken) -> None:
    assert isinstance(ec_key.key, ec.EllipticCurvePrivateKey)
    ec_key.key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    held = ec_key.key._pool._free[0]
    named = Pkcs11Uri.parse(token.uri())
    uri = Pkcs11Uri(token=named.token, module_path=named.module_path, id=held.key.id)
    assert Pkcs11Signer(uri, ec_key.certificate, pin=softhsm.PIN).sign(b"data")


def test_the_module_of_the_environment(ec_key: KeyOnToken, monkeypatch: pytest.MonkeyPatch) -> None:
    uri, _, _ = ec_key.uri.partition("?")
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(uri, ec_key.certificate, pin=softhsm.PIN)
    assert caught.value.code is hc.Code.FIELD_INVALID
    monkeypatch.setenv("HEALTHCERT_PKCS11_MODULE", str(softhsm.module_file()))
    assert Pkcs11Signer(uri, ec_key.certificate, pin=softhsm.PIN).sign(b"data")


def test_no_session_is_no_way_to_sign(ec_key: KeyOnToken) -> None:
    with pytest.raises(hc.IssueError) as caught:
        open_signer(ec_key, sessions=0)
    assert caught.value.code is hc.Code.FIELD_INVALID


def test_nothing_secret_is_shown(ec_key: KeyOnToken) -> None:
    signer = open_signer(ec_key)
    assert softhsm.PIN not in repr(signer) + repr(signer._pool) + repr(ec_key.key)
