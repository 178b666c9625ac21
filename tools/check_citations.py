"""Holds the specification sections that the verifying code cites against those that the test vectors are about.

    python -m tools.check_citations

Beside each check of the verifying code stands the section it comes from; for each of those sections there is a vector,
and each vector's section is one that the code cites. So are the names of the public suite's tests. What is cited
without being a check that a vector could be about is listed here, with the reason.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "healthcert"
CASES = ROOT / "test_vectors" / "cases"

VERIFYING = ("encoding", "families", "verify")
VOUCHING = "trust/vouching.py"
"""Of what is about trust, the one module that judges what a certificate brings along."""
JUDGING_RULES = (
    "book",
    "ruling",
    "subject",
    "certlogic/dates",
    "certlogic/program",
    "certlogic/uvci",
    "certlogic/values",
)
"""Of what is about rules, the modules that a verification goes through; the others fetch, keep, write and explain."""
_OF_LISTS = "trust lists, whose cases are in tests/unit/lists, tests/unit/trust and tests/integration"
NOT_VERIFYING = {
    "encoding/ber.py": _OF_LISTS,
    "encoding/cms.py": _OF_LISTS,
    "encoding/cms_write.py": _OF_LISTS,
    "encoding/oids.py": _OF_LISTS,
    "encoding/protobuf.py": _OF_LISTS,
    "families/divoc/encode.py": "issuing",
    "families/hcert/encode.py": "issuing",
    "families/hcert/encode_siblings.py": "issuing",
    "families/hcert/names.py": "issuing",
    "families/hcert/letters.py": "issuing",
    "families/hcert/uvci.py": "issuing",
    "families/nzcp/encode.py": "issuing",
    "families/shc/compose.py": "issuing",
    "families/shc/encode.py": "issuing",
    "families/twoddoc/encode.py": "issuing",
    "families/vds_nc/encode.py": "issuing",
    "families/vds_nc/fields.py": "issuing",
    "families/hcert/schema.py": "every release of the schema, held against the published ones by tests of its own",
}
_TOKENS_OF_LISTS = "tokens that trust lists are signed with (tests/unit/encoding)"
EXEMPT: dict[str, str] = {
    "RFC 4055 §5": _TOKENS_OF_LISTS,
    "RFC 7515 §4.1.6": _TOKENS_OF_LISTS,
    "RFC 7518 §3.1": _TOKENS_OF_LISTS,
    "RFC 7518 §3.3": _TOKENS_OF_LISTS,
    "RFC 7518 §3.5": _TOKENS_OF_LISTS,
}
"""Sections that are cited for another reason than a check of a verifier, each with that reason."""

# What the comments in a folder are about where they name no document.
_MEANT = {"families/shc": "SMART Health Cards"}

_DOCUMENT = (
    r"RFC [0-9]{4}|WHO (?:SMART Trust )?HCERT specification 1\.1\.1|HCERT specification"
    r"|DCC schema(?: [0-9]\.[0-9]\.[0-9])?|AT schema [0-9]\.[0-9]\.[0-9]|(?:ICAO )?Doc 9303-[0-9]+|WHO trust domains"
    r"|Certificate governance|DVCMin(?:VaccineDetails)?\b"
    r"|(?:CertLogic )?specification 1\.3\.[0-9]|eu-dcc-business-rules|dgca-businessrule-service"
    r"|dgc-gateway|dgca-revocation-distribution-service|dgc-bloomfilter|dgca-partialvarhashfilter"
    r"|APPNOTE|DID Core|ICD-11 Reference Guide|JSON-LD 1\.1(?: API)?|Linked Data Proofs 1\.0|RDF 1\.1(?! N-Quads)"
    r"|OpenAttestation 2\.0|Verifiable Credentials Data Model 1\.0"
    r"|2D-Doc specification|FHIR R4|ICAO VDS-NC|NZ COVID Pass|SMART Health (?:Cards|Links)"
)
# A title in quotation marks stands behind the document's name, at the beginning of a remark, or alone in parentheses.
_TITLE = r'(?:(?<=, )|(?<=\()|^)"[^".]{4,}"(?=[:),.;])'
_NAMED = (
    r"(?<=2D-Doc specification, )(?:header|signature|message|annex of types|annex of mandatory data)"
    r"|(?<=FHIR R4, )(?:[A-Z][A-Za-z]+(?:\.[a-zA-Z]+(?:\[x\])?)?|dateTime)"
    r"|(?<=ICAO VDS-NC, )(?:header|signature|data structure|proof of vaccination|proof of testing|certificate profiles)"
)
_PLACE = rf"§[0-9]+(?:\.[0-9]+)*|Appendix [A-Z](?:\.[0-9]+)+|{_TITLE}|{_NAMED}"
_TOKEN = re.compile(rf"(?P<document>{_DOCUMENT})|(?P<place>{_PLACE})")
# Documents that are cited as a whole; of the others only a section says anything.
_WHOLE = re.compile(r"WHO|WHO trust domains|DCC schema|AT schema|DVCMin|dgca?-|CertLogic|eu-dcc-|OpenAttestation")
_TESTS = re.compile(r"\b[Tt]ests? ((?:[A-Z]{1,3}[0-9]+)(?:(?:, | and | to )[A-Z]{1,3}[0-9]+)*)")
_TEST = re.compile(r"(to )?([A-Z]{1,3})([0-9]+)")


def citations(text: str, meant: str = "") -> Iterator[str]:
    """The sections that a comment or docstring cites, each with the document that was named last before it.

    ``meant`` is the document of titles before which none is named.
    """
    document = meant
    for match in _TOKEN.finditer(" ".join(text.split())):
        if match["document"]:
            # CertLogic's own modules do not say each time which specification they mean.
            document = re.sub(
                "^specification", "CertLogic specification", match["document"].replace("SMART Trust ", "")
            )
            document = re.sub("^Doc", "ICAO Doc", document)
            if _WHOLE.match(document):
                yield document
        elif document and not _WHOLE.match(document):
            yield f"{document} {match['place']}" if match["place"][0] == "§" else f"{document}, {match['place']}"


def suite_tests(text: str) -> Iterator[str]:
    """The tests of the public suite that a comment or docstring names: ``Tests CO6 to CO11``."""
    for match in _TESTS.finditer(" ".join(text.split())):
        last = 0
        for up_to, letters, number in _TEST.findall(match[1]):
            first = last + 1 if up_to else int(number)
            yield from (f"{letters}{each}" for each in range(first, int(number) + 1))
            last = int(number)


def remarks(path: Path) -> Iterator[tuple[int, str]]:
    """The comments of a module, those on consecutive lines as one, and its docstrings."""
    source = path.read_text("utf-8")
    block: list[str] = []
    last = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if block and token.start[0] != last + 1:
                yield last, " ".join(block)
                block = []
            block.append(token.string.lstrip("# "))
            last = token.start[0]
    if block:
        yield last, " ".join(block)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text


def cited() -> tuple[dict[str, str], dict[str, str]]:
    """The sections and the tests that the verifying code cites, each with one place where it does."""
    sections: dict[str, str] = {}
    names: dict[str, str] = {}
    found = [path for part in VERIFYING for path in sorted((SOURCE / part).rglob("*.py"))]
    for path in (*found, SOURCE / VOUCHING, *(SOURCE / f"rules/{name}.py" for name in JUDGING_RULES)):
        name = path.relative_to(SOURCE).as_posix()
        if name not in NOT_VERIFYING:
            meant = _MEANT.get(name.rpartition("/")[0], "")
            for line, text in remarks(path):
                sections |= dict.fromkeys(citations(text, meant), f"{name}:{line}")
                names |= dict.fromkeys(suite_tests(text), f"{name}:{line}")
    return sections, names


def problems() -> list[str]:
    """What is cited and not tested, what is tested and not cited, and what is exempt without need."""
    sections, names = cited()
    cases = [json.loads(path.read_text("utf-8")) for path in sorted(CASES.glob("*/case.json"))]
    tested: dict[str, str] = {section: case["id"] for case in cases for section in case["sections"]}
    identifiers = {case["id"] for case in cases}
    return [
        *[f"{at}: no vector is about {s}" for s, at in sections.items() if s not in tested and s not in EXEMPT],
        *[f"{at}: there is no vector {name}" for name, at in names.items() if name not in identifiers],
        *[f"{case}: no verifying code cites {s}" for s, case in tested.items() if s not in sections],
        *[f"exempt, but cited nowhere or tested: {s}" for s in EXEMPT if s not in sections or s in tested],
        *[f"not verifying, but not there: {name}" for name in NOT_VERIFYING if not (SOURCE / name).is_file()],
    ]


def main() -> None:
    """Prints what is amiss; the exit code is 1 when something is."""
    found = problems()
    print("\n".join(found) or "every section that is cited has a vector, and the other way round")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
