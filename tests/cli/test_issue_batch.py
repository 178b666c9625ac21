"""``healthcert issue batch``: the forms of its results, its journal, and what it is told in the wrong way."""

from __future__ import annotations

import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from healthcert.batch.sinks import open_sink
from healthcert.document import paper
from tests.cli.conftest import Run
from tests.cli.test_authority import office as office  # the fixture
from tests.cli.trust_files import Clock, json_of, lines_of

HEADER = "type,family_name,given_name,birth_date,test_type,sampled_at,result\n"
ISSUE = ("issue", "batch", "lab.csv", "--out", "out.jsonl", "--json")


def record(name: str, birth: str = "1984-02-29") -> str:
    return f"test,{name},Zoé,{birth},LP6464-4,2021-08-19T08:00:00+02:00,260415000\n"


def records(*names: str, file: str = "lab.csv") -> None:
    Path(file).write_text(HEADER + "".join(record(name) for name in names))


def rows(name: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def test_the_summary_tells_rows_verdicts_codes_and_issuers(office: Run) -> None:
    Path("lab.csv").write_text(HEADER + record("A") + record("B", "1984-13-01") + record("C"))
    done = office(*ISSUE)
    told = json_of(done)
    assert done.exit_code == 1
    assert told.pop("seconds") >= 0
    assert told == {
        "issued": 2, "issued_before": 0, "rejected": {"FIELD_INVALID": 1}, "rows": 3, "resumed": False,
        "stopped": False, "issuers": {"FR": 2},
    }  # fmt: skip
    assert not Path("out.jsonl.journal").exists()
    again = office("issue", "batch", "lab.csv", "--out", "out.jsonl")
    assert again.stderr.splitlines()[-1] == "0 issued, 2 issued before, 1 rejected (1 FIELD_INVALID)."


def test_without_a_name_for_them_certificates_go_to_standard_output(office: Run) -> None:
    records("A", "B")
    done = office("issue", "batch", "lab.csv", "--json")
    assert [json.loads(line)["row"] for line in done.stdout.splitlines()] == [2, 3]
    assert json.loads(done.stderr)["issued"] == 2
    piped = office("issue", "batch", "-", "--format", "csv", stdin=Path("lab.csv").read_bytes())
    assert [json.loads(line)["again"] for line in piped.stdout.splitlines()] == [True, True]


def test_a_record_that_is_there_twice_gets_one_certificate(office: Run) -> None:
    records("A", "B", "A")
    records("C", "B", file="more.csv")
    told = json_of(office("issue", "batch", "lab.csv", "more.csv", "--out", "out.jsonl", "--json"))
    assert (told["issued"], told["issued_before"]) == (3, 2)
    found = rows()
    assert [(row["source"], row["row"], row["again"]) for row in found] == [
        ("lab.csv", 2, False), ("lab.csv", 3, False), ("lab.csv", 4, True), ("more.csv", 2, False),
        ("more.csv", 3, True),
    ]  # fmt: skip
    assert found[0]["text"] == found[2]["text"]
    assert found[1]["text"] == found[4]["text"]


@pytest.mark.parametrize("image", ["png", "svg", "pdf"])
def test_pictures_go_to_a_folder_or_an_archive_by_their_identifier(office: Run, image: str) -> None:
    records("A", "B")
    assert office("issue", "batch", "lab.csv", "--out", "codes/", "--image", image).exit_code == 0
    assert office("issue", "batch", "lab.csv", "--out", "codes.tar", "--image", image).exit_code == 0
    files = {path.name: path.read_bytes() for path in Path("codes").iterdir()}
    assert len(files) == 2
    assert all(name.endswith(f".{image}") for name in files)
    with tarfile.open("codes.tar") as archive:
        packed = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    assert packed == files
    if image != "svg":
        [first, *_] = sorted(files)
        assert [one["code"] for one in lines_of(office("verify", f"codes/{first}", "--json"))] == ["OK"]


def test_pages_to_print_are_in_a_language_on_a_paper_and_the_issuers(office: Run) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    records("A", "B")
    Path("look.toml").write_text('name = "Haus der Beispiele"\n')
    page = ("--image", "page", "--lang", "de", "--paper", "letter", "--template", "look.toml")
    assert office("issue", "batch", "lab.csv", "--out", "pages/", *page).exit_code == 0
    files = sorted(Path("pages").iterdir())
    assert [path.suffix for path in files] == [".pdf", ".pdf"]
    for path in files:
        assert [one["code"] for one in lines_of(office("verify", path, "--json"))] == ["OK"]
        with pdfium.PdfDocument(path) as opened:
            assert opened.get_page_size(0) == pytest.approx((612, 792), abs=0.1)
            text = opened[0].get_textpage().get_text_bounded()
        assert "Haus der Beispiele" in text
        assert "Geburtsdatum" in text


def test_a_package_that_pages_need_is_told_before_anything_is_issued(
    office: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    records("A")
    paper._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    done = office("issue", "batch", "lab.csv", "--out", "pages/", "--image", "page", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (4, "EXTRA_MISSING")
    assert not Path("pages").exists()


def test_tables_hold_what_lines_do(office: Run) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    records("A", "B")
    assert office(*ISSUE).exit_code == 0
    assert office("issue", "batch", "lab.csv", "--out", "out.parquet").exit_code == 0
    found = parquet.read_table("out.parquet").to_pylist()
    same = ("source", "row", "certificate_id", "text")
    assert [{name: row[name] for name in same} for row in found] == [
        {name: row[name] for name in same} for row in rows()
    ]
    assert [row["again"] for row in found] == [True, True]


def test_a_journal_that_is_there_is_gone_on_with_or_nothing_is_done(office: Run) -> None:
    records("A", "B")
    Path("out.jsonl.journal").write_text("{}")
    refused = office(*ISSUE)
    assert (refused.exit_code, "--resume" in refused.stderr) == (2, True)
    damaged = office(*ISSUE, "--resume")
    assert (damaged.exit_code, json_of(damaged)["error"]["code"]) == (4, "JOURNAL_UNUSABLE")
    assert not Path("out.jsonl").exists()
    # Nor by a journal in another place, or none: the output is that of the run which was broken off.
    for other in (("--journal", "other.journal"), ("--journal", "other.journal", "--resume")):
        assert office(*ISSUE, *other).exit_code == 2
    assert office("issue", "batch", "-", "--format", "csv", "--out", "out.jsonl", stdin=b"").exit_code == 2
    assert not Path("out.jsonl").exists()
    Path("out.jsonl.journal").unlink()
    assert json_of(office(*ISSUE, "--journal", "other.journal", "--resume"))["issued"] == 2
    assert not list(Path().glob("*.journal"))


def test_a_run_with_its_journal_elsewhere_has_its_output_for_itself(
    office: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    records("A", "B")
    found: list[int] = []

    def meanwhile(*given: Any) -> Any:
        if not found:
            found.append(2)
            found[:] = [office(*ISSUE, *more).exit_code for more in ((), ("--resume",), ("--journal", "k", "--resume"))]
        return open_sink(*given)

    monkeypatch.setattr("healthcert_cli.bulk.open_sink", meanwhile)
    assert office(*ISSUE, "--journal", "j").exit_code == 0
    assert found == [2, 4, 2]
    assert len(rows()) == 2


def test_a_name_that_is_no_text_names_a_run(office: Run) -> None:
    records("A")
    name = os.fsdecode(b"lab\xe9.csv")
    Path("lab.csv").rename(name)
    assert json_of(office("issue", "batch", name, "--out", "out.jsonl", "--json"))["issued"] == 1


@pytest.mark.parametrize("out", ["there.parquet", "there"])
def test_what_is_read_is_not_in_the_folder_that_is_written(office: Run, out: str) -> None:
    Path(out).mkdir()
    path = Path(out, "part-00000.csv")
    records("A", file=str(path))
    before = path.read_bytes()
    assert office("issue", "batch", str(path), "--out", out).exit_code == 2
    Path("link").symlink_to(path)
    assert office("issue", "batch", "link", "--out", f"{out}/").exit_code == 2
    assert path.read_bytes() == before


def test_rejected_rows_do_not_go_through_a_link_and_are_their_owners_alone(office: Run) -> None:
    records("A")
    Path("victim").write_text("kept")
    Path("rejects.tsv").symlink_to("victim")
    assert office(*ISSUE, "--rejects", "rejects.tsv").exit_code == 4
    assert Path("victim").read_text() == "kept"
    Path("rejects.tsv").unlink()
    Path("rejects.tsv").write_text("old")
    Path("rejects.tsv").chmod(0o644)
    assert office(*ISSUE, "--rejects", "rejects.tsv").exit_code == 0
    assert Path("rejects.tsv").stat().st_mode & 0o777 == 0o600
    assert Path("rejects.tsv").read_text() == "source\trow\tcode\treason\n"


class CrashError(Exception):
    """Ends a run where nobody foresaw it."""


@pytest.fixture
def half(office: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The authority, with a run of four records that was broken off after two."""
    from healthcert.batch import run
    from healthcert.batch.sources.records import RecordFile

    records("A", "B", "C", "D")
    with monkeypatch.context() as patched:
        patched.setattr(run, "RECORDS", 2)
        items = RecordFile.items

        def breaking(source: RecordFile, skip: int = 0) -> Any:
            for number, item in enumerate(items(source, skip)):
                if number == 3:
                    raise CrashError
                yield item

        patched.setattr(RecordFile, "items", breaking)
        assert office(*ISSUE).exit_code == 4
    assert len(rows()) == 2
    return office


def test_a_run_that_was_broken_off_is_gone_on_with(half: Run, clock: Clock) -> None:
    with Path("out.jsonl").open("a") as file:
        file.write('{"half a li')
    told = json_of(half(*ISSUE, "--resume"))
    assert (told["issued"], told["issued_before"], told["rows"], told["resumed"]) == (4, 0, 4, True)
    assert [(row["row"], row["again"]) for row in rows()] == [(2, False), (3, False), (4, False), (5, False)]
    assert not Path("out.jsonl.journal").exists()


@pytest.mark.parametrize(
    "other",
    [
        ("--out", "out.tar", "--journal", "out.jsonl.journal"),
        ("--new-edition",),
        ("--type", "test"),
        ("--rejects", "rejects.tsv"),
        ("more.csv",),
    ],
)
def test_another_run_does_not_go_on_with_it(half: Run, other: tuple[str, ...]) -> None:
    records("E", file="more.csv")
    done = half(*ISSUE, "--resume", *other)
    assert (done.exit_code, json_of(done)["error"]["code"]) == (4, "JOURNAL_UNUSABLE")
    assert len(rows()) == 2


def test_nor_does_one_whose_input_or_profile_was_changed(half: Run) -> None:
    before = Path("lab.csv").read_text()
    Path("lab.csv").write_text(before + record("E"))
    assert json_of(half(*ISSUE, "--resume"))["error"]["code"] == "JOURNAL_UNUSABLE"


def test_an_output_that_was_cut_is_not_gone_on_with(half: Run) -> None:
    Path("out.jsonl").write_text("")
    done = half(*ISSUE, "--resume")
    assert (done.exit_code, json_of(done)["error"]["code"]) == (4, "JOURNAL_UNUSABLE")
    assert Path("out.jsonl.journal").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("lab.csv", "--resume"),
        ("lab.csv", "--journal", "j"),
        ("-", "--out", "out.jsonl", "--resume"),
        ("lab.csv", "--out", "out.jsonl", "--workers", "-1"),
        ("lab.csv", "--out", "out.jsonl", "--workers", "1000"),
        ("lab.csv", "--out", "out.jsonl", "--workers", "two"),
        ("lab.csv", "--out", "out.jsonl", "--journal", "lab.csv"),
        ("lab.csv", "--out", "out.jsonl", "--journal", "out.jsonl"),
        ("lab.csv", "--out", "out.jsonl", "--journal", "register.db"),
        ("lab.csv", "--out", "out.jsonl", "--image", "gif"),
    ],
)
def test_wrong_usage(office: Run, wrong: tuple[str, ...]) -> None:
    records("A")
    done = office("issue", "batch", *wrong, stdin=b"")
    assert done.exit_code == 2, done.output
    assert not Path("out.jsonl").exists()


def test_an_output_that_cannot_be_opened_leaves_no_journal(office: Run) -> None:
    records("A")
    Path("there").write_text("no folder")
    done = office("issue", "batch", "lab.csv", "--out", "there/", "--json")
    assert done.exit_code == 4
    assert not list(Path().glob("*.journal"))


def test_nothing_of_a_person_is_in_journal_summary_or_rejected_rows(half: Run) -> None:
    told = Path("out.jsonl.journal").read_text()
    assert "Zo" not in told
    assert "URN" not in told
    assert "HC1" not in told
    assert Path("out.jsonl.journal").stat().st_mode & 0o777 == 0o600


def test_a_run_that_could_not_begin_leaves_what_was_there(office: Run) -> None:
    Path("bad.csv").write_text("a,b\n1,2\n")
    Path("out.jsonl").write_text("precious\n")
    for _ in range(2):  # and no journal that would stand in the way of the next one
        assert office("issue", "batch", "bad.csv", "--out", "out.jsonl").exit_code == 4
        assert Path("out.jsonl").read_text() == "precious\n"
        assert not Path("out.jsonl.journal").exists()


def test_no_key_or_certificate_is_written_over(office: Run) -> None:
    records("A")
    Path("csca.key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    for option in ("--out", "--rejects"):
        assert office("issue", "batch", "lab.csv", option, "csca.key.pem").exit_code == 2
    assert Path("csca.key.pem").read_text() == "-----BEGIN PRIVATE KEY-----\n"


def test_a_journal_without_a_word_is_none(office: Run) -> None:
    records("A")
    Path("out.jsonl.journal").touch()
    assert office(*ISSUE, "--resume").exit_code == 0
    assert len(rows()) == 1
