"""Rules of many countries and the value sets they read, ready to be asked: which apply, and what they say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic import VERSION, data_accesses
from healthcert.rules.certlogic.budget import start_counting
from healthcert.rules.rule import ACCEPTANCE, GENERAL, INVALIDATION, Rule, Version, region_of, version_key
from healthcert.rules.ruling import RuleResult, RuleState, Ruling, apply_rule, combined, gate
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import ValueSets, shipped_for_rules

ANYWHERE = "*"
MOST_RULES = 256
"""Rules that may apply to one certificate. Real countries have up to twenty; whoever has more keeps a door waiting."""
_VERSIONS = 64  # of the certificates' schema; there have been ten
_TIMES = frozenset(("", "external", "external.exp", "external.iat"))
_KEPT = 4096  # selections that are kept; a verifier at a door needs a dozen


_Gated = tuple[tuple[Rule, tuple[Code, str] | None], ...]


class Selection:
    """The rules that apply, by identifier. ``accepts`` is whether one of them is of acceptance."""

    __slots__ = ("_gated", "accepts", "reads_times", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.accepts = any(rule.type == ACCEPTANCE for rule in rules)
        self.reads_times = any(map(_reads_times, rules))
        self._gated: dict[tuple[Version | None, Version], _Gated] = {}

    def gated(self, version: Version | None, cap: Version) -> _Gated:
        """Each rule, and why it is not asked about certificates of the schema's ``version``, if so."""
        found = self._gated.get((version, cap))
        if found is None:
            found = tuple((rule, self._problem(rule, version, cap)) for rule in self.rules)
            if len(self._gated) < _VERSIONS:
                self._gated[version, cap] = found
        return found

    def _problem(self, rule: Rule, version: Version | None, cap: Version) -> tuple[Code, str] | None:
        if len(self.rules) > MOST_RULES:
            return Code.CERTLOGIC_LIMIT, f"more than {MOST_RULES} rules apply at once"
        closed = gate(rule, version, cap)
        return None if closed is None else (Code.RULE_NOT_SUPPORTED, closed)


def _reads_times(rule: Rule) -> bool:
    try:
        return not data_accesses(rule.logic).isdisjoint(_TIMES)
    except RuleError:
        return False  # it will not be evaluated


class _Plan:
    """The rules that one question is about, and which of them are valid between the moments at which that changes."""

    __slots__ = ("_moments", "_rules", "_selections")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._moments = sorted({moment for rule in self._rules for moment in (rule.valid_from, rule.valid_to)})
        # Made when they are first asked for: a list with thousands of windows has as many selections of thousands.
        self._selections: list[Selection | None] = [None] * (len(self._moments) + 1)

    def at(self, moment: datetime) -> Selection:
        # At each of the moments, and until the next, the same rules are valid; before the first none is.
        place = bisect_right(self._moments, moment)
        found = self._selections[place]
        if found is None:
            found = self._selections[place] = _valid(self._rules, moment)
        return found


class RuleBook:
    """Rules and value sets as they are at one time; it does not change, and may be shared between threads.

    ``unreadable`` is how many rules of each country could not be read, ``*`` where it is not known of which.
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        value_sets: ValueSets | None = None,
        unreadable: Mapping[str, int] | None = None,
    ) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.identifier, rule.version_key)))
        self.value_sets = shipped_for_rules() if value_sets is None else value_sets
        self.unreadable = dict(unreadable or {})
        self._codes = dict(self.value_sets.codes)
        self._dates = self.value_sets.dates
        self._by_owner: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules:
            self._by_owner.setdefault((rule.type, rule.country), []).append(rule)
        self._plans: dict[tuple[str, frozenset[str], str | None, str | None], _Plan] = {}

    def __repr__(self) -> str:
        return f"RuleBook({len(self.rules)} rules of {len(self.countries)} countries)"

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries that have rules of acceptance."""
        return tuple(sorted(country for type_, country in self._by_owner if type_ == ACCEPTANCE))

    def select(
        self, country: str, types: frozenset[str], at: datetime, *, region: str | None = None, issuer: str | None = None
    ) -> Selection:
        """The rules that apply to a certificate of these types, in ``country`` and at a moment.

        Those of acceptance of the country of arrival, and those of invalidation of the issuer's; each general or of
        one of the types; of the whole country or of the region; valid then, from their first moment up to, and without,
        their last; and of several versions of one rule the highest of those that are left.
        """
        country = country.upper()
        owner = issuer.upper() if issuer is not None and (INVALIDATION, issuer.upper()) in self._by_owner else None
        key = (country, types, region_of(region, country), owner)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(*key)
            if len(self._plans) < _KEPT:
                self._plans[key] = plan
        return plan.at(at)

    def judge(
        self,
        subject: RuleSubject,
        *,
        country: str,
        at: datetime,
        region: str | None = None,
        engine_version: str = VERSION,
    ) -> Ruling:
        """What the rules of ``country`` say of a certificate at the moment ``at``.

        Rules for versions of CertLogic after ``engine_version`` are not understood, and OPEN. Raises
        :class:`RuleError` (``RULE_CONFIG_INVALID``) for an engine version that is none, ValueError for a moment without
        a time zone.
        """
        if at.tzinfo is None:
            raise ValueError("the moment has no time zone")
        cap = version_key(engine_version)
        if cap is None:
            raise RuleError(Code.RULE_CONFIG_INVALID, "an engine version is like 1.3.3", Step.RULES)
        country = country.upper()
        region = region_of(region, country)
        selection = self.select(country, subject.types, at, region=region, issuer=subject.issuing_country)
        external = subject.external(at, country, region, self._codes, times=selection.reads_times)
        data = {"payload": subject.payload, "external": external}
        given = subject.payload.get("ver")
        version = version_key(given) if isinstance(given, str) else None
        start_counting()
        results = tuple(
            [
                apply_rule(rule, data) if problem is None else RuleResult(rule, RuleState.OPEN, *problem, data)
                for rule, problem in selection.gated(version, cap)
            ]
        )
        unreadable = self._unreadable(country, subject.issuing_country) if self.unreadable else 0
        return Ruling(
            country=country,
            region=region,
            at=at,
            outcome=combined(results, accepts=selection.accepts, unreadable=unreadable),
            results=results,
            unreadable=unreadable,
            value_sets=self._dates,
        )

    def _unreadable(self, country: str, issuer: str | None) -> int:
        # One that is not known may be anybody's, and one of the issuer's may be one of invalidation.
        owners = {ANYWHERE, country} | ({issuer.upper()} if issuer is not None else set())
        return sum(self.unreadable.get(owner, 0) for owner in owners)

    def _plan(self, country: str, types: frozenset[str], region: str | None, issuer: str | None) -> _Plan:
        owned = self._by_owner.get((ACCEPTANCE, country), [])
        if issuer is not None:
            owned = owned + self._by_owner[INVALIDATION, issuer]
        wanted = types | {GENERAL}
        return _Plan(rule for rule in owned if rule.certificate_type in wanted and rule.region in (None, region))


def _valid(rules: Iterable[Rule], at: datetime) -> Selection:
    highest: dict[tuple[str, str, str], Rule] = {}
    for rule in rules:  # which come by identifier and version
        if rule.valid_from <= at < rule.valid_to:
            # Two countries may give rules of their own one identifier, whatever it should be.
            highest[rule.identifier, rule.type, rule.country] = rule
    return Selection(tuple(highest[name] for name in sorted(highest)))
