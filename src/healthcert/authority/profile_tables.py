"""What stands in ``healthcert.toml``, table by table. Lengths and file names are read, and file names are whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct, field

from healthcert.clock import duration
from healthcert.codings import NAAT, RAPID_ANTIGEN
from healthcert.families.hcert.letters import TRANSLITERATION_VARIANTS
from healthcert.intake.reading import RecoveryPolicy
from healthcert.issue.hsm.uri import is_pkcs11
from healthcert.issue.keysource import is_file
from healthcert.issue.policy import IssuePolicy
from healthcert.model import EntryType
from healthcert.rules.valuesets import ValueSets

_TEST_TYPES = {coding.code: coding for coding in (NAAT, RAPID_ANTIGEN)}


class Length(timedelta):
    """A length of time, written ``48h`` or ``180d``; ``0d`` is none."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ValueError."""
        return cls(0) if text == "0d" else cls(seconds=duration(text).total_seconds())


class KeySource(str):
    """Where a private key is: a file, a ``pkcs11:`` URI or a ``command:``, as keys are named everywhere."""

    __slots__ = ()


class RegisterUrl(str):
    """Where the register is: a file, which is SQLite, or the URL of a database, without a password."""

    __slots__ = ()


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """A table of the file; what it does not know is an error, for it would be passed over in silence."""


class RegisterTable(_Table, frozen=True, kw_only=True):
    """``[register]``: the database of what was issued, and the file with its secret."""

    url: RegisterUrl
    secret: Path


class SignerTable(_Table, frozen=True, kw_only=True):
    """``[[signer]]`` and ``[upload]``: a certificate, and where its key and what opens that are."""

    certificate: Path
    key: KeySource
    passphrase_file: Path | None = None
    pin_file: Path | None = None

    def __post_init__(self) -> None:
        if self.passphrase_file is not None and not is_file(self.key):
            raise ValueError("passphrase-file: is for a key in a file; a hardware module has a pin-file")
        if self.pin_file is not None and not is_pkcs11(self.key):
            raise ValueError("pin-file: is for a key in a hardware module; a file has a passphrase-file")


class ValidityTable(_Table, frozen=True, kw_only=True):
    """``[validity]``: how long certificates of each kind live."""

    vaccination: Length | None = None
    test: Length | None = None
    recovery: Length | None = None

    def __post_init__(self) -> None:
        for name, value in self.given().items():
            if not value:
                raise ValueError(f"{name}: longer than nothing; for example 365d")

    def given(self) -> dict[EntryType, timedelta]:
        """Those that the file names."""
        values = {kind: getattr(self, kind.value) for kind in EntryType if hasattr(self, kind.value)}
        return {kind: value for kind, value in values.items() if value is not None}


class RecoveryTable(_Table, frozen=True, kw_only=True):
    """``[recovery]``: positive tests become certificates of recovery, with these days."""

    valid_from: Length = Length(days=11)
    valid_until: Length = Length(days=180)
    test_types: tuple[Literal["LP6464-4", "LP217198-3"], ...] = ("LP6464-4",)

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until"):
            if getattr(self, name) % timedelta(days=1):
                raise ValueError(f"{name.replace('_', '-')}: whole days; for example 11d")
        if self.valid_from > self.valid_until:
            raise ValueError("valid-until: not before valid-from; for example 180d")
        if not self.test_types:
            raise ValueError("test-types: at least one; for example LP6464-4")

    def policy(self) -> RecoveryPolicy:
        """The same, as the readers of records take it."""
        kinds = tuple(_TEST_TYPES[code] for code in dict.fromkeys(self.test_types))
        return RecoveryPolicy(valid_from=self.valid_from, valid_until=self.valid_until, test_types=kinds)


class RolloverTable(_Table, frozen=True, kw_only=True):
    """``[rollover]``: how long a new DSC waits until verifiers have it, and how long its key is used."""

    lead: Length = Length(0)
    use: Length | None = None

    def __post_init__(self) -> None:
        if self.use is not None and self.use <= self.lead:
            raise ValueError("use: longer than lead; for example 180d")


class OutputsTable(_Table, frozen=True, kw_only=True):
    """``[outputs]``: how QR codes are drawn."""

    error_correction: Literal["L", "M", "Q", "H"] = "Q"


class Profile(_Table, frozen=True, kw_only=True):
    """An issuing authority: its country and name, keys, policies and files. Every file name is whole."""

    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]
    issuer: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    transliteration: str | None = None
    allow_codes: tuple[Annotated[str, Meta(pattern=r"\A[!-~]{1,80}\Z")], ...] = ()
    value_sets: Path | None = None
    register: RegisterTable
    signer: Annotated[tuple[SignerTable, ...], Meta(min_length=1)]
    upload: SignerTable | None = None
    validity: ValidityTable = field(default_factory=ValidityTable)
    recovery: RecoveryTable | None = None
    rollover: RolloverTable = field(default_factory=RolloverTable)
    outputs: OutputsTable = field(default_factory=OutputsTable)

    def __post_init__(self) -> None:
        if self.transliteration is not None and self.transliteration not in TRANSLITERATION_VARIANTS:
            raise ValueError(f"transliteration: one of {', '.join(sorted(TRANSLITERATION_VARIANTS))}")

    def policy(self) -> IssuePolicy:
        """What the issuer holds itself to; reads the value sets that the file names.

        Raises :class:`RuleError` for value sets that cannot be used, OSError.
        """
        return IssuePolicy(
            validity=self.validity.given(),
            value_sets=None if self.value_sets is None else _value_sets(self.value_sets),
            unlisted_codes=frozenset(self.allow_codes),
            transliteration=TRANSLITERATION_VARIANTS[self.transliteration] if self.transliteration else {},
        )


def _value_sets(path: Path) -> ValueSets:
    from healthcert.rules.database import is_database
    from healthcert.rules.store import RuleStore
    from healthcert.rules.valuesetfiles import load_value_sets

    return RuleStore.open(path).book.value_sets if path.is_file() and is_database(path) else load_value_sets(path)
