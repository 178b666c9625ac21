"""``healthcert link``: shown, opened from a server on this machine, made and decrypted; and what it never tells."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.families.shc.encode import unsigned
from healthcert.links.jwe import FHIR, HEALTH_CARD, encrypt_file
from healthcert.links.link import HealthLink, read_link
from tests.cli.conftest import AT, Run
from tests.gateway.messages import Reply, Request, json_reply
from tests.gateway.server import Gateway
from tests.support import DAY, HOLDER, NOW, VACCINATION, Press
from tests.unit.links.linked import CARD, FHIR_FILE, KEY, LINK, b64

ISSUER = "https://shc.example.org"
CARD_KEY = ec.derive_private_key(7, ec.SECP256R1())


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway) -> Gateway:
    running.reset()
    return running


def thumbprint() -> str:
    numbers = CARD_KEY.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return b64(sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def card_file(*, tamper: bool = False) -> bytes:
    """A file with one SMART Health Card."""
    event = hc.Vaccination(vaccine=hc.Coding("http://hl7.org/fhir/sid/cvx", "208"), date=VACCINATION.date)
    card = unsigned(events=[event], holder=HOLDER, issuer=ISSUER, kid=thumbprint(), issued_at=NOW - DAY)
    r, s = decode_dss_signature(CARD_KEY.sign(card.to_be_signed, ec.ECDSA(SHA256())))
    token = card.assemble(r.to_bytes(32) + (s ^ tamper).to_bytes(32)).binary.decode()
    return json.dumps({"verifiableCredential": [token]}).encode()


@pytest.fixture
def trusted(run: Run, tmp_path: Path) -> None:
    """A store with the key of the card's issuer."""
    spki = CARD_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    store = hc.TrustStore.open(tmp_path / "trust-made.db")
    store.add_public_key(spki, kid=thumbprint().encode(), issuer=ISSUER, domain="SHC")


def served(gateway: Gateway, *files: tuple[str, bytes], flag: str = "", **status: str) -> str:
    """The text of a link to these files."""
    entries = [{"contentType": t, "embedded": encrypt_file(d, KEY, content_type=t), **status} for t, d in files]
    url = gateway.route("/shl", lambda _: json_reply({"files": entries}))
    return HealthLink(url=url, key=KEY, flag=flag, label="Vaccinations").to_text()


def opened(run: Run, gateway: Gateway, text: str, *options: str | Path) -> Result:
    allowed = ("--recipient", "Clinic", "--ca", gateway.ca, "--private-hosts", "--at", AT)
    return run("link", "open", *allowed, *options, stdin=text + "\n")


def signed(text: str, **fields: object) -> str:
    """An HC1 certificate that holds a link."""
    return Press(claims={-260: {5: text}}, **fields).text()  # type: ignore[arg-type]


# --- show ---


def test_a_bare_link_is_shown_and_nobody_signed_it(run: Run) -> None:
    text = HealthLink(url=LINK.url, key=KEY, exp=1_704_096_000, flag="LP", label="Zoé\x1b[31m").to_text()
    shown = run("link", "show", stdin=text)
    assert shown.exit_code == 0
    assert "NOT SIGNED" in shown.output
    assert "Server        links.example.org" in shown.output
    assert "Label         Zoé�[31m" in shown.output
    assert "Ends          2024-01-01 08:00 UTC" in shown.output
    assert "asks for a passcode" in shown.output
    assert b64(KEY) not in shown.output
    assert b64(KEY) in run("link", "show", "--show-key", stdin=text).output


def test_a_link_is_shown_as_json(run: Run) -> None:
    text = LINK.to_text("https://viewer.example.org")
    told = json.loads(run("link", "show", "--json", stdin=text).stdout)
    assert told == {
        "source": "-",
        "signed": None,
        "link": {
            "type": "shl",
            "url": LINK.url,
            "label": None,
            "exp": None,
            "flag": "",
            "v": 1,
            "viewer": "https://viewer.example.org",
        },
    }
    assert json.loads(run("link", "show", "--json", "--show-key", stdin=text).stdout)["link"]["key"] == b64(KEY)


def test_a_signed_link_is_shown_once_its_signature_holds(run: Run, certificates: Path) -> None:
    show = ("link", "show", "--trust", "dsc.pem", "--at", AT)
    shown = run(*show, stdin=signed(LINK.to_text()))
    assert (shown.exit_code, "ACCEPTED" in shown.output, LINK.url in shown.output) == (0, True, True)
    forged = run(*show, stdin=signed(LINK.to_text(), sign=lambda _: bytes(64)))
    assert (forged.exit_code, "SIGNATURE_INVALID" in forged.output, LINK.url in forged.output) == (1, True, False)
    unknown = run("link", "show", "--at", AT, stdin=signed(LINK.to_text()))
    assert (unknown.exit_code, LINK.url in unknown.output) == (3, False)
    for options in ((), ("--json",)):
        output = run(*show, *options, stdin=signed(LINK.to_text())).output
        assert b64(KEY) not in output
        assert LINK.to_text() not in output
    told = json.loads(run(*show, "--json", stdin=signed(LINK.to_text())).stdout)
    assert (told["signed"], told["report"]["code"], told["link"]["url"]) == ("accepted", "OK", LINK.url)


def test_what_is_no_link_is_told_with_a_code(run: Run) -> None:
    for text, code in (("shc:/5676", "INVALID_SCHEME_PREFIX"), ("shlink:/e30", "SCHEMA_VALIDATION_FAILED")):
        done = run("link", "show", stdin=text)
        assert (done.exit_code, code in done.stderr) == (1, True)
        assert json.loads(run("link", "show", "--json", stdin=text).stdout)["error"]["code"] == code


# --- open ---


def test_files_are_written_for_their_owner_alone(run: Run, gateway: Gateway, tmp_path: Path) -> None:
    text = served(gateway, (HEALTH_CARD, CARD), (FHIR, FHIR_FILE), ("application/x/../../y", b"?"))
    done = opened(run, gateway, text, "--out", "files")
    assert done.exit_code == 0, done.output
    assert "NOT SIGNED" in done.output
    assert b64(KEY) not in done.output
    found = {path.name: path.read_bytes() for path in Path("files").iterdir()}
    assert found == {"1.smart-health-card": CARD, "2.fhir.json": FHIR_FILE, "3.bin": b"?"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path("files").iterdir()} == {0o600}
    assert stat.S_IMODE(Path("files").stat().st_mode) == 0o700
    again = opened(run, gateway, text, "--out", "files")
    assert (again.exit_code, "files" in again.stderr) == (4, True)


def test_health_cards_are_verified(run: Run, gateway: Gateway, trusted: None) -> None:
    def verdict(*files: tuple[str, bytes], **status: str) -> Result:
        return opened(run, gateway, served(gateway, *files, **status), "--verify", "--trust", "trust-made.db")

    good = verdict((HEALTH_CARD, card_file()), (FHIR, FHIR_FILE))
    assert (good.exit_code, "ACCEPTED" in good.output) == (0, True), good.output
    assert "File 2: application/fhir+json" in good.output
    forged = verdict((HEALTH_CARD, card_file()), (HEALTH_CARD, card_file(tamper=True)))
    assert (forged.exit_code, "SIGNATURE_INVALID" in forged.output) == (1, True)
    withdrawn = verdict((HEALTH_CARD, card_file()), status="retracted")
    assert (withdrawn.exit_code, "Withdrawn" in withdrawn.output) == (1, True)
    nothing = verdict((FHIR, FHIR_FILE))
    assert (nothing.exit_code, "nothing was verified" in nothing.stderr) == (3, True)
    damaged = verdict((HEALTH_CARD, b"\xff"))
    assert damaged.exit_code == 1


def test_what_is_told_as_json(run: Run, gateway: Gateway, trusted: None) -> None:
    text = served(gateway, (HEALTH_CARD, card_file()))
    done = opened(run, gateway, text, "--verify", "--json", "--trust", "trust-made.db")
    link, file = map(json.loads, done.stdout.splitlines())
    assert (link["signed"], "key" in link["link"]) == (None, False)
    assert (file["file"], file["content_type"], file["path"], file["status"]) == (1, HEALTH_CARD, None, None)
    assert (file["report"]["outcome"], file["report"]["family"]) == ("accepted", "SMART Health Card")


def test_a_signed_link_is_opened_when_its_certificate_is_accepted_alone(
    run: Run, gateway: Gateway, certificates: Path
) -> None:
    text = served(gateway, (FHIR, FHIR_FILE))
    done = opened(run, gateway, signed(text), "--out", "files", "--trust", "dsc.pem")
    assert (done.exit_code, "ACCEPTED" in done.output) == (0, True), done.output
    assert Path("files/1.fhir.json").read_bytes() == FHIR_FILE
    gateway.requests.clear()
    forged = signed(text, sign=lambda _: bytes(64))
    expired = signed(text)
    for certificate, options in (
        (forged, ("--trust", "dsc.pem")),
        (expired, ("--trust", "dsc.pem", "--at", (NOW + timedelta(days=60)).isoformat())),
        (Press().text(), ("--trust", "dsc.pem")),
    ):
        refused = opened(run, gateway, certificate, "--out", "more", *options)
        assert refused.exit_code == 1, refused.output
    assert opened(run, gateway, signed(text), "--out", "more").exit_code == 3
    assert gateway.requests == []
    assert not Path("more").exists()


def test_passcodes_come_from_a_file(run: Run, gateway: Gateway) -> None:
    text = HealthLink(url=f"{gateway.url}/p", key=KEY, flag="P").to_text()

    def answer(request: Request) -> Reply:
        right = json.loads(request.body)["passcode"] == "1234"
        return json_reply({"files": []}) if right else json_reply({"remainingAttempts": 4}, 401)

    gateway.route("/p", answer)
    Path("right").write_text("1234\n")
    Path("wrong").write_text("4321\n")
    assert opened(run, gateway, text, "--out", "files", "--passcode-file", "right").exit_code == 0
    wrong = opened(run, gateway, text, "--out", "other", "--passcode-file", "wrong")
    assert (wrong.exit_code, "PASSCODE_REFUSED" in wrong.stderr, "still takes: 4" in wrong.stderr) == (1, True, True)
    assert "4321" not in wrong.output
    none = opened(run, gateway, text, "--out", "third")
    assert (none.exit_code, "--passcode-file" in none.stderr) == (2, True)


def test_no_private_network_is_asked_unless_it_is_allowed(run: Run, gateway: Gateway) -> None:
    text = served(gateway, (FHIR, FHIR_FILE))
    done = run("link", "open", "--recipient", "Clinic", "--ca", gateway.ca, "--out", "files", stdin=text)
    assert (done.exit_code, "FETCH_REFUSED" in done.stderr) == (1, True)
    assert gateway.requests == []


def test_wrong_usage(run: Run, gateway: Gateway) -> None:
    text = served(gateway, (FHIR, FHIR_FILE))
    assert opened(run, gateway, text).exit_code == 2
    assert opened(run, gateway, f"{text}\n{text}", "--out", "files").exit_code == 2
    assert opened(run, gateway, text, "--out", "files", "--recipient", " ").exit_code == 2
    assert run("link", "open", "--out", "files", stdin=text).exit_code == 2
    assert gateway.requests == []


# --- make, decrypt ---


def test_a_link_is_made_served_and_opened(run: Run, gateway: Gateway) -> None:
    Path("card.smart-health-card").write_bytes(CARD)
    Path("bundle.json").write_bytes(FHIR_FILE)
    make = ("link", "make", "card.smart-health-card", "bundle.json", "--base", f"{gateway.url}/shl", "--out", "made")
    done = run(*make, "--label", "Both", "--compress", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["method"], told["media_type"]) == ("POST", "application/json")
    text = Path("made/link.txt").read_text().strip()
    assert hc.read_barcodes("made/link.png") == [text]
    link = read_link(text)
    assert (link.url, link.label) == (told["url"], "Both")
    assert b64(link.key) not in done.output
    document = Path(told["document"]).read_bytes()
    assert document.count(b"embedded") == 2
    assert stat.S_IMODE(Path("made/link.txt").stat().st_mode) == 0o600
    gateway.put(told["url"].removeprefix(gateway.url), document)
    assert opened(run, gateway, text, "--out", "files").exit_code == 0
    assert Path("files/2.fhir.json").read_bytes() == FHIR_FILE
    assert run(*make).exit_code == 2  # the folder is there


def test_a_direct_link_is_made_and_its_file_decrypted_without_a_network(run: Run) -> None:
    Path("bundle.json").write_bytes(FHIR_FILE)
    make = ("link", "make", "bundle.json", "--base", "https://links.example.org", "--out", "made", "--direct", "--vhl")
    done = run(*make, "--expires", "2030-01-01", "--long-term", "--viewer", "https://viewer.example.org")
    assert (done.exit_code, "GET" in done.output) == (0, True), done.output
    link = read_link(Path("made/link.txt").read_text().strip())
    assert (link.type, link.flag, link.exp, link.viewer) == ("vhl", "LU", 1_893_456_000, "https://viewer.example.org")
    (document,) = Path("made/server").iterdir()
    decrypted = run("link", "decrypt", document, "--link", "made/link.txt")
    assert (decrypted.exit_code, decrypted.stdout_bytes) == (0, FHIR_FILE)
    assert decrypted.stderr == "application/fhir+json, 26 bytes; nobody's signature was checked\n"
    Path("key").write_text(base64.urlsafe_b64encode(link.key).decode().rstrip("=") + "\n")
    assert run("link", "decrypt", document, "--key-file", "key", "--out", "out.json").exit_code == 0
    assert Path("out.json").read_bytes() == FHIR_FILE
    Path("key").write_text(b64(bytes(32)))
    wrong = run("link", "decrypt", document, "--key-file", "key")
    assert (wrong.exit_code, "DECRYPTION_FAILED" in wrong.stderr, wrong.stdout) == (1, True, "")
    Path("key").write_text("short")
    assert run("link", "decrypt", document, "--key-file", "key").exit_code == 2
    assert run("link", "decrypt", document).exit_code == 2


def test_what_no_link_is_made_to(run: Run) -> None:
    Path("notes.txt").write_text("not JSON")
    done = run("link", "make", "notes.txt", "--base", "https://links.example.org", "--out", "made")
    assert (done.exit_code, "FIELD_INVALID" in done.stderr, Path("made").exists()) == (1, True, False)
    Path("bundle.json").write_bytes(FHIR_FILE)
    both = ("link", "make", "bundle.json", "--base", "https://links.example.org", "--out", "made", "--direct")
    assert run(*both, "--passcode").exit_code == 1
