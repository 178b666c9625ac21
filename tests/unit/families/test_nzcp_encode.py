"""Passes that are issued: read back without a finding, and refused where the format has no place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import cbor2
import pytest
from msgspec.structs import replace

from healthcert.codings import COVID_19
from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError
from healthcert.families.nzcp.encode import unsigned
from healthcert.families.nzcp.family import NZCP
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Holder
from tests.support_nzcp import CLAIMS, CTI, END, HOLDER, ISSUER, KID, START, issued, signing_key

OPTIONS: dict[str, Any] = {
    "holder": HOLDER, "issuer": ISSUER, "kid": KID, "issued_at": START, "expires_at": END,
    "algorithm": Algorithm.ES256, "cti": CTI,
}  # fmt: skip


def test_what_is_issued_reads_back_without_a_finding() -> None:
    decoded = NZCP.decode(issued(), DEFAULT_LIMITS)
    certificate, findings = NZCP.parse(decoded, ())
    assert (decoded.findings, findings) == ((), ())
    assert NZCP.check_signer(decoded) is None
    assert certificate.holder == HOLDER
    assert (certificate.issued_at, certificate.expires_at) == (START, END)
    assert certificate.identifiers == (CTI.urn,)
    assert Algorithm.ES256.verify(signing_key().public_key(), decoded.signature, decoded.signed)
    assert decoded.content == CLAIMS


def test_what_goes_into_the_barcode() -> None:
    made = unsigned(**OPTIONS)
    wire = made.assemble(b"\x01" * 64)
    assert wire.segments == (wire.text,)
    assert wire.symbol == "qr"
    assert set(wire.text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert base32.decode(wire.text.removeprefix("NZCP:/1/")) == wire.binary
    assert wire.binary[:1] == b"\xd2"
    message = cbor2.loads(wire.binary)
    assert message.value[1] == {}
    assert cbor2.loads(message.value[0]) == {4: KID.encode(), 1: -7}
    assert "Exemplaire" not in repr(made) + repr(wire)


def test_a_holder_of_one_name() -> None:
    decoded = NZCP.decode(issued(replace(HOLDER, family_name=None)), DEFAULT_LIMITS)
    assert "familyName" not in decoded.content["vc"]["credentialSubject"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"holder": replace(HOLDER, given_name=None)}, "given_name"),
        ({"holder": replace(HOLDER, given_name="  ")}, "given_name"),
        ({"holder": replace(HOLDER, given_name="x" * 101)}, "given_name"),
        ({"holder": replace(HOLDER, given_name="a\nb")}, "given_name"),
        ({"holder": replace(HOLDER, family_name="")}, "family_name"),
        ({"holder": replace(HOLDER, family_name="x" * 101)}, "family_name"),
        ({"holder": replace(HOLDER, birth_date="")}, "birth_date"),
        ({"holder": replace(HOLDER, birth_date="1984")}, "birth_date"),
        ({"holder": replace(HOLDER, birth_date="1984-02-30")}, "birth_date"),
        ({"holder": replace(HOLDER, birth_date="19840229")}, "birth_date"),
        ({"holder": replace(HOLDER, family_name_icao="MUELLER")}, "family_name_icao"),
        ({"holder": replace(HOLDER, given_name_icao="ZOE")}, "given_name_icao"),
        ({"holder": Holder(full_name="Zoé", birth_date="1984-02-29")}, "full_name"),
        ({"holder": replace(HOLDER, sex=COVID_19)}, "sex"),
        ({"holder": replace(HOLDER, nationality="NZL")}, "nationality"),
        ({"holder": replace(HOLDER, document_number="LA123456")}, "document_number"),
        ({"holder": replace(HOLDER, guardian="Ann")}, "guardian"),
        ({"holder": replace(HOLDER, other={"nhi": "ZZZ0016"})}, "other"),
        ({"issuer": "https://passes.example.nz"}, "issuer"),
        ({"issuer": "did:web:"}, "issuer"),
        ({"issuer": "did:web:a.nz#key-1"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"kid": ""}, "kid"),
        ({"kid": "did:web:a.nz#key-1"}, "kid"),
        ({"kid": b"key-1"}, "kid"),
        ({"issued_at": START.replace(tzinfo=None)}, "issued_at"),
        ({"issued_at": datetime(1969, 12, 31, tzinfo=UTC)}, "issued_at"),
        ({"issued_at": "2021-11-02"}, "issued_at"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": START}, "expires_at"),
        ({"expires_at": START + timedelta(milliseconds=500)}, "expires_at"),
        ({"algorithm": Algorithm.PS256}, "algorithm"),
        ({"algorithm": Algorithm.ES384}, "algorithm"),
        ({"cti": str(CTI)}, "cti"),
        ({"cti": CTI.bytes}, "cti"),
    ],
)
def test_what_a_pass_cannot_hold_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(IssueError) as caught:
        unsigned(**(OPTIONS | changes))
    assert caught.value.code is Code.FIELD_INVALID
    name, _, rule = caught.value.detail.partition(": ")
    assert name == field
    assert "for example" in rule
    for value in ("Zoé", "Exemplaire", "LA123456", "ZZZ0016", "MUELLER", "Ann", "NZL"):
        assert value not in caught.value.detail


def test_names_are_composed() -> None:
    made = unsigned(**(OPTIONS | {"holder": replace(HOLDER, given_name="Zoe\u0301", family_name="\u0643\u200c\u0628")}))
    subject = cbor2.loads(made.payload)["vc"]["credentialSubject"]
    assert (subject["givenName"], subject["familyName"]) == ("Zo\u00e9", "\u0643\u200c\u0628")


def test_a_nil_uuid_names_a_pass_as_well() -> None:
    assert NZCP.parse(NZCP.decode(issued(cti=UUID(int=0)), DEFAULT_LIMITS), ())[0].identifiers == (UUID(int=0).urn,)
