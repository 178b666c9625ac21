"""What other projects compute for revocation: hashes of certificates, filters, identifiers of cards."""

from __future__ import annotations

import base64
import json
import math
from functools import cache
from typing import Any

import pytest

from healthcert.families import recognise
from healthcert.families.protocol import Decoded
from healthcert.limits import DEFAULT_LIMITS
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.identifiers import IdentifierType, fhir_rid, hcert_identifiers, rid_key
from tests.conftest import interop_folder

ROOT = interop_folder()
pytestmark = pytest.mark.usefixtures("interop")


@cache
def load(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


# --- Hashes of certificates (Corona-Warn-App) ---


def decoded(text: str) -> Decoded:
    family, text = recognise(text, DEFAULT_LIMITS)
    return family.decode(text, DEFAULT_LIMITS)


@pytest.mark.parametrize("number", range(3))
def test_hashes_of_certificates(number: int) -> None:
    samples = load("revocation/cwa/RevocationCalculationSampleData.json")
    assert len(samples) == 3
    sample = samples[number]
    certificate = decoded(sample["barcodeData"])
    assert certificate.algorithm is not None
    (dcc,) = certificate.content.values()
    found = hcert_identifiers(
        signature=certificate.signature,
        algorithm=certificate.algorithm,
        entries=[(entry["ci"], entry["co"]) for group in "vtr" for entry in dcc.get(group) or ()],
        issuer=certificate.claims.issuer,
    )
    for kind in (IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI, IdentifierType.SIGNATURE):
        assert [key.hex() for key in found[kind]] == [sample[f"exp{kind}"]], kind
    # The Dutch key is of more than r, but for RSA, where both are of the whole.
    same = found[IdentifierType.NL_PROOF] == found[IdentifierType.SIGNATURE]
    assert same is (certificate.algorithm.name == "PS256")


# --- Bloom filters (dgc-bloomfilter) ---


def filter_of(case: dict[str, Any]) -> BloomFilter:
    made = BloomFilter.create(len(case["data"]), case["p"])
    for element, written in zip(case["data"], case["written"], strict=True):
        if written:
            made.add(element.encode())
    return made


@pytest.mark.parametrize("number", range(4))
def test_filters_are_the_same_to_the_bit(number: int) -> None:
    cases = load("revocation/dgc-bloomfilter/filter-test.json")
    assert len(cases) == 4
    case = cases[number]
    made = filter_of(case)
    words = json.loads(base64.b64decode(case["filter"]))
    assert made.to_bytes()[20:] == b"".join(word.to_bytes(4, "big", signed=True) for word in words)
    assert made.header.words == len(words)
    assert [int(element.encode() in made) for element in case["data"]] == json.loads(case["exists"])
    assert BloomFilter.parse(made.to_bytes()).to_bytes() == made.to_bytes()


@pytest.mark.parametrize("number", range(3))
def test_filters_of_the_first_draft_had_one_word_for_each_bit(number: int) -> None:
    """``testcase1.json`` was written by a release whose files nobody has; what it says of elements still holds."""
    case = load("revocation/dgc-bloomfilter/testcase1.json")[number]
    words = json.loads(base64.b64decode(case["filter"]))
    assert set(words) <= {0, 1}
    assert len(words) == math.ceil(len(case["data"]) * math.log(case["p"]) / -(math.log(2) ** 2))
    made = filter_of(case)
    assert [int(element.encode() in made) for element in case["data"]] == json.loads(case["exists"])


# --- SMART Health Cards ---


def test_identifier_of_a_bundle_without_a_rid() -> None:
    """The example of RFC 002; the file has the members in another order and with line breaks."""
    assert fhir_rid(load("shc/health-cards/src/fixtures/revoked-bundle.json")) == "JuTJHwXo2Yc"


def test_identifiers_on_a_published_list() -> None:
    rids = [
        entry.partition(".")[0]
        for entry in load("revocation/shc-crl/3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s.json")["rids"]
    ]
    assert len({rid_key(rid) for rid in rids}) == len(rids) == 4
