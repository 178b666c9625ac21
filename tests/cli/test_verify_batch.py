"""``healthcert verify batch``: verdicts in lines and tables, and their exit codes."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import AT, Run
from tests.cli.trust_files import json_of, lines_of
from tests.support import Press, issue

TRUST = ("--trust", "dsc.pem", "--at", AT)
MEMBERS = ["source", "row", "outcome", "code", "step", "family", "issuer", "certificate_id", "kid"]


def lines(*texts: str, name: str = "many.txt") -> None:
    Path(name).write_text("".join(text + "\n" for text in texts))


def forged() -> str:
    return Press(sign=lambda _: bytes(64)).text()


def test_each_certificate_gets_a_line(run: Run, certificates: Path) -> None:
    good = issue()
    lines(good.text, forged(), "HC1:", good.text)
    done = run("verify", "batch", "many.txt", *TRUST)
    found = lines_of(done)
    assert done.exit_code == 1
    assert [list(one) for one in found] == [MEMBERS] * 4
    assert [(one["source"], one["row"], one["outcome"]) for one in found] == [
        ("many.txt", 1, "accepted"), ("many.txt", 2, "refused"), ("many.txt", 3, "refused"),
        ("many.txt", 4, "accepted"),
    ]  # fmt: skip
    assert found[0] | {"kid": ""} == {
        "source": "many.txt", "row": 1, "outcome": "accepted", "code": "OK", "step": None, "family": "EU DCC",
        "issuer": "FR", "certificate_id": good.certificate_id, "kid": "",
    }  # fmt: skip
    # What nobody signed names nobody.
    assert (found[1]["step"], found[1]["issuer"], found[1]["certificate_id"], found[1]["kid"]) == (
        "signature", None, None, None,
    )  # fmt: skip
    assert done.stderr.splitlines()[0].startswith("2 accepted, 2 refused, 0 undetermined, 0 rejected (")
    assert done.stderr.splitlines()[1] == "Signed by: 2 FR, 2 unknown."


@pytest.mark.parametrize(
    ("texts", "code"), [(["good"], 0), (["good", "forged"], 1), (["good", "stranger"], 1), ([], 3)]
)
def test_the_exit_code_is_that_of_the_worst(run: Run, certificates: Path, texts: list[str], code: int) -> None:
    known = {"good": issue().text, "forged": forged(), "stranger": "no certificate"}
    lines(*(known[one] for one in texts))
    assert run("verify", "batch", "many.txt", *TRUST).exit_code == code


def test_without_keys_nothing_can_be_told(run: Run, certificates: Path) -> None:
    lines(issue().text)
    done = run("verify", "batch", "many.txt", "--at", AT, "--json")
    assert done.exit_code == 3
    assert lines_of(done)[0]["code"] == "TRUST_STORE_EMPTY"


def test_rows_hold_certificates_in_a_member_or_column(run: Run, certificates: Path) -> None:
    text = issue().text
    Path("rows.jsonl").write_text(f'{{"text": "{text}"}}\n{{"no": 1}}\nbroken\n')
    Path("rows.csv").write_text(f'id,code\n1,"{text}"\n')
    done = run("verify", "batch", "rows.jsonl", *TRUST, "--rejects", "rejects.tsv", "--out", "out.jsonl", "--json")
    assert done.exit_code == 1
    told = json_of(done)
    assert (told["accepted"], told["rejected"], told["codes"], told["rows"]) == (1, 2, {"RECORD_UNREADABLE": 2}, 3)
    assert [line.split("\t")[:3] for line in Path("rejects.tsv").read_text().splitlines()[1:]] == [
        ["rows.jsonl", "2", "RECORD_UNREADABLE"], ["rows.jsonl", "3", "RECORD_UNREADABLE"],
    ]  # fmt: skip
    assert run("verify", "batch", "rows.csv", "--column", "code", *TRUST).exit_code == 0


def test_a_folder_and_an_archive_hold_pictures_and_texts(run: Run, certificates: Path) -> None:
    Path("folder").mkdir()
    for name in ("good.png", "good.txt"):
        Path("folder", name).write_bytes(Path(name).read_bytes())
    Path("folder", "other.bin").write_bytes(b"\xff\xfe\x00nothing")
    with tarfile.open("all.tar", "w") as archive:
        for path in sorted(Path("folder").iterdir()):
            archive.add(path, path.name)
    for source in ("folder", "all.tar"):
        done = run("verify", "batch", source, *TRUST, "--rejects", "rejects.tsv")
        found = lines_of(done)
        assert done.exit_code == 1
        assert [(Path(one["source"]).name, one["row"], one["code"]) for one in found] == [
            ("good.png", 1, "OK"), ("good.txt", 1, "OK"),
        ]  # fmt: skip
        assert "NO_CERTIFICATE_FOUND" in Path("rejects.tsv").read_text()


def test_reports_tell_all_and_nothing_else_does(run: Run, certificates: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    lines(issue().text)
    [short] = lines_of(run("verify", "batch", "many.txt", *TRUST))
    assert "Exemplaire" not in json.dumps(short)
    [one] = lines_of(run("verify", "many.txt", *TRUST, "--json"))
    [full] = lines_of(run("verify", "batch", "many.txt", *TRUST, "--reports"))
    assert {**one, "row": 1} == full
    assert run("verify", "batch", "many.txt", *TRUST, "--reports", "--out", "out.parquet").exit_code == 0
    [row] = parquet.read_table("out.parquet").to_pylist()
    report: dict[str, Any] = json.loads(row["report"])
    assert {"source": "many.txt", "row": 1, **report} == full
    assert run("verify", "batch", "many.txt", *TRUST, "--out", "short.parquet").exit_code == 0
    assert parquet.read_table("short.parquet").to_pylist() == [short]


def test_more_workers_say_the_same(run: Run, certificates: Path) -> None:
    lines(*[issue().text, forged()] * 1100)
    one = run("verify", "batch", "many.txt", *TRUST)
    two = run("verify", "batch", "many.txt", *TRUST, "--workers", "2")
    assert (two.exit_code, two.stdout) == (one.exit_code, one.stdout)
    assert len(one.stdout.splitlines()) == 2200


def test_a_card_in_parts_is_put_together_within_a_file(run: Run, certificates: Path) -> None:
    Path("folder").mkdir()
    Path("folder", "part.txt").write_text("shc:/1/2/5676\n")
    done = run("verify", "batch", "folder", *TRUST)
    assert done.exit_code == 1
    assert "PARTS_MISSING" in done.stderr


@pytest.mark.parametrize("name", ["batch", "./batch"])
def test_a_file_of_that_name_is_given_with_its_folder(run: Run, certificates: Path, name: str) -> None:
    lines(issue().text, name="batch")
    done = run("verify", name, *TRUST)
    # Alone the word is the command, which asks for its files.
    assert done.exit_code == (2 if name == "batch" else 0)
    assert "healthcert verify batch" in run("verify", "--help").stdout
    assert "--trust" in run("verify", "--help").stdout


@pytest.mark.parametrize("more", [(), ("--engine", "ray")])
def test_what_is_read_is_not_in_a_table_that_is_written(run: Run, certificates: Path, more: tuple[str, ...]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = Path("in.rejects.parquet" if more else "in.parquet")
    folder.mkdir()
    table = pytest.importorskip("pyarrow").table({"text": [issue().text]})
    parquet.write_table(table, folder / "part-00000.parquet")
    done = run("verify", "batch", str(folder / "part-00000.parquet"), "--out", "in.parquet", *more, *TRUST)
    assert (done.exit_code, "files that are read" in done.stderr) == (2, True)
    assert parquet.read_table(folder / "part-00000.parquet") == table
    assert not list(Path().glob("*.journal"))


@pytest.mark.parametrize(
    "wrong",
    [
        ("many.txt", "--out", "folder/"),
        ("many.txt", "--out", "out.tar"),
        ("many.txt", "--out", "many.txt"),
        ("many.txt", "--out", "dsc.pem"),
        ("many.txt", "--out", "out.jsonl", "--rejects", "out.jsonl"),
        (".", "--out", "out.jsonl"),
        (".", "--rejects", "rejects.tsv"),
        ("many.txt", "--region", "BY"),
        ("nothing.txt",),
        (),
    ],
)
def test_wrong_usage(run: Run, certificates: Path, wrong: tuple[str, ...]) -> None:
    lines(issue().text)
    before = Path("many.txt").read_bytes(), Path("dsc.pem").read_bytes()
    assert run("verify", "batch", *wrong, *TRUST).exit_code == 2
    assert (Path("many.txt").read_bytes(), Path("dsc.pem").read_bytes()) == before
    assert not Path("out.jsonl").exists()
