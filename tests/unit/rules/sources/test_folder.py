"""Folders of rules: the layout of dgc-business-rules-testdata, others, and what is no rule in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from healthcert.errors import FetchError, RuleError
from healthcert.limits import Limits
from healthcert.rules.files import read_folder
from healthcert.rules.sources.documents import country_of_path
from healthcert.rules.sources.folder import Folder
from healthcert.rules.sources.protocol import Context, Known, RuleList
from tests.support import NOW
from tests.unit.rules.lists import Server, anchor, rule_document, value_set

RULE = json.dumps(rule_document()).encode()
TEST = json.dumps({"payload": {}, "external": {}, "expected": True}).encode()


def load(files: dict[str, Any], **options: str) -> RuleList:
    parts = {name: given if isinstance(given, bytes) else json.dumps(given).encode() for name, given in files.items()}
    return Folder().load(parts, Context((), NOW, Limits(), options))


def test_any_number_of_files_by_what_is_in_them() -> None:
    found = load(
        {
            "FR/GR-FR-0001/rule.json": RULE,
            "FR/GR-FR-0001/tests/test001.json": RULE,
            "FR/GR-FR-0001/test001.json": TEST,
            "FR/README.md": b"# Rules",
            "FR/.git/rule.json": b"rubbish",
            ".hidden.json": b"rubbish",
            "schemas/rule.json": b"rubbish",
            "rule.schema.json": b"rubbish",
            "package.json": {"name": "tooling"},
            "anything.json": rule_document("GR-DE-0001"),
            "camel.json": {name[:1].lower() + name[1:]: value for name, value in rule_document("GR-CH-0001").items()},
            "several.json": [rule_document("GR-AT-0001"), value_set("a"), {"name": "nothing"}],
            "sets/set.json": value_set("b"),
        },
        countries="IT",
    )
    assert [one.rule.identifier for one in found.rules] == ["GR-FR-0001", "GR-DE-0001", "GR-CH-0001", "GR-AT-0001"]
    assert [one.value_set.id for one in found.value_sets] == ["b", "a"]
    assert found.skipped == ()
    assert found.countries == {"IT"}


@pytest.mark.parametrize(
    ("name", "content", "country"),
    [
        ("MT/RR-MT-0001/TR-MT-0001.json", b"{", "MT"),
        ("MT/RR-MT-0001/TR-MT-0001.json", {}, "MT"),
        ("MT/rule.json", {}, "MT"),
        ("rule.json", {}, None),
        ("broken.json", b"{", None),
        ("FR/broken.json", b"", "FR"),
        ("FR/rule.json", {"Identifier": "GR-DE-0001"}, "DE"),
        ("FR/rule.json", {"Identifier": "none"}, "FR"),
        ("FR/many.json", [1, 2], "FR"),
        ("EU/x.json", {"logic": {}}, "EU"),
        ("x.json", b'{"Identifier": "GR-FR-0001", "Identifier": "GR-FR-0001"}', "FR"),
    ],
)
def test_what_cannot_be_read_is_skipped_with_the_country_that_is_known(
    name: str, content: Any, country: str | None
) -> None:
    found = load({"GR-AT-0001.json": rule_document("GR-AT-0001"), name: content})
    assert len(found.rules) == 1
    assert {one.country for one in found.skipped} == {country}
    assert all(one.source.startswith(name) and one.value_set is None for one in found.skipped)


@pytest.mark.parametrize(
    ("path", "country"),
    [
        ("DE/GR-DE-0001/rule.json", "DE"),
        ("IE/TR-EU-0001/rule.json", "EU"),
        ("FR/x/y/z.json", "FR"),
        ("VR-FR-0001.json", "FR"),
        ("fr/x.json", None),
        ("FRA/x.json", None),
        ("", None),
    ],
)
def test_the_country_that_a_path_names(path: str, country: str | None) -> None:
    assert country_of_path(path) == country


def test_an_anchor_that_nothing_is_signed_with() -> None:
    with pytest.raises(RuleError, match="RULE_LIST_NOT_AUTHENTIC"):
        Folder().load({"rule.json": RULE}, Context((anchor(),), NOW))


def test_a_folder_is_not_fetched() -> None:
    with pytest.raises(FetchError, match="FETCH_REFUSED"):
        Folder().fetch(Server(), "https://rules.example", Known(), Context((), NOW))


# --- Reading one ---


def test_only_what_may_be_a_document_is_read(tmp_path: Path) -> None:
    rule = "FR/GR-FR-0001/rule.json"
    for name in (rule, "FR/GR-FR-0001/tests/t.json", ".git/x.json", "a.txt", "node_modules/x.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(RULE)
    assert read_folder(tmp_path) == {rule: RULE}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_links_are_not_followed_and_pipes_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(RULE)
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe.json")
    assert read_folder(folder) == {}


def test_so_many_files_and_so_long_ones(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(b" " * 10)
    assert len(read_folder(tmp_path, limits=Limits(rules=3, list_bytes=30))) == 3
    for limits in (Limits(rules=2), Limits(list_bytes=29)):
        with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
            read_folder(tmp_path, limits=limits)
    with pytest.raises(OSError, match="No such file"):
        read_folder(tmp_path / "none")


def test_the_rules_of_the_member_states(interop: Path) -> None:
    found = Folder().load(read_folder(interop / "business-rules/testdata"), Context((), NOW))
    assert len(found.rules) == len(list((interop / "business-rules/testdata").glob("*/*/rule.json"))) + 7
    (skipped,) = found.skipped
    assert (skipped.source, skipped.country) == ("MT/RR-MT-0001/TR-MT-0001.json", "MT")


def test_the_value_sets_of_the_eu(interop: Path) -> None:
    found = Folder().load(read_folder(interop / "valuesets/eu-dcc-valuesets"), Context((), NOW))
    assert (len(found.value_sets), found.rules, found.skipped) == (9, (), ())
