"""From a certificate up to those that are trusted to vouch for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from healthcert.encoding import cms, jws
from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.trust.anchors import TrustAnchor
from healthcert.trust.keys import Link, TrustedKey
from healthcert.trust.x509 import Certificate, key_of, parse_certificate

MAX_PATH = 5  # certificates between a list's signer and the pinned one
_MAX_CERTIFICATES = 8  # that come with a signature; each is looked into before anything is believed
_MAX_LISTED = 64  # certificates in a message among which the signer's is looked for
_TLS_USAGES = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}  # serverAuth, clientAuth
_MAX_TRIES = 64  # signatures tried for one path: certificates of one name may be many


class Authorities:
    """Certificates that may vouch for others, found by the name that these name."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._by_name: dict[bytes, list[Certificate]] = {}
        self._by_key: dict[tuple[bytes, bytes | None], list[Certificate]] = {}
        # One certificate that is listed many times would use up what is tried.
        for certificate in {certificate.der: certificate for certificate in certificates}.values():
            self._by_name.setdefault(certificate.subject, []).append(certificate)
            self._by_key.setdefault((certificate.subject, certificate.subject_key_id), []).append(certificate)

    def issuer_of(self, certificate: Certificate) -> Certificate:
        """The one that issued ``certificate``, which belongs to the same country.

        Raises :class:`TrustError` (``KEY_NOT_CHAINED``).
        """
        problem = "no trusted authority of that name"
        # Authorities of one name may be several, as after a change of key: each is tried, those that have the key
        # identifier that the certificate names first.
        keyed = self._by_key.get((certificate.issuer, certificate.authority_key_id), [])[:_MAX_TRIES]
        for authority in keyed + self._by_name.get(certificate.issuer, [])[: _MAX_TRIES - len(keyed)]:
            found = certificate.problem_with_issuer(authority)
            # Certificate governance §3: a DSC is signed by a CSCA of the same country.
            if found is None and authority.country != certificate.country:
                found = "the authority is another country's"
            if found is None:
                return authority
            problem = found
        raise TrustError(Code.KEY_NOT_CHAINED, problem, Step.TRUST)


def chained_key(certificate: Certificate, authority: Certificate, above: Sequence[Link]) -> TrustedKey:
    """The key of a certificate that ``authority`` issued, valid no longer than the authority is (shell model)."""
    key = key_of(certificate)
    return replace(
        key,
        not_before=max(certificate.not_before, authority.not_before),
        not_after=min(certificate.not_after, authority.not_after),
        chain=(link("CSCA", authority), *above),
    )


def link(role: str, of: Certificate | TrustAnchor) -> Link:
    """One that vouches, as it is shown to people."""
    subject = of.name if isinstance(of, TrustAnchor) else of.common_name or of.country or "unnamed"
    return Link(role, subject, of.fingerprint)


def pinned_signer(message: bytes, content: bytes | None, anchors: Iterable[TrustAnchor]) -> tuple[bytes, TrustAnchor]:
    """The content of a CMS message, and which of the anchors signed it directly.

    ``content`` is what a detached message is about. The message has one signer and, when an anchor is a certificate,
    embeds that very certificate. Raises :class:`TrustError` (``TRUST_LIST_NOT_AUTHENTIC``), :class:`DecodeError`.
    """
    signed = _one_signature(message)
    content = _content(signed, content)
    for anchor in anchors:
        if anchor.certificate is not None and signed.certificates and anchor.certificate not in signed.certificates:
            continue
        if signed.signers[0].verify(anchor.public_key(), content, signed.content_type):
            return content, anchor
    raise _not_authentic("not signed with a pinned certificate or key")


def chained_signer(
    message: bytes, content: bytes | None, anchors: Sequence[TrustAnchor], now: datetime
) -> tuple[bytes, TrustAnchor]:
    """The content of a CMS message whose signer's certificate comes with it and chains up to one of the anchors.

    Raises like :func:`pinned_signer`.
    """
    signed = _one_signature(message)
    content = _content(signed, content)
    found = _readable(signed.certificates[:_MAX_LISTED])
    # The signer's may stand behind those of others: the one that the signature names comes first.
    ordered = sorted(found, key=lambda one: not one.is_named(signed.signers[0].sid))
    certificates = ordered[:_MAX_CERTIFICATES]
    for certificate in certificates:
        if signed.signers[0].verify(certificate.public_key(), content, signed.content_type):
            return content, anchor_of(certificate, certificates, anchors, now)
    for anchor in anchors:
        root = anchor.parsed()
        if anchor.subject is not None and (root is None or root.common_name != anchor.subject):
            continue
        if signed.signers[0].verify(anchor.public_key(), content, signed.content_type):
            return content, anchor
    raise _not_authentic("the signature is of none of the certificates that came with it")


def chained_token(token: bytes, anchors: Sequence[TrustAnchor], now: datetime) -> tuple[bytes, TrustAnchor]:
    """The payload of a token that brings its signer's certificate along, and the anchor that vouches for that.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    try:
        message = jws.read(token)
        certificates = [parse_certificate(der) for der in message.certificates()[: _MAX_CERTIFICATES + 1]]
        if not 0 < len(certificates) <= _MAX_CERTIFICATES:
            raise _unreadable(f"the token brings no chain of 1 to {_MAX_CERTIFICATES} certificates")
        # RFC 7515 §4.1.6: the first one is the signer's, the others may certify it.
        key = certificates[0].public_key()
    except (DecodeError, TrustError) as error:
        raise _unreadable(error.detail) from None
    if not message.verify(key, pkcs1=True):
        raise _not_authentic("the token's signature does not verify with the certificate that came with it")
    return message.payload, anchor_of(certificates[0], certificates[1:], anchors, now)


def anchor_of(
    leaf: Certificate, others: Iterable[Certificate], anchors: Sequence[TrustAnchor], now: datetime
) -> TrustAnchor:
    """The anchor that vouches for ``leaf``: itself, or through ``others``, all valid ``now`` (RFC 5280 §6.1).

    Raises :class:`TrustError` (``TRUST_LIST_NOT_AUTHENTIC``).
    """
    roots = [(anchor, anchor.parsed()) for anchor in anchors]
    tries = iter(range(_MAX_TRIES))
    pool = list(others)
    for anchor, root in roots:
        if anchor.subject is not None and leaf.common_name != anchor.subject:
            continue
        # Some countries sign with the certificate of a web server: whom the operator names is meant.
        if anchor.subject is None and not (_is_pinned(leaf, anchor, root) or _may_sign_lists(leaf)):
            continue
        if _reaches(leaf, pool, anchor, root, now, MAX_PATH, tries):
            return anchor
    if any(anchor.subject is not None and leaf.common_name != anchor.subject for anchor in anchors):
        raise _not_authentic("the signer is not the one that is pinned by name, or does not chain up to the anchor")
    raise _not_authentic("the signer's certificate does not chain up to a pinned anchor, valid at this moment")


def _reaches(
    certificate: Certificate,
    pool: Sequence[Certificate],
    anchor: TrustAnchor,
    root: Certificate | None,
    now: datetime,
    depth: int,
    tries: Iterator[int],
    below: int = 0,
) -> bool:
    """Whether ``anchor`` vouches for ``certificate``, under which stand ``below`` authorities."""
    if not certificate.valid_at(now) or next(tries, None) is None:
        return False
    if _is_pinned(certificate, anchor, root):
        return True
    if root is not None and root.valid_at(now) and _issued(root, certificate, below):
        return True
    if not depth:
        return False
    return any(
        above.der != certificate.der
        # RFC 5280 §4.2.1.9: only what says that it is an authority may stand between.
        and above.ca is True
        and _issued(above, certificate, below)
        # RFC 5280 §6.1.4 (l): what an authority issued to itself does not count.
        and _reaches(above, pool, anchor, root, now, depth - 1, tries, below + (above.subject != above.issuer))
        for above in pool
    )


def _is_pinned(certificate: Certificate, anchor: TrustAnchor, root: Certificate | None) -> bool:
    return certificate.der == anchor.certificate or (root is None and certificate.spki == anchor.spki)


def _issued(authority: Certificate, certificate: Certificate, below: int) -> bool:
    # RFC 5280 §4.2.1.9: pathLenConstraint is how many authorities may stand between this one and the leaf.
    if authority.path_length is not None and below > authority.path_length:
        return False
    return certificate.problem_with_issuer(authority) is None


def _may_sign_lists(leaf: Certificate) -> bool:
    # RFC 5280 §4.2.1.12: a key is used for the purposes that its certificate states; these two are those of TLS.
    return not leaf.extended_usages or not leaf.extended_usages <= _TLS_USAGES


def _readable(certificates: Iterable[bytes]) -> Iterator[Certificate]:
    for der in certificates:
        try:
            certificate = parse_certificate(der)
            certificate.public_key()
        except TrustError:
            continue
        yield certificate


def _one_signature(message: bytes) -> cms.SignedMessage:
    signed = cms.read(message)
    if len(signed.signers) != 1:
        raise _not_authentic(f"{len(signed.signers)} signatures where one belongs")
    return signed


def _content(signed: cms.SignedMessage, detached: bytes | None) -> bytes:
    if detached is None and signed.content is None:
        raise _not_authentic("the message holds no content")
    if detached is not None and signed.content is not None and signed.content != detached:
        raise _not_authentic("the message is about something else")
    content = signed.content if detached is None else detached
    assert content is not None
    return content


def _not_authentic(detail: str) -> TrustError:
    return TrustError(Code.TRUST_LIST_NOT_AUTHENTIC, detail, Step.TRUST)


def _unreadable(detail: str) -> TrustError:
    return TrustError(Code.TRUST_LIST_UNREADABLE, detail, Step.TRUST)
