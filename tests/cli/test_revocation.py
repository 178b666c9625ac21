"""``healthcert revoke`` and ``revocation``: from an issuer's desk to the verifier's door, network or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import healthcert as hc
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, json_of, lines_of
from tests.gateway import certificates
from tests.gateway.revocation import ROLES
from tests.gateway.server import Gateway
from tests.support import DAY, NOW, csca, dsc, issue
from tests.support_revocation import uploader

SIGNED = ("--key", "upload.key.pem", "--certificate", "upload.pem")
ANCHOR = ("--anchor", "upload.pem")
REQUIRED = ("--revocation", "required")


@pytest.fixture
def desk(run: Run, clock: Clock) -> Run:
    """A folder with an upload certificate, a trusted DSC, and two certificates: one to revoke, one to keep."""
    Path("upload.pem").write_bytes(uploader().certificate_pem())
    Path("upload.key.pem").write_bytes(uploader().key_pem(None))
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    for name in ("revoked", "kept"):
        issued = issue()
        Path(f"{name}.txt").write_text(issued.text + "\n")
        Path(f"{name}.id").write_text(issued.certificate_id + "\n")
    assert run("trust", "add", "dsc.pem").exit_code == 0
    return run


def revoke(desk: Run, *more: str) -> None:
    done = desk("revoke", "revoked.txt", *SIGNED, "--out", "batches", *more)
    assert (done.exit_code, done.stderr) == (0, ""), done.output


def codes(desk: Run, *options: str) -> dict[str, str]:
    """What verify says of both."""
    done = desk("verify", "revoked.txt", "kept.txt", "--json", *options)
    return {one["source"].removesuffix(".txt"): one["code"] for one in lines_of(done)}


def test_what_was_revoked_is_refused_and_the_rest_is_accepted(desk: Run) -> None:
    assert codes(desk, *REQUIRED) == dict.fromkeys(("revoked", "kept"), "REVOCATION_UNKNOWN")
    revoke(desk)
    done = desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    assert (done.exit_code, done.output) == (0, "dgcg: 1 batches new, 0 withdrawn, 1 entry\n")
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}
    assert codes(desk, "--revocation", "off") == dict.fromkeys(("revoked", "kept"), "OK")
    shown = desk("verify", "kept.txt").output
    assert "Revocation    not revoked, by dgcg, fresh until 2021-08-21 10:00 UTC" in shown
    shown = desk("verify", "revoked.txt").output
    assert "revoked: it is on the list dgcg (REVOKED)" in shown


@pytest.mark.parametrize("type_", ["SIGNATURE", "UCI", "COUNTRYCODEUCI"])
@pytest.mark.parametrize(
    ("format_", "more"),
    [
        ("distribution", ()),
        ("distribution", ("--filter", "VARHASHLIST")),
        ("distribution", ("--mode", "VECTOR")),
        ("distribution", ("--mode", "COORDINATE")),
        ("covpass", SIGNED),
    ],
)
def test_what_is_published_is_read_by_verifiers(desk: Run, type_: str, format_: str, more: tuple[str, ...]) -> None:
    revoke(desk, "--type", type_)
    batch = next(Path("batches").iterdir())
    done = desk("revocation", "publish", format_, str(batch), *ANCHOR, *more, "--out", "list", "--json")
    assert (done.exit_code, json_of(done)["entries"]) == (0, 1), done.output
    done = desk("revocation", "import", "list", "--format", format_, *ANCHOR)
    assert done.exit_code == 0, done.output
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}


def test_the_swiss_list_names_identifiers_in_plain(desk: Run) -> None:
    done = desk("revocation", "publish", "ch", "revoked.id", *SIGNED, "--out", "list.jws")
    assert done.exit_code == 0, done.output
    done = desk("revocation", "import", "list.jws", "--format", "ch", *ANCHOR, "--subject", "Upload")
    assert done.exit_code == 0, done.output
    assert codes(desk) == {"revoked": "REVOKED", "kept": "OK"}


def test_the_list_of_a_smart_health_card_key_counts_up(desk: Run) -> None:
    Path("rids").write_text("abc\ndef.1636977600\n")
    done = desk("revocation", "publish", "shc", "rids", "--kid", "key-1", "--out", "key-1.json")
    assert done.exit_code == 0, done.output
    first = json.loads(Path("key-1.json").read_text())
    assert (first["ctr"], first["rids"]) == (1, ["abc", "def.1636977600"])
    Path("rids").write_text("ghi\n")
    done = desk("revocation", "publish", "shc", "rids", "--kid", "key-1", "--list", "key-1.json", "--out", "2.json")
    assert done.exit_code == 0, done.output
    assert json.loads(Path("2.json").read_text())["ctr"] == 2
    option = ("--option", "issuer=https://issuer.example")
    assert desk("revocation", "import", "key-1.json", "--format", "shc", *option).exit_code == 0
    assert "shc" in desk("revocation", "status").output


def test_rows_that_cannot_be_used_are_told_by_their_number_and_the_rest_is_done(desk: Run) -> None:
    rows = [Path("revoked.txt").read_text().strip(), "HC1:NOTHING", Path("kept.id").read_text().strip(), "x" * 100_000]
    Path("rows").write_text("\n".join(rows) + "\n")
    done = desk("revoke", "rows", *SIGNED, "--out", "batches", "--expires", "2022-01-01", "--rejects", "rejects.tsv")
    assert (done.exit_code, done.stderr) == (1, "2 rows rejected\n"), done.output
    lines = [line.split("\t") for line in Path("rejects.tsv").read_text().splitlines()]
    assert [line[:3] for line in lines] == [
        ["source", "row", "code"],
        ["rows", "2", "BASE_45_DECODING_FAILED"],
        ["rows", "4", "PUBLISHING_REFUSED"],
    ]
    assert len(list(Path("batches").iterdir())) == 2
    # Nothing of anybody is in what is printed.
    assert "URN" not in done.output + Path("rejects.tsv").read_text()
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    assert codes(desk) == {"revoked": "REVOKED", "kept": "REVOKED"}


def test_identifiers_come_from_standard_input(desk: Run) -> None:
    done = desk("revoke", "-", *SIGNED, "--out", "batches", "--expires", "2022-01-01", stdin="URN:UVCI:01:FR:X#1\n")
    assert done.exit_code == 0, done.output
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    hit = desk("revocation", "check", "--uvci", "URN:UVCI:01:FR:X#1", "--country", "FR")
    assert (hit.exit_code, "HIT" in hit.output) == (1, True)
    clear = desk("revocation", "check", "--uvci", "URN:UVCI:01:FR:Y#1", "--country", "FR", "--json")
    assert (clear.exit_code, json_of(clear)["standing"]) == (0, "clear")
    unknown = desk("revocation", "check", "--uvci", "URN:UVCI:01:DE:Y#1", "--country", "DE")
    assert (unknown.exit_code, "no list speaks for its issuer" in unknown.output) == (3, True)


def test_certificates_are_asked_about_without_being_verified(desk: Run) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    done = desk("revocation", "check", "revoked.txt", "kept.txt", "--json")
    assert done.exit_code == 1
    assert [one["standing"] for one in lines_of(done)] == ["hit", "clear"]
    Path("broken.txt").write_text("HC1:NOTHING\n")
    done = desk("revocation", "check", "broken.txt", "--json")
    assert (done.exit_code, json_of(done)["error"]["code"]) == (1, "BASE_45_DECODING_FAILED")


def test_lists_are_carried_to_a_verifier_without_a_network(
    desk: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    done = desk("revocation", "export", *SIGNED, "--out", "stick", "--life", "12h")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    monkeypatch.setenv("HEALTHCERT_REVOCATION", "elsewhere")
    done = desk("revocation", "import", "stick", *ANCHOR)
    assert (done.exit_code, done.output) == (0, "bundle: 1 batches new, 0 withdrawn, 1 entry\n")
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}
    # The same bundle again is the same; an older one is refused, and so is one that somebody else signed.
    assert desk("revocation", "import", "stick", *ANCHOR).exit_code == 0
    Path("old").write_bytes(Path("stick").read_bytes())
    monkeypatch.setenv("HEALTHCERT_REVOCATION", "store/revocation")
    clock.moment = NOW + DAY / 24
    assert desk("revocation", "export", *SIGNED, "--out", "stick").exit_code == 0
    monkeypatch.setenv("HEALTHCERT_REVOCATION", "elsewhere")
    assert desk("revocation", "import", "stick", *ANCHOR).exit_code == 0
    done = desk("revocation", "import", "old", *ANCHOR)
    assert (done.exit_code, "REVOCATION_LIST_ROLLED_BACK" in done.output) == (1, True)
    done = desk("revocation", "import", "stick", "--anchor", "dsc.pem")
    assert (done.exit_code, "REVOCATION_LIST_NOT_AUTHENTIC" in done.output) == (1, True)
    clock.moment = NOW + 3 * DAY
    # A list gets no younger by being carried: it stood for a day, and the certificate for longer.
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "REVOCATION_UNKNOWN"}
    assert desk("revocation", "status").exit_code == 3


@pytest.mark.parametrize("damage", ["flip", "cut", "another file"])
def test_a_bundle_with_anything_wrong_is_refused_whole(desk: Run, damage: str) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    desk("revocation", "export", *SIGNED, "--out", "stick")
    data = bytearray(Path("stick").read_bytes())
    if damage == "flip":
        at = data.index(b"HCREVOC") + 200
        data[at] ^= 1
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[:] = Path("upload.pem").read_bytes()
    Path("stick").write_bytes(data)
    done = desk("revocation", "import", "stick", *ANCHOR, "--store", "elsewhere")
    assert done.exit_code == 1, done.output
    assert "REVOCATION_LIST_" in done.output
    assert not hc.RevocationStore.open("elsewhere")


def test_status_tells_age_and_size_and_reads_every_byte_when_asked(desk: Run, clock: Clock) -> None:
    assert desk("revocation", "status").exit_code == 0
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    (one,) = json_of(desk("revocation", "status", "--json", "--verify"))["lists"]
    assert (one["entries"], one["countries"], one["state"], one["signed"]) == (1, ["FR"], "fresh", True)
    clock.moment = NOW + 2 * DAY
    done = desk("revocation", "status")
    assert (done.exit_code, "overdue" in done.stdout) == (3, True)
    (file,) = Path("store/revocation").glob("*.hcrev")
    data = bytearray(file.read_bytes())
    data[200] ^= 1
    file.write_bytes(data)
    done = desk("revocation", "status", "--verify")
    assert (done.exit_code, "REVOCATION_STORE_UNREADABLE" in done.output) == (4, True)


def test_a_damaged_list_is_told_and_mended_by_the_next_one(desk: Run) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    (file,) = Path("store/revocation").glob("*.hcrev")
    file.write_bytes(file.read_bytes()[:-1])
    done = desk("revocation", "status", "--json")
    assert (done.exit_code, json_of(done)["lists"][0]["state"]) == (4, "damaged")
    assert "its file is damaged: update or remove it" in desk("revocation", "status").stderr
    # Nothing is clear, whatever the policy says of lists that are not there.
    assert codes(desk) == dict.fromkeys(("revoked", "kept"), "REVOCATION_STORE_UNREADABLE")
    assert desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR).exit_code == 0
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}


def test_a_list_that_is_removed_is_asked_no_more(desk: Run) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    assert desk("revocation", "remove", "dgcg").output == "dgcg: removed\n"
    assert codes(desk) == {"revoked": "OK", "kept": "OK"}
    assert list(Path("store/revocation").glob("*.hcrev")) == []
    assert desk("revocation", "remove", "dgcg").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("revocation", "import", "batches", "--format", "dgcg"), 1, "REVOCATION_ANCHOR_MISSING"),
        (("revocation", "import", "batches", "--format", "dgcg", "--anchor", "dsc.pem"), 1, "REVOCATION_"),
        (("revocation", "import", "batches", "--format", "shc", "--option", "isuer=x"), 2, "no option isuer"),
        (("revocation", "check", "--uvci", "X"), 2, "--uvci and --country go together"),
        (("revocation", "status", "--store", "nowhere"), 4, "REVOCATION_STORE_UNREADABLE"),
        (("revocation", "publish", "covpass", "revoked.txt", "--out", "x"), 2, "--key and --certificate"),
        (("revocation", "publish", "shc", "revoked.id", "--out", "x"), 2, "--kid"),
        (("revoke", "revoked.txt", "--key", "upload.key.pem", "--certificate", "dsc.pem", "--out", "x"), 4, "MISMATCH"),
    ],
)
def test_what_is_wrong_is_told_with_its_code(desk: Run, arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    revoke(desk)
    done = desk(*arguments)
    assert (done.exit_code, said in done.output) == (exit_code, True), done.output


def test_every_format_is_listed(desk: Run) -> None:
    names = [one["name"] for one in lines_of(desk("revocation", "formats", "--json"))]
    assert names == ["dgcg", "distribution", "covpass", "cwa", "ch", "it", "fr", "nl", "shc"]
    assert all(name in desk("revocation", "formats").output for name in names)


@pytest.fixture
def gateway(desk: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway of which France is a member, and a file of sources that has it."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HEALTHCERT_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    with Gateway() as running:
        running.dgcg.now = NOW
        running.dgcg.add("AUTHENTICATION", certificates.client().der, csca(), roles=ROLES)
        running.dgcg.add("UPLOAD", uploader().certificate_der(), csca())
        lines = [
            "[[revocation]]",
            'name = "dgcg"',
            f'url = "{running.member_url}"',
            f'ca = "{running.ca}"',
            f'client_certificate = "{running.client_certificate}"',
            f'client_key = "{running.client_key}"',
            'anchors = ["upload.pem"]',
        ]
        Path("sources.toml").write_text("\n".join(lines) + "\n")
        yield running


def test_the_whole_way_over_the_gateway(desk: Run, gateway: Gateway, clock: Clock) -> None:
    there = (
        "--url", gateway.member_url, "--ca", gateway.ca,
        "--client-certificate", gateway.client_certificate, "--client-key", gateway.client_key,
    )  # fmt: skip
    revoke(desk)
    (batch,) = Path("batches").iterdir()
    done = desk("revocation", "upload", batch, *there, "--json")
    assert done.exit_code == 0, done.output
    given = json_of(done)["batch"]
    done = desk("revocation", "update", "--config", "sources.toml")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "dgcg: 1 batches new, 0 withdrawn, 1 entry\n", "")
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}
    gateway.dgcg.now = clock.moment = NOW + DAY / 24
    done = desk("revocation", "delete", given, *SIGNED, *there)
    assert (done.exit_code, done.output) == (0, f"{given}: deleted\n")
    done = desk("revocation", "update", "--config", "sources.toml", "--force", "--json")
    assert done.exit_code == 0, done.output
    assert json_of(done)["sources"][0]["withdrawn"] == 1
    assert codes(desk, *REQUIRED) == {"revoked": "OK", "kept": "OK"}
    done = desk("revocation", "delete", given, *SIGNED, *there)
    assert (done.exit_code, "FETCH_FAILED" in done.output) == (4, True)


def test_a_gateway_that_is_away_leaves_the_list_in_use(desk: Run, gateway: Gateway, clock: Clock) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    text = Path("sources.toml").read_text().replace(gateway.member_url, "https://127.0.0.1:1")
    Path("sources.toml").write_text(text)
    done = desk("revocation", "update", "--config", "sources.toml")
    assert (done.exit_code, "dgcg: not updated" in done.stderr) == (4, True)
    assert codes(desk, *REQUIRED) == {"revoked": "REVOKED", "kept": "OK"}
    assert "the last attempt failed" in desk("revocation", "status").stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[revocation]]\nname = "x"\nurl = "https://x.example"\n', "no such format"),
        ('[[revocation]]\nname = "dgcg"\nurl = "https://x.example"\n', "name the anchors"),
        ('[[revocation]]\nname = "it"\nurl = "https://x.example"\noptions = {contry = "IT"}\n', "no option contry"),
        ('[[source]]\nname = "gb"\nurl = "https://x.example"\n', "it names no [[revocation]]"),
    ],
)
def test_a_file_of_sources_with_a_fault_is_refused(desk: Run, text: str, said: str) -> None:
    Path("sources.toml").write_text(text)
    done = desk("revocation", "update", "--config", "sources.toml")
    assert (done.exit_code, said in done.output, "REVOCATION_CONFIG_INVALID" in done.output) == (1, True, True)


def test_each_run_has_a_folder_of_its_own(desk: Run) -> None:
    revoke(desk)
    (batch,) = Path("batches").iterdir()
    before = batch.read_bytes()
    done = desk("revoke", "kept.txt", *SIGNED, "--out", "batches")
    assert (done.exit_code, "not an empty folder" in done.output) == (2, True)
    assert [(path, path.read_bytes()) for path in Path("batches").iterdir()] == [(batch, before)]
    done = desk("revocation", "publish", "distribution", "kept.txt", "--out", "batches")
    assert (done.exit_code, "not an empty folder" in done.output) == (2, True)
    Path("empty").mkdir()
    assert desk("revoke", "kept.txt", *SIGNED, "--out", "empty").exit_code == 0
    assert len(list(Path("empty").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("revoke", "kept.txt", "nowhere.txt", *SIGNED, "--out", "new"),
        ("revoke", "kept.txt", "kept.id", *SIGNED, "--out", "new"),  # which have no end
        ("revocation", "publish", "distribution", "kept.txt", "kept.id", "--country", "FR", "--out", "new"),
        ("revocation", "publish", "covpass", "kept.txt", "kept.id", "--country", "FR", *SIGNED, "--out", "new"),
        ("revocation", "publish", "distribution", "empty", "--out", "new"),
        ("revocation", "publish", "ch", "empty", *SIGNED, "--out", "new"),
        ("revocation", "publish", "ch", "kept.txt", *SIGNED, "--out", "new"),
        ("revocation", "publish", "ch", "upload.pem", "latin", *SIGNED, "--out", "new"),
        ("revocation", "publish", "shc", "empty", "--kid", "k", "--out", "new"),
    ],
)
def test_what_fails_or_says_nothing_writes_nothing(desk: Run, arguments: tuple[str, ...]) -> None:
    Path("empty").write_text("\n")
    Path("latin").write_bytes(b"\xe9\n")
    before = sorted(Path().iterdir())
    done = desk(*arguments)
    assert done.exit_code in (1, 4), done.output
    assert "internal error" not in done.output
    assert "HC1" not in done.output
    assert sorted(Path().iterdir()) == before


def test_a_file_that_is_no_text_is_not_taken_for_identifiers(desk: Run) -> None:
    Path("photo.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\nABC\n")
    Path("file.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nendobj\n")
    Path("words").write_text("Dear colleague\nURN:UVCI:01:FR:X#1\n\u00e9\u00e9\n")
    Path("blank.png").write_bytes(blank_picture())
    sources = ("photo.heic", "file.pdf", "words", "blank.png", "revoked.txt")
    done = desk("revoke", *sources, *SIGNED, "--out", "out", "--expires", "2022-01-01", "--rejects", "rejects.tsv")
    assert done.exit_code == 1, done.output
    rows = [line.split("\t")[:3] for line in Path("rejects.tsv").read_text().splitlines()[1:]]
    assert rows == [
        ["photo.heic", "1", "IMAGE_UNREADABLE"],
        ["file.pdf", "1", "TEXT_UNREADABLE"],
        ["words", "1", "PUBLISHING_REFUSED"],
        ["words", "3", "PUBLISHING_REFUSED"],
        ["blank.png", "1", "NO_BARCODE_FOUND"],
    ]
    assert len(list(Path("out").iterdir())) == 2


@pytest.mark.parametrize("name", ["revoked.txt", "upload.key.pem", "upload.pem"])
def test_rejected_rows_are_not_written_over_what_is_read(desk: Run, name: str) -> None:
    before = Path(name).read_bytes()
    done = desk("revoke", "revoked.txt", *SIGNED, "--out", "out", "--rejects", name)
    assert (done.exit_code, "is one of the files that are read" in done.output) == (2, True)
    assert Path(name).read_bytes() == before
    source = "revoked.id" if name == "revoked.txt" else name
    before = Path(source).read_bytes()
    done = desk("revocation", "publish", "ch", "revoked.id", *SIGNED, "--out", source)
    assert done.exit_code == 2
    assert Path(source).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("publish", "ch", "revoked.id", *SIGNED, "--type", "UCI", "--out", "x"), "--type"),
        (("publish", "shc", "revoked.id", "--kid", "k", "--expires", "2022-01-01", "--out", "x"), "--expires"),
        (("publish", "covpass", "revoked.txt", *SIGNED, "--filter", "VARHASHLIST", "--out", "x"), "--filter"),
        (("publish", "distribution", "revoked.txt", *SIGNED, "--out", "x"), "--key"),
        (("import", "revoked.txt", *ANCHOR, "--max-age", "1h"), "a bundle says itself"),
        (("import", "revoked.txt", *ANCHOR, "--option", "countries=FR"), "a bundle says itself"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(desk: Run, arguments: tuple[str, ...], option: str) -> None:
    done = desk("revocation", *arguments)
    assert (done.exit_code, option in done.output) == (2, True), done.output
    assert not Path("x").exists()


def test_an_identifier_is_looked_for_under_every_key_of_its_country(desk: Run) -> None:
    revoke(desk, "--type", "UCI")  # which a batch has under the certificate's own key
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)

    def standing(name: str, *options: str) -> tuple[int, str]:
        uvci = Path(name).read_text().strip()
        done = desk("revocation", "check", "--uvci", uvci, "--country", "FR", "--json", *options)
        return done.exit_code, json_of(done)["standing"]

    assert standing("revoked.id") == (1, "hit")
    assert standing("kept.id") == (0, "clear")
    # Without the keys nobody knows where to look.
    hc.TrustStore.open("none.db").settle(hc.Environment.PRODUCTION)
    assert standing("kept.id", "--trust", "none.db") == (3, "unknown")
    done = desk("revocation", "check", "--uvci", "X", "--country", "FR", "--trust", "none.db")
    assert "no key of its issuer is known" in done.output


def test_a_bundle_is_removed_by_its_name(desk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    desk("revocation", "export", *SIGNED, "--out", "stick")
    monkeypatch.setenv("HEALTHCERT_REVOCATION", "elsewhere")
    desk("revocation", "import", "stick", *ANCHOR)
    assert desk("revocation", "remove", "bundle").output == "bundle: removed\n"
    assert codes(desk) == {"revoked": "OK", "kept": "OK"}
    assert desk("revocation", "remove", "bundle").exit_code == 1
    assert desk("revocation", "remove", "bundle", "--forget").exit_code == 0


def test_a_folder_that_is_named_and_has_no_lists_is_not_passed_over(desk: Run) -> None:
    Path("stick").mkdir()
    done = desk("verify", "kept.txt", "--revocation-store", "stick")
    assert (done.exit_code, "REVOCATION_STORE_UNREADABLE" in done.output) == (4, True)
    Path("store/revocation").write_text("not a folder")
    done = desk("verify", "kept.txt")
    assert (done.exit_code, "REVOCATION_STORE_UNREADABLE" in done.output) == (4, True)


def test_an_overdue_list_within_its_grace_is_shown_as_what_it_is(desk: Run, clock: Clock) -> None:
    revoke(desk)
    desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    clock.moment = NOW + DAY * 1.5
    shown = desk("verify", "kept.txt", "--revocation-grace", "1d").output
    assert "not revoked, by dgcg, overdue since 2021-08-21 10:00 UTC" in shown


def test_a_disk_that_fails_is_not_the_lists_fault(desk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    revoke(desk)
    monkeypatch.setattr("healthcert.revocation.installing.sync_folder", full)
    done = desk("revocation", "import", "batches", "--format", "dgcg", *ANCHOR)
    assert (done.exit_code, "No space left" in done.output) == (4, True), done.output


def blank_picture() -> bytes:
    data = BytesIO()
    Image.new("L", (20, 20), 255).save(data, "PNG")
    return data.getvalue()
