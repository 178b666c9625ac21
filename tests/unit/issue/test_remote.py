"""Remote signing: what goes to the signer is a digest and nothing else, and what comes back is never just believed."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

import healthcert as hc
from healthcert.issue.digests import DigestRequest
from healthcert.issue.pki import KeyKind, KeyPair
from healthcert.issue.remote import CommandExchange, RemoteSigner
from healthcert.lists.x509 import kid_of
from tests.support import CLOCK, DAY, EVENTS, HOLDER, NOW, TEST, dsc, verifier

KINDS = list(KeyKind)


def pair(kind: KeyKind = KeyKind.EC_P256) -> KeyPair:
    return dsc(kind=kind)


# Answers as an honest signer would, but for what `how` tells; notes each start and each line that it got.
SIGNER = r"""
import json, os, sys, time
from pathlib import Path
from healthcert.issue.signer import PemSigner
here, how = Path(sys.argv[1]), sys.argv[2]
with (here / "starts").open("a") as starts:
    starts.write(json.dumps(dict(os.environ)) + "\n")
run = len((here / "starts").read_text().splitlines())
signer = PemSigner.load(here / "key.pem", here / "dsc.pem")
other = PemSigner.load(here / "other.key.pem", here / "other.pem")

def say(text):
    os.write(1, text.encode() + b"\n")

for line in sys.stdin:
    with (here / "lines").open("a") as lines:
        lines.write(line)
    asked = json.loads(line)
    digest = bytes.fromhex(asked["digest"])
    signature = signer.sign(digest, prehashed=True).hex()
    right = json.dumps({"id": asked["id"], "signature": signature})
    if how == "honest" or (run > 1 and not how.startswith("always ")):
        say(right)
    elif how == "wrong": say(json.dumps({"id": asked["id"], "signature": "00" * 64}))
    elif how == "other key":
        say(json.dumps({"id": asked["id"], "signature": other.sign(digest, prehashed=True).hex()}))
    elif how == "other digest":
        say(json.dumps({"id": asked["id"], "signature": signer.sign(bytes(32), prehashed=True).hex()}))
    elif how == "garbage": say("\x00\xff no JSON")
    elif how == "no object": say("[]")
    elif how == "twice in one": say(right[:-1] + ', "signature": "' + signature + '"}')
    elif how == "extra member": say(right[:-1] + ', "also": 1}')
    elif how == "no hexadecimal": say(right.replace(signature, "zz"))
    elif how == "spaced": say(right.replace(signature, signature[:2] + " " + signature[2:]))
    elif how == "der":
        from cryptography.hazmat.primitives.asymmetric import utils
        r, s = int(signature[:64], 16), int(signature[64:], 16)
        say(json.dumps({"id": asked["id"], "signature": utils.encode_dss_signature(r, s).hex()}))
    elif how == "other number": say(json.dumps({"id": asked["id"] + 1, "signature": signature}))
    elif how == "both": say(right[:-1] + ', "error": {"code": "SIGNING_FAILED", "detail": ""}}')
    elif how == "neither": say(json.dumps({"id": asked["id"]}))
    elif how == "two lines": say(right + "\n" + right)
    elif how == "too long": say("9" * 100_000)
    elif how == "endless":
        while True:
            os.write(1, b"9" * 65536)
    elif how in ("nothing", "always nothing"): time.sleep(60)
    elif how in ("dies", "always dies"): sys.exit(1)
    elif how in ("dies in the middle", "always dies in the middle"):
        os.write(1, right[:20].encode())
        sys.exit(0)
    elif how == "refuses": say(json.dumps({"id": asked["id"], "error": {"code": "PIN_REFUSED", "detail": "x\x1b[2J"}}))
    elif how == "refuses oddly": say(json.dumps({"id": asked["id"], "error": {"code": "Doe", "detail": "Doe"}}))
    elif how == "speaks late":
        say(right)
        time.sleep(0.3)
        say(right)
"""


class Desk:
    """A folder with a signer's keys and program, and what it noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: list[CommandExchange] = []
        (folder / "signer.py").write_text(SIGNER)
        other = dsc(hc.EntryType.TEST)
        (folder / "other.key.pem").write_bytes(other.key_pem(None))
        (folder / "other.pem").write_bytes(other.certificate_pem())

    def exchange(self, how: str, kind: KeyKind = KeyKind.EC_P256, timeout: float = 30.0) -> CommandExchange:
        (self.folder / "key.pem").write_bytes(pair(kind).key_pem(None))
        (self.folder / "dsc.pem").write_bytes(pair(kind).certificate_pem())
        argv = (sys.executable, str(self.folder / "signer.py"), str(self.folder), how)
        self.open.append(CommandExchange(argv, timeout=timeout))
        return self.open[-1]

    def issuer(self, exchange: object, kind: KeyKind = KeyKind.EC_P256) -> hc.Issuer:
        signer = RemoteSigner(pair(kind).certificate_der(), exchange)  # type: ignore[arg-type]
        return hc.Issuer(signer, country="FR", clock=CLOCK)

    def noted(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for exchange in desk.open:
        exchange.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_the_signer_gets_a_digest_and_nothing_of_the_payload(desk: Desk, event: hc.Event, kind: KeyKind) -> None:
    issuer = desk.issuer(desk.exchange("honest", kind), kind)
    pending = issuer.prepare(event, holder=HOLDER)
    issued = pending.sign()
    assert verifier(pair(kind), policy=hc.Policy.strict()).examine(issued.text).code == "OK"
    [line] = desk.noted("lines")
    # The whole of what went out: four members, of which the digest alone depends on the record.
    assert json.loads(line) == {
        "id": 1,
        "kid": kid_of(pair(kind).certificate_der()).hex(),
        "algorithm": "ES256" if kind is KeyKind.EC_P256 else "PS256",
        "digest": hashlib.sha256(pending.to_be_signed).hexdigest(),
    }
    for told in ("Zo", "Exemplaire", "EXEMPLAIRE", "1984", "840539006", "Ministry", pending.terms.certificate_id):
        assert told not in line
    # And in all that the child was ever given: its environment, and its words.
    assert all("EXEMPLAIRE" not in start.upper() for start in desk.noted("starts"))


def test_issue_signs_through_the_same_program_time_and_again(desk: Desk) -> None:
    issuer = desk.issuer(desk.exchange("honest"))
    texts = {issuer.issue(TEST, holder=HOLDER).text for _ in range(5)}
    assert len(texts) == 5
    assert [json.loads(line)["id"] for line in desk.noted("lines")] == [1, 2, 3, 4, 5]
    assert len(desk.noted("starts")) == 1


WRONG = [
    "wrong", "other key", "other digest", "garbage", "no object", "twice in one", "extra member", "no hexadecimal",
    "spaced", "der", "other number", "both", "neither", "two lines", "too long", "endless", "refuses", "refuses oddly",
]  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_what_a_signer_answers_wrongly_never_becomes_a_certificate(desk: Desk, how: str) -> None:
    issuer = desk.issuer(desk.exchange(how))
    with pytest.raises(hc.IssueError) as caught:
        issuer.issue(TEST, holder=HOLDER)
    error = caught.value
    assert (error.code, error.step) == ("SIGNING_FAILED", "signature")
    assert error.detail.isprintable()
    assert "Doe" not in error.detail
    assert ("PIN_REFUSED" in error.detail) == (how == "refuses")
    # A protocol that was broken is begun anew; a refusal or a signature that is wrong is an answer nevertheless.
    if how not in ("wrong", "other key", "other digest", "der", "refuses", "refuses oddly"):
        assert issuer.issue(TEST, holder=HOLDER).text
        assert len(desk.noted("starts")) == 2


@pytest.mark.parametrize("how", ["dies", "dies in the middle"])
def test_a_program_that_died_is_started_once_more(desk: Desk, how: str) -> None:
    assert desk.issuer(desk.exchange(how)).issue(TEST, holder=HOLDER).text
    assert len(desk.noted("starts")) == 2


@pytest.mark.parametrize("how", ["always dies", "always dies in the middle"])
def test_and_no_more_than_once(desk: Desk, how: str) -> None:
    issuer = desk.issuer(desk.exchange(how))
    for starts in (2, 4):
        with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
            issuer.issue(TEST, holder=HOLDER)
        assert len(desk.noted("starts")) == starts


def test_a_program_that_was_ended_between_two_requests_is_started_anew(desk: Desk) -> None:
    exchange = desk.exchange("honest")
    issuer = desk.issuer(exchange)
    assert issuer.issue(TEST, holder=HOLDER).text
    assert exchange._program is not None
    exchange._program._process.kill()
    exchange._program._process.wait()
    assert issuer.issue(TEST, holder=HOLDER).text
    assert len(desk.noted("starts")) == 2


def test_a_signer_that_does_not_answer_is_given_up_in_time(desk: Desk) -> None:
    issuer = desk.issuer(desk.exchange("nothing", timeout=2.0))
    before = time.monotonic()
    with pytest.raises(hc.IssueError, match="in time"):
        issuer.issue(TEST, holder=HOLDER)
    assert time.monotonic() - before < 10
    assert issuer.issue(TEST, holder=HOLDER).text
    assert len(desk.noted("starts")) == 2


def test_an_answer_that_nobody_asked_for_is_not_one_to_the_next_request(desk: Desk) -> None:
    issuer = desk.issuer(desk.exchange("speaks late"))
    first = issuer.issue(TEST, holder=HOLDER)
    time.sleep(1.0)
    second = issuer.issue(TEST, holder=HOLDER)
    assert verifier(pair()).examine(first.text).code == verifier(pair()).examine(second.text).code == "OK"
    assert len(desk.noted("starts")) == 2


def test_many_threads_get_each_their_own_signature(desk: Desk) -> None:
    issuer = desk.issuer(desk.exchange("honest"))
    gate = threading.Barrier(8)

    def issue(number: int) -> str:
        gate.wait()
        return issuer.issue(TEST, holder=msgspec.structs.replace(HOLDER, given_name=f"Zoé X{'X' * number}")).text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(issue, range(8)))
    for number, text in enumerate(texts):
        assert verifier(pair()).verify(text).certificate.holder.given_name == f"Zoé X{'X' * number}"
    assert sorted(json.loads(line)["id"] for line in desk.noted("lines")) == list(range(1, 9))
    assert len(desk.noted("starts")) == 1


def test_secrets_of_this_side_are_not_handed_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PIN", "1234")
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "secret words")
    monkeypatch.setenv("HEALTHCERT_KEY", "dsc.key.pem")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    desk.issuer(desk.exchange("honest")).issue(TEST, holder=HOLDER)
    [start] = desk.noted("starts")
    environment = json.loads(start)
    assert environment["SSH_AUTH_SOCK"] == "/run/agent"
    assert [name for name in environment if name.startswith("HEALTHCERT_")] == []


def test_but_those_that_are_meant_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PIN", "1234")
    plain = desk.exchange("honest")
    with CommandExchange(plain._argv, environment={"HEALTHCERT_PIN": "5678"}) as exchange:
        desk.issuer(exchange).issue(TEST, holder=HOLDER)
    [start] = desk.noted("starts")
    assert json.loads(start)["HEALTHCERT_PIN"] == "5678"


def test_the_program_ends_with_its_exchange(desk: Desk) -> None:
    exchange = desk.exchange("honest")
    desk.issuer(exchange).issue(TEST, holder=HOLDER)
    assert exchange._program is not None
    process = exchange._program._process
    exchange.close()
    assert process.poll() == 0  # by itself, for its input was closed
    exchange.close()
    desk.issuer(exchange).issue(TEST, holder=HOLDER)
    process = exchange._program._process
    desk.open.clear()
    del exchange
    gc.collect()
    assert process.poll() is not None


def test_a_fork_starts_a_program_of_its_own(desk: Desk) -> None:
    exchange = desk.exchange("honest")
    desk.issuer(exchange).issue(TEST, holder=HOLDER)
    parents = exchange._program
    assert parents is not None
    parents.owner += 1  # what a fork sees of its parent's
    desk.issuer(exchange).issue(TEST, holder=HOLDER)
    assert exchange._program is not parents
    assert parents._process.poll() is None
    parents.owner = os.getpid()
    parents.end(0.0)


@pytest.mark.parametrize("argv", [("/nowhere/at/all",), (__file__,)])
def test_a_program_that_cannot_be_started(desk: Desk, argv: tuple[str, ...]) -> None:
    with pytest.raises(hc.IssueError) as caught:
        desk.issuer(CommandExchange(argv)).issue(TEST, holder=HOLDER)
    assert caught.value.code == "SIGNING_FAILED"


def test_no_shell_reads_the_words(desk: Desk) -> None:
    trap = desk.folder / "trap"
    exchange = CommandExchange((sys.executable, "-c", "import sys; print(sys.argv[1:])", f"; touch {trap}", "$(id)"))
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        desk.issuer(exchange).issue(TEST, holder=HOLDER)
    assert not trap.exists()


@pytest.mark.parametrize(("argv", "timeout"), [((), 1.0), (("x",), 0.0), (("x",), -1.0)])
def test_an_exchange_names_a_program_and_a_time(argv: tuple[str, ...], timeout: float) -> None:
    with pytest.raises(ValueError, match="a program"):
        CommandExchange(argv, timeout=timeout)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exchange_may_be_any_function(kind: KeyKind) -> None:
    asked: list[DigestRequest] = []

    def exchange(request: DigestRequest) -> bytes:
        asked.append(request)
        return pair(kind).signer().sign(request.digest, prehashed=True)

    signer = RemoteSigner(pair(kind).certificate_der(), exchange)
    data = b"the Sig_structure"
    digest = hashlib.sha256(data).digest()
    for signature in (signer.sign(data), signer.sign(digest, prehashed=True)):
        assert signer.algorithm.verify(pair(kind).key.public_key(), signature, data)
    assert asked == [DigestRequest(signer.kid, signer.algorithm, digest)] * 2
    assert repr(signer) == f"RemoteSigner(kid={signer.kid.hex()}, {signer.algorithm.name})"


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_no_digest_is_not_sent(length: int) -> None:
    def exchange(request: DigestRequest) -> bytes:
        raise AssertionError("it was sent")

    signer = RemoteSigner(pair().certificate_der(), exchange)
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        signer.sign(bytes(length), prehashed=True)


@pytest.mark.parametrize("fault", [ConnectionRefusedError("Zoé"), TimeoutError("Zoé")])
def test_a_signer_that_cannot_be_reached(fault: OSError) -> None:
    def exchange(request: DigestRequest) -> bytes:
        raise fault

    with pytest.raises(hc.IssueError) as caught:
        RemoteSigner(pair().certificate_der(), exchange).sign(b"data")
    assert caught.value.code == "SIGNING_FAILED"
    assert "Zo" not in str(caught.value)


def test_the_other_signers_of_a_country_do_not_see_health_data_either() -> None:
    """Families whose keys have certificates sign through the same door, with the same digest."""
    seen: list[bytes] = []

    def exchange(request: DigestRequest) -> bytes:
        seen.append(request.digest)
        return pair().signer().sign(request.digest, prehashed=True)

    issuer = hc.Issuer(RemoteSigner(pair().certificate_der(), exchange), country="FR", clock=hc.FixedClock(NOW))
    issuer.issue(TEST, holder=HOLDER)
    assert [len(digest) for digest in seen] == [32]


def certificate_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + DAY)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("curve", "length"), [(ec.SECP384R1(), 48), (ec.SECP521R1(), 64)])
def test_larger_curves_have_larger_digests(curve: ec.EllipticCurve, length: int) -> None:
    key = ec.generate_private_key(curve)
    asked: list[DigestRequest] = []

    def exchange(request: DigestRequest) -> bytes:
        asked.append(request)
        return request.algorithm.sign(key, request.digest, prehashed=True)

    signer = RemoteSigner(certificate_of(key), exchange)
    assert signer.algorithm.verify(key.public_key(), signer.sign(b"data"), b"data")
    assert [len(request.digest) for request in asked] == [length]
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        signer.sign(bytes(32), prehashed=True)


def test_a_key_that_signs_no_digests_is_not_for_this() -> None:
    with pytest.raises(hc.IssueError) as caught:
        RemoteSigner(certificate_of(ed25519.Ed25519PrivateKey.generate()), lambda _: b"")
    assert caught.value.code == "UNSUITABLE_PUBLIC_KEY_TYPE"
