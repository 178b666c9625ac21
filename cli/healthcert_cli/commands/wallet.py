"""``healthcert wallet``: a holder's own certificates, in one encrypted file."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthcert.barcode.symbols import Symbol
from healthcert.errors import Code, HealthCertError
from healthcert.families.shc.parts import PartCollector
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import HealthCertificate
from healthcert.verify.report import Outcome
from healthcert.wallet.drawing import symbols_of
from healthcert.wallet.held import Held, best_held, by_holder, look_over
from healthcert.wallet.persons import is_of
from healthcert.wallet.wallet import Wallet
from healthcert_cli.exits import Exit, boundary, tell_unread
from healthcert_cli.options import json_option, pdf_password, pdf_password_option, text_line, this_second, write_private
from healthcert_cli.render import country_name, event_summary, holder_summary
from healthcert_cli.rulestores import load_rules
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable
from healthcert_cli.verifying import Asked, verifier_options

Command = Callable[..., Any]
_WORDS = {Outcome.ACCEPTED: "accepted", Outcome.REFUSED: "refused", Outcome.UNDETERMINED: "not verified"}


@click.group()
def command() -> None:
    """Keep one's own certificates in an encrypted file, and show the best one.

    The file is in the format of age, so that other programs open it, too. Its passphrase comes from --passphrase-file,
    the variable HEALTHCERT_WALLET_PASSPHRASE, or a prompt.
    """


def _wallet_options(run: Command) -> Command:
    """Where the wallet is, and what opens it."""
    file = click.option(
        "--wallet",
        "path",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="HEALTHCERT_WALLET",
        help="The wallet's file (or the variable HEALTHCERT_WALLET). [default: in the user's application folder]",
    )
    secret = click.option(
        "--passphrase-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with the wallet's passphrase in its first line.",
    )
    return file(secret(run))


@command.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@_wallet_options
@pdf_password_option
@boundary
def add(
    sources: tuple[str, ...], path: Path | None, passphrase_file: Path | None, pdf_password_file: Path | None
) -> Exit:
    """Take in the certificates in pictures, PDFs and text files; - is standard input.

    Nothing is verified: `list` does that. Exit code: 1 when something was no certificate, 4 when a file could not be
    read; the others are taken in.
    """
    exits: set[Exit] = set()
    parts = PartCollector()
    password = pdf_password(pdf_password_file)
    now = this_second()
    with _opened(path, passphrase_file, is_new_allowed=True) as wallet:
        before = len(wallet.entries)
        known = 0
        for source in sources:
            try:
                texts = read_source(source, DEFAULT_LIMITS, password=password)
            except (HealthCertError, OSError) as error:
                exits.add(tell_unread(source, error))
                continue
            for text in texts:
                try:
                    whole = parts.add(text)
                    if whole is not None and not wallet.add(whole, now):
                        known += 1
                except HealthCertError as error:
                    exits.add(tell_unread(source, error))
        if detail := parts.describe():
            click.echo(f"Not taken in: {detail} ({Code.PARTS_MISSING})", err=True)
            exits.add(Exit.REFUSED)
        added = len(wallet.entries) - before
        if added:
            wallet.save()
        click.echo(f"{added} added, {known} known before, {len(wallet.entries)} in the wallet.")
    return next((code for code in (Exit.REFUSED, Exit.ENVIRONMENT) if code in exits), Exit.ACCEPTED)


@command.command("list")
@_wallet_options
@verifier_options
@json_option
@boundary
def list_(path: Path | None, passphrase_file: Path | None, asked: Asked, as_json: bool) -> None:
    """List the certificates by holder, the soonest to end first, and how each stands.

    With --country, its rules are asked, and until when it accepts each.
    """
    for group in by_holder(_all(path, passphrase_file, asked)):
        if not as_json:
            click.echo(click.style(printable(_holder(group[0].content)), bold=True))
        for one in group:
            click.echo(json.dumps(_as_dict(one)) if as_json else _line(one))


@command.command()
@click.argument("number", type=int)
@click.option("--qr", type=click.Path(dir_okay=False, path_type=Path), help="Write the code to a .png, .svg or .pdf.")
@_wallet_options
@boundary
def show(number: int, qr: Path | None, path: Path | None, passphrase_file: Path | None) -> None:
    """Draw the code of the certificate of this NUMBER, to be scanned from the screen."""
    if qr is not None and qr.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise click.BadParameter("the name must end in .png, .svg or .pdf", param_hint="'--qr'")
    with _opened(path, passphrase_file) as wallet:
        if not 0 < number <= len(wallet.entries):
            raise click.UsageError(f"the wallet has certificates 1 to {len(wallet.entries)}")
        entry = wallet.entries[number - 1]
    _draw(entry.content(), entry.text, qr)


@command.command()
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="NUMBER...")
@_wallet_options
@boundary
def remove(numbers: tuple[int, ...], path: Path | None, passphrase_file: Path | None) -> None:
    """Take the certificates of these NUMBERs out of the wallet. Those that follow get other numbers."""
    with _opened(path, passphrase_file) as wallet:
        if not all(0 < number <= len(wallet.entries) for number in numbers):
            raise click.UsageError(f"the wallet has certificates 1 to {len(wallet.entries)}")
        for number in sorted(set(numbers), reverse=True):
            wallet.remove(number)
        wallet.save()
        click.echo(f"{len(wallet.entries)} in the wallet.")


@command.command()
@click.option("--holder", help="Whose: words of the name. Needed where the wallet has certificates of several people.")
@_wallet_options
@verifier_options
@json_option
@boundary
def best(holder: str | None, path: Path | None, passphrase_file: Path | None, asked: Asked, as_json: bool) -> Exit:
    """Show the certificate that is accepted for longest; with --country, by the rules there.

    Exit code: 0 when there is one, 1 when none is accepted, 3 when that could not be determined.
    """
    every = [one for one in _all(path, passphrase_file, asked) if holder is None or is_of(one.content.holder, holder)]
    if len(by_holder(every)) > 1:
        numbers = "; ".join(", ".join(str(one.number) for one in group) for group in by_holder(every))
        raise click.UsageError(f"these are of several people, as far as is known: {numbers}: say --holder, or show one")
    found = best_held(every)
    if found is None:
        click.echo("No certificate is accepted." if every else "No certificate of this holder is there.", err=True)
        undetermined = any(one.report.outcome is Outcome.UNDETERMINED for one in every)
        return Exit.UNDETERMINED if undetermined or not every else Exit.REFUSED
    if as_json:
        click.echo(json.dumps(_as_dict(found) | {"text": str(found.entry.text)}))
        return Exit.ACCEPTED
    _draw(found.content, found.entry.text, None)
    for line in _why(found, every):
        click.echo(line)
    return Exit.ACCEPTED


def _why(found: Held, every: Sequence[Held]) -> Iterator[str]:
    """Why this one is shown, and what became of the others."""
    where = country_name(found.report.policy.country)
    until = f"until {found.until:%Y-%m-%d %H:%M} UTC" if found.until else "without an end that is known"
    yield f"Certificate {found.number} is accepted{f' in {where}' if where else ''} {until}."
    yield from (_line(one) for one in every if one is not found)


@contextmanager
def _opened(path: Path | None, passphrase_file: Path | None, *, is_new_allowed: bool = False) -> Iterator[Wallet]:
    path = path or Path(click.get_app_dir("healthcert")) / "wallet.age"
    is_new = not path.exists()
    if is_new and not is_new_allowed:
        raise click.UsageError(f"there is no wallet at {path} yet: add a certificate")
    with Wallet.open(path, _passphrase(passphrase_file, confirm=is_new)) as wallet:
        yield wallet


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    """From ``file``, the variable HEALTHCERT_WALLET_PASSPHRASE, or a prompt; never from arguments."""
    if file is not None:
        return text_line(file)
    if named := os.environ.get("HEALTHCERT_WALLET_PASSPHRASE"):
        return named
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(
            "a passphrase is needed: in --passphrase-file, the variable HEALTHCERT_WALLET_PASSPHRASE, or at a terminal"
        )
    typed: str = click.prompt("Passphrase of the wallet", hide_input=True, confirmation_prompt=confirm, err=True)
    return typed


def _all(path: Path | None, passphrase_file: Path | None, asked: Asked) -> list[Held]:
    policy = asked.policy
    rules = None
    if policy.country is not None:
        rules = load_rules(asked.rules_store, country=policy.country, region=policy.region)
    verifier = asked.verifier()
    with _opened(path, passphrase_file) as wallet:
        return look_over(wallet, verifier, rules)


def _draw(content: HealthCertificate, text: str, qr: Path | None) -> None:
    """The codes on the terminal, or in files. Raises :class:`DocumentError` for what no barcode holds, OSError."""
    if qr is not None:
        _write(symbols_of(text), qr)
        return
    click.echo(printable(f"{_holder(content)}: {_events(content)}"))
    width = shutil.get_terminal_size().columns
    codes = symbols_of(text)
    if max(map(_columns, codes)) > width:  # with less error correction the code is smaller
        codes = symbols_of(text, error_correction="L")
    for number, code in enumerate(codes, 1):
        if len(codes) > 1:
            click.echo(f"Code {number} of {len(codes)}")
        click.echo(code.terminal(), nl=False)
    if (needed := max(map(_columns, codes))) > width:
        click.echo(f"The code needs {needed} columns, and here are {width}: widen the window, or use --qr.", err=True)


def _columns(code: Symbol) -> int:
    return len(code.modules[0]) + 2 * code.quiet_zone


def _write(codes: Sequence[Symbol], path: Path) -> None:
    """New files, which only their owner may read; several codes are numbered."""
    several = len(codes) > 1
    for number, code in enumerate(codes, 1):
        name = path.with_stem(f"{path.stem}-{number}") if several else path
        match path.suffix.lower():
            case ".svg":
                write_private(name, code.svg().encode())
            case ".pdf":
                write_private(name, code.pdf())
            case _:
                write_private(name, code.png())


def _holder(content: HealthCertificate) -> str:
    return holder_summary(content.holder) if content.holder.name else "Holder unknown"


def _events(content: HealthCertificate) -> str:
    return "; ".join(f"{event.entry_type.value} {event_summary(event)}" for event in content.events) or content.family


def _line(one: Held) -> str:
    comes = f", from {one.comes:%Y-%m-%d}" if one.comes else ""
    until = f", until {one.until:%Y-%m-%d}" if one.until else ""
    is_out = one.report.outcome is Outcome.ACCEPTED and not one.is_usable
    word = "accepted, but on none of its days" if is_out else _WORDS[one.report.outcome]
    why = "" if one.report.outcome is Outcome.ACCEPTED else f": {one.report.detail} ({one.report.code})"
    return printable(f"{one.number:4}  {_events(one.content)}{comes}{until}  [{word}{why}]")


def _as_dict(one: Held) -> dict[str, Any]:
    return {
        "number": one.number,
        "holder": one.content.holder.name,
        "birth_date": one.content.holder.birth_date,
        "family": one.content.family,
        "entries": [event.entry_type.value for event in one.content.events],
        "added": one.entry.added.isoformat(),
        "outcome": one.report.outcome.value,
        "code": one.report.code.value,
        "detail": one.report.detail,
        "until": _iso(one.until),
        "accepted_from": None if one.forecast is None else _iso(one.forecast.valid_from),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
