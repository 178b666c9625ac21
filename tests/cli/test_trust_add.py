"""``healthcert trust add`` and ``remove``."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.lists.x509 import kid_of
from healthcert.publish import swedish
from tests.cli.conftest import Run
from tests.cli.trust_files import (
    STORE,
    Clock,
    austrian,
    certificate,
    german,
    json_of,
    kids,
    ours,
    write,
    write_anchor,
)
from tests.support import DAY, NOW, dsc
from tests.unit.trust.lists import HOUR, authority, dscs, signer_of_lists, unsigned

pytestmark = pytest.mark.usefixtures("clock")


# --- add ---
def test_add_a_list_and_verify_with_it(listed: Run) -> None:
    done = listed("verify", certificate(), "--json")
    assert done.exit_code == 0, done.output
    key = json_of(done)["key"]
    assert (key["source"], key["domain"], key["country"]) == ("de", "DCC", "FR")
    assert key["lists"] == [
        {
            "source": "de",
            "assurance": "signed_list",
            "fetched_at": NOW.isoformat(),
            "best_before": (NOW + 48 * HOUR).isoformat(),
        }
    ]


def test_add_in_json(run: Run) -> None:
    files = german(*dscs(FR=2))
    done = run("trust", "add", "--source", "de", "--name", "berlin", "--anchor", write_anchor(), *files, "--json")
    assert done.exit_code == 0, done.output
    assert json_of(done) == {
        "source": "berlin",
        "added": 2,
        "removed": 0,
        "changed": 0,
        "kept": 0,
        "authorities": 0,
        "skipped": [],
        "error": None,
        "keys": 2,
    }


def test_an_entry_that_cannot_be_used_is_told_and_harms_no_other(run: Run) -> None:
    british = unsigned(dscs(FR=1))
    files = write("gb", {"list": british["list"].replace(b"]", b', {"kid": "AAAA", "publicKey": "AAAA"}]')})
    done = run("trust", "add", "--source", "gb", *files)
    assert done.exit_code == 0
    assert done.stdout == "gb: 1 new, 0 gone, 1 key, 1 skipped\n"
    assert done.stderr.startswith("skipped: gb: entry 2: ")
    again = json_of(run("trust", "add", "--source", "gb", *files, "--json"))
    assert (again["kept"], [one["entry"] for one in again["skipped"]]) == (1, ["entry 2"])


def _wrong_anchor(_: bytes) -> bytes:
    write_anchor(authority("FR"))
    return _


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_wrong_anchor, "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda data: (b"B" if data[:1] == b"A" else b"A") + data[1:], "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda data: data[:-10] + bytes((data[-10] ^ 1,)) + data[-9:], "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda _: b"", "TRUST_LIST_UNREADABLE"),
    ],
)
def test_a_list_that_is_not_authentic_is_refused_whole(run: Run, change: Any, code: str) -> None:
    anchor, files = write_anchor(), german(*dscs(FR=2))
    Path(files[0]).write_bytes(change(Path(files[0]).read_bytes()))
    for options in ([], ["--force"]):
        done = run("trust", "add", "--source", "de", "--anchor", anchor, *files, "--json", *options)
        assert (done.exit_code, json_of(done)["error"]["code"]) == (1, code)
        assert (run("trust", "list", "--json").stdout, Path(STORE).exists()) == ("", False)


def test_a_signed_list_needs_an_anchor(run: Run) -> None:
    done = run("trust", "add", "--source", "de", *german(*dscs(FR=2)))
    assert done.exit_code == 1
    assert "TRUST_ANCHOR_MISSING" in done.stderr
    # The key of the list may be pinned bare, and then nothing tells when it ends.
    public = signer_of_lists().key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path("bare.pem").write_bytes(public)
    assert run("trust", "add", "--source", "de", "--anchor", "bare.pem", "de/list").exit_code == 0


def test_an_anchor_that_is_none(run: Run) -> None:
    files = german(*dscs(FR=1))
    Path("words.pem").write_text("no anchor")
    Path("key.pem").write_bytes(signer_of_lists().key_pem(None))
    for name in ("words.pem", "key.pem"):
        done = run("trust", "add", "--source", "de", "--anchor", name, *files)
        assert done.exit_code == 1
        assert "TRUST_ANCHOR_UNREADABLE" in done.stderr
        assert signer_of_lists().key_pem(None).decode().split("\n")[1] not in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["de/list", "--anchor", "anchor.pem"],
        ["de/list", "--subject", "Somebody"],
        ["de/list", "--option", "a=b"],
        ["de/list", "--name", "x"],
        ["de/list", "--force"],
        ["de/list", "--at", "2021-08-20"],
        ["de/list", "--source", "de", "--kid", "0011223344556677"],
        ["de/list", "--source", "de", "--usage", "test"],
        ["de/list", "--source", "de", "--domain", "DCC"],
        ["de/list", "de/list", "--source", "de"],
        ["de/list", "--source", "moon"],
        ["de/list", "--source", "de", "--name", "local"],
        ["de/list", "--source", "de", "--name", ""],
        ["de/list", "--source", "de", "--name", "a\nb"],
        ["de/list", "--source", "de", "--option", "=b"],
        ["de/list", "--source", "de", "--max-age", "soon"],
        ["de/list", "--source", "de", "--environment", "moon"],
        ["missing", "--source", "de"],
        [],
    ],
)
def test_wrong_usage_of_add(run: Run, arguments: list[str]) -> None:
    write_anchor()
    german(*dscs(FR=1))
    assert run("trust", "add", *arguments).exit_code == 2
    assert not Path(STORE).exists()


def test_the_name_of_the_one_who_signs_may_be_pinned(run: Run) -> None:
    files = write("se", _swedish())
    anchor = write_anchor(authority("AT"))
    add = ("trust", "add", "--source", "se", "--anchor", anchor, *files)
    assert run(*add, "--subject", "Somebody else").exit_code == 1
    assert run(*add, "--subject", "List signer").exit_code == 0


def _swedish() -> Any:
    signer = signer_of_lists().signer()
    return swedish.publish(dscs(FR=2), signer, issued_at=NOW - HOUR, expires_at=NOW + DAY)


def test_a_list_that_was_recorded_is_read_as_of_then(run: Run, clock: Clock) -> None:
    files = austrian(*dscs(FR=2))
    clock.moment = NOW + 30 * DAY
    add = ("trust", "add", "--source", "at", "--anchor", write_anchor(), *files)
    refused = run(*add)
    assert (refused.exit_code, "TRUST_LIST_EXPIRED" in refused.stderr) == (1, True)
    assert run(*add, "--at", "2021-08-20T12:00:00Z").exit_code == 0
    (one,) = json_of(run("trust", "status", "--json"))["lists"]
    assert one["fetched_at"] == "2021-08-20T12:00:00+00:00"


def test_lists_of_two_environments(listed: Run) -> None:
    files = austrian(*dscs(FR=2))
    done = listed("trust", "add", "--source", "at", "--anchor", "anchor.pem", *files, "--environment", "test")
    assert (done.exit_code, "ENVIRONMENT_MIXED" in done.stderr) == (1, True)
    assert json_of(listed("trust", "status", "--json"))["environment"] == "production"


def test_a_loss_is_refused_unless_it_is_forced(listed: Run) -> None:
    add = ("trust", "add", "--source", "de", "--anchor", "anchor.pem", *german(*dscs(FR=1), folder="less"))
    done = listed(*add)
    assert (done.exit_code, "TRUST_LIST_SHRANK" in done.stderr) == (1, True)
    assert listed(*add, "--force").stdout == "de: 0 new, 4 gone, 1 key\n"


# --- by hand ---
def test_keys_by_hand_are_for_a_domain(run: Run) -> None:
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    assert run("trust", "add", "dsc.pem", "--domain", "AT-EXEMPTION").exit_code == 0
    done = run("verify", certificate())
    assert (done.exit_code, "only for: AT-EXEMPTION" in done.output) == (1, True)
    assert " AT-EXEMPTION " in run("trust", "list").output
    # Another domain is another line; neither replaces the other.
    assert run("trust", "add", "dsc.pem", "--domain", "DCC").stdout == "1 key added, 2 in the store.\n"
    assert run("verify", certificate()).exit_code == 0


def test_remove_a_key_that_was_added_by_hand(run: Run) -> None:
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    kid = kid_of(ours())
    for form in (kid.hex(), base64.b64encode(kid).decode()):
        run("trust", "add", "dsc.pem")
        assert json_of(run("trust", "remove", form, "--json")) == {"removed": 1, "keys": 0}
    gone = run("trust", "remove", kid.hex(), "--json")
    assert (gone.exit_code, json_of(gone)["error"]["code"]) == (1, "KEY_NOT_IN_TRUST_LIST")
    assert run("trust", "remove").exit_code == 2
    assert run("trust", "remove", kid.hex(), "--source", "de").exit_code == 2


def test_a_key_of_a_list_is_its_publisher_s_to_withdraw(listed: Run) -> None:
    done = listed("trust", "remove", kid_of(ours()).hex())
    assert (done.exit_code, "only on the list of: de" in done.stderr) == (1, True)
    assert len(kids(STORE)) == 5


def test_remove_a_source(listed: Run) -> None:
    assert listed("trust", "remove", "--source", "at").exit_code == 1
    assert listed("trust", "remove", "--source", "de").stdout == "5 keys removed, 0 in the store.\n"
    assert kids(STORE) == set()
    # Its name is still known, so that an old list cannot come back under it.
    assert [one["source"] for one in json_of(listed("trust", "status", "--json"))["missing"]] == ["de"]
    old = german(ours(), *dscs(FR=4), at=NOW - DAY, folder="old")
    done = listed("trust", "add", "--source", "de", "--anchor", "anchor.pem", *old)
    assert (done.exit_code, "TRUST_LIST_ROLLED_BACK" in done.stderr) == (1, True)
