"""Sessions that are lost, modules that go away: opened anew once, then said; never a signature that does not hold."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pkcs11
import pytest

import healthcert as hc
from healthcert.issue.hsm.gate import Gate
from healthcert.issue.hsm.mechanisms import SignDigest
from healthcert.issue.hsm.module import this_process
from healthcert.issue.hsm.signer import Pkcs11Signer
from tests import softhsm
from tests.hsm.keys import KeyOnToken

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def signer(on_token: KeyOnToken) -> Pkcs11Signer:
    return Pkcs11Signer(on_token.uri, on_token.certificate, pin=softhsm.PIN)


def holds(signer: Pkcs11Signer, of: KeyOnToken) -> bool:
    return signer.algorithm.verify(of.key.public_key(), signer.sign(b"data"), b"data")


def behind_its_back() -> ctypes.CDLL:
    """A second handle on the module of this process."""
    return ctypes.CDLL(str(softhsm.module_file()))


def slot_of(signer: Pkcs11Signer) -> ctypes.c_ulong:
    signer.sign(b"data")
    return ctypes.c_ulong(signer._pool._free[0].session.token.slot.slot_id)


def test_all_sessions_closed(signer: Pkcs11Signer, on_token: KeyOnToken) -> None:
    for _ in range(3):
        assert behind_its_back().C_CloseAllSessions(slot_of(signer)) == 0
        assert holds(signer, on_token)


def test_the_user_logged_out(signer: Pkcs11Signer, on_token: KeyOnToken) -> None:
    signer.sign(b"data")
    session = signer._pool._free[0].session
    assert behind_its_back().C_Logout(ctypes.c_ulong(session.handle)) == 0  # type: ignore[attr-defined]
    assert holds(signer, on_token)


def test_the_module_finalized(signer: Pkcs11Signer, on_token: KeyOnToken) -> None:
    assert behind_its_back().C_Finalize(None) == 0
    assert holds(signer, on_token)


def test_sessions_closed_under_threads_that_sign(on_token: KeyOnToken) -> None:
    signer = Pkcs11Signer(on_token.uri, on_token.certificate, pin=softhsm.PIN, sessions=4)
    slot, stop, outcomes = slot_of(signer), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            try:
                outcomes.append(holds(signer, on_token))
            except hc.IssueError as error:
                # Closed again in the very moment of the second try: said, and not a wrong signature.
                outcomes.append(error.code is hc.Code.TOKEN_UNAVAILABLE)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate = this_process().module(str(softhsm.module_file())).guard
    for _ in range(10):
        # Between any two calls: SoftHSM does not survive that a session is closed while it signs.
        with gate.alone():
            assert behind_its_back().C_CloseAllSessions(slot) == 0
        stop.wait(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    assert outcomes
    assert all(outcomes)
    assert holds(signer, on_token)


def test_the_module_started_anew_under_threads_that_sign(on_token: KeyOnToken) -> None:
    signer = Pkcs11Signer(on_token.uri, on_token.certificate, pin=softhsm.PIN, sessions=4)
    module, stop, outcomes = this_process().module(str(softhsm.module_file())), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            outcomes.append(holds(signer, on_token))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        module.start_anew()
        stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert outcomes
    assert all(outcomes)


class Failing:
    """Ways of signing that fail the first times, as a device does that is unplugged."""

    def __init__(self, how: SignDigest, error: type[Exception], times: int) -> None:
        self._how, self._error, self.left = how, error, times

    def __call__(self, key: pkcs11.PrivateKey, digest: bytes, pin: str | None) -> bytes:
        if self.left:
            self.left -= 1
            raise self._error
        return self._how(key, digest, pin)


@pytest.mark.parametrize(
    "error",
    [
        pkcs11.DeviceRemoved,
        pkcs11.DeviceError,
        pkcs11.TokenNotPresent,
        pkcs11.SessionHandleInvalid,
        pkcs11.UserNotLoggedIn,
        pkcs11.KeyHandleInvalid,
        pkcs11.GeneralError,
        pkcs11.FunctionFailed,
        pkcs11.PKCS11Error,
    ],
)
def test_unplugged_in_the_middle(signer: Pkcs11Signer, on_token: KeyOnToken, error: type[Exception]) -> None:
    how = signer._how
    signer._how = Failing(how, error, times=1)
    assert holds(signer, on_token)
    signer._how = gone = Failing(how, error, times=3)
    with pytest.raises(hc.IssueError) as caught:
        signer.sign(b"data")
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE
    assert gone.left == 1  # tried twice, and no more
    gone.left = 0
    assert holds(signer, on_token)  # plugged in again


def test_what_no_reconnect_can_mend(signer: Pkcs11Signer) -> None:
    signer._how = Failing(signer._how, pkcs11.MechanismInvalid, times=1)
    with pytest.raises(hc.IssueError) as caught:
        signer.sign(b"data")
    assert caught.value.code is hc.Code.SIGNING_FAILED
    assert signer.sign(b"data")


def test_an_answer_of_another_length(signer: Pkcs11Signer) -> None:
    signer._how = lambda *_: b"\x30\x44"
    with pytest.raises(hc.IssueError) as caught:
        signer.sign(b"data")
    assert caught.value.code is hc.Code.SIGNING_FAILED


AWAY = """
import os
import healthcert as hc
from tests import softhsm
from tests.hsm.keys import key_on_token
from healthcert.issue.hsm.signer import Pkcs11Signer
from pathlib import Path

folder = Path(os.environ["SOFTHSM2_CONF"]).parent
token = softhsm.SoftToken(folder / "softhsm2.conf", "Health")
made = key_on_token(token, "DSC", "ec-p256")
signer = Pkcs11Signer(made.uri, made.certificate, pin=softhsm.PIN)
holds = lambda: signer.algorithm.verify(made.key.public_key(), signer.sign(b"data"), b"data")
assert holds()
token.folder().rename(folder / "away")
for _ in range(2):
    try:
        signer.sign(b"data")
    except hc.IssueError as error:
        assert error.code is hc.Code.TOKEN_UNAVAILABLE, error
    else:
        raise AssertionError("signed without its token")
(folder / "away").rename(token.folder())
assert holds() and holds()
print("back")
"""


def run(code: str, token: softhsm.SoftToken) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=token.environment(),
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_token_taken_away_and_brought_back(tmp_path: Path, token: softhsm.SoftToken) -> None:
    assert run(AWAY, softhsm.make_token(tmp_path)) == "back\n"


def test_one_thread_alone_where_the_module_cannot_do_with_more() -> None:
    gate, inside, most = Gate(), [], []
    gate.one_by_one = True

    def work() -> None:
        for _ in range(50):
            with gate:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


def test_a_module_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.issue.hsm.gate._PATIENCE", 0.01)
    gate = Gate()
    with gate, pytest.raises(hc.IssueError) as caught, gate.alone():
        pass
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE
    with gate:
        assert not gate.one_by_one


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("token=Health", "token=Elsewhere"), hc.Code.TOKEN_UNAVAILABLE),
        (("object=", "object=no%20"), hc.Code.TOKEN_UNAVAILABLE),
        (("module-path=/", "module-path=/no/"), hc.Code.TOKEN_UNAVAILABLE),
        (("module-path=/", "module-path="), hc.Code.TOKEN_UNAVAILABLE),
        (("token=Health", "slot-id=4000000000"), hc.Code.TOKEN_UNAVAILABLE),
        (("token=Health", "serial=0"), hc.Code.TOKEN_UNAVAILABLE),
    ],
)
def test_what_is_not_there(ec_key: KeyOnToken, change: tuple[str, str], code: hc.Code) -> None:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(ec_key.uri.replace(*change), ec_key.certificate, pin=softhsm.PIN)
    assert caught.value.code is code


@pytest.mark.parametrize("content", [b"", b"not a library", b"\x7fELF"])
def test_a_file_that_is_no_module(ec_key: KeyOnToken, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "module.so"
    path.write_bytes(content)
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(f"pkcs11:token=Health?module-path={path}", ec_key.certificate, pin="1")
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE
    assert os.fspath(tmp_path) not in caught.value.detail


def test_a_library_that_is_no_module(ec_key: KeyOnToken) -> None:
    import _ctypes

    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(f"pkcs11:token=Health?module-path={_ctypes.__file__}", ec_key.certificate, pin="1")
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE


def test_one_module_by_two_names(ec_key: KeyOnToken, tmp_path: Path) -> None:
    (tmp_path / "module.so").symlink_to(str(softhsm.module_file()))
    uri = ec_key.uri.replace(str(softhsm.module_file()), str(tmp_path / "module.so"))
    assert uri != ec_key.uri
    for name in (uri, ec_key.uri):
        assert holds(Pkcs11Signer(name, ec_key.certificate, pin=softhsm.PIN), ec_key)


def test_two_tokens_of_one_name(token: softhsm.SoftToken, ec_key: KeyOnToken) -> None:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Signer(f"pkcs11:?module-path={softhsm.module_file()}", ec_key.certificate, pin=softhsm.PIN)
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE
    assert "2" in caught.value.detail
