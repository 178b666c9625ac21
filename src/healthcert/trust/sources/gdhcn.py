"""WHO's Global Digital Health Certification Network: DID documents, as one list or as a tree of references.

A key's identifier says what it is for, ``...:trustlist:DOMAIN:PARTICIPANT:USAGE#kid``, and the proof covers it. The
members ``domain``, ``participant`` and ``keyusage`` beside it are covered only under WHO's own JSON-LD context, which
the documents in production do not name: there anyone could change them, and they are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from msgspec import Struct

from healthcert.encoding.algorithms import PublicKey
from healthcert.errors import Code, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import Environment
from healthcert.lists.jwk import key_bytes
from healthcert.lists.publickeys import load_any_key, load_public_key
from healthcert.lists.reading import Rejected, exact_base64, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.certificates import key_of
from healthcert.trust.chain import Authorities, chained_key, link
from healthcert.trust.countries import alpha2, is_test_participant
from healthcert.trust.keys import Assurance, Link, TrustedKey
from healthcert.trust.sources.did import Document, Method, key_of_jwk, spelled_kid, spells_kid, split_fragment, url_of
from healthcert.trust.sources.gdhcn_tree import NARROWING, WILDCARD, Tree, environment_of, labels_of, wanted
from healthcert.trust.sources.protocol import Authority, Context, Fetched, Known, Role, TrustList, get, part, rejected

__all__ = ["Network", "environment_of"]

_DSC, _WHO = "DSC", "WHO"
_ROLES = {"SCA": Role.CSCA, "UP": Role.UPLOAD, "TLS": Role.TLS}
_GATEWAY_NAMES = {"CSCA": "SCA", "UPLOAD": "UP", "AUTHENTICATION": "TLS"}
_MAX_SAME = 16  # keys of one identifier, each of which is compared with all others


class Network:
    """See the module.

    The part ``list`` is the document to begin with; those that it refers to are parts under their identifiers. Options:
    ``domain``, ``participant`` and ``usage`` ask for these alone, and ``domain`` says it of keys whose identifier does
    not; ``did`` is the identifier that the first document must have; ``unsigned`` with the value ``yes`` takes
    documents as they are, when no anchor is pinned.
    """

    name = "gdhcn"
    title = "WHO GDHCN: DID documents (embedded or by reference)"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        tree = Tree(context)
        tree.walk(part(parts, "list"), lambda did: _document(parts, did))
        found = list(_entries(tree.documents, context.options))
        entries = [entry for entry in found if isinstance(entry, _Entry)]
        authorities = [entry for entry in entries if entry.usage in _ROLES]
        above = (link("ANCHOR", tree.signer),) if tree.signer else ()
        chains = _by_participant(authorities)
        keys = [_key(entry, chains.get(entry.group), above) for entry in entries if entry.usage == _DSC]
        kept = tuple(key for key in keys if isinstance(key, TrustedKey))
        chained = bool(kept) and all(key.chain for key in kept)
        signed = Assurance.SIGNED_CHAIN if chained else Assurance.SIGNED_LIST
        created = {d.id: d.created for d in tree.documents if d.created} if tree.signer else {}
        documents = {did: int(moment.timestamp()) for did, moment in created.items()}
        return TrustList(
            keys=kept,
            authorities=tuple(entry.authority() for entry in authorities),
            skipped=(*tree.skipped, *(entry for entry in (*found, *keys) if isinstance(entry, Rejected))),
            assurance=signed if tree.signer else Assurance.TLS_ONLY,
            signer=tree.signer,
            # Of several documents none tells the order of the whole: the oldest may be one that is there no longer.
            counter=next(iter(documents.values())) if len(documents) == 1 else None,
            issued_at=min(created.values(), default=None),
            expires_at=min((d.expires for d in tree.documents if d.expires), default=None),
            signed=tree.signed,
            documents=documents,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        if body is None:
            return None
        parts = {"list": body}

        def find(did: str) -> bytes:
            parts[did] = fetcher.get(url_of(did), limit=context.limits.list_bytes).body
            return parts[did]

        Tree(context).walk(body, find, url)
        return Fetched(parts, validators)


class _Entry(Struct, frozen=True):
    """A key as it is listed, of a domain and a participant."""

    where: str
    group: tuple[str, str]
    usage: str
    country: str | None
    kid: bytes
    spki: bytes
    certificate: Certificate | None

    def authority(self) -> Authority:
        role, domain = _ROLES[self.usage], self.group[0]
        if self.certificate is None:
            return Authority(role, None, self.country, domain, self.spki)
        return Authority(role, self.certificate.der, self.country, domain)


def _document(parts: Mapping[str, bytes], did: str) -> bytes:
    if did not in parts:
        raise unreadable("a document that it refers to is missing")
    return parts[did]


def _entries(documents: list[Document], options: Mapping[str, str]) -> Iterator[_Entry | Rejected]:
    """The keys that are asked for, each once, and what is wrong with others."""
    by_id: dict[str, list[tuple[str, Method]]] = {}
    for page, document in enumerate(documents, 1):
        for number, method in enumerate(document.methods, 1):
            where = f"entry {number}" if len(documents) == 1 else f"document {page}, entry {number}"
            same = by_id.setdefault(method.id, [])
            if len(same) <= _MAX_SAME and all(method != other for _, other in same):
                same.append((where, method))
    for same in by_id.values():
        if len(same) > _MAX_SAME:
            # None is taken: those that were not compared may show that it is not told which key is of which domain.
            yield rejected(same[0][0], f"more than {_MAX_SAME} keys are of its identifier")
            continue
        for where, method in same:
            try:
                # In the canonical form, keys of one identifier are one with the properties of all: which of the keys
                # is of which domain is not told.
                if any(method.key != other.key and method.labels != other.labels for _, other in same):
                    raise _unusable("its identifier is another key's")
                entry = _entry(where, method, options)
            except TrustError as error:
                yield Rejected(where, error)
                continue
            if entry is not None:
                yield entry


def _entry(where: str, method: Method, options: Mapping[str, str]) -> _Entry | None:
    """The key; None for one that is not asked for. Raises :class:`TrustError`."""
    did, fragment = split_fragment(method.id)
    path = labels_of(did)
    told = [label if label != WILDCARD else None for label in (*path, None, None, None)[:3]]
    labels = [_agreed(one, other) for one, other in zip(told, method.labels, strict=True)]
    if not all(wanted(options, name, label or WILDCARD) for name, label in zip(NARROWING, labels, strict=True)):
        return None
    domain, participant, usage = labels[0] or options.get("domain"), labels[1], labels[2]
    # WHO code system KeyUsage: DECA and DESC are for the exchange of data, and sign no documents.
    if usage is not None and usage != _DSC and usage not in _ROLES:
        return None
    if domain is None or participant is None or usage is None:
        raise _unusable("what the proof covers does not say its domain, participant and usage")
    country = alpha2(participant)
    if country is None and participant != _WHO:
        raise _unusable("of a participant that no country is known for")
    if options.get("environment") == Environment.PRODUCTION and is_test_participant(participant):
        raise TrustError(Code.ENVIRONMENT_MIXED, "of a participant in tests", Step.TRUST)
    certificate = _certificate(method)
    if certificate is not None and country is not None and certificate.country != country:
        raise _unusable("its certificate is another country's")
    # Only what signs documents is looked for by its kid, and only that must be on a curve that documents are signed on.
    kid = _kid(method, certificate, fragment or "".join(path[3:4])) if usage == _DSC else b""
    spki = _spki(method, certificate, load_public_key if usage == _DSC else load_any_key)
    return _Entry(where, (domain, participant.upper()), usage, country, kid, spki, certificate)


def _agreed(told: str | None, label: str | None) -> str | None:
    """What identifier and member say, which must not differ; the member has the gateway's names of the usages."""
    label = _GATEWAY_NAMES.get(label, label) if label is not None else None
    if None not in (told, label) and told != label:
        raise _unusable("its identifier and its members say different things")
    return told or label


def _certificate(method: Method) -> Certificate | None:
    """The first of the certificates in the JWK, which is the key's own (RFC 7517 §4.7).

    The others vouch for nothing: only those do that the list itself has as authorities.
    """
    chain = method.key.get("x5c")
    if chain is None:
        return None
    der = exact_base64(chain[0]) if isinstance(chain, list) and chain and isinstance(chain[0], str) else None
    if not der:
        raise _unusable("its certificate is no base64")
    return parse_certificate(der)


def _kid(method: Method, certificate: Certificate | None, named: str) -> bytes:
    """The kid of the certificate, which those in the list must spell; without one, the one that these spell."""
    spellings = [text for text in (method.key.get("kid", named), named) if text]
    if not spellings or not all(isinstance(text, str) for text in spellings):
        raise _unusable("it has no kid")
    kid = certificate.kid if certificate is not None else spelled_kid(spellings[0])
    if not kid or not all(spells_kid(text, kid) for text in spellings):
        raise _unusable("its kid is not that of its certificate, or no base64")
    return kid


def _spki(method: Method, certificate: Certificate | None, load: Callable[[bytes], PublicKey]) -> bytes:
    if certificate is None:
        return key_of_jwk(method.key)
    found = key_bytes(load(certificate.spki))
    try:
        listed = key_of_jwk(method.key)
    except TrustError:
        # WHO's service has no name for some curves; the certificate is covered by the proof as well.
        return certificate.spki
    if listed != found:
        raise _unusable("its certificate is another key's")
    return certificate.spki


def _by_participant(authorities: list[_Entry]) -> dict[tuple[str, str], Authorities]:
    groups: dict[tuple[str, str], list[Certificate]] = {}
    for entry in authorities:
        if _ROLES[entry.usage] is Role.CSCA and entry.certificate is not None:
            groups.setdefault(entry.group, []).append(entry.certificate)
    return {group: Authorities(certificates) for group, certificates in groups.items()}


def _key(entry: _Entry, authorities: Authorities | None, above: tuple[Link, ...]) -> TrustedKey | Rejected:
    """A key that may sign, chained to an authority of its participant where the list has one."""
    domain = entry.group[0]
    if entry.certificate is None:
        if authorities is not None:
            return rejected(entry.where, "a bare key, which no authority vouches for", Code.KEY_NOT_CHAINED)
        return TrustedKey(kid=entry.kid, spki=entry.spki, country=entry.country).within(domain)
    try:
        key = key_of(entry.certificate)
        if authorities is not None:
            key = chained_key(entry.certificate, authorities.issuer_of(entry.certificate), above)
    except TrustError as error:
        return Rejected(entry.where, error)
    # WHO is no country, whatever its certificates say.
    return replace(key, country=entry.country).within(domain, chain=key.chain)


def _unusable(detail: str) -> TrustError:
    return TrustError(Code.CERTIFICATE_UNREADABLE, detail, Step.TRUST)
