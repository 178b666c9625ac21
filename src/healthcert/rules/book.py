"""Rules of many countries and the value sets they read, ready to be asked: which apply, and what they say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic import VERSION, data_accesses
from healthcert.rules.certlogic.budget import start_counting
from healthcert.rules.rule import ACCEPTANCE, GENERAL, INVALIDATION, Rule, Version, region_of, version_key
from healthcert.rules.ruling import Asked, Coverage, Ruling, apply_rules, asked, closed, combined, gate
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import ValueSets, shipped_for_rules

ANYWHERE = "*"
MOST_RULES = 256
"""Rules that may apply to one certificate. Real countries have up to twenty; whoever has more keeps a door waiting."""
_VERSIONS = 64  # of the certificates' schema; there have been ten
_TIMES = frozenset(("", "external", "external.exp", "external.iat"))
_KEPT = 4096  # selections that are kept; a verifier at a door needs a dozen


class Selection:
    """The rules that apply, by identifier. ``accepts`` is whether one of them is of acceptance."""

    __slots__ = ("_gated", "accepts", "reads_times", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.accepts = any(rule.type == ACCEPTANCE for rule in rules)
        self.reads_times = any(map(_reads_times, rules))
        self._gated: dict[tuple[Version | None, Version], tuple[Asked, ...]] = {}

    def gated(self, version: Version | None, cap: Version) -> tuple[Asked, ...]:
        """Each rule, ready to be asked about certificates of the schema's ``version``; or OPEN, if it is not to be."""
        found = self._gated.get((version, cap))
        if found is None:
            found = tuple([self._asked(rule, version, cap) for rule in self.rules])
            if len(self._gated) < _VERSIONS:
                self._gated[version, cap] = found
        return found

    def _asked(self, rule: Rule, version: Version | None, cap: Version) -> Asked:
        if len(self.rules) > MOST_RULES:
            return closed(rule, Code.CERTLOGIC_LIMIT, f"more than {MOST_RULES} rules apply at once")
        problem = gate(rule, version, cap)
        return asked(rule) if problem is None else closed(rule, Code.RULE_NOT_SUPPORTED, problem)


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


class _Question(Struct, frozen=True):
    """What is asked of a book about every certificate of one kind and issuer."""

    country: str
    region: str | None
    cap: Version
    plan: _Plan
    unreadable: int


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
        self._questions: dict[tuple[str, str | None, str, frozenset[str], str | None], _Question] = {}

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
        return self._plan(country, types, region_of(region, country), issuer).at(at)

    def judge(
        self,
        subject: RuleSubject,
        *,
        country: str,
        at: datetime,
        region: str | None = None,
        engine_version: str = VERSION,
        covering: Callable[[str], tuple[Coverage, ...]] = lambda _country: (),
    ) -> Ruling:
        """What the rules of ``country`` say of a certificate at the moment ``at``.

        Rules for versions of CertLogic after ``engine_version`` are not understood, and OPEN. ``covering`` tells which
        lists speak for a country. Raises :class:`RuleError` (``RULE_CONFIG_INVALID``) for an engine version that is
        none, ValueError for a moment without a time zone.
        """
        if at.tzinfo is None:
            raise ValueError("the moment has no time zone")
        issuer = subject.issuing_country
        question = self._question(country, region, engine_version, subject.types, issuer)
        selection, given = question.plan.at(at), subject.payload.get("ver")
        version = version_key(given) if isinstance(given, str) else None
        external = subject.external(at, question.country, question.region, self._codes, times=selection.reads_times)
        data = {"payload": subject.payload, "external": external}
        start_counting()
        results = apply_rules(selection.gated(version, question.cap), data)
        return Ruling(
            country=question.country,
            region=question.region,
            at=at,
            outcome=combined(results, accepts=selection.accepts, unreadable=question.unreadable),
            results=results,
            unreadable=question.unreadable,
            value_sets=self._dates,
            lists=covering(question.country),
            issuer_lists=() if issuer is None else covering(issuer),
        )

    def _question(
        self, country: str, region: str | None, engine_version: str, types: frozenset[str], issuer: str | None
    ) -> _Question:
        """What is asked, looked up once for all certificates of this kind and issuer."""
        key = (country, region, engine_version, types, issuer)
        found = self._questions.get(key)
        if found is None:
            cap = version_key(engine_version)
            if cap is None:
                raise RuleError(Code.RULE_CONFIG_INVALID, "an engine version is like 1.3.3", Step.RULES)
            country = country.upper()
            region = region_of(region, country)
            plan = self._plan(country, types, region, issuer)
            found = _Question(country, region, cap, plan, self._unreadable(country, issuer))
            if len(self._questions) < _KEPT:
                self._questions[key] = found
        return found

    def _unreadable(self, country: str, issuer: str | None) -> int:
        # One that is not known may be anybody's, and one of the issuer's may be one of invalidation.
        owners = {ANYWHERE, country} | ({issuer.upper()} if issuer is not None else set())
        return sum(self.unreadable.get(owner, 0) for owner in owners)

    def _plan(self, country: str, types: frozenset[str], region: str | None, issuer: str | None) -> _Plan:
        owner = issuer.upper() if issuer is not None and (INVALIDATION, issuer.upper()) in self._by_owner else None
        key = (country, types, region, owner)
        plan = self._plans.get(key)
        if plan is None:
            owned = self._by_owner.get((ACCEPTANCE, country), [])
            if owner is not None:
                owned = owned + self._by_owner[INVALIDATION, owner]
            wanted = types | {GENERAL}
            plan = _Plan(rule for rule in owned if rule.certificate_type in wanted and rule.region in (None, region))
            if len(self._plans) < _KEPT:
                self._plans[key] = plan
        return plan


def _valid(rules: Iterable[Rule], at: datetime) -> Selection:
    highest: dict[tuple[str, str, str], Rule] = {}
    for rule in rules:  # which come by identifier and version
        if rule.valid_from <= at < rule.valid_to:
            # Two countries may give rules of their own one identifier, whatever it should be.
            highest[rule.identifier, rule.type, rule.country] = rule
    return Selection(tuple(highest[name] for name in sorted(highest)))
