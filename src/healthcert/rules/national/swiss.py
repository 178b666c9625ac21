"""Switzerland's national rules: those of the COVID Certificate app, for itself, for what it shows, and for its modes.

Source: admin-ch/CovidCertificate-SDK-Kotlin, NationalRulesVerifier, DisplayValidityCalculator and ModeRulesVerifier.
The rules are asked in the order of the document, and the first that is not met decides; here every truthy result is one
that is met. Rules that are not valid at the moment are not asked, as in the app when it is told a date, and of several
versions of one rule the highest counts.

The day begins at 00:00 UTC for ``validationClockAtStartOfDay``, in the app for Android as in that for iOS. The dates of
the envelope are days of Swiss clocks, and so is the day on which the sample of a positive rapid test was taken, which
counts from its midnight. The app's Certificate Light is no EU DCC, so that nothing here is one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from healthcert.codings import DETECTED, RAPID_ANTIGEN
from healthcert.errors import Code, RuleError, Step
from healthcert.rules.assessment import Assessment
from healthcert.rules.certlogic import DateTime, Moment
from healthcert.rules.certlogic.values import truth
from healthcert.rules.national.course import LANGUAGE, course, valid_at
from healthcert.rules.national.daytime import local_day, midnight
from healthcert.rules.national.payload import as_day
from healthcert.rules.national.segments import (
    FAIL,
    NO_RULES,
    OPEN,
    PASSED,
    Segment,
    Timeline,
    assess_each,
    best,
)
from healthcert.rules.national.settings import chosen
from healthcert.rules.national.swiss_document import SwissDocument, read_document
from healthcert.rules.rule import Rule
from healthcert.rules.ruling import RulingOutcome, gate
from healthcert.rules.subject import GROUPS, RuleSubject
from healthcert.rules.valuesets import ValueSets

_NO_MODE = "none"
_SHOWN = ("display-from-date", "display-until-date")
_LONGEST_WORD = 64
# What the rules for a mode say, and what becomes of it.
_WORDS: Mapping[str, tuple[RulingOutcome, str]] = {
    "SUCCESS": (PASSED, "the certificate is good for the mode"),
    "SUCCESS_2G": (OPEN, "not enough alone: a test certificate is needed as well"),
    "SUCCESS_2G_PLUS": (OPEN, "not enough alone: a certificate of vaccination or recovery is needed as well"),
    "IS_LIGHT": (FAIL, "a Certificate Light is not good for the mode"),
    "INVALID": (FAIL, "the certificate is not good for the mode"),
}
_NEEDS_OTHER = frozenset(("SUCCESS_2G", "SUCCESS_2G_PLUS"))


class Swiss:
    """The national rules of Switzerland. With the option ``mode`` the certificate has to be good for that, too.

    ``status`` is then the word of the rules for modes. ``details`` has what the app would show of the certificate, by
    the names of its rules for display; the dates among it are personal.
    """

    name = "ch"
    title = "Switzerland: COVID Certificate's national rules"

    def __init__(self, document: bytes, value_sets: ValueSets) -> None:
        """``value_sets`` are for a document without any. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
        self._document = read_document(document)
        self._codes = value_sets.codes if self._document.codes is None else self._document.codes
        self.options: Mapping[str, tuple[str, ...]] = {"mode": (_NO_MODE, *self._document.modes)}

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        mode = chosen(options, self.options)["mode"]
        return assess_each(subjects, at, lambda subject: self._course(subject, mode, at), _choose)

    def _course(self, subject: RuleSubject, mode: str, at: datetime) -> Timeline:
        document = self._document
        payload = _payload(subject, mode)
        given = payload | {"t": subject.payload["t"]} if "t" in payload else payload
        asked = [*document.rules, *document.display.values(), *([] if document.mode is None else [document.mode])]
        here = at.replace(microsecond=0)

        def judge(at: datetime) -> Segment:
            external = _external(at, self._codes)
            data = {"payload": payload, "external": external}
            outcome, reasons, word = self._judge(data, at)
            if outcome is PASSED and mode != _NO_MODE:
                # The rules for modes read the moment of a sample as it is.
                outcome, reasons, word = _for_mode(document, mode, {"payload": given, "external": external})
            # What the app shows is of interest at the moment that was asked about.
            return Segment(None, outcome, reasons, word, _shown(document, data) if at == here else {})

        return course(asked, RuleSubject(payload=payload | {"given": given.get("t")}), at, judge)

    def _judge(self, data: Any, at: datetime) -> tuple[RulingOutcome, tuple[str, ...], str | None]:
        rules = valid_at(self._document.rules, at)
        unclear = [] if not self._document.unreadable else [f"{self._document.unreadable} rules could not be read"]
        for rule in rules:
            try:
                if not _is_met(rule, data):
                    return FAIL, (f"{rule.identifier} is not met: {rule.description()}",), None
            except RuleError as error:
                unclear.append(f"{rule.identifier} could not be evaluated ({error.code}): {error.detail}")
        if unclear:
            return OPEN, tuple(unclear), None
        if not rules:
            return NO_RULES, ("there are no national rules then",), None
        if any(name not in self._document.display for name in _SHOWN):
            # The app takes a certificate for invalid where it could not say from when until when it is valid.
            return OPEN, ("all rules are met, but those that say for how long are missing",), None
        return PASSED, ("all rules are met",), None


def _is_met(rule: Rule, data: Any) -> bool:
    """Raises :class:`RuleError` where it cannot be told."""
    problem = gate(rule, rule.schema_key, LANGUAGE)
    if problem is not None:
        raise RuleError(Code.RULE_NOT_SUPPORTED, problem, Step.RULES)
    return truth(rule.program(data))


def _for_mode(document: SwissDocument, mode: str, data: Any) -> tuple[RulingOutcome, tuple[str, ...], str | None]:
    try:
        found = None if document.mode is None else document.mode.program(data)
    except RuleError as error:
        return OPEN, (f"the rules for modes could not be evaluated ({error.code}): {error.detail}",), None
    word = found.upper() if isinstance(found, str) else ""
    if word not in _WORDS:
        return OPEN, (f"the rules for modes do not tell of the mode {mode}",), None
    outcome, sentence = _WORDS[word]
    return outcome, (f"{mode}: {sentence}",), word


def _choose(segments: Sequence[Segment]) -> Segment:
    """What several certificates are good for: of those that need another one, the two kinds make up for each other."""
    found = best(segments)
    if found.outcome is PASSED or not {one.status for one in segments} >= _NEEDS_OTHER:
        return found
    return Segment(None, PASSED, ("2G+: the certificates are good for the mode together",), "SUCCESS", found.details)


def _payload(subject: RuleSubject, mode: str) -> dict[str, Any]:
    given = subject.payload
    days = {name: None if at is None else _day(at) for name, at in _envelope(subject)}
    kid = None if subject.kid is None else base64.b64encode(subject.kid).decode()
    header = {**days, "isLight": False, "mode": None if mode == _NO_MODE else mode, "iss": subject.issuer, "kid": kid}
    kept = {name: given[name] for name in ("nam", "dob", "ver", *GROUPS) if name in given}
    tests = kept.get("t")
    if isinstance(tests, list):
        kept["t"] = [_from_midnight(one) for one in tests]
    return kept | {"h": header}


def _envelope(subject: RuleSubject) -> tuple[tuple[str, datetime | None], ...]:
    return ("iat", subject.issued_at), ("exp", subject.expires_at)


def _day(moment: datetime) -> str | None:
    try:
        return local_day(moment).isoformat()
    except OverflowError:
        return None


def _from_midnight(test: Any) -> Any:
    """A positive rapid test, with its sample as of the midnight before; any other test as it is."""
    if not isinstance(test, dict) or (test.get("tt"), test.get("tr")) != (RAPID_ANTIGEN.code, DETECTED.code):
        return test
    sampled = test.get("sc")
    day = as_day(sampled[:10]) if isinstance(sampled, str) else None
    try:
        return test if day is None else test | {"sc": Moment(midnight(day))}
    except OverflowError:
        return test


def _external(at: datetime, codes: Mapping[str, Any]) -> dict[str, Any]:
    start = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    return {"validationClock": Moment(at), "validationClockAtStartOfDay": Moment(start), "valueSets": codes}


def _shown(document: SwissDocument, data: Any) -> dict[str, str]:
    """What the app would show, by the names of the rules for display that say something."""
    found = {name: _as_text(rule, data) for name, rule in document.display.items()}
    return {name: text for name, text in found.items() if text is not None}


def _as_text(rule: Rule, data: Any) -> str | None:
    try:
        value = rule.program(data)
    except RuleError:
        return None
    if isinstance(value, DateTime):
        moment = value.moment
        # Only of tests is the hour of interest.
        return moment.isoformat() if data["payload"].get("t") else moment.date().isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_WORD else None
