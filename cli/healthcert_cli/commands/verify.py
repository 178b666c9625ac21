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
from healthcert.errors import Code, DecodeError, HealthCertError, RevocationError, Step
from healthcert.families import KINDS
from healthcert.families.shc.family import SHC
from healthcert.families.shc.parts import PartCollector
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
from healthcert_cli.render import Table, report_lines, verdict
from healthcert_cli.rulestores import load_rules
from healthcert_cli.sources import certificates_among, files_in, read_source
from healthcert_cli.text import printable

# A missing file says nothing about a certificate, so a refusal among the others weighs more.
_WORST_FIRST = (Exit.REFUSED, Exit.UNDETERMINED, Exit.ENVIRONMENT)
_EXITS = {Outcome.ACCEPTED: Exit.ACCEPTED, Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}
_OUTCOMES: dict[Exit | None, Outcome] = {exit_code: outcome for outcome, exit_code in _EXITS.items()}
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
    """Verify certificates of any family: EU DCC, SMART Health Cards, NZ COVID Pass, ICAO seals, DIVOC, 2D-Doc ...

    SOURCE is a picture with one or more codes, a text file with one certificate a line, a file of SMART Health Cards,
    a folder of all of these, or - for standard input (the default). A card that is spread over several codes is put
    together from all sources, in any order. Of a folder, one table is printed. With --json, one line of JSON for each
    certificate.

    Exit code: 0 when all were accepted, 1 when one was refused, 3 when one could not be determined or there was none,
    4 when a file could not be read.
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
    given = _expanded(sources or ("-",))
    table = Table(given) if any(given.values()) and not as_json else None
    counts: Counter[Exit | None] = Counter()
    for source, result in _results(verifier, given):
        counts[_exit_of(result)] += 1
        click.echo(_row(table, source, result) if table else _shown(source, result, as_json=as_json))
    if counts.total() > 1:
        click.echo(_summary(counts), err=True)
    if counts.total() == counts[None]:
        click.echo("No certificate was found.", err=True)
        return Exit.UNDETERMINED
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


def _expanded(sources: tuple[str, ...]) -> dict[str, bool]:
    """The sources, with the files of a folder in its place, and of each whether it was found in one."""
    given: dict[str, bool] = {}
    for source in sources:
        if source != "-" and Path(source).is_dir():
            given |= {found: True for found in files_in(source) if found not in given}
        else:
            given[source] = False
    return given


def _results(verifier: Verifier, given: dict[str, bool]) -> Iterator[tuple[str, Report | HealthCertError]]:
    hidden = len(given) < _BAR_FROM or sys.stdout.isatty() or not sys.stderr.isatty()
    parts = _Parts()
    with click.progressbar(given.items(), length=len(given), file=sys.stderr, hidden=hidden, label="Verifying") as bar:
        for source, found in bar:
            try:
                texts = read_source(source, DEFAULT_LIMITS)
                texts, damaged = parts.joined(source, certificates_among(texts, DEFAULT_LIMITS) if found else texts)
            except HealthCertError as error:
                yield source, _no_certificate() if found and error.code is Code.TEXT_UNREADABLE else error
                continue
            except OSError as error:
                yield source, HealthCertError(Code.ENVIRONMENT, error.strerror or "cannot be read")
                continue
            for number, report in enumerate(verifier.examine_many(texts), 1):
                yield f"{source}#{number}" if len(texts) > 1 else source, report
            for problem in damaged:
                yield source, problem
    yield from parts.unfinished()


def _no_certificate() -> HealthCertError:
    """A file of a folder that is neither a picture nor text: it is there for something else."""
    return DecodeError(Code.NO_CERTIFICATE_FOUND, "neither a picture nor text")


class _Parts:
    """The cards that are spread over several codes, collected from all sources."""

    def __init__(self) -> None:
        self._collector = PartCollector()
        self._sources: list[str] = []

    def joined(self, source: str, texts: list[str]) -> tuple[list[str], list[HealthCertError]]:
        """The texts of a source, with a whole card once its last part is there; and what is wrong with others."""
        whole: list[str] = []
        errors: list[HealthCertError] = []
        for text in texts:
            try:
                found = self._collector.add(text)
            except HealthCertError as error:
                errors.append(error)
                continue
            if found is not None:
                whole.append(found)
            elif source not in self._sources:
                self._sources.append(source)
        return whole, errors

    def unfinished(self) -> Iterator[tuple[str, HealthCertError]]:
        """What is still missing when all sources were read."""
        if detail := self._collector.describe():
            yield ", ".join(self._sources), DecodeError(Code.PARTS_MISSING, detail, Step.DECODE)


def _exit_of(result: Report | HealthCertError) -> Exit | None:
    """What a result means for the exit code; None where there was no certificate, as in many a file of a folder."""
    if isinstance(result, Report):
        return _EXITS[result.outcome]
    if result.code is Code.NO_CERTIFICATE_FOUND:
        return None
    if result.code is Code.PARTS_MISSING:
        return Exit.UNDETERMINED
    return Exit.ENVIRONMENT if result.code is Code.ENVIRONMENT else Exit.REFUSED


def _summary(counts: Counter[Exit | None]) -> str:
    words = {Exit.ACCEPTED: "accepted", Exit.REFUSED: "refused", Exit.UNDETERMINED: "undetermined"}
    parts = [f"{counts[code]} {word}" for code, word in words.items()]
    if counts[Exit.ENVIRONMENT]:
        parts.append(f"{counts[Exit.ENVIRONMENT]} not read")
    if counts[None]:
        parts.append(f"{counts[None]} without a certificate")
    return ", ".join(parts)


def _shown(source: str, result: Report | HealthCertError, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"source": source} | _as_dict(result))
    if isinstance(result, Report):
        return "\n".join(report_lines(source, result))
    if result.code is Code.ENVIRONMENT:
        return f"{printable(source)}: not read: {result.detail}"
    outcome = Outcome.UNDETERMINED if result.code is Code.PARTS_MISSING else Outcome.REFUSED
    return verdict(source, outcome, result.code, result.detail)


def _row(table: Table, source: str, result: Report | HealthCertError) -> str:
    if isinstance(result, Report):
        why = "" if result.outcome is Outcome.ACCEPTED else f"{result.detail} ({result.code})"
        return table.row(source, result.family or "-", result.outcome, why)
    family = SHC.name if result.code in (Code.PARTS_MISSING, Code.PARTS_INCONSISTENT) else "-"
    return table.row(source, family, _OUTCOMES.get(_exit_of(result)), f"{result.detail} ({result.code})")


def _as_dict(result: Report | HealthCertError) -> dict[str, Any]:
    if isinstance(result, Report):
        return result.to_dict()
    outcome = None if result.code is Code.ENVIRONMENT else Outcome.REFUSED.value
    if result.code is Code.PARTS_MISSING:
        outcome = Outcome.UNDETERMINED.value
    return {"outcome": outcome, "code": result.code.value, "step": result.step, "detail": result.detail}
