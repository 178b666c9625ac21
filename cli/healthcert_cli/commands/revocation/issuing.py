"""``healthcert revocation publish``: what an issuer revokes, in forms that others read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from msgspec.structs import replace

from healthcert.errors import Code, DecodeError, IssueError, Step
from healthcert.families import FAMILIES
from healthcert.issue.signer import PemSigner
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import load_anchors
from healthcert.publish import covpass, shc_crl, slices, swiss_revocations
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.slices import BLOOMFILTER, VARHASHLIST
from healthcert_cli.commands.revocation.entries import Wanted, read_entries
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Moment, json_option, new_folder, passphrase_option, this_second, write_whole
from healthcert_cli.rejects import Rejects
from healthcert_cli.signing import load_signer

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_OF_ALL = frozenset(("format_", "sources", "out", "as_json"))
_BY_ENTRY = frozenset(("types", "country", "expires", "rejects", "anchors"))
_SIGNED = frozenset(("key", "certificate", "passphrase_file"))
_OF_FORMAT = {
    "distribution": _BY_ENTRY | {"filter_", "mode"},
    "covpass": _BY_ENTRY | _SIGNED,
    "ch": _SIGNED,
    "shc": frozenset(("kid", "before")),
}
_EU_TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)


def source_options(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What is revoked, and how it is to be named."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in _SOURCE_OPTIONS:
            command = option(command)
        return click.argument(
            "sources", nargs=-1, required=required, metavar="SOURCE..." if required else "[SOURCE]..."
        )(command)

    return decorate


_SOURCE_OPTIONS = (
    click.option(
        "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="File for rows that cannot be used."
    ),
    click.option(
        "--expires",
        type=Moment(),
        help="When identifiers without a certificate cease to matter; of a date alone, its start.",
    ),
    click.option("--country", help="The country that issued identifiers (two letters). [revoke: the signer's]"),
    click.option(
        "--type",
        "types",
        multiple=True,
        type=click.Choice([one.value for one in _EU_TYPES]),
        help="How certificates are named; may be repeated. [default: SIGNATURE, and UCI for identifiers]",
    ),
)


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(list(_OF_FORMAT)))
@source_options(required=True)
@click.option("--key", type=_file, help="The signer's private key (covpass, ch).")
@click.option("--certificate", type=_file, help="The signer's certificate (covpass, ch).")
@passphrase_option
@click.option(
    "--anchor", "anchors", multiple=True, type=_file, help="Upload certificate that batches in SOURCE are signed with."
)
@click.option(
    "--filter",
    "filter_",
    type=click.Choice([BLOOMFILTER, VARHASHLIST]),
    default=BLOOMFILTER,
    show_default=True,
    help="Kind of slices (distribution).",
)
@click.option(
    "--mode",
    type=click.Choice([one.value for one in Mode]),
    help="How they are divided (distribution). [default: by how many there are]",
)
@click.option("--kid", help="The key whose list it is (shc).")
@click.option("--list", "before", type=_file, help="The list until now, which is added to (shc).")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="New folder, or file (ch, shc), to write to."
)
@json_option
@boundary
def publish(
    format_: str,
    sources: tuple[str, ...],
    types: tuple[str, ...],
    country: str | None,
    expires: datetime | None,
    rejects: Path | None,
    key: Path | None,
    certificate: Path | None,
    passphrase_file: Path | None,
    anchors: tuple[Path, ...],
    filter_: str,
    mode: str | None,
    kid: str | None,
    before: Path | None,
    out: Path,
    as_json: bool,
) -> Exit:
    """Write all that is revoked as a list that verifiers read.

    SOURCE is as for `revoke`, or a batch that it made. FORMAT is `distribution` (the EU service's slices: Bloom
    filters or lists of first bytes), `covpass` (Germany's tree), `ch` (Switzerland's list, of identifiers in plain) or
    `shc` (the list of a SMART Health Card key, of rids a line, each with `.<seconds>` if only older cards are meant).
    """
    now = this_second()
    _check_options(format_)
    keep = files_read(sources, key, certificate, passphrase_file, before, *anchors)
    with Rejects(rejects, keep) as rejected:
        if format_ in ("ch", "shc"):
            lines = list(_identifiers(sources))
            _check_some(len(lines))
            data = (
                swiss_revocations.publish(lines, _signer(key, certificate, passphrase_file), now=now)
                if format_ == "ch"
                else _crl(lines, kid, before)
            )
            # The list until now is what this one replaces.
            write_whole(out, data, keep=(one for one in keep if one != before))
            count, files = len(lines), [str(out)]
        else:
            wanted = wanted_of(types, country, expires, anchors)
            counted = _Counted(_by_day(read_entries(sources, wanted, rejected)))
            pairs = (
                slices.publish(
                    counted, now=now, filter=filter_, mode=Mode(mode) if mode else None, default_expiry=expires
                )
                if format_ == "distribution"
                else covpass.publish(counted, _signer(key, certificate, passphrase_file), timestamp=now)
            )
            with new_folder(out) as folder:
                files = [write_file(folder, name, content) for name, content in pairs]
                count = counted.count
                _check_some(count)
    if as_json:
        values = {"format": format_, "entries": count, "files": len(files), "rejected": rejected.counts.total()}
        click.echo(json.dumps(values))
    else:
        click.echo(f"{count} {'entry' if count == 1 else 'entries'} in {len(files)} files, below {out}")
    return done(count, rejected)


class _Counted:
    """Entries, and how many there were."""

    def __init__(self, entries: Iterable[RevokedEntry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[RevokedEntry]:
        for entry in self._entries:
            self.count += 1
            yield entry


def _by_day(entries: Iterable[RevokedEntry]) -> Iterator[RevokedEntry]:
    """The entries, ending at the midnight after: each other moment would make a slice of its own, and tell too much."""
    for entry in entries:
        if entry.expires is None:
            yield entry
            continue
        day = entry.expires.astimezone(UTC)
        midnight = datetime.combine(day.date(), time(), UTC)
        yield entry if day == midnight else replace(entry, expires=midnight + timedelta(days=1))


def wanted_of(
    types: tuple[str, ...], country: str | None, expires: datetime | None, anchors: tuple[Path, ...] = ()
) -> Wanted:
    """How certificates are to be named, as the options say."""
    return Wanted(
        tuple(map(IdentifierType, types)) or None,
        country,
        expires,
        tuple(one for path in anchors for one in load_anchors(path)),
    )


def _identifiers(sources: tuple[str, ...]) -> Iterator[str]:
    for source in sources:
        with click.open_file(source, encoding="utf-8-sig") as file:
            try:
                for number, line in enumerate(file, 1):
                    # These lists are in plain, and a whole certificate has its holder's name in it.
                    if any(family.recognises(text := line.strip()) for family in FAMILIES):
                        detail = f"row {number}: a certificate, where identifiers belong"
                        raise IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
                    if text:
                        yield text
            except UnicodeDecodeError:
                raise DecodeError(Code.TEXT_UNREADABLE, "not text in UTF-8") from None


def _crl(lines: list[str], kid: str | None, before: Path | None) -> bytes:
    if kid is None:
        raise click.UsageError("the list of a SMART Health Card key needs its --kid")
    rids: dict[str, datetime | None] = {}
    for number, line in enumerate(lines, 1):
        rid, separator, seconds = line.partition(".")
        if separator and not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):
            raise IssueError(
                Code.PUBLISHING_REFUSED, f"row {number}: no number of seconds behind the dot", Step.REVOCATION
            )
        rids[rid] = datetime.fromtimestamp(int(seconds), UTC) if separator else None
    known = read_file(before, DEFAULT_LIMITS.list_bytes) if before is not None else None
    return shc_crl.publish(kid, rids, before=known)


def _signer(key: Path | None, certificate: Path | None, passphrase_file: Path | None) -> PemSigner:
    if key is None or certificate is None:
        raise click.UsageError("lists of this format are signed: --key and --certificate are needed")
    return load_signer(key, certificate, passphrase_file)


def write_file(out: Path, name: str, content: bytes) -> str:
    """Writes a file below a folder, and says where."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    return str(path)


def files_read(sources: Iterable[str], *others: str | Path | None) -> tuple[str | Path | None, ...]:
    """The files that a command reads, which are not to be written over."""
    return (*(Path(source) for source in sources if source != "-"), *others)


def _check_options(format_: str) -> None:
    """An option that this format does not know would be passed over in silence."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in _OF_ALL | _OF_FORMAT[format_]:
            raise click.UsageError(f"lists of the format {format_} have no option {parameter.opts[0]}")


def _check_some(count: int) -> None:
    if not count:
        detail = "nothing is to be revoked by it: such a list would end all revocations until now"
        raise IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)


def done(count: int, rejected: Rejects) -> Exit:
    """Tells how many rows were rejected, and how the command ends."""
    if total := rejected.counts.total():
        click.echo(f"{total} {'row' if total == 1 else 'rows'} rejected", err=True)
    return Exit.REFUSED if rejected.counts or not count else Exit.ACCEPTED
