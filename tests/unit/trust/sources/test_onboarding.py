"""WHO's onboarding files: each is believed for itself, when the trust anchor signed it and all it says agrees."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import cms_write
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyPair
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.onboarding import Onboarding
from healthcert.trust.sources.protocol import Context, Known, Role, TrustList
from tests.support import DAY, NOW
from tests.support_did import dsc, sca, signer
from tests.unit.lists.test_x509 import certificate

SOURCE = Onboarding()
SCA_PATH = "FRA/onboarding/DCC/SCA/signed/TNG_TA.signed.SCA.json"
TLS_PATH = "FRA/onboarding/DDCC/TLS/signed/TNG_TA.signed.TLS.json"


def anchor(name: str = "TA") -> TrustAnchor:
    der = signer(name).certificate_der()
    return TrustAnchor(name, parse_certificate(der).spki, der)


def context(**options: str) -> Context:
    return Context((anchor(),), NOW, options=options)


def message(content: bytes, by: str = "TA", *, attached: bool = True) -> bytes:
    made = signer(by).signer()
    return cms_write.write(content, made.certificate, made.sign, Algorithm.ES256, attached=attached, signing_time=NOW)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def file(pair: KeyPair, *, signature: bytes | None = None, **changes: Any) -> bytes:
    der = pair.certificate_der()
    certificate = parse_certificate(der)
    members = {
        "trustAnchorSignature": b64(signature or message(der)),
        "certificateRawData": b64(der),
        "certificateThumbprint": certificate.fingerprint,
        "country": certificate.country,
    }
    return json.dumps({k: v for k, v in (members | changes).items() if v is not None}).encode()


def issuer(text: str, by: str = "TA") -> bytes:
    return json.dumps({"signature": b64(message(text.encode(), by))}).encode()


def load(parts: Mapping[str, bytes], **options: str) -> TrustList:
    return SOURCE.load(parts, context(**options))


def refused(data: bytes, path: str = SCA_PATH, **options: str) -> TrustError:
    with pytest.raises(TrustError) as caught:
        load({path: data}, **options)
    return caught.value


def test_a_folder_gives_authorities_and_no_keys() -> None:
    found = load({SCA_PATH: file(sca()), f"x/{TLS_PATH}": file(dsc()), "FRA/README.json": b"{}"})
    assert [(a.role, a.country, a.domain, a.certificate) for a in found.authorities] == [
        (Role.CSCA, "FR", "DCC", sca().certificate_der()),
        (Role.TLS, "FR", "DDCC", dsc().certificate_der()),
    ]
    assert (found.keys, found.skipped, found.assurance, found.signer) == ((), (), Assurance.SIGNED_LIST, anchor())
    assert found.counter is None


def test_a_bad_file_in_a_folder_is_skipped_and_said_so() -> None:
    found = load({SCA_PATH: file(sca()), TLS_PATH: file(dsc(), signature=message(dsc().certificate_der(), "another"))})
    assert len(found.authorities) == 1
    assert [(s.source, s.error.code) for s in found.skipped] == [(TLS_PATH, Code.TRUST_LIST_NOT_AUTHENTIC)]


def test_a_bad_file_alone_is_refused() -> None:
    error = refused(file(sca(), signature=message(sca().certificate_der(), "another")))
    assert error.code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_a_path_that_is_none_is_not_shown() -> None:
    odd = "\x1b[31m/FRA/onboarding/DCC/SCA/signed/TNG_TA.signed.SCA.json"
    found = load({SCA_PATH: file(sca()), odd: b"{}", "x" * 200 + "/TNG_TA.signed.SCA.json": b"{}"})
    assert [s.source for s in found.skipped] == ["file 1", "file 3"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"certificateRawData": b64(dsc().certificate_der())}, "not the one that was signed"),
        ({"certificateRawData": "!"}, "not the one that was signed"),
        ({"certificateRawData": 1}, "not the one that was signed"),
        ({"certificateThumbprint": "00" * 32}, "the thumbprint"),
        ({"certificateThumbprint": parse_certificate(sca().certificate_der()).fingerprint.upper()}, "the thumbprint"),
        ({"certificateThumbprint": 1}, "the thumbprint"),
        ({"country": "DE"}, "the country"),
        ({"country": None}, "neither"),
        ({"country": ["FR"]}, "the country"),
        ({"surplus": 1}, "neither"),
        ({"trustAnchorSignature": "!"}, "no base64"),
        ({"trustAnchorSignature": ""}, "no base64"),
        ({"trustAnchorSignature": 1}, "no base64"),
        ({"trustAnchorSignature": "AAAA"}, "ASN.1"),
    ],
)
def test_all_that_a_file_says_must_agree(change: dict[str, Any], why: str) -> None:
    assert why in refused(file(sca(), **change)).detail


def test_the_certificate_is_in_the_message() -> None:
    """A detached signature would be over whatever stands beside it."""
    assert "no content" in refused(file(sca(), signature=message(sca().certificate_der(), attached=False))).detail


def test_a_certificate_without_a_country_is_nobodys() -> None:
    der = certificate(("2.5.29.19", bytes.fromhex("30030101ff")), subject=None)
    assert parse_certificate(der).ca is True
    members = json.loads(file(sca(), signature=message(der), certificateRawData=b64(der)))
    members |= {"certificateThumbprint": parse_certificate(der).fingerprint, "country": None}
    assert "the country" in refused(json.dumps(members).encode(), "x.json", role="SCA").detail


def test_a_folder_is_of_one_country() -> None:
    assert "another country than the folder" in refused(file(sca("DE"))).detail
    assert "another country than the folder" in refused(file(sca()), "x.json", role="SCA", participant="DEU").detail
    assert load({SCA_PATH.replace("FRA", "XYK"): file(sca("YK"))}).authorities[0].country == "YK"


@pytest.mark.parametrize(("path", "pair"), [(SCA_PATH, dsc()), (TLS_PATH, sca())])
def test_a_file_in_the_wrong_folder_is_refused(path: str, pair: KeyPair) -> None:
    """The signature does not say what the certificate is for."""
    assert "not of the kind" in refused(file(pair), path).detail


def test_options_say_what_the_path_does_not() -> None:
    assert "what the certificate is for" in refused(file(sca()), "list").detail
    found = load({"list": file(sca())}, role="SCA", domain="PH4H", participant="FRA")
    assert [(a.role, a.domain) for a in found.authorities] == [(Role.CSCA, "PH4H")]
    found = load({"TNG_TA.signed.SCA.json": file(sca())})
    assert [(a.role, a.domain, a.country) for a in found.authorities] == [(Role.CSCA, None, "FR")]
    # The path is nearer to the file.
    assert load({SCA_PATH: file(sca())}, role="TLS", domain="PH4H").authorities[0].role is Role.CSCA


@pytest.mark.parametrize("role", ["DECA", "DESC", "ISSUER", "QQ"])
def test_other_roles_vouch_for_nothing(role: str) -> None:
    found = load({SCA_PATH.replace("SCA", role): file(dsc())})
    assert (found.authorities, found.skipped) == ((), ())


@pytest.mark.parametrize(
    "text", ["null;null;null;null", "FR;name;null;DID", ";;;", "FR;;url;DID", "FR;name;url", "", "\xff"]
)
def test_an_issuer_with_nothing_in_it_is_refused(text: str) -> None:
    assert refused(issuer(text)).detail == "a signed issuer with nothing in it"


@pytest.mark.parametrize("end", ["", ";"])
def test_an_issuer_is_no_authority(end: str) -> None:
    assert load({"list": issuer(f"FR;Name;did:web:example.org;DID{end}")}).authorities == ()
    assert refused(issuer("FR;Name;did:web:example.org;DID", "another")).code is Code.TRUST_LIST_NOT_AUTHENTIC


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"{" * 99_999, b'{"signature":"A","signature":"A"}'])
def test_what_is_no_signed_file_is_refused(data: bytes) -> None:
    assert refused(data).code is Code.TRUST_LIST_UNREADABLE


def test_without_an_anchor_nothing_is_taken() -> None:
    with pytest.raises(TrustError) as caught:
        SOURCE.load({SCA_PATH: file(sca())}, Context((), NOW))
    assert caught.value.code is Code.TRUST_ANCHOR_MISSING
    with pytest.raises(TrustError) as caught:
        SOURCE.load({SCA_PATH: file(sca())}, Context((anchor(),), NOW + 9999 * DAY))
    assert caught.value.code is Code.TRUST_ANCHOR_MISSING


def test_a_bare_key_can_be_pinned() -> None:
    bare = TrustAnchor("bare", anchor().spki)
    assert SOURCE.load({SCA_PATH: file(sca())}, Context((bare,), NOW)).signer == bare


def test_a_folder_without_signed_files_is_none() -> None:
    with pytest.raises(TrustError, match="no file has the name"):
        load({"a.json": b"{}", "b.json": b"{}"})
    with pytest.raises(TrustError):
        load({})


def test_no_more_than_so_many_files() -> None:
    parts = {SCA_PATH: file(sca()), TLS_PATH: file(dsc())}
    with pytest.raises(TrustError) as caught:
        SOURCE.load(parts, Context((anchor(),), NOW, Limits(trust_entries=1)))
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_a_file_is_fetched_under_its_path() -> None:
    class Server:
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            return Response(304) if headers else Response(200, file(sca()), {"etag": "e"})

        def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
            raise AssertionError

    url = f"https://example.org/{SCA_PATH}"
    fetched = SOURCE.fetch(Server(), url, Known(), context())
    assert fetched is not None
    assert load(fetched.parts).authorities[0].domain == "DCC"
    assert SOURCE.fetch(Server(), url, Known(validators=fetched.validators), context()) is None


FILE = file(sca())
ISSUER = issuer("FR;Name;did:web:example.org;DID")


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_any_altered_byte_refuses_the_file(position: int, mask: int) -> None:
    """Also one in those parts of a CMS message that its signature is not over."""
    data = bytearray(FILE)
    data[position] ^= mask
    with suppress(HealthCertError):
        # White space for white space is the one change that JSON leaves room for.
        load({SCA_PATH: bytes(data)})
        assert json.loads(data) == json.loads(FILE)


def test_every_byte_of_the_message_counts() -> None:
    whole = message(sca().certificate_der())
    for position in range(len(whole)):
        for mask in (1, 0x20):
            data = bytearray(whole)
            data[position] ^= mask
            assert refused(file(sca(), signature=bytes(data))).code.startswith("TRUST_LIST_")


def test_nothing_may_stand_in_the_message_beside_what_was_signed() -> None:
    whole = message(sca().certificate_der())
    another = message(sca().certificate_der(), "another")
    for changed in (whole + b"\0", another):
        assert refused(file(sca(), signature=changed)).code.startswith("TRUST_LIST_")
    indefinite = b"\x30\x80" + whole[4:] + b"\0\0"
    assert "more in it" in refused(file(sca(), signature=indefinite)).detail


@given(
    st.dictionaries(
        st.sampled_from(
            ("signature", "trustAnchorSignature", "certificateRawData", "certificateThumbprint", "country")
        ),
        st.none() | st.integers() | st.text(max_size=9) | st.just([]) | st.binary(max_size=40).map(b64),
    ),
    st.text(max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_no_other_exception_escapes(members: dict[str, Any], path: str) -> None:
    for made in (members, json.loads(FILE) | members, json.loads(ISSUER) | members):
        with suppress(HealthCertError):
            load({path: json.dumps(made).encode()}, role="SCA", participant=path)
