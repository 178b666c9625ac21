"""``healthcert.toml``: what an issuing authority is, in one file that holds no secret.

The file names where the secrets are. File names in it are relative to its own folder, so that it means the same from
wherever a command is run.
"""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from healthcert.authority.profile_tables import KeySource, Length, Profile, RegisterUrl, SignerTable
from healthcert.authority.secret import load_secret
from healthcert.clock import Clock
from healthcert.errors import Code, HealthCertError, IssueError, RegisterError, Step
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.keysource import Secrets, is_file, open_signer, read_pin
from healthcert.issue.signer import Signer, load_certificate
from healthcert.issue.signer_set import SignerSet
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.x509 import kid_of

if TYPE_CHECKING:  # a profile is read without the register's packages
    from healthcert.authority.authority import IssuingAuthority
    from healthcert.authority.register import Register

PROFILE_NAME = "healthcert.toml"
VARIABLE = "HEALTHCERT_PROFILE"
_SECRET_WORDS = ("pin", "passphrase", "password")
_WHERE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
# Before an @, as SQLAlchemy finds it, which takes a password with a slash in it for one; or in the query, as libpq
# takes it (PostgreSQL 15, §34.1.2).
_PASSWORD = re.compile(r"[^:/]*:[^@]*@|.*[?&](ssl)?password=", re.IGNORECASE | re.DOTALL)


def find_profile() -> Path | None:
    """The profile to use where no option names one: that of the variable HEALTHCERT_PROFILE, or ./healthcert.toml.

    One that the variable names is given also when it is not there: whoever named it is to be told.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    usual = Path(PROFILE_NAME)
    return usual if usual.is_file() else None


def load_profile(path: str | Path) -> Profile:
    """The profile in a file.

    Raises :class:`RegisterError` (``PROFILE_INVALID``) with the name of the field, :class:`DecodeError`
    (``INPUT_TOO_LONG``), OSError.
    """
    path = Path(path)
    data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 (resolve() would follow links: the name's folder is meant)
    try:
        return msgspec.convert(tomllib.loads(data.decode("utf-8")), Profile, dec_hook=_reader(folder))
    except tomllib.TOMLDecodeError as error:
        raise _invalid(f"not TOML: {error}") from None
    except UnicodeDecodeError:
        raise _invalid("not UTF-8") from None
    except msgspec.ValidationError as error:
        raise _invalid(_told(str(error))) from None
    except (ValueError, RecursionError):  # a number of too many digits, or nested too deep
        raise _invalid("not TOML that can be read") from None


def open_authority(
    profile: Profile,
    secrets: Secrets,
    clock: Clock | None = None,
    *,
    actor: str | None = None,
    without: Collection[bytes] = (),
) -> IssuingAuthority:
    """The authority that a profile describes, with its keys and its register; ``clock`` is the machine's own.

    ``secrets`` is asked for what opens a key where the profile names no file with it; ``actor`` is who does what is
    done, as the audit log will have it (the login name); ``without`` are kids of DSCs that sign nothing any more. The
    register is to be closed in the end. Raises :class:`IssueError` and :class:`TrustError` for keys and DSCs,
    :class:`RegisterError` for the register (``EXTRA_MISSING`` without its packages), :class:`RuleError` for value sets,
    OSError.
    """
    from healthcert.authority.authority import IssuingAuthority

    policy = profile.policy()
    signers = open_signers(profile, secrets, without=without)
    register = open_register(profile, clock, actor=actor)
    try:
        return IssuingAuthority(
            signers, register, country=profile.country, name=profile.issuer, policy=policy, clock=clock
        )
    except BaseException:
        register.close()
        raise


def open_signers(profile: Profile, secrets: Secrets, *, without: Collection[bytes] = ()) -> SignerSet:
    """The signers of a profile but those of these kids. Raises as :func:`open_authority` does."""
    used = [
        table for table in profile.signer if not without or kid_of(load_certificate(table.certificate)) not in without
    ]
    rollover = profile.rollover
    return SignerSet([open_key(table, secrets) for table in used], lead=rollover.lead, use=rollover.use)


def open_key(table: SignerTable, secrets: Secrets) -> Signer:
    """The signer of ``[[signer]]`` or ``[upload]``. Raises as :func:`healthcert.issue.keysource.open_signer`."""
    return open_signer(table.key, table.certificate, _Files(table, secrets))


def open_register(
    profile: Profile, clock: Clock | None = None, *, actor: str | None = None, create: bool = False
) -> Register:
    """The register of a profile, to be closed in the end; ``create`` makes it. Raises :class:`RegisterError`."""
    from healthcert.authority.register import Register

    secret = load_secret(profile.register.secret)
    return Register.open(profile.register.url, secret, actor=actor or login_name(), clock=clock, create=create)


def login_name() -> str:
    """Who runs this program, as the machine knows them: for the audit log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in containers
        return f"uid {os.getuid()}"


class _Files:
    """Passphrases and PINs from the files that a table names; those that it does not name are asked for."""

    def __init__(self, table: SignerTable, secrets: Secrets) -> None:
        self._table, self._secrets = table, secrets

    def passphrase(self, path: Path) -> bytes:
        file = self._table.passphrase_file
        if file is None:
            return self._secrets.passphrase(path)
        lines = read_file(file, DEFAULT_LIMITS.key_file_bytes).splitlines()
        if not lines or not lines[0]:
            raise IssueError(
                Code.SIGNER_KEY_UNREADABLE, "the passphrase file holds none in its first line", Step.SIGNATURE
            )
        return lines[0]

    def pin(self, token: str) -> str:
        return self._secrets.pin(token) if self._table.pin_file is None else read_pin(self._table.pin_file)


def _reader(folder: Path) -> Callable[[type, Any], Any]:
    def read(kind: type, value: object) -> object:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError("text that is not empty")
        if kind is Path:
            return folder / value
        if kind is Length:
            return Length.of(value)
        return KeySource(_key(value, folder)) if kind is KeySource else RegisterUrl(_url(value, folder))

    return read


def _key(value: str, folder: Path) -> str:
    if is_pkcs11(value):
        try:
            Pkcs11Uri.parse(value)  # refuses a PIN in it, among others
        except HealthCertError as error:
            raise ValueError(error.detail) from None
    return str(folder / value) if is_file(value) else value


def _url(value: str, folder: Path) -> str:
    scheme, mark, rest = value.partition("://")
    if not mark:
        return str(folder / value)
    if scheme == "sqlite":
        # SQLAlchemy: what follows the third slash is the path, so that an absolute one has four.
        inside = rest.removeprefix("/")
        if inside == rest or not inside or "?" in inside:
            raise ValueError("sqlite:/// and the name of a file; for example sqlite:///register.db")
        return str(folder / inside)
    if _PASSWORD.match(rest):
        raise ValueError("a URL without a password: that belongs into ~/.pgpass or the variable PGPASSWORD")
    return value


def _told(error: str) -> str:
    """What msgspec found, behind the name of the field as the file has it."""
    found = _WHERE.fullmatch(error)
    what, where = (found[1], found[2]) if found else (error, "")
    unknown = _UNKNOWN.fullmatch(what)
    if unknown is None:
        return f"{where}: {what}" if where else what
    # An unknown name can be anything, a secret put on the wrong side of = too.
    name = unknown[1] if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", unknown[1]) else "a field"
    field_name = f"{where}.{name}" if where else name
    if name in _SECRET_WORDS:
        return f"{field_name}: a profile holds no secret, it names the file of it: {name}-file"
    return f"{field_name}: no such field"


def _invalid(detail: str) -> RegisterError:
    return RegisterError(Code.PROFILE_INVALID, detail)
