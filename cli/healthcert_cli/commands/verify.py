"""``healthcert verify``: what a verifier at a door, or a script, calls."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, HealthCertError, RevocationError
from healthcert.families import KINDS
from healthcert.limits import DEFAULT_LIMITS
from healthcert.revocation.store import RevocationStore
from healthcert.trust.keys import Assurance
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy, RevocationCheck, RulesCheck
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import (
    Country,
    Duration,
    at_option,
    default_revocations,
    default_store,
    json_option,
)
from healthcert_cli.render import report_lines, verdict
from healthcert_cli.rulestores import load_rules
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable

# A missing file says nothing about a certificate, so a refusal among the others weighs more.
_WORST_FIRST = (Exit.REFUSED, Exit.UNDETERMINED, Exit.ENVIRONMENT)
_EXITS = {Outcome.ACCEPTED: Exit.ACCEPTED, Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}
_BAR_FROM = 20  # sources


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--trust",
    "trust_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust store, certificate file or folder; may be repeated. Default: the store that 'trust add' fills.",
)
@at_option
@click.option("--strict", is_flag=True, help="Apply the letter of the specification: known quirks are refusals.")
@click.option(
    "--accept",
    multiple=True,
    metavar="FAMILY",
    type=click.Choice(sorted(KINDS - Policy().families), case_sensitive=False),
    help=f"Accept this family, too; may be repeated: {'; '.join(sorted(KINDS - Policy().families))}.",
)
@click.option(
    "--accept-tls-only",
    "tls_only",
    is_flag=True,
    help="Accept keys of lists that nothing but the name of their server vouches for.",
)
@click.option(
    "--trust-grace",
    type=Duration(),
    help=f"How long an overdue list of keys is still believed, with a warning. [default: {Policy().trust_grace.days}d]",
)
@click.option(
    "--rsa-bits",
    type=click.IntRange(min=1024),
    default=Policy().rsa_bits,
    show_default=True,
    help="The smallest RSA key that is believed. Smaller ones can be broken.",
)
@click.option(
    "--revocation",
    type=click.Choice([one.value for one in RevocationCheck]),
    default=Policy().revocation.value,
    show_default=True,
    help="Whether revocation lists have to tell that a certificate was not revoked.",
)
@click.option(
    "--revocation-store",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the revocation lists. Default: the one that 'revocation update' fills.",
)
@click.option(
    "--revocation-grace",
    type=Duration(),
    help="How long an overdue revocation list still tells that a certificate was not revoked. [default: 0s]",
)
@click.option("--country", type=Country(), help="Ask the rules of this country, too: that of arrival.")
@click.option("--region", help="A region of it that has rules of its own.")
@click.option(
    "--rules",
    "rules_check",
    type=click.Choice([one.value for one in RulesCheck]),
    default=Policy().rules.value,
    show_default=True,
    help="Whether the country must have rules for a certificate, or may have none.",
)
@click.option(
    "--rules-store",
    type=click.Path(exists=True, path_type=Path),
    help="Rule store, or a file or folder of rules. Default: the store that 'rules update' fills.",
)
@click.option(
    "--rules-grace",
    type=Duration(),
    help=f"How long overdue rules are still asked. [default: {Policy().rules_grace.days}d]",
)
@json_option
@boundary
def command(
    sources: tuple[str, ...],
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
    as_json: bool,
) -> Exit:
    """Verify certificates.

    SOURCE is a picture with one or more codes, a text file with one certificate a line, or - for standard
    input (the default). With --json, one line of JSON for each certificate.

    Exit code: 0 when all were accepted, 1 when one was refused, 3 when one could not be determined, 4 when a
    file could not be read.
    """
    if region is not None and country is None:
        raise click.UsageError("--region is one of a --country")
    policy = Policy.strict() if strict else Policy()
    assurances = policy.assurances | ({Assurance.TLS_ONLY} if tls_only else set())
    verifier = Verifier(
        load_trust(trust_paths),
        revocation=load_revocations(revocation_store),
        rules=None if country is None else load_rules(rules_store, country=country, region=region),
        policy=replace(
            policy,
            families=policy.families.union(accept),
            assurances=assurances,
            rsa_bits=rsa_bits,
            trust_grace=policy.trust_grace if trust_grace is None else trust_grace,
            revocation=RevocationCheck(revocation),
            revocation_grace=policy.revocation_grace if revocation_grace is None else revocation_grace,
            country=country,
            region=region,
            rules=RulesCheck(rules_check),
            rules_grace=policy.rules_grace if rules_grace is None else rules_grace,
        ),
        clock=FixedClock(at) if at else SystemClock(),
    )
    counts: Counter[Exit] = Counter()
    for source, result in _results(verifier, sources or ("-",)):
        counts[_exit_of(result)] += 1
        _show(source, result, as_json=as_json)
    if counts.total() > 1:
        click.echo(_summary(counts), err=True)
    return next((code for code in _WORST_FIRST if counts[code]), Exit.ACCEPTED)


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


def _results(verifier: Verifier, sources: tuple[str, ...]) -> Iterator[tuple[str, Report | HealthCertError]]:
    hidden = len(sources) < _BAR_FROM or sys.stdout.isatty() or not sys.stderr.isatty()
    with click.progressbar(sources, file=sys.stderr, hidden=hidden, label="Verifying") as bar:
        for source in bar:
            try:
                texts = read_source(source, DEFAULT_LIMITS)
            except HealthCertError as error:
                yield source, error
                continue
            except OSError as error:
                yield source, HealthCertError(Code.ENVIRONMENT, error.strerror or "cannot be read")
                continue
            for number, report in enumerate(verifier.examine_many(texts), 1):
                yield f"{source}#{number}" if len(texts) > 1 else source, report


def _exit_of(result: Report | HealthCertError) -> Exit:
    if isinstance(result, Report):
        return _EXITS[result.outcome]
    return Exit.ENVIRONMENT if result.code is Code.ENVIRONMENT else Exit.REFUSED


def _summary(counts: Counter[Exit]) -> str:
    words = {Exit.ACCEPTED: "accepted", Exit.REFUSED: "refused", Exit.UNDETERMINED: "undetermined"}
    parts = [f"{counts[code]} {word}" for code, word in words.items()]
    if counts[Exit.ENVIRONMENT]:
        parts.append(f"{counts[Exit.ENVIRONMENT]} not read")
    return ", ".join(parts)


def _show(source: str, result: Report | HealthCertError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"source": source} | _as_dict(result)))
    elif isinstance(result, Report):
        click.echo("\n".join(report_lines(source, result)))
    elif result.code is Code.ENVIRONMENT:
        click.echo(f"{printable(source)}: not read: {result.detail}")
    else:
        click.echo(verdict(source, Outcome.REFUSED, result.code, result.detail))


def _as_dict(result: Report | HealthCertError) -> dict[str, Any]:
    if isinstance(result, Report):
        return result.to_dict()
    outcome = None if result.code is Code.ENVIRONMENT else Outcome.REFUSED.value
    return {"outcome": outcome, "code": result.code.value, "step": None, "detail": result.detail}
