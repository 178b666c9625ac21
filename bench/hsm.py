"""Signing over PKCS #11 against the module's own rate: raw C_SignInit and C_Sign, in one process, in turns.

The lines tell how many times as long a signature takes, alone and in threads.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests import softhsm

from bench.lines import Line, MissingError, Settings
from bench.progress import say
from bench.timing import cost
from healthcert.issue.hsm.keys import TokenPrivateKey, new_token_key
from healthcert.issue.hsm.signer import Pkcs11Signer
from healthcert.issue.pki import KeyKind, new_csca

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNATURES = {KeyKind.EC_P256: 400, KeyKind.RSA_3072: 20}
THREADS = 4
MOST_TIMES = 1.3
DATA = os.urandom(600)  # a Sig_structure's size

_ECDSA, _RSA_PKCS_PSS, _SHA256, _MGF1_SHA256 = 0x1041, 0x0D, 0x250, 2
_Long = ctypes.c_ulong


class _Mechanism(ctypes.Structure):
    _fields_ = (("mechanism", _Long), ("parameter", ctypes.c_void_p), ("length", _Long))


class _PssParameters(ctypes.Structure):
    _fields_ = (("hash", _Long), ("mgf", _Long), ("salt_length", _Long))


def lines(settings: Settings) -> Iterator[Line]:
    """Each kind of key that a token holds."""
    if reason := softhsm.missing():
        raise MissingError(reason)
    token, _ = softhsm.shared_tokens()
    for kind, count in SIGNATURES.items():
        say(f"PKCS #11, {kind.value}")
        uri = token.uri(f"Bench {kind.value}")
        certificate = certificate_of(new_token_key(uri, kind, softhsm.PIN))
        signer = Pkcs11Signer(uri, certificate, pin=softhsm.PIN, sessions=THREADS)
        yield from measure(signer, count, settings)


def measure(signer: Pkcs11Signer, count: int, settings: Settings) -> Iterator[Line]:
    """One kind of key: a signature after the other, and several threads at once."""
    raws = [raw_calls(signer) for _ in range(THREADS)]

    def ours() -> None:
        for _ in range(count):
            signer.sign(DATA)

    def bare(raw: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                raw()

        return run

    name = f"sign {signer.algorithm.name} over PKCS #11"
    yield cost(f"{name}, against the module", ours, bare(raws[0]), settings, count=count, asked=MOST_TIMES)
    yield cost(
        f"{name} in {THREADS} threads, against the module in {THREADS}",
        threads([ours] * THREADS),
        threads([bare(raw) for raw in raws]),
        settings,
        count=count * THREADS,
        asked=MOST_TIMES,
        wall=True,
    )


def raw_calls(signer: Pkcs11Signer) -> Callable[[], None]:
    """One signature of a digest by the module itself, in a session of its own."""
    module = ctypes.CDLL(str(softhsm.module_file()))
    signer.sign(DATA)
    held = signer._pool._free[0]  # noqa: SLF001 (the same key, for the raw calls)
    assert held.key.handle is not None
    session, key = _Long(), _Long(held.key.handle)
    # CKF_SERIAL_SESSION; the user is logged in already, for all sessions of the process.
    assert (
        module.C_OpenSession(_Long(held.session.token.slot.slot_id), _Long(4), None, None, ctypes.byref(session)) == 0
    )
    parameters = _PssParameters(_SHA256, _MGF1_SHA256, 32)
    mechanism = _Mechanism(_ECDSA, None, 0)
    if signer.algorithm.name == "PS256":
        mechanism = _Mechanism(_RSA_PKCS_PSS, ctypes.addressof(parameters), ctypes.sizeof(parameters))
    digest, room, length = signer.algorithm.digest(DATA), ctypes.create_string_buffer(512), _Long()
    by_mechanism, by_length = ctypes.byref(mechanism), ctypes.byref(length)
    sign_init, sign, size = module.C_SignInit, module.C_Sign, _Long(len(digest))

    def call() -> None:
        length.value = 512
        assert sign_init(session, by_mechanism, key) == 0
        assert sign(session, digest, size, room, by_length) == 0

    call.keeps = parameters  # type: ignore[attr-defined]  # what the mechanism points to lives as long
    return call


def certificate_of(key: TokenPrivateKey) -> bytes:
    csca = new_csca("FR", "Bench", now=NOW - timedelta(days=1))
    builder = x509.CertificateBuilder().subject_name(csca.certificate.subject).issuer_name(csca.certificate.subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(csca.key, hashes.SHA256()).public_bytes(Encoding.DER)


def threads(calls: list[Callable[[], None]]) -> Callable[[], None]:
    """All calls at once."""

    def run() -> None:
        started = [threading.Thread(target=call) for call in calls]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    return run
