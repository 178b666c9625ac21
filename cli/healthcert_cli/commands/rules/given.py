"""The certificates that rules are asked about: verified ones, or, when somebody says so, whatever was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
from msgspec import Struct

from healthcert.errors import Code, DecodeError, HealthCertError, TrustError
from healthcert.families.hcert.payload import SCHEMA_VERSION
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.reading import read_json
from healthcert.rules.subject import RuleSubject
from healthcert.verify.report import Outcome, Report
from healthcert_cli.exits import Exit
from healthcert_cli.options import Decorator
from healthcert_cli.render import verdict
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable

unverified_option: Decorator = click.option(
    "--unverified",
    is_flag=True,
    help="Ask about what is claimed, whoever signed it: certificates as they are, and payloads in JSON.",
)
EXITS = {Outcome.ACCEPTED: Exit.ACCEPTED, Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}
# A missing file says nothing about a certificate, so a refusal among the others weighs more.
WORST_FIRST = (Exit.REFUSED, Exit.UNDETERMINED, Exit.ENVIRONMENT)
_PAYLOAD = ".json"


class Given(Struct, frozen=True):
    """One certificate: where it came from, what rules see of it, and its report where it was verified.

    ``subject`` is None where there is nothing to ask about; ``problem`` says why where no report does.
    """

    source: str
    subject: RuleSubject | None
    report: Report | None = None
    problem: HealthCertError | None = None

    @property
    def verdict(self) -> tuple[Outcome, Code, str]:
        """What is to be said of the certificate itself, before any rule is asked."""
        if self.report is not None and self.report.outcome is not Outcome.ACCEPTED:
            return self.report.outcome, self.report.code, self.report.detail
        if self.problem is not None:
            # What the rules are not about is nothing that they refuse.
            unasked = self.problem.code is Code.RULE_NOT_SUPPORTED
            return Outcome.UNDETERMINED if unasked else Outcome.REFUSED, self.problem.code, self.problem.detail
        return Outcome.ACCEPTED, Code.OK, ""

    @property
    def is_verified(self) -> bool:
        """Whether the signature held."""
        return self.report is not None and self.report.certificate is not None

    @property
    def exit(self) -> Exit:
        """The exit code that the certificate itself stands for."""
        outcome, code, _ = self.verdict
        return Exit.ENVIRONMENT if code is Code.ENVIRONMENT else EXITS[outcome]

    @property
    def line(self) -> str:
        """What is wrong with it, for people."""
        outcome, code, detail = self.verdict
        if code is Code.ENVIRONMENT:
            return f"{printable(self.source)}: not read: {printable(detail)}"
        return verdict(self.source, outcome, code, detail)

    def described(self) -> dict[str, Any]:
        """The same for programs."""
        outcome, code, detail = self.verdict
        return {
            "source": self.source,
            "outcome": None if code is Code.ENVIRONMENT else outcome.value,
            "code": code.value,
            "detail": detail,
            "verified": self.is_verified,
        }


def given(sources: tuple[str, ...], examine: Callable[[str], Report] | None) -> Iterator[Given]:
    """The certificates in the sources, one after the other; what is wrong with one does not stop the next.

    Without ``examine``, which verifies one, they are taken as they are.
    """
    for source in sources or ("-",):
        try:
            if examine is None and source.endswith(_PAYLOAD):
                yield Given(source, payload_subject(read_file(source, DEFAULT_LIMITS.key_file_bytes)))
                continue
            texts = read_source(source, DEFAULT_LIMITS)
        except HealthCertError as error:
            yield Given(source, None, problem=error)
            continue
        except OSError as error:
            yield Given(source, None, problem=HealthCertError(Code.ENVIRONMENT, error.strerror or "cannot be read"))
            continue
        for number, text in enumerate(texts, 1):
            name = f"{source}#{number}" if len(texts) > 1 else source
            yield _unverified(name, text) if examine is None else _verified(name, examine(text))


def payload_subject(data: bytes) -> RuleSubject:
    """A payload in JSON, alone or as the member ``payload`` of a rule's test.

    One that names no version is taken for the newest one. Raises :class:`DecodeError` (``TEXT_UNREADABLE``).
    """
    try:
        document: dict[str, Any] = read_json(data, dict)
    except TrustError as error:
        raise DecodeError(Code.TEXT_UNREADABLE, error.detail) from None
    payload = document.get("payload", document)
    if not isinstance(payload, dict):
        raise DecodeError(Code.TEXT_UNREADABLE, "the payload is no object")
    return RuleSubject(payload={"ver": SCHEMA_VERSION, **payload})


def _verified(source: str, report: Report) -> Given:
    if report.certificate is None or report.key is None:
        return Given(source, None, report)
    try:
        return Given(source, RuleSubject.of(report.certificate, report.key.kid, report.key.country), report)
    except HealthCertError as error:
        return Given(source, None, report, error)


def _unverified(source: str, text: str) -> Given:
    try:
        return Given(source, RuleSubject.unverified(text))
    except HealthCertError as error:
        return Given(source, None, problem=error)
