"""A look inside: every layer as far as it can be read, and nothing that could pass for a verified certificate."""

from __future__ import annotations

import json

import healthcert as hc
from tests.support import Press, dsc, vaccination


def test_every_layer_is_shown_with_its_headers_by_name() -> None:
    seen = hc.inspect_unverified(Press(unprotected={4: b"other", "x": 1}).text())
    assert seen.problem is None
    assert [layer.name for layer in seen.layers] == ["base45", "zlib", "COSE_Sign1", "CWT"]
    headers = seen.layers[2].content
    assert headers["protected"] == {"alg": "ES256", "kid": dsc().signer().kid}
    assert headers["unprotected"] == {"kid": b"other", '"x"': 1}
    assert len(headers["signature"]) == 64
    assert list(seen.layers[3].content) == ["iss", "exp", "iat", "hcert"]


def test_layers_above_a_fault_are_still_shown() -> None:
    seen = hc.inspect_unverified(Press(cwt=b"\x80").text())
    assert [layer.name for layer in seen.layers] == ["base45", "zlib", "COSE_Sign1"]
    assert seen.problem is not None
    assert (seen.problem.code, seen.problem.step) == ("CBOR_DESERIALIZATION_FAILED", "decode")
    assert hc.inspect_unverified("HC1:" + "A" * 5000).problem is not None
    assert hc.inspect_unverified("hello").layers == ()


def test_what_the_verifier_reads_can_be_looked_into() -> None:
    texts = (Press(payload=vaccination(dn=number)).text() for number in range(1, 100))
    escaped = next(text.replace(" ", "%20") for text in texts if " " in text)
    assert hc.inspect_unverified(escaped).problem is None


def test_it_is_another_type_and_says_so() -> None:
    seen = hc.inspect_unverified(Press().text())
    assert not issubclass(type(seen), hc.Report)
    assert not hasattr(seen, "certificate")
    assert json.loads(json.dumps(seen.to_dict()))["verified"] is False
