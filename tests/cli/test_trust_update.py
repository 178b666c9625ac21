"""``healthcert trust update`` with a file of sources, from a real HTTPS server on this machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import healthcert as hc
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import german
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, certificate, json_of, ours, write_anchor
from tests.gateway import certificates
from tests.gateway.dgcg import Row
from tests.gateway.server import Fault, Gateway
from tests.gateway_world import lists, world
from tests.support import DAY, NOW
from tests.unit.trust.lists import HOUR, authority, dscs, numbered, unnumbered, unsigned

STORE = "store/trust.db"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """Serves the lists of three sources, in the folder of whose file of sources the commands run."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HEALTHCERT_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    running.reset()
    write_anchor()
    Path("ca.pem").write_bytes(Path(running.ca).read_bytes())
    running.put("/de", unnumbered([ours(), *dscs(FR=3)], NOW)["list"])
    at = numbered(dscs(FR=2, AT=1), NOW)
    running.put("/at", at["list"])
    running.put("/atsig", at["signature"])
    running.put("/gb", unsigned(dscs(DE=1))["list"])
    lines = ['max_age = "12h"']
    for name, more in (("de", 'anchors = ["anchor.pem"]'), ("at", 'anchors = ["anchor.pem"]'), ("gb", "")):
        lines += ["[[source]]", f'name = "{name}"', f'url = "{running.url}/{name}"', 'ca = "ca.pem"', more]
    Path("sources.toml").write_text("\n".join(lines) + "\n")
    return running


def update(run: Run, *options: str) -> Result:
    return run("trust", "update", "--config", "sources.toml", *options)


def by_source(done: Result) -> dict[str, Any]:
    return {one["source"]: one for one in json_of(done)["sources"]}


def test_all_sources_of_the_file(run: Run, gateway: Gateway, clock: Clock) -> None:
    done = update(run)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "de: 4 new, 0 gone, 4 keys",
        "at: 3 new, 0 gone, 3 keys",
        "gb: 1 new, 0 gone, 1 key",
    ]
    assert run("verify", certificate()).exit_code == 0
    clock.moment = NOW + HOUR
    again = update(run, "--json")
    assert {name: (one["added"], one["kept"]) for name, one in by_source(again).items()} == {
        "de": (0, 4),
        "at": (0, 3),
        "gb": (0, 1),
    }
    assert json_of(again)["keys"] == 6
    lists = json_of(run("trust", "status", "--json"))["lists"]
    assert {one["fetched_at"] for one in lists} == {(NOW + HOUR).isoformat()}
    assert {one["best_before"] for one in lists} == {(NOW + 13 * HOUR).isoformat()}
    assert run("trust", "check").exit_code == 0


def test_no_connection_is_left_open(run: Run, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, close = [], hc.HttpFetcher.close

    def counted(self: hc.HttpFetcher) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(hc.HttpFetcher, "close", counted)
    assert update(run).exit_code == 0
    assert len({id(one) for one in closed}) == 3


def test_one_source_alone(run: Run, gateway: Gateway) -> None:
    done = update(run, "--only", "gb", "--json")
    assert by_source(done).keys() == {"gb"}
    assert {request.path for request in gateway.requests} == {"/gb"}
    wrong = update(run, "--only", "moon")
    assert (wrong.exit_code, "no such source: moon" in wrong.output) == (1, True)


def test_the_file_may_be_named_by_a_variable(run: Run, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("trust", "update").exit_code == 2
    monkeypatch.setenv("HEALTHCERT_SOURCES", "sources.toml")
    assert run("trust", "update").exit_code == 0


@pytest.mark.parametrize(
    ("fault", "how", "exit_code", "code"),
    [
        (Fault.STATUS, {"status": 404}, 4, "FETCH_FAILED"),
        (Fault.OTHER, {"body": b"<html>"}, 1, "TRUST_LIST_UNREADABLE"),
        (Fault.REDIRECT, {"to": "https://elsewhere.example/"}, 1, "FETCH_REFUSED"),
        (Fault.COMPRESSED, {}, 1, "FETCH_REFUSED"),
        (Fault.ANNOUNCED, {"length": 10**12}, 1, "FETCH_REFUSED"),
    ],
)
def test_a_source_that_fails(
    run: Run, gateway: Gateway, clock: Clock, fault: Fault, how: dict[str, Any], exit_code: int, code: str
) -> None:
    assert update(run).exit_code == 0
    clock.moment = NOW + HOUR
    gateway.misbehave("/de", fault, **how)
    done = update(run, "--json")
    assert done.exit_code == exit_code
    changes = by_source(done)
    assert (changes["de"]["error"]["code"], changes["at"]["error"], changes["gb"]["error"]) == (code, None, None)
    told = run("trust", "status")
    assert told.stderr.startswith("de: the last attempt failed: ")
    statuses = {one["source"]: one for one in json_of(run("trust", "status", "--json"))["lists"]}
    assert (statuses["de"]["error"]["code"], statuses["de"]["fetched_at"]) == (code, NOW.isoformat())
    assert statuses["at"]["fetched_at"] == (NOW + HOUR).isoformat()
    # The list that was in use is still in use.
    assert run("verify", certificate()).exit_code == 0
    gateway.behave()
    assert update(run).exit_code == 0
    assert run("trust", "status").stderr == ""


def test_an_attacker_who_owns_the_network(run: Run, gateway: Gateway, clock: Clock) -> None:
    assert update(run).exit_code == 0
    clock.moment = NOW + HOUR
    newer = numbered(dscs(FR=3, AT=1), NOW + HOUR)
    gateway.put("/at", newer["list"])
    gateway.put("/atsig", newer["signature"])
    assert update(run).exit_code == 0
    attacks = {
        "TRUST_LIST_ROLLED_BACK": numbered(dscs(FR=2, AT=1), NOW),
        "TRUST_LIST_EQUIVOCATES": numbered(dscs(FR=4, AT=1), NOW + HOUR),
        "TRUST_LIST_SHRANK": numbered(dscs(FR=3), NOW + HOUR + HOUR / 60),
        "TRUST_LIST_EXPIRED": numbered(dscs(FR=3, AT=1), NOW + HOUR * 61 / 60, life=HOUR / 60),
    }
    for code, parts in attacks.items():
        clock.moment = NOW + 2 * HOUR
        for name, path in (("list", "/at"), ("signature", "/atsig")):
            gateway.misbehave(path, Fault.OTHER, body=parts[name])
        done = update(run, "--json", "--only", "at")
        assert (done.exit_code, by_source(done)["at"]["error"]["code"]) == (1, code)
        assert len(hc.TrustStore.open(STORE).state.lists["at"].rows) == 4


def test_another_signer(run: Run, gateway: Gateway) -> None:
    assert update(run).exit_code == 0
    forged = german.publish([ours(), *dscs(FR=3)], authority("FR").signer(), issued_at=NOW)
    gateway.misbehave("/de", Fault.OTHER, body=forged["list"])
    done = update(run)
    assert (done.exit_code, "TRUST_LIST_NOT_AUTHENTIC" in done.stderr) == (1, True)


def test_force_is_for_losses(run: Run, gateway: Gateway) -> None:
    update(run)
    gateway.put("/de", unnumbered([ours()], NOW)["list"])
    assert update(run).exit_code == 1
    assert update(run, "--force").exit_code == 0
    assert len(hc.TrustStore.open(STORE).state.lists["de"].rows) == 1


def test_a_server_of_another_authority(run: Run, gateway: Gateway) -> None:
    Path("ca.pem").write_bytes(authority("FR").certificate_pem())
    done = update(run, "--only", "gb")
    assert (done.exit_code, "FETCH_REFUSED" in done.stderr) == (1, True)


def test_files_that_are_missing(run: Run, gateway: Gateway) -> None:
    Path("ca.pem").unlink()
    done = update(run)
    assert done.exit_code == 4
    assert done.stderr.count("FETCH_FAILED") == 3
    Path("anchor.pem").unlink()
    assert update(run).exit_code == 4
    assert run("trust", "update", "--config", "missing.toml").exit_code == 2


def test_the_gateway_that_wants_to_know_who_asks(run: Run, gateway: Gateway) -> None:
    gateway.dgcg.rows.append(Row("AUTHENTICATION", parse_certificate(certificates.client().der), "", NOW - DAY))
    for kind, items in lists().items():
        for item in items:
            held = parse_certificate(base64.b64decode(item["rawData"]))
            gateway.dgcg.rows.append(Row(kind, held, item["signature"], NOW - DAY))
    Path("ta.der").write_bytes(world().anchor.der)
    source = f"""
        [[source]]
        name = "dgcg"
        url = "{gateway.member_url}"
        anchors = ["ta.der"]
        ca = "ca.pem"
        client_certificate = "{gateway.client_certificate}"
        client_key = "{gateway.client_key}"
        """
    Path("sources.toml").write_text(source)
    done = update(run)
    assert (done.exit_code, done.output) == (0, "dgcg: 2 new, 0 gone, 2 keys, 4 authorities\n")
    Path("sources.toml").write_text("\n".join(line for line in source.splitlines() if "client" not in line))
    assert update(run).exit_code == 4


def test_a_secret_is_shown_nowhere(run: Run, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIST_TOKEN", "hush-hush")
    text = Path("sources.toml").read_text()
    Path("sources.toml").write_text(text + 'secrets = {token = "LIST_TOKEN"}\n')
    gateway.misbehave("/de", Fault.STATUS, status=403)
    for options in ([], ["--json"]):
        assert "hush-hush" not in update(run, *options).output
        assert "hush-hush" not in run("trust", "status", *options).output
    assert b"hush-hush" not in Path(STORE).read_bytes()
    monkeypatch.delenv("LIST_TOKEN")
    done = update(run)
    assert (done.exit_code, "TRUST_CONFIG_INVALID" in done.stderr, "LIST_TOKEN" in done.stderr) == (1, True, True)


@pytest.mark.parametrize("text", ["", "[[source]]", "name =", "[[source]]\nname = 'x'\nurl = 'https://x.example'"])
def test_a_file_of_sources_that_is_none(run: Run, clock: Clock, text: str) -> None:
    Path("sources.toml").write_text(text)
    done = update(run, "--json")
    assert (done.exit_code, json_of(done)["error"]["code"]) == (1, "TRUST_CONFIG_INVALID")
    assert not Path(STORE).exists()


def test_an_address_that_is_none(run: Run, gateway: Gateway) -> None:
    for url in ("http://127.0.0.1/", "file:///etc/passwd", "moon"):
        Path("sources.toml").write_text(f'[[source]]\nname = "gb"\nurl = "{url}"\n')
        done = update(run)
        assert (done.exit_code, "FETCH_REFUSED" in done.stderr) == (1, True)
