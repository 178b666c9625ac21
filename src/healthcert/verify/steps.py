"""One function for each check. A step raises :class:`VerificationError` or returns what the next ones need.

The stages are types: only :func:`signature` makes an :class:`Authenticated`, and only from that does
:func:`content` read health data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import compress, product

from healthcert.codings import DETECTED, NOT_DETECTED, finding
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, Step, TrustError, VerificationError
from healthcert.families import recognise as recognise_family
from healthcert.families.hcert.valuesets import value_sets
from healthcert.families.protocol import Decoded, Family, Finding
from healthcert.model import ALL_ENTRY_TYPES, Event, HealthCertificate, Private, TestResult
from healthcert.revocation.answer import RevocationAnswer, Standing
from healthcert.rules.describe import in_short
from healthcert.rules.rule import ACCEPTANCE, INVALIDATION
from healthcert.rules.ruling import RuleState, Ruling, RulingOutcome
from healthcert.trust.generation import LOCAL, Generation
from healthcert.trust.keys import TrustedKey
from healthcert.trust.store import TrustStore
from healthcert.trust.vouching import vouched
from healthcert.verify.policy import Policy, RevocationCheck, RulesCheck
from healthcert.verify.report import odds_in_words

_SHOWN_KID = 64
# Which of the three time claims are not there, by whether each of them is None.
_ABSENT = {missing: frozenset(compress(("exp", "iat", "nbf"), missing)) for missing in product((False, True), repeat=3)}


class Authenticated(Private, frozen=True):
    """A certificate whose signature was made with a trusted key."""

    decoded: Decoded
    key: TrustedKey


def recognise(text: str, policy: Policy) -> tuple[Family, str]:
    """Which family the text claims to be of, and the text without the scanner's line end."""
    return recognise_family(text, policy.limits)


def decode(family: Family, text: str, policy: Policy) -> Decoded:
    """The layers of the certificate, down to the claims; no signature is checked yet."""
    return family.decode(text, policy.limits)


def accept(decoded: Decoded, policy: Policy) -> str | None:
    """As which of the kinds that it holds the policy accepts the certificate; None where it holds nothing known."""
    for kind in decoded.kinds:
        if kind in policy.families:
            return kind
    if not decoded.kinds:  # its content will tell
        return None
    kinds = ", ".join(decoded.kinds)
    raise _refuse(Code.FAMILY_NOT_ACCEPTED, f"the policy does not accept: {kinds}", Step.RECOGNISE)


def trust(decoded: Decoded, store: TrustStore, now: datetime, policy: Policy) -> tuple[TrustedKey, ...]:
    """Every trusted key that may have signed: those that the kid may mean, or that of the signer's own certificate."""
    if problem := decoded.family.check_signer(decoded):
        by_name = decoded.issuer is not None or decoded.certificate is not None
        raise _refuse(Code.ISSUER_INVALID if by_name else Code.KEY_NOT_IN_TRUST_LIST, problem, Step.TRUST)
    if decoded.certificate is not None:
        # ICAO Doc 9303-13 §5.4: the signer's certificate comes along, and its country's authority vouches for it.
        return _vouched(decoded, decoded.certificate, store, now, policy)
    # HCERT specification §3.3.3: the kid SHALL be there. Elsewhere, too, nothing else says which key it is.
    if decoded.kid is None:
        raise _refuse(Code.KEY_NOT_IN_TRUST_LIST, "the certificate names no kid", Step.TRUST)
    # HCERT specification §3.3.3: a verifier MUST check all DSCs with that kid.
    # WHO trust domains: a key that may sign one kind of certificate may not sign another.
    # SMART Health Cards, "Determining keys associated with an issuer": a kid means a key of its issuer, and no other.
    candidates = store.candidates(
        decoded.kid, domains=decoded.domains, issuer=decoded.issuer, assurances=policy.assurances
    )
    if not candidates:
        raise _missing(decoded, decoded.kid, store, now, policy)
    if len(candidates) > policy.limits.candidate_keys:
        # Whoever may name a kid freely must not crowd out the keys whose kid is that of their certificate.
        candidates = tuple(key for key in candidates if key.certificate is not None) or candidates
    if len(candidates) > policy.limits.candidate_keys:
        raise _refuse(
            Code.KEY_NOT_IN_TRUST_LIST, f"more than {policy.limits.candidate_keys} keys share this kid", Step.TRUST
        )
    return candidates


def _missing(decoded: Decoded, kid: bytes, store: TrustStore, now: datetime, policy: Policy) -> VerificationError:
    """Why no key can have signed: the first reason that the operator can do something about."""
    if not store:
        return _refuse(Code.TRUST_STORE_EMPTY, "no trusted keys are loaded", Step.TRUST)
    if unsure := store.candidates(kid, domains=decoded.domains, issuer=decoded.issuer):
        named = ", ".join(sorted({provenance.assurance for key in unsure for provenance in key.provenance}))
        return _refuse(Code.KEY_ASSURANCE_TOO_LOW, f"the policy does not accept keys known by: {named}", Step.TRUST)
    if _all_expired(decoded, store, now, policy):
        # A key of today is on none of them: that it is missing says nothing.
        return _refuse(Code.TRUST_LIST_EXPIRED, "every list of keys is too old to tell", Step.TRUST)
    where = "is not in the trust store"
    if others := store.known(kid):
        where = f"is in the trust store only for: {', '.join(sorted({_standing_for(key) for key in others}))}"
        if any(key.issuer is None for key in others) and decoded.issuer is not None:
            where = "is in the trust store, but not as a key of the issuer that the certificate names"
    named = _kid_in_words(kid, is_text=decoded.issuer is not None)
    return _refuse(Code.KEY_NOT_IN_TRUST_LIST, f"kid {named} {where}", Step.TRUST)


def _standing_for(key: TrustedKey) -> str:
    return f"{key.domain or 'any domain'}{' of another issuer' if key.issuer is not None else ''}"


def _kid_in_words(kid: bytes, *, is_text: bool) -> str:
    """A kid as its family writes it: text that can be printed as it is, and bytes in hexadecimal."""
    shown = kid[:_SHOWN_KID]
    return shown.decode() if is_text and shown.isascii() and shown.decode().isprintable() else shown.hex()


def _vouched(
    decoded: Decoded, certificate: bytes, store: TrustStore, now: datetime, policy: Policy
) -> tuple[TrustedKey, ...]:
    domains, issuer = decoded.domains or frozenset(), decoded.claims.issuer
    try:
        return vouched(store, certificate, domains=domains, issuer=issuer, now=now, assurances=policy.assurances)
    except TrustError as error:
        if error.code is Code.KEY_NOT_IN_TRUST_LIST and _all_expired(decoded, store, now, policy):
            raise _refuse(Code.TRUST_LIST_EXPIRED, "every list of authorities is too old to tell", Step.TRUST) from None
        raise _refuse(error.code, error.detail, Step.TRUST) from None


def _all_expired(decoded: Decoded, store: TrustStore, now: datetime, policy: Policy) -> bool:
    """Whether there are lists that could have the key, and none that the policy accepts can be believed any more."""
    lists = [one for one in store.state.lists.values() if one.head.source != LOCAL and _is_about(one, decoded)]
    ends = [one.head.best_before for one in lists if one.head.assurance in policy.assurances]
    return bool(ends) and all(end is not None and now - end > policy.trust_grace for end in ends)


def _is_about(generation: Generation, decoded: Decoded) -> bool:
    """Whether a list is one of such keys: of a domain that may sign, or of authorities that vouch in it."""
    entries = generation.rows if decoded.certificate is None else generation.details.authorities
    domains = decoded.domains
    return any(domains is None or entry.domain is None or entry.domain in domains for entry in entries)


def standing(decoded: Decoded, key: TrustedKey, now: datetime, policy: Policy) -> tuple[Finding, ...]:
    """Whether the key that signed is one to be believed: strong enough, on a current list, and its country's."""
    # HCERT specification §3.3.2: RSA keys have 2048 bits.
    bits = key.rsa_bits
    if bits is not None and bits < policy.rsa_bits:
        raise _refuse(Code.PUBLIC_KEY_TOO_WEAK, f"the signing key is RSA with {bits} bits", Step.TRUST)
    findings: tuple[Finding, ...] = ()
    # HCERT specification §3.3.4: iss is the country of the issuer, which its DSC belongs to.
    issuer = decoded.claims.issuer
    if key.country is not None and issuer != key.country and ("co", issuer) in value_sets():
        findings = (Finding(Code.ISSUER_COUNTRY_MISMATCH, Step.TRUST, "iss names another country than the key's"),)
    ends = [p.expires_at for p in key.provenance if p.assurance in policy.assurances]
    if None in ends or not ends:
        return findings
    latest = max([end for end in ends if end is not None])
    # Certificate governance §3.3: a DSC is valid for as long as it is on a current list.
    if now <= latest:
        return findings
    if now - latest > policy.trust_grace:
        raise _refuse(Code.TRUST_LIST_EXPIRED, "the list that the key is on is too old", Step.TRUST)
    return (*findings, Finding(Code.TRUST_LIST_STALE, Step.TRUST, "the list that the key is on is overdue"))


def signature(decoded: Decoded, candidates: Sequence[TrustedKey], policy: Policy) -> Authenticated:
    """Which of the candidates made the signature."""
    algorithm = decoded.algorithm
    # HCERT specification §3.3.2: ES256 and PS256, nothing else (test CO4); every other family has its own.
    accepted = decoded.algorithms if policy.algorithms is None else policy.algorithms
    if algorithm not in accepted or algorithm is None:
        raise _refuse(Code.ALGORITHM_NOT_ACCEPTED, f"alg {decoded.algorithm_label} is not accepted", Step.SIGNATURE)
    problem = (Code.SIGNATURE_INVALID, "no trusted key made this signature")
    for candidate in candidates:
        try:
            check = candidate.check_for(algorithm)
        except TrustError as error:
            problem = (Code.UNSUITABLE_PUBLIC_KEY_TYPE, error.detail)
            continue
        if check is None:
            # HCERT specification §3.3.2: ES256 is ECDSA on P-256; the key must be of the algorithm's kind. Test CO27.
            problem = (Code.UNSUITABLE_PUBLIC_KEY_TYPE, f"the key is not for {algorithm.name}")
        elif check(decoded.signature, decoded.signed):
            return Authenticated(decoded, candidate)
        else:
            problem = (Code.SIGNATURE_INVALID, "no trusted key made this signature")
    raise _refuse(*problem, Step.SIGNATURE)


def time(decoded: Decoded, key: TrustedKey | None, now: datetime, policy: Policy) -> tuple[Finding, ...]:
    """Whether the certificate, and the key that signed it, are valid at this moment.

    Without a key (none was found, or none fits the signature) only the certificate's own times are judged.
    """
    claims = decoded.claims
    skew = policy.clock_skew.total_seconds()
    clock = now.timestamp()
    # RFC 8392 §2: NumericDate is a number of seconds; what is no moment is neither past nor future.
    if claims.invalid:
        raise _refuse(Code.CWT_TIME_INVALID, f"{', '.join(claims.invalid)}: not a moment in time", Step.TIME)
    # HCERT specification §3.3.5 and §3.3.6: exp and iat SHALL be there; every other family has its own.
    findings: tuple[Finding, ...] = ()
    absent = _ABSENT[claims.expires_at is None, claims.issued_at is None, claims.not_before is None]
    if missing := decoded.needs & absent:
        raise _refuse(Code.CWT_TIME_INVALID, f"{', '.join(sorted(missing))}: missing", Step.TIME)
    if missing := decoded.may_lack & absent:
        detail = f"{min(missing)} is missing, as this kind of certificate allows"
        findings = (Finding(Code.TIME_ABSENT, Step.TIME, detail),)
    # RFC 8392 §3.1.6, §3.1.5: not before it was issued, not before nbf. Test CO16.
    if clock + skew < max(claims.issued_at or 0, claims.not_before or 0):
        raise _refuse(Code.CWT_NOT_YET_VALID, "the certificate is not valid yet", Step.TIME)
    # HCERT specification §3.3.5: after exp a verifier MUST reject (test CO17). RFC 7519 §4.1.4: on exp or after it.
    end, late = claims.expires_at, clock - skew
    if end is not None and (late > end or (decoded.ends_at_exp and late == end)):
        raise _refuse(Code.CWT_EXPIRED, "the certificate has expired", Step.TIME)
    if key is None:
        return findings
    # 2D-Doc specification §6: the certificate has to be valid on the day of the signature; documents outlive it.
    between = (clock, clock) if decoded.signed_between is None else decoded.signed_between
    return findings + _key_window(claims, key, between, skew)


def _key_window(claims: Claims, key: TrustedKey, between: tuple[float, float], skew: float) -> tuple[Finding, ...]:
    """Whether the key is, or was, valid at a moment ``between`` these two."""
    first, last = between
    findings: tuple[Finding, ...] = ()
    # RFC 5280 §4.1.2.5: a certificate is valid from notBefore to notAfter, both included.
    if key.not_before is not None:
        start = key.not_before.timestamp()
        if last + skew < start:
            raise _refuse(Code.PUBLIC_KEY_NOT_YET_VALID, "the signing key is not valid yet", Step.TIME)
        # HCERT specification §3.3.6: iat MUST not predate the validity of the DSC.
        if claims.issued_at is not None and claims.issued_at < start:
            raise _refuse(Code.ISSUED_BEFORE_KEY, "issued before the signing key was valid", Step.TIME)
    if key.not_after is not None:
        end = key.not_after.timestamp()
        if first - skew > end:
            raise _refuse(Code.PUBLIC_KEY_EXPIRED, "the signing key has expired", Step.TIME)
        # HCERT specification §3.3.5: exp MUST not exceed the validity of the DSC. One real certificate in five breaks
        # this; the key's own end is enforced above, so nothing is accepted for longer than the key lives.
        if claims.expires_at is not None and claims.expires_at > end:
            findings = (Finding(Code.EXPIRES_AFTER_KEY, Step.TIME, "exp lies after the end of the signing key"),)
    # Where keys go by issuer, they are valid for as long as their issuer lists them.
    if key.issuer is None and (key.not_before is None or key.not_after is None):
        findings += (Finding(Code.KEY_DATES_UNKNOWN, Step.TIME, "the trust list does not say when the key is valid"),)
    return findings


def read_content(authenticated: Authenticated, policy: Policy) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    """The payload as health data."""
    return authenticated.decoded.family.parse(authenticated.decoded, policy.families)


def content(certificate: HealthCertificate, now: datetime, policy: Policy) -> None:
    """Whether what is certified is of an accepted kind, and can be shown as good."""
    # A pass that names no entry may be of any type: where only some are accepted, it cannot be told to be of one.
    if policy.entry_types != ALL_ENTRY_TYPES and not any(one.events for one in (certificate, *certificate.beside)):
        raise _refuse(Code.ENTRY_TYPE_NOT_ACCEPTED, "the certificate does not say of what type it is", Step.CONTENT)
    _check_events(certificate, now, policy)


def _check_events(certificate: HealthCertificate, now: datetime, policy: Policy) -> None:
    for beside in certificate.beside:
        _check_events(beside, now, policy)
    for event in certificate.events:
        if event.entry_type not in policy.entry_types:
            raise _refuse(
                Code.ENTRY_TYPE_NOT_ACCEPTED, f"the policy does not accept a {event.entry_type}", Step.CONTENT
            )
        _check_event(event, now, policy)


def _check_event(event: Event, now: datetime, policy: Policy) -> None:
    if isinstance(event, TestResult):
        # Test DGC7: a detected result must never show as valid; nor may one that is neither.
        result = finding(event.result)
        if result == DETECTED:
            raise _refuse(Code.TEST_RESULT_POSITIVE, "the test was positive", Step.CONTENT)
        if result != NOT_DETECTED:
            raise _refuse(Code.TEST_RESULT_UNKNOWN, "the test's result is not a known code", Step.CONTENT)
        # A test counts for hours or days: without its moment nobody can tell whether it still does.
        if event.sampled_at is None and event.sampled_on is None and event.partial_date is None:
            detail = "the test does not say when the sample was taken"
            raise _refuse(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
    # Test DGC8.
    if event.lies_after(now + policy.clock_skew):
        raise _refuse(Code.EVENT_IN_FUTURE, f"the {event.entry_type} lies in the future", Step.CONTENT)


def usage(decoded: Decoded, key: TrustedKey) -> None:
    """Whether the key may sign entries of these kinds (HCERT specification, Appendix A.4). Tests CO6 to CO11."""
    types = decoded.family.entry_types(decoded)
    if not key.may_sign(types):
        kinds = ", ".join(sorted(types))
        raise _refuse(Code.KEY_USAGE_MISMATCH, f"the signing key may not sign: {kinds}", Step.USAGE)


def revocation(answer: RevocationAnswer, policy: Policy) -> Finding | None:
    """Whether the certificate was revoked; a note where that cannot be told and the policy lets it pass."""
    if answer.standing is Standing.CLEAR:
        return None
    if answer.standing is Standing.HIT:
        raise _refuse(Code.REVOKED, f"revoked: it is on the list {answer.source}", Step.REVOCATION)
    if answer.standing is Standing.POSSIBLE:
        # dgc-bloomfilter, dgca-partialvarhashfilter: both have what was never put in, now and then.
        often = f"{odds_in_words(answer.odds, 'one certificate')} that was not revoked would be, too"
        detail = f"possibly revoked: it is in a filter of {answer.source}; {often}"
        code = Code.REVOKED if answer.odds <= policy.revocation_odds else Code.REVOCATION_POSSIBLE
        raise _refuse(code, detail, Step.REVOCATION)
    detail = "no revocation list covers the issuer"
    if answer.overdue:
        since = max(one.fresh_until for one in answer.overdue if one.fresh_until is not None)
        detail = f"the revocation list for the issuer is overdue since {since:%Y-%m-%d %H:%M} UTC"
    elif answer.lists:
        detail = "the content cannot be read, and revocation lists may go by it"
    if policy.revocation is RevocationCheck.REQUIRED:
        raise _refuse(Code.REVOCATION_UNKNOWN, detail, Step.REVOCATION)
    return Finding(Code.REVOCATION_UNKNOWN, Step.REVOCATION, detail)


def rules(ruling: Ruling | None, now: datetime, policy: Policy) -> Finding | None:
    """Whether the certificate meets the country's rules; a note where there are none and the policy lets it pass."""
    if ruling is None or ruling.outcome is RulingOutcome.NO_RULES:
        detail = "the rules of countries are about EU DCCs, and this is none"
        if ruling is not None:
            detail = f"no rules of {ruling.country} are known for such a certificate"
        if policy.rules is RulesCheck.REQUIRED:
            raise _refuse(Code.RULES_UNKNOWN, detail, Step.RULES)
        return Finding(Code.RULES_UNKNOWN, Step.RULES, detail)
    # dgca-businessrule-service: rules that are no longer listed are dropped; what was asked yesterday may not be today.
    if (since := _overdue(ruling, now, policy)) is not None:
        detail = f"the rules of {ruling.country} are overdue since {since:%Y-%m-%d %H:%M} UTC"
        raise _refuse(Code.RULES_UNKNOWN, detail, Step.RULES)
    # eu-dcc-business-rules: one rule that is not met is enough.
    if ruling.outcome is RulingOutcome.FAIL:
        first, *others = ruling.of(RuleState.FAIL)
        more = f" (and {len(others)} more)" if others else ""
        detail = f"{first.rule.identifier} is not met: {in_short(first.rule.description())}{more}"
        raise _refuse(Code.RULES_NOT_MET, detail, Step.RULES)
    # Neither met nor not met: an absent answer is never a pass.
    if ruling.outcome is RulingOutcome.OPEN:
        open_ = ruling.of(RuleState.OPEN)
        detail = f"rules that may apply could not be read: {ruling.unreadable}"
        if open_:
            detail = f"{open_[0].rule.identifier} could not be evaluated: {open_[0].detail}"
        raise _refuse(Code.RULES_OPEN, detail, Step.RULES)
    return None


def _overdue(ruling: Ruling, now: datetime, policy: Policy) -> datetime | None:
    """Since when all lists with the rules that are asked are too old, the country's or the issuer's; None if not."""
    for lists, type_ in ((ruling.lists, ACCEPTANCE), (ruling.issuer_lists, INVALIDATION)):
        late: list[datetime] = []
        for coverage in lists:
            if type_ in coverage.types:
                end = coverage.fresh_until
                if end is None or now - end <= policy.rules_grace:
                    break
                late.append(end)
        else:
            if late:
                return max(late)
    return None


def _refuse(code: Code, detail: str, step: Step) -> VerificationError:
    return VerificationError(code, detail, step)
