"""What the commands on health links share: where a link comes from, who signed it, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from healthcert.clock import FixedClock, SystemClock
from healthcert.fetch import parse_address
from healthcert.limits import DEFAULT_LIMITS
from healthcert.links.base64url import encode
from healthcert.links.link import HealthLink, is_link, read_link
from healthcert.verify.policy import Policy
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.exits import Exit
from healthcert_cli.options import Decorator
from healthcert_cli.render import verdict
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable
from healthcert_cli.verifying import load_revocations, load_trust

NOT_SIGNED = "nothing signs this link: anybody can have made it"
EXITS = {Outcome.ACCEPTED: Exit.ACCEPTED, Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}
_OF_REPORT = ("outcome", "code", "step", "detail", "steps", "warnings", "family", "key", "checked_at", "policy")
_KINDS = {"shl": "SMART Health Link", "vhl": "Verifiable Health Link"}
_FLAGS = {
    "L": "L, for long-term use",
    "P": "P, its server asks for a passcode",
    "U": "U, leads to the file itself",
}

trust_option: Decorator = click.option(
    "--trust",
    "trust_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust store, certificate file or folder; may be repeated. Default: the store that 'trust add' fills.",
)


@dataclass(frozen=True, repr=False)
class Found:
    """A text with a link in it; ``report`` is that on the certificate which signs the link, None where nothing does.

    ``link`` is None where such a certificate shows none, because its signature does not hold, say.
    """

    link: HealthLink | None
    report: Report | None


def found_in(source: str, trust_paths: tuple[Path, ...], at: datetime | None) -> list[Found]:
    """The links in a source, bare ones and those in certificates. Raises as reading and verifying do."""
    verifier: Verifier | None = None
    found: list[Found] = []
    for text in read_source(source, DEFAULT_LIMITS):
        if is_link(text) or not text.startswith("HC1:"):
            found.append(Found(read_link(text), None))
            continue
        verifier = verifier or make_verifier(trust_paths, at, accept="health link")
        report = verifier.examine(text)
        links = report.certificate.links if report.certificate else ()
        found += [Found(read_link(link), report) for link in links] or [Found(None, report)]
    return found


def make_verifier(trust_paths: tuple[Path, ...], at: datetime | None, *, accept: str | None = None) -> Verifier:
    """A verifier with the given keys, or those of the default stores."""
    policy = Policy()
    return Verifier(
        load_trust(trust_paths),
        revocation=load_revocations(None),
        policy=replace(policy, families=policy.families | {accept}) if accept else policy,
        clock=FixedClock(at) if at else SystemClock(),
    )


def found_lines(source: str, found: Found, *, show_key: bool = False) -> Iterator[str]:
    """Whether anybody signed the link, and what it says."""
    if found.report is None:
        badge = click.style(" NOT SIGNED ", fg="black", bg="yellow", bold=True)
        yield f"{badge} {printable(f'{source}  {NOT_SIGNED}')}"
    else:
        yield verdict(source, found.report.outcome, found.report.code, found.report.detail)
    if found.link is not None:
        yield from _link_lines(found.link, show_key=show_key)


def _link_lines(link: HealthLink, *, show_key: bool) -> Iterator[str]:
    """A link for people. What its label says is whatever its maker wrote."""
    address = parse_address(link.url)
    yield _line("Type", _KINDS[link.type])
    yield _line("Server", address.authority if address else "")
    yield _line("URL", link.url)
    if link.label is not None:
        yield _line("Label", link.label)
    if link.viewer is not None:
        yield _line("Viewer", link.viewer)
    yield _line("Ends", f"{link.expires_at:%Y-%m-%d %H:%M} UTC" if link.expires_at else "not said")
    for flag in link.flag:
        yield _line("Flag", _FLAGS.get(flag, f"{flag}, of unknown meaning"))
    yield _line("Key", encode(link.key) if show_key else "hidden; --show-key shows it")


def link_dict(found: Found, *, show_key: bool) -> dict[str, Any]:
    """The same for scripts."""
    link, report = found.link, found.report
    told: dict[str, Any] = {"signed": None if report is None else report.outcome.value}
    if report is not None:
        # Without the certificate's content, which has the whole link in it, its key included.
        told["report"] = {name: value for name, value in report.to_dict().items() if name in _OF_REPORT}
    if link is None:
        return told | {"link": None}
    members = {
        "type": link.type,
        "url": link.url,
        "label": link.label,
        "exp": link.exp,
        "flag": link.flag,
        "v": link.v,
        "viewer": link.viewer,
    }
    return told | {"link": members | ({"key": encode(link.key)} if show_key else {})}


def worst(exits: Iterable[Exit]) -> Exit:
    """The exit code of a command that looked at several things."""
    found = set(exits)
    return next((one for one in (Exit.REFUSED, Exit.UNDETERMINED) if one in found), Exit.ACCEPTED)


def _line(label: str, text: str) -> str:
    return f"  {label:<14}{printable(text)}"
