"""Lists of rules as servers of the field hand them out: signed rules, archives, tokens, which no module here writes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.errors import HealthCertError
from healthcert.issue.pki import KeyPair
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.rules.sources.protocol import Context, RuleList, Source
from tests.gateway.dgcg import sign_cms
from tests.gateway.rules import RuleService, header_signature
from tests.support import NOW
from tests.support_revocation import anchor, uploader

FROM, TO = "2021-07-01T00:00:00Z", "2030-06-01T00:00:00Z"


def rule(country: str = "FR", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A rule of a country; a change to ``...`` takes the member out."""
    made = {
        "Identifier": f"GR-{country}-{number:04}",
        "Type": "Acceptance",
        "Country": country,
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "0.7.5",
        "CertificateType": "General",
        "Description": [{"lang": "en", "desc": "The disease or agent targeted must be COVID-19."}],
        "ValidFrom": FROM,
        "ValidTo": TO,
        "AffectedFields": ["v.0.tg"],
        "Logic": {"===": [{"var": "payload.v.0.tg"}, "840539006"]},
    }
    return {name: value for name, value in (made | changes).items() if value is not ...}


def raw(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def value_set(name: str = "disease-agent-targeted", *codes: str, date: str = "2021-04-27") -> dict[str, Any]:
    entry = {"display": "COVID-19", "lang": "en", "active": True, "version": "1", "system": "http://snomed.info/sct"}
    return {
        "valueSetId": name,
        "valueSetDate": date,
        "valueSetValues": dict.fromkeys(codes or ("840539006",), entry),
    }


def context(*anchors: TrustAnchor, at: datetime = NOW, limits: Limits = DEFAULT_LIMITS, **options: Any) -> Context:
    return Context(anchors, at, limits, options)


def identities(found: RuleList) -> list[tuple[str, str]]:
    return [(one.rule.identifier, one.rule.version) for one in found.rules]


def skipped(found: RuleList) -> list[tuple[str, str | None, str | None, str]]:
    """What was skipped: where it stood, whose rule it was, which value set, and the code."""
    return [(one.source, one.country, one.value_set, one.error.code.value) for one in found.skipped]


def refusal(source: Source, parts: Mapping[str, bytes], under: Context) -> str:
    """The code that a list is refused with, whole."""
    with pytest.raises(HealthCertError) as error:
        source.load(parts, under)
    assert error.value.detail.isprintable()
    return error.value.code.value


def loaded(source: Source, parts: Mapping[str, bytes], under: Context) -> RuleList | None:
    """The list, or None when it is refused; anything else that happens is a failure of the test."""
    try:
        return source.load(parts, under)
    except HealthCertError as error:
        detail = error.detail
    # It is written to be logged.
    assert detail.isprintable()
    assert len(detail) < 300
    return None


def check_no_more(good: RuleList, found: RuleList | None) -> None:
    """That a changed list has no rule and no value set that the good one has not."""
    if found is not None:
        assert {one.raw for one in found.rules} <= {one.raw for one in good.rules}
        assert {one.raw for one in found.value_sets} <= {one.raw for one in good.value_sets}


# --- The EU gateway ---


def signed_rule(content: bytes, country: str = "FR", pair: KeyPair | None = None) -> str:
    """A rule in a message, signed by another library than the one that reads it."""
    return sign_cms(content, pair or uploader(country), attached=True)


def entry(given: Mapping[str, Any], country: str | None = None, **changes: Any) -> dict[str, Any]:
    """A rule as the gateway lists it; ``country`` is whose upload certificate signed it."""
    made = {
        "version": given["Version"],
        "validFrom": given["ValidFrom"],
        "validTo": given["ValidTo"],
        "cms": signed_rule(raw(given), country or given["Country"]),
    }
    return {name: value for name, value in (made | changes).items() if value is not ...}


def gateway_parts(*countries: str, **listings: Any) -> dict[str, bytes]:
    """The answers of a gateway with these countries, and the listings of some of them."""
    found = {"countrylist": raw(list(countries or sorted(listings)))}
    for country in countries or listings:
        found[f"rules/{country}"] = raw(listings.get(country, {}))
    return found


PINNED = context(anchor("DE"), anchor("FR"))
"""With the upload certificates of two countries."""


# --- The service for verifiers' apps ---


def signing_key(name: str = "service") -> ec.EllipticCurvePrivateKey:
    """A key of this name, made once a run."""
    return _key(name)


@cache
def _key(_name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_anchor(name: str = "service") -> TrustAnchor:
    spki = signing_key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustAnchor(f"{name}.pem", spki)


def service(*rules: Mapping[str, Any], sets: Sequence[Any] = (), signed: bool = True) -> RuleService:
    made = [raw(one) for one in rules]
    return RuleService(made, [raw(one) for one in sets], key=signing_key() if signed else None)


def service_parts(given: RuleService, **signatures: str | None) -> dict[str, bytes]:
    """The answers of a service, with other signatures for some of them, or None."""
    from healthcert.rules.sources.service_lists import digest_of

    parts = {"rules": given.rule_list(), "valuesets": given.set_list(), "countrylist": given.country_list()}
    parts |= {f"rules/{json.loads(one)['Country']}/{digest_of(one)}": one for one in given.rules}
    parts |= {f"valuesets/{digest_of(one)}": one for one in given.value_sets}
    found = {} if given.key is None else {name: header_signature(data, given.key) for name, data in parts.items()}
    kept = {name: text for name, text in (found | signatures).items() if text is not None}
    return parts | {"signatures": raw(kept)}


# --- The Corona-Warn-App ---


def field(number: int, value: bytes) -> bytes:
    """A field with a length, of a Protocol Buffers message."""
    size, length = len(value), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((number << 3 | 2, *length, size)) + value


def app_value_sets(sets: Mapping[int, Iterable[tuple[str, str]]]) -> bytes:
    """The value sets of the app by the number of their field: codes and names."""
    return b"".join(
        field(
            number, b"".join(field(1, field(1, code.encode()) + field(2, name.encode())) for code, name in sets[number])
        )
        for number in sets
    )


def archive(content: bytes, name: str = "app", *, signature: bytes | None = None) -> bytes:
    """What the app's server hands out: the content, and the signature of the key of this name."""
    made = signing_key(name).sign(content, ec.ECDSA(hashes.SHA256())) if signature is None else signature
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("export.bin", content)
        writer.writestr("export.sig", field(1, field(4, made)))
    return buffer.getvalue()


# --- Switzerland ---


def swiss_rule(number: int = 1, of: str = "CH", **changes: Any) -> dict[str, Any]:
    """A rule with the members as Switzerland writes them."""
    made = {name[0].lower() + name[1:]: value for name, value in rule(of, number).items()}
    return {name: value for name, value in (made | {"engine": "CertLogic"} | changes).items() if value is not ...}


def swiss_document(*rules: Any, **changes: Any) -> dict[str, Any]:
    made = {
        "rules": list(rules),
        "displayRules": [{"id": "eol-banner", "logic": {"if": [True, "none", "none"]}}],
        "modeRules": {"activeModes": [], "logic": {"if": [True, "SUCCESS", "INVALID"]}},
        "validDuration": 172800000,
        "valueSets": {"disease-agent-targeted": ["840539006"]},
    }
    return {name: value for name, value in (made | changes).items() if value is not ...}


def decoded(text: str) -> bytes:
    return base64.b64decode(text)
