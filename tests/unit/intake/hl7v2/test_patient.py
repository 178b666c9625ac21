"""Whom a message is about."""

from __future__ import annotations

import pytest

from healthcert.errors import Code
from healthcert.intake.reading import Identity
from healthcert.model import Holder
from tests.unit.intake.hl7v2.messages import MSH, PID, RESULT, field, message, read, refused, row

MATRICULE = "285018700151238"
INS = f"{MATRICULE}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
QUALIFIED = field(field(PID, 3, f"123^^^CHU~{INS}"), 32, "VALI")


def about(pid: str, header: str = MSH) -> tuple[str, ...]:
    return header, pid, *RESULT[2:]


def named(name: str, version: str = "2.5") -> tuple[str | None, str | None]:
    holder = row(about(field(PID, 5, name), field(MSH, 12, version))).holder
    return holder.family_name, holder.given_name


def test_a_person() -> None:
    assert row(RESULT).holder == Holder(family_name="LEFÈVRE", given_name="Zoé", birth_date="1985-01-12")
    assert row(RESULT).identity is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Müller^Zoé", ("Müller", "Zoé")),
        ("Müller^Zoé^^^^^L", ("Müller", "Zoé")),
        ("Künstler^Z^^^^^S~Müller^Zoé^^^^^L~Mü^Zo^^^^^N", ("Müller", "Zoé")),
        ("Meier^Zoé^^^^^D~Müller^Zoé^^^^^L", ("Müller", "Zoé")),
        ("Meier^Zoé^^^^^D~Geboren^Zoé^^^^^M", ("Meier", "Zoé")),
        ("Müller^Zoé^^^^^L^A~山田^花子^^^^^L^I", ("Müller", "Zoé")),
        ("Müller^Zoé^^^^^L~Müller^Zoé^^^^^L", ("Müller", "Zoé")),
        ("Müller^Zoé^Marie Claire^^^^L", ("Müller", "Zoé Marie Claire")),
        ("MULLER^ZOE^ZOÉ MARIE^^^^L", ("MULLER", "ZOE MARIE")),
        ("MULLER^ZOE MARIE^ZOE MARIE LOU^^^^L", ("MULLER", "ZOE MARIE LOU")),
        ("MULLER^JEAN^JEAN-PIERRE^^^^L", ("MULLER", "JEAN JEAN-PIERRE")),
        ("^Prince^^^^^L", (None, "Prince")),
        ('Müller^""^^^^^L', ("Müller", None)),
        ("O'Neill-D\\T\\A^Zoé", ("O'Neill-D&A", "Zoé")),
        ("van Beethoven&van&Beethoven^Ludwig", ("van Beethoven", "Ludwig")),
    ],
)
def test_names(name: str, meant: tuple[str | None, str | None]) -> None:
    assert named(name) == meant


def test_the_prefix_of_a_name_in_the_first_versions() -> None:
    assert named("Beethoven&van^Ludwig", "2.3") == named("Beethoven&van^Ludwig", "2.3.1") == ("van Beethoven", "Ludwig")


@pytest.mark.parametrize(
    "name",
    ["", '""', "^^^^^^L", '""^""^^^^^L', "X^Y^^^^^S", "X^Y^^^^^N", "X^Y^^^^^A", "X^Y^^^^^M", "山田^花子^^^^^L^I",
     "Müller^Zoé^^^^^L~Meier^Zoé^^^^^L"],
)  # fmt: skip
def test_nobody_that_may_be_certified(name: str) -> None:
    code, detail = refused(about(field(PID, 5, name)))
    assert code is Code.HOLDER_UNKNOWN
    assert detail.startswith("PID-5: ")
    assert not any(part in detail for part in ("Müller", "Meier", "山田"))


@pytest.mark.parametrize("reliability", ["DOUT", "DOUTE", "USUR", "FICT", "ANOM~VALI", "VALI~INVA", "AL"])
def test_an_identity_that_its_sender_doubts(reliability: str) -> None:
    assert refused(about(field(QUALIFIED, 32, reliability)))[0] is Code.HOLDER_UNKNOWN


def test_a_birth_date_that_stands_for_none() -> None:
    assert row(about(field(PID, 32, "UD"))).holder.birth_date == ""
    assert row(about(field(PID, 7, ""))).holder.birth_date == row(about(field(PID, 7, '""'))).holder.birth_date == ""


@pytest.mark.parametrize(("number", "value"), [(30, "Y"), (29, "20211114"), (29, "20211114103000+0100")])
def test_a_person_who_has_died(number: int, value: str) -> None:
    assert refused(about(field(PID, number, value))) == (
        Code.HOLDER_UNKNOWN,
        "PID-29, PID-30: the person has died",
    )
    assert row(about(field(field(PID, 29, '""'), 30, "N"))) == row(RESULT)


def test_a_message_about_nobody() -> None:
    assert refused((MSH, "NTE|1"))[0] is Code.HOLDER_UNKNOWN


def test_a_french_identity() -> None:
    pid = field(
        field(QUALIFIED, 5, "LEFÈVRE^Zoé^ZOE MARIE^^^^L~DUPONT^Zoé^^^^^D"), 11, "^^Lyon^^69000^FRA^H~^^^^^^BDL^^87001"
    )
    found = row(about(pid))
    assert found.identity == Identity(
        matricule=MATRICULE,
        oid="1.2.250.1.213.1.4.8",
        birth_name="LEFEVRE",
        given_names="ZOE MARIE",
        birth_date="1985-01-12",
        sex="F",
        birth_place="87001",
    )
    assert found.holder == Holder(family_name="LEFÈVRE", given_name="Zoé MARIE", birth_date="1985-01-12")


@pytest.mark.parametrize("reliability", ["", "PROV", "VIDE", "RECD"])
def test_a_number_with_an_identity_that_is_not_qualified_identifies_nobody(reliability: str) -> None:
    assert row(about(field(QUALIFIED, 32, reliability))).identity is None


@pytest.mark.parametrize(
    ("pid", "code"),
    [
        (QUALIFIED.replace("51238", "51239"), Code.IDENTITY_INVALID),
        (field(QUALIFIED, 7, "19860112"), Code.IDENTITY_MISMATCH),
        (field(QUALIFIED, 7, "19850212"), Code.IDENTITY_MISMATCH),
    ],
)
def test_a_french_identity_that_contradicts_itself(pid: str, code: Code) -> None:
    found, detail = refused(about(pid))
    assert found is code
    assert "28501" not in detail


def test_every_order_of_somebody_unknown_is_rejected() -> None:
    twice = [MSH, field(PID, 5, ""), *RESULT[2:], *RESULT[2:], *RESULT[1:]]
    found = read(message(twice))
    assert [getattr(one, "error", None) is None for one in found] == [False, False, True]


def test_a_birth_date_that_is_written_more_exactly_than_it_is_known() -> None:
    for exactness, meant in (("Y", "1985"), ("L", "1985-01"), ("D", "1985-01-12"), ("S", "1985-01-12")):
        assert row(about(field(PID, 7, f"19850112^{exactness}"))).holder.birth_date == meant
