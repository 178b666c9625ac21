"""``healthcert register claim-code``, ``claim`` and ``bound``: a certificate and the device of its holder."""

from __future__ import annotations

import base64
import json
import sys
from datetime import timedelta
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from healthcert.authority import binding
from healthcert.errors import Code, RegisterError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.authorities import profile_of, profile_option, register_of
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Duration, json_option

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("claim-code")
@click.argument("certificate_id", metavar="IDENTIFIER")
@click.option(
    "--lifetime",
    type=Duration(),
    default=binding.LIFETIME,
    show_default=f"{binding.LIFETIME.days}d",
    help="How long the code may be used.",
)
@profile_option
@json_option
@boundary
def claim_code(certificate_id: str, lifetime: timedelta, profile: Path | None, as_json: bool) -> None:
    """Make a code by which the holder binds the certificate to a device: shown once, and kept nowhere.

    An earlier code ends. The holder is given it on another way than the certificate.
    """
    with register_of(profile_of(profile)) as register:
        code = binding.new_code(register, certificate_id, lifetime=lifetime)
    click.echo(json.dumps({"certificate_id": certificate_id, "code": code}) if as_json else code)


@click.command()
@click.argument("certificate_id", metavar="IDENTIFIER")
@click.option("--public-key", type=_file, required=True, help="The device's public key (PEM).")
@click.option("--proof", type=_file, required=True, help="The device's signature over the request, in base64 or bytes.")
@profile_option
@json_option
@boundary
def claim(certificate_id: str, public_key: Path, proof: Path, profile: Path | None, as_json: bool) -> None:
    """Bind a certificate to a device; the code is read from standard input, or asked for.

    The proof is the device's signature over what docs/how-to/bind-a-certificate-to-its-holder.md describes. Answers
    with the code that moves the certificate to the holder's next device.
    """
    with register_of(profile_of(profile)) as register:
        claimed = binding.claim(
            register, certificate_id, _code(), public_key=_public_key(public_key), proof=_signature(proof)
        )
    if as_json:
        click.echo(json.dumps({"certificate_id": certificate_id, "next_code": claimed.next_code}))
    else:
        click.echo(f"Bound. The code for the next device: {claimed.next_code}")


@click.command()
@click.argument("certificate_id", metavar="IDENTIFIER")
@profile_option
@json_option
@boundary
def bound(certificate_id: str, profile: Path | None, as_json: bool) -> Exit:
    """Tell which device a certificate is bound to: the public key, in PEM. Exit code 1 where it is bound to none."""
    with register_of(profile_of(profile)) as register:
        found = binding.binding_of(register, certificate_id)
    if found is None:
        click.echo(json.dumps({"bound": False}) if as_json else "Not bound.", err=not as_json)
        return Exit.REFUSED
    key = base64.b64encode(found.public_key).decode()
    if as_json:
        click.echo(json.dumps({"bound": True, "public_key": key, "bound_at": found.bound_at.isoformat()}))
    else:
        lines = "\n".join(key[at : at + 64] for at in range(0, len(key), 64))
        click.echo(f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----")
    return Exit.ACCEPTED


def _code() -> str:
    """The claim code: never from the arguments, which other users of a machine can see."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Claim code", hide_input=True, err=True)
        return typed
    return sys.stdin.readline().strip()


def _public_key(path: Path) -> bytes:
    try:
        key = load_pem_public_key(read_file(path, DEFAULT_LIMITS.key_file_bytes))
    except ValueError:
        raise RegisterError(Code.REQUEST_INVALID, "the public key is no public key in PEM") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signature(path: Path) -> bytes:
    data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except ValueError:
        return data
