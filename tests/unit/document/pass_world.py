"""What the tests of passes share: an authority as Apple's, one RSA key for all, and sheets in three languages."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from healthcert.document.passes.apple import PassSigner
from healthcert.document.passes.google import ServiceAccount
from healthcert.document.sheet import Field, Section, Sheet
from healthcert.lists.x509 import Certificate, parse_certificate
from tests.support import CLOCK, NOW, issue

PASS_TYPE, TEAM = "pass.example.certificates", "A1B2C3D4E5"
EMAIL = "passes@example.iam.gserviceaccount.com"
YEAR = timedelta(days=365)
Pairs = list[tuple[ObjectIdentifier, str]]
PASS_SUBJECT: Pairs = [
    (NameOID.USER_ID, PASS_TYPE),
    (NameOID.COMMON_NAME, f"Pass Type ID: {PASS_TYPE}"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM),
]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def authority_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def dishonest_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    subject: Pairs,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    issuer: str = "Root",
    ca: bool = False,
    since: datetime = NOW - YEAR,
    until: datetime = NOW + YEAR,
    by: ec.EllipticCurvePrivateKey | None = None,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name([(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(by or authority_key(), hashes.SHA256())
    )


@cache
def root() -> x509.Certificate:
    return certificate([(NameOID.COMMON_NAME, "Root")], authority_key(), ca=True)


@cache
def wwdr() -> x509.Certificate:
    return certificate([(NameOID.COMMON_NAME, "WWDR")], authority_key(), ca=True)


@cache
def pass_certificate() -> x509.Certificate:
    return certificate(PASS_SUBJECT, rsa_key(), issuer="WWDR")


@cache
def signer() -> PassSigner:
    return PassSigner(rsa_key(), parsed(pass_certificate()), parsed(wwdr()), CLOCK)


@cache
def account() -> ServiceAccount:
    return ServiceAccount(EMAIL, "key-1", rsa_key(), CLOCK)


@cache
def text() -> str:
    return issue().text


def parsed(found: x509.Certificate) -> Certificate:
    return parse_certificate(found.public_bytes(Encoding.DER))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def key_file(**changes: object) -> bytes:
    """The key file of a service account, as Google's console gives it."""
    found: dict[str, object] = {
        "type": "service_account",
        "private_key_id": "key-1",
        "private_key": pem(rsa_key()).decode(),
        "client_email": EMAIL,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return json.dumps(found | changes).encode()


WORDS = {
    "en": ("EU Digital COVID Certificate", "Name", "Date of birth", "Vaccination", "Country", "France", "Dose"),
    "de": ("Digitales COVID-Zertifikat der EU", "Name", "Geburtsdatum", "Impfung", "Land", "Frankreich", "Dosis"),
    "ar": ("شهادة كوفيد الرقمية", "الاسم", "تاريخ الميلاد", "التطعيم", "البلد", "فرنسا", "الجرعة"),
}


def sheet(lang: str = "en", *, name: str = "France", events: int = 1, notice: tuple[str, ...] = ("Keep it.",)) -> Sheet:
    """What is said of a person called France, vaccinated in France."""
    title, named, born, vaccination, country, france, dose = WORDS[lang]
    fields = (
        Field(name="country", label=country, value=france),
        Field(name="dose", label=dose, value="2/2"),
    )
    return Sheet(
        lang=lang,
        rtl=lang == "ar",
        title=title,
        english_title=None if lang == "en" else WORDS["en"][0],
        holder=Section(
            title=named,
            fields=(
                Field(name="given_name", label=named, value=name),
                Field(name="given_name_icao", label="ICAO", value="FRANCE"),
                Field(name="birth_date", label=born, value="1984-02-29"),
            ),
        ),
        events=(Section(title=vaccination, fields=fields),) * events,
        summary=f"{vaccination} 2/2, 2021-06-11",
        certificate_id="URN:UVCI:01:FR:EXAMPLE",
        issuer="Ministry of Examples",
        issued_on=NOW.date(),
        expires_on=date(2022, 8, 20),
        notice=notice,
        barcode_alternative="QR code of the certificate",
    )


SHEETS = tuple(map(sheet, WORDS))


def _name(subject: Pairs) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
