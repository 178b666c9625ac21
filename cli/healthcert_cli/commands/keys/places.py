"""Where a new key and its certificate go: options that the commands share, and what writes the files."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from healthcert.errors import Code, IssueError
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.keysource import open_private_key, pin_of
from healthcert.issue.pki import KeyKind, KeyPair, SigningKey, key_pem, new_key
from healthcert.issue.pki.findings import UNREADABLE
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.trust.files import read_path
from healthcert.trust.keys import TrustedKey
from healthcert.verify.report import describe_key
from healthcert_cli.options import Decorator, passphrase, passphrase_option, pin_option, write_private
from healthcert_cli.render import key_lines
from healthcert_cli.signing import CommandLineSecrets, KeySource
from healthcert_cli.text import printable

existing = click.Path(exists=True, dir_okay=False, path_type=Path)
kind_option: Decorator = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.EC_P256.value,
    show_default=True,
    help="Kind of key: EC P-256 signs ES256, RSA signs PS256.",
)
organisation_option: Decorator = click.option("--organisation", help="Organisation that the subject names.")


class _TokenKind(click.ParamType[str]):
    name = "uri"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            Pkcs11Uri.parse(value)
        except IssueError as error:
            self.fail(error.detail, param, ctx)
        return str(value)


class Place(Struct):
    """Where the key of a command's certificate is, or is made, and where its files go."""

    out: Path
    token: str | None
    held: str | Path | None
    passphrase_file: Path | None
    pin_file: Path | None
    no_passphrase: bool

    def check(self, *names: str) -> None:
        """Whether the files can be written, asked before a key is made for them. Raises FileExistsError."""
        if self.token is not None and self.held is not None:
            raise click.UsageError("--pkcs11 makes a new key, --key names one that is there: give one of them")
        if self.token is not None and self.no_passphrase:
            raise click.UsageError("--no-passphrase is for a key in a file, and --pkcs11 makes none")
        for path in (self.out / name for name in names):
            if path.exists():
                raise FileExistsError(errno.EEXIST, "will not be replaced", str(path))

    def files(self, stem: str) -> tuple[str, ...]:
        """The names of the files that a key and its certificate are written to, the key's first."""
        return (f"{stem}.pem",) if self.token or self.held else (f"{stem}.key.pem", f"{stem}.pem")

    def obtain(self, kind: KeyKind) -> tuple[SigningKey, bytes | None]:
        """The key, and the passphrase that its file is encrypted with, None for no file or no passphrase."""
        secrets = CommandLineSecrets(self.passphrase_file, self.pin_file)
        if self.token is not None:
            from healthcert.issue.hsm.keys import new_token_key

            uri = Pkcs11Uri.parse(self.token)
            return new_token_key(uri, kind, pin_of(uri, secrets)), None
        if self.held is not None:
            return _certifiable(open_private_key(self.held, secrets)), None
        secret = None if self.no_passphrase else passphrase(self.passphrase_file, confirm=True)
        return new_key(kind), secret

    def keep(self, key: SigningKey, stem: str, secret: bytes | None) -> None:
        """Writes the private key to its file, where it has one that is not there yet."""
        self.out.mkdir(parents=True, exist_ok=True)
        if self.token is None and self.held is None:
            write_private(self.out / f"{stem}.key.pem", key_pem(key, secret))

    def where(self, stem: str) -> str:
        """Where the private key is, as it may be shown: a file, or the URI of a key in a token."""
        return source_name(self.token or self.held or self.out / f"{stem}.key.pem")


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--out``, ``--pkcs11``, ``--key`` and what opens or encrypts the key, handed to the command as ``place``."""

    @wraps(command)
    def run(
        out: Path,
        token: str | None,
        held: str | Path | None,
        passphrase_file: Path | None,
        pin_file: Path | None,
        no_passphrase: bool,
        **others: Any,
    ) -> Any:
        place = Place(out, token, held, passphrase_file, pin_file, no_passphrase)
        return command(place=place, **others)

    wrapped: Callable[..., Any] = run
    for option in (
        click.option("--no-passphrase", is_flag=True, help="Leave the private key unencrypted."),
        pin_option,
        passphrase_option,
        click.option("--key", "held", type=KeySource(), help="A key that is there already: a file or PKCS #11 URI."),
        click.option(
            "--pkcs11",
            "token",
            metavar="URI",
            type=_TokenKind(),
            help="Make the key in a hardware module, which it never leaves; for example "
            "pkcs11:token=Health;object=dsc?module-path=/usr/lib/softhsm/libsofthsm2.so",
        ),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(),
            help="Folder for the files. [default: here]",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def authority_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--ca``, ``--ca-key`` and what opens that key."""
    for option in (
        click.option("--ca-pin-file", type=existing, help="Like --pin-file, for the CSCA's key."),
        click.option("--ca-passphrase-file", type=existing, help="Like --passphrase-file, for the CSCA's key."),
        click.option(
            "--ca-key", type=KeySource(), help="The CSCA's private key: a file or PKCS #11 URI. [default: csca.key.pem]"
        ),
        click.option("--ca", type=existing, help="The CSCA's certificate. [default: csca.pem]"),
    ):
        command = option(command)
    return command


def load_csca(
    certificate: Path | None, key: str | Path | None, passphrase_file: Path | None, pin_file: Path | None
) -> KeyPair:
    """The authority with this certificate and key: those in the folder where neither is named."""
    # Looked for here, and not by click: a certificate that signs itself needs no authority.
    authority = load_authority(certificate or Path(existing.convert("csca.pem", None, None)))
    source = key or KeySource().convert("csca.key.pem", None, None)
    private = _certifiable(open_private_key(source, CommandLineSecrets(passphrase_file, pin_file)))
    if private.public_key() != authority.public_key():
        raise IssueError(Code.SIGNER_KEY_MISMATCH, "the key is not the one of the CSCA's certificate")
    return KeyPair(private, authority)


def load_authority(certificate: Path) -> x509.Certificate:
    """The certificate of an authority, in PEM or DER."""
    data = read_file(certificate, DEFAULT_LIMITS.key_file_bytes)
    try:
        pem = b"-----BEGIN" in data
        found = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
        _ = found.subject, found.extensions, found.public_key()  # which would be read later, and unguarded
        return found
    except (UnsupportedAlgorithm, *UNREADABLE):
        raise IssueError(Code.CERTIFICATE_UNREADABLE, "the CSCA's certificate cannot be read") from None


def source_name(source: str | Path) -> str:
    """A source of a key as it may be shown: of a URI without the file that its PIN is in."""
    if isinstance(source, str) and is_pkcs11(source):
        uri = Pkcs11Uri.parse(source)
        return str(Pkcs11Uri(**{name: getattr(uri, name) for name in uri.__struct_fields__ if name != "pin_source"}))
    return str(source)


def write_certificate(certificate: x509.Certificate, path: Path) -> None:
    """Writes a new file with a certificate in PEM. Raises FileExistsError rather than replace one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(certificate.public_bytes(Encoding.PEM))


def tell(certificate: Path, key: str | None, *, signs_entries: bool, as_json: bool) -> None:
    """What was written: the certificate, and where its key is, None for somebody else's."""
    entry = next(iter(read_path(certificate)))
    assert isinstance(entry, TrustedKey)
    if as_json:
        about = describe_key(entry)
        click.echo(json.dumps({"certificate": str(certificate)} | ({"key": key} if key else {}) | about))
        return
    lines = [line for line in key_lines(entry) if signs_entries or not line.lstrip().startswith("May sign")]
    if key is None:
        first = f"{certificate} written"
    elif is_pkcs11(key):
        first = f"{certificate} written; its key is {key}"
    else:
        first = f"{certificate} and {key} written"
    click.echo("\n".join((printable(first), *lines)))


def _certifiable(key: object) -> SigningKey:
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise IssueError(Code.UNSUITABLE_PUBLIC_KEY_TYPE, "certificates are for EC and RSA keys, and signed with these")
