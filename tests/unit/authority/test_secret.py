"""The secret of a register: read from a file of its owner's alone, and shown nowhere."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.authority.secret import RegisterSecret, load_secret, new_secret
from healthcert.errors import Code, RegisterError
from tests.registers import SECRET

KEY = bytes(range(32))


def refused(path: Path) -> str:
    with pytest.raises(RegisterError) as caught:
        load_secret(path)
    assert caught.value.code is Code.REGISTER_UNUSABLE
    return caught.value.detail


def test_a_new_secret_is_its_owner_s_alone_and_none_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    old = os.umask(0)
    try:
        made = new_secret(path)
    finally:
        os.umask(old)
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert load_secret(path).check_value == made.check_value
    before = path.read_bytes()
    with pytest.raises(RegisterError) as caught:
        new_secret(path)
    assert caught.value.code is Code.REGISTER_UNUSABLE
    assert path.read_bytes() == before
    assert new_secret(tmp_path / "other").check_value != made.check_value


@pytest.mark.skipif(os.name != "posix", reason="there are no such permissions")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o620, 0o660, 0o666, 0o777, 0o601])
def test_a_file_that_is_open_to_others_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    new_secret(path)
    path.chmod(mode)
    assert "chmod 600" in refused(path)
    path.chmod(0o400)
    load_secret(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret", 0o600)
    assert "chmod 600" in refused(tmp_path / "secret")


@pytest.mark.parametrize(
    "content",
    [b"", b"00", b"0" * 63, b"0" * 65, b"0" * 64 + b"\n\n", b"G" * 64, b"A" * 64, bytes(32), b"0" * 64 + b"\n0"],
)
def test_a_file_without_a_secret_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(content)
    assert "does not hold one" in refused(path)


def test_the_end_of_the_line_may_lack(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_text(KEY.hex())
    assert load_secret(path).check_value == SECRET.check_value


def test_no_secret_is_shown_copied_into_text_or_pickled() -> None:
    assert repr(SECRET) == str(SECRET) == "RegisterSecret(...)"
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)
    with pytest.raises(TypeError):
        copy.copy(SECRET)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_secret_has_32_bytes(key: bytes) -> None:
    with pytest.raises(RegisterError):
        RegisterSecret(key)


def test_each_use_has_a_key_of_its_own() -> None:
    tags = {SECRET.check_value, SECRET.record_key(b""), SECRET.record_key(b"\n"), SECRET.code_key("", "")}
    assert len(tags) == 4
    assert SECRET.record_key(b"a") == RegisterSecret(KEY).record_key(b"a") != RegisterSecret.new().record_key(b"a")
    # They are kept for years: what they are made with never changes.
    assert SECRET.record_key(b"record").hex() == "4bd25b1624e30fbda4e9641842d23cb89872ca0cf49d74aab94fc9bcdadf0079"
    assert SECRET.check_value.hex() == "bc0d3f357ab8be6156038154d6c3f63578d2c0fc5d0e6fd7b8fd9ecce3002cee"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_as_the_same_thing_alone(data: bytes, of: str) -> None:
    sealed = SECRET.seal(data, of)
    assert SECRET.unseal(sealed, of) == data
    assert SECRET.seal(data, of) != sealed
    for wrong, name in ((sealed, of + "x"), (sealed[:-1], of), (sealed[:-1] + bytes([sealed[-1] ^ 1]), of), (b"", of)):
        with pytest.raises(RegisterError):
            SECRET.unseal(wrong, name)
    with pytest.raises(RegisterError):
        RegisterSecret.new().unseal(sealed, of)
