"""Reports on their way from one process to another, in a form that takes less time than pickling each.

Nearly every report is on an EU DCC that was accepted without a warning: all that it says is of the types that the model
names, so that it can travel as JSON of those types. Any other report is pickled as it is. What many reports have in
common (policy, key, steps) is sent once.
"""

from __future__ import annotations

import copyreg
import marshal
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import cbor2
import msgspec
from msgspec import Struct

from healthcert.errors import Code
from healthcert.model import HealthCertificate, Holder, Recovery, TestResult, Vaccination
from healthcert.verify.report import Report

_FAMILY = "EU DCC"
_COMMON = tuple(name for name in Report.__struct_fields__ if name not in ("certificate", "checked_at"))
_common = attrgetter(*_COMMON)
_KINDS = (Vaccination, TestResult, Recovery)


class _Usual(Struct, frozen=True, array_like=True):
    """What one report has for itself; ``common`` is the number of the rest."""

    common: int
    checked_at: datetime
    version: str
    holder: Holder
    vaccination: Vaccination | None
    test: TestResult | None
    recovery: Recovery | None
    issuer: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    identifiers: tuple[str, ...]


class Parcel(Struct, frozen=True):
    """The reports on a chunk of texts: the usual ones, and by their places the ``others``.

    ``raw`` are the payloads of the usual ones, ``common`` what these share.
    """

    count: int
    usual: bytes
    raw: bytes | list[Mapping[str, Any]]
    common: list[tuple[Any, ...]]
    others: dict[int, Report]


# The types of decoded CBOR that do not say how they are pickled, a map that is a key being one: a single certificate
# that holds such a value would end the run of all the others.
copyreg.pickle(cbor2.CBORSimpleValue, lambda one: (cbor2.CBORSimpleValue, (one.value,)))
copyreg.pickle(cbor2.frozendict, lambda one: (cbor2.frozendict, (dict(one),)))

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[_Usual]).decode


def pack(reports: Sequence[Report]) -> Parcel:
    """The reports, ready to be pickled."""
    usual: list[_Usual] = []
    raw: list[Mapping[str, Any]] = []
    numbers: dict[tuple[int, ...], int] = {}
    common: list[tuple[Any, ...]] = []
    others: dict[int, Report] = {}
    for place, report in enumerate(reports):
        certificate = report.certificate
        if certificate is None or not _is_usual(report, certificate):
            others[place] = report
            continue
        shared = _common(report)
        # By identity: all of it lives as long as the reports do, and to compare values takes longer than to send them.
        number = numbers.setdefault(tuple(map(id, shared)), len(common))
        if number == len(common):
            common.append(shared)
        usual.append(_own(report, certificate, number))
        raw.append(certificate.raw)
    return Parcel(len(reports), _encode(usual), _marshalled(raw), common, others)


def unpack(parcel: Parcel) -> Iterator[Report]:
    """The same reports, in their order."""
    usual = _reports(parcel)
    for place in range(parcel.count):
        yield parcel.others[place] if place in parcel.others else next(usual)


def _is_usual(report: Report, certificate: HealthCertificate) -> bool:
    """Whether JSON of the model's types gives back all that it says, to the type of each value."""
    if report.code is not Code.OK or report.warnings or certificate.family != _FAMILY or len(certificate.events) != 1:
        return False
    (event,) = certificate.events
    if certificate.links or certificate.beside or certificate.other or certificate.holder.other or event.other:
        return False
    # Of a moment's time zone JSON keeps the distance from UTC alone.
    if isinstance(event, TestResult) and (event.sampled_at is None or event.sampled_at.tzinfo is not UTC):
        return False
    return type(event) in _KINDS and report.checked_at.tzinfo is UTC


def _own(report: Report, certificate: HealthCertificate, number: int) -> _Usual:
    (event,) = certificate.events
    return _Usual(
        number,
        report.checked_at,
        certificate.version,
        certificate.holder,
        event if isinstance(event, Vaccination) else None,
        event if isinstance(event, TestResult) else None,
        event if isinstance(event, Recovery) else None,
        certificate.issuer,
        certificate.issued_at,
        certificate.expires_at,
        certificate.identifiers,
    )


def _reports(parcel: Parcel) -> Iterator[Report]:
    common = [dict(zip(_COMMON, values, strict=True)) for values in parcel.common]
    raws = marshal.loads(parcel.raw) if isinstance(parcel.raw, bytes) else parcel.raw  # noqa: S302 (as pickle in a pool)
    for own, raw in zip(_decode(parcel.usual), raws, strict=True):
        event = own.vaccination or own.test or own.recovery
        assert event is not None
        certificate = HealthCertificate(
            family=_FAMILY,
            version=own.version,
            holder=own.holder,
            events=(event,),
            issuer=own.issuer,
            issued_at=own.issued_at,
            expires_at=own.expires_at,
            identifiers=own.identifiers,
            raw=raw,
        )
        yield Report(certificate=certificate, checked_at=own.checked_at, **common[own.common])


def _marshalled(raw: list[Mapping[str, Any]]) -> bytes | list[Mapping[str, Any]]:
    """Payloads are of plain types, which this gives back as they are; one with any other type it does not take."""
    try:
        return marshal.dumps(raw, 2)
    except ValueError:
        return raw
