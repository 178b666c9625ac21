"""What ``healthcert issue`` makes of a record without --family: an EU DCC, registered where there is an authority."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healthcert.authority.profile_tables import Profile
from healthcert.families.hcert.letters import TRANSLITERATION_VARIANTS
from healthcert.intake.record import read_record
from healthcert.issue.issued import Issued
from healthcert.issue.issuer import Issuer
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer import Signer
from healthcert.model import EntryType
from healthcert.rules.valuesets import ValueSets
from healthcert.trust.certificates import read_certificate
from healthcert_cli.options import default_rules


def issue_registered(
    kind: EntryType,
    record: Mapping[str, Any],
    profile: Profile,
    passphrase_file: Path | None,
    pin_file: Path | None,
    *,
    new_edition: bool,
) -> Issued:
    """The certificate of a record under an authority: the same one, where it was issued before.

    Raises :class:`IssueError`, :class:`RegisterError`, :class:`TrustError`, OSError.
    """
    from healthcert_cli.authorities import authority_of

    holder, event = read_record(kind, record)
    with authority_of(profile, passphrase_file, pin_file) as authority:
        return authority.issue(event, holder=holder, new_edition=new_edition)


def issue_dcc(
    kind: EntryType,
    record: Mapping[str, Any],
    signer: Signer,
    *,
    issuer_name: str | None,
    value_sets: str | None,
    allow_codes: tuple[str, ...],
    transliteration: str | None,
) -> Issued:
    """The certificate of a record under a key alone; nobody keeps that it was issued.

    Raises :class:`IssueError`, :class:`TrustError`, :class:`RuleError`, OSError.
    """
    holder, event = read_record(kind, record)
    country = read_certificate(signer.certificate).country or event.country or ""
    policy = IssuePolicy(
        value_sets=None if value_sets is None else _load_value_sets(value_sets),
        unlisted_codes=frozenset(allow_codes),
        transliteration=TRANSLITERATION_VARIANTS[transliteration.upper()] if transliteration else {},
    )
    return Issuer(signer, country=country, name=issuer_name, policy=policy).issue(event, holder=holder)


def _load_value_sets(source: str) -> ValueSets:
    """The value sets at a path, or in the usual store. Raises :class:`RuleError`, OSError."""
    from healthcert.rules.database import is_database
    from healthcert.rules.store import RuleStore
    from healthcert.rules.valuesetfiles import load_value_sets

    path = default_rules() if source == "store" else Path(source)
    # An empty store has no newer codes than this program: whoever names one is told, instead of issuing by old codes.
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return RuleStore.open(path).book.value_sets if path.is_file() and is_database(path) else load_value_sets(path)
