"""``healthcert trust export`` and ``import``: keys on a stick, as sure and as old as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from healthcert.lists.x509 import kid_of
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, certificate, json_of, kids, lines_of, ours, write, write_anchor
from tests.support import DAY, NOW, dsc
from tests.unit.trust.lists import HOUR, authority, dscs, signer_of_lists, unnumbered, unsigned

pytestmark = pytest.mark.usefixtures("clock")
IMPORT = ("trust", "import", "bundle", "--anchor", "anchor.pem", "--store", "door.db")


def export(run: Run, out: str = "bundle", *options: str) -> Any:
    signed = ("--key", "signer.key.pem", "--certificate", "anchor.pem")
    return run("trust", "export", *signed, "--out", out, "--store", "desk.db", *options)


@pytest.fixture
def desk(run: Run) -> Run:
    """The keys of a bundle's signer, and a store with a German list, a British one and a key that was added by hand."""
    write_anchor()
    Path("signer.key.pem").write_bytes(signer_of_lists().key_pem(None))
    german = write("de", unnumbered([ours(), *dscs(FR=2)], NOW))
    run("trust", "add", "--source", "de", "--anchor", "anchor.pem", *german, "--store", "desk.db")
    run("trust", "add", "--source", "gb", *write("gb", unsigned(dscs(DE=1))), "--store", "desk.db")
    Path("hand.der").write_bytes(dscs(AT=1)[0])
    assert run("trust", "add", "hand.der", "--domain", "DCC", "--store", "desk.db").exit_code == 0
    return run


def test_there_and_back(desk: Run) -> None:
    done = export(desk)
    size = Path("bundle").stat().st_size
    assert (done.exit_code, done.stdout) == (0, f"bundle: {size} bytes, good until 2021-08-27 10:00 UTC\n")
    assert desk(*IMPORT).stdout == "bundle: 4 new, 0 gone, 4 keys\n"
    assert kids("door.db") == kids("desk.db") - {kid_of(dscs(DE=1)[0]).hex()}
    verdict = json_of(desk("verify", certificate(), "--trust", "door.db", "--json"))
    assert verdict["outcome"] == "accepted"
    # As sure, as old and for as long as it was on the desk.
    assert verdict["key"]["lists"] == [
        {
            "source": "bundle/de",
            "assurance": "signed_list",
            "fetched_at": NOW.isoformat(),
            "best_before": (NOW + 48 * HOUR).isoformat(),
        }
    ]
    by_hand = json_of(desk("trust", "show", kid_of(dscs(AT=1)[0]).hex(), "--store", "door.db", "--json"))["lists"]
    assert [(one["source"], one["assurance"]) for one in by_hand] == [("bundle/hand.der", "local")]
    assert by_hand[0]["best_before"] == (NOW + 7 * DAY).isoformat()


def test_in_json_and_by_standard_input(desk: Run) -> None:
    done = json_of(export(desk, "bundle", "--life", "1h", "--json"))
    assert done == {
        "file": "bundle",
        "bytes": Path("bundle").stat().st_size,
        "expires_at": (NOW + HOUR).isoformat(),
        "best_before": (NOW + HOUR).isoformat(),
    }
    options = ("--anchor", "anchor.pem", "--store", "door.db", "--json", "--name", "stick")
    done = json_of(desk("trust", "import", "-", *options, stdin=Path("bundle").read_bytes()))
    assert (done["source"], done["added"], done["keys"], done["error"]) == ("stick", 4, 4, None)


def test_keys_that_only_a_server_vouches_for_stay_unless_they_are_asked_for(desk: Run) -> None:
    british = kid_of(dscs(DE=1)[0]).hex()
    export(desk, "bundle", "--assurance", "tls_only")
    desk(*IMPORT)
    assert kids("door.db") == {british}
    (key,) = lines_of(desk("trust", "list", "--store", "door.db", "--json"))
    assert [one["assurance"] for one in key["lists"]] == ["tls_only"]
    desk("trust", "remove", "--source", "de", "--store", "desk.db")
    desk("trust", "remove", kid_of(dscs(AT=1)[0]).hex(), "--store", "desk.db")
    done = export(desk, "none")
    assert (done.exit_code, "PUBLISHING_REFUSED" in done.stderr) == (1, True)
    assert not Path("none").exists()


def test_what_came_in_a_bundle_goes_on_no_surer_and_no_younger(desk: Run, clock: Clock) -> None:
    export(desk)
    desk(*IMPORT)
    clock.moment = NOW + DAY
    signed = ("--key", "signer.key.pem", "--certificate", "anchor.pem")
    assert desk("trust", "export", *signed, "--out", "second", "--store", "door.db", "--life", "90d").exit_code == 0
    assert desk("trust", "import", "second", "--anchor", "anchor.pem", "--store", "far.db").exit_code == 0
    key = json_of(desk("trust", "show", kid_of(ours()).hex(), "--store", "far.db", "--json"))
    assert [(one["source"], one["fetched_at"], one["best_before"]) for one in key["lists"]] == [
        ("bundle/bundle/de", NOW.isoformat(), (NOW + 48 * HOUR).isoformat())
    ]


def test_an_older_bundle_is_refused(desk: Run, clock: Clock) -> None:
    export(desk, "first")
    clock.moment = NOW + HOUR
    export(desk)
    assert desk(*IMPORT).exit_code == 0
    Path("bundle").write_bytes(Path("first").read_bytes())
    done = desk(*IMPORT, "--force")
    assert (done.exit_code, "TRUST_LIST_ROLLED_BACK" in done.stderr) == (1, True)
    # Nor when the source was removed in between.
    desk("trust", "remove", "--source", "bundle", "--store", "door.db")
    assert desk(*IMPORT).exit_code == 1


def test_two_bundles_of_one_number(desk: Run) -> None:
    export(desk, "bundle", "--number", "5")
    assert desk(*IMPORT).exit_code == 0
    export(desk, "bundle", "--number", "5", "--life", "1d")
    done = desk(*IMPORT, "--force")
    assert (done.exit_code, "TRUST_LIST_EQUIVOCATES" in done.stderr) == (1, True)
    export(desk, "bundle", "--number", "6")
    assert desk(*IMPORT).stdout == "bundle: unchanged, 4 keys\n"


def test_a_bundle_that_has_ended(desk: Run, clock: Clock) -> None:
    export(desk, "bundle", "--life", "1d")
    clock.moment = NOW + 2 * DAY
    done = desk(*IMPORT, "--force")
    assert (done.exit_code, "TRUST_LIST_EXPIRED" in done.stderr) == (1, True)
    assert not Path("door.db").exists()


def test_keys_of_a_bundle_end_with_it(desk: Run, clock: Clock) -> None:
    export(desk, "bundle", "--life", "1h")
    desk(*IMPORT)
    clock.moment = NOW + 8 * DAY
    assert desk("verify", certificate(), "--trust", "door.db").exit_code == 3
    assert desk("trust", "status", "--store", "door.db").exit_code == 3


@pytest.mark.parametrize("place", [0, 20, 500, -1])
def test_a_bundle_that_was_altered(desk: Run, place: int) -> None:
    export(desk)
    data = bytearray(Path("bundle").read_bytes())
    data[place] ^= 1
    Path("bundle").write_bytes(data)
    assert desk(*IMPORT).exit_code == 1
    assert not Path("door.db").exists()


def test_a_bundle_of_somebody_else(desk: Run) -> None:
    export(desk)
    write_anchor(authority("FR"))
    done = desk(*IMPORT)
    assert (done.exit_code, "TRUST_LIST_NOT_AUTHENTIC" in done.stderr) == (1, True)
    assert "TRUST_ANCHOR_MISSING" in desk("trust", "import", "bundle", "--store", "door.db").stderr
    Path("wrong.key.pem").write_bytes(dsc().key_pem(None))
    done = desk("trust", "export", "--key", "wrong.key.pem", "--certificate", "anchor.pem", "--out", "x")
    assert (done.exit_code, "SIGNER_KEY_MISMATCH" in done.stderr) == (4, True)


def test_a_bundle_of_another_environment(desk: Run) -> None:
    export(desk)
    done = desk(*IMPORT, "--environment", "test")
    assert (done.exit_code, "TRUST_LIST_NOT_AUTHENTIC" in done.stderr) == (1, True)
