"""What is wrong with an issuing authority's set-up, each fault with its remedy: before records come, not with them."""

from __future__ import annotations

from pathlib import Path

from healthcert.authority.doctor.diagnosis import Diagnoses, Diagnosis, Level, fault, fine, warning
from healthcert.authority.doctor.files import check_clock, check_permissions, check_room, is_special
from healthcert.authority.doctor.keys import check_signers, check_upload
from healthcert.authority.doctor.stores import check_register, check_revocation, check_trust, check_value_sets
from healthcert.authority.profile import load_profile
from healthcert.clock import Clock
from healthcert.errors import HealthCertError
from healthcert.issue.keysource import Secrets

__all__ = ["Diagnosis", "Level", "examine"]


def examine(path: Path, *, clock: Clock, secrets: Secrets | None = None, trust: Path, revocation: Path) -> Diagnoses:
    """All that can be told of the set-up that the profile at ``path`` describes, in the order of what builds on what.

    Keys that need a passphrase or a PIN, and commands, are tried only where there are ``secrets`` to ask; one that was
    not tried is a warning. ``trust`` and ``revocation`` are this machine's stores. Nothing is changed, and nothing
    wrong raises.
    """
    if is_special(path):
        yield fault("profile", f"{path} is no regular file", "name the file itself with --profile")
        return
    try:
        profile = load_profile(path)
    except HealthCertError as error:
        yield fault("profile", error.detail, f"correct {path}; docs/reference/profile.md tells every field")
        return
    except OSError as error:
        told = f"{path} cannot be read: {error.strerror}"
        yield fault("profile", told, "healthcert init makes one; or name another with --profile")
        return
    number = len(profile.signer)
    yield fine("profile", f"{path}: {profile.country}, {number} DSC{'s' if number != 1 else ''}")
    if profile.issuer is None:
        told = "the profile names no issuer: records that name none will be rejected"
        yield warning("issuer", told, f"set issuer in {path}, unless every record names its own")
    now = clock.now()
    yield from check_clock(path, now)
    yield from check_permissions(path, profile)
    yield from check_room(profile)
    yield from check_register(profile, clock)
    yield from check_signers(profile, now, secrets)
    yield from check_upload(profile, now, secrets)
    yield from check_value_sets(profile)
    yield from check_trust(trust, now)
    yield from check_revocation(revocation, now)
