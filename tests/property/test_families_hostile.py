"""Every family under attack: whatever arrives is answered, nothing is accepted that was not signed as it is, and no
answer but that on a signed certificate says whom it is about."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.encoding import base32, jcs
from healthcert.errors import DecodeError
from healthcert.families import KINDS, recognise
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan
from tests import support_divoc as divoc
from tests import support_nzcp as nzcp
from tests import support_seals as seals
from tests import support_shc as shc
from tests import support_twoddoc as twoddoc
from tests.issuing import CASES
from tests.support import CLOCK

MUTANTS = 300  # of each certificate
EVERYTHING = hc.Policy(families=KINDS)
SLOW = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
# Of names and documents in all that is signed here; digits of dates may stand in a detail by chance.
PRIVATE = ("exemplaire", "exemple", "zoé", "zoe", "asha", "x1234567")
ODD = '\0\x1d\x1e\x1f\r\n "\\{}[]:,./#%+-=_0aA9zé\ud800\U0001f600'


@cache
def certificate(name: str) -> str:
    """A good certificate; one whose barcode holds bytes as the scan of them."""
    case = CASES[name]
    issued = case.issue()
    return Scan.of(issued.wire.binary) if case.kind == "DIVOC" else issued.text


@cache
def examiner(name: str) -> hc.Verifier:
    return hc.Verifier(CASES[name].trust(), policy=EVERYTHING, clock=CLOCK)


def answered(verifier: hc.Verifier, given: str | bytes) -> hc.Report:
    """The report on what is given; that there is one, and what holds of all of them."""
    report = verifier.examine(given)
    assert report.code != "GENERAL_ERROR", report.detail
    said = [report.detail, repr(report), str(report), *(repr(step) for step in report.steps)]
    said += [f"{warning!r} {warning.detail}" for warning in report.warnings]
    seen = hc.inspect_unverified(given)
    assert seen.problem is None or seen.problem.code != "GENERAL_ERROR", seen.problem
    said += [repr(seen), repr(seen.problem), str(seen.problem)]
    assert not [word for word in PRIVATE if word in " ".join(said).casefold()], said
    json.dumps(report.to_dict(), allow_nan=False).encode()
    json.dumps(seen.to_dict(), allow_nan=False).encode()
    return report


def signed_part(text: str) -> bytes:
    family, found = recognise(text, DEFAULT_LIMITS)
    return family.decode(found, DEFAULT_LIMITS).signed


def mutant(genuine: Sequence[Any], letters: Sequence[Any], chance: random.Random) -> list[Any]:
    """A sequence with some of its items exchanged, lost, added, moved, doubled or cut off, now and then too long."""
    found = list(genuine)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at, to = sorted((chance.randrange(len(found) + 1), chance.randrange(len(found) + 1)))
        letter = chance.choice(letters)
        match chance.randrange(8):
            case 0:
                found[at : at + 1] = [letter]
            case 1:
                del found[at : at + 1]
            case 2:
                found.insert(at, letter)
            case 3:
                found[at:to] = found[at:to][::-1]
            case 4:
                found = found[to:] + found[at:to] + found[:at]
            case 5:
                found = found[:to] if chance.random() < 0.5 else found[at:]
            case 6:
                found[at:at] = found[at:to]
            case 7:
                found[at:at] = [letter] * chance.choice((2, 100, 5000) if chance.random() < 0.1 else (2,))
    return found


def as_text(genuine: str, chance: random.Random) -> str | bytes:
    return "".join(mutant(genuine, ODD + genuine[:40], chance))


def as_bytes(genuine: str, chance: random.Random) -> str | bytes:
    data = genuine.data if isinstance(genuine, Scan) else genuine.encode()
    return bytes(mutant(data, range(256), chance))


def as_scan_of_other_bytes(genuine: str, chance: random.Random) -> str | bytes:
    """A text and bytes that have nothing to do with each other, or nearly."""
    data = genuine.data if isinstance(genuine, Scan) else genuine.encode()
    text = genuine if chance.random() < 0.5 else "".join(mutant(genuine, ODD, chance))
    return Scan(str(text), bytes(mutant(data, range(256), chance)))


@pytest.mark.parametrize("make", [as_text, as_bytes, as_scan_of_other_bytes])
@pytest.mark.parametrize("name", CASES)
def test_no_mutant_of_a_text_is_accepted(name: str, make: Callable[[str, random.Random], str | bytes]) -> None:
    chance, genuine, verifier = random.Random(name), certificate(name), examiner(name)
    assert answered(verifier, genuine).outcome is hc.Outcome.ACCEPTED
    signed = signed_part(genuine)
    for _ in range(MUTANTS):
        given = make(genuine, chance)
        report = answered(verifier, given)
        if report.outcome is hc.Outcome.ACCEPTED:
            # What is signed has several texts: spaces in JSON, the order of members, a line end.
            assert signed_part(Scan.of(given) if isinstance(given, bytes) else given) == signed


# Of those that are told apart and refused.
BEGINNINGS = (
    *("NL1:", "NL2:", "IS010000000000S1", "EX1:", "CRED:", "shlink:/", "HC2:", "shc:/1/2/", "B64:UEsD", "\xdc\x04"),
    *(
        "https://a.example/#shlink:/",
        "https://bonjour.tousanticovid.gouv.fr/app/wallet2d#",
        "A" * 342 + '==#{"id":"01/IL/',
    ),
    *(
        '{"proof":',
        '{"verifiableCredential":["',
        '{"data":{"hdr":{"t":"icao.x"}},"sig":',
        "DC01FR0000011E6D1E6DL1L0A\x1f",
    ),
)


@settings(SLOW, max_examples=300)
@given(st.sampled_from(("", *BEGINNINGS, *sorted({certificate(name)[:24] for name in CASES}))), st.text() | st.binary())
def test_any_beginning_of_a_certificate_with_any_end_gets_a_report(start: str, end: str | bytes) -> None:
    given: str | bytes = start + end if isinstance(end, str) else start.encode("latin-1", "replace") + end
    assert answered(examiner("nzcp"), given).outcome is not hc.Outcome.ACCEPTED


DEEP: Any = 1
for _ in range(40):
    DEEP = [DEEP]
ODD_VALUES = [
    10**30, -(10**400), 2**53 + 1, 2**64, -0.0, 1e308, "", " ", "\0", "é" * 3000, "0", "1e9", "NaN", "<<", "@id",
    "2021-06-11", "2021-02-30", "0000-00-00", "9999-12-31", "2021-06-11T00:00:00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "did:web:x", "did:a b", "https://a/", "resource:0", "resource:9", "entry[0]",
    "negative", "260415000", "completed", "final", "Person", DEEP, [], {}, [[]], [{}], {"": {}}, {"@id": "x"},
]  # fmt: skip
NAMES = ["id", "type", "system", "code", "coding", "display", "reference", "modifierExtension", "@type", "a", ""]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.integers(0, len(ODD_VALUES) - 1).map(ODD_VALUES.__getitem__),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, one in inner for found in places(one, (*path, step)))]


@st.composite
def odd(draw: st.DrawFn, documents: Sequence[Any]) -> Any:
    """A document with other values in one to three places, or with members in it that belong elsewhere."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)[1:] or [("x",)]))
        place = document
        for step in path[:-1]:
            place = place[step]
        step = path[-1]
        if isinstance(place, dict) and draw(st.integers(0, 3)) == 0:
            step = draw(st.sampled_from(sorted(str(name) for name in document)) | st.text(max_size=6))
        place[step] = copy.deepcopy(draw(VALUES))
    return document


def refused_or_read(report: hc.Report) -> None:
    """That an accepted certificate is one that can be shown: with a holder, and values that are JSON."""
    if report.outcome is hc.Outcome.ACCEPTED:
        assert report.certificate is not None
        assert report.certificate.holder.name.strip()


CLAIMS = [
    shc.claims(),
    shc.claims(shc.bundle(shc.TEST)),
    shc.claims(
        shc.bundle(
            shc.with_(
                shc.DOSE,
                manufacturer={"identifier": {"system": "http://hl7.org/fhir/sid/mvx", "value": "MOD"}},
                protocolApplied=[{"targetDisease": [{"coding": [{"system": shc.SNOMED, "code": "840539006"}]}]}],
                meta={"security": [{"system": "https://smarthealth.cards/ial", "code": "IAL2"}]},
            ),
            shc.with_(shc.TEST, effectivePeriod={"start": "2021-08-19"}, interpretation=[{"text": "x"}]),
        ),
        rid="x",
    ),
]


@SLOW
@given(odd(CLAIMS))
def test_any_signed_card_gets_a_report(claims: Any) -> None:
    for press in (
        shc.Press(claims),
        shc.Press(payload=json.dumps(claims, ensure_ascii=False).encode(errors="replace")),
    ):
        refused_or_read(answered(shc.verifier(), press.jws()))


@SLOW
@given(odd([{"alg": "ES256", "zip": "DEF", "kid": shc.kid()}]), st.booleans())
def test_any_header_of_a_card_gets_a_report(header: Any, together: bool) -> None:
    token = shc.Press(header=header).jws()
    report = answered(shc.verifier(), json.dumps({"verifiableCredential": [token, token]}) if together else token)
    if report.outcome is hc.Outcome.ACCEPTED:
        assert (header["alg"], header["zip"], header["kid"]) == ("ES256", "DEF", shc.kid())


@SLOW
@given(odd([seals.VACCINATED, seals.TESTED]))
def test_any_signed_seal_gets_a_report(data: Any) -> None:
    def canonical(value: Any) -> bytes:
        try:
            return jcs.canonical(value)
        except DecodeError:
            return b"what has no canonical form"

    refused_or_read(answered(hc.Verifier(seals.store(), clock=CLOCK), seals.seal(data, canonical=canonical)))


@SLOW
@given(odd([json.loads(seals.seal())]))
def test_any_other_member_of_a_seal_gets_a_report(seal: Any) -> None:
    report = answered(hc.Verifier(seals.store(), clock=CLOCK), json.dumps(seal))
    if report.outcome is hc.Outcome.ACCEPTED:
        assert jcs.canonical(seal["data"]) == jcs.canonical(seals.VACCINATED)


@settings(SLOW, max_examples=75)
@given(odd([divoc.DOCUMENT, divoc.TEST_DOCUMENT]))
def test_any_signed_document_gets_a_report(document: Any) -> None:
    try:
        text = divoc.text(divoc.signed(document))
    except DecodeError:  # nobody can sign what has no form
        text = divoc.text(document | {"proof": divoc.signed()["proof"]})
    refused_or_read(answered(divoc.verifier(), text))


@settings(SLOW, max_examples=75)
@given(odd([divoc.signed(), divoc.signed(divoc.TEST_DOCUMENT)]))
def test_any_other_member_of_a_document_gets_a_report(document: Any) -> None:
    report = answered(divoc.verifier(), divoc.text(document))
    if report.outcome is hc.Outcome.ACCEPTED:
        genuine = divoc.signed() if "vaccination" in document["@context"][1] else divoc.signed(divoc.TEST_DOCUMENT)
        assert signed_part(divoc.text(document)) == signed_part(divoc.text(genuine))


@SLOW
@given(st.sampled_from(["card", "seal", "document"]), st.randoms(use_true_random=False), VALUES)
def test_a_member_that_is_there_twice_is_refused(kind: str, chance: random.Random, value: Any) -> None:
    """Where readers differ in which of two they take, what is signed must not mean either."""
    whole: Any = {"card": shc.claims(), "seal": json.loads(seals.seal()), "document": divoc.signed()}[kind]
    text = json.dumps(whole, separators=(",", ":"))
    name = chance.choice([path[-1] for path in places(whole) if path and isinstance(path[-1], str)])
    member = f"{json.dumps(name)}:"
    again = f"{member}{json.dumps(value)},{member}"
    twice = text.replace(member, again, 1)
    if kind == "card":
        twice = shc.Press(payload=twice.encode()).jws()
    verifier = {"card": shc.verifier(), "seal": hc.Verifier(seals.store(), clock=CLOCK), "document": divoc.verifier()}
    assert answered(verifier[kind], twice).outcome is not hc.Outcome.ACCEPTED


CBOR: st.SearchStrategy[Any] = st.recursive(
    VALUES.filter(lambda value: "\ud800" not in repr(value))
    | st.binary(max_size=20)
    | st.sampled_from([cbor2.undefined, cbor2.CBORSimpleValue(99), cbor2.CBORTag(1, 1), cbor2.CBORTag(18, "x"), b""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def encodable(value: Any) -> bool:
    try:
        cbor2.dumps(value)
    except (ValueError, cbor2.CBORError):
        return False
    return True


@SLOW
@given(st.sampled_from(places(nzcp.CLAIMS)[1:]), CBOR.filter(encodable))
def test_any_signed_pass_gets_a_report(path: tuple[Any, ...], value: Any) -> None:
    claims = copy.deepcopy(nzcp.CLAIMS)
    place = claims
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    verifier = hc.Verifier(hc.TrustStore([nzcp.trusted_key()]), clock=hc.FixedClock(nzcp.NOW))
    refused_or_read(answered(verifier, nzcp.Press(claims=claims).text()))


@SLOW
@given(st.sampled_from([1, 4, 2, 33, "kid", 0]), CBOR.filter(encodable), CBOR.filter(encodable))
def test_any_header_of_a_pass_gets_a_report(label: Any, value: Any, unprotected: Any) -> None:
    press = nzcp.Press(protected={4: b"key-1", 1: -7} | {label: value}, unprotected={label: unprotected})
    verifier = hc.Verifier(hc.TrustStore([nzcp.trusted_key()]), clock=hc.FixedClock(nzcp.NOW))
    answered(verifier, press.text())


@settings(SLOW, max_examples=300)
@given(st.binary(max_size=200), st.booleans())
def test_any_message_of_a_pass_gets_a_report(message: bytes, tagged: bool) -> None:
    text = "NZCP:/1/" + base32.encode((b"\xd2\x84" if tagged else b"") + message)
    assert answered(examiner("nzcp"), text).outcome is hc.Outcome.REFUSED


FIELDS = sorted({*twoddoc.VACCINATION_FIELDS, *twoddoc.TEST_FIELDS, "01", "06", "ZZ", "\x1d"})


@SLOW
@given(
    st.sampled_from([("L1", twoddoc.VACCINATION_FIELDS), ("B2", twoddoc.TEST_FIELDS), ("B3", twoddoc.TEST_FIELDS)]),
    st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=12) | st.from_regex(r"[0-9]{1,12}\x1d?", fullmatch=True)),
    st.from_regex(r"DC0[1-4]FR000001[0-9A-F]{8}(L1|B2)(01|02)?(FR|DE)?", fullmatch=True) | st.just(twoddoc.HEADER),
)
def test_any_signed_field_gets_a_report(kind: tuple[str, dict[str, str]], fields: dict[str, str], header: str) -> None:
    name, genuine = kind
    written = {field: value.encode(errors="replace").decode() for field, value in fields.items()}
    press = twoddoc.Press(type=name, header=header, fields=genuine | written)
    verifier = hc.Verifier(twoddoc.store(), clock=hc.FixedClock(twoddoc.NOW))
    refused_or_read(answered(verifier, press.text()))
