"""What ``healthcert issue --family`` makes of a record: a certificate of another family than the EU DCC."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

import click

from healthcert.errors import Code, IssueError, Step
from healthcert.families.countries import alpha3
from healthcert.intake.forms import read_form
from healthcert.issue.dsc_issuers import DvcIssuer, LightIssuer
from healthcert.issue.issued import IssuedCertificate
from healthcert.issue.issuers import DivocIssuer, NzcpIssuer, ShcIssuer, TwoDDocIssuer, VdsNcIssuer
from healthcert.issue.signer import BareSigner, Signer
from healthcert.model import EntryType, Event, Holder, TestResult, Vaccination
from healthcert.trust.certificates import read_certificate
from healthcert_cli.signing import load_key_signer, load_signer

BARE = frozenset(("shc", "nzcp", "divoc", "2d-doc"))
"""The families whose issuers need no certificate."""
_ISSUERS = {
    "shc": "the URL below which the keys are published; for example https://cards.example/issuer",
    "nzcp": "a DID of the web; for example did:web:passes.example",
    "divoc": "a DID; for example did:web:health.example",
    "2d-doc": "the authority and its certificate; for example FR00/0001",
    "light": "the text that the certificate has there; for example CH BAG",
}


class _Life(TypedDict, total=False):
    validity: timedelta


_DVC_LIFE = timedelta(days=365)


def issue_family(
    family: str,
    kind: EntryType | None,
    record: Mapping[str, Any],
    *,
    key: str | Path,
    certificate: Path | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
    issuer_id: str | None,
    key_id: str | None,
    validity: timedelta | None,
    rid: str | None,
    file_only: bool,
) -> IssuedCertificate:
    """The certificate of a record; ``kind`` is None for a person alone.

    Raises :class:`IssueError`, :class:`TrustError`, click's own errors for options that the family does not have.
    """
    _check_options(family, key_id=key_id, validity=validity, rid=rid)
    holder, event = read_form(family, kind, record)
    if family in BARE and certificate is None:
        if isinstance(key, str):
            raise click.UsageError("a key that is not in a file needs its --certificate")
        return _bare(
            family, load_key_signer(key, passphrase_file), holder, event, issuer_id, key_id, validity, rid, file_only
        )
    assert certificate is not None
    signer = load_signer(key, certificate, passphrase_file, pin_file)
    if family in BARE:
        return _bare(family, signer, holder, event, issuer_id, key_id, validity, rid, file_only)
    return _certified(family, signer, holder, event, issuer_id, validity)


def _bare(
    family: str,
    signer: Signer | BareSigner,
    holder: Holder,
    event: Event | None,
    issuer_id: str | None,
    key_id: str | None,
    validity: timedelta | None,
    rid: str | None,
    file_only: bool,
) -> IssuedCertificate:
    issuer = issuer_id or _missing(family)
    life: _Life = {} if validity is None else {"validity": validity}
    if family == "nzcp":
        return NzcpIssuer(signer, issuer=issuer, key=key_id or "key-1", **life).issue(holder=holder)
    assert isinstance(event, Vaccination | TestResult)
    match family:
        case "shc":
            return ShcIssuer(signer, issuer=issuer, **life).issue(event, holder=holder, rid=rid, file_only=file_only)
        case "divoc":
            method = None if key_id is None else f"{issuer}#{key_id}"
            return DivocIssuer(signer, issuer=issuer, method=method, **life).issue(event, holder=holder)
        case _:
            authority, _, number = issuer.partition("/")
            return TwoDDocIssuer(signer, authority=authority, certificate_id=number).issue(event, holder=holder)


def _certified(
    family: str,
    signer: Signer,
    holder: Holder,
    event: Event | None,
    issuer_id: str | None,
    validity: timedelta | None,
) -> IssuedCertificate:
    country = read_certificate(signer.certificate).country or ""
    if family == "light":
        life: _Life = {} if validity is None else {"validity": validity}
        return LightIssuer(signer, issuer=issuer_id or _missing(family), **life).issue(holder=holder)
    assert isinstance(event, Vaccination | TestResult)
    if family == "vds-nc":
        return VdsNcIssuer(signer, issuer=issuer_id or alpha3(country) or "").issue(event, holder=holder)
    assert isinstance(event, Vaccination)
    return DvcIssuer(signer, issuer=issuer_id or country, validity=validity or _DVC_LIFE).issue(event, holder=holder)


def text_of(issued: IssuedCertificate) -> str:
    """The certificate as a line of text: an archive in base64, as tools carry it, anything else as it is."""
    if issued.wire.media_type == "application/zip":
        return "B64:" + base64.b64encode(issued.binary).decode()
    return issued.text


def card_file(issued: IssuedCertificate) -> bytes:
    """The ``.smart-health-card`` file of a card."""
    return ShcIssuer.file_of(issued)


def _check_options(family: str, *, key_id: str | None, validity: timedelta | None, rid: str | None) -> None:
    if key_id is not None and family not in ("nzcp", "divoc"):
        raise click.UsageError(f"--key-id is for keys that a DID names (nzcp, divoc), not for {family}")
    if validity is not None and family in ("vds-nc", "2d-doc"):
        raise click.UsageError(f"--validity is for families that have an end, not for {family}")
    if rid is not None and family != "shc":
        raise click.UsageError("--rid is for SMART Health Cards (shc)")


def _missing(family: str) -> str:
    raise IssueError(Code.FIELD_INVALID, f"--issuer-id: is missing; {_ISSUERS[family]}", Step.CONTENT)
