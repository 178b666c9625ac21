"""The DID documents of WHO's network: which belong together, which environment they are of, what an identifier says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

from healthcert.errors import Code, Step, TrustError
from healthcert.lists.anchors import Environment, TrustAnchor, need_anchors
from healthcert.lists.reading import Rejected, not_authentic, unreadable
from healthcert.trust.sources.did import Document, parse_did, read_document, url_of
from healthcert.trust.sources.protocol import Context, rejected

WILDCARD = "-"
NARROWING = ("domain", "participant", "usage")
_ROOTS = ("trustlist", "trustlist-ref")
_HANDED_IN = 4  # labels of what a participant hands in
_MAX_DEPTH = 5  # domain, participant, usage, key, and the document with the key
# The canonical form takes the library long, and is needed before anyone knows who made the documents.
_MAX_ENTRIES = 20_000
_MAX_BYTES = 8 * 1024 * 1024
_ENVIRONMENTS = {
    "did:web:tng-cdn.who.int:": Environment.PRODUCTION,
    "did:web:tng-cdn-uat.who.int:": Environment.ACCEPTANCE,
    "did:web:tng-cdn-dev.who.int:": Environment.TEST,
    "did:web:worldhealthorganization.github.io:tng-cdn:": Environment.PRODUCTION,
    "did:web:worldhealthorganization.github.io:tng-cdn-uat:": Environment.ACCEPTANCE,
    "did:web:worldhealthorganization.github.io:tng-cdn-dev:": Environment.TEST,
}


def environment_of(did: str) -> Environment | None:
    """Which of WHO's environments a document belongs to by its identifier; None for documents of others."""
    return next((found for prefix, found in _ENVIRONMENTS.items() if f"{did}:".startswith(prefix)), None)


def labels_of(did: str) -> tuple[str, ...]:
    """What stands behind ``trustlist`` in an identifier: domain, participant, usage and kid, as far as they are there.

    The documents that participants hand in have another path, ``PARTICIPANT:onboarding:DOMAIN:USAGE``. Raises
    :class:`TrustError` (``TRUST_LIST_UNREADABLE``) for an identifier that is no did:web.
    """
    segments = parse_did(did)[2]
    if len(segments) >= _HANDED_IN and segments[-3] == "onboarding":
        participant, _, domain, usage = segments[-_HANDED_IN:]
        return domain, participant, usage
    return _split(did)[1]


def wanted(options: Mapping[str, str], name: str, label: str) -> bool:
    """Whether what is labelled so may be what the operator asked for."""
    asked = options.get(name)
    return asked is None or label == WILDCARD or label.upper() == asked.upper()


class Tree:
    """The documents that a list comes in, each read and its proof checked before what it refers to is looked at.

    ``documents`` are those that were read, ``skipped`` the references that were not followed, ``signer`` is the anchor
    that vouches for them: None when documents without a proof are taken.
    """

    def __init__(self, context: Context) -> None:
        """Raises :class:`TrustError` (``TRUST_ANCHOR_MISSING``)."""
        unsigned = context.options.get("unsigned") == "yes" and not context.anchors
        self._anchors = None if unsigned else need_anchors(context.anchors, context.now)
        self._options, self._most_pages = context.options, context.limits.list_pages
        self._most_bytes = min(context.limits.list_bytes, _MAX_BYTES)
        self._most_entries = min(context.limits.trust_entries, _MAX_ENTRIES)
        self._signed: dict[str, bytes] = {}
        self._bytes, self._entries = 0, 0
        self.documents: list[Document] = []
        self.skipped: list[Rejected] = []
        self.signer: TrustAnchor | None = None

    @property
    def signed(self) -> bytes | None:
        """The SHA-256 of what the proof is over; of several documents, that of theirs in the order of identifiers."""
        hashes = [self._signed[did] for did in sorted(self._signed)]
        return hashlib.sha256(b"".join(hashes)).digest() if len(hashes) > 1 else next(iter(hashes), None)

    def walk(self, root: bytes, find: Callable[[str], bytes], url: str | None = None) -> None:
        """Reads ``root`` and all that it refers to, which ``find`` has or gets. ``url`` is where ``root`` was found.

        Raises :class:`TrustError` for documents that are not as they must be, and what ``find`` raises.
        """
        document = self._read(root)
        self._check_root(document, url)
        waiting: list[tuple[Document, tuple[str, ...]]] = [(document, (document.id,))]
        seen = {document.id}
        while waiting:
            document, path = waiting.pop(0)
            self.documents.append(document)
            for did in self._followed(document):
                if did in path:
                    raise unreadable("a document that refers to one above it")
                if did in seen:
                    continue
                seen.add(did)
                if len(path) > _MAX_DEPTH:
                    raise unreadable(f"documents on more than {_MAX_DEPTH} levels")
                if len(seen) > self._most_pages:
                    raise _too_long(f"a list of more than {self._most_pages} documents")
                below = self._read(find(did))
                # Each document carries a valid proof; what counts is the one that was asked for.
                if below.id != did:
                    raise not_authentic("a document stands in the place of another")
                waiting.append((below, (*path, did)))

    def _read(self, data: bytes) -> Document:
        self._bytes += len(data)
        if self._bytes > self._most_bytes:
            raise _too_long(f"a list of more than {self._most_bytes} bytes")
        document = read_document(data)
        self._entries += len(document.methods) + len(document.references)
        if self._entries > self._most_entries:
            raise _too_long(f"a list of more than {self._most_entries} entries")
        if self._anchors is not None:
            self.signer, self._signed[document.id] = document.signer(self._anchors)
        return document

    def _check_root(self, document: Document, url: str | None) -> None:
        asked, belongs = self._options.get("environment"), environment_of(document.id)
        # WHO certificate governance: no key of one environment is used in another.
        if asked is not None and belongs is not None and asked != belongs:
            raise TrustError(Code.ENVIRONMENT_MIXED, f"the list is of the environment {belongs}", Step.TRUST)
        if self._options.get("did", document.id) != document.id:
            raise not_authentic("it is another document than the one that is wanted")
        # A copy elsewhere may be complete in itself; references lead to where the document says that it is.
        if url is not None and url != url_of(document.id):
            host = parse_did(document.id)[1]
            if document.references or url.startswith(f"https://{host}/"):
                raise not_authentic("the document is not the one of this address")

    def _followed(self, document: Document) -> Iterator[str]:
        """The references to documents of the same tree that may hold what is wanted."""
        base = _split(document.id)[0]
        inside = [_labels_below(base, reference) for reference in document.references]
        told = {len(labels) for labels in inside if labels and labels[-1] != WILDCARD}
        for number, (reference, labels) in enumerate(zip(document.references, inside, strict=True), 1):
            if labels is None:
                self.skipped.append(rejected(f"reference {number}", "to a document outside of this tree"))
                continue
            # The document of a wildcard holds the keys of those beside it once more, and says less about them.
            if labels and labels[-1] == WILDCARD and len(labels) in told:
                continue
            if all(wanted(self._options, name, label) for name, label in zip(NARROWING, labels, strict=False)):
                yield reference


def _split(did: str) -> tuple[str, tuple[str, ...]]:
    """The part of an identifier in front of ``trustlist``, and the labels behind it."""
    _, host, segments = parse_did(did)
    for position, segment in enumerate(segments):
        if segment in _ROOTS:
            return ":".join((host, *segments[:position])), segments[position + 1 :]
    return ":".join((host, *segments)), ()


def _labels_below(base: str, reference: str) -> tuple[str, ...] | None:
    """The labels of a reference; None when it leads to another host or another tree."""
    try:
        found, labels = _split(reference)
    except TrustError:
        return None
    return labels if found == base and any(root in reference.split(":") for root in _ROOTS) else None


def _too_long(detail: str) -> TrustError:
    return TrustError(Code.INPUT_TOO_LONG, detail, Step.TRUST)
