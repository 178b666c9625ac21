"""What the gateway checks of a rule at its upload: its start, and that and its version beside those of the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from healthcert.rules.lint.authoring import member
from healthcert.rules.lint.checks import moment_of
from healthcert.rules.lint.findings import Finding, Problem, error
from healthcert.rules.rule import version_key

FURTHEST_AHEAD = timedelta(weeks=2)
NOTICE = timedelta(hours=48)
"""Between the upload of an Acceptance rule and its start. That of an Invalidation rule is only not in the past."""


def check_upload(
    rule: Mapping[str, Any], *, now: datetime, previous: Mapping[str, Any] | None = None, path: str = "$"
) -> tuple[Problem, ...]:
    """Why the gateway would refuse the upload of ``rule`` at ``now``, beside what :func:`check_rule` finds.

    ``previous`` is the rule of this identifier that was uploaded last; None for the first one. The gateway names only
    the first problem.
    """
    found = [*_start(rule, now, path)]
    if previous is not None:
        found += _compared(rule, previous, path)
    return tuple(found)


def _start(rule: Mapping[str, Any], now: datetime, path: str) -> Iterator[Problem]:
    start, where = moment_of(rule.get("ValidFrom")), member(path, "ValidFrom")
    if start is None:
        return  # which is a problem of the rule itself
    # dgc-gateway, Gateway-constraints: INVALID_TIMESTAMP
    if start - now > FURTHEST_AHEAD:
        yield error(Finding.VALID_FROM_LATE, where, f"more than {FURTHEST_AHEAD.days} days after the upload")
    if rule.get("Type") == "Acceptance" and start - now < NOTICE:
        hours = NOTICE // timedelta(hours=1)
        yield error(Finding.VALID_FROM_SOON, where, f"less than {hours} hours after the upload of an Acceptance rule")
    if rule.get("Type") == "Invalidation" and start < now:
        yield error(Finding.VALID_FROM_SOON, where, "before the upload of an Invalidation rule")


def _compared(rule: Mapping[str, Any], previous: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if rule.get("Identifier") != previous.get("Identifier"):
        yield error(Finding.PREVIOUS, member(path, "Identifier"), "not that of the previous version")
        return
    version, last = (version_key(str(one.get("Version"))) for one in (rule, previous))
    start, earlier = (moment_of(one.get("ValidFrom")) for one in (rule, previous))
    if last is None or earlier is None:
        # What cannot be compared must not look as if it had been.
        message = "the previous version has no Version or ValidFrom to compare with"
        yield error(Finding.PREVIOUS, path, message)
    # dgc-gateway, Gateway-constraints: INVALID_VERSION
    if version is not None and last is not None and version <= last:
        message = f"not greater than that of the previous one, {'.'.join(map(str, last))}"
        yield error(Finding.VERSION_NOT_GREATER, member(path, "Version"), message)
    # dgc-gateway, Gateway-constraints: INVALID_TIMESTAMP
    if start is not None and earlier is not None and start < earlier:
        message = "before that of the previous version"
        yield error(Finding.VALID_FROM_BEFORE_PREVIOUS, member(path, "ValidFrom"), message)
