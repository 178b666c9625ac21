"""A pass for Apple's wallet: its files, its manifest and who may sign it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import healthcert as hc
from healthcert.document.passes.apple import PassSigner, apple_pass
from healthcert.document.passes.pictures import pictures_of
from healthcert.document.passes.strings import Strings
from healthcert.document.sheet import Field, Section
from healthcert.document.sheets import sheet_of
from healthcert.document.template import Template
from healthcert.document.words import LANGUAGES
from healthcert.encoding import cms
from healthcert.errors import Code, DocumentError
from healthcert.model import Scan
from tests.issuing import CASES
from tests.support import CLOCK, DAY, HOLDER, NOW, dsc, issue, verifier
from tests.unit.document import pass_world as world

ENTRY = re.compile(r'"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)";\n')


def opened(pkpass: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pkpass)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def description(pkpass: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(pkpass)["pass.json"])
    return found


def table(data: bytes) -> dict[str, str]:
    """A strings file, read as a telephone does; nothing in it is anything but entries."""
    found, end = {}, 0
    text = data.decode()
    for match in ENTRY.finditer(text):
        assert match.start() == end
        end = match.end()
        key, value = (re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), part) for part in match.groups())
        assert key not in found
        found[key] = value
    assert end == len(text)
    return found


@pytest.fixture(scope="module")
def pkpass() -> bytes:
    return apple_pass(world.SHEETS, world.text(), world.signer())


def test_the_manifest_has_the_digest_of_every_file(pkpass: bytes) -> None:
    files = opened(pkpass)
    manifest = json.loads(files["manifest.json"])
    listed = {name: hashlib.sha1(data).hexdigest() for name, data in files.items()}
    del listed["manifest.json"], listed["signature"]
    assert manifest == listed
    assert {"pass.json", "icon.png", "icon@2x.png", "icon@3x.png", "ar.lproj/pass.strings"} <= manifest.keys()


def test_the_signature_is_the_signers_over_the_manifest(pkpass: bytes) -> None:
    files = opened(pkpass)
    message = cms.read(files["signature"])
    [by] = message.signers
    key = world.rsa_key().public_key()
    assert message.content is None
    assert set(message.certificates) == {
        world.pass_certificate().public_bytes(Encoding.DER),
        world.wwdr().public_bytes(Encoding.DER),
    }
    assert by.signing_time == NOW
    assert by.verify(key, files["manifest.json"], cms.DATA)
    assert not by.verify(key, files["manifest.json"] + b" ", cms.DATA)


def test_the_same_pass_has_the_same_bytes(pkpass: bytes) -> None:
    assert apple_pass(world.SHEETS, world.text(), world.signer()) == pkpass
    with zipfile.ZipFile(io.BytesIO(pkpass)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())


def test_the_description_says_what_the_pass_is(pkpass: bytes) -> None:
    found = description(pkpass)
    generic = found.pop("generic")
    barcode = {"format": "PKBarcodeFormatQR", "message": world.text(), "messageEncoding": "iso-8859-1"}
    assert found.pop("serialNumber").isalnum()
    assert found == {
        "formatVersion": 1,
        "passTypeIdentifier": world.PASS_TYPE,
        "teamIdentifier": world.TEAM,
        "organizationName": "Ministry of Examples",
        "description": "EU Digital COVID Certificate",
        "logoText": "EU Digital COVID Certificate",
        "foregroundColor": "rgb(255, 255, 255)",
        "labelColor": "rgb(255, 255, 255)",
        "backgroundColor": found["backgroundColor"],
        "sharingProhibited": True,
        "expirationDate": "2022-08-20T23:59:59Z",
        "barcodes": [barcode],
        "barcode": barcode,
    }
    front = [generic[group][0]["value"] for group in ("primaryFields", "secondaryFields", "auxiliaryFields")]
    assert front == ["France", "1984-02-29", "Vaccination 2/2, 2021-06-11"]
    back = [(field["label"], field["value"].rstrip("\u200b")) for field in generic["backFields"]]
    assert back == [
        ("Name", "France"),
        ("ICAO", "FRANCE"),
        ("Date of birth", "1984-02-29"),
        ("Country", "France"),
        ("Dose", "2/2"),
        ("EU Digital COVID Certificate", "Keep it."),
    ]
    keys = [field["key"] for group in generic.values() for field in group]
    assert len(set(keys)) == len(keys)


def test_a_person_called_as_a_country_keeps_the_name_in_every_language(pkpass: bytes) -> None:
    generic = description(pkpass)["generic"]
    german = table(opened(pkpass)["de.lproj/pass.strings"])
    name, *_, country = (f["value"] for f in generic["backFields"] if f["value"].startswith("France"))
    assert german.get(name, name) == "France"
    assert german[country] == "Frankreich"
    assert german["Date of birth"] == "Geburtsdatum"
    assert table(opened(pkpass)["en.lproj/pass.strings"])[country] == "France"
    assert table(opened(pkpass)["ar.lproj/pass.strings"])["Country"] == "البلد"


def test_the_serial_number_tells_nothing_and_stays(pkpass: bytes) -> None:
    again = apple_pass(world.SHEETS[:1], world.text(), world.signer())
    other = apple_pass(world.SHEETS[:1], CASES["nzcp"].issue().text, world.signer())
    serials = [description(found)["serialNumber"] for found in (pkpass, again, other)]
    assert serials[0] == serials[1] != serials[2]
    uvci = hashlib.sha256(b"URN:UVCI:01:FR:EXAMPLE").hexdigest()
    assert serials[0] not in uvci


def test_several_events_are_told_apart() -> None:
    sheets = [world.sheet("en", events=2)]
    labels = [
        f["label"] for f in description(apple_pass(sheets, world.text(), world.signer()))["generic"]["backFields"]
    ]
    assert labels[3:7] == [
        "1 · Vaccination · Country",
        "1 · Vaccination · Dose",
        "2 · Vaccination · Country",
        "2 · Vaccination · Dose",
    ]


def test_the_name_is_written_as_people_do() -> None:
    names = [("family_name", "Exemplaire"), ("given_name", "Zoé"), ("full_name", "Z. E."), ("given_name_icao", "ZOE")]
    for count, expected in enumerate(["EU Digital COVID Certificate", "ZOE", "Z. E.", "Zoé", "Zoé Exemplaire"]):
        fields = tuple(Field(name=kind, label=kind, value=value) for kind, value in names[len(names) - count :])
        sheet = msgspec.structs.replace(world.sheet("en"), holder=Section(title="Holder", fields=fields))
        generic = description(apple_pass([sheet], world.text(), world.signer()))["generic"]
        assert generic["primaryFields"][0]["value"] == expected
        assert generic["secondaryFields"] == []


def test_a_certificate_of_ours_in_all_languages() -> None:
    holder = msgspec.structs.replace(HOLDER, given_name="Zo\u202eé\x1b[31m")
    issued = issue(holder=HOLDER)
    certificate = msgspec.structs.replace(verifier(dsc()).verify(issued.text).certificate, holder=holder)
    sheets = [sheet_of(certificate, lang=lang) for lang in LANGUAGES]
    files = opened(apple_pass(sheets, issued.text, world.signer()))
    generic = json.loads(files["pass.json"])["generic"]
    assert generic["primaryFields"][0]["value"] == "Zoé [31m Exemplaire-Müller"
    assert generic["secondaryFields"][0]["value"] == "1984-02-29"
    for sheet in sheets:
        words = table(files[f"{sheet.lang}.lproj/pass.strings"])
        summary = generic["auxiliaryFields"][0]["value"]
        assert words.get(summary, summary) == sheet.summary
        labels = [words.get(field["label"], field["label"]) for field in generic["backFields"]]
        sections = (sheet.holder, *sheet.events)
        assert labels == [*(field.label for section in sections for field in section.fields), sheet.title]


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=8)] * 2), max_size=12))
def test_every_text_is_found_again_in_its_language(texts: list[tuple[str, str]]) -> None:
    strings = Strings(("en", "fr"))
    keys = [strings.key(pair) for pair in texts]
    files = {name: table(data) for name, data in strings.files()}
    for pair, key in zip(texts, keys, strict=True):
        assert key.rstrip("\u200b") == pair[0].rstrip("\u200b")
        assert files["en.lproj/pass.strings"].get(key, key) == pair[0]
        assert files["fr.lproj/pass.strings"].get(key, key) == pair[1]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_every_family_has_a_pass_or_a_reason(case: Any) -> None:
    issued = case.issue()
    text = Scan.of(issued.binary) if issued.wire.media_type == "application/zip" else issued.text
    if issued.wire.media_type == "application/zip" or issued.wire.symbol == "datamatrix":
        with pytest.raises(DocumentError) as caught:
            apple_pass(world.SHEETS, text, world.signer())
        assert caught.value.code is Code.DOCUMENT_FAILED
    else:
        found = description(apple_pass(world.SHEETS, text + "\n", world.signer()))
        assert found["barcodes"][0]["message"] == text


@pytest.mark.parametrize("text", ["", "HELLO", "HC1:" + "A" * 100_000, "HC1:\u00e9"])
def test_what_is_no_certificate_gets_no_pass(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        apple_pass(world.SHEETS, text, world.signer())
    assert caught.value.code is Code.DOCUMENT_FAILED


@pytest.mark.parametrize("lang", ["../../etc", "EN", "", "e", "en/x", "en\n"])
def test_a_language_names_a_folder_and_nothing_else(lang: str) -> None:
    sheets = [msgspec.structs.replace(world.sheet("en"), lang=lang)]
    with pytest.raises(ValueError, match="BCP 47"):
        apple_pass(sheets, world.text(), world.signer())


def test_sheets_are_of_one_certificate() -> None:
    with pytest.raises(ValueError, match="one certificate"):
        apple_pass([world.sheet("en"), world.sheet("de", events=2)], world.text(), world.signer())
    for sheets in ([], [world.sheet("en")] * 2):
        with pytest.raises(ValueError, match="one for each language"):
            apple_pass(sheets, world.text(), world.signer())


def png(size: tuple[int, int] = (400, 100)) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", size, "#ff000080").save(file, "PNG")
    return file.getvalue()


def test_what_a_certificate_does_not_tell_is_not_on_the_pass() -> None:
    sheet = msgspec.structs.replace(world.sheet("en", notice=()), issuer="", expires_on=None)
    found = description(apple_pass([sheet], world.text(), world.signer()))
    assert found["organizationName"] == "EU Digital COVID Certificate"
    assert found["generic"]["backFields"][-1]["label"] == "Dose"
    assert "expirationDate" not in found


def test_the_template_names_the_issuer_and_gives_the_colour() -> None:
    template = Template(name="Ministry of Health", colour="#0b6e4f")
    found = description(apple_pass(world.SHEETS, world.text(), world.signer(), template=template))
    assert found["organizationName"] == "Ministry of Health"
    assert found["backgroundColor"] == "rgb(11, 110, 79)"


def test_the_pictures_have_the_sizes_that_a_telephone_wants() -> None:
    found = pictures_of(Template(logo=png(), logo_alternative="Ministry"))
    sizes = {name: Image.open(io.BytesIO(data)).size for name, data in found.items()}
    assert sizes == {
        "icon.png": (29, 29),
        "icon@2x.png": (58, 58),
        "icon@3x.png": (87, 87),
        "logo.png": (160, 40),
        "logo@2x.png": (320, 80),
        "logo@3x.png": (480, 120),
    }


def test_a_drawn_logo_leaves_the_place_to_the_title() -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
    assert all(name.startswith("icon") for name in pictures_of(Template(logo=drawing, logo_alternative="Ministry")))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "key.pem").write_bytes(world.pem(world.rsa_key()))
    (tmp_path / "pass.cer").write_bytes(world.pass_certificate().public_bytes(Encoding.DER))
    (tmp_path / "wwdr.pem").write_bytes(world.wwdr().public_bytes(Encoding.PEM))
    return tmp_path


def load(files: Path, passphrase: bytes | None = None) -> PassSigner:
    return PassSigner.load(
        files / "key.pem", files / "pass.cer", files / "wwdr.pem", passphrase=passphrase, clock=CLOCK
    )


def test_a_signer_is_loaded_from_files(files: Path, pkpass: bytes) -> None:
    (files / "key.pem").write_bytes(world.pem(world.rsa_key(), b"secret"))
    signer = load(files, b"secret")
    assert apple_pass(world.SHEETS, world.text(), signer) == pkpass
    assert repr(signer) == f"PassSigner({world.PASS_TYPE}, {world.TEAM})"
    for passphrase in (None, b"other"):
        with pytest.raises(DocumentError) as caught:
            load(files, passphrase)
        assert caught.value.code is Code.SIGNER_KEY_UNREADABLE


def test_a_signer_is_loaded_from_a_keychains_export(files: Path, pkpass: bytes) -> None:
    p12 = pkcs12.serialize_key_and_certificates(
        b"pass", world.rsa_key(), world.pass_certificate(), None, BestAvailableEncryption(b"secret")
    )
    (files / "pass.p12").write_bytes(p12)
    signer = PassSigner.load_pkcs12(files / "pass.p12", files / "wwdr.pem", passphrase=b"secret", clock=CLOCK)
    assert apple_pass(world.SHEETS, world.text(), signer) == pkpass
    with pytest.raises(DocumentError) as caught:
        PassSigner.load_pkcs12(files / "pass.p12", files / "wwdr.pem", passphrase=b"other")
    assert caught.value.code is Code.SIGNER_KEY_UNREADABLE


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("key.pem", lambda: b"", Code.SIGNER_KEY_UNREADABLE),
        ("key.pem", lambda: world.pem(world.authority_key()), Code.UNSUITABLE_PUBLIC_KEY_TYPE),
        ("pass.cer", lambda: b"\x30\x03\x02\x01\x01", Code.CERTIFICATE_UNREADABLE),
        ("wwdr.pem", lambda: b"-----BEGIN CERTIFICATE-----\n", Code.CERTIFICATE_UNREADABLE),
        ("wwdr.pem", lambda: world.root().public_bytes(Encoding.PEM), Code.SIGNER_KEY_MISMATCH),
        ("pass.cer", lambda: world.wwdr().public_bytes(Encoding.DER), Code.SIGNER_KEY_MISMATCH),
        ("key.pem", lambda: b"x" * (2 * 1024 * 1024), Code.INPUT_TOO_LONG),
    ],
    ids=["empty-key", "ec-key", "no-certificate", "half-pem", "another-issuer", "another-key", "too-long"],
)
def test_files_that_do_not_serve(files: Path, name: str, data: Callable[[], bytes], code: Code) -> None:
    (files / name).write_bytes(data())
    with pytest.raises(hc.HealthCertError) as caught:
        load(files)
    assert caught.value.code is code


def test_a_certificate_with_another_signature_is_not_its_issuers() -> None:
    forged = world.certificate(world.PASS_SUBJECT, world.rsa_key(), issuer="WWDR", by=world.dishonest_key())
    with pytest.raises(DocumentError) as caught:
        PassSigner(world.rsa_key(), world.parsed(forged), world.parsed(world.wwdr()))
    assert caught.value.code is Code.SIGNER_KEY_MISMATCH


@pytest.mark.parametrize(
    "subject",
    [
        world.PASS_SUBJECT[:2],
        world.PASS_SUBJECT[1:],
        [(NameOID.USER_ID, "com.example.app"), world.PASS_SUBJECT[2]],
        [*world.PASS_SUBJECT, (NameOID.USER_ID, "pass.example.other")],
    ],
    ids=["no-team", "no-type", "an-application", "two-types"],
)
def test_a_certificate_that_is_not_for_passes(subject: world.Pairs) -> None:
    other = world.certificate(subject, world.rsa_key(), issuer="WWDR")
    with pytest.raises(DocumentError) as caught:
        PassSigner(world.rsa_key(), world.parsed(other), world.parsed(world.wwdr()))
    assert caught.value.code is Code.CERTIFICATE_UNREADABLE


@pytest.mark.parametrize(
    ("moment", "code"),
    [(NOW + world.YEAR + DAY, Code.PUBLIC_KEY_EXPIRED), (NOW - world.YEAR - DAY, Code.PUBLIC_KEY_NOT_YET_VALID)],
    ids=["expired", "not-yet"],
)
def test_a_certificate_that_is_not_valid_signs_nothing(moment: Any, code: Code) -> None:
    clock = hc.FixedClock(moment)
    signer = PassSigner(world.rsa_key(), world.parsed(world.pass_certificate()), world.parsed(world.wwdr()), clock)
    with pytest.raises(DocumentError) as caught:
        apple_pass(world.SHEETS, world.text(), signer)
    assert caught.value.code is code
