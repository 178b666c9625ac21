"""Reading a list of rules from what its server gave: within bounds, and with one kind of error, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from healthcert.errors import Code, HealthCertError, RuleError, Step
from healthcert.rules.national.registry import national_rules
from healthcert.rules.sources.protocol import Context, RuleList
from healthcert.rules.valuesets import shipped_for_rules

_LIST_CODES = {
    Code.TRUST_LIST_UNREADABLE: Code.RULE_LIST_UNREADABLE,
    Code.TRUST_LIST_NOT_AUTHENTIC: Code.RULE_LIST_NOT_AUTHENTIC,
    Code.TRUST_ANCHOR_MISSING: Code.RULE_ANCHOR_MISSING,
    Code.TRUST_ANCHOR_UNREADABLE: Code.RULE_ANCHOR_MISSING,
    Code.INPUT_TOO_LONG: Code.INPUT_TOO_LONG,
}


def read_list(
    load: Callable[[Mapping[str, bytes], Context], RuleList], parts: Mapping[str, bytes], context: Context
) -> RuleList:
    """What a format makes of the parts, within the bounds on their length; every failure is a :class:`RuleError`."""
    most = context.limits.list_bytes
    if sum(map(len, parts.values())) > most:
        raise RuleError(Code.INPUT_TOO_LONG, f"more than {most} bytes", Step.RULES)
    try:
        found = load(parts, context)
        _check_national(found)
    except RuleError:
        raise
    except HealthCertError as error:
        raise translated(error) from None
    except Exception as error:  # noqa: BLE001 The last line of defence: one list must not harm the others.
        raise unforeseen(error) from None
    kept = (*(one.raw for one in found.rules), *(one.raw for one in found.value_sets), *found.national.values())
    if sum(map(len, kept)) > most:
        raise RuleError(Code.INPUT_TOO_LONG, f"a list that unpacks to more than {most} bytes", Step.RULES)
    return found


def _check_national(found: RuleList) -> None:
    """Raises :class:`RuleError` for a national document that is none: it would replace one that is."""
    for name, document in found.national.items():
        national_rules(name, document, shipped_for_rules())


def translated(error: HealthCertError) -> RuleError:
    """The error of a list of rules for one of what reads signatures and chains, which lists of keys share."""
    return RuleError(_LIST_CODES.get(error.code, Code.RULE_LIST_UNREADABLE), error.detail, Step.RULES)


def unforeseen(error: Exception) -> RuleError:
    """The error of a list for an exception that nobody foresaw."""
    # The type alone: the message may quote what was fetched, or a secret.
    detail = f"an internal error ({type(error).__name__}); please report it"
    return RuleError(Code.RULE_LIST_UNREADABLE, detail, Step.RULES)
