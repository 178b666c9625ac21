"""``healthcert issue``: a record becomes a signed QR code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from healthcert.authority.profile import find_profile, load_profile
from healthcert.authority.profile_tables import Profile
from healthcert.barcode.symbols import Symbol
from healthcert.errors import Code, IssueError, Step
from healthcert.intake.record import ENTRY_TYPES
from healthcert.issue.issued import IssuedCertificate
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import EntryType
from healthcert_cli.authorities import files_of, profile_path
from healthcert_cli.commands.issue_batch import batch
from healthcert_cli.commands.issue_dcc import issue_dcc, issue_registered
from healthcert_cli.commands.issue_family import BARE, card_file, issue_family, text_of
from healthcert_cli.commands.issue_options import DCC, options_for
from healthcert_cli.exits import boundary
from healthcert_cli.options import refuse_over, write_whole
from healthcert_cli.printing import Printing, printing_options
from healthcert_cli.signing import load_signer
from healthcert_cli.sources import read_bytes

# The names that `healthcert keys` gives to the files of each kind of issuer.
_DSC, _BCS, _BARE = "dsc", "bcs", "issuer"
_SAID_BY_PROFILE = {
    "issuer_name": "--issuer-name",
    "value_sets": "--value-sets",
    "allow_codes": "--allow-code",
    "transliteration": "--transliteration",
}
_ONLY_WITH_PROFILE = {"new_edition": "--new-edition"}
_ONLY_DCC = {**_SAID_BY_PROFILE, **_ONLY_WITH_PROFILE, "profile": "--profile"}
_NOT_WITH_PROFILE = _SAID_BY_PROFILE | {"key": "--key", "certificate": "--certificate"}
_ONLY_OTHERS = {
    "issuer_id": "--issuer-id",
    "key_id": "--key-id",
    "validity": "--validity",
    "rid": "--rid",
    "card": "--file",
}


@click.group()
def command() -> None:
    """Issue a vaccination, test or recovery certificate, or a pass.

    The record is given by options, as a JSON object with the options' names (birth_date, dose ...) in a file or on
    standard input, or both: options win. Other users of a machine can see the options of running commands, so on
    a shared one use a file.

    Without --family it is an EU DCC. The others have fields of their own, and refuse those that they have no place for.
    A code alone is one of the system that the family writes; cvx:208, icd-11:XM68M6, atc:J07BX03, loinc:94558-4 and
    snomed:840539006 say theirs.
    """


def _command(kind: EntryType | None) -> click.Command:
    @boundary
    def run(
        record_file: str | None,
        key: str | Path | None,
        certificate: Path | None,
        passphrase_file: Path | None,
        pin_file: Path | None,
        qr: Path | None,
        text_file: Path | None,
        pdf: Path | None,
        html: Path | None,
        printing: Printing,
        show: bool,
        error_correction: str | None,
        as_json: bool,
        family: str = DCC,
        issuer_id: str | None = None,
        key_id: str | None = None,
        validity: timedelta | None = None,
        rid: str | None = None,
        card: Path | None = None,
        profile: Path | None = None,
        new_edition: bool = False,
        issuer_name: str | None = None,
        value_sets: str | None = None,
        allow_codes: tuple[str, ...] = (),
        transliteration: str | None = None,
        **flags: str | None,
    ) -> None:
        written = [path for path in (qr, text_file, card, pdf, html) if path is not None]
        for path in written:
            refuse_over(path, (key, certificate, passphrase_file, pin_file, *printing.read))
        # What is wrong with it is told before anything is issued.
        template = printing.template() if pdf or html else None
        if pdf:
            printing.check()
        record = _load_record(record_file) | {name: value for name, value in flags.items() if value is not None}
        issued: IssuedCertificate
        if family == DCC:
            assert kind is not None
            _refuse_given(_ONLY_OTHERS, "are for the other families: say --family")
            registering = _profile(profile)
            if registering is not None:
                for path in written:
                    refuse_over(path, files_of(profile_path(profile), registering))
                _refuse_given(_NOT_WITH_PROFILE, "is said by the profile")
                issued = issue_registered(kind, record, registering, passphrase_file, pin_file, new_edition=new_edition)
                error_correction = error_correction or registering.outputs.error_correction
            else:
                _refuse_given(_ONLY_WITH_PROFILE, "is for an authority with a profile")
                issued = issue_dcc(
                    kind,
                    record,
                    load_signer(_key_of(key, _DSC), _certificate_of(certificate, _DSC), passphrase_file, pin_file),
                    issuer_name=issuer_name,
                    value_sets=value_sets,
                    allow_codes=allow_codes,
                    transliteration=transliteration,
                )
        else:
            _refuse_given(_ONLY_DCC, "are for the EU DCC")
            if card and family != "shc":
                raise click.UsageError("--file is for SMART Health Cards (shc)")
            bare, stem = family in BARE, _BCS if family == "vds-nc" else _DSC
            # The variable may be that of an EU DCC's issuer: a family that needs no certificate takes one by option.
            named = certificate if not bare or _is_given("certificate") else None
            issued = issue_family(
                family,
                kind,
                record,
                key=_key_of(key, _BARE if bare else stem),
                certificate=None if bare and named is None else _certificate_of(named, stem),
                passphrase_file=passphrase_file,
                pin_file=pin_file,
                issuer_id=issuer_id,
                key_id=key_id,
                validity=validity,
                rid=rid,
                file_only=card is not None and not (qr or show or pdf or html),
            )
        if card:
            card.write_bytes(card_file(issued))
        has_file = any((card, pdf, html))
        _deliver(issued, qr, text_file, show=show, level=error_correction, as_json=as_json, has_file=has_file)
        if template is not None:
            document = issued.document(template=template, error_correction=error_correction)
            if html:
                write_whole(html, document.html(lang=printing.lang).encode())
            if pdf:
                printing.write_pdf(document, pdf)

    decorated: Callable[..., None] = printing_options(run)
    for option in reversed(options_for(kind)):
        decorated = option(decorated)
    if kind is None:
        return click.command("pass", help="Issue a pass, which certifies a person and no event.")(decorated)
    return click.command(kind.value, help=f"Issue a {kind.value} certificate.")(decorated)


def _profile(named: Path | None) -> Profile | None:
    """The authority that issues; None for one who brings a key, or has no profile here."""
    path = named or find_profile()
    if path is not None and named is None and any(map(_is_said, ("key", "certificate"))):
        click.echo(f"Not registered: a key is named, and {path} is left aside.", err=True)
        return None
    return None if path is None else load_profile(path)


def _is_said(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def _there(option: str, path: Path | None, usual: Path) -> Path:
    """The file that was named, or the one of the usual name, which must be there."""
    path = path or usual
    if not path.is_file():
        raise click.BadParameter(f"File '{path}' does not exist.", param_hint=f"'{option}'")
    return path


def _key_of(key: str | Path | None, stem: str) -> str | Path:
    return key if isinstance(key, str) else _there("--key", key, Path(f"{stem}.key.pem"))


def _certificate_of(path: Path | None, stem: str) -> Path:
    return _there("--certificate", path, Path(f"{stem}.pem"))


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _refuse_given(options: Mapping[str, str], rule: str) -> None:
    """An option that this family does not know would be passed over in silence."""
    if given := [option for name, option in options.items() if _is_given(name)]:
        raise click.UsageError(f"{', '.join(given)} {rule}")


def _load_record(source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    data = read_bytes(source, DEFAULT_LIMITS.text_chars * 16)
    try:
        record = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise IssueError(
            Code.FIELD_INVALID, "the record is not a JSON object with unique names", Step.CONTENT
        ) from None
    if not isinstance(record, dict):
        raise IssueError(Code.FIELD_INVALID, "the record is not a JSON object", Step.CONTENT)
    return record


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name stands twice")
    return record


def _deliver(
    issued: IssuedCertificate,
    qr: Path | None,
    text_file: Path | None,
    *,
    show: bool,
    level: str | None,
    as_json: bool,
    has_file: bool,
) -> None:
    code: Symbol | None = None
    if qr or show:
        code = issued.qr(error_correction=level) if level else issued.symbol()
    if qr and code:
        code.save(qr)
    if text_file:
        text_file.write_text(text_of(issued) + "\n", encoding="utf-8")
    if as_json:
        values = {
            "certificate_id": issued.certificate_id,
            "issued_at": issued.issued_at.isoformat(),
            "expires": issued.expires and issued.expires.isoformat(),
            "text": text_of(issued),
        }
        click.echo(json.dumps(values))
        return
    if show and code:
        click.echo(code.terminal(), nl=False)
    if not (qr or text_file or show or has_file):
        click.echo(text_of(issued))
    ending = f"expires {issued.expires:%Y-%m-%d %H:%M} UTC" if issued.expires else "without an end"
    click.echo(f"Issued {issued.certificate_id or 'a certificate'}, {ending}.", err=True)


for _kind in ENTRY_TYPES:
    command.add_command(_command(_kind))
command.add_command(_command(None))
command.add_command(batch)
