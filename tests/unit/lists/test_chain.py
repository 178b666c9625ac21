"""Who vouches for a signature: whether one certificate issued another, and how it leads up to a pinned anchor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec.structs import replace

from healthcert.encoding import ber
from healthcert.errors import Code, TrustError
from healthcert.lists import x509 as x509_module
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import anchor_of, chained_signer, pinned_signer
from healthcert.lists.x509 import Certificate, parse_certificate
from tests.gateway_world import Pair, authority, make, repeated
from tests.support import DAY, NOW

FR = "FR"
CONTENT = b"what is signed"


def parsed(pair: Pair) -> Certificate:
    return parse_certificate(pair.der)


def key_id(pair: Pair) -> bytes:
    found = parsed(pair).subject_key_id
    assert found is not None
    return found


# --- One certificate and one authority (lists/x509) ---


def test_the_authority_that_issued_a_certificate_has_no_problem() -> None:
    csca = authority()
    for dsc in (make(FR, "DSC", csca), make(FR, "DSC", csca, issuer_key_id=key_id(csca))):
        assert parsed(dsc).problem_with_issuer(parsed(csca)) is None
    assert parsed(csca).problem_with_issuer(parsed(csca)) is None


def test_another_name_is_another_issuer() -> None:
    csca = authority()
    renamed = authority(FR, "other", key=csca.key)
    assert parsed(make(FR, "DSC", csca)).problem_with_issuer(parsed(renamed)) == "another issuer is named"


def test_another_key_identifier_is_another_key() -> None:
    csca = authority()
    dsc = make(FR, "DSC", csca, issuer_key_id=b"\0" * 20)
    assert parsed(dsc).problem_with_issuer(parsed(csca)) == "the authority key identifier is another key's"
    silent = authority(key=csca.key, subject_key_id=False)
    assert parsed(dsc).problem_with_issuer(parsed(silent)) is None


@pytest.mark.parametrize(("ca", "signs"), [(False, None), (None, False), (True, False), (False, True), (False, False)])
def test_who_says_that_it_issues_no_certificates_issues_none(ca: bool | None, signs: bool | None) -> None:
    odd = make(FR, "odd", ca=ca, signs=signs)
    assert parsed(make(FR, "DSC", odd)).problem_with_issuer(parsed(odd)) == "the issuer may not sign certificates"


@pytest.mark.parametrize(("ca", "signs"), [(True, True), (True, None), (None, True), (None, None)])
def test_who_does_not_say_so_may(ca: bool | None, signs: bool | None) -> None:
    old = make(FR, "old", ca=ca, signs=signs)
    assert parsed(make(FR, "DSC", old)).problem_with_issuer(parsed(old)) is None


def test_the_signature_decides() -> None:
    impostor = authority()
    assert (
        parsed(make(FR, "DSC", authority())).problem_with_issuer(parsed(impostor))
        == "the issuer's signature does not verify"
    )


def test_no_byte_of_what_an_authority_signed_can_be_changed() -> None:
    csca = authority()
    dsc = make(FR, "DSC", csca).der
    signed = parse_certificate(dsc)._signed
    start, refused = dsc.index(signed), 0
    for position in range(start, start + len(signed)):
        changed = dsc[:position] + bytes((dsc[position] ^ 1,)) + dsc[position + 1 :]
        try:
            certificate = parse_certificate(changed)
        except TrustError:
            continue
        assert certificate.problem_with_issuer(parsed(csca)) is not None, position
        refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        ("FR csca", True),
        ("fr  CSCA", True),
        (" FR CSCA ", True),
        ("FR CSCA 2", False),
        ("FRCSCA", False),
    ],
)
def test_names_are_compared_as_names(theirs: str, same: bool) -> None:
    csca = authority()
    assert parsed(csca).common_name == "FR CSCA"
    spelled = make(FR, theirs, ca=True, signs=True, key=csca.key)
    assert (parsed(make(FR, "DSC", csca)).problem_with_issuer(parsed(spelled)) is None) is same


def test_an_authority_whose_key_cannot_be_read_issues_nothing() -> None:
    csca = authority()
    damaged = parse_certificate(
        csca.der.replace(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x06\x08" + b"\x2a" * 8)
    )
    assert parsed(make(FR, "DSC", csca)).problem_with_issuer(damaged) == "the issuer's key cannot be read"


def test_a_certificate_signed_with_sha_1_or_a_short_rsa_key_has_no_issuer() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    weak = authority(key=short)
    assert parsed(weak).problem_with_issuer(parsed(weak)) == "the issuer's signature does not verify"
    # The library that makes the certificates of these tests makes none with SHA-1; so its identifier is put there.
    csca = parsed(authority())
    old = replace(csca, _algorithm=("1.2.840.10045.4.1", b""))
    assert csca.problem_with_issuer(csca) is None
    assert old.problem_with_issuer(csca) == "the issuer's signature does not verify"


@pytest.mark.parametrize(("moment", "valid"), [(-1, False), (0, True), (1, True)])
def test_both_ends_of_a_validity_belong_to_it(moment: int, valid: bool) -> None:
    certificate = parsed(make(FR, "DSC", start=NOW, end=NOW + DAY))
    assert certificate.valid_at(NOW + timedelta(seconds=moment)) is valid
    assert certificate.valid_at(NOW + DAY - timedelta(seconds=moment)) is valid


def test_a_name_that_cannot_be_read_makes_the_certificate_unreadable() -> None:
    der = make(FR, "DSC", authority()).der
    # Of an attribute, a type and a value, the value becomes two.
    damaged = der.replace(b"\x13\x02FR", b"\x05\0\x05\0", 1)
    assert damaged != der
    with pytest.raises(TrustError):
        parse_certificate(damaged)


# --- Signed by the anchor itself ---


def not_authentic(call: Callable[[], object], detail: str = "") -> None:
    with pytest.raises(TrustError) as caught:
        call()
    assert caught.value.code is Code.TRUST_LIST_NOT_AUTHENTIC
    assert detail in caught.value.detail


def test_a_pinned_signer_is_found_whichever_anchor_it_is() -> None:
    signer, other = make("EU", "signer"), make("EU", "other")
    anchors = [other.anchor(), signer.anchor()]
    assert pinned_signer(signer.cms(CONTENT), CONTENT, anchors) == (CONTENT, anchors[1])
    assert pinned_signer(signer.cms(CONTENT, attached=True), None, anchors) == (CONTENT, anchors[1])
    assert pinned_signer(signer.cms(CONTENT, attached=True), CONTENT, anchors) == (CONTENT, anchors[1])
    bare = TrustAnchor("bare", parsed(signer).spki)
    assert pinned_signer(signer.cms(CONTENT), CONTENT, [bare]) == (CONTENT, bare)


def test_nobody_else_is_a_pinned_signer() -> None:
    signer = make("EU", "signer")
    message = signer.cms(CONTENT)
    not_authentic(lambda: pinned_signer(message, CONTENT, [make("EU", "signer").anchor()]))
    not_authentic(lambda: pinned_signer(message, CONTENT, []))
    not_authentic(lambda: pinned_signer(message, CONTENT + b".", [signer.anchor()]))
    # The same key, but another certificate of it: what is pinned is the certificate.
    again = make("EU", "signer", key=signer.key)
    not_authentic(lambda: pinned_signer(message, CONTENT, [again.anchor()]))


def test_the_certificate_of_the_signer_proves_nothing() -> None:
    signer = make("EU", "signer")
    posing = Pair(ec.generate_private_key(ec.SECP256R1()), signer.der)
    forged = _forged(posing)
    not_authentic(lambda: pinned_signer(forged, CONTENT, [signer.anchor()]))
    not_authentic(lambda: chained_signer(forged, CONTENT, [signer.anchor()], NOW))


def _forged(posing: Pair) -> bytes:
    from healthcert.encoding import cms_write
    from healthcert.encoding.algorithms import Algorithm

    return cms_write.write(
        CONTENT, posing.der, lambda data: Algorithm.ES256.sign(posing.key, data), Algorithm.ES256, attached=False
    )


@pytest.mark.parametrize("signers", [0, 2])
def test_a_message_has_one_signature(signers: int) -> None:
    signer = make("EU", "signer")
    message = repeated(signer.cms(CONTENT), 1, signers)
    not_authentic(lambda: pinned_signer(message, CONTENT, [signer.anchor()]), f"{signers} signatures")
    not_authentic(lambda: chained_signer(message, CONTENT, [signer.anchor()], NOW), f"{signers} signatures")


def test_a_message_is_about_what_it_holds() -> None:
    signer = make("EU", "signer")
    anchors = [signer.anchor()]
    not_authentic(lambda: pinned_signer(signer.cms(CONTENT), None, anchors), "holds no content")
    attached = signer.cms(CONTENT, attached=True)
    not_authentic(lambda: pinned_signer(attached, b"else", anchors), "about something else")


# --- Signed by one that chains up to the anchor ---


def path(*names: str) -> list[Pair]:
    """A root, authorities under it, and last a leaf."""
    found = [authority("EU", names[0])]
    for name in names[1:-1]:
        found.append(authority("EU", name, found[-1]))
    return [*found, make("EU", names[-1], found[-1])]


def test_a_leaf_right_under_the_anchor_is_vouched_for() -> None:
    root, leaf = path("root", "leaf")
    anchor = root.anchor()
    assert chained_signer(leaf.cms(CONTENT), CONTENT, [anchor], NOW) == (CONTENT, anchor)
    # The anchor itself may have signed.
    assert chained_signer(root.cms(CONTENT), CONTENT, [anchor], NOW) == (CONTENT, anchor)
    bare = TrustAnchor("bare", parsed(leaf).spki)
    assert chained_signer(leaf.cms(CONTENT), CONTENT, [bare], NOW) == (CONTENT, bare)


def test_authorities_may_stand_between() -> None:
    root, one, two, leaf = path("root", "one", "two", "leaf")
    anchor = root.anchor()
    pool = [parsed(one), parsed(two)]
    for order in (pool, pool[::-1]):
        assert anchor_of(parsed(leaf), order, [anchor], NOW) is anchor
    not_authentic(lambda: anchor_of(parsed(leaf), pool[:1], [anchor], NOW), "does not chain up")


def test_a_leaf_of_a_strangers_root_is_not_vouched_for() -> None:
    _, leaf = path("root", "leaf")
    root, _ = path("root", "leaf")
    not_authentic(lambda: chained_signer(leaf.cms(CONTENT), CONTENT, [root.anchor()], NOW))


@pytest.mark.parametrize("ca", [False, None])
def test_only_authorities_may_stand_between(ca: bool | None) -> None:
    root = authority("EU", "root")
    between = make("EU", "between", root, ca=ca, signs=None)
    leaf = make("EU", "leaf", between)
    not_authentic(lambda: anchor_of(parsed(leaf), [parsed(between)], [root.anchor()], NOW))


@pytest.mark.parametrize("ended", ["root", "between", "leaf"])
def test_all_on_the_way_are_valid_now(ended: str) -> None:
    ends = {name: NOW - DAY if name == ended else NOW + DAY for name in ("root", "between", "leaf")}
    root = authority("EU", "root", end=ends["root"])
    between = authority("EU", "between", root, end=ends["between"])
    leaf = make("EU", "leaf", between, end=ends["leaf"])
    pool, anchors = [parsed(between)], [root.anchor()]
    not_authentic(lambda: anchor_of(parsed(leaf), pool, anchors, NOW))
    assert anchor_of(parsed(leaf), pool, anchors, NOW - 2 * DAY) == anchors[0]


def test_a_pinned_name_is_the_signers_own() -> None:
    root, leaf = path("root", "leaf")
    for subject, good in (("EU leaf", False), ("leaf", True)):
        anchor = TrustAnchor("root", parsed(root).spki, root.der, subject)
        if good:
            assert anchor_of(parsed(leaf), [], [anchor], NOW) is anchor
        else:
            not_authentic(lambda anchor=anchor: anchor_of(parsed(leaf), [], [anchor], NOW), "pinned by name")  # type: ignore[misc]


def test_no_way_is_longer_than_some() -> None:
    *authorities, leaf = path("root", *(f"{number}" for number in range(7)), "leaf")
    anchors = [authorities[0].anchor()]
    pool = [parsed(one) for one in authorities[1:]]
    not_authentic(lambda: anchor_of(parsed(leaf), pool, anchors, NOW))
    assert anchor_of(pool[4], pool, anchors, NOW) == anchors[0]


def test_no_more_authorities_stand_under_one_than_it_allows() -> None:
    root, one, two, leaf = path("root", "one", "two", "leaf")
    anchors = [root.anchor()]
    for limits, good in (((None, None), True), ((1, 0), True), ((0, 0), False), ((None, 0), True)):
        pool = [replace(parsed(pair), path_length=length) for pair, length in zip((one, two), limits, strict=True)]
        if good:
            assert anchor_of(parsed(leaf), pool, anchors, NOW) is anchors[0]
        else:
            not_authentic(lambda pool=pool: anchor_of(parsed(leaf), pool, anchors, NOW))  # type: ignore[misc]


def test_a_length_of_path_is_read() -> None:
    builder = x509.BasicConstraints(ca=True, path_length=3).public_bytes()
    assert x509_module._path_length(builder) == 3
    assert x509_module._path_length(x509.BasicConstraints(ca=True, path_length=None).public_bytes()) is None


def test_a_certificate_for_tls_signs_no_lists_unless_it_is_pinned_itself() -> None:
    root, leaf = path("root", "leaf")
    tls = replace(parsed(leaf), extended_usages=frozenset({"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}))
    not_authentic(lambda: anchor_of(tls, [], [root.anchor()], NOW))
    assert anchor_of(tls, [], [leaf.anchor()], NOW) == leaf.anchor()
    more = replace(tls, extended_usages=tls.extended_usages | {"1.3.6.1.5.5.7.3.4"})
    assert anchor_of(more, [], [root.anchor()], NOW) == root.anchor()


def test_an_anchor_that_signed_itself_has_the_pinned_name() -> None:
    root = authority("EU", "root")
    message = repeated(root.cms(CONTENT), certificates=0)
    assert chained_signer(message, CONTENT, [root.anchor()], NOW)
    named = TrustAnchor("root", parsed(root).spki, root.der, "leaf")
    not_authentic(lambda: chained_signer(message, CONTENT, [named], NOW))


def test_the_signers_certificate_is_found_behind_others() -> None:
    root, leaf = path("root", "leaf")
    message = _with_others(leaf.cms(CONTENT), [authority("EU", f"{number}").der for number in range(12)])
    assert chained_signer(message, CONTENT, [root.anchor()], NOW) == (CONTENT, root.anchor())


def _with_others(message: bytes, others: list[bytes]) -> bytes:
    """A CMS message in which these certificates stand before the signer's."""
    kind, wrapped = ber.read(message).children()
    parts = wrapped.children()[0].children()
    parts[3] = ber.Element(0xA0, b"", b"".join(others) + parts[3].body)
    inner = ber.Element(ber.SEQUENCE, b"", b"".join(part.definite() for part in parts)).definite()
    return ber.Element(ber.SEQUENCE, b"", kind.raw + ber.Element(0xA0, b"", inner).definite()).definite()


def test_many_certificates_of_one_name_are_not_tried_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # Each could have issued each: the ways through them are without number.
    pool = [parsed(authority("EU", "loop", key=key)) for _ in range(30)]
    tried = 0
    real = Certificate.problem_with_issuer

    def counting(self: Certificate, above: Certificate) -> str | None:
        nonlocal tried
        tried += 1
        return real(self, above)

    monkeypatch.setattr(Certificate, "problem_with_issuer", counting)
    not_authentic(lambda: anchor_of(pool[0], pool, [authority("EU", "root").anchor()], NOW))
    assert tried < 5000


def test_a_certificate_that_cannot_be_read_is_no_obstacle() -> None:
    """Real messages carry certificates with keys on curves that the library does not know."""
    root, leaf = path("root", "leaf")
    message = leaf.cms(CONTENT)
    assert chained_signer(repeated(message, 3), CONTENT, [root.anchor()], NOW)
