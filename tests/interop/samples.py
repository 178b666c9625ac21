"""What other projects publish, read where it lies: texts in pictures and files, keys in lists of every form."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.encoding import base45, cose, deflate
from tests.conftest import interop_folder
from tests.support import Press, dsc

ROOT = interop_folder()
OURS = "ours"
"""Signed again in the test, for want of the key: to see that time and content are read right."""


def found(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file())


# --- Reading the samples ---


@cache
def load(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


@cache
def text_of(path: str) -> str:
    """The text of a sample; a payload that is in no text yet is put into one."""
    file = ROOT / path
    match file.suffix.lower():
        case ".png":
            (text,) = hc.read_barcodes(file)
        case ".txt":
            text = file.read_text("utf-8")
        case ".bin":
            text = "HC1:" + base45.encode(deflate.deflate(file.read_bytes()))
        case _:
            content = load(path)
            if "ver" in content:
                return Press(payload=content).text()
            if "-260" in content:
                return Press(cwt=cbor2.dumps(with_integers(content))).text()
            text = content.get("PREFIX") or content["uri"]
    assert isinstance(text, str)
    return text


def with_integers(claims: Mapping[str, Any]) -> dict[int, Any]:
    """Claims as JSON has them, with the keys that they have in CBOR."""
    numbered: dict[int, Any] = {int(key): value for key, value in claims.items()}
    numbered[-260] = {int(key): value for key, value in numbered[-260].items()}
    return numbered


def message_in(text: str) -> cose.Sign1:
    return cose.decode_sign1(deflate.inflate(base45.decode(text[4:].strip("\r\n")), limit=100_000), max_depth=16)


# --- Reading the keys ---


@cache
def store_of(trust: tuple[str, ...], sample: str) -> hc.TrustStore:
    store = hc.TrustStore()
    for name in trust:
        store.add(keys_of(name, sample))
    return store


def keys_of(name: str, sample: str) -> Iterator[hc.TrustedKey]:
    path, _, part = name.partition("#")
    if path == OURS:
        (key,) = hc.TrustStore.from_certificates(dsc().certificate_der())
        yield hc.TrustedKey(kid=key.kid, spki=key.spki)
    elif path.endswith("CERTIFICATE") or part.endswith("CERTIFICATE"):
        context = load(path if part else sample)["TESTCTX"]
        field = part or path
        # Austria's list is for exemptions, and nothing in its certificates says so.
        domain = "AT-EXEMPTION" if field == "AT_CERTIFICATE" else None
        yield from hc.TrustStore.from_certificates(context[field], domain=domain)
    elif not path.endswith(".json"):
        yield from hc.TrustStore.from_path(ROOT / path)
    elif path.endswith("dsc-list.json"):
        yield from hc.TrustStore.from_certificates([base64.b64decode(entry["rawData"]) for entry in dsc_list(path)])
    elif path.endswith("jwks.json"):
        for entry in load(path)["keys"]:
            x, y, kid = (base64.urlsafe_b64decode(entry[field] + "==") for field in ("x", "y", "kid"))
            point = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
            yield hc.TrustedKey(kid=kid, spki=point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    else:
        store = hc.TrustStore()
        for kid, entry in (load(path)[part] if part else load(path)).items():
            with suppress(hc.TrustError):
                store.add_public_key(entry["publicKeyPem"], kid=base64.b64decode(kid))
        yield from store


def dsc_list(path: str) -> list[dict[str, str]]:
    """The entries of a national list, which stand below a line with its signature."""
    entries: list[dict[str, str]] = json.loads((ROOT / path).read_text("utf-8").split("\n", 1)[1])["certificates"]
    return entries
