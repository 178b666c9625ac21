"""Cases of WHO's claims beside the EU DCC: HC-WHO, HC-DDCC, HC-DVC, HC-VHL."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case, case, quirk
from tools.vectors.press import payload, tested, without

_CLAIM, _DCC, _WHO = "HCERT specification §3.3.7", "DCC schema 1.3.0", "WHO HCERT specification 1.1.1"
_DVC, _RECORD = "DVCMin", "DVCMinVaccineDetails"
_USAGE = "HCERT specification, Appendix A.4"
_BAD, _BROKEN = "SCHEMA_VALIDATION_FAILED", "CBOR_DESERIALIZATION_FAILED"

DVC: dict[str, Any] = {
    "n": "Zoé Exemplaire",
    "dob": "1984-02-29",
    "s": "female",
    "nt": "FR",
    "id": "X0000000",
    "v": "1.0.0",
    "vx": {
        "vp": "YellowFeverProductd2c75a15ed309658b3968519ddb31690",
        "bo": "B0001",
        "dt": "2021-06-11",
        "is": "Ministry of Examples",
    },
}
DDCC: dict[str, Any] = {
    "name": "Zoé Exemplaire",
    "birthDate": "1984-02-29",
    "vaccine": {"code": "XM0GQ8", "system": "http://id.who.int/icd/release/11/mms"},
    "brand": {"code": "XM8NQ0", "system": "http://id.who.int/icd/release/11/mms"},
    "manufacturer": {"code": "ORG-100030215"},
    "lot": "B0001",
    "date": "2021-06-11",
    "dose": 2,
    "country": "FRA",
    "centre": "Example Centre",
    "hcid": "EXAMPLE-1",
}
DDCC_TEST: dict[str, Any] = {
    "name": "Zoé Exemplaire",
    "birthDate": "1984-02-29",
    "hcid": "EXAMPLE-2",
    "test": {
        "pathogen": {"code": "XN109", "system": "http://id.who.int/icd/release/11/mms"},
        "type": {"code": "94558-4", "system": "http://loinc.org"},
        "date": "2021-08-19T10:00:00Z",
        "result": {"code": "260415000", "system": "http://snomed.info/sct"},
    },
}


def cases() -> list[Case]:
    """What stands under other keys of the hcert claim, or in its place."""
    return [*_claims(), *_ddcc(), *_ddcc_fields(), *_dvc(), *_links()]


def _under(key: int, content: Any) -> dict[str, Any]:
    return {"claims": {-260: {key: content}}}


def _bare(core: dict[str, Any]) -> dict[str, Any]:
    """Claims that are the core data set itself."""
    return {"claims": {1: ..., 4: ..., 6: ..., -260: ...} | core}


def _claims() -> list[Case]:
    both: dict[int, Any] = {-260: {1: tested(), -6: DVC}}
    mismatch = "KEY_USAGE_MISMATCH"
    return [
        case("HC-WHO-01", "A test and a DVC record in one", _WHO, claims=both),
        case(
            "HC-WHO-02",
            "A DVC record beside a test, by a DSC for tests",
            _USAGE,
            mismatch,
            claims=both,
            signer="dsc-test",
        ),
        case(
            "HC-WHO-05",
            "A DVC record of the future beside an EU DCC",
            _WHO,
            "EVENT_IN_FUTURE",
            claims={-260: {1: payload(), -6: DVC | {"vx": DVC["vx"] | {"dt": "2021-08-22"}}}},
        ),
        case(
            "HC-WHO-08",
            "A broken DVC record beside an EU DCC",
            _WHO,
            _BAD,
            claims={-260: {1: payload(), -6: without(DVC, "n")}},
        ),
        case(
            "HC-WHO-06",
            "A broken DVC record beside an EU DCC, of a kind that is not asked for",
            _WHO,
            policy={"families": ["EU DCC"]},
            claims={-260: {1: payload(), -6: without(DVC, "n")}},
        ),
        case(
            "HC-WHO-09",
            "Nothing known in the hcert claim, and no iat",
            _WHO,
            "CWT_TIME_INVALID",
            claims={-260: {9: {}}, 6: ...},
        ),
        case(
            "HC-WHO-07",
            "A DVC record behind an EU DCC, which is not asked for",
            _WHO,
            policy={"families": ["WHO DVC"]},
            claims={-260: {1: payload(), -6: DVC}},
        ),
        case(
            "HC-WHO-03",
            "A kid of two bytes, which WHO's claims may have",
            _WHO,
            "OK",
            "KEY_DATES_UNKNOWN",
            signer="who-kid-2",
            **_under(-6, DVC),
        ),
        case(
            "HC-WHO-04",
            "A kid of two bytes, and an EU DCC",
            "HCERT specification, Appendix A.1",
            "KEY_NOT_IN_TRUST_LIST",
            signer="who-kid-2",
        ),
    ]


def _ddcc() -> list[Case]:
    absent, missing = "TIME_ABSENT", "FIELD_MISSING"
    until = DDCC | {"valid_until": "2021-08-19"}
    return [
        case("HC-DDCC-01", "A vaccination under key 3", _WHO, **_under(3, DDCC)),
        case("HC-DDCC-02", "A test under key 4", _WHO, **_under(4, DDCC_TEST)),
        *quirk("HC-QUIRK-96", "A core data set without iat", _WHO, "TIME_ABSENT", **_bare(DDCC)),
        *quirk("HC-QUIRK-97", "A core data set without a lot", _WHO, "FIELD_MISSING", **_under(3, without(DDCC, "lot"))),
        case("HC-DDCC-03", "The core data set in the place of the claims", _WHO, "OK", absent, **_bare(DDCC)),
        case("HC-DDCC-04", "The core data set of a test in the place of the claims", _WHO, "OK", absent, **_bare(DDCC_TEST)),
        case("HC-DDCC-05", "The core data set in the place of the EU DCC", _WHO, payload=DDCC),
        case("HC-DDCC-06", "It ends two days after its last day, and not before", _WHO, "OK", absent, **_bare(until)),
        case("HC-DDCC-07", "It has ended", _WHO, "CWT_EXPIRED", clock="2021-08-21T10:00:00Z", **_bare(until)),
        case("HC-DDCC-23", "It has ended, as it tells in meta", _WHO, "CWT_EXPIRED", **_bare(DDCC | {"meta": {"valid_until": "2021-08-18"}})),
        case("HC-DDCC-08", "It has not begun", _WHO, "CWT_NOT_YET_VALID", **_bare(DDCC | {"valid_from": "2021-08-22"})),
        case("HC-DDCC-09", "It ends before exp, and two days after its last day", _WHO, claims={-260: {3: until}}),
        case("HC-DDCC-10", "A test without a result", _WHO, _BAD, **_under(4, DDCC_TEST | {"test": {"date": "2021-08-19T10:00:00Z"}})),
        case("HC-DDCC-11", "No vaccine and no brand", _WHO, _BAD, **_under(3, without(DDCC, "vaccine", "brand"))),
        case("HC-DDCC-12", "No name", _WHO, _BAD, **_under(3, without(DDCC, "name"))),
        case("HC-DDCC-13", "No date", _WHO, _BAD, **_under(3, without(DDCC, "date"))),
        case("HC-DDCC-14", "No lot", _WHO, "OK", missing, **_under(3, without(DDCC, "lot"))),
        case("HC-DDCC-15", "Signed by a DSC for tests", _USAGE, "KEY_USAGE_MISMATCH", signer="dsc-test", **_under(3, DDCC)),
        case("HC-DDCC-16", "A test signed by a DSC for tests", _USAGE, signer="dsc-test", **_under(4, DDCC_TEST)),
        case("HC-DDCC-17", "A core data set that is no map", _WHO, _BAD, **_under(3, "x")),
        case("HC-DDCC-18", "A core data set under key 1, beside another key", _DCC, _BAD, claims={-260: {1: DDCC, 99: {}}}),
        case("HC-DDCC-19", "Fields of a core data set beside an EU DCC", _CLAIM, claims={"name": "X", "vaccine": "Y"}),
        case("HC-DDCC-20", "Fields of a core data set in an EU DCC", _DCC, payload=payload(name="X", vaccine="Y")),
        case("HC-DDCC-21", "A core data set without a name in the place of the claims", _CLAIM, _BROKEN, **_bare(without(DDCC, "name"))),
        case("HC-DDCC-22", "Nothing of a core data set but a name", _CLAIM, _BROKEN, claims={-260: ..., "name": "X"}),
    ]  # fmt: skip


def _ddcc_fields() -> list[Case]:
    missing, bare = "FIELD_MISSING", "TIME_WITHOUT_ZONE"
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("31", "A name that is a number", {"name": 7}),
        ("32", "A name of spaces", {"name": "  "}),
        ("33", "A vaccine that is a number", {"vaccine": {"code": 7}}),
        ("34", "A vaccine of more than 1000 characters", {"vaccine": {"code": "x" * 1001}}),
        ("35", "A birth date in the order of days", {"birthDate": "29.02.1984"}),
        ("43", "A birth date by its week", {"birthDate": "1984-W09-3"}),
        ("36", "No such day of birth", {"birthDate": "1985-02-29"}),
        ("37", "Dose 0", {"dose": 0}),
        ("38", "A dose of words", {"dose": "two"}),
        ("39", "A dose in other digits", {"dose": "٢"}),
        ("40", "A dose of four digits", {"dose": "0002"}),
        ("41", "No such day", {"date": "2021-02-30"}),
        ("44", "A date without hyphens", {"date": "20210611"}),
        ("42", "A lot of more than 1000 characters", {"lot": "x" * 1001}),
    ]
    good: list[tuple[str, str, list[str], dict[str, Any]]] = [
        ("51", "A country as a coding", [], {"country": {"code": "FRA"}}),
        ("52", "A dose as text", [], {"dose": "2"}),
        ("53", "No birth date", [missing], {"birthDate": None}),
        ("54", "A vaccine without a brand", [missing], {"brand": None}),
        ("55", "A brand without a vaccine", [missing], {"vaccine": "undefined"}),
        ("56", "A year of birth", [], {"birthDate": "1984"}),
        ("57", "A date with a time", ["DATE_WITH_TIME"], {"date": "2021-06-11T10:00:00Z"}),
    ]
    tests: list[tuple[str, str, tuple[str, ...], dict[str, Any]]] = [
        ("61", "A test without a time zone", ("OK", bare), {"date": "2021-08-19T10:00:00"}),
        ("62", "A test at no such moment", (_BAD,), {"date": "yesterday"}),
        ("63", "A test in the future", ("EVENT_IN_FUTURE",), {"date": "2021-08-20T10:00:01Z"}),
        ("65", "A day for the moment of the test", ("OK",), {"date": "2021-08-19"}),
        ("66", "No moment of the test", (_BAD,), {"date": None}),
        ("64", "A test that detected the disease", ("TEST_RESULT_POSITIVE",), {"result": "260373001"}),
    ]
    return [
        *[case(f"HC-DDCC-{n}", title, _WHO, _BAD, **_under(3, DDCC | changes)) for n, title, changes in wrong],
        *[case(f"HC-DDCC-{n}", title, _WHO, "OK", *w, **_under(3, DDCC | changes)) for n, title, w, changes in good],
        *[
            case(f"HC-DDCC-{n}", title, _WHO, *codes, **_under(4, DDCC_TEST | {"test": DDCC_TEST["test"] | changes}))
            for n, title, codes, changes in tests
        ],
    ]


def _dvc() -> list[Case]:
    missing = "FIELD_MISSING"

    def record(**changes: Any) -> dict[str, Any]:
        changed = DVC["vx"] | changes
        return _under(-6, DVC | {"vx": {name: value for name, value in changed.items() if value is not ...}})

    return [
        case("HC-DVC-01", "A vaccination record (yellow fever)", _DVC, **_under(-6, DVC)),
        case("HC-DVC-02", "No sex and no nationality", _DVC, "OK", missing, missing, **_under(-6, without(DVC, "s", "nt"))),
        case("HC-DVC-03", "The field names of an earlier draft", _DVC, **_under(-6, without(DVC, "nt", "id", "v", "vx") | {"ntl": "FR", "nid": "X", "v": DVC["vx"]})),
        case("HC-DVC-04", "No name", _DVC, _BAD, **_under(-6, without(DVC, "n"))),
        case("HC-DVC-05", "No record", _DVC, _BAD, **_under(-6, without(DVC, "vx"))),
        case("HC-DVC-06", "No product", _RECORD, _BAD, **record(vp=...)),
        case("HC-DVC-07", "No date", _RECORD, _BAD, **record(dt=...)),
        case("HC-DVC-08", "Neither clinician nor issuer", _RECORD, "OK", missing, **record(**{"is": ...})),
        case("HC-DVC-09", "No batch", _RECORD, "OK", missing, **record(bo=...)),
        case("HC-DVC-10", "A dose in the future", _RECORD, "EVENT_IN_FUTURE", **record(dt="2021-08-22")),
        case("HC-DVC-13", "A clinician and no issuer", _RECORD, **record(cn="Z. Exemplaire", **{"is": ...})),
        case("HC-DVC-14", "The record as the one element of an array", _DVC, **_under(-6, DVC | {"vx": [DVC["vx"]]})),
        case("HC-DVC-15", "Two records", _DVC, _BAD, **_under(-6, DVC | {"vx": [DVC["vx"]] * 2})),
        case("HC-DVC-19", "A record that has ended", _DVC, "CWT_EXPIRED", **record(vle="2021-08-18")),
        case("HC-DVC-20", "A record that has not begun", _DVC, "CWT_NOT_YET_VALID", **record(vls="2021-08-22")),
        case("HC-DVC-17", "Two records in v, as earlier drafts had them", _DVC, **_under(-6, without(DVC, "vx") | {"v": [DVC["vx"], DVC["vx"] | {"dt": "2021-07-11"}]})),
        case("HC-DVC-18", "No record in v", _DVC, _BAD, **_under(-6, without(DVC, "vx") | {"v": []})),
        case("HC-DVC-11", "A DVC record that is no map", _DVC, _BAD, **_under(-6, "x")),
        case("HC-DVC-16", "Signed by a DSC for tests", _USAGE, "KEY_USAGE_MISMATCH", signer="dsc-test", **_under(-6, DVC)),
        case("HC-DVC-12", "Not wanted by the policy", _DVC, "FAMILY_NOT_ACCEPTED", policy={"families": ["EU DCC"]}, **_under(-6, DVC)),
    ]  # fmt: skip


def _links() -> list[Case]:
    allowed = {"families": ["health link"]}
    link = "vhlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"
    return [
        case("HC-VHL-01", "A health link", _WHO, policy=allowed, **_under(5, link)),
        case("HC-VHL-02", "A health link as it is written in a map", _WHO, policy=allowed, **_under(5, [{"u": link}])),
        case("HC-VHL-03", "A link to elsewhere", _WHO, _BAD, policy=allowed, **_under(5, "https://example.org/")),
        case("HC-VHL-04", "No link in the list", _WHO, _BAD, policy=allowed, **_under(5, [])),
        case("HC-VHL-06", "A space in the link", _WHO, _BAD, policy=allowed, **_under(5, f"{link} x")),
        case("HC-VHL-07", "A link and something else", _WHO, _BAD, policy=allowed, **_under(5, [link, 7])),
        case("HC-VHL-05", "Not wanted by the default policy", _WHO, "FAMILY_NOT_ACCEPTED", **_under(5, link)),
    ]
