"""WHO's network: which keys are taken from its documents, under what, and what makes a list refused as a whole."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, FetchError, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import new_csca, new_dsc
from healthcert.limits import Limits
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.jsonld import DID_V1, JWS_2020
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.did import read_document, url_of
from healthcert.trust.sources.gdhcn import Network, environment_of
from healthcert.trust.sources.protocol import Context, Known, Role, TrustList
from tests.support import DAY, NOW
from tests.support_did import (
    DEV_CONTEXT,
    REFERENCES,
    ROOT,
    TREE,
    anchor,
    b64,
    context,
    dsc,
    listed,
    method,
    sca,
    signed,
    statement,
)

FRENCH = (method(sca(), "DCC:FRA:SCA"), method(dsc()))
NETWORK = Network()
PROD = "did:web:tng-cdn.who.int:v2:trustlist"


def load(parts: Mapping[str, bytes], under: Context | None = None, **options: str) -> TrustList:
    return NETWORK.load(parts, under or context(options=options))


def refused(parts: Mapping[str, bytes], under: Context | None = None, **options: str) -> TrustError:
    with pytest.raises(TrustError) as caught:
        load(parts, under, **options)
    return caught.value


def test_a_key_is_chained_to_the_authority_in_the_list() -> None:
    found = load(listed(*FRENCH), environment="test")
    (key,) = found.keys
    certificate = parse_certificate(dsc().certificate_der())
    assert (key.kid, key.spki, key.certificate) == (certificate.kid, certificate.spki, certificate.der)
    assert (key.domain, key.country, key.usages) == ("DCC", "FR", None)
    assert (key.not_before, key.not_after) == (certificate.not_before, certificate.not_after)
    assert [link.role for link in key.chain] == ["CSCA", "ANCHOR"]
    assert key.chain[0].fingerprint == parse_certificate(sca().certificate_der()).fingerprint
    assert [(a.role, a.certificate, a.country, a.domain) for a in found.authorities] == [
        (Role.CSCA, sca().certificate_der(), "FR", "DCC")
    ]
    assert (found.assurance, found.signer, found.skipped) == (Assurance.SIGNED_CHAIN, anchor(), ())
    assert (found.counter, str(found.issued_at)) == (1629331200, "2021-08-19 00:00:00+00:00")


def test_the_authority_may_come_behind_the_key() -> None:
    assert load(listed(*reversed(FRENCH))).assurance is Assurance.SIGNED_CHAIN


def test_a_key_is_valid_no_longer_than_its_authority() -> None:
    short = new_csca("FR", "SCA", now=NOW - 30 * DAY, validity=40 * DAY)
    pair = new_dsc(short, "DSC", now=NOW - 20 * DAY)
    (key,) = load(listed(method(short, "DCC:FRA:SCA"), method(pair))).keys
    assert key.not_after == parse_certificate(short.certificate_der()).not_after


def test_without_an_authority_the_list_alone_vouches() -> None:
    found = load(listed(method(dsc())))
    assert (len(found.keys), found.keys[0].chain, found.assurance) == (1, (), Assurance.SIGNED_LIST)


def test_one_key_that_is_not_chained_leaves_the_list_a_list() -> None:
    german = method(dsc("DE"), "DCC:DEU:DSC")
    assert load(listed(*FRENCH, german)).assurance is Assurance.SIGNED_LIST


def test_a_key_of_no_listed_authority_is_skipped() -> None:
    """What comes along in x5c vouches for nothing."""
    stray = dsc("FR", "Stray", "Other")
    chain = [b64(stray.certificate_der()), b64(sca("FR", "Other").certificate_der())]
    found = load(listed(*FRENCH, method(stray, jwk={"x5c": chain})))
    assert len(found.keys) == 1
    assert [(s.source, s.error.code) for s in found.skipped] == [("entry 3", Code.KEY_NOT_CHAINED)]


@pytest.mark.parametrize("path", ["DDCC:FRA:SCA", "DCC:DEU:SCA", "DCC:FRA:UP"])
def test_an_authority_vouches_for_its_own_domain_and_participant(path: str) -> None:
    other = sca("DE") if "DEU" in path else sca()
    found = load(listed(method(other, path), method(dsc())))
    assert [key.chain for key in found.keys] == [()]


@pytest.mark.parametrize(
    ("usage", "role"), [("SCA", Role.CSCA), ("UP", Role.UPLOAD), ("TLS", Role.TLS), ("DECA", None), ("DESC", None)]
)
def test_only_document_signers_sign_documents(usage: str, role: Role | None) -> None:
    found = load(listed(method(sca(), f"DCC:FRA:{usage}")))
    assert found.keys == ()
    assert found.skipped == ()
    assert [authority.role for authority in found.authorities] == ([role] if role else [])


@pytest.mark.parametrize(
    ("participant", "country"), [("XXA", "XA"), ("XYK", "YK"), ("XXK", "XK"), ("fra", "FR"), ("FR", "FR")]
)
def test_participants_are_countries(participant: str, country: str) -> None:
    (key,) = load(listed(method(dsc(country), f"DCC:{participant}:DSC"))).keys
    assert key.country == country


def test_who_is_no_country() -> None:
    (key,) = load(listed(method(sca("CH"), "DDCC:WHO:SCA"), method(dsc("CH"), "DDCC:WHO:DSC"))).keys
    assert (key.country, key.domain) == (None, "DDCC")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (method(dsc(), "DCC:DEU:DSC"), "its certificate is another country's"),
        (method(dsc(), "DCC:QQQ:DSC"), "of a participant that no country is known for"),
        (method(dsc(), "-:FRA:DSC"), "what the proof covers does not say its domain, participant and usage"),
        (method(dsc(), "DCC:-:DSC"), "what the proof covers does not say its domain, participant and usage"),
        (method(dsc(), "DCC:FRA"), "what the proof covers does not say its domain, participant and usage"),
        (method(dsc(), jwk={"kid": "AAAAAAAAAAA="}), "its kid is not that of its certificate, or no base64"),
        (method(dsc(), jwk={"kid": 1}), "it has no kid"),
        (method(dsc(), id=f"{ROOT}:DCC:FRA:DSC#AAAAAAAAAAA="), "its kid is not that of its certificate, or no base64"),
        (method(dsc(), id=f"{ROOT}:DCC:FRA:DSC", jwk={"kid": None}), "it has no kid"),
        (method(dsc(), jwk={"x": method(dsc("DE"))["publicKeyJwk"]["x"]}), None),
        (
            method(dsc(), jwk=jwk.jwk_of(parse_certificate(dsc("DE").certificate_der()).spki)),
            "its certificate is another key's",
        ),
        (method(dsc(), jwk={"x5c": []}), "its certificate is no base64"),
        (method(dsc(), jwk={"x5c": [1]}), "its certificate is no base64"),
        (method(dsc(), jwk={"x5c": "AAAA"}), "its certificate is no base64"),
        (method(dsc(), jwk={"x5c": ["AA=="]}), "not a readable X.509 certificate"),
        (method(dsc(), jwk={"x5c": [b64(sca().certificate_der()), b64(dsc().certificate_der())]}), None),
        (method(dsc(), jwk={"x5c": None, "x": "AA"}), "a member of the JWK is missing or wrong"),
        (
            method(dsc(), jwk={"x5c": None, "kid": "!"}, id=f"{ROOT}:DCC:FRA:DSC"),
            "its kid is not that of its certificate, or no base64",
        ),
    ],
)
def test_one_bad_key_is_skipped(made: Any, why: str | None) -> None:
    found = load(listed(made, method(dsc("DE"), "DCC:DEU:DSC")))
    assert [key.country for key in found.keys][-1:] == ["DE"]
    if why is not None:
        assert [(s.source, s.error.detail) for s in found.skipped] == [("entry 1", why)]


def test_an_unreadable_jwk_beside_a_certificate_is_no_matter() -> None:
    """WHO's service writes "UNKNOWN CURVE" for some; the certificate says which key it is."""
    (key,) = load(listed(method(dsc(), jwk={"crv": "UNKNOWN CURVE"}))).keys
    assert key.spki == parse_certificate(dsc().certificate_der()).spki


def test_a_bare_key_keeps_its_kid() -> None:
    (key,) = load(listed(method(dsc(), jwk={"x5c": None}))).keys
    assert key.kid == parse_certificate(dsc().certificate_der()).kid
    assert (key.certificate, key.not_before, key.not_after, key.country) == (None, None, None, "FR")
    assert key.spki == parse_certificate(dsc().certificate_der()).spki


def test_a_bare_key_may_have_its_kid_encoded_twice() -> None:
    twice = jwk.encode(base64.b64encode(bytes(8)))
    (key,) = load(listed(method(dsc(), jwk={"x5c": None, "kid": twice}, id=f"{ROOT}:DCC:FRA:DSC:{twice}"))).keys
    assert key.kid == bytes(8)


def test_a_bare_key_beside_an_authority_is_skipped() -> None:
    found = load(listed(FRENCH[0], method(dsc(), jwk={"x5c": None})))
    assert found.keys == ()
    assert [s.error.code for s in found.skipped] == [Code.KEY_NOT_CHAINED]


def test_an_authority_without_a_certificate_is_a_key_and_chains_nothing() -> None:
    found = load(listed(method(sca(), "DCC:FRA:SCA", jwk={"x5c": None}), FRENCH[1]))
    (authority,) = found.authorities
    assert (authority.role, authority.certificate, found.skipped) == (Role.CSCA, None, ())
    assert authority.spki == parse_certificate(sca().certificate_der()).spki
    assert [key.chain for key in found.keys] == [()]


def test_what_is_for_the_exchange_of_data_is_not_even_looked_at() -> None:
    found = load(listed(*(method(dsc(), f"DCC:QQQ:{usage}", jwk={"x5c": "?"}) for usage in ("DECA", "DESC"))))
    assert (found.keys, found.skipped) == ((), ())


def test_every_spelling_of_the_identifier_is_read() -> None:
    kid = parse_certificate(dsc().certificate_der()).kid
    twice = jwk.encode(b64(kid).encode())
    for identifier, spelled in (
        (f"{ROOT}:DCC:FRA:DSC:{twice}", twice),
        (f"{ROOT}:DCC:FRA:DSC#{twice}", twice),
        (f"{ROOT}:DCC:FRA:DSC#{jwk.encode(kid)}", b64(kid)),
        (f"{ROOT}:DCC:FRA:DSC#{b64(kid).replace('=', '%3D').replace('+', '%2B').replace('/', '%2F')}", None),
        (f"{ROOT}:DCC:FRA:DSC", b64(kid)),
    ):
        (key,) = load(listed(method(dsc(), id=identifier, jwk={"kid": spelled}))).keys
        assert key.kid == kid


def test_keys_of_one_kid_are_all_kept() -> None:
    """A kid is what a list says for bare keys, and several may have it."""
    first, second = (method(dsc("FR", name), jwk={"x5c": None, "kid": "AAAAAAAAAAA="}) for name in "AB")
    identifier = f"{ROOT}:DCC:FRA:DSC#AAAAAAAAAAA="
    found = load(listed(first | {"id": identifier}, second | {"id": identifier}))
    assert [key.kid for key in found.keys] == [bytes(8)] * 2
    assert len({key.spki for key in found.keys}) == 2


def test_keys_of_one_identifier_are_bounded() -> None:
    """All are compared with all others; and none is taken where some were not compared."""
    bare = method(dsc(), jwk={"x5c": None})
    same = [bare | {"publicKeyJwk": bare["publicKeyJwk"] | {"use": str(number)}} for number in range(18)]
    assert len(load(listed(*same[:16], same[0])).keys) == 16
    found = load(listed(*same[:17]))
    assert found.keys == ()
    assert [(s.source, s.error.detail) for s in found.skipped] == [
        ("entry 1", "more than 16 keys are of its identifier")
    ]
    assert load(listed(*same)).keys == ()


def test_a_key_that_is_there_twice_counts_once() -> None:
    assert len(load(listed(*FRENCH, *FRENCH)).keys) == 1


def tng(*methods: Any) -> dict[str, bytes]:
    return {"list": signed(statement(methods) | {"@context": [DID_V1, JWS_2020, DEV_CONTEXT]})}


def labels(domain: str, participant: str, usage: str) -> dict[str, Any]:
    given = {"domain": domain, "participant": participant, "keyusage": usage}
    return {name: {"code": f"#{code}"} for name, code in given.items()}


def test_labels_under_the_proof_say_what_the_identifier_does_not() -> None:
    found = load(
        tng(
            method(sca(), "-:FRA:SCA") | labels("PH4H", "FRA", "CSCA"),
            method(dsc(), "-:-:-") | labels("PH4H", "FRA", "DSC"),
        )
    )
    assert [(key.domain, key.country) for key in found.keys] == [("PH4H", "FR")]
    assert found.assurance is Assurance.SIGNED_CHAIN


def test_labels_and_identifier_must_agree() -> None:
    found = load(tng(method(dsc(), "DCC:FRA:DSC") | labels("DDCC", "FRA", "DSC")))
    assert found.keys == ()
    assert "different things" in found.skipped[0].error.detail


def test_keys_that_the_canonical_form_mixes_up_are_skipped() -> None:
    """Of two keys of one identifier nobody can say which has which domain."""
    identifier = f"{ROOT}:-:FRA:DSC#AAAAAAAAAAA="
    pair = [
        method(dsc("FR", name), jwk={"x5c": None, "kid": "AAAAAAAAAAA="})
        | {"id": identifier}
        | labels(domain, "FRA", "DSC")
        for name, domain in (("A", "DCC"), ("B", "DDCC"))
    ]
    found = load(tng(*pair))
    assert found.keys == ()
    assert [s.error.detail for s in found.skipped] == ["its identifier is another key's"] * 2


def test_members_that_the_proof_does_not_cover_are_not_looked_at() -> None:
    """Anyone could have written them: a domain, a country, an authority that signs documents."""
    forged = {"domain": "DDCC", "participant": "DEU", "keyusage": "DSC"}
    parts = listed(*(made | forged for made in FRENCH))
    assert load(parts).keys == load(listed(*FRENCH)).keys
    assert load(listed(method(dsc(), "-:FRA:DSC") | forged)).keys == ()


def test_options_narrow_the_list() -> None:
    parts = listed(
        *FRENCH,
        method(sca("DE"), "DDCC:DEU:SCA"),
        method(dsc("DE"), "DDCC:DEU:DSC"),
        method(dsc("AT"), "DCC:QQQ:DSC"),
    )
    assert [key.country for key in load(parts, domain="DDCC").keys] == ["DE"]
    assert [key.country for key in load(parts, participant="fra").keys] == ["FR"]
    assert load(parts, usage="SCA").keys == ()
    assert len(load(parts, usage="SCA").authorities) == 2
    assert load(parts, domain="PH4H").keys == ()
    assert load(parts, participant="FRA").skipped == ()


def test_the_operator_can_say_the_domain_that_the_identifier_does_not() -> None:
    (key,) = load(listed(method(dsc(), "-:FRA:DSC")), domain="DCC").keys
    assert key.domain == "DCC"


@pytest.mark.parametrize(
    ("did", "environment"),
    [
        (PROD, "production"),
        ("did:web:tng-cdn.who.int", "production"),
        ("did:web:tng-cdn-uat.who.int:v2:trustlist", "acceptance"),
        (ROOT, "test"),
        ("did:web:worldhealthorganization.github.io:tng-cdn-dev:v2:trustlist", "test"),
        ("did:web:worldhealthorganization.github.io:tng-cdn-uat:trustlist", "acceptance"),
        ("did:web:worldhealthorganization.github.io:tng-cdn", "production"),
        ("did:web:tng-cdn.who.int.example.org:trustlist", None),
        ("did:web:example.org:trustlist", None),
    ],
)
def test_the_environment_is_that_of_the_host(did: str, environment: str | None) -> None:
    assert environment_of(did) == environment
    parts = listed(method(dsc("FR"), id=f"{did}:DCC:FRA:DSC") if "trustlist" in did else "did:web:example.org", did=did)
    for asked in ("production", "acceptance", "test"):
        if environment in (None, asked):
            load(parts, environment=asked)
        else:
            assert refused(parts, environment=asked).code is Code.ENVIRONMENT_MIXED


def test_participants_in_tests_are_none_in_production() -> None:
    made = method(dsc("XH"), id=f"{PROD}:DCC:XXH:DSC")
    assert len(load(listed(made, did=PROD)).keys) == 1
    found = load(listed(made, did=PROD), environment="production")
    assert found.keys == ()
    assert [s.error.code for s in found.skipped] == [Code.ENVIRONMENT_MIXED]


def test_countries_are_taken_in_production() -> None:
    made = method(dsc(), id=f"{PROD}:DCC:FRA:DSC")
    assert len(load(listed(made, did=PROD), environment="production").keys) == 1


def test_the_wanted_document_is_named() -> None:
    assert load(listed(*FRENCH), did=ROOT).keys
    assert refused(listed(*FRENCH), did=f"{ROOT}:DCC").code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_without_an_anchor_nothing_is_taken() -> None:
    unanchored = Context((), NOW)
    assert refused(listed(*FRENCH), unanchored).code is Code.TRUST_ANCHOR_MISSING
    assert refused({"list": json.dumps(statement(FRENCH)).encode()}, unanchored).code is Code.TRUST_ANCHOR_MISSING


def test_a_document_without_a_proof_is_refused() -> None:
    parts = {"list": json.dumps(statement(FRENCH)).encode()}
    assert refused(parts).code is Code.TRUST_LIST_NOT_AUTHENTIC
    assert refused(parts, unsigned="yes").code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_a_document_without_a_proof_is_taken_by_name() -> None:
    found = load({"list": json.dumps(statement(FRENCH)).encode()}, Context((), NOW, options={"unsigned": "yes"}))
    assert (len(found.keys), found.assurance) == (1, Assurance.TLS_ONLY)
    assert (found.signer, found.counter, found.issued_at, found.expires_at) == (None, None, None, None)
    assert (found.signed, found.documents) == (None, {})
    assert [link.role for link in found.keys[0].chain] == ["CSCA"]
    # A date that nothing vouches for counts for nothing either.
    assert load(listed(*FRENCH), Context((), NOW, options={"unsigned": "yes"})).counter is None
    assert refused(listed(*FRENCH), Context((), NOW, options={"unsigned": "no"})).code is Code.TRUST_ANCHOR_MISSING


def test_another_signer_is_refused() -> None:
    assert refused(listed(*FRENCH, by="another")).code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_an_anchor_that_has_ended_is_none() -> None:
    over = sca("CH", "TNG")
    pinned = TrustAnchor("over", parse_certificate(over.certificate_der()).spki, over.certificate_der())
    assert refused(listed(*FRENCH), context(pinned, now=NOW + 9999 * DAY)).code is Code.TRUST_ANCHOR_MISSING


def test_a_list_ends_when_its_proof_says_so() -> None:
    assert str(load(listed(*FRENCH, expires="2021-09-01T00:00:00Z")).expires_at) == "2021-09-01 00:00:00+00:00"


def test_no_list_of_more_than_so_many_keys() -> None:
    under = context()
    small = Context(under.anchors, NOW, Limits(trust_entries=1))
    assert refused(listed(*FRENCH), small).code is Code.INPUT_TOO_LONG


def test_references_count_as_keys_do() -> None:
    under = Context(context().anchors, NOW, Limits(trust_entries=3))
    assert load(listed(*FRENCH, "did:web:example.org"), under).keys
    assert refused(listed(*FRENCH, "did:web:example.org", "did:web:example.com"), under).code is Code.INPUT_TOO_LONG


def test_the_number_of_keys_is_looked_at_before_the_proof() -> None:
    """Which takes the longer the more they are."""
    under = Context(context().anchors, NOW, Limits(trust_entries=1))
    assert refused(listed(*FRENCH, by="another"), under).code is Code.INPUT_TOO_LONG


def test_no_proof_of_an_enormous_list_is_checked() -> None:
    """Whatever the operator's limits for lists of other formats are."""
    references = [f"{ROOT}:DCC:{number}" for number in range(20_000)]
    several = json.dumps(statement([*references, ROOT])).encode()
    assert refused({"list": several}).code is Code.INPUT_TOO_LONG
    assert refused({"list": json.dumps(statement(references)).encode()}).detail == "the document carries no proof"
    data = json.dumps(statement(FRENCH)).encode()
    assert refused({"list": data.ljust(8 * 1024 * 1024 + 1)}).code is Code.INPUT_TOO_LONG
    assert refused({"list": data.ljust(8 * 1024 * 1024)}).detail == "the document carries no proof"


def test_a_long_list_is_read() -> None:
    others = [method(dsc(), f"DCC:FRA:DSC:{number}", jwk={"x5c": None, "kid": None}) for number in range(150)]
    assert len(load(listed(*FRENCH, *others)).skipped) == 150


def test_the_list_must_be_there() -> None:
    assert refused({}).code is Code.TRUST_LIST_UNREADABLE


# A tree of documents that refer to each other.

LEAVES = {f"{ROOT}:DCC:FRA:SCA": [FRENCH[0]], f"{ROOT}:DCC:FRA:DSC": [FRENCH[1]]}
BRANCHES = {
    REFERENCES: [f"{REFERENCES}:-", f"{REFERENCES}:DCC", "did:web:tng-cdn.who.int:trustlist", "did:key:z6"],
    f"{REFERENCES}:DCC": [f"{REFERENCES}:DCC:-", f"{REFERENCES}:DCC:FRA"],
    f"{REFERENCES}:DCC:FRA": [f"{REFERENCES}:DCC:FRA:SCA", f"{REFERENCES}:DCC:FRA:DSC"],
    f"{REFERENCES}:DCC:FRA:SCA": [f"{ROOT}:DCC:FRA:SCA"],
    f"{REFERENCES}:DCC:FRA:DSC": [f"{ROOT}:DCC:FRA:DSC"],
}


def tree(
    by: Mapping[str, str] | None = None, created: Mapping[str, str] | None = None, **changes: Any
) -> dict[str, bytes]:
    """The parts; ``changes`` replaces the references of a document, by its last labels."""
    parts = {}
    for did, methods in (BRANCHES | LEAVES).items():
        options: dict[str, Any] = {"created": created[did]} if created and did in created else {}
        key = did.removeprefix(REFERENCES).lstrip(":").replace(":", "_") or "root"
        made = statement(changes.get(key, methods) if did.startswith(REFERENCES) else methods, did)
        parts["list" if did == REFERENCES else did] = signed(made, (by or {}).get(did, "WHO"), **options)
    return parts


def test_a_tree_is_read_as_one_list() -> None:
    found = load(tree())
    assert (len(found.keys), len(found.authorities), found.assurance) == (1, 1, Assurance.SIGNED_CHAIN)
    assert [(s.source, s.error.detail) for s in found.skipped] == [
        ("reference 3", "to a document outside of this tree"),
        ("reference 4", "to a document outside of this tree"),
    ]


def test_wildcards_are_followed_where_nothing_says_more() -> None:
    assert refused(tree(root=[f"{REFERENCES}:-"])).detail == "a document that it refers to is missing"


def test_branches_that_are_not_wanted_are_not_needed() -> None:
    parts = tree()
    del parts[f"{REFERENCES}:DCC:FRA:SCA"]
    assert refused(parts).code is Code.TRUST_LIST_UNREADABLE
    assert len(load(parts, usage="DSC").keys) == 1
    assert load({"list": parts["list"]}, domain="PH4H").keys == ()


@pytest.mark.parametrize("did", [*list(BRANCHES)[1:], *LEAVES])
def test_every_document_carries_a_proof_of_its_own(did: str) -> None:
    assert refused(tree(by={did: "another"})).code is Code.TRUST_LIST_NOT_AUTHENTIC
    parts = tree()
    document = json.loads(parts[did])
    del document["proof"]
    assert refused(parts | {did: json.dumps(document).encode()}).code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_no_document_stands_in_the_place_of_another() -> None:
    parts = tree()
    parts[f"{ROOT}:DCC:FRA:SCA"] = parts[f"{ROOT}:DCC:FRA:DSC"]
    assert refused(parts).detail == "a document stands in the place of another"


def test_the_oldest_document_counts() -> None:
    """Or one of them could be exchanged for an older one."""
    found = load(tree(created={f"{ROOT}:DCC:FRA:DSC": "2021-08-01T00:00:00Z"}))
    assert str(found.issued_at) == "2021-08-01 00:00:00+00:00"


def test_each_document_has_a_moment_of_its_own() -> None:
    """The oldest one tells nothing when another of them is exchanged for an older one."""
    found = load(tree(created={f"{ROOT}:DCC:FRA:DSC": "2021-08-01T00:00:00Z"}))
    assert found.counter is None
    assert found.documents == dict.fromkeys((*BRANCHES, *LEAVES), 1629331200) | {f"{ROOT}:DCC:FRA:DSC": 1627776000}


def test_what_was_signed_is_told_of_one_document_and_of_several() -> None:
    one, several = listed(*FRENCH), tree()
    hashes = {}
    for data in (one["list"], *several.values()):
        _, hashed = read_document(data).signer([anchor()])
        hashes[read_document(data).id if data != one["list"] else "one"] = hashed
    found = load(one)
    assert (found.signed, found.documents) == (hashes.pop("one"), {ROOT: 1629331200})
    joined = b"".join(hashes[did] for did in sorted(hashes))
    assert load(several).signed == hashlib.sha256(joined).digest()
    loose = {did: json.dumps(json.loads(data), indent=1).encode() for did, data in reversed(several.items())}
    assert load(loose).signed == load(several).signed


@pytest.mark.parametrize("back", [REFERENCES, f"{REFERENCES}:DCC", f"{REFERENCES}:DCC:FRA"])
def test_loops_are_refused(back: str) -> None:
    assert refused(tree(DCC_FRA=[back])).detail == "a document that refers to one above it"


def test_what_two_refer_to_is_read_once() -> None:
    both = [f"{ROOT}:DCC:FRA:SCA", f"{ROOT}:DCC:FRA:DSC"]
    parts = tree(DCC_FRA_SCA=both, DCC_FRA_DSC=both)
    assert len(load(parts).keys) == 1
    server = Server(parts)
    NETWORK.fetch(server, url_of(REFERENCES), Known(), context())
    assert len(server.asked) == len(set(server.asked)) == 7


def chain_of(length: int) -> dict[str, bytes]:
    names = [REFERENCES, *(f"{REFERENCES}:DCC:FRA:DSC:{number}" for number in range(length))]
    documents = zip(names, [*names[1:], None], strict=True)
    made = {did: signed(statement([below] if below else FRENCH, did)) for did, below in documents}
    return {"list": made.pop(REFERENCES)} | made


def test_depth_and_number_are_bounded() -> None:
    assert len(load(chain_of(5)).keys) == 1
    assert "more than 5 levels" in refused(chain_of(6)).detail
    under = context()
    assert len(load(tree(), Context(under.anchors, NOW, Limits(list_pages=7))).keys) == 1
    assert refused(tree(), Context(under.anchors, NOW, Limits(list_pages=6))).code is Code.INPUT_TOO_LONG
    parts = tree()
    size = sum(map(len, parts.values()))
    assert len(load(parts, Context(under.anchors, NOW, Limits(list_bytes=size))).keys) == 1
    assert refused(parts, Context(under.anchors, NOW, Limits(list_bytes=size - 1))).code is Code.INPUT_TOO_LONG


class Server:
    """Answers by URL, and notes what was asked for."""

    def __init__(self, parts: Mapping[str, bytes], root: str = REFERENCES) -> None:
        self.pages = {url_of(root if did == "list" else did): data for did, data in parts.items()}
        self.asked: list[str] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append(url)
        if headers and headers.get("If-None-Match") == "same":
            return Response(304)
        if url not in self.pages:
            raise FetchError(Code.FETCH_FAILED, "404")
        return Response(200, self.pages[url], {"etag": "same"})

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError


def test_a_tree_is_fetched_and_loads() -> None:
    server = Server(tree())
    fetched = NETWORK.fetch(server, url_of(REFERENCES), Known(), context())
    assert fetched is not None
    assert fetched.parts.keys() == tree().keys()
    assert list(fetched.validators.values()) == ["same"]
    assert len(server.asked) == 7
    assert load(fetched.parts).keys == load(tree()).keys


def test_an_unchanged_list_is_none() -> None:
    server = Server(tree())
    first = NETWORK.fetch(server, url_of(REFERENCES), Known(), context())
    assert first is not None
    server.asked.clear()
    assert NETWORK.fetch(server, url_of(REFERENCES), Known(validators=first.validators), context()) is None
    assert len(server.asked) == 1


def test_nothing_is_asked_for_before_the_proof_held() -> None:
    server = Server(tree(by={REFERENCES: "another"}))
    with pytest.raises(TrustError):
        NETWORK.fetch(server, url_of(REFERENCES), Known(), context())
    assert len(server.asked) == 1


def test_no_other_host_is_asked() -> None:
    server = Server(tree())
    NETWORK.fetch(server, url_of(REFERENCES), Known(), context())
    assert all(url.startswith("https://tng-cdn-dev.who.int/v2/trustlist") for url in server.asked)


def test_a_page_that_is_missing_fails_the_whole() -> None:
    parts = tree()
    del parts[f"{ROOT}:DCC:FRA:SCA"]
    with pytest.raises(FetchError):
        NETWORK.fetch(Server(parts), url_of(REFERENCES), Known(), context())


@pytest.mark.parametrize(
    ("url", "parts", "fine"),
    [
        (url_of(ROOT), listed(*FRENCH), True),
        ("https://mirror.example.org/list.json", listed(*FRENCH), True),
        ("https://mirror.example.org/list.json", tree(), False),
        (url_of(f"{ROOT}:DCC"), listed(*FRENCH), False),
        (url_of(f"{TREE}:other"), tree(), False),
    ],
)
def test_a_document_is_where_it_says(url: str, parts: dict[str, bytes], fine: bool) -> None:
    server = Server(parts)
    server.pages[url] = parts["list"]
    if fine:
        assert NETWORK.fetch(server, url, Known(), context())
    else:
        with pytest.raises(TrustError, match="not the one of this address"):
            NETWORK.fetch(server, url, Known(), context())


PARTS = listed(*FRENCH, "did:web:example.org", *(method(dsc(), path) for path in ("-:-:-", "DCC:FRA:DECA")))


@given(st.integers(0, len(PARTS["list"]) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_byte_that_is_altered_changes_no_key(position: int, mask: int) -> None:
    data = bytearray(PARTS["list"])
    data[position] ^= mask
    with suppress(HealthCertError):
        found, honest = load({"list": bytes(data)}), load(PARTS)
        assert (found.keys, found.authorities, found.counter) == (honest.keys, honest.authorities, honest.counter)


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_other_exception_escapes(data: st.DataObject) -> None:
    """Documents without a proof are read furthest, whatever is in them."""
    values: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    values |= st.lists(values, max_size=2) | st.sampled_from(
        [ROOT, f"{ROOT}:DCC:FRA:DSC", f"{ROOT}:DCC:FRA:DSC#", "AAAA", {}]
    )
    document: Any = json.loads(json.dumps(statement([*FRENCH, ROOT + ":DCC"])))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = document
        while True:
            key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
            if isinstance(at[key], (dict, list)) and at[key] and data.draw(st.booleans()):
                at = at[key]
                continue
            at[key] = data.draw(values)
            break
    with suppress(HealthCertError):
        load({"list": json.dumps(document).encode()}, Context((), NOW, options={"unsigned": "yes"}))
