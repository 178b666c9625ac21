"""An authority opened from its profile, with the keys, secrets and register that this names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.authority.audit import entries
from healthcert.authority.profile import load_profile, login_name, open_authority, open_key, open_register, open_signers
from healthcert.authority.secret import new_secret
from healthcert.issue.pki import new_dsc
from tests.authority_world import row
from tests.support import CLOCK, DAY, NOW, csca

PASSPHRASE = b"correct horse battery staple"


class Asked:
    """Gives a passphrase, and remembers for which key it was asked."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def passphrase(self, path: Path) -> bytes:
        self.keys.append(path.name)
        return PASSPHRASE

    def pin(self, token: str) -> str:
        raise AssertionError("there is no token")


class Nobody(Asked):
    """Is not to be asked."""

    def passphrase(self, path: Path) -> bytes:
        raise AssertionError("the profile names the file")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An authority with two encrypted keys, of which the profile names one's passphrase."""
    for name, begun in (("old", 20), ("new", 5)):
        pair = new_dsc(csca(), f"DSC {name}", now=NOW - begun * DAY)
        (tmp_path / f"{name}.key.pem").write_bytes(pair.key_pem(PASSPHRASE))
        (tmp_path / f"{name}.pem").write_bytes(pair.certificate_pem())
    (tmp_path / "passphrase.txt").write_bytes(PASSPHRASE + b"\n")
    (tmp_path / "healthcert.toml").write_text(
        """
country = "FR"
issuer = "Ministry of Examples"
[register]
url = "register.db"
secret = "register.secret"
[[signer]]
certificate = "old.pem"
key = "old.key.pem"
passphrase-file = "passphrase.txt"
[[signer]]
certificate = "new.pem"
key = "new.key.pem"
[upload]
certificate = "new.pem"
key = "new.key.pem"
passphrase-file = "passphrase.txt"
[rollover]
lead = "14d"
[validity]
test = "24h"
"""
    )
    new_secret(tmp_path / "register.secret")
    open_register(load_profile(tmp_path / "healthcert.toml"), CLOCK, actor="A. Clerk", create=True).close()
    return tmp_path


def kid(folder: Path, name: str) -> bytes:
    return hc.PemSigner.load(folder / f"{name}.key.pem", folder / f"{name}.pem", passphrase=PASSPHRASE).kid


def test_it_issues_as_the_profile_says(folder: Path) -> None:
    asked = Asked()
    office = open_authority(load_profile(folder / "healthcert.toml"), asked, CLOCK, actor="A. Clerk")
    with office.register:
        record = row(1)
        issued = office.issue(record.event, holder=record.holder)
        assert issued.expires - issued.issued_at == DAY
        trust = hc.TrustStore.from_certificates([signer.certificate for signer in office.signers.signers])
        [event] = hc.Verifier(trust, clock=CLOCK).verify(issued.text).certificate.events
        assert isinstance(event, hc.TestResult)
        assert event.issuer == "Ministry of Examples"
        found = office.register.find(certificate_id=issued.certificate_id)
        assert found is not None
        assert found.kid == kid(folder, "old"), "the new one is in its lead"
        assert {entry.actor for entry in entries(office.register)} == {"A. Clerk"}
    assert asked.keys == ["new.key.pem"]


def test_a_dsc_can_be_left_out(folder: Path) -> None:
    profile = load_profile(folder / "healthcert.toml")
    signers = open_signers(profile, Asked(), without=[kid(folder, "old")])
    assert [signer.kid for signer in signers.signers] == [kid(folder, "new")]
    # The key of one that is left out is not opened.
    assert open_signers(profile, Nobody(), without=[kid(folder, "new")]).by_kid(kid(folder, "old")) is not None


def test_the_upload_key_is_opened_alone(folder: Path) -> None:
    table = load_profile(folder / "healthcert.toml").upload
    assert table is not None
    assert open_key(table, Nobody()).kid == kid(folder, "new")


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_passphrase_file_without_one_is_told(folder: Path, content: bytes) -> None:
    (folder / "passphrase.txt").write_bytes(content)
    with pytest.raises(hc.IssueError, match="SIGNER_KEY_UNREADABLE"):
        open_authority(load_profile(folder / "healthcert.toml"), Asked(), CLOCK)


def test_a_register_that_cannot_be_opened_is_told(folder: Path) -> None:
    (folder / "register.db").unlink()
    with pytest.raises(hc.RegisterError, match="REGISTER_UNUSABLE"):
        open_authority(load_profile(folder / "healthcert.toml"), Asked(), CLOCK)


def test_the_one_who_runs_it_is_the_actor_where_nobody_else_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "somebody")
    with open_authority(load_profile(folder / "healthcert.toml"), Asked(), CLOCK).register as kept:
        kept.keep_certificate(csca().certificate_der())
        assert [entry.actor for entry in entries(kept)] == ["A. Clerk", "somebody"]

    def unknown() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert login_name().startswith("uid ")


def test_a_profile_is_read_without_the_packages_of_the_register() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; import healthcert.authority.profile, healthcert.authority.secret"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "try: import healthcert.authority.reissue\n"
        "except Exception as error: print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "EXTRA_MISSING\n"
