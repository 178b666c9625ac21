"""What the verifying code cites has a vector, and the other way round."""

from __future__ import annotations

from pathlib import Path

from tools.check_citations import citations, problems, remarks, suite_tests


def test_every_section_that_is_cited_has_a_vector_and_no_vector_is_about_another() -> None:
    assert problems() == []


def test_a_citation_is_found_however_it_is_written() -> None:
    assert list(citations("RFC 9053 §2.1, §2.2; RFC 8230 §2")) == ["RFC 9053 §2.1", "RFC 9053 §2.2", "RFC 8230 §2"]
    assert list(citations("HCERT specification §3.3.5 and\n §3.3.6: both")) == [
        "HCERT specification §3.3.5",
        "HCERT specification §3.3.6",
    ]
    assert list(citations("(HCERT specification, Appendix A.4). Or RFC 1950")) == ["HCERT specification, Appendix A.4"]
    assert list(citations("WHO SMART Trust HCERT specification 1.1.1 (claims)")) == ["WHO HCERT specification 1.1.1"]
    assert list(citations("of CertLogic (specification 1.3.2)")) == ["CertLogic specification 1.3.2"]
    assert list(citations("DCC schema 1.3.0 (oneOf), DCC schema: minimum")) == ["DCC schema 1.3.0", "DCC schema"]


def test_titles_and_names_of_parts_are_sections_too() -> None:
    assert list(citations('NZ COVID Pass, "CWT Claims": both; not "something else" ("DID Document").')) == [
        'NZ COVID Pass, "CWT Claims"',
        'NZ COVID Pass, "DID Document"',
    ]
    meant = "SMART Health Cards"
    assert list(citations('"Health Cards are Compact": header includes alg: "ES256".', meant)) == [
        'SMART Health Cards, "Health Cards are Compact"'
    ]
    assert list(citations('"-", the smallest character, is 00', meant)) == []
    assert list(citations("FHIR R4, Immunization.occurrence[x]: one of the two")) == [
        "FHIR R4, Immunization.occurrence[x]"
    ]
    assert list(citations("ICAO VDS-NC, data structures: at most. Doc 9303-12 §3")) == [
        "ICAO VDS-NC, data structure",
        "ICAO Doc 9303-12 §3",
    ]


def test_the_tests_of_the_public_suite_are_found_by_name() -> None:
    assert list(suite_tests("Tests CO6 to CO9. Test DGC2 has three; tests CBO1, CBO2.")) == [
        *("CO6", "CO7", "CO8", "CO9"),
        *("DGC2", "CBO1", "CBO2"),
    ]


def test_comments_on_consecutive_lines_are_one_remark(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""A docstring."""\n\n# RFC 9052 §3\n# and §4.4.\nX = 1\n\n# Another.\n', "utf-8")
    assert [text for _, text in remarks(module)] == ["RFC 9052 §3 and §4.4.", "Another.", "A docstring."]
