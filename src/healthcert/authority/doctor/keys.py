"""The keys of a set-up: whether they are there, fit their certificates, and for how long they may sign what."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from pathlib import Path

from healthcert.authority.doctor.diagnosis import SOON, Diagnoses, Diagnosis, Level, fault, fine, warning
from healthcert.authority.doctor.files import is_special, secret_files
from healthcert.authority.profile import open_key
from healthcert.authority.profile_tables import Profile, SignerTable
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.issue.hsm.extra import needed
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.keysource import Secrets, command_words, is_file
from healthcert.issue.signer import load_certificate, needs_passphrase
from healthcert.issue.signer_set import SignerSet, Trouble
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import TrustedKey

_REMEDIES = {
    Code.PIN_REFUSED: "correct the PIN before anybody tries again: wrong ones lock the module",
    Code.TOKEN_UNAVAILABLE: "plug the module in; check module-path, token and object of its URI",
    Code.SIGNER_KEY_MISMATCH: "give the key that belongs to this certificate",
    Code.EXTRA_MISSING: "install the extra that the detail names",
    Code.SIGNING_FAILED: "run the command by hand and see what it says; then correct it, or the signer",
}
_PROBE = b"healthcert doctor"  # no Sig_structure: a signature over it makes no certificate
_ELF = b"\x7fELF"


class _Listed:
    """A DSC as a signer that does not sign: to ask which of them would."""

    def __init__(self, certificate: bytes) -> None:
        key = read_certificate(certificate)
        self.kid, self.certificate = key.kid, certificate
        self.algorithm = Algorithm.for_key(key.public_key) or Algorithm.ES256

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        raise IssueError(Code.SIGNING_FAILED, "a certificate without its key", Step.SIGNATURE)


def check_signers(profile: Profile, now: datetime, secrets: Secrets | None) -> Diagnoses:
    """Each DSC and its key, and whether there is one for every kind of entry, now and in a month."""
    usable: list[_Listed] = []
    for number, table in enumerate(profile.signer):
        found = _check(f"signer {number + 1}", table, profile, now, secrets)
        if found.level is not Level.FAULT:
            usable.append(_Listed(load_certificate(table.certificate)))
        yield found
    signers = SignerSet(usable, lead=profile.rollover.lead, use=profile.rollover.use)
    for trouble in signers.warnings(now, SOON, validity=profile.validity.given()):
        if trouble.trouble is Trouble.NO_SIGNER and trouble.at <= now:
            yield fault("rollover", trouble.detail, "make one now: healthcert keys new-dsc")
        elif trouble.succeeded:
            yield warning("rollover", trouble.detail, "take it out of the profile once nothing is issued under it")
        else:
            yield warning("rollover", trouble.detail, "plan the next DSC in time: healthcert keys roll")


def check_upload(profile: Profile, now: datetime, secrets: Secrets | None) -> Diagnoses:
    """The upload certificate, which revocations are signed with."""
    if profile.upload is None:
        yield warning("upload", "no certificate to sign revocations with", "name one in [upload], before one is needed")
    else:
        yield _check("upload", profile.upload, profile, now, secrets)


def _check(check: str, table: SignerTable, profile: Profile, now: datetime, secrets: Secrets | None) -> Diagnosis:
    where = "[upload]" if check == "upload" else "[[signer]]"
    for file in (table.certificate, *secret_files(table)):
        if is_special(file):
            return fault(check, f"{file} is no regular file", f"put the file itself there, or correct {where}")
    try:
        certificate = read_certificate(load_certificate(table.certificate))
        if (wrong := _wrong(check, certificate, profile, now)) is not None:
            return wrong
        _check_form(table.key)
        tried = secrets is not None or not _asks(table)
        if tried:
            _try(table, secrets or _Nobody())
    except HealthCertError as error:
        return fault(
            check, f"{table.certificate}: {error.detail}", _REMEDIES.get(error.code, f"correct {where} in the profile")
        )
    except OSError as error:
        return fault(
            check, f"{error.filename}: {error.strerror}", f"correct {where} in the profile, or restore the file"
        )
    told = f"{table.certificate} until {certificate.not_after:%Y-%m-%d}"
    if not tried:
        return warning(check, f"{told}; its key was not tried", "healthcert doctor --ask tries it")
    return fine(check, f"{told}, and its key fits")


def _try(table: SignerTable, secrets: Secrets) -> None:
    signer = open_key(table, secrets)
    if not is_file(table.key) and not is_pkcs11(table.key):
        signer.sign(_PROBE)  # a command is started with the first request, and only its answer tells whose key it has


def _check_form(key: str) -> None:
    """What can be told of a key's source without opening it. Raises :class:`IssueError`, OSError."""
    if is_pkcs11(key):
        with needed():
            from healthcert.issue.hsm.module import module_path
        _check_module(Path(module_path(Pkcs11Uri.parse(key))))
    elif not is_file(key):
        program = command_words(key)[0]
        if shutil.which(program) is None:
            detail = f"key: there is no program {program}, or it may not be run"
            raise IssueError(Code.FIELD_INVALID, detail, Step.SIGNATURE)


def _check_module(path: Path) -> None:
    if not path.is_absolute() or not path.is_file():
        detail = f"there is no module at {path}; give its whole path"
        raise IssueError(Code.TOKEN_UNAVAILABLE, detail, Step.SIGNATURE)
    with path.open("rb") as file:
        begins = file.read(len(_ELF))
    # To load it would run it; how a library of Linux begins can be told without.
    if sys.platform == "linux" and begins != _ELF:
        raise IssueError(Code.TOKEN_UNAVAILABLE, f"{path} is no module: it is no shared library", Step.SIGNATURE)


def _wrong(check: str, certificate: TrustedKey, profile: Profile, now: datetime) -> Diagnosis | None:
    kid = certificate.kid.hex()
    if certificate.not_before is None or certificate.not_after is None:
        return fault(check, f"{kid}: its certificate says no validity", "make another")
    if now < certificate.not_before:
        remedy = "wait, or check the clock"
        return fault(check, f"{kid} is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC", remedy)
    if now >= certificate.not_after:
        remedy = "take it out of the profile, and make the next: healthcert keys new-dsc"
        return fault(check, f"{kid} expired on {certificate.not_after:%Y-%m-%d}", remedy)
    if certificate.country not in (None, profile.country):
        remedy = "give a certificate of this country, or correct country in the profile"
        return fault(check, f"{kid} is of {certificate.country}, and the profile of {profile.country}", remedy)
    return None


def _asks(table: SignerTable) -> bool:
    """Whether opening the key asks somebody for a secret."""
    if is_pkcs11(table.key):
        return table.pin_file is None and Pkcs11Uri.parse(table.key).pin_source is None
    if not is_file(table.key):
        return True  # a command may do anything
    return table.passphrase_file is None and needs_passphrase(read_file(Path(table.key), DEFAULT_LIMITS.key_file_bytes))


class _Nobody:
    """Has no secrets; asked for one only where a file of the profile should have given it."""

    def passphrase(self, path: Path) -> bytes:
        raise IssueError(Code.SIGNER_KEY_UNREADABLE, "its passphrase is not in the profile", Step.SIGNATURE)

    def pin(self, token: str) -> str:
        raise IssueError(Code.PIN_REFUSED, "its PIN is not in the profile", Step.SIGNATURE)
