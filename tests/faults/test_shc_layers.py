"""One faulty layer at a time of a SMART Health Card: each is refused in its own step, under its own code."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

import healthcert as hc
from healthcert.encoding import deflate, jws
from healthcert.families.shc.family import SHC
from healthcert.families.shc.forms import to_digits
from healthcert.limits import DEFAULT_LIMITS
from tests.support_shc import CARD, ISSUER, NBF, NOW, Press, bundle, claims, examine, kid, verifier

HEADER = {"zip": "DEF", "alg": "ES256", "kid": kid()}
PAYLOAD = json.dumps(claims(), separators=(",", ":")).encode()
EXPECTED = "SCHEMA_VALIDATION_FAILED"


def header(**changes: Any) -> str:
    return Press(header={name: value for name, value in (HEADER | changes).items() if value != "-"}).text()


def payload(data: bytes) -> str:
    return Press(payload=data).text()


def compressed(data: bytes) -> str:
    return Press(compressed=data).text()


def of(**changes: Any) -> str:
    return Press({name: value for name, value in claims(**changes).items() if value != "-"}).text()


def der_signature() -> bytes:
    raw = jws._exact(Press().jws().rpartition(".")[2].encode()) or b""
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def spelled(text: str) -> str:
    return "shc:/" + to_digits(text.encode())


CASES = {
    "sound": (Press().text(), None, "OK"),
    "digits": ("shc:/" + to_digits(Press().jws().encode())[:-1], "decode", "NUMERIC_DECODING_FAILED"),
    "two parts": (spelled(Press().jws().rpartition(".")[0]), "decode", "JWS_DESERIALIZATION_FAILED"),
    "four parts": (spelled(Press().jws() + ".x"), "decode", "JWS_DESERIALIZATION_FAILED"),
    "another spelling": (spelled(Press().jws()[:-1] + "_"), "decode", "JWS_DESERIALIZATION_FAILED"),
    "no letters of a token": (spelled(Press().jws().replace(".", "/")), "decode", "JWS_DESERIALIZATION_FAILED"),
    "no alg": (header(alg="-"), "signature", "ALGORITHM_NOT_ACCEPTED"),
    "alg none": (header(alg="none"), "signature", "ALGORITHM_NOT_ACCEPTED"),
    "alg of another curve": (header(alg="ES384"), "signature", "ALGORITHM_NOT_ACCEPTED"),
    "alg that is a number": (header(alg=-7), "decode", "JWS_DESERIALIZATION_FAILED"),
    "alg that is null": (header(alg=None), "decode", "JWS_DESERIALIZATION_FAILED"),
    "no kid": (header(kid="-"), "trust", "KEY_NOT_IN_TRUST_LIST"),
    "another kid": (header(kid="x" * 43), "trust", "KEY_NOT_IN_TRUST_LIST"),
    "kid that is no text": (header(kid=1), "decode", "JWS_DESERIALIZATION_FAILED"),
    "kid that is null": (header(kid=None), "decode", "JWS_DESERIALIZATION_FAILED"),
    "kid with half a pair": (header(kid="\ud800"), "trust", "KEY_NOT_IN_TRUST_LIST"),
    "crit": (header(crit=["zip"]), "decode", "CRITICAL_HEADER_UNKNOWN"),
    "no zip": (header(zip="-"), "decode", "DECOMPRESSION_FAILED"),
    "another zip": (header(zip="GZ"), "decode", "DECOMPRESSION_FAILED"),
    "zip in a list": (header(zip=["DEF"]), "decode", "DECOMPRESSION_FAILED"),
    "not compressed": (compressed(PAYLOAD), "decode", "DECOMPRESSION_FAILED"),
    "a ZLIB stream": (compressed(zlib.compress(PAYLOAD)), "decode", "DECOMPRESSION_FAILED"),
    "cut short": (compressed(deflate.deflate(PAYLOAD, raw=True)[:-1]), "decode", "DECOMPRESSION_FAILED"),
    "bytes behind": (compressed(deflate.deflate(PAYLOAD, raw=True) + b"\0"), "decode", "DECOMPRESSION_FAILED"),
    "a bomb": (payload(b" " * (DEFAULT_LIMITS.inflated_bytes + 1)), "decode", "DECOMPRESSION_FAILED"),
    "a byte order mark": (payload(b"\xef\xbb\xbf" + PAYLOAD), "decode", "JSON_DESERIALIZATION_FAILED"),
    "characters behind": (payload(PAYLOAD + b"x"), "decode", "JSON_DESERIALIZATION_FAILED"),
    "two objects": (payload(PAYLOAD * 2), "decode", "JSON_DESERIALIZATION_FAILED"),
    "a member twice": (payload(PAYLOAD[:-1] + b',"iss":"x"}'), "decode", "JSON_DESERIALIZATION_FAILED"),
    "no UTF-8": (payload(PAYLOAD.replace(b"issuer", b"\xff")), "decode", "JSON_DESERIALIZATION_FAILED"),
    "no number": (payload(PAYLOAD.replace(b'"nbf":', b'"nbf":NaN,"x":')), "decode", "JSON_DESERIALIZATION_FAILED"),
    "an array": (payload(b"[%b]" % PAYLOAD), "decode", "JSON_DESERIALIZATION_FAILED"),
    "too deep": (of(x=json.loads("[" * 40 + "]" * 40)), "decode", "JSON_DESERIALIZATION_FAILED"),
    "far too deep": (payload(b"[" * 100_000), "decode", "JSON_DESERIALIZATION_FAILED"),
    "brackets in a text": (of(x="[{" * 40), None, "OK"),
    "no iss": (of(iss="-"), "trust", None),
    "iss that is no text": (of(iss=[ISSUER]), "trust", None),
    "iss with a slash": (of(iss=ISSUER + "/"), "trust", "ISSUER_INVALID"),
    "iss without TLS": (of(iss=ISSUER.replace("https", "http")), "trust", "ISSUER_INVALID"),
    "another iss": (of(iss="https://other.example.org"), "trust", "KEY_NOT_IN_TRUST_LIST"),
    "a DER signature": (Press(signature=der_signature()).text(), "signature", "SIGNATURE_INVALID"),
    "another signature": (Press(signature=bytes(64)).text(), "signature", "SIGNATURE_INVALID"),
    "no signature": (Press(signature=b"").text(), "signature", "SIGNATURE_INVALID"),
    "no nbf": (of(nbf="-"), "time", "CWT_TIME_INVALID"),
    "iat in its place": (of(nbf="-", iat=NBF), "time", "CWT_TIME_INVALID"),
    "nbf to come": (of(nbf=NOW.timestamp() + 1), "time", "CWT_NOT_YET_VALID"),
    "nbf in milliseconds": (of(nbf=NBF * 1000), "time", "CWT_TIME_INVALID"),
    "nbf that is a text": (of(nbf=str(NBF)), "time", "CWT_TIME_INVALID"),
    "nbf that is a truth": (of(nbf=True), "time", "CWT_TIME_INVALID"),
    "nbf that is null": (of(nbf=None), "time", "CWT_TIME_INVALID"),
    "nbf with a fraction": (of(nbf=NBF + 0.924), None, "OK"),
    "nbf of now": (of(nbf=NOW.timestamp()), None, "OK"),
    "exp of before": (of(exp=NOW.timestamp() - 1), "time", "CWT_EXPIRED"),
    "exp of now": (of(exp=NOW.timestamp()), "time", "CWT_EXPIRED"),
    "exp to come": (of(exp=NOW.timestamp() + 1), None, "OK"),
    "exp in milliseconds": (of(exp=NBF * 2000), "time", "CWT_TIME_INVALID"),
    "no vc": (of(vc="-"), "content", EXPECTED),
    "another type": (of(vc={"type": ["x"]}), "content", EXPECTED),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_refused_where_it_is(name: str) -> None:
    text, step, code = CASES[name]
    report = examine(text)
    assert report.step == step
    assert code is None or report.code == code
    assert report.outcome is (hc.Outcome.ACCEPTED if step is None else hc.Outcome.REFUSED)
    bare = "".join(chr(int(text[at : at + 2]) + 45) for at in range(5, len(text) - len(text) % 2, 2))
    if SHC.recognises(bare) and name != "digits":
        assert examine(bare).code == report.code, "as a token, without the digits"


def test_a_fault_is_told_without_what_the_card_says() -> None:
    for text, _, _ in CASES.values():
        report = examine(text)
        told = report.detail + "".join(warning.detail for warning in report.warnings)
        assert not any(word in told for word in ("Exemplaire", "Zoé", "1984", "0000007", "Hospital"))
        assert "Exemplaire" not in repr(report)


def test_another_family_of_keys_signs_no_cards() -> None:
    store = hc.TrustStore([hc.TrustedKey(kid=key.kid, spki=key.spki, domain="DCC") for key in verifier()._trust])
    report = hc.Verifier(store, clock=hc.FixedClock(NOW)).examine(Press().text())
    assert (report.step, report.code) == ("trust", "KEY_NOT_IN_TRUST_LIST")


def test_giant_json_is_bounded() -> None:
    many = {"type": [CARD] + ["x"] * 80_000}
    assert examine(Press(claims(vc=many)).text()).code in ("DECOMPRESSION_FAILED", "INPUT_TOO_LONG")
    wide = Press(claims(bundle(), x={str(number): number for number in range(10_000)})).jws()
    assert examine(wide).code == "OK"


def test_the_layers_are_shown_until_the_first_that_cannot_be_read() -> None:
    def shown(text: str) -> tuple[list[str], str | None]:
        names: list[str] = []
        try:
            names += [layer.name for layer in SHC.layers(text, DEFAULT_LIMITS)]
        except hc.DecodeError as error:
            return names, str(error.code)
        return names, None

    assert shown(Press().text()) == (["digits", "JWS", "DEFLATE", "JSON"], None)
    assert shown(Press().jws()) == (["JWS", "DEFLATE", "JSON"], None)
    first, *_ = SHC.layers(Press().text(), DEFAULT_LIMITS)
    assert repr(first) == f"Layer('digits', size={len(Press().text())})"
    layers = SHC.layers(Press().parts(3)[1], DEFAULT_LIMITS)
    assert next(layers).content == {"part": 2, "of": 3}
    with pytest.raises(hc.DecodeError, match="PARTS_MISSING"):
        next(layers)
