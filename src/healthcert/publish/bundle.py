"""A trust store in one signed file, for verifiers without a network."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from healthcert.encoding import cbor, cose
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.signer import Signer
from healthcert.lists.anchors import Environment
from healthcert.publish.readable import check_readable
from healthcert.trust.generation import encode
from healthcert.trust.keys import Assurance, Provenance, TrustedKey
from healthcert.trust.sources.bundle import CONTENT_TYPE, VERSION, Bundle, BundledKey, Payload
from healthcert.trust.store import TrustStore

_CONTENT_TYPE_LABEL = 3
DEFAULT_ASSURANCES = frozenset((Assurance.SIGNED_CHAIN, Assurance.SIGNED_LIST, Assurance.LOCAL))


def export_bundle(
    store: TrustStore,
    signer: Signer,
    *,
    now: datetime,
    life: timedelta,
    number: int | None = None,
    environment: Environment | None = None,
    assurances: Collection[Assurance] = DEFAULT_ASSURANCES,
) -> bytes:
    """The keys of a store in a bundle that ends after ``life``; who imports it pins the certificate of ``signer``.

    ``environment`` is for a store that does not say its own, having keys that were added by hand alone. ``number`` must
    rise from one bundle to the next, and is the second of ``now`` unless given. A key goes with the
    lists it is on as far as they are known in one of the ``assurances``, and stays as sure as it was: the bundle
    vouches for what the store knew, and makes nothing of it surer or younger. Raises :class:`IssueError`
    (``PUBLISHING_REFUSED``) for a store without such keys.
    """
    keys = tuple(_bundled(key, assurances) for key in store.known_by(assurances))
    if not keys:
        raise IssueError(Code.PUBLISHING_REFUSED, "the store has no keys to export", Step.TRUST)
    environment = environment or store.environment
    if environment is None or store.environment not in (None, environment):
        why = "the store does not say which environment it is for" if environment is None else "of another environment"
        raise IssueError(Code.PUBLISHING_REFUSED, why, Step.TRUST)
    payload = Payload(
        version=VERSION,
        number=int(now.timestamp()) if number is None else number,
        environment=environment,
        issued_at=now,
        expires_at=now + life,
        keys=keys,
    )
    protected = cbor.encode({cose.ALG: signer.algorithm.value, _CONTENT_TYPE_LABEL: CONTENT_TYPE, cose.KID: signer.kid})
    content = encode(payload)
    data = cose.assemble_sign1(protected, content, signer.sign(cose.sig_structure(protected, content)))
    check_readable(Bundle(), {"list": data}, signer, now)
    return data


def _bundled(key: TrustedKey, assurances: Collection[Assurance]) -> BundledKey:
    origins = tuple(
        Provenance(key.source if p.assurance is Assurance.LOCAL else p.source, p.assurance, p.fetched_at, p.expires_at)
        for p in key.provenance
        if p.assurance in assurances
    )
    return BundledKey(
        kid=key.kid,
        spki=key.spki,
        origins=origins,
        country=key.country,
        usages=None if key.usages is None else tuple(sorted(key.usages)),
        not_before=key.not_before,
        not_after=key.not_after,
        certificate=key.certificate,
        domain=key.domain,
        issuer=key.issuer,
        chain=key.chain,
    )
