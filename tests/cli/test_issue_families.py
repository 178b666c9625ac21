"""Becoming a test issuer of each family in two commands, and issuing what a verifier then accepts."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run

URL = "https://cards.example/issuer"
DID = "did:web:passes.example"
WHO = ("--family-name", "Exemple", "--given-name", "Zoé", "--birth-date", "1984-02-29")
DOSE = ("--date", "2021-06-11", "--batch", "LOT9")

OUT = ("--issuer-id", URL, "--out", "x")
SHC_KEYS = ("publish", "issuer", "shc", "issuer.pub.pem", *OUT)
NZCP_KEYS = ("publish", "issuer", "nzcp", "issuer.pub.pem", "--issuer-id", DID, "--out", "x")

# How each becomes an issuer, and what it issues.
NEW = {
    "shc": ("keys", "new-issuer", "shc", "--issuer-id", URL, "--no-passphrase"),
    "nzcp": ("keys", "new-issuer", "nzcp", "--issuer-id", DID, "--no-passphrase"),
    "divoc": ("keys", "new-issuer", "divoc", "--issuer-id", DID, "--no-passphrase"),
    "2d-doc": ("keys", "new-issuer", "2d-doc", "--issuer-id", "FR00/0001", "--no-passphrase"),
}
CERTIFIED = {
    "vds-nc": ("keys", "new-bcs", "--no-passphrase"),
    "dvc": ("keys", "new-dsc", "--no-passphrase"),
    "light": ("keys", "new-dsc", "--no-passphrase"),
}
MOMENT = "2021-08-19T10:03:00+02:00"
ISSUE = {
    "shc vaccination": ("issue", "vaccination", "--issuer-id", URL, *WHO, *DOSE, "--vaccine", "208"),
    "shc test": (
        *("issue", "test", "--issuer-id", URL, *WHO, "--test-type", "94558-4", "--result", "negative"),
        *("--sampled-at", MOMENT, "--centre", "Example Hospital"),
    ),
    "nzcp": ("issue", "pass", "--issuer-id", DID, *WHO),
    "divoc vaccination": (
        *("issue", "vaccination", "--issuer-id", DID, *WHO, *DOSE, "--product", "COVISHIELD", "--dose", "2"),
        *("--series", "2", "--vaccine", "icd-11:XM9QW8", "--manufacturer", "Serum Institute of India"),
    ),
    "divoc test": (
        *("issue", "test", "--issuer-id", DID, *WHO, "--test-type", "RT-PCR", "--disease", "COVID-19"),
        *("--result", "Negative", "--sampled-at", MOMENT),
    ),
    "2d-doc vaccination": (
        *("issue", "vaccination", "--issuer-id", "FR00/0001", *WHO, "--vaccine", "J07BX03", "--product", "COMIRNATY"),
        *("--manufacturer", "PFIZER/BIONTECH", "--dose", "2", "--series", "2", "--date", "2021-06-11"),
    ),
    "vds-nc vaccination": (
        *("issue", "vaccination", *WHO, *DOSE, "--vaccine", "XM68M6", "--product", "Comirnaty", "--dose", "2"),
        *("--country", "FR", "--disease", "RA01"),
    ),
    "vds-nc test": (
        *("issue", "test", *WHO, "--document-number", "X1234567", "--document-type", "P", "--centre", "Hospital"),
        *("--test-type", "molecular(PCR)", "--result", "negative", "--country", "FR", "--sampled-at", MOMENT),
        *("--resulted-at", "2021-08-19T20:03:00+02:00", "--contact-phone", "+33123456789"),
        *("--contact-email", "a@example.org", "--contact-address", "1 rue de l'Exemple"),
    ),
    "dvc": (
        *("issue", "vaccination", "--full-name", "Zoé Exemple", "--birth-date", "1984-02-29", *DOSE),
        *("--product", "YellowFeverProductd2c75a15ed309658b3968519ddb31690", "--clinician", "Dr Example"),
        *("--sex", "female", "--nationality", "FRA"),
    ),
    "light": ("issue", "pass", *WHO, "--issuer-id", "CH BAG"),
}


def becomes(run: Run, family: str) -> None:
    """Makes the issuer's files, and the store that trusts it."""
    if family in NEW:
        made = run(*NEW[family], "--json")
        assert made.exit_code == 0, made.output
        words = shlex.split(json.loads(made.stdout)["trusted_with"])
        trusted = run(*words[1:])
    else:
        assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
        made = run(*CERTIFIED[family])
        assert made.exit_code == 0, made.output
        trusted = run("trust", "add", "csca.pem" if family == "vds-nc" else "dsc.pem")
    assert (trusted.exit_code, "1 key added" in trusted.output) == (0, True), trusted.output


@pytest.mark.parametrize("name", ISSUE)
def test_two_commands_make_an_issuer_and_the_third_issues(run: Run, name: str) -> None:
    family = name.partition(" ")[0]
    becomes(run, family)
    done = run(*ISSUE[name], "--family", family, "--qr", "code.png", "--text", "code.txt", "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert set(values) == {"certificate_id", "issued_at", "expires", "text"}
    assert values["text"] + "\n" == Path("code.txt").read_bytes().decode()
    for source in ("code.png", "code.txt"):
        # The light is for use in one country, so it is not accepted before that is said.
        at_home = ("--accept", "Swiss certificate light") if family == "light" else ()
        checked = run("verify", source, "--json", *at_home)
        report = json.loads(checked.stdout)
        assert (report["outcome"], report["detail"]) == ("accepted", ""), checked.output
        assert report["certificate"]["holder"]["birth_date"] == "1984-02-29"
        assert checked.exit_code == 0
    shown = run(*ISSUE[name], "--family", family)
    assert shown.exit_code == 0
    assert shown.stderr.startswith("Issued ")


def test_a_key_without_a_certificate_is_for_its_owner_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "secret words")
    done = run("keys", "new-issuer", "shc", "--issuer-id", URL)
    assert done.exit_code == 0, done.output
    assert "jwks.json written" in done.output
    assert b"ENCRYPTED" in Path("issuer.key.pem").read_bytes()
    assert stat.S_IMODE(Path("issuer.key.pem").stat().st_mode) == 0o600
    (published,) = json.loads(Path("jwks.json").read_text())["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert run(*ISSUE["shc vaccination"], "--family", "shc", "--text", "a.txt").exit_code == 0
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "other words")
    wrong = run(*ISSUE["shc vaccination"], "--family", "shc")
    assert (wrong.exit_code, "SIGNER_KEY_UNREADABLE" in wrong.output, "words" in wrong.output) == (4, True, False)
    before = Path("issuer.key.pem").read_bytes()
    again = run("keys", "new-issuer", "shc", "--issuer-id", URL)
    assert (again.exit_code, Path("issuer.key.pem").read_bytes()) == (4, before)


def test_a_card_file(run: Run) -> None:
    becomes(run, "shc")
    done = run(*ISSUE["shc vaccination"], "--family", "shc", "--file", "zoe.smart-health-card")
    assert done.exit_code == 0, done.output
    assert len(json.loads(Path("zoe.smart-health-card").read_text())["verifiableCredential"]) == 1
    checked = run("verify", "zoe.smart-health-card")
    assert checked.exit_code == 0, checked.output
    assert "ACCEPTED" in checked.output


def test_an_issued_card_is_revoked(run: Run) -> None:
    becomes(run, "shc")
    for rid in ("MKyCxh7p6uQ", "_w1ZaPVbeIQ"):
        done = run(*ISSUE["shc vaccination"], "--family", "shc", "--rid", rid, "--text", f"{rid}.txt", "--json")
        assert json.loads(done.stdout)["certificate_id"] == rid
    (key,) = json.loads(Path("jwks.json").read_text())["keys"]
    kid = key["kid"]
    Path("rids").write_text("MKyCxh7p6uQ\n")
    lists = Path("lists")
    lists.mkdir()
    made = run("revocation", "publish", "shc", "rids", "--kid", kid, "--out", lists / f"{kid}.json")
    assert made.exit_code == 0, made.output
    published = run(
        *("publish", "issuer", "shc", "issuer.pub.pem", "--issuer-id", URL),
        *("--crl", lists / f"{kid}.json", "--out", lists / "jwks.json"),
    )
    assert (published.exit_code, published.output) == (0, "1 key written to lists/jwks.json\n")
    (again,) = json.loads((lists / "jwks.json").read_text())["keys"]
    assert again == key | {"crlVersion": 1}
    option = ("--option", f"issuer={URL}")
    imported = run("revocation", "import", lists, "--format", "shc", *option)
    assert imported.exit_code == 0, imported.output
    outcomes = {rid: json.loads(run("verify", f"{rid}.txt", "--json").stdout) for rid in ("MKyCxh7p6uQ", "_w1ZaPVbeIQ")}
    assert [(one["outcome"], one["code"]) for one in outcomes.values()] == [("refused", "REVOKED"), ("accepted", "OK")]


def test_keys_of_passes_are_published_by_their_names(run: Run) -> None:
    becomes(run, "nzcp")
    Path("next").mkdir()
    assert run(*NEW["nzcp"], "--key-id", "key-2", "--out", "next").exit_code == 0
    done = run(
        *("publish", "issuer", "nzcp", "key-1=issuer.pub.pem", "key-2=next/issuer.pub.pem", "--issuer-id", DID),
        *("--out", "did.json", "--json"),
    )
    assert json.loads(done.stdout) == {"family": "nzcp", "keys": 2, "file": "did.json"}
    document = json.loads(Path("did.json").read_text())
    assert document["assertionMethod"] == [f"{DID}#key-1", f"{DID}#key-2"]
    added = run("trust", "add", "--vouch", "--source", "nzcp", "--option", f"issuer={DID}", "did.json")
    assert added.exit_code == 0, added.output
    second = run(
        *(*ISSUE["nzcp"], "--family", "nzcp", "--key", "next/issuer.key.pem", "--key-id", "key-2"),
        *("--validity", "30d", "--text", "second.txt"),
    )
    assert second.exit_code == 0, second.output
    assert run("verify", "second.txt").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        # What a family has no place for.
        (
            (*ISSUE["shc vaccination"], "--family", "shc", "--clinician", "Dr X"),
            1,
            "clinician: shc has no place for it",
        ),
        ((*ISSUE["nzcp"], "--family", "nzcp", "--given-name-icao", "ZOE"), 1, "given_name_icao: nzcp has no place"),
        ((*ISSUE["shc vaccination"], "--product", "X"), 2, "--issuer-id are for the other families: say --family"),
        ((*ISSUE["2d-doc vaccination"], "--family", "2d-doc", "--batch", "L"), 1, "batch: 2d-doc has no place for it"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--value-sets", "x"), 2, "--value-sets are for the EU DCC"),
        ((*ISSUE["nzcp"], "--family", "dcc"), 2, "'dcc' is not one of"),
        (("issue", "recovery", "--family", "shc"), 2, "No such option"),
        ((*ISSUE["divoc vaccination"], "--family", "divoc", "--rid", "abc"), 2, "--rid is for SMART Health Cards"),
        ((*ISSUE["divoc vaccination"], "--family", "divoc", "--file", "x"), 2, "--file is for SMART Health Cards"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--key-id", "k"), 2, "--key-id is for keys that a DID names"),
        (
            (*ISSUE["2d-doc vaccination"], "--family", "2d-doc", "--validity", "1d"),
            2,
            "--validity is for families that",
        ),
        # What is missing or wrong.
        (("issue", "pass", "--family", "nzcp", *WHO), 1, "--issuer-id: is missing; a DID of the web"),
        (("issue", "vaccination", "--family", "shc", *WHO, *DOSE, "--vaccine", "208"), 1, "--issuer-id: is missing"),
        (("issue", "pass", "--family", "nzcp", "--issuer-id", "x", *WHO), 1, "issuer: a DID of the web"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--date", "2999-01-01"), 1, "EVENT_IN_FUTURE"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--date", "11.06.2021"), 1, "date: a day as YYYY-MM-DD"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--dose", "two"), 1, "dose: a whole number"),
        (
            (*ISSUE["shc test"], "--family", "shc", "--sampled-at", "2021-08-19T10:03"),
            1,
            "sampled_at: a moment with its",
        ),
        (("issue", "test", "--family", "shc", "--issuer-id", URL, *WHO), 1, "result: is missing"),
        (("issue", "pass", "--family", "light", "--issuer-id", "CH BAG", *WHO), 2, "dsc.key.pem"),
        (("issue", "vaccination", "--family", "vds-nc", *WHO), 2, "bcs.key.pem"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--key", "none.pem"), 2, "none.pem"),
        ((*ISSUE["shc vaccination"], "--family", "shc", "--certificate", "none.pem"), 2, "none.pem"),
    ],
)
def test_what_cannot_be_issued(run: Run, arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    becomes(run, "shc")
    done = run(*arguments)
    assert (done.exit_code, said in done.output) == (exit_code, True), done.output
    assert "Zoé" not in done.output


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("keys", "new-issuer", "shc", "--issuer-id", "http://x", "--no-passphrase"), 1, "issuer: the https URL"),
        (("keys", "new-issuer", "nzcp", "--issuer-id", "did:key:x", "--no-passphrase"), 1, "issuer: a DID of the web"),
        (("keys", "new-issuer", "divoc", "--issuer-id", "health.example", "--no-passphrase"), 1, "--issuer-id: a DID"),
        (("keys", "new-issuer", "2d-doc", "--issuer-id", "FR000001", "--no-passphrase"), 1, "--issuer-id: four"),
        ((*NZCP_KEYS, "--crl", "jwks.json"), 2, "--crl"),
        (("publish", "issuer", "shc", "a=issuer.pub.pem", "a=issuer.pub.pem", *OUT), 2, "one name"),
        (("publish", "issuer", "shc", "issuer.key.pem", *OUT), 1, "private key"),
        (("publish", "issuer", "shc", "jwks.json", *OUT), 1, "CERTIFICATE_UNREADABLE"),
        ((*SHC_KEYS, "--crl", "jwks.json"), 1, "cannot be read"),
        ((*SHC_KEYS, "--out", "issuer.pub.pem"), 2, "files that are read"),
    ],
)
def test_what_cannot_be_published(run: Run, arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    becomes(run, "shc")
    done = run(*(arguments if arguments[0] == "publish" else (*arguments, "--out", "other")))
    assert (done.exit_code, said in done.output) == (exit_code, True), done.output
    assert not Path("x").exists()
