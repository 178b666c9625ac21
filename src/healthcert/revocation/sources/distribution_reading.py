"""What becomes of the distribution service's data in one update: what is missing, what is taken in, whom it covers."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.files import tar_members
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Listed, covered, refused, settings_of
from healthcert.revocation.sources.slices import (
    BLOOMFILTER,
    TYPES,
    UNKNOWN_KID,
    Entry,
    Slice,
    check_slice,
    kid_in,
    kid_name,
    mode_of,
    read_entry,
    read_list,
    read_table,
)

OPTIONS = ("countries", "filter", "unknown_kid")


class Reading:
    """What came in of one generation. A kid of which anything is missing is not spoken for, and keeps what it had.

    ``modes`` are those in which what is in use is divided; ``ignores``, whether hashes without a kid may be missing.
    """

    def __init__(self, into: Gathering, context: Context, modes: Mapping[bytes, Mode], *, ignores: bool) -> None:
        self._into, self._context, self._ignores = into, context, ignores
        self._now = int(context.now.timestamp())
        self._before = modes
        self._modes: dict[bytes, Mode] = {}
        self._done: set[bytes] = set()
        self._failed: set[str] = set()
        self._entries: tuple[Entry, ...] = ()
        self._stays: set[str] = set()
        self._signed = b""
        self._held: dict[str, list[str]] = {}
        for batch in into.held():
            self._held.setdefault(batch.partition("/")[0], []).append(batch)

    def begin(self, body: bytes) -> tuple[Entry, ...]:
        """The kids of the list that have not expired."""
        self._signed = hashlib.sha256(body).digest()
        found: dict[str, Entry] = {}
        for number, item in enumerate(read_list(body, self._context.limits), 1):
            try:
                entry = read_entry(item)
            except RevocationError as error:
                self._fail(kid_in(item) or "", f"lists.json, entry {number}", error)
                continue
            if entry.name in found:
                raise refused("a kid that is on the list twice")
            found[entry.name] = entry
        self._entries = tuple(entry for entry in found.values() if entry.expires >= self._now)
        return self._entries

    def table(self, entry: Entry, body: bytes | None) -> tuple[Slice, ...]:
        """The slices of a kid; none when its table cannot be used."""
        self._modes[entry.kid or b""] = entry.mode
        try:
            if body is None:
                raise _absent("the service has no partitions of hashes without a kid" if entry.kid is None else None)
            found = tuple(read_table(body, entry, self._context.limits))
            # A kid is on the list as long as a hash under it counts.
            if not any(one.expires >= self._now for one in found):
                raise refused("its table has no slice that counts, and the list says that there is one")
        except HealthCertError as error:
            self._fail(entry.name, f"{entry.name}/partitions", error)
            return ()
        return found

    def missing(self, table: Iterable[Slice]) -> tuple[Slice, ...]:
        """Those slices of a table that still count and are not held."""
        needed: dict[str, Slice] = {}
        for one in table:
            # The same hashes may have been revoked twice, and last until the later end.
            if one.expires >= self._now and (one.batch not in needed or needed[one.batch].expires < one.expires):
                needed[one.batch] = one
        return tuple(one for one in needed.values() if not self._has(one))

    def unpack(self, where: str, archive: bytes, waiting: dict[str, Slice], named: Container[str]) -> None:
        """Takes those slices out of an archive that are waited for; ``named`` are all that may be in it."""
        try:
            for name, data in tar_members(archive, self._context.limits):
                member = name.lstrip("/")
                if member in waiting:
                    self.take(waiting.pop(member), data)
                elif member not in named:
                    self._into.skip(where, refused("an archive with a slice that no table names"))
        except HealthCertError as error:
            self._into.skip(where, error)

    def take(self, one: Slice, data: bytes | None) -> None:
        """Takes a slice in, after every check."""
        try:
            if data is None:
                raise _absent()
            check_slice(one, data, self._context.limits)
        except RevocationError as error:
            self._fail(kid_name(one.kid), one.where, error)
            return
        self._stays.add(one.batch)
        self._into.add_filter(
            one.batch, one.kid, one.partition, one.chunk, data, Origin(expires=one.expires),
            bloom=one.kind == BLOOMFILTER, mark=str(one.expires),
        )  # fmt: skip

    def done(self, entry: Entry) -> None:
        """All of a kid was read that can be."""
        self._done.add(entry.kid or b"")

    def finish(self, validators: Mapping[str, str] | None = None) -> Listed:
        # What an attempt brought that had to begin anew may be on the list no longer.
        for batch in self._into.held():
            if batch not in self._stays:
                self._into.withdraw(batch)
        # What is held of a kid that failed is divided as it was.
        held = {
            kid: mode for kid, mode in self._before.items() if kid_name(kid or None) in self._failed & self._held.keys()
        }
        # What failed is asked for again, even though the generation is the same; but it never has hashes without a kid.
        again = self._failed - {UNKNOWN_KID}
        return self._listed({**self._modes, **held}, validators={} if again else (validators or {}))

    def interrupted(self, error: FetchError) -> Listed:
        """What there is when the service fails before the end. Kids that were not reached are divided as they were."""
        modes = {**self._modes, **self._before} | {kid: self._modes[kid] for kid in self._done}
        problem = RevocationError(Code.FETCH_FAILED, error.detail, Step.REVOCATION)
        return self._listed(modes, whole=False, problem=problem)

    def _listed(self, modes: Mapping[bytes, Mode], **more: Any) -> Listed:
        types = {type_ for entry in self._entries for type_ in entry.types}
        missing = self._failed - {UNKNOWN_KID} if self._ignores else self._failed
        return Listed(
            types=tuple(type_ for type_ in TYPES if type_ in types or not types),
            # Hashes without a kid may be those of any certificate.
            kids=frozenset(e.kid for e in self._entries if e.kid is not None and not {e.name, UNKNOWN_KID} & missing),
            countries=frozenset() if missing else covered(self._context),
            modes=modes,
            signed=self._signed,
            state={"settings": settings_of(self._context, *OPTIONS), "modes": _write_modes(modes)},
            **more,
        )

    def _has(self, one: Slice) -> bool:
        if self._into.mark(one.batch) != str(one.expires):
            return False
        self._stay(one.batch)
        return True

    def _fail(self, kid: str, where: str, error: HealthCertError) -> None:
        self._into.skip(where, error)
        self._failed.add(kid)
        self._keep(kid)

    def _keep(self, kid: str) -> None:
        for batch in self._held.get(kid, ()):
            self._stay(batch)

    def _stay(self, batch: str) -> None:
        self._stays.add(batch)
        self._into.keep(batch)


def _absent(detail: str | None = None) -> RevocationError:
    return RevocationError(Code.FETCH_FAILED, detail or "it is not there", Step.REVOCATION)


def modes_in_use(into: Gathering) -> dict[bytes, Mode]:
    """How what is in use of each kid is divided, as the names of its batches tell."""
    return dict(mode_of(batch) for batch in into.held())


def _write_modes(modes: Mapping[bytes, Mode]) -> str:
    return " ".join(f"{kid.hex()}={mode}" for kid, mode in sorted(modes.items()))


def read_modes(text: str) -> Iterator[tuple[bytes, Mode]]:
    """How what is in use of each kid is divided, as the notes in ``state`` tell."""
    for part in text.split():
        kid, _, mode = part.partition("=")
        yield bytes.fromhex(kid), Mode(mode)
