"""An issuing authority for tests: a register in a file, signers of the day, and any number of synthetic records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import healthcert as hc
from healthcert.authority.authority import IssuingAuthority
from healthcert.authority.register import Register
from healthcert.authority.secret import RegisterSecret
from healthcert.codings import COVID_19, NAAT, NOT_DETECTED
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.signer_set import SignerSet
from tests.support import DAY, NOW, dsc

SECRET = RegisterSecret(bytes(range(32)))
ISSUER = "Ministry of Examples"


def register(
    path: Path | str, *, at: datetime = NOW, create: bool = False, secret: RegisterSecret = SECRET
) -> Register:
    return Register.open(str(path), secret, actor="a test", clock=hc.FixedClock(at), create=create)


def authority(kept: Register, *signers: hc.Signer, at: datetime = NOW, name: str = ISSUER) -> IssuingAuthority:
    """An authority under these signers, or one DSC for all kinds of entry."""
    return IssuingAuthority(
        SignerSet(signers or (dsc().signer(),)), kept, country="FR", name=name, clock=hc.FixedClock(at)
    )


def row(number: int, *, person: int | None = None, sampled: timedelta = DAY) -> Row:
    """A test result of a made-up person: the same for the same ``person``, which is ``number`` unless it is given."""
    who = number if person is None else person
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(who))
    return Row(
        number=number,
        holder=hc.Holder(
            family_name=f"Exemplaire-{letters.capitalize()}", given_name=f"Zoé{letters}", birth_date="1984-02-29"
        ),
        event=hc.TestResult(
            disease=COVID_19,
            test_type=NAAT,
            sampled_at=NOW - sampled,
            result=NOT_DETECTED,
            name="Example qPCR",
            centre="Example Centre",
        ),
    )


def texts(answers: Iterable[object]) -> list[str]:
    """The certificates' texts; a rejected one fails the test with its reason."""
    found = []
    for answer in answers:
        assert not isinstance(answer, RejectedRow), answer.error
        found.append(answer.issued.text)  # type: ignore[attr-defined]
    return found
