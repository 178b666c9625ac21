"""What ``healthcert trust`` tells of a store, and what ``verify`` makes of it."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.lists.x509 import kid_of
from tests.cli.conftest import Run
from tests.cli.trust_files import (
    SECRETS,
    STORE,
    Clock,
    austrian,
    certificate,
    german,
    json_of,
    lines_of,
    ours,
    write,
    write_anchor,
)
from tests.gateway_world import parts, world
from tests.support import DAY, NOW, dsc
from tests.unit.trust.lists import HOUR, dscs, unsigned

pytestmark = pytest.mark.usefixtures("clock")


# --- status ---
def state(run: Run, at: Any) -> tuple[int, str]:
    done = run("trust", "status", "--json", "--at", at.isoformat())
    return done.exit_code, json_of(done)["lists"][0]["state"]


def test_status_as_the_list_grows_old(listed: Run) -> None:
    end = NOW + 48 * HOUR
    assert state(listed, NOW) == state(listed, end) == (0, "fresh")
    second = timedelta(seconds=1)
    assert state(listed, end + second) == state(listed, end + 7 * DAY) == (0, "stale")
    assert state(listed, end + 7 * DAY + second) == (3, "expired")


def test_the_signed_end_counts_where_it_comes_first(run: Run) -> None:
    files = austrian(*dscs(FR=2), life=HOUR)
    run("trust", "add", "--source", "at", "--anchor", write_anchor(), *files, "--max-age", "9d")
    assert state(run, NOW + 2 * HOUR) == (0, "stale")


def test_status_in_full(listed: Run, clock: Clock) -> None:
    listed("trust", "add", "--source", "gb", *write("gb", unsigned(dscs(DE=1))))
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    listed("trust", "add", "dsc.pem")
    clock.moment = NOW + HOUR
    values = json_of(listed("trust", "status", "--json"))
    assert (values["environment"], values["keys"], values["missing"]) == ("production", 7, [])
    german_list, british, by_hand = values["lists"]
    assert german_list == {
        "source": "de",
        "format": "de",
        "assurance": "signed_list",
        "keys": 5,
        "countries": {"FR": 5},
        "authorities": 0,
        "counter": None,
        "issued_at": NOW.isoformat(),
        "fetched_at": NOW.isoformat(),
        "age_seconds": 3600,
        "expires_at": None,
        "best_before": (NOW + 48 * HOUR).isoformat(),
        "state": "fresh",
        "keys_ended": 0,
        "skipped": [],
        "error": None,
    }
    assert (british["assurance"], british["countries"]) == ("tls_only", {"unknown": 1})
    assert (by_hand["source"], by_hand["best_before"], by_hand["fetched_at"]) == ("local", None, None)
    shown = listed("trust", "status").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["SOURCE", "de", "gb", "local"]
    assert "2021-08-20 10:00" in shown[1]
    # Keys by hand do not age.
    clock.moment = NOW + 400 * DAY
    assert [one["state"] for one in json_of(listed("trust", "status", "--json"))["lists"]] == [
        "expired",
        "expired",
        "fresh",
    ]


def test_status_tells_what_is_wrong(run: Run, clock: Clock) -> None:
    british = unsigned(dscs(FR=1))
    bad = british["list"].replace(b"]", b', {"kid": "\\u001b[31m", "publicKey": "AAAA"}]')
    run("trust", "add", "--source", "gb", *write("gb", {"list": bad}))
    run("trust", "add", "--source", "de", "--anchor", write_anchor(), *german(*dscs(FR=2)))
    clock.moment = NOW + 900 * DAY
    told = run("trust", "status").stderr.splitlines()
    assert [line.split(":")[0] for line in told] == ["de", "gb"]
    assert "2 keys have ended" in told[0]
    assert "1 entries were skipped, the first: entry 2" in told[1]
    assert "\x1b[31m" not in "".join(told)


# --- why, list, show, formats ---
def test_why_a_key_is_trusted(listed: Run) -> None:
    listed("trust", "add", "--source", "at", "--anchor", "anchor.pem", *austrian(ours()))
    kid = kid_of(ours()).hex()
    first, second = lines_of(listed("trust", "why", kid, "--json"))
    assert (first["source"], second["source"]) == ("at", "de")
    (link,) = first["chain"]
    assert (link["role"], link["subject"]) == ("anchor", "anchor.pem")
    assert len(link["sha256"]) == 64
    shown = listed("trust", "why", kid).stdout
    assert "de (de): signed list, fetched 2021-08-20 10:00 UTC" in shown
    assert f"    ↑ anchor: anchor.pem, SHA-256 {link['sha256']}" in shown
    unknown = listed("trust", "why", "0011223344556677", "--json")
    assert (unknown.exit_code, json_of(unknown)["error"]["code"]) == (1, "KEY_NOT_IN_TRUST_LIST")


def test_why_shows_the_whole_chain(run: Run) -> None:
    Path("ta.pem").write_bytes(_pem(world().anchor.der))
    files = write("dgcg", parts())
    added = run("trust", "add", "--source", "dgcg", "--anchor", "ta.pem", *files)
    assert added.stdout == "dgcg: 2 new, 0 gone, 2 keys, 4 authorities\n"
    (one,) = lines_of(run("trust", "why", kid_of(world().dsc["FR"].der).hex(), "--json"))
    roles = [(link["role"], link["subject"]) for link in one["chain"]]
    assert roles[:2] == [("CSCA", "FR CSCA"), ("UPLOAD", "FR Upload")]
    assert (roles[-1][1], one["key"]["lists"][0]["assurance"]) == ("ta.pem", "signed_chain")
    assert json_of(run("trust", "status", "--json"))["lists"][0]["authorities"] == 4


def _pem(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


def test_why_a_key_that_was_added_by_hand(run: Run) -> None:
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    run("trust", "add", "dsc.pem")
    shown = run("trust", "why", kid_of(ours()).hex())
    assert "local (local): added by hand" in shown.stdout
    assert "↑" not in shown.stdout


def test_formats(run: Run) -> None:
    listed = {one["name"]: one for one in lines_of(run("trust", "formats", "--json"))}
    assert listed["de"]["anchored"] is True
    assert listed["dgcg"]["parts"] == ["DSC", "CSCA", "UPLOAD"]
    shown = run("trust", "formats").stdout
    assert all(name in shown for name in listed)


# --- diff ---
def test_diff_after_a_second_list(listed: Run) -> None:
    assert len(lines_of(listed("trust", "diff", "--json"))) == 5  # the first list is all new
    listed("trust", "add", "--source", "de", "--anchor", "anchor.pem", *german(ours(), *dscs(FR=3), *dscs(AT=1)))
    changed = [(one["change"], one["key"]["country"]) for one in lines_of(listed("trust", "diff", "--json"))]
    assert changed == [("removed", "FR"), ("added", "AT")]
    shown = listed("trust", "diff", "de").stdout.splitlines()
    assert [line[:4] for line in shown] == ["- de", "+ de"]
    assert listed("trust", "diff", "moon").exit_code == 1


def test_diff_against_another_store(listed: Run) -> None:
    listed("trust", "add", "--source", "at", "--anchor", "anchor.pem", *austrian(*dscs(AT=1)), "--store", "other.db")
    add = (
        "trust",
        "add",
        "--source",
        "de",
        "--anchor",
        "anchor.pem",
        *german(ours(), *dscs(FR=2)),
        "--store",
        "other.db",
    )
    assert listed(*add).exit_code == 0
    found = lines_of(listed("trust", "diff", "--against", "other.db", "--json"))
    assert sorted((one["source"], one["change"]) for one in found) == [
        ("at", "removed"),
        ("de", "added"),
        ("de", "added"),
    ]
    assert listed("trust", "diff", "--against", "missing.db").exit_code == 2


# --- check ---
def _damage(column: str, value: bytes | None = None) -> None:
    with closing(sqlite3.connect(STORE)) as connection, connection:
        (kept,) = connection.execute(f"SELECT {column} FROM lists WHERE generation = 0").fetchone()
        new = value if value is not None else kept[:-20] + bytes((kept[-20] ^ 1,)) + kept[-19:]
        connection.execute(f"UPDATE lists SET {column} = ?", (new,))


def test_check_of_a_sound_store(listed: Run) -> None:
    assert listed("trust", "check").stdout == "de: as it was accepted, 5 keys\n"
    assert json_of(listed("trust", "check", "--json"))["error"] is None


@pytest.mark.parametrize(
    ("column", "value"), [("parts", None), ("keys", None), ("details", b"\xc1"), ("keys", b"\xc1")]
)
def test_check_after_damage(listed: Run, column: str, value: bytes | None) -> None:
    _damage(column, value)
    done = listed("trust", "check")
    assert (done.exit_code, done.stdout) == (4, "")
    assert listed("trust", "check", "--json").exit_code == 4


def test_a_file_that_is_no_store(run: Run) -> None:
    Path("words.db").write_text("no store")
    for command in ("list", "status", "check", "diff"):
        done = run("trust", command, "--store", "words.db")
        assert (done.exit_code, "TRUST_STORE_UNREADABLE" in done.stderr) == (4, True)


# --- verify ---
def test_a_key_that_only_a_server_vouches_for(run: Run) -> None:
    run("trust", "add", "--source", "gb", *write("gb", unsigned([ours()])))
    refused = run("verify", certificate(), "--json")
    assert (refused.exit_code, json_of(refused)["code"]) == (1, "KEY_ASSURANCE_TOO_LOW")
    assert run("verify", certificate(), "--accept-tls-only").exit_code == 0


def test_an_old_list_is_believed_for_a_while(listed: Run, clock: Clock) -> None:
    file = certificate()
    clock.moment = NOW + 3 * DAY
    stale = listed("verify", file, "--json")
    assert (stale.exit_code, [one["code"] for one in json_of(stale)["warnings"]]) == (0, ["TRUST_LIST_STALE"])
    old = listed("verify", file, "--trust-grace", "1h", "--json")
    assert (old.exit_code, json_of(old)["outcome"], json_of(old)["code"]) == (3, "undetermined", "TRUST_LIST_EXPIRED")
    clock.moment = NOW + 10 * DAY
    assert listed("verify", file).exit_code == 3
    assert listed("verify", file, "--trust-grace", "30d").exit_code == 0
    assert listed("verify", file, "--trust-grace", "-1d").exit_code == 2


def test_lists_of_several_stores_stay_as_sure_as_they_are(run: Run, clock: Clock) -> None:
    run("trust", "add", "--source", "gb", *write("gb", unsigned([ours()])), "--store", "gb.db")
    add = ("trust", "add", "--source", "de", "--anchor", write_anchor(), *german(*dscs(FR=2)))
    assert run(*add, "--store", "de.db").exit_code == 0
    both = ("verify", certificate(), "--trust", "gb.db", "--trust", "de.db")
    assert json_of(run(*both, "--json"))["code"] == "KEY_ASSURANCE_TOO_LOW"
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    # Whoever names the certificate itself vouches for it.
    assert run(*both, "--trust", "dsc.pem").exit_code == 0
    assert run(*add, *german(ours(), *dscs(FR=2), folder="more"), "--store", "x.db").exit_code == 2
    run("trust", "add", "--source", "de", "--anchor", "anchor.pem", *german(ours(), folder="more"), "--store", "x.db")
    done = json_of(run("verify", certificate(), "--trust", "de.db", "--trust", "x.db", "--json"))
    assert [one["source"] for one in done["key"]["lists"]] == ["de#2"]
    clock.moment = NOW + 20 * DAY
    assert run("verify", certificate(), "--trust", "de.db", "--trust", "x.db").exit_code == 3


def test_nothing_secret_or_personal_is_told(listed: Run, clock: Clock) -> None:
    clock.moment = NOW + 3 * DAY
    kid = kid_of(ours()).hex()
    for command in ("status", "list", "diff", "check", "formats"):
        for options in ([], ["--json"]):
            done = listed("trust", command, *options)
            assert not any(secret in done.output for secret in SECRETS)
    for command in ("why", "show"):
        assert not any(secret in listed("trust", command, kid).output for secret in SECRETS)
    assert hc.TrustStore.open(STORE).known(kid_of(ours()))
