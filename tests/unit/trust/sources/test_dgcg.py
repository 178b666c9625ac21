"""The EU gateway's lists: what makes a key of an item, one test an attack."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.encoding import cms
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor, load_anchors
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.dgcg import Gateway
from healthcert.trust.sources.protocol import Context, Role
from healthcert.trust.sources.registry import source_named
from healthcert.trust.sources.trusted_issuer import verify_trusted_issuer
from tests.gateway_world import (
    YEAR,
    Item,
    Pair,
    authority,
    context,
    deep,
    item,
    lists,
    make,
    parts,
    repeated,
    uploader,
    world,
)
from tests.support import DAY, NOW
from tests.unit.trust.sources.dgcg_lists import (
    DE,
    FR,
    ISSUER,
    dsc_item,
    load,
    load_with,
    refused,
    refused_dsc,
    signed_message,
    skipped_for,
)


# --- What is good ---
def test_each_key_has_its_country_its_chain_and_its_limits() -> None:
    found = load()
    here = world()
    assert [key.country for key in found.keys] == [FR, DE]
    key = found.keys[0]
    assert key.certificate == here.dsc[FR].der
    assert key.kid == parse_certificate(here.dsc[FR].der).kid
    assert key.domain == "DCC"
    assert key.usages is None
    assert [(one.role, one.subject) for one in key.chain] == [
        ("CSCA", "FR CSCA"),
        ("UPLOAD", "FR Upload"),
        ("TA", "the anchor"),
    ]
    assert [one.fingerprint for one in key.chain] == [
        parse_certificate(pair.der).fingerprint for pair in (here.csca[FR], here.upload[FR], here.anchor)
    ]
    assert (found.assurance, found.skipped, found.counter) == (Assurance.SIGNED_CHAIN, (), None)
    assert found.signer == here.anchor.anchor()
    assert found.issued_at == datetime(2021, 8, 1, 10, tzinfo=UTC)
    assert {(one.role, one.country, one.domain) for one in found.authorities} == {
        (role, country, "DCC") for role in (Role.CSCA, Role.UPLOAD) for country in (FR, DE)
    }


def test_it_is_the_format_of_that_name() -> None:
    assert isinstance(source_named("dgcg"), Gateway)
    assert source_named("dgcg").parts == ("DSC", "CSCA", "UPLOAD")


def test_a_key_is_valid_no_longer_than_its_authority() -> None:
    csca = authority(start=NOW - 10 * DAY, end=NOW + 10 * DAY)
    dsc = make(FR, "DSC", csca, start=NOW - 20 * DAY, end=NOW + 20 * DAY)
    here = world()
    found = load(DSC=[item("DSC", dsc, here.upload[FR])], CSCA=[item("CSCA", csca, here.anchor)])
    assert (found.keys[0].not_before, found.keys[0].not_after) == (NOW - 10 * DAY, NOW + 10 * DAY)


def test_several_trust_anchors_hold_while_one_takes_over_from_the_other() -> None:
    new = make("EU", "New anchor")
    here = world()
    renewed = parts(CSCA=[item("CSCA", pair, new) for pair in here.csca.values()])
    found = Gateway().load(renewed, context(here.anchor.anchor(), new.anchor()))
    assert [key.country for key in found.keys] == [FR, DE]
    # Both vouch for it: one for who uploaded it, the other for who issued it.
    assert [one.role for one in found.keys[0].chain] == ["CSCA", "UPLOAD", "TA", "TA"]
    assert found.signer == new.anchor()


def test_a_bare_key_of_the_trust_anchor_can_be_pinned() -> None:
    certificate = parse_certificate(world().anchor.der)
    bare = TrustAnchor("bare", certificate.spki)
    after = context(bare, now=NOW + YEAR - DAY)
    assert len(load(after).keys) == 2


def test_authorities_of_one_name_are_told_apart_by_what_they_signed() -> None:
    older = authority(FR)  # the same name, another key
    here = world()
    dsc = make(FR, "older DSC", older)
    cscas = [item("CSCA", here.csca[FR], here.anchor), item("CSCA", older, here.anchor)]
    found = load(CSCA=cscas, DSC=[item("DSC", dsc, here.upload[FR]), lists()["DSC"][0]])
    assert len(found.keys) == 2


def test_a_message_that_holds_its_content_is_good_when_it_is_the_item() -> None:
    """As gateways keep those of some uploads; 304 of 829 in a published list."""
    here = world()
    signature = base64.b64encode(here.upload[FR].cms(here.dsc[FR].der, attached=True)).decode()
    assert load(DSC=[dsc_item(signature=signature)]).keys[0].country == FR


def test_items_of_the_successor_are_read_by_their_names() -> None:
    entry = dsc_item()
    other = {
        "certificate": entry["rawData"],
        "signature": entry["signature"],
        "kid": entry["kid"],
        "group": "DSC",
        "country": FR,
        "domain": "DCC",
        "properties": {},
    }
    assert [key.country for key in load(DSC=[other]).keys] == [FR]
    refused_dsc(other | {"domain": "ICVP"}, "another domain", Code.CERTIFICATE_UNREADABLE)


def test_two_keys_of_one_kid_are_both_kept_and_one_item_twice_is_one_key() -> None:
    entries = lists()["DSC"]
    assert len(load(DSC=[entries[0], entries[1], entries[0]]).keys) == 2


def test_an_rsa_signer_is_as_good() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    upload = uploader(key=key)
    here = world()
    found = load(
        DSC=[item("DSC", here.dsc[FR], upload)], UPLOAD=[item("UPLOAD", upload, here.anchor)]
    )  # RSASSA-PSS with its parameters
    assert [key.country for key in found.keys] == [FR]


# --- One attack each: items ---
def test_csca_of_another_country_is_no_authority_here() -> None:
    csca = authority(DE, "CSCA")
    here = world()
    # The authority is Germany's by its name, and the DSC says FR.
    dsc = make(FR, "DSC", csca)
    refused_dsc(
        item("DSC", dsc, here.upload[FR]),
        "another country's",
        CSCA=[*lists()["CSCA"][1:], item("CSCA", csca, here.anchor)],
    )


def test_upload_certificate_of_another_country_vouches_for_nothing_here() -> None:
    here = world()
    refused_dsc(item("DSC", here.dsc[FR], here.upload[DE]), "another country's upload certificate")


def test_a_csca_is_no_upload_certificate() -> None:
    here = world()
    second = authority(FR, "second CSCA")
    entry = item("DSC", here.dsc[FR], second)
    found = load(DSC=[entry], UPLOAD=[*lists()["UPLOAD"], item("UPLOAD", second, here.anchor)])
    assert found.keys == ()
    assert [(one.source, one.error.code) for one in found.skipped] == [
        ("UPLOAD entry 3 (FR)", Code.KEY_NOT_CHAINED),
        ("DSC entry 1 (FR)", Code.KEY_NOT_CHAINED),
    ]


def test_an_upload_certificate_is_no_csca() -> None:
    here = world()
    dsc = make(FR, "DSC", here.upload[FR])
    entry = item("DSC", dsc, here.upload[FR])
    found = load(DSC=[entry], CSCA=[*lists()["CSCA"], item("CSCA", here.upload[FR], here.anchor)])
    assert found.keys == ()
    assert [one.source for one in found.skipped] == ["CSCA entry 3 (FR)", "DSC entry 1 (FR)"]


@pytest.mark.parametrize(("ca", "signs"), [(True, None), (None, True), (False, True), (True, False), (None, None)])
def test_what_does_not_say_twice_that_it_is_an_authority_uploads_and_issues_nothing(
    ca: bool | None, signs: bool | None
) -> None:
    here = world()
    odd = make(FR, "odd", ca=ca, signs=signs)
    as_authority = load(CSCA=[*lists()["CSCA"], item("CSCA", odd, here.anchor)])
    assert [one.source for one in as_authority.skipped] == ["CSCA entry 3 (FR)"]
    as_uploader = load(DSC=[item("DSC", here.dsc[FR], odd)], UPLOAD=[item("UPLOAD", odd, here.anchor)])
    assert [key.country for key in as_uploader.keys] == [FR]


@pytest.mark.parametrize("kind", ["AUTHENTICATION", "UPLOAD", "CSCA", "dsc", None])
def test_items_of_other_types_are_no_dsc(kind: str | None) -> None:
    refused_dsc(dsc_item(certificateType=kind), "not of the type DSC", Code.CERTIFICATE_UNREADABLE)


@pytest.mark.parametrize("kind", ["CSCA", "UPLOAD"])
def test_tls_certificates_are_neither_authorities_nor_uploaders(kind: str) -> None:
    entries = lists()[kind]
    found = load_with(kind, [*entries, entries[0] | {"certificateType": "AUTHENTICATION"}])
    assert skipped_for(found, f"{kind} entry 3 (FR)").code is Code.CERTIFICATE_UNREADABLE


def test_a_self_signed_dsc_is_no_key() -> None:
    refused_dsc(item("DSC", make(FR, "alone"), world().upload[FR]), "no trusted authority of that name")


def test_a_self_signed_dsc_with_the_name_of_a_csca_is_no_key() -> None:
    impostor = make(FR, "FR CSCA")
    refused_dsc(item("DSC", impostor, world().upload[FR]), "the issuer's signature does not verify")


def test_a_csca_is_no_dsc_though_it_signed_itself() -> None:
    here = world()
    refused_dsc(item("DSC", here.csca[FR], here.upload[FR]), "its key is that of a CSCA")


def test_the_key_of_a_csca_in_another_certificate_is_no_dsc() -> None:
    here = world()
    disguised = make(FR, "DSC", here.csca[FR], key=here.csca[FR].key)
    refused_dsc(item("DSC", disguised, here.upload[FR]), "its key is that of a CSCA")


def test_the_key_of_an_upload_certificate_is_no_dsc() -> None:
    here = world()
    online = make(FR, "DSC", here.csca[FR], key=here.upload[FR].key)
    refused_dsc(item("DSC", online, here.upload[FR]), "an upload certificate")


def test_a_dsc_of_an_authority_that_is_not_listed_is_no_key() -> None:
    dsc = make(FR, "DSC", authority(FR, "unknown CSCA"))
    refused_dsc(item("DSC", dsc, world().upload[FR]), "no trusted authority of that name")


def test_a_trust_anchor_that_is_not_pinned_vouches_for_nothing() -> None:
    stranger = make("EU", "Trust anchor")
    cscas = [*lists()["CSCA"], item("CSCA", authority(FR, "new"), stranger)]
    uploads = [*lists()["UPLOAD"], item("UPLOAD", uploader(FR, "new"), stranger)]
    found = load(CSCA=cscas, UPLOAD=uploads)
    assert [(one.source, one.error.code, one.error.detail) for one in found.skipped] == [
        ("CSCA entry 3 (FR)", Code.KEY_NOT_CHAINED, "it is not signed with a pinned trust anchor"),
        ("UPLOAD entry 3 (FR)", Code.KEY_NOT_CHAINED, "it is not signed with a pinned trust anchor"),
    ]


@pytest.mark.parametrize("kind", ["CSCA", "UPLOAD"])
def test_an_anchors_certificate_beside_a_strangers_signature_is_no_signature(kind: str) -> None:
    here = world()
    pair = authority(FR, "new") if kind == "CSCA" else uploader(FR, "new")
    posing = Pair(ec.generate_private_key(ec.SECP256R1()), here.anchor.der)
    forged = base64.b64encode(signed_message(posing, pair.der)).decode()
    found = load_with(kind, [*lists()[kind], item(kind, pair, here.anchor, signature=forged)])
    assert skipped_for(found, f"{kind} entry 3 (FR)").code is Code.KEY_NOT_CHAINED


def test_an_uploaders_certificate_beside_an_invalid_signature_is_no_signature() -> None:
    """The reference client only notes that the signature is invalid, and goes by the certificate beside it."""
    here = world()
    posing = Pair(ec.generate_private_key(ec.SECP256R1()), here.upload[FR].der)
    forged = base64.b64encode(signed_message(posing, here.dsc[FR].der)).decode()
    refused_dsc(dsc_item(signature=forged), "the signature of its country does not verify")


def test_the_signature_of_another_item_is_none_for_this_one() -> None:
    here = world()
    other = make(FR, "other DSC", here.csca[FR])
    signature = item("DSC", other, here.upload[FR])["signature"]
    refused_dsc(dsc_item(signature=signature), "the signature of its country does not verify")


def test_a_message_about_another_item_is_none_for_this_one() -> None:
    here = world()
    attached = base64.b64encode(here.upload[FR].cms(here.dsc[DE].der, attached=True)).decode()
    refused_dsc(dsc_item(signature=attached), "its signature is about something else")


def test_an_upload_certificate_that_has_ended_vouches_for_nothing() -> None:
    here = world()
    ended = uploader(FR, "ended", end=NOW - DAY)
    entry = item("DSC", here.dsc[FR], ended)
    uploads = [*lists()["UPLOAD"], item("UPLOAD", ended, here.anchor)]
    found = load(DSC=[entry], UPLOAD=uploads)
    assert found.keys == ()
    assert [(one.source, one.error.detail) for one in found.skipped] == [
        ("UPLOAD entry 3 (FR)", "the upload certificate is not valid at this moment"),
        ("DSC entry 1 (FR)", "it is signed with none of the upload certificates"),
    ]
    before = load(context(now=NOW - 2 * DAY), DSC=[entry], UPLOAD=uploads)
    assert [key.country for key in before.keys] == [FR]


def test_an_item_moved_to_another_country_is_no_key() -> None:
    entry = dsc_item(country=DE)
    found = load(DSC=[entry])
    assert found.keys == ()
    error = skipped_for(found, "DSC entry 1 (DE)")
    assert (error.code, error.detail) == (
        Code.CERTIFICATE_UNREADABLE,
        "its country is not that of its certificate",
    )


@pytest.mark.parametrize("kind", ["CSCA", "UPLOAD"])
def test_an_authority_or_uploader_moved_to_another_country_is_none(kind: str) -> None:
    entries = lists()[kind]
    found = load_with(kind, [entries[0] | {"country": DE}, entries[1]])
    assert found.skipped[0].source == f"{kind} entry 1 (DE)"
    assert [key.country for key in found.keys] == [DE]


@pytest.mark.parametrize("country", [None, "fr", "FRA", "", 5, "F1"])
def test_a_country_is_two_letters_of_the_certificate(country: Any) -> None:
    found = load(DSC=[dsc_item(country=country), lists()["DSC"][1]])
    assert [key.country for key in found.keys] == [DE]
    assert skipped_for(found, "DSC entry 1").code is Code.CERTIFICATE_UNREADABLE


def test_a_certificate_of_no_country_is_no_key() -> None:
    here = world()
    stateless = make(None, "DSC", here.csca[FR])
    found = load(DSC=[item("DSC", stateless, here.upload[FR])])
    assert found.keys == ()
    assert skipped_for(found, "DSC entry 1").code is Code.CERTIFICATE_UNREADABLE


@pytest.mark.parametrize("kind", ["DSC", "CSCA", "UPLOAD"])
def test_a_thumbprint_of_another_certificate_is_refused(kind: str) -> None:
    entries = lists()[kind]
    found = load_with(kind, [entries[0] | {"thumbprint": entries[1]["thumbprint"]}, entries[1]])
    assert found.skipped[0].error.detail == "its thumbprint is not that of its certificate"
    assert [key.country for key in found.keys] == [DE]


@pytest.mark.parametrize("kind", ["DSC", "CSCA", "UPLOAD"])
def test_a_kid_of_another_certificate_is_refused(kind: str) -> None:
    entries = lists()[kind]
    found = load_with(kind, [entries[0] | {"kid": entries[1]["kid"]}, entries[1]])
    assert found.skipped[0].error.detail == "its kid is not that of its certificate"
    assert [key.country for key in found.keys] == [DE]


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64", None, 5, ["x"], "é"])
def test_what_is_no_signature_vouches_for_nothing(signature: Any) -> None:
    refused_dsc(dsc_item(signature=signature), "its signature cannot be read")


@pytest.mark.parametrize("raw", ["", "AAAA", "not base64", 5, ["x"], ...])
def test_what_is_no_certificate_is_no_key(raw: Any) -> None:
    entry = {name: value for name, value in dsc_item(rawData=raw).items() if value is not ...}
    detail = "not a readable X.509 certificate" if raw in ("", "AAAA") else "no certificate in it"
    refused_dsc(entry, detail, Code.CERTIFICATE_UNREADABLE)


@pytest.mark.parametrize("entry", [None, 5, "DSC", [], [[]], {}, {"certificateType": "DSC"}])
def test_what_is_no_item_is_skipped(entry: Any) -> None:
    found = load(DSC=[entry, *lists()["DSC"]])
    assert len(found.keys) == 2
    assert skipped_for(found, "DSC entry 1").code is Code.CERTIFICATE_UNREADABLE


def test_base64_has_one_spelling() -> None:
    text = dsc_item()["signature"]
    refused_dsc(dsc_item(signature=text + "\n"), "its signature cannot be read")


@pytest.mark.parametrize(("certificates", "signers"), [(1, 2), (2, 1), (0, 1), (1, 0), (2, 2)])
def test_a_message_without_just_one_signature_and_certificate_is_refused(certificates: int, signers: int) -> None:
    here = world()
    again = repeated(here.upload[FR].cms(here.dsc[FR].der), certificates, signers)
    entry = dsc_item(signature=base64.b64encode(again).decode())
    refused_dsc(entry, "it does not bear one signature with one certificate")


def test_a_message_about_content_of_another_type_is_refused() -> None:
    here = world()
    message = here.upload[FR].cms(here.dsc[FR].der, content_type="1.2.840.113549.1.9.16.1.4")
    entry = dsc_item(signature=base64.b64encode(message).decode())
    refused_dsc(entry, "its signature is about something else")


def test_a_key_that_cannot_sign_health_certificates_is_no_key() -> None:
    here = world()
    brainpool = make(FR, "DSC", here.csca[FR], key=ec.generate_private_key(ec.BrainpoolP256R1()))
    refused_dsc(item("DSC", brainpool, here.upload[FR]), "not a key that can sign", Code.CERTIFICATE_UNREADABLE)


def test_an_issuer_without_a_readable_name_harms_one_item_only() -> None:
    here = world()
    good = here.dsc[FR]
    # An attribute of three elements; the issuer stands before the subject.
    damaged = good.der.replace(b"\x13\x02FR", b"\x05\0\x05\0", 1)
    assert damaged != good.der
    odd = item("DSC", Pair(good.key, damaged), here.upload[FR], country=FR)
    refused_dsc(odd, "not a readable", Code.CERTIFICATE_UNREADABLE)


def test_a_certificate_of_too_many_levels_harms_one_item_only() -> None:
    here = world()
    refused_dsc(item("DSC", deep(here.dsc[FR]), here.upload[FR], country=FR), "", Code.CERTIFICATE_UNREADABLE)


# --- Whole lists ---
@pytest.mark.parametrize("kind", ["CSCA", "UPLOAD"])
def test_a_list_in_which_no_authority_or_no_uploader_verifies_is_refused_whole(kind: str) -> None:
    for entries in ([], [entry | {"signature": "AAAA"} for entry in lists()[kind]]):
        refused(parts(**{kind: entries}), Code.TRUST_LIST_NOT_AUTHENTIC)


def test_lists_under_another_trust_anchor_are_refused_whole() -> None:
    refused(parts(), Code.TRUST_LIST_NOT_AUTHENTIC, context(make("EU", "Trust anchor").anchor()))


def test_without_a_pinned_anchor_nothing_is_read() -> None:
    refused(parts(), Code.TRUST_ANCHOR_MISSING, Context((), NOW))


def test_an_anchor_that_has_ended_vouches_for_nothing() -> None:
    refused(parts(), Code.TRUST_ANCHOR_MISSING, context(now=NOW + 2 * YEAR))


@pytest.mark.parametrize("kind", ["DSC", "CSCA", "UPLOAD"])
@pytest.mark.parametrize(
    "data", [b"", b"{}", b"5", b"[", b'[{"kid":"a","kid":"b"}]', b"[NaN]", b"[" * 100_000, b"\xff", None]
)
def test_a_part_that_is_no_array_of_json_is_refused_whole(kind: str, data: bytes | None) -> None:
    given = {name: data if name == kind else content for name, content in parts().items()}
    refused({name: content for name, content in given.items() if content is not None}, Code.TRUST_LIST_UNREADABLE)


def test_a_list_of_too_many_entries_is_refused() -> None:
    few = replace(context(), limits=Limits(trust_entries=1))
    refused(parts(), Code.INPUT_TOO_LONG, few)
    assert len(load(replace(context(), limits=Limits(trust_entries=2))).keys) == 2


def test_moments_that_are_still_to_come_date_no_list() -> None:
    entries = lists()["DSC"]
    found = load(DSC=[entries[0] | {"timestamp": "2999-01-01T00:00:00Z"}, entries[1]])
    assert found.issued_at == datetime(2021, 8, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", ["", "soon", None, 5, "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_moment_that_is_none_dates_nothing(timestamp: Any) -> None:
    every = {kind: [one | {"timestamp": timestamp} for one in entries] for kind, entries in lists().items()}
    assert Gateway().load(parts(**every), context()).issued_at is None


def test_no_details_of_an_item_are_told() -> None:
    entry = dsc_item(kid="SECRET-kid", certificateType="SECRET" * 1000, country="SECRET")
    error = skipped_for(load(DSC=[entry]), "DSC entry 1")
    assert "SECRET" not in f"{error}{error!r}"


@given(st.data())
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_nothing_but_our_own_errors_comes_out(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(Gateway.parts))
    changed = lists()
    odd = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    if data.draw(st.booleans()):
        entry = dict(changed[kind][0])
        entry[data.draw(st.sampled_from(sorted(entry)))] = data.draw(odd | _damaged(entry))
        changed[kind][0] = entry
    else:
        changed[kind].insert(0, data.draw(odd))
    given = {name: json.dumps(entries).encode() for name, entries in changed.items()}
    try:
        found = Gateway().load(given, context())
    except HealthCertError:
        return
    # What is not damaged is as it was; what is, makes no other key than there was.
    assert {key.certificate for key in found.keys} <= {pair.der for pair in world().dsc.values()}


@st.composite
def _damaged(draw: st.DrawFn, entry: Item) -> str:
    """A member whose bytes are changed somewhere."""
    raw = bytearray(base64.b64decode(entry[draw(st.sampled_from(["signature", "rawData"]))]))
    raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return base64.b64encode(bytes(raw)).decode()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_for_a_list_are_our_own_error(data: bytes) -> None:
    for kind in Gateway.parts:
        try:
            Gateway().load(parts() | {kind: data}, context())
        except HealthCertError:
            continue


def test_no_byte_of_a_certificate_can_be_changed() -> None:
    entry = dsc_item()
    raw = base64.b64decode(entry["rawData"])
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        found = load(DSC=[entry | {"rawData": base64.b64encode(bytes(changed)).decode()}])
        assert found.keys == (), position


# --- Real data ---
def test_signatures_of_a_published_list_hold_but_for_those_with_sha_1(interop: Path) -> None:
    """Its items bear the uploaders' signatures; the lists of these are not public, so each stands for itself."""
    path = interop / "trust-lists/covpass/prod/dsc-list.json"
    items = json.loads(path.read_bytes().partition(b"\n")[2])["certificates"]
    signed, forms = [], set()
    for entry in items:
        message = cms.read(base64.b64decode(entry["signature"]))
        der = base64.b64decode(entry["rawData"])
        (certificate,) = message.certificates
        parsed = parse_certificate(certificate)
        assert parsed.country == entry["country"] == parse_certificate(der).country
        (one,) = message.signers
        good = one.verify(parsed.public_key(), der, message.content_type)
        assert good is (one.digest != "1.3.14.3.2.26")
        signed.append(good)
        forms.add((one.attributes is None, message.content is None, one.algorithm))
    assert (len(signed), sum(signed)) == (829, 820)
    assert len(forms) >= 6


def test_an_issuer_without_content_that_the_who_signed_is_refused(interop: Path) -> None:
    folder = interop / "gdhcn/tng-participants-dev"
    signed = folder / "XYK/onboarding/DDCC/ISSUER/signed/TNG_TA.signed.Trusted_Issuer.json"
    anchors = load_anchors(folder / "WHO/signing/DCC/TNG_TA.pem")
    given = json.loads(signed.read_bytes()) | dict.fromkeys(ISSUER, "null")
    with pytest.raises(TrustError) as caught:
        verify_trusted_issuer(given, anchors)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    # It is the content that makes it worthless: the signature over that text is good.
    message = cms.read(base64.b64decode(given["signature"]))
    assert message.content == b"null;null;null;null"
    assert message.signers[0].verify(anchors[0].public_key(), message.content, message.content_type)
