"""Who signed a list: an anchor itself, or one whose certificate chains up to an anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from healthcert.encoding import cms, jws
from healthcert.errors import DecodeError, TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.reading import not_authentic, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate

MAX_PATH = 5  # certificates between a list's signer and the pinned one
_MAX_CERTIFICATES = 8  # that come with a signature; each is looked into before anything is believed
_MAX_LISTED = 64  # certificates in a message among which the signer's is looked for
_TLS_USAGES = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}  # serverAuth, clientAuth
_MAX_TRIES = 64  # signatures tried for one path: certificates of one name may be many


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
    raise not_authentic("not signed with a pinned certificate or key")


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
    raise not_authentic("the signature is of none of the certificates that came with it")


def chained_token(token: bytes, anchors: Sequence[TrustAnchor], now: datetime) -> tuple[bytes, TrustAnchor]:
    """The payload of a token that brings its signer's certificate along, and the anchor that vouches for that.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    try:
        message = jws.read(token)
        certificates = [parse_certificate(der) for der in message.certificates()[: _MAX_CERTIFICATES + 1]]
        if not 0 < len(certificates) <= _MAX_CERTIFICATES:
            raise unreadable(f"the token brings no chain of 1 to {_MAX_CERTIFICATES} certificates")
        # RFC 7515 §4.1.6: the first one is the signer's, the others may certify it.
        key = certificates[0].public_key()
    except (DecodeError, TrustError) as error:
        raise unreadable(error.detail) from None
    if not message.verify(key, pkcs1=True):
        raise not_authentic("the token's signature does not verify with the certificate that came with it")
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
        raise not_authentic("the signer is not the one that is pinned by name, or does not chain up to the anchor")
    raise not_authentic("the signer's certificate does not chain up to a pinned anchor, valid at this moment")


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
        raise not_authentic(f"{len(signed.signers)} signatures where one belongs")
    return signed


def _content(signed: cms.SignedMessage, detached: bytes | None) -> bytes:
    if detached is None and signed.content is None:
        raise not_authentic("the message holds no content")
    if detached is not None and signed.content is not None and signed.content != detached:
        raise not_authentic("the message is about something else")
    content = signed.content if detached is None else detached
    assert content is not None
    return content
