"""What commands that verify have in common: whom they trust, and what they ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from healthcert.batch.verifying import VerifierPlan
from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, RevocationError
from healthcert.families import KINDS
from healthcert.revocation.store import RevocationStore
from healthcert.trust.keys import Assurance
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy, RevocationCheck, RulesCheck
from healthcert.verify.verifier import Verifier
from healthcert_cli.options import Country, Duration, at_option, default_revocations, default_rules, default_store
from healthcert_cli.rulestores import load_rules
from healthcert_cli.text import printable

_OPTIONS = (
    click.option(
        "--trust",
        "trust_paths",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Trust store, certificate file or folder; may be repeated. Default: the store that 'trust add' fills.",
    ),
    at_option,
    click.option("--strict", is_flag=True, help="Apply the letter of the specification: known quirks are refusals."),
    click.option(
        "--accept",
        multiple=True,
        metavar="FAMILY",
        type=click.Choice(sorted(KINDS - Policy().families), case_sensitive=False),
        help=f"Accept this family, too; may be repeated: {'; '.join(sorted(KINDS - Policy().families))}.",
    ),
    click.option(
        "--accept-tls-only",
        "tls_only",
        is_flag=True,
        help="Accept keys of lists that nothing but the name of their server vouches for.",
    ),
    click.option(
        "--trust-grace",
        type=Duration(),
        help=f"How long an overdue list of keys is still believed, with a warning. "
        f"[default: {Policy().trust_grace.days}d]",
    ),
    click.option(
        "--rsa-bits",
        type=click.IntRange(min=1024),
        default=Policy().rsa_bits,
        show_default=True,
        help="The smallest RSA key that is believed. Smaller ones can be broken.",
    ),
    click.option(
        "--revocation",
        type=click.Choice([one.value for one in RevocationCheck]),
        default=Policy().revocation.value,
        show_default=True,
        help="Whether revocation lists have to tell that a certificate was not revoked.",
    ),
    click.option(
        "--revocation-store",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of the revocation lists. Default: the one that 'revocation update' fills.",
    ),
    click.option(
        "--revocation-grace",
        type=Duration(),
        help="How long an overdue revocation list still tells that a certificate was not revoked. [default: 0s]",
    ),
    click.option("--country", type=Country(), help="Ask the rules of this country, too: that of arrival."),
    click.option("--region", help="A region of it that has rules of its own."),
    click.option(
        "--rules",
        "rules_check",
        type=click.Choice([one.value for one in RulesCheck]),
        default=Policy().rules.value,
        show_default=True,
        help="Whether the country must have rules for a certificate, or may have none.",
    ),
    click.option(
        "--rules-store",
        type=click.Path(exists=True, path_type=Path),
        help="Rule store, or a file or folder of rules. Default: the store that 'rules update' fills.",
    ),
    click.option(
        "--rules-grace",
        type=Duration(),
        help=f"How long overdue rules are still asked. [default: {Policy().rules_grace.days}d]",
    ),
)


class Asked(Struct, frozen=True, kw_only=True):
    """What the options say: whose signatures are believed, which lists and rules are asked, and for which moment."""

    policy: Policy
    trust_paths: tuple[Path, ...]
    revocation_store: Path | None
    rules_store: Path | None
    at: datetime | None

    def verifier(self) -> Verifier:
        """Opens all of it, and tells what could not be used. Raises as :meth:`VerifierPlan.open`."""
        policy = self.policy
        return Verifier(
            load_trust(self.trust_paths),
            revocation=load_revocations(self.revocation_store),
            rules=None
            if policy.country is None
            else load_rules(self.rules_store, country=policy.country, region=policy.region),
            policy=policy,
            clock=FixedClock(self.at) if self.at else SystemClock(),
        )

    def plan(self) -> VerifierPlan:
        """The same for other processes, which make it themselves."""
        rules = None if self.policy.country is None else self.rules_store or _there(default_rules())
        return VerifierPlan(
            trust=self.trust_paths or tuple(filter(None, [_there(default_store())])),
            revocation=self.revocation_store or _there(default_revocations()),
            rules=rules,
            policy=self.policy,
            at=self.at,
        )


def verifier_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of one who verifies, handed to the command as ``asked``."""

    names = signature(_asked).parameters

    @wraps(command)
    def run(**given: Any) -> Any:
        said = {name: given.pop(name) for name in names}
        return command(asked=_asked(**said), **given)

    wrapped: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _asked(
    *,
    trust_paths: tuple[Path, ...],
    at: datetime | None,
    strict: bool,
    accept: tuple[str, ...],
    tls_only: bool,
    trust_grace: timedelta | None,
    rsa_bits: int,
    revocation: str,
    revocation_store: Path | None,
    revocation_grace: timedelta | None,
    country: str | None,
    region: str | None,
    rules_check: str,
    rules_store: Path | None,
    rules_grace: timedelta | None,
) -> Asked:
    if region is not None and country is None:
        raise click.UsageError("--region is one of a --country")
    policy = Policy.strict() if strict else Policy()
    return Asked(
        policy=replace(
            policy,
            families=policy.families.union(accept),
            assurances=policy.assurances | ({Assurance.TLS_ONLY} if tls_only else set()),
            rsa_bits=rsa_bits,
            trust_grace=policy.trust_grace if trust_grace is None else trust_grace,
            revocation=RevocationCheck(revocation),
            revocation_grace=policy.revocation_grace if revocation_grace is None else revocation_grace,
            country=country,
            region=region,
            rules=RulesCheck(rules_check),
            rules_grace=policy.rules_grace if rules_grace is None else rules_grace,
        ),
        trust_paths=trust_paths,
        revocation_store=revocation_store,
        rules_store=rules_store,
        at=at,
    )


def load_trust(paths: tuple[Path, ...]) -> TrustStore:
    """The keys of all the given paths together, or of the default store."""
    if not paths:
        return TrustStore.open(default_store())
    store = TrustStore()
    for path in paths:
        part = TrustStore.from_path(path)
        store.include(part)
        if part.rejected:
            click.echo(f"{printable(path)}: {len(part.rejected)} entries could not be used", err=True)
    return store


def load_revocations(path: Path | None) -> RevocationStore | None:
    """The lists in a folder, or in the default one; None where nobody named one, and there is none.

    Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``).
    """
    if path is None:
        return RevocationStore.open(default_revocations()) if default_revocations().exists() else None
    store = RevocationStore.open(path)
    # Whoever names a folder means the lists in it: it may be a disk that is not there.
    if not store:
        raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, "no revocation lists are in this folder")
    return store


def _there(path: Path) -> Path | None:
    return path if path.exists() else None
