"""XML from strangers, read within bounds: as a tree, and in the canonical form that signatures cover.

A document type, with the entities that it may declare, is refused before any of it is read.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from healthcert.lists.reading import not_authentic, unreadable

DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNED_INFO = f"{DSIG}SignedInfo"
_SIGNATURE = f"{DSIG}Signature"
_SIGNED_PROPERTIES = "{http://uri.etsi.org/01903/v1.3.2#}SignedProperties"
_MAX_DEPTH = 32  # nested elements; a trusted list has 12
_MAX_ELEMENTS = 200_000


def read_document(data: bytes) -> Document:
    """A document in canonical form, and its signature.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, and ``TRUST_LIST_NOT_AUTHENTIC`` where signatures stand
    anywhere but once under the root.
    """
    document = Document()
    _parse(data, document)
    return document


def read_tree(data: bytes) -> ET.Element:
    """A document as a tree. Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``)."""
    document = Document(whole=True)
    _parse(data, document)
    return document.tree()


class Document:
    """What a parser tells of a document: its canonical form without the signature, and the signature itself."""

    def __init__(self, *, whole: bool = False) -> None:
        self.signature: ET.Element | None = None
        self.info: bytes | None = None
        self.properties: dict[str, bytes] = {}
        self._body: list[str] = []
        self._writer = ET.C14NWriterTarget(self._body.append, exclude_tags={_SIGNATURE})
        self._whole = ET.TreeBuilder() if whole else None
        self._builder: ET.TreeBuilder | None = None
        self._within: list[tuple[int, list[str], ET.C14NWriterTarget, str | None]] = []
        self._scopes: list[list[tuple[str, str]]] = []
        self._declared: list[tuple[str, str]] = []
        self._depth = self._elements = 0

    def content(self) -> bytes:
        return "".join(self._body).encode("utf-8")

    def tree(self) -> ET.Element:
        assert self._whole is not None
        return self._whole.close()

    # --- What the parser calls ---

    def doctype(self, *_: object) -> None:
        raise unreadable("XML with a document type")

    def start_ns(self, prefix: str | None, uri: str | None) -> None:
        pair = (prefix or "", uri or "")
        self._declared.append(pair)
        for target in self._targets():
            target.start_ns(*pair)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise unreadable("XML of too many elements, or nested too deep")
        self._scopes.append(self._declared)
        self._declared = []
        if tag == _SIGNATURE:
            # One that stands anywhere else covers something else, or nothing.
            if self.signature is not None or self._builder is not None or self._depth != 2:
                raise not_authentic("signatures where one belongs, under the root")
            self._builder = ET.TreeBuilder()
        if self._builder is not None:
            self._builder.start(tag, attributes)
            if (tag == SIGNED_INFO and self._depth == 3) or tag == _SIGNED_PROPERTIES:
                self._begin(attributes.get("Id"))
        for target in self._targets():
            target.start(tag, attributes)
        if self._whole is not None:
            self._whole.start(tag, attributes)

    def data(self, text: str) -> None:
        for target in self._targets():
            target.data(text)
        for builder in (self._builder, self._whole):
            if builder is not None:
                builder.data(text)

    def pi(self, target: str, text: str | None = None) -> None:
        for writer in self._targets():
            writer.pi(target, text or "")

    def end(self, tag: str) -> None:
        for target in self._targets():
            target.end(tag)
        if self._within and self._within[-1][0] == self._depth:
            _, written, _, name = self._within.pop()
            self._keep(tag, name, "".join(written).encode("utf-8"))
        for builder in (self._builder, self._whole):
            if builder is not None:
                builder.end(tag)
        if tag == _SIGNATURE and self._builder is not None:
            self.signature, self._builder = self._builder.close(), None
        self._scopes.pop()
        self._depth -= 1

    def close(self) -> None:
        return None

    # --- Parts in canonical form ---

    def _targets(self) -> list[ET.C14NWriterTarget]:
        return [self._writer, *(target for _, _, target, _ in self._within)]

    def _begin(self, name: str | None) -> None:
        """Begins the canonical form of a part, which may use what is declared around it."""
        written: list[str] = []
        target = ET.C14NWriterTarget(written.append)
        seen: set[str] = set()
        for prefix, uri in (pair for scope in reversed(self._scopes) for pair in reversed(scope)):
            if prefix not in seen:
                seen.add(prefix)
                target.start_ns(prefix, uri)
        self._within.append((self._depth, written, target, name))

    def _keep(self, tag: str, name: str | None, content: bytes) -> None:
        if tag == SIGNED_INFO:
            if self.info is not None:
                raise not_authentic("a signature that says twice what it covers")
            self.info = content
        elif name is not None:
            if name in self.properties:
                raise not_authentic("two parts of one identifier")
            self.properties[name] = content


def _parse(data: bytes, target: Document) -> None:
    try:
        # Where an entity could be declared, nothing is read; in UTF-8, which is all that is taken, it looks like this.
        if "<!DOCTYPE" in data.decode("utf-8"):
            raise unreadable("XML with a document type")
        parser = ET.XMLParser(target=target, encoding="utf-8")  # noqa: S314 (without entities; depth and size are bound)
        parser.feed(data)
        parser.close()
    except (ET.ParseError, ValueError, IndexError, KeyError, AssertionError, RecursionError):
        raise unreadable("not XML in UTF-8") from None
