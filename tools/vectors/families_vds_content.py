"""Cases of what seals say: HC-VDS-200 to 299."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_press import altered
from tools.vectors.families_vds import TESTED, VACCINATED, canonical, shown

_VACCINATION, _TEST, _STRUCTURE = (
    f"ICAO VDS-NC, {part}" for part in ("proof of vaccination", "proof of testing", "data structure")
)
_PADDED = "ICAO Doc 9303-3 §4.8"
_BAD, _MISSING, _LONG, _UNEXPECTED = "SCHEMA_VALIDATION_FAILED", "FIELD_MISSING", "TEXT_TOO_LONG", "FIELD_UNEXPECTED"
_DOSE, _EVENT, _PERSON = ("msg", "ve", 0, "vd", 0), ("msg", "ve", 0), ("msg", "pid")

Change = tuple[tuple[str | int, ...], Any]


def cases() -> list[Case]:
    """Vaccinations, persons, tests."""
    return [*_vaccinations(), *_doses(), *_persons(), *_tests(), *_moments()]


def _vaccinations() -> list[Case]:
    event = VACCINATED["msg"]["ve"][0]
    wrong: list[tuple[str, str, Change]] = [
        ("200", "No message", (("msg",), ...)),
        ("201", "A message that is an array", (("msg",), [])),
        ("202", "No person", (_PERSON, ...)),
        ("203", "A person that is a text", (_PERSON, "x")),
        ("204", "No vaccination", (("msg", "ve"), ...)),
        ("205", "An empty array of vaccinations", (("msg", "ve"), [])),
        ("206", "Vaccinations that are an object", (("msg", "ve"), event)),
        ("207", "A vaccination that is a text", (_EVENT, "x")),
        ("208", "More vaccinations than anybody has", (("msg", "ve"), [event] * 65)),
        ("209", "No vaccine", ((*_EVENT, "des"), ...)),
        ("210", "A vaccine of spaces", ((*_EVENT, "des"), " ")),
        ("211", "A vaccine that is a number", ((*_EVENT, "des"), 7)),
        ("212", "No doses", ((*_EVENT, "vd"), [])),
        ("213", "A lot of more than 1000 characters", ((*_DOSE, "lot"), "x" * 1001)),
        ("214", "No date of the dose", ((*_DOSE, "dvc"), ...)),
    ]
    tolerated: list[tuple[str, str, str, tuple[str, ...], Change]] = [
        ("220", "No identifier", _MISSING, (), (("msg", "uvci"), ...)),
        ("221", "An identifier of 13 characters", _LONG, (), (("msg", "uvci"), "x" * 13)),
        ("222", "No name of the product", _MISSING, (), ((*_EVENT, "nam"), ...)),
        ("223", "A disease that is null", "NULL_FIELD", (), ((*_EVENT, "dis"), None)),
        ("224", "A member of the seal that the specification does not name", _UNEXPECTED, (), (("x",), 1)),
        ("225", "A member of the message that it does not name", _UNEXPECTED, (), (("msg", "x"), 1)),
        ("226", "A member of the header that it does not name", _UNEXPECTED, (), (("hdr", "x"), 1)),
        ("227", "A member of a vaccination that it does not name", _UNEXPECTED, (), ((*_EVENT, "x"), 1)),
    ]
    return [
        *[case for n, title, change in wrong for case in _changed(n, title, _VACCINATION, change, _BAD)],
        *[case for n, title, code, more, change in tolerated for case in _changed(n, title, f"{_STRUCTURE}; {_VACCINATION}", change, code, *more, quirk=True)],
        *_changed("228", "No disease", _VACCINATION, ((*_EVENT, "dis"), ...)),
    ]  # fmt: skip


def _changed(
    number: str, title: str, sections: str, change: Change, *codes: str, data: Any = VACCINATED, **more: Any
) -> list[Case]:
    path, value = change
    return shown(number, title, sections, *codes, data=altered(data, *path, to=value), **more)


def _doses() -> list[Case]:
    wrong: list[tuple[str, str, str, str, Any]] = [
        ("230", "No such day", "dvc", _BAD, "2021-02-30"),
        ("231", "A day without hyphens", "dvc", _BAD, "20210501"),
        ("232", "A month for a day", "dvc", _BAD, "2021-05"),
        ("233", "A day in other digits", "dvc", _BAD, "٢٠٢١-٠٥-٠١"),
        ("234", "A day that has come nowhere", "dvc", "EVENT_IN_FUTURE", "2021-08-22"),
        ("235", "A dose that is true", "seq", _BAD, True),
        ("236", "A dose that is an array", "seq", _BAD, [1]),
        ("243", "Dose 1.5", "seq", _BAD, 1.5),
        ("237", "A lot that is a number", "lot", _BAD, 7),
    ]
    tolerated: list[tuple[str, str, str, str, Any]] = [
        ("240", "A day with a time", "dvc", "DATE_WITH_TIME", "2021-05-01T10:00:00"),
        ("241", "Dose 0", "seq", "DOSE_OUT_OF_RANGE", 0),
        ("242", "Dose 100", "seq", "DOSE_OUT_OF_RANGE", 100),
        ("244", "A dose of words", "seq", "DOSE_OUT_OF_RANGE", "first"),
        ("245", "No dose", "seq", _MISSING, ...),
        ("246", "A dose that is null", "seq", _MISSING, None),
        ("247", "A dose of no characters", "seq", _MISSING, ""),
        ("248", "A country of two letters", "ctr", "UNKNOWN_CODE", "FR"),
        ("249", "No country", "ctr", _MISSING, ...),
        ("250", "No lot", "lot", _MISSING, ...),
        ("251", "A lot of 21 characters", "lot", _LONG, "x" * 21),
        ("252", "A centre of 21 characters", "adm", _LONG, "x" * 21),
        ("253", "A member of a dose that the specification does not name", "x", _UNEXPECTED, 1),
    ]
    good: list[tuple[str, str, str, Any]] = [
        ("260", "A dose as text", "seq", "1"),
        ("261", "Dose 99", "seq", 99),
        ("262", "A day that is today on some island", "dvc", "2021-08-21"),
        ("263", "No centre", "adm", ...),
        ("264", "No next dose", "dvn", ...),
    ]
    return [
        *[case for n, title, name, code, value in wrong for case in _changed(n, title, _VACCINATION, ((*_DOSE, name), value), code)],
        *[case for n, title, name, code, value in tolerated for case in _changed(n, title, _VACCINATION, ((*_DOSE, name), value), code, quirk=True)],
        *[case for n, title, name, value in good for case in _changed(n, title, _VACCINATION, ((*_DOSE, name), value))],
        *_changed("265", "A lot of no characters", _VACCINATION, ((*_DOSE, "lot"), ""), _MISSING, quirk=True),
        *_changed("266", "A centre of no characters", _VACCINATION, ((*_DOSE, "adm"), "")),
        *_changed("267", "A dose as a fraction that is a whole number", _VACCINATION, ((*_DOSE, "seq"), 1.0), signed=canonical(VACCINATED)),
    ]  # fmt: skip


def _persons() -> list[Case]:
    padded = "BIRTH_DATE_PADDED"
    neither = altered(altered(VACCINATED, *_PERSON, "dob", to=...), *_PERSON, "i", to=...)
    wrong: list[tuple[str, str, str, Any]] = [
        ("270", "No name", "n", ...),
        ("271", "A name of spaces", "n", "  "),
        ("272", "A name that is a number", "n", 7),
        ("273", "A birth date in the order of days", "dob", "29.02.1984"),
        ("274", "No such day of birth", "dob", "1985-02-29"),
        ("275", "A birth date that is a number", "dob", 1984),
        ("276", "Month 13 of birth", "dob", "1984-13-XX"),
    ]
    tolerated: list[tuple[str, str, str, str, Any]] = [
        ("280", "A birth date padded with letters", "dob", padded, "1984-XX-XX"),
        ("281", "A birth date padded as in the lines of a passport", "dob", padded, "1984-02-<<"),
        ("282", "A sex of two letters", "sex", _LONG, "FF"),
        ("283", "A name of 40 characters", "n", _LONG, "x" * 40),
        ("284", "A number of a document of 12 characters", "i", _LONG, "x" * 12),
        ("285", "A member of the person that the specification does not name", "x", _UNEXPECTED, 1),
    ]
    return [
        *[case for n, title, name, value in wrong for case in _changed(n, title, f"{_VACCINATION}; {_PADDED}", ((*_PERSON, name), value), _BAD)],
        *[case for n, title, name, code, value in tolerated for case in _changed(n, title, f"{_VACCINATION}; {_PADDED}", ((*_PERSON, name), value), code, quirk=True)],
        *_changed("291", "A birth date whose day is padded with zeros", _PADDED, ((*_PERSON, "dob"), "1984-02-00"), padded, quirk=True),
        *_changed("292", "A further number of 25 characters", _VACCINATION, ((*_PERSON, "ai"), "x" * 25), _LONG, quirk=True),
        *_changed("293", "A further number that is a number", _VACCINATION, ((*_PERSON, "ai"), 7), _BAD),
        *_changed("286", "A year of birth", _PADDED, ((*_PERSON, "dob"), "1984")),
        *_changed("287", "No birth date, and a number of a document", _VACCINATION, ((*_PERSON, "dob"), ...)),
        *_changed("288", "A birth date, and no number of a document", _VACCINATION, ((*_PERSON, "i"), ...)),
        *shown("289", "Neither birth date nor number of a document", _VACCINATION, _BAD, data=neither),
        *_changed("290", "No sex", _VACCINATION, ((*_PERSON, "sex"), ...)),
    ]  # fmt: skip


def _tests() -> list[Case]:
    wrong: list[tuple[str, str, str, tuple[str, ...], Any]] = [
        ("300", "No person", _BAD, ("pid",), ...),
        ("301", "No name", _BAD, ("pid", "n"), ...),
        ("302", "No dates", _BAD, ("dat",), ...),
        ("303", "No result at all", _BAD, ("tr",), ...),
        ("304", "No word for the result", _BAD, ("tr", "r"), ...),
        ("305", "Positive", "TEST_RESULT_POSITIVE", ("tr", "r"), "positive"),
        ("306", "Positive, by a code", "TEST_RESULT_POSITIVE", ("tr", "r"), "260373001"),
        ("307", "A result that nobody knows", "TEST_RESULT_UNKNOWN", ("tr", "r"), "normal"),
        ("308", "A provider that is a text", _BAD, ("sp",), "x"),
    ]
    tolerated: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...], Any]] = [
        ("310", "No identifier", _MISSING, (), ("utci",), ...),
        ("311", "No birth date", _MISSING, (), ("pid", "dob"), ...),
        ("312", "No type of document", _MISSING, (), ("pid", "dt"), ...),
        ("313", "No number of a document", _MISSING, (), ("pid", "dn"), ...),
        ("314", "A number of a document of 25 characters", _LONG, (), ("pid", "dn"), "x" * 25),
        ("315", "No provider", _MISSING, (_MISSING,) * 4, ("sp",), ...),
        ("316", "No name of the provider", _MISSING, (), ("sp", "spn"), ...),
        ("317", "No country of the provider", _MISSING, (), ("sp", "ctr"), ...),
        ("318", "No address of the provider", _MISSING, (_MISSING,), ("sp", "cd"), ...),
        ("319", "No telephone number of the provider", _MISSING, (), ("sp", "cd", "p"), ...),
        ("320", "No kind of test", _MISSING, (), ("tr", "tc"), ...),
        ("321", "A text of 21 characters in opt", _LONG, (), ("opt",), "x" * 21),
        ("322", "A member of the message that the specification does not name", _UNEXPECTED, (), ("x",), 1),
        ("323", "A member of the person that it does not name", _UNEXPECTED, (), ("pid", "sex"), "F"),
        ("324", "A member of the provider that it does not name", _UNEXPECTED, (), ("sp", "x"), 1),
        ("325", "A member of the dates that it does not name", _UNEXPECTED, (), ("dat", "x"), 1),
        ("326", "A member of the result that it does not name", _UNEXPECTED, (), ("tr", "x"), 1),
    ]
    return [
        *[case for n, title, code, path, value in wrong for case in _changed(n, title, _TEST, (("msg", *path), value), code, data=TESTED)],
        *[case for n, title, code, more, path, value in tolerated for case in _changed(n, title, f"{_TEST}; {_STRUCTURE}", (("msg", *path), value), code, *more, data=TESTED, quirk=True)],
        *_changed("309", "A method that is a number", _TEST, (("msg", "tr", "m"), 7), data=TESTED),
        *_changed("327", "No opt", _TEST, (("msg", "opt"), ...), data=TESTED),
        *_changed("328", "A test, where vaccinations alone are wanted", _TEST, (("msg", "opt"), ...), "ENTRY_TYPE_NOT_ACCEPTED", data=TESTED, circumstances={"policy": {"entry_types": ["vaccination"]}}),
    ]  # fmt: skip


def _moments() -> list[Case]:
    sampled, resulted = ("msg", "dat", "sc"), ("msg", "dat", "ri")
    bare = "TIME_WITHOUT_ZONE"
    return [
        *_changed("330", "No moment of the sample", _TEST, (sampled, ...), _BAD, data=TESTED),
        *_changed("331", "No such moment of the sample", _TEST, (sampled, "2021-02-30T12:00:00Z"), _BAD, data=TESTED),
        *_changed("332", "A test in the future", _TEST, (sampled, "2021-08-20T10:00:01Z"), "EVENT_IN_FUTURE", data=TESTED),
        *_changed("333", "A test at this moment", _TEST, (sampled, "2021-08-20t10:00:00z"), data=TESTED),
        *_changed("334", "A moment without its zone", _TEST, (sampled, "2021-08-19T12:00:00"), bare, data=TESTED, quirk=True),
        *_changed("335", "A day that has come nowhere", _TEST, (sampled, "2021-08-22"), "EVENT_IN_FUTURE", bare, data=TESTED),
        *_changed("336", "No moment of the result", _TEST, (resulted, ...), _MISSING, data=TESTED, quirk=True),
        *_changed("337", "A moment of the result without its zone", _TEST, (resulted, "2021-08-19T18:00:00"), bare, data=TESTED, quirk=True),
        *_changed("338", "No such moment of the result", _TEST, (resulted, "yesterday"), _BAD, data=TESTED),
    ]  # fmt: skip
