"""2D-Docs written: read back as they were meant, and nothing left out in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

import healthcert as hc
from healthcert.codings import ATC, COVID_19, DETECTED, LOINC, TWODDOC_RESULT
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError
from healthcert.families.hcert.valuesets import coding
from healthcert.families.twoddoc.content import GENDER
from healthcert.families.twoddoc.encode import unsigned
from healthcert.families.twoddoc.family import TWODDOC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, HealthCertificate
from tests.support_twoddoc import CURVES, HOLDER, KID, NOW, TEST, VACCINATION, key

replace = msgspec.structs.replace
WOMAN = replace(HOLDER, sex=Coding(GENDER, "female", "Female"))


def written(event: hc.Vaccination | hc.TestResult = VACCINATION, holder: hc.Holder = HOLDER, **changes: Any) -> str:
    given: dict[str, Any] = {
        "issued_at": NOW,
        "expires_at": None,
        "algorithm": Algorithm.ES256,
        "authority": "FR00",
        "certificate_id": "0001",
    }
    message = unsigned(event=event, holder=holder, **(given | changes))
    algorithm = (given | changes)["algorithm"]
    wire = message.assemble(algorithm.sign(key(algorithm), message.to_be_signed))
    assert (wire.symbol, wire.segments, wire.binary) == ("datamatrix", (wire.text,), wire.text.encode())
    return wire.text


def read(text: str) -> tuple[HealthCertificate, list[Code]]:
    decoded = TWODDOC.decode(text, DEFAULT_LIMITS)
    assert decoded.algorithm is not None
    assert decoded.algorithm.verify(key(decoded.algorithm).public_key(), decoded.signature, decoded.signed)
    assert decoded.kid == KID
    certificate, findings = TWODDOC.parse(decoded, ())
    return certificate, [one.code for one in (*decoded.findings, *findings)]


def problem(event: Any = VACCINATION, holder: hc.Holder = HOLDER, **changes: Any) -> str:
    with pytest.raises(IssueError) as caught:
        written(event, holder, **changes)
    assert caught.value.code is Code.FIELD_INVALID
    assert "EXEMPLE" not in caught.value.detail
    return caught.value.detail.partition(":")[0]


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_vaccination_is_read_back_as_it_was(algorithm: Algorithm) -> None:
    certificate, findings = read(written(algorithm=algorithm))
    assert findings == []
    assert certificate.holder == HOLDER
    assert certificate.events == (replace(VACCINATION, other={"cycle": "TE"}),)
    assert certificate.issued_at == datetime(2021, 8, 20, tzinfo=UTC)


def test_a_test_is_read_back_as_it_was() -> None:
    certificate, findings = read(written(TEST, WOMAN))
    # No 2D-Doc says in which zone a sample was taken.
    assert findings == [Code.TIME_WITHOUT_ZONE]
    assert certificate.holder == WOMAN
    assert certificate.events == (replace(TEST, result=Coding(TWODDOC_RESULT, "N")),)


@pytest.mark.parametrize("result", [DETECTED, Coding(TWODDOC_RESULT, "P")])
def test_a_positive_test(result: Coding) -> None:
    event = read(written(replace(TEST, result=result)))[0].events[0]
    assert isinstance(event, hc.TestResult)
    assert event.result == Coding(TWODDOC_RESULT, "P")


def test_names_lose_their_marks_and_nothing_else() -> None:
    holder = hc.Holder(family_name="Exemplaire-Müller d’Œuvre", given_name="Zoé  Anaïs", birth_date="1984")
    certificate, _ = read(written(holder=holder))
    assert certificate.holder.name == "ZOE ANAIS EXEMPLAIRE-MULLER D OEUVRE"
    assert certificate.holder.birth_date == "1984"


def test_what_was_coded_elsewhere_is_written_by_its_name() -> None:
    event = replace(
        VACCINATION,
        vaccine=coding("vp", "J07BX03"),
        product=coding("mp", "EU/1/20/1528"),
        manufacturer=Coding("", "ORG-100030215", "Biontech Manufacturing GmbH"),
        dose=1,
    )
    found = read(written(event))[0].events[0]
    assert isinstance(found, hc.Vaccination)
    assert (str(found.product), str(found.manufacturer)) == ("COMIRNATY", "BIONTECH MANUFACTURING GMBH")
    assert found.other == {"cycle": "CO"}


def test_who_has_recovered_is_done_after_one_dose() -> None:
    event = replace(VACCINATION, dose=1, other={"cycle": "TE"})
    assert read(written(event))[0].events == (event,)


def test_the_day_is_that_of_france() -> None:
    text = written(issued_at=datetime(2021, 8, 20, 22, 30, tzinfo=UTC))
    assert text[12:20] == "1EDF1EDF"  # 2021-08-21
    assert read(written(TEST))[0].events[0].sampled_at == TEST.sampled_at  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expires_at": NOW}, "expires_at"),
        ({"issued_at": datetime(2021, 8, 20)}, "issued_at"),  # noqa: DTZ001
        ({"issued_at": datetime(1999, 8, 20, tzinfo=UTC)}, "issued_at"),
        ({"issued_at": datetime(2179, 8, 20, tzinfo=UTC)}, "issued_at"),
        ({"algorithm": Algorithm.PS256}, "algorithm"),
        ({"authority": "FR0"}, "authority"),
        ({"authority": "fr00"}, "authority"),
        ({"certificate_id": "00001"}, "certificate_id"),
        ({"certificate_id": "\u0660001"}, "certificate_id"),
    ],
)
def test_what_names_the_document(changes: dict[str, Any], field: str) -> None:
    assert problem(**changes) == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"family_name": None}, "family_name"),
        ({"family_name": "\u041c\u0438\u0440"}, "family_name"),
        ({"family_name": "A\x1dL7"}, "family_name"),
        ({"family_name": "A\x1eL7"}, "family_name"),
        ({"given_name": "A" * 81}, "given_name"),
        ({"birth_date": ""}, "birth_date"),
        ({"birth_date": "84-02-29"}, "birth_date"),
        ({"full_name": "EXEMPLE"}, "full_name"),
        ({"family_name_icao": "EXEMPLE"}, "family_name_icao"),
        ({"document_number": "1"}, "document_number"),
        ({"nationality": "FR"}, "nationality"),
        ({"sex": Coding(GENDER, "female")}, "sex"),
        ({"other": {"a": "b"}}, "other"),
    ],
)
def test_what_a_holder_must_be(changes: dict[str, Any], field: str) -> None:
    assert problem(holder=replace(HOLDER, **changes)) == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vaccine": Coding("", "J07BX03")}, "vaccine"),
        ({"vaccine": None}, "vaccine"),
        ({"product": None}, "product"),
        ({"product": Coding("", "ABC")}, "product"),
        ({"manufacturer": Coding("", "A" * 31)}, "manufacturer"),
        ({"disease": None}, "disease"),
        ({"dose": 10}, "dose"),
        ({"dose": 0}, "dose"),
        ({"series": None}, "series"),
        ({"date": None}, "date"),
        ({"date": datetime(2021, 5, 1, tzinfo=UTC)}, "date"),
        ({"batch": "A1"}, "batch"),
        ({"country": "FR"}, "country"),
        ({"issuer": "A"}, "issuer"),
        ({"other": {"cycle": "XX"}}, "other"),
        ({"other": {"more": "XX"}}, "other"),
    ],
)
def test_what_a_vaccination_must_be(changes: dict[str, Any], field: str) -> None:
    assert problem(replace(VACCINATION, **changes)) == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"disease": Coding("", "FLU")}, "disease"),
        ({"test_type": Coding(LOINC, "LP6464-4")}, "test_type"),
        ({"test_type": Coding(ATC, "94500-6")}, "test_type"),
        ({"result": Coding("", "N")}, "result"),
        ({"result": Coding(TWODDOC_RESULT, "Q")}, "result"),
        ({"sampled_at": None}, "sampled_at"),
        ({"sampled_at": datetime(2021, 8, 19, 8, 3)}, "sampled_at"),  # noqa: DTZ001
        ({"sampled_at": datetime(2021, 8, 19, 8, 3, 1, tzinfo=UTC)}, "sampled_at"),
        ({"sampled_at": None, "sampled_on": date(2021, 8, 19)}, "sampled_on"),
        ({"name": "A test"}, "name"),
        ({"centre": "A place"}, "centre"),
    ],
)
def test_what_a_test_must_be(changes: dict[str, Any], field: str) -> None:
    assert problem(replace(TEST, **changes), WOMAN) == field


def test_a_code_without_its_check_digit_is_not_written() -> None:
    with pytest.raises(IssueError) as caught:
        written(replace(TEST, test_type=Coding(LOINC, "94500-7")))
    assert caught.value.code is Code.UNKNOWN_CODE


def test_other_events_and_other_sexes() -> None:
    exemption = hc.Recovery(
        disease=COVID_19, first_positive=date(2021, 1, 1), valid_from=date(2021, 2, 1), valid_until=date(2021, 3, 1)
    )
    assert problem(exemption) == "event"
    assert problem(TEST, replace(HOLDER, sex=Coding(GENDER, "other"))) == "sex"
