"""What each worker of an issuing run does: records of a chunk become certificates, entered in the register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from healthcert.authority.profile import open_authority
from healthcert.authority.profile_tables import Profile
from healthcert.batch.protocol import Chunk, ChunkResult, Given, IssueItem, Output, Refusal
from healthcert.batch.sinks import Columns, Form, Kind, encode_rows, file_name
from healthcert.document.template import Template
from healthcert.errors import DocumentError, HealthCertError, IssueError
from healthcert.intake.reading import RejectedRow
from healthcert.issue.issued import Issued
from healthcert.issue.keysource import Secrets
from healthcert.model import Private

if TYPE_CHECKING:  # they need the extra `register`, which who looks at the options need not have
    from healthcert.authority.authority import IssuingAuthority
    from healthcert.authority.batch import IssuedRow

ISSUED: Columns = {
    "source": Kind.TEXT,
    "row": Kind.NUMBER,
    "certificate_id": Kind.TEXT,
    "issued_at": Kind.MOMENT,
    "expires": Kind.MOMENT,
    "again": Kind.FLAG,
    "text": Kind.TEXT,
}
"""A certificate as a row of the results: ``again`` says that its record had it before the run, or in another row."""


@unique
class Image(StrEnum):
    """How certificates are drawn, in results that are files: the bare code, or the page that is printed."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    PAGE = "page"

    @property
    def ending(self) -> str:
        """That of the file's name."""
        return ".pdf" if self is Image.PAGE else f".{self.value}"


class IssueWork(Private, frozen=True, kw_only=True):
    """All that a worker needs to issue. It opens the authority of ``profile`` by itself.

    ``secrets`` is asked for what opens its keys. ``began`` is when the run did, in whole seconds; ``resumed`` is since
    when an earlier one, which it goes on with, may have issued what it had not told yet. ``form`` is that of the
    results, and ``image`` how they are drawn where they are files; pages in this ``lang``, on this ``paper``, with
    what a ``template`` adds.
    """

    profile: Profile
    secrets: Secrets
    began: datetime
    resumed: datetime | None = None
    form: Form = Form.JSONL
    image: Image = Image.PNG
    lang: str = "en"
    paper: str = "a4"
    template: Template | None = None
    new_edition: bool = False

    def __call__(self) -> Callable[[Sequence[Given[IssueItem]]], ChunkResult]:
        """Raises as :func:`open_authority`."""
        return Issuing(self, open_authority(self.profile, self.secrets))

    @property
    def draws(self) -> bool:
        """Whether each result is a picture in a file of its own."""
        return self.form in (Form.FOLDER, Form.TAR)


class Issuing:
    """Does one chunk after the other. A signer that is gone for one is gone for all that follow."""

    def __init__(self, work: IssueWork, authority: IssuingAuthority) -> None:
        self._work = work
        self._country = authority.country
        self._run = authority.run(new_edition=work.new_edition)

    def __call__(self, items: Sequence[Given[IssueItem]]) -> ChunkResult:
        """Raises :class:`RegisterError`: then nothing of the chunk is given out, and it may be done again."""
        began, resumed = self._work.began, self._work.resumed
        told = _Told()
        for (source, _), (_, answer) in zip(items, self._run.answers([row for _, row in items]), strict=True):
            if isinstance(answer, RejectedRow):
                told.refuse(source, answer.number, answer.error)
                continue
            try:
                told.issued.append((source, answer, self._drawn(answer.issued) if self._work.draws else None))
            except (IssueError, DocumentError) as error:  # it is entered, and cannot be drawn
                told.refuse(source, answer.number, error)
        result = self._result(told, lambda at: resumed is not None and resumed <= at < began)
        if any(row.again and row.issued.issued_at >= began for _, row, _ in told.issued):
            # Another row of this run has it; or this very chunk, when it was begun before.
            since = resumed or (items.begun if isinstance(items, Chunk) else began)
            return replace(result, redone=self._result(told, lambda at: at >= since))
        return result

    def _result(self, told: _Told, of_this_run: Callable[[datetime], bool]) -> ChunkResult:
        """What is told of the chunk, where certificates of moments that are ``of_this_run`` were not issued before."""
        rows: list[dict[str, Any]] = []
        seen: set[str] = set()
        for source, row, _ in told.issued:
            issued = row.issued
            again = row.again and (issued.certificate_id in seen or not of_this_run(issued.issued_at))
            seen.add(issued.certificate_id)
            rows.append(_values(source, row.number, issued, again=again))
        before = sum(row["again"] for row in rows)
        counts = told.counts | {"verdict:issued": len(rows) - before, "verdict:issued_before": before}
        outputs = [picture for _, _, picture in told.issued if picture is not None]
        if rows and not self._work.draws:
            outputs = [Output(encode_rows(self._work.form, rows, ISSUED))]
        return ChunkResult(
            outputs=tuple(outputs),
            refusals=tuple(told.refusals),
            counts={**counts, f"issuer:{self._country}": len(rows)},
        )

    def _drawn(self, issued: Issued) -> Output:
        level = self._work.profile.outputs.error_correction
        match self._work.image:
            case Image.SVG:
                data = issued.qr(error_correction=level).svg().encode()
            case Image.PDF:
                data = issued.qr(error_correction=level).pdf()
            case Image.PNG:
                data = issued.qr(error_correction=level).png()
            case Image.PAGE:
                document = issued.document(template=self._work.template, error_correction=level)
                data = document.pdf(lang=self._work.lang, paper=self._work.paper)
        return Output(data, file_name(issued.certificate_id, self._work.image.ending))


class _Told:
    """What becomes of a chunk, before it is in the form of the results."""

    def __init__(self) -> None:
        self.issued: list[tuple[str, IssuedRow, Output | None]] = []
        self.refusals: list[Refusal] = []
        self.counts: Counter[str] = Counter()

    def refuse(self, source: str, number: int, error: HealthCertError) -> None:
        self.refusals.append(Refusal(source, number, error))
        self.counts["verdict:rejected"] += 1
        self.counts[f"code:{error.code.value}"] += 1


def _values(source: str, number: int, issued: Issued, *, again: bool) -> dict[str, Any]:
    return {
        "source": source,
        "row": number,
        "certificate_id": issued.certificate_id,
        "issued_at": issued.issued_at,
        "expires": issued.expires,
        "again": again,
        "text": issued.text,
    }
