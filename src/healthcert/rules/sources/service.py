"""The EU's business-rule service, for the apps of verifiers: lists of hashes that are signed, and documents by hash.

Answers, and the names of the parts: ``rules`` (``[{"identifier", "version", "country", "hash"}]``), ``rules/FR/<hash>``
(a rule), ``valuesets`` (``[{"id", "hash"}]``), ``valuesets/<hash>`` and ``countrylist`` (``["FR", ...]``); the hash is
the SHA-256 of the document in 64 lower-case hexadecimal digits. The part ``signatures`` is a JSON object of what came
in the header ``X-SIGNATURE`` with each of them. Files may end in ``.json``.

The two lists are signed with a pinned key, and so is, by its hash, every document. Nothing that is signed says when it
was: against older lists there is the server's TLS certificate, and what the store remembers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from healthcert.errors import Code, HealthCertError, RuleError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.rules.rule import read_rule
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, part, refused
from healthcert.rules.sources.reading import countries_in, json_of
from healthcert.rules.sources.service_answers import COUNTRIES, RULES, SIGNATURES, VALUE_SETS, Session
from healthcert.rules.sources.service_lists import Item, digest_of, header_signer, read_rule_items, read_set_items

_SUFFIX = ".json"


class Service:
    """See the module. It speaks for the countries that it lists, where that list is signed as well.

    With the option ``unsigned`` set to ``yes``, and no anchor pinned, the lists are taken as the server gave them.
    """

    name = "service"
    title = "EU business-rule service: signed lists of hashes, and rules and value sets by their hashes"
    parts = ()
    anchored = True
    options = ("unsigned",)

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        named = {name.removesuffix(_SUFFIX): data for name, data in parts.items()}
        check = _Check(named, context)
        signer = check.signer_of(RULES)
        into = Gathering(context.limits)
        for item in read_rule_items(part(named, RULES), context.limits):
            _take_rule(item, named, check, into)
        _take_value_sets(named, check, into, context)
        return into.finish(
            assurance=Assurance.TLS_ONLY if signer is None else Assurance.SIGNED_LIST,
            countries=_countries(named, check),
            signer=signer,
            signed=() if signer is None else _digests(named),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. ``url`` is what stands before ``/rules``; only documents whose hash is not known are
        fetched, and none before the list that names it has been checked.
        """
        session = Session(fetcher, url.rstrip("/"), known, context.limits)
        session.get_list(RULES)
        _Check(session.parts, context).signer_of(RULES)
        items = list(read_rule_items(session.parts[RULES], context.limits))
        session.get_list(VALUE_SETS)
        _Check(session.parts, context).signer_of(VALUE_SETS)
        items += read_set_items(session.parts[VALUE_SETS], context.limits)
        session.get_list(COUNTRIES)
        for item in items:
            session.get_document(item)
        return session.fetched()


class _Check:
    """What the signatures say that came with the answers; nothing, where the operator does without."""

    def __init__(self, named: Mapping[str, bytes], context: Context) -> None:
        self._named = named
        self._anchors = None if context.unsigned else context.pinned()
        self._signatures: dict[str, Any] = json_of(named.get(SIGNATURES, b"{}"), dict)

    def signer_of(self, name: str) -> TrustAnchor | None:
        """Which anchor signed a list; None where none needs to.

        Raises :class:`RuleError` (``RULE_LIST_NOT_AUTHENTIC``).
        """
        if self._anchors is None:
            return None
        signer = header_signer(part(self._named, name), self._signatures.get(name), self._anchors)
        if signer is None:
            raise refused(f"the list {name} is not signed with a pinned key", Code.RULE_LIST_NOT_AUTHENTIC)
        return signer

    def document(self, name: str) -> None:
        """Holds a document's own signature against it, where it came with one.

        Raises :class:`RuleError` (``RULE_LIST_NOT_AUTHENTIC``).
        """
        # The signed list names its hash, so that none is needed; one that is wrong says that something is.
        if self._anchors is not None and self.came_signed(name):
            self.signer_of(name)

    def came_signed(self, name: str) -> bool:
        return name in self._signatures

    @property
    def needed(self) -> bool:
        return self._anchors is not None


def _take_rule(item: Item, named: Mapping[str, bytes], check: _Check, into: Gathering) -> None:
    try:
        raw = _document(item, named, check)
        rule = read_rule(raw)
        # The hash tells which document it is; the rest of the entry, only that the list was made with care.
        if (rule.identifier, rule.version, rule.country) != (item.name, item.version, item.country):
            raise refused("not the rule that is listed", Code.RULE_INVALID)
    except HealthCertError as error:
        into.skip(item.where, error, country=item.country)
    else:
        into.add_rule(item.where, raw, country=item.country)


def _take_value_sets(named: Mapping[str, bytes], check: _Check, into: Gathering, context: Context) -> None:
    """Takes the value sets that are listed."""
    if VALUE_SETS not in named:
        return
    check.signer_of(VALUE_SETS)
    for item in read_set_items(named[VALUE_SETS], context.limits):
        try:
            raw = _document(item, named, check)
        except RuleError as error:
            into.skip(item.where, error, value_set=item.name)
        else:
            into.add_value_set(item.where, raw, name=item.name)


def _document(item: Item, named: Mapping[str, bytes], check: _Check) -> bytes:
    """The document that an entry of a list stands for.

    Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE``, ``RULE_LIST_NOT_AUTHENTIC``.
    """
    if item.path not in named:
        raise refused("it is listed, and not there")
    raw = named[item.path]
    # BRS, BusinessRulesUtils: the hash is that of the very bytes.
    if digest_of(raw) != item.digest:
        raise refused("it does not have the hash that is listed", Code.RULE_LIST_NOT_AUTHENTIC)
    check.document(item.path)
    return raw


def _countries(named: Mapping[str, bytes], check: _Check) -> frozenset[str]:
    """The countries that the service lists. Some of its releases do not sign that list, which then counts for nothing.

    Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``, ``RULE_LIST_NOT_AUTHENTIC``).
    """
    if COUNTRIES not in named or (check.needed and not check.came_signed(COUNTRIES)):
        return frozenset()
    check.signer_of(COUNTRIES)
    return frozenset(countries_in(named[COUNTRIES]))


def _digests(named: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """Of the lists that are signed, each for itself; all else stands in them by its hash."""
    # Beside a name of it, since two lists may have the same bytes: none of either kind.
    return tuple(
        hashlib.sha256(name.encode() + b":" + named[name]).digest() for name in (RULES, VALUE_SETS) if name in named
    )
