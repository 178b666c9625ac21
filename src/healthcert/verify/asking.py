"""What revocation lists, and a country's rules, say of a certificate whose signature held.

:mod:`healthcert.verify.steps` judges the answers.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime

from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step, VerificationError
from healthcert.families.hcert.family import Hcert
from healthcert.families.protocol import Decoded
from healthcert.families.shc.family import SHC, bundle_of, rid_of
from healthcert.families.twoddoc.family import TWODDOC, text_of
from healthcert.lists.anchors import Environment
from healthcert.model import HealthCertificate
from healthcert.revocation.answer import RevocationAnswer, Standing
from healthcert.revocation.identifiers import (
    IdentifierType,
    Subject,
    hcert_identifiers,
    shc_identifiers,
    twoddoc_identifiers,
)
from healthcert.revocation.store import RevocationStore
from healthcert.rules.ruling import Ruling
from healthcert.rules.store import RuleStore
from healthcert.rules.subject import RuleSubject
from healthcert.verify.policy import Policy
from healthcert.verify.steps import Authenticated


def ask_revocation(
    authenticated: Authenticated,
    certificate: HealthCertificate | None,
    store: RevocationStore,
    environment: Environment | None,
    now: datetime,
    policy: Policy,
) -> RevocationAnswer:
    """What the revocation lists say. Without content only the signature is looked for.

    ``environment`` is that of the trusted keys, None where they are of no list.
    """
    decoded, key = authenticated.decoded, authenticated.key
    lists = store.about_key(key.kid, key.country, key.issuer)
    _check_environment(environment, lists.environment, "revocation lists", Step.REVOCATION)
    subject = Subject(
        kid=key.kid,
        country=key.country,
        issuer=key.issuer,
        not_before=decoded.claims.not_before,
        identifiers=_identifiers(decoded, certificate, lists.types),
    )
    # Entries end with their certificates, which the policy may let live longer by what clocks err.
    skew = policy.clock_skew
    answer = lists.ask(subject, now - skew, policy.revocation_grace - skew)
    return answer if certificate is not None else _without_content(answer)


def ask_rules(
    authenticated: Authenticated,
    certificate: HealthCertificate,
    store: RuleStore,
    environment: Environment | None,
    now: datetime,
    policy: Policy,
) -> Ruling | None:
    """What the rules of the policy's country say; None of a certificate that no country has rules about."""
    assert policy.country is not None, "a country is asked about"
    _check_environment(environment, store.environment, "rules", Step.RULES)
    try:
        subject = RuleSubject.of(certificate, authenticated.decoded.kid, authenticated.key.country)
    except RuleError:
        return None
    return store.judge(
        subject, country=policy.country, at=now, region=policy.region, engine_version=policy.engine_version
    )


def _check_environment(of_keys: Environment | None, of_lists: Environment | None, what: str, step: Step) -> None:
    if of_keys is not of_lists and of_keys is not None and of_lists is not None:
        detail = f"the keys are of the environment {of_keys}, and the {what} of {of_lists}"
        raise VerificationError(Code.ENVIRONMENT_MIXED, detail, step)


def _without_content(answer: RevocationAnswer) -> RevocationAnswer:
    """The answer, where nobody could read by which identifiers lists may name the certificate."""
    return replace(answer, standing=Standing.UNKNOWN) if answer.standing is Standing.CLEAR else answer


def _identifiers(
    decoded: Decoded, certificate: HealthCertificate | None, types: Container[IdentifierType]
) -> Mapping[IdentifierType, tuple[bytes, ...]]:
    """By what lists may name a certificate; nothing where its family has no way of revoking one."""
    if decoded.family is SHC:
        return shc_identifiers(rid_of(decoded), bundle_of(decoded))
    if decoded.family is TWODDOC:
        return twoddoc_identifiers(text_of(decoded))
    if not isinstance(decoded.family, Hcert):
        return {}
    assert decoded.algorithm is not None, "a signature that was verified has one"
    # dgc-gateway: by a hash of the signature, of the identifier, or of country and identifier; countries have their own
    # ways besides. dgca-revocation-distribution-service: each hash is looked for in the slices of its first digits.
    # The types that the lists go by are computed, and no others.
    return hcert_identifiers(
        signature=decoded.signature,
        algorithm=decoded.algorithm,
        entries=() if certificate is None else _identified(certificate),
        issuer=decoded.claims.issuer,
        types=types,
    )


def _identified(certificate: HealthCertificate) -> list[tuple[str, str | None]]:
    """The identifiers of all that one signature covers, each with its country."""
    found = [(event.certificate_id, event.country) for event in certificate.events if event.certificate_id]
    for beside in certificate.beside:
        found += _identified(beside)
    return found
