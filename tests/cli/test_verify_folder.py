"""``verify FOLDER``: one table of whatever is in it; and cards that are spread over several codes."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from healthcert.barcode.write import QrCode
from tests import issuing
from tests.cli.conftest import AT, Run
from tests.support import Press, issue

VERIFY = ("verify", "--at", AT)


@pytest.fixture
def keys(run: Run, tmp_path: Path) -> Path:
    """The keys of two issuers, and no certificates."""
    from tests.support import dsc

    for name, store in (("shc", issuing.shc_trust()), ("nzcp", issuing.nzcp_trust())):
        (key,) = store
        (tmp_path / f"{name}.der").write_bytes(key.spki)
        added = run(
            "trust", "add", f"{name}.der", "--key-id", key.kid.decode(), "--issuer", key.issuer or "",
            "--domain", name.upper(),
        )  # fmt: skip
        assert added.exit_code == 0, added.output
    (tmp_path / "dsc.pem").write_bytes(dsc().certificate_pem())
    assert run("trust", "add", "dsc.pem", "--domain", "DCC").exit_code == 0
    return tmp_path


def parts_of(token: str, total: int) -> list[str]:
    """A card in several codes, as wallets of 2021 made them."""
    size = -(-len(token) // total)
    pieces = [token[start : start + size] for start in range(0, len(token), size)]
    return [
        f"shc:/{number}/{total}/" + "".join(f"{ord(character) - 45:02}" for character in piece)
        for number, piece in enumerate(pieces, 1)
    ]


def token() -> str:
    return issuing.shc().issue(issuing.SHC_DOSE, holder=issuing.PLAIN).binary.decode()


def draw(text: str, path: Path) -> None:
    scheme, _, digits = text.rpartition("/")
    QrCode.of_segments((scheme.encode() + b"/", digits), error_correction="L").save(path)


def test_a_folder_is_one_table(run: Run, keys: Path) -> None:
    folder = keys / "scans"
    (folder / "more").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.txt").write_text("HC1:", "ascii")
    issue().qr().save(folder / "eu.png")
    (folder / "more" / "nz.txt").write_text(issuing.nzcp().issue(holder=issuing.PLAIN).text + "\n", "ascii")
    (folder / "forged.txt").write_text(Press(sign=lambda _: bytes(64)).text(), "ascii")
    (folder / "nl.txt").write_text("NL2:ABC", "ascii")
    (folder / "notes.txt").write_text("nothing of the kind\nnor here\n", "utf-8")
    (folder / "keys.json").write_text('{"keys": []}', "utf-8")
    (folder / "data.bin").write_bytes(bytes(range(256)))
    done = run(*VERIFY, folder)
    assert done.exit_code == 1, done.output
    rows = [line.split(None, 1) for line in done.stdout.splitlines()]
    table = {Path(name).name: rest for name, rest in rows}
    assert list(table) == sorted(table, key=lambda name: ("more" if name == "nz.txt" else "") + name)
    assert table["eu.png"].split() == ["EU", "DCC", "accepted"]
    assert table["nz.txt"].split() == ["NZ", "COVID", "Pass", "accepted"]
    assert table["forged.txt"].split()[:3] == ["EU", "DCC", "refused"]
    assert "(SIGNATURE_INVALID)" in table["forged.txt"]
    assert table["nl.txt"].startswith("Dutch domestic")
    assert " undetermined " in table["nl.txt"]
    for name in ("notes.txt", "keys.json", "data.bin"):
        assert table[name].split()[:2] == ["-", "none"]
        assert "NO_CERTIFICATE_FOUND" in table[name]
    assert "2 accepted, 1 refused, 1 undetermined, 3 without a certificate" in done.stderr
    assert "x.txt" not in done.stdout


def test_a_folder_as_json_has_the_whole_reports(run: Run, keys: Path) -> None:
    folder = keys / "scans"
    folder.mkdir()
    issue().qr().save(folder / "eu.png")
    (folder / "notes.txt").write_text("nothing\n", "utf-8")
    done = run(*VERIFY, folder, "--json")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["outcome"], first["family"]) == ("accepted", "EU DCC")
    assert (second["outcome"], second["code"]) == ("refused", "NO_CERTIFICATE_FOUND")
    assert done.exit_code == 0, "a file without a certificate is no reason to refuse anything"


def test_where_there_is_no_certificate_nothing_was_accepted(run: Run, keys: Path) -> None:
    (keys / "empty").mkdir()
    done = run(*VERIFY, keys / "empty")
    assert done.exit_code == 3
    assert done.output == "No certificate was found.\n"


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=lambda order: "".join(str(one + 1) for one in order))
def test_a_card_in_three_pictures_is_verified_in_any_order(run: Run, keys: Path, order: tuple[int, ...]) -> None:
    parts = parts_of(token(), 3)
    names = [f"{number}.png" for number in range(3)]
    for name, text in zip(names, parts, strict=True):
        draw(text, keys / name)
    done = run(*VERIFY, *(names[number] for number in order))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f" ACCEPTED  {names[order[-1]]}")
    assert done.stdout.count("ACCEPTED") == 1


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_two_of_three_parts_say_which_is_missing(run: Run, keys: Path, missing: int) -> None:
    parts = parts_of(token(), 3)
    names = [f"{number}.png" for number in range(3) if number != missing]
    for number, text in enumerate(parts):
        draw(text, keys / f"{number}.png")
    done = run(*VERIFY, *names)
    assert done.exit_code == 3, done.output
    assert f"part {missing + 1} of 3 is missing (PARTS_MISSING)" in done.stdout
    assert ", ".join(names) in done.stdout
    line = json.loads(run(*VERIFY, *names, "--json").stdout)
    assert (line["outcome"], line["code"], line["step"]) == ("undetermined", "PARTS_MISSING", "decode")


def test_parts_of_two_cards_make_none_and_the_rest_is_done(run: Run, keys: Path) -> None:
    another = issuing.shc().issue(issuing.SHC_TEST, holder=issuing.PLAIN).binary.decode()
    one, other = parts_of(token(), 2), parts_of(another, 2)
    texts = [one[0], other[1], "shc:/3/2/56", issue().text]
    (keys / "mixed.txt").write_text("\n".join(texts) + "\n", "ascii")
    done = run(*VERIFY, "mixed.txt", "--json")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [found["code"] for found in results] == ["OK", "PARTS_INCONSISTENT", "PARTS_MISSING"]
    assert results[-1]["detail"].startswith("the 2 parts do not make a card")
    assert done.exit_code == 1


def test_parts_of_two_cards_may_come_in_any_order(run: Run, keys: Path) -> None:
    another = issuing.shc().issue(issuing.SHC_TEST, holder=issuing.PLAIN).binary.decode()
    one, other = parts_of(token(), 3), parts_of(another, 3)
    (keys / "both.txt").write_text("\n".join([one[0], other[2], other[0], one[2], one[1], other[1]]) + "\n", "ascii")
    done = run(*VERIFY, "both.txt", "--json")
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["OK", "OK"]


def test_a_document_of_cards_is_verified_card_by_card(run: Run, keys: Path) -> None:
    good, bad = token(), token()
    bad = bad[:-8] + ("AAAAAAAA" if not bad.endswith("AAAAAAAA") else "BBBBBBBB")
    (keys / "wallet.smart-health-card").write_text(json.dumps({"verifiableCredential": [good, bad]}), "ascii")
    done = run(*VERIFY, "wallet.smart-health-card", "--json")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(found["source"], found["code"]) for found in results] == [
        ("wallet.smart-health-card#1", "OK"),
        ("wallet.smart-health-card#2", "SIGNATURE_INVALID"),
    ]
    assert done.exit_code == 1
