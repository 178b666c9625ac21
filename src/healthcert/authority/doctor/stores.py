"""What a set-up keeps: the register with its audit log, and the lists that certificates are verified with."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from healthcert.authority.doctor.diagnosis import SKEW, Diagnoses, fault, fine, warning
from healthcert.authority.doctor.files import SET_CLOCK, is_special, register_file
from healthcert.authority.profile import open_register
from healthcert.authority.profile_tables import Profile
from healthcert.clock import Clock
from healthcert.errors import Code, HealthCertError
from healthcert.revocation.store import RevocationStore
from healthcert.trust.generation import LOCAL
from healthcert.trust.store import TrustStore

_CHECK_REGISTER = "check the database, who may use it, and [register] in the profile (docs/reference/register.md)"


def check_register(profile: Profile, clock: Clock) -> Diagnoses:
    """The register opens with its secret, and its audit log's chain holds."""
    file = register_file(profile)
    secret = profile.register.secret
    if file is not None and not file.is_file():
        yield fault("register", f"there is none at {file}", _lost(file, secret))
        return
    if is_special(secret):
        yield fault("register", f"its secret {secret} is no regular file", "put the file itself there")
        return
    check = "register"
    try:
        from healthcert.authority.audit import entries, verify_audit  # needs the extra `register`

        with open_register(profile, clock) as register:
            issued = sum(count.certificates for count in register.counts(at=clock.now()))
            yield fine("register", f"{issued} certificate{'s' if issued != 1 else ''}")
            check = "audit"
            audit = verify_audit(register)
            last = next(entries(register, after=audit.count - 1), None)
    except OSError as error:
        remedy = "restore it from a backup: without it no record is known again"
        yield fault("register", f"its secret {secret} cannot be read: {error.strerror}", remedy)
        return
    except HealthCertError as error:
        broken = error.code is Code.AUDIT_BROKEN
        remedy = "keep the register as evidence, and find out who changed it" if broken else _CHECK_REGISTER
        yield fault(check, error.detail, remedy)
        return
    entry = "1 entry" if audit.count == 1 else f"{audit.count} entries"
    yield fine("audit", f"{entry}, and the chain holds; its head is {audit.head.hex()[:16]}...")
    if last is not None and last.moment > clock.now() + SKEW:
        told = f"the audit log has an entry of {last.moment:%Y-%m-%d %H:%M} UTC, which has not come"
        yield fault("clock", told, SET_CLOCK)


def _lost(file: Path, secret: Path) -> str:
    """What to do where the register's file is not there: what was issued, no new one knows."""
    if not os.path.exists(secret):  # noqa: PTH110 (Path's own raises where it may not look)
        return "correct [register] in the profile; or restore register and secret from their backups"
    # SQLite plays a log that it finds beside a database into it, whichever database it was of.
    stale = f"{file.name}-wal and {file.name}-shm"
    return f"correct [register] url; or remove {stale}, and restore the register from a backup: its secret is there"


def check_value_sets(profile: Profile) -> Diagnoses:
    """The value sets that the profile names."""
    if profile.value_sets is None:
        return
    try:
        profile.policy()
    except HealthCertError as error:
        yield fault("value sets", f"{profile.value_sets}: {error.detail}", "correct value-sets in the profile")
    except OSError as error:
        yield fault("value sets", f"{profile.value_sets}: {error.strerror}", "correct value-sets in the profile")
    else:
        yield fine("value sets", str(profile.value_sets))


def check_trust(path: Path, now: datetime) -> Diagnoses:
    """The keys that this machine verifies with, and how old its lists are."""
    if not path.exists():
        yield warning(
            "trust", f"no store of keys at {path}: nothing can be verified here", "healthcert trust update, or add"
        )
        return
    try:
        store = TrustStore.open(path)
    except HealthCertError as error:
        yield fault("trust", f"{path}: {error.detail}", "restore it, or make it anew: healthcert trust update")
        return
    old = False
    for source, generation in sorted(store.state.lists.items()):
        end = generation.head.best_before
        if source != LOCAL and _is_over(end, now):
            old = True
            yield warning("trust", f"the list {source} stood until {end:%Y-%m-%d %H:%M} UTC", "healthcert trust update")
    if not old:
        yield fine("trust", f"{len(store)} key{'s' if len(store) != 1 else ''} at {path}")


def check_revocation(path: Path, now: datetime) -> Diagnoses:
    """The lists of revoked certificates that this machine has, and how old they are."""
    if not path.exists():
        return  # an issuer need not verify
    try:
        lists = RevocationStore.open(path).state.lists
    except HealthCertError as error:
        yield fault("revocation", f"{path}: {error.detail}", "healthcert revocation status names the list")
        return
    overdue = [(source, head.best_before) for source, head in sorted(lists.items()) if _is_over(head.best_before, now)]
    for source, end in overdue:
        remedy = "healthcert revocation update"
        yield warning("revocation", f"the list {source} stood until {end:%Y-%m-%d %H:%M} UTC", remedy)
    if not overdue:
        yield fine("revocation", f"{len(lists)} list{'s' if len(lists) != 1 else ''} at {path}")


def _is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end < now
