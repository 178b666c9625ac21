"""Files, records and streams that mean harm, and what they must not reach: a traceback, a terminal, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import healthcert as hc
from tests.cli.conftest import AT, Run
from tests.support import Press, dsc, issue, payload


def hostile(folder: Path) -> dict[str, bytes]:
    from tests.unit.barcode.test_barcodes import header_of

    return {
        "bomb.png": header_of(65_000, 65_000),
        "broken.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        "empty.txt": b"",
        "blank.txt": b"\n \n",
        "binary.bin": bytes(range(256)),
        "long.txt": b"HC1:" + b"A" * 200_000,
        "deflate.txt": Press(compress=lambda _: __import__("zlib").compress(bytes(10**6))).text().encode(),
        "deep.txt": Press(cwt=b"\x81" * 10_000 + b"\0").text().encode(),
        "nul.txt": b"HC1:\0\0\0",
        "escape.txt": b"\x1b[31mHC1:",
        "code.svg": issue().qr().svg().encode(),
    }


def test_hostile_files_are_refused_each_with_a_code_and_nothing_escapes(run: Run, certificates: Path) -> None:
    files = hostile(certificates)
    for name, data in files.items():
        Path(name).write_bytes(data)
    Path("folder").mkdir()
    done = run("verify", *files, "folder", "--trust", "dsc.pem", "--json")
    assert done.exit_code == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= len(files)
    assert {line["outcome"] for line in lines} == {"refused"}
    assert "GENERAL_ERROR" not in {line["code"] for line in lines}
    for name in (*files, "folder"):
        seen = run("inspect", name)
        assert seen.exit_code in (1, 4), seen.output
        assert "Traceback" not in seen.output


def test_a_huge_file_is_read_only_up_to_its_limit(run: Run, certificates: Path) -> None:
    with Path("huge.txt").open("wb") as file:
        file.truncate(2**30)
    done = run("verify", "huge.txt", "--trust", "dsc.pem", "--json")
    assert json.loads(done.stdout)["code"] == "INPUT_TOO_LONG"


def test_text_from_a_certificate_cannot_steer_the_terminal(run: Run, certificates: Path) -> None:
    evil = {"fn": "\x1b[2J\x9b31m\u202eEvil\r\n ACCEPTED", "fnt": "EVIL"}
    Path("evil.txt").write_text(Press(payload=payload(nam=evil, meta={"\x1b[1m": "\x07"})).text())
    for command in (
        ["verify", "evil.txt", "--trust", "dsc.pem", "--at", AT],
        ["inspect", "evil.txt"],
        ["inspect", "evil.txt", "--json"],
    ):
        done = run(*command)
        assert done.exit_code == 0
        assert not {"\x1b", "\u202e", "\r", "\x07", "\x9b"} & set(done.output)


@pytest.mark.parametrize(
    "record",
    ["", "[]", "7", "{", '{"dose": 1, "dose": 2}', "[" * 100_000, '"' + "x" * 80_000, '{"family": "X"}', "\xff"],
)
def test_a_record_that_is_no_record(run: Run, certificates: Path, record: str) -> None:
    Path("dsc.key.pem").write_bytes(dsc().key_pem(None))
    done = run("issue", "vaccination", "--record", "-", "--json", stdin=record.encode("latin-1"))
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] in ("FIELD_INVALID", "INPUT_TOO_LONG")


def test_an_internal_error_is_one_line_without_what_it_stumbled_over(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("Zoé Exemplaire")

    monkeypatch.setattr("healthcert_cli.commands.inspect.read_source", broken)
    done = run("inspect", "x", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["error"]["code"] == "GENERAL_ERROR"
    assert "Zoé" not in done.output


def test_names_of_files_and_countries_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    from healthcert.trust.keys import TrustedKey

    evil = "FR\x1b[2J\x1b[32mTRUSTED"
    key = next(iter(hc.TrustStore.from_certificates([dsc().certificate_der()])))
    store = hc.TrustStore.open(tmp_path / "evil.db")
    store.add([TrustedKey(kid=key.kid, spki=key.spki, country=evil, source=evil)])
    (tmp_path / "a\x1b[31mx.pem").write_bytes(b"rubbish")
    for command in (
        ["trust", "list", "--store", "evil.db"],
        ["trust", "show", key.kid.hex(), "--store", "evil.db"],
        ["keys", "show", "a\x1b[31mx.pem"],
        ["trust", "add", "a\x1b[31mx.pem"],
        ["verify", "a\x1b[31mx.pem", "--trust", "evil.db"],
    ):
        done = run(*command)
        assert "\x1b" not in done.output, command


def test_unknown_names_of_a_record_are_told_only_where_they_look_like_names(run: Run, certificates: Path) -> None:
    Path("dsc.key.pem").write_bytes(dsc().key_pem(None))
    typo = run("issue", "vaccination", "--record", "-", stdin='{"vacine": "x"}')
    assert "vacine: not a field" in typo.stderr
    evil = run("issue", "vaccination", "--record", "-", stdin='{"\\u001b[2JMüller Secret": 1, "' + "x" * 9000 + '": 2}')
    assert "2 name(s): not a field" in evil.stderr


def test_a_file_of_too_many_lines(run: Run, certificates: Path) -> None:
    Path("many.txt").write_text("ab\n" * 10_001)
    done = run("verify", "many.txt", "--trust", "dsc.pem", "--json")
    assert json.loads(done.stdout)["code"] == "INPUT_TOO_LONG"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_cannot_show_a_name_still_shows_the_verdict(certificates: Path, encoding: str) -> None:
    done = shell("verify good.png --trust dsc.pem --at 2021-08-20T10:00:00", certificates, PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert b"ACCEPTED" in done.stdout


def test_closed_and_endless_streams(certificates: Path) -> None:
    assert shell("verify - --trust dsc.pem <&-", certificates).returncode == 4
    assert shell("verify good.png --trust dsc.pem --at 2021-08-20 | true", certificates).returncode == 0
    endless = shell("verify /dev/zero --trust dsc.pem --json", certificates)
    assert json.loads(endless.stdout)["code"] == "INPUT_TOO_LONG"
    assert shell("issue vaccination --key /dev/zero --certificate dsc.pem", certificates).returncode != 0


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    program = Path(sys.executable).with_name("healthcert")
    variables = os.environ | {"HEALTHCERT_TRUST": str(folder / "trust.db")} | environment
    return subprocess.run(
        f"{program} {command}", shell=True, cwd=folder, env=variables, capture_output=True, check=False, timeout=60
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("options", [["--json"], []])
def test_a_standard_output_that_is_full_ends_the_command_without_a_traceback(
    tmp_path: Path, options: list[str]
) -> None:
    command = [str(Path(sys.executable).with_name("healthcert")), "verify", *options, "missing.png"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
