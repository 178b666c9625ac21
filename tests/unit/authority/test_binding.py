"""Claim codes: a few tries, for a while, once; and nobody learns from them which certificates there are."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.authority import binding
from healthcert.authority.audit import entries, verify_audit
from healthcert.authority.binding import ALPHABET, Claimed, binding_of, claim, claim_request, new_code
from healthcert.authority.register import Register
from healthcert.errors import Code, RegisterError
from healthcert.issue.pki import KeyKind, new_key
from tests.registers import SECRET, Place, new
from tests.support import DAY, NOW

ID = "URN:UVCI:01:FR:BOUND"
DEVICE = hc.KeySigner(new_key(KeyKind.EC_P256))
OTHER = hc.KeySigner(new_key(KeyKind.RSA_3072))
WRONG = "AAAAAAAA"


@pytest.fixture
def register(place: Place) -> Register:
    register = place.open(create=True)
    register.enter([new("a", certificate_id=ID)])
    return register


def ask(register: Register, code: str, *, device: hc.KeySigner = DEVICE, certificate_id: str = ID) -> Claimed:
    proof = device.sign(claim_request(certificate_id, code, device.public_key))
    return claim(register, certificate_id, code, public_key=device.public_key, proof=proof)


def refusal(register: Register, code: str, **options: str) -> RegisterError:
    with pytest.raises(RegisterError) as caught:
        ask(register, code, **options)  # type: ignore[arg-type]
    return caught.value


def wait(register: Register, time: timedelta) -> None:
    register._clock = hc.FixedClock(NOW + time)


def test_a_code_binds_the_certificate_to_the_device_s_key(register: Register) -> None:
    assert binding_of(register, ID) is None
    claimed = ask(register, new_code(register, ID))
    assert claimed.binding.public_key == DEVICE.public_key
    assert binding_of(register, ID) == claimed.binding
    assert claimed.binding.bound_at == NOW
    assert repr(claimed) == "Claimed(...)"
    assert [entry.action for entry in entries(register)] == ["init", "issue", "claim-code", "claim"]
    assert verify_audit(register).count == 4


def test_a_used_code_is_spent_and_its_answer_moves_the_certificate(register: Register) -> None:
    code = new_code(register, ID)
    first = ask(register, code)
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    # The next device comes long after the first code would have ended.
    wait(register, 20 * DAY)
    second = ask(register, first.next_code, device=OTHER)
    moved = binding_of(register, ID)
    assert moved is not None
    assert moved.public_key == OTHER.public_key
    assert refusal(register, first.next_code).code is Code.CLAIM_CODE_SPENT
    assert second.next_code not in (code, first.next_code)


def test_codes_are_read_as_people_write_them(register: Register) -> None:
    code = new_code(register, ID)
    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    assert not set(ALPHABET) & set("0O1IL2Z5S8BU")
    assert ask(register, f" {code[:4].lower()}-{code[4:]} ").binding.certificate_id == ID


def test_five_tries_and_no_more(register: Register) -> None:
    code = new_code(register, ID)
    for _ in range(4):
        assert refusal(register, WRONG).code is Code.CLAIM_CODE_REFUSED
    ask(register, code)
    code = new_code(register, ID)
    for _ in range(5):
        assert refusal(register, WRONG).code is Code.CLAIM_CODE_REFUSED
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    assert ask(register, new_code(register, ID)).binding.certificate_id == ID


def test_a_code_ends(register: Register) -> None:
    code = new_code(register, ID, lifetime=timedelta(hours=2))
    wait(register, timedelta(hours=2))
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    other = new_code(register, ID, lifetime=timedelta(hours=2))
    wait(register, timedelta(hours=4, seconds=-1))
    assert ask(register, other).binding.certificate_id == ID


def test_a_code_ends_with_its_certificate(register: Register) -> None:
    code = new_code(register, ID, lifetime=100 * DAY)
    wait(register, 30 * DAY)
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    with pytest.raises(RegisterError) as caught:
        new_code(register, ID)
    assert caught.value.code is Code.CLAIM_CODE_SPENT


def test_a_new_code_ends_the_one_before(register: Register) -> None:
    first, second = new_code(register, ID), new_code(register, ID)
    assert refusal(register, first).code is Code.CLAIM_CODE_SPENT
    assert ask(register, second).binding.certificate_id == ID


def test_a_revoked_certificate_is_not_bound_and_gets_no_code(register: Register) -> None:
    code = new_code(register, ID)
    register.revoke([ID])
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    with pytest.raises(RegisterError) as caught:
        new_code(register, ID)
    assert caught.value.code is Code.ISSUED_AND_REVOKED
    assert binding_of(register, ID) is None


def test_no_answer_tells_whether_there_is_a_certificate(register: Register) -> None:
    """Unknown, without a code, with one, with one that is spent: who does not know the code hears the same."""
    register.enter([new("b", certificate_id="no-code"), new("c", certificate_id="revoked")])
    new_code(register, ID)
    new_code(register, "revoked")
    register.revoke(["revoked"])
    told = [refusal(register, WRONG, certificate_id=one) for one in (ID, "no-code", "revoked", "unknown", "", "\0")]
    assert {(error.code, error.detail, error.step) for error in told} == {
        (Code.CLAIM_CODE_REFUSED, told[0].detail, None)
    }
    told = [refusal(register, WRONG, certificate_id=one) for one in [ID] * 9]
    assert {error.code for error in told} == {Code.CLAIM_CODE_REFUSED}
    assert refusal(register, "too short").code is Code.CLAIM_CODE_REFUSED


def test_an_unknown_certificate_is_written_about_as_a_known_one_is(register: Register, place: Place) -> None:
    new_code(register, ID)
    refusal(register, WRONG)
    refusal(register, WRONG, certificate_id="unknown")
    assert place.sql("SELECT value FROM meta WHERE name = 'claims'").strip() == "2"
    assert place.sql("SELECT tries FROM claim_codes").strip() == "1"


def test_the_operator_is_told_of_an_unknown_certificate(register: Register) -> None:
    for identifier in ("unknown", "", "\0"):
        with pytest.raises(RegisterError) as caught:
            new_code(register, identifier)
        assert caught.value.code is Code.NOT_IN_REGISTER
        assert binding_of(register, identifier) is None


def test_a_guess_counts_though_its_program_was_killed(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    code = new_code(register, ID)

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    for _ in range(5):
        with monkeypatch.context() as patched:
            patched.setattr(hmac, "compare_digest", killed)
            with pytest.raises(KeyboardInterrupt):
                ask(register, code)
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT


@pytest.mark.parametrize("what", ["revoked", "new code", "claimed"])
def test_what_comes_between_trying_and_binding_counts(
    register: Register, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    code = new_code(register, ID)
    tried = binding._try

    def slow(*arguments: object) -> int:
        found = tried(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(binding, "_try", tried)
        if what == "revoked":
            register.revoke([ID])
        elif what == "new code":
            new_code(register, ID)
        else:
            ask(register, code, device=OTHER)
        return found

    monkeypatch.setattr(binding, "_try", slow)
    assert refusal(register, code).code is Code.CLAIM_CODE_SPENT
    bound = binding_of(register, ID)
    assert (bound.public_key if bound else None) == (OTHER.public_key if what == "claimed" else None)


def test_a_proof_of_another_key_code_or_certificate_is_refused_and_costs_no_try(
    register: Register, place: Place
) -> None:
    code = new_code(register, ID)
    right = DEVICE.sign(claim_request(ID, code, DEVICE.public_key))
    for request, device in (
        (claim_request("another", code, DEVICE.public_key), DEVICE),
        (claim_request(ID, WRONG, DEVICE.public_key), DEVICE),
        (claim_request(ID, code, OTHER.public_key), DEVICE),
        (claim_request(ID, code, DEVICE.public_key), OTHER),
    ):
        with pytest.raises(RegisterError) as caught:
            claim(register, ID, code, public_key=DEVICE.public_key, proof=device.sign(request))
        assert caught.value.code is Code.REQUEST_INVALID
    with pytest.raises(RegisterError):
        claim(register, ID, code, public_key=DEVICE.public_key, proof=right[:-1])
    assert place.sql("SELECT tries FROM claim_codes").strip() == "0"
    assert claim(register, ID, code, public_key=DEVICE.public_key, proof=right).binding.certificate_id == ID


@pytest.mark.parametrize("key", [b"", b"no key", bytes(2000), DEVICE.public_key + bytes(1024)])
def test_a_key_that_is_none_is_refused(register: Register, key: bytes) -> None:
    code = new_code(register, ID)
    with pytest.raises(RegisterError) as caught:
        claim(register, ID, code, public_key=key, proof=bytes(64))
    assert caught.value.code is Code.REQUEST_INVALID


def test_keys_of_devices_may_be_of_each_kind_and_strong_enough(register: Register) -> None:
    for device in (DEVICE, OTHER, hc.KeySigner(Ed25519PrivateKey.generate())):
        assert ask(register, new_code(register, ID), device=device).binding.public_key == device.public_key
    weak = hc.KeySigner(generate_private_key(65537, 1024))
    assert refusal(register, new_code(register, ID), device=weak).code is Code.REQUEST_INVALID  # type: ignore[arg-type]


def test_the_request_is_what_the_page_says() -> None:
    sha = hashlib.sha256
    wanted = b"healthcert claim 1\n" + sha(b"id").digest() + sha(b"ACDE3467").digest() + sha(b"key").digest()
    assert claim_request("id", "acde-3467", b"key") == wanted


def test_the_key_and_the_codes_are_not_in_the_database_in_plain(register: Register, place: Place) -> None:
    code = new_code(register, ID)
    claimed = ask(register, code)
    kept = "".join(place.sql(f"SELECT * FROM {table}") for table in ("meta", "claim_codes", "bindings", "audit"))
    for secret in (code, claimed.next_code, DEVICE.public_key.hex(), repr(DEVICE.public_key)[2:20]):
        assert secret not in kept


def test_codes_are_all_different_and_every_character_is_as_likely(register: Register) -> None:
    codes = [new_code(register, ID) for _ in range(300)]
    assert len(set(codes)) == 300
    counted = Counter("".join(codes))
    assert set(counted) == set(ALPHABET)
    assert max(counted.values()) < 3 * min(counted.values())


@given(st.text(max_size=12), st.text(max_size=12))
def test_what_is_no_code_or_identifier_is_refused_before_anything_is_asked(identifier: str, code: str) -> None:
    if len(code.replace("-", "").replace(" ", "").upper()) == 8 and identifier:
        return
    with pytest.raises(RegisterError) as caught:
        claim(None, identifier, code, public_key=b"", proof=b"")  # type: ignore[arg-type]
    assert caught.value.code is Code.CLAIM_CODE_REFUSED


def test_a_code_s_hash_needs_the_secret_and_belongs_to_its_certificate() -> None:
    assert SECRET.code_key("a", "ACDE3467") != SECRET.code_key("b", "ACDE3467")
    assert SECRET.code_key("a", "ACDE3467") != hashlib.sha256(b"a\nACDE3467").digest()
