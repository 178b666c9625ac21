"""A PIN that is refused is tried once; a token is never brought to lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pkcs11
import pytest

import healthcert as hc
from healthcert.issue.hsm import making, native
from healthcert.issue.hsm.module import Module, this_process
from healthcert.issue.hsm.signer import Pkcs11Signer
from tests import softhsm
from tests.hsm.keys import KeyOnToken, key_on_token


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch, ec_key: KeyOnToken) -> Iterator[list[bytes]]:
    """The PINs that reach the module, with no one logged in to begin with."""
    seen: list[bytes] = []
    login = native.Native.login

    def counted(self: native.Native, session: int, pin: bytes) -> int:
        seen.append(pin)
        return login(self, session, pin)

    this_process().module(str(softhsm.module_file())).start_anew()
    monkeypatch.setattr(native.Native, "login", counted)
    yield seen
    this_process().module(str(softhsm.module_file())).start_anew()


def refusal(of: KeyOnToken, pin: str, **choices: bool) -> hc.IssueError:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(of.uri, of.certificate, pin=pin, **choices)
    assert caught.value.code is hc.Code.PIN_REFUSED
    assert pin not in str(caught.value)
    return caught.value


def test_a_wrong_pin_is_tried_once_in_a_process(ec_key: KeyOnToken, tries: list[bytes]) -> None:
    refusal(ec_key, "000001")
    for _ in range(5):
        assert "not tried again" in refusal(ec_key, "000001").detail
    assert tries == [b"000001"]
    # Another PIN is another try, and the right one is not shut out.
    refusal(ec_key, "000002")
    assert Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=softhsm.PIN).sign(b"data")
    assert tries == [b"000001", b"000002", softhsm.PIN.encode()]


def test_many_threads_try_a_wrong_pin_once(ec_key: KeyOnToken, tries: list[bytes]) -> None:
    threads = [threading.Thread(target=refusal, args=(ec_key, "000003")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tries == [b"000003"]


def test_one_login_serves_all_sessions(ec_key: KeyOnToken, tries: list[bytes]) -> None:
    signers = [Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=softhsm.PIN) for _ in range(3)]
    assert all(signer.sign(b"data") for signer in signers)
    assert tries == [softhsm.PIN.encode()]


@pytest.mark.parametrize("pin", ["1", "", "9" * 300])
def test_a_pin_of_no_pins_length(ec_key: KeyOnToken, tries: list[bytes], pin: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=pin)
    assert caught.value.code is hc.Code.PIN_REFUSED
    assert len(tries) == 1


class Flagged:
    """A token that says something else of its PIN."""

    def __init__(self, token: pkcs11.Token, flags: pkcs11.TokenFlag) -> None:
        self._token, self.flags = token, token.flags | flags

    def __getattr__(self, name: str) -> Any:
        return getattr(self._token, name)


def flagged(monkeypatch: pytest.MonkeyPatch, flags: pkcs11.TokenFlag) -> None:
    find = Module.find
    monkeypatch.setattr(Module, "find", lambda self, uri: Flagged(find(self, uri), flags))


def test_the_last_try_is_left_alone_unless_told(
    ec_key: KeyOnToken, tries: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged(monkeypatch, pkcs11.TokenFlag.USER_PIN_FINAL_TRY)
    assert "would lock" in refusal(ec_key, softhsm.PIN).detail
    assert tries == []
    assert Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=softhsm.PIN, final_try=True).sign(b"data")
    assert tries == [softhsm.PIN.encode()]


def test_a_locked_token_is_left_alone(ec_key: KeyOnToken, tries: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    flagged(monkeypatch, pkcs11.TokenFlag.USER_PIN_LOCKED)
    assert "locked" in refusal(ec_key, softhsm.PIN, final_try=True).detail
    assert tries == []


def test_a_pin_that_was_changed_meanwhile_is_tried_once(
    ec_key: KeyOnToken, tries: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = Pkcs11Signer(ec_key.uri, ec_key.certificate, pin="271828")
    # The module is started anew, as after a reconnect, and takes the PIN no more.
    this_process().module(str(softhsm.module_file())).start_anew()

    def refuse(self: native.Native, session: int, pin: bytes) -> int:
        tries.append(pin)
        return 0xA0

    monkeypatch.setattr(native.Native, "login", refuse)
    monkeypatch.setattr("healthcert.issue.hsm.login._refused", set())
    for _ in range(3):
        with pytest.raises(hc.IssueError) as caught:
            signer.sign(b"data")
        assert caught.value.code is hc.Code.PIN_REFUSED
    assert tries == [b"271828", b"271828"]


def test_a_key_that_asks_for_the_pin_each_time(token: softhsm.SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making._PRIVATE, pkcs11.Attribute.ALWAYS_AUTHENTICATE, True)
    made = key_on_token(token, "Asks each time", "ec-p256")
    signer = Pkcs11Signer(made.uri, made.certificate, pin=softhsm.PIN)
    for _ in range(3):
        assert signer.algorithm.verify(made.key.public_key(), signer.sign(b"data"), b"data")
    # The PIN is changed while the user stays logged in: the token refuses it once, and is not asked again.
    signer.close()
    signer._pool._pin = "000009"
    tries, how = [], signer._how

    def counted(key: pkcs11.PrivateKey, digest: bytes, pin: str | None) -> bytes:
        tries.append(pin)
        return how(key, digest, pin)

    signer._how = counted
    for _ in range(3):
        with pytest.raises(hc.IssueError) as caught:
            signer.sign(b"data")
        assert caught.value.code is hc.Code.PIN_REFUSED
    assert tries == ["000009"]
