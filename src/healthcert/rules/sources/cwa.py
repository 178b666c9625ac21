"""Germany: the lists of the Corona-Warn-App, in archives with their signatures: rules in CBOR, and value sets.

Form: a ZIP archive of ``export.bin`` and ``export.sig`` (:mod:`healthcert.lists.signed_export`). What is signed is a
CBOR array of rules with the members of the gateway's schema, or the value sets of
:mod:`healthcert.rules.sources.cwa_value_sets`. Each of these lists has an address of its own, and is a source of its
own: the rules for acceptance, those for invalidation, those for booster notifications, the CCL configurations, and the
value sets in each language.

Nothing that is signed says which of them a list is, nor when it was made. The option ``list`` says which one is meant;
against older ones there is the server's TLS certificate, and what the store remembers.

CCL configurations are written in another language, JsonFunctions. That they are there is kept, with the names of their
functions; they are not evaluated.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from healthcert.errors import Code, DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.signed_export import export_signer, is_archive, open_export
from healthcert.rules.rule import ACCEPTANCE, INVALIDATION
from healthcert.rules.sources.cwa_rules import CONFIGURATION, is_rules, read_items, take_item, type_of
from healthcert.rules.sources.cwa_value_sets import read_cwa_value_sets
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, get, part, refused
from healthcert.rules.sources.undated import written

__all__ = ["CoronaWarnApp", "read_cwa_value_sets"]

_VALUE_SETS = "value sets"
_LISTS = {
    "acceptance": ACCEPTANCE,
    "invalidation": INVALIDATION,
    "booster": "BoosterNotification",
    "ccl": CONFIGURATION,
    "value-sets": _VALUE_SETS,
}
"""The Type of what is on each list that the option names."""
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)


class CoronaWarnApp:
    """See the module. The parts are the archive alone, or the two files in it.

    The option ``list`` is ``acceptance``, ``invalidation``, ``booster``, ``ccl`` or ``value-sets``: any other list is
    refused. ``language`` is that of the names in the value sets. With the option ``unsigned`` set to ``yes``, and no
    anchor pinned, a list is taken as its server gave it.
    """

    name = "cwa"
    title = "Germany (Corona-Warn-App): rules in CBOR, or value sets, with a signature in a ZIP archive"
    parts = ("list", "signature")
    anchored = True
    options = ("list", "language", "unsigned")

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        _check_options(context.options)
        data, signatures = _opened(part(parts, "list"), parts.get("signature"), context.limits)
        # With an anchor a list is signed, or an attacker could make it an unsigned one by leaving the signature out.
        signer = None if context.unsigned else _signer(data, signatures, context)
        said = {
            "assurance": Assurance.TLS_ONLY if signer is None else Assurance.SIGNED_LIST,
            "signer": signer,
            "signed": () if signer is None else (hashlib.sha256(data).digest(),),
        }
        return _read(data, said, context)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _opened(data: bytes, signature: bytes | None, limits: Limits) -> tuple[bytes, bytes | None]:
    """The list and its signatures, taken out of the archive where there is one."""
    if signature is not None or not is_archive(data):
        return data, signature
    try:
        return open_export(data, limits)
    except TrustError as error:
        raise refused(error.detail) from None


def _signer(data: bytes, signatures: bytes | None, context: Context) -> TrustAnchor:
    try:
        return export_signer(data, signatures, context.pinned())
    except DecodeError as error:
        raise refused(f"its signatures: {error.detail}") from None


def _read(data: bytes, said: Mapping[str, Any], context: Context) -> RuleList:
    into = Gathering(context.limits)
    meant = _LISTS[context.options["list"]] if "list" in context.options else None
    if is_rules(data):
        for number, item in enumerate(read_items(data, context.limits), 1):
            # The same keys sign all lists of the server: in the place of one, another leaves none of its rules. What
            # has no type is on no other list either, and is skipped as what it is.
            if meant is not None and type_of(item) not in (None, meant):
                raise refused(f"rule {number} is of another type than {meant}: this is not the list that is meant")
            take_item(f"rule {number}", item, into)
    elif meant not in (None, _VALUE_SETS):
        raise refused("not a list of rules in CBOR")
    else:
        for value_set in read_cwa_value_sets(data, context.options.get("language", "en"), context.limits):
            into.add_value_set(f"value set {value_set.id}", written(value_set))
    return into.finish(**said)


def _check_options(options: Mapping[str, str]) -> None:
    if options.get("list", "acceptance") not in _LISTS:
        raise refused(f"the option list is one of {', '.join(_LISTS)}", Code.RULE_CONFIG_INVALID)
    if not _LANGUAGE.fullmatch(options.get("language", "en")):
        raise refused("the option language is one like de", Code.RULE_CONFIG_INVALID)
