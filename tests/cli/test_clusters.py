"""``--engine ray``: what is wrong usage, and that nobody is asked. No cluster is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

ISSUE = ("issue", "batch", "records.parquet", "--engine", "ray", "--out", "out.parquet")


@pytest.fixture
def records(run: Run, tmp_path: Path) -> Run:
    done = run("init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--no-passphrase")
    assert done.exit_code == 0, done.output
    for name in ("records.parquet", "records.csv"):
        (tmp_path / name).touch()
    return run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((*ISSUE[:2], "records.csv", *ISSUE[3:]), "from Parquet to Parquet"),
        ((*ISSUE[:-1], "out.jsonl"), "from Parquet to Parquet"),
        ((*ISSUE, "--rejects", "rejects.tsv"), "beside --out"),
        ((*ISSUE[:3], "--ray-address", "auto", "--out", "out.parquet"), "is of --engine ray"),
        (("verify", "batch", "records.csv", "--engine", "ray", "--out", "out.parquet"), "from Parquet to Parquet"),
    ],
    ids=["input", "output", "rejects", "address", "verify"],
)
def test_wrong_usage(records: Run, arguments: tuple[str, ...], told: str) -> None:
    done = records(*arguments)
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


def test_nobody_is_asked_for_a_passphrase(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    made = run(
        "init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--passphrase-file", "secret"
    )
    assert made.exit_code == 0, made.output
    profile = tmp_path / "healthcert.toml"
    lines = profile.read_text().splitlines(keepends=True)
    profile.write_text("".join(line for line in lines if not line.startswith("passphrase-file")))
    (tmp_path / "records.parquet").touch()
    done = run(*ISSUE, stdin="correct horse\n")
    assert done.exit_code == 4
    assert "nobody is asked on a cluster" in " ".join(done.output.split())
    assert not (tmp_path / "out.parquet").exists()
