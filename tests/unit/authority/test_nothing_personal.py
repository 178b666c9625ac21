"""Issued, revoked, re-issued: what an authority keeps, logs and shows says nothing of any holder."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec import Struct, structs

import healthcert as hc
from healthcert.authority.audit import audit_lines
from healthcert.authority.authority import IssuedRow, IssuingAuthority
from healthcert.authority.register import New, Register, Standing
from healthcert.authority.reissue import Reissued, plan_reissue, reissue, revoke_rest
from healthcert.authority.withdrawn import revocation_of, withdrawn
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.pki import new_dsc
from healthcert.model import Private
from tests.authority_world import authority, register
from tests.support import DAY, NOW, TEST, VACCINATION, csca, dsc

HOLDER = hc.Holder(
    family_name="Wojciechowska-Quirót",
    given_name="Żydomiła",
    birth_date="1931-07-19",
    family_name_icao="WOJCIECHOWSKA<QUIROT",
    given_name_icao="ZYDOMILA",
)
TESTED = structs.replace(
    TEST, name="Zymurgy qPCR kit", centre="Xanthippe Laboratory", device=hc.Coding("", "1232"), certificate_id=None
)
DOSE = structs.replace(VACCINATION, date=date(2021, 3, 17), issuer="Quokka Authority")
BROKEN = Row(number=4, holder=structs.replace(HOLDER, birth_date="19.07.1931"), event=TESTED)
WORDS = [
    "wojciechowska",
    "quir",
    "żydomiła",
    "zydomila",
    "1931-07-19",
    "19.07.1931",
    "zymurgy",
    "xanthippe",
    "quokka",
    "2021-03-17",
    "840539006",  # the disease
    "lp6464-4",  # the kind of test
    "260415000",  # its result
    "1119349007",  # the vaccine
    "eu/1/20/1528",
    "hc1:",
]


def searched(what: str, data: bytes) -> None:
    for word in WORDS:
        for encoding in ("utf-8", "utf-16-le", "latin-1"):
            needle = word.encode(encoding, "ignore")
            assert needle not in data.lower(), f"{what} holds a holder's data"


def private(top: list[object]) -> Iterator[Struct]:
    """Every value of this project that is alive and hangs on one of these."""
    seen: set[int] = set()
    rest: list[object] = [*top]
    while rest:
        one = rest.pop()
        if id(one) in seen or isinstance(one, type | str | bytes):
            continue
        seen.add(id(one))
        if isinstance(one, Struct):
            yield one
            rest += [getattr(one, name) for name in one.__struct_fields__]
        elif isinstance(one, list | tuple | dict | set | frozenset):
            rest += gc.get_referents(one)


def test_files_logs_and_reprs_name_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool"):
        caplog.set_level(logging.DEBUG, logger=name)
    rows: list[Row | RejectedRow] = [
        Row(number=1, holder=HOLDER, event=TESTED),
        Row(number=2, holder=HOLDER, event=DOSE),
        Row(number=3, holder=HOLDER, event=TESTED),
        BROKEN,
    ]
    shown: list[object] = [*rows]
    new = new_dsc(csca(), "Next DSC", now=NOW - DAY)
    folder = tmp_path / "authority"
    folder.mkdir()
    with register(folder / "register.db", create=True) as kept:
        office = authority(kept)
        issued = list(office.issue_rows(rows))
        pending = office.desk.prepare(TESTED, HOLDER)
        standing = kept.find_records([pending.record])
        first = issued[1]
        assert isinstance(first, IssuedRow)
        kept.revoke([first.issued.certificate_id])
        refused = list(office.issue_rows(rows))
        assert [type(answer) for answer in refused] == [IssuedRow, RejectedRow, IssuedRow, RejectedRow]
        after = authority(kept, new.signer())
        old = dsc().signer().kid
        plan = plan_reissue(after, old, rows)
        again = list(reissue(after, old, rows))
        assert [type(answer) for answer in again] == [Reissued, Reissued, RejectedRow]
        rest = list(revoke_rest(after, old))
        gone = list(withdrawn(kept, old, at=NOW))
        shown += [office, after, office.desk, office.signers, kept, pending, standing, issued, refused, plan, again]
        shown += [rest, gone, [revocation_of(one, "FR") for one in gone], kept.counts(), list(audit_lines(kept))]
        # While the database is open: what was written to it lies beside it, too.
        for path in folder.iterdir():
            searched(path.name, path.read_bytes())
        # What is kept can be found in this way: the search looks at the right bytes.
        kept_bytes = b"".join(path.read_bytes() for path in folder.iterdir())
        assert first.issued.certificate_id.encode() in kept_bytes
    for path in folder.iterdir():
        searched(path.name, path.read_bytes())
    assert caplog.records, "nothing was logged at all: the test listens in the wrong place"
    searched("the log", caplog.text.encode())
    searched("a record of the log", "\n".join(repr(vars(record)) for record in caplog.records).encode())
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    kinds = set()
    for one in private(shown):
        if isinstance(one, Private | RejectedRow | hc.Issued) or type(one).__module__.startswith(
            "healthcert.authority"
        ):
            kinds.add(type(one))
            searched(type(one).__name__, repr(one).encode())
    assert kinds >= {Row, RejectedRow, IssuedRow, Reissued, Standing, hc.Issued, hc.PendingCertificate}
    for thing in (office, office.desk, office.signers, kept):
        searched(type(thing).__name__, repr(thing).encode())
    for answer in (*refused, *again):
        if isinstance(answer, RejectedRow):
            searched("an error", f"{answer.error!r} {answer.error} {answer.error.args}".encode())


def test_what_is_entered_is_private() -> None:
    assert issubclass(New, Private)
    assert issubclass(Standing, Private)
    assert IssuingAuthority.__repr__ is not object.__repr__
    assert Register.__repr__ is not object.__repr__
