"""The part of a DIVOC document that its proof covers, and that may therefore be read.

The proof is over statements and not over the text. Three things follow, and are looked after here:

- A member that no context knows makes no statement: anybody can add it. It is never read.
- A member that a context knows makes a statement wherever it stands. One where DIVOC has none would let a value be
  taken from its place and stated elsewhere (``"schema:doseValue": 1`` beside ``"dose": 2``), so there may be none.
- Things of one identifier are one thing: an entry could be taken apart into two. Identifiers are there once.

The arrays of JSON-LD have no order and no duplicates, so values that are alone in their member stand alone, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from healthcert.encoding import jsonld
from healthcert.encoding.jsonld import COWIN, CREDENTIALS_V1, SECURITY_V2, unreadable
from healthcert.errors import Code, Step
from healthcert.families.protocol import Finding
from healthcert.model import Private

VACCINATION_CONTEXTS = frozenset(
    (
        f"{COWIN}vaccination/v1",
        f"{COWIN}vaccination/v2",
        "https://divoc.prod/vaccine/credentials/vaccination/v1",
        "https://divoc.lgcc.gov.lk/credentials/vaccination/v1",
        "https://divoc.lgcc.gov.lk/credentials/vaccination/v2",
        "https://www.pedulilindungi.id/credentials/vaccination/v2",
    )
)
TEST_CONTEXTS = frozenset((f"{COWIN}testCertificate/v1", "https://cvstatus.icmr.gov.in/credentials/testCertificate/v1"))
CONTEXTS = VACCINATION_CONTEXTS | TEST_CONTEXTS
# The names of the credential's and of its entries' types.
VACCINATION = ("ProofOfVaccinationCredential", "Vaccination")
TEST = ("ProofOfTestCertificateCredential", "TestDetails")

ENTRIES = 4
"""Entries that one document may have; DIVOC writes one. Each is worth up to four nodes without an identifier."""
BLANK_NODES = 2 + 4 * ENTRIES
"""What of a document may be without an identifier: credential and person, and of each entry itself and three parts."""
# RDF has large numbers as doubles (JSON-LD 1.1 API §8.2.2), where several of them are one.
_EXACT = 2**53
_VALUES = 512  # the library compares values with each other; real documents have some 60

# Beside the terms of the object's own context.
_MEMBERS = {
    "credential": frozenset(
        (
            *("@context", "id", "type", "credentialSubject", "issuer", "issuanceDate", "expirationDate", "evidence"),
            *("nonTransferable", "proof"),
        )
    ),
    "credentialSubject": frozenset(("id", "type")),
    "evidence": frozenset(("id", "type")),
    "evidence.facility": frozenset(("id",)),
}
PROOF_OPTIONS = ("type", "created", "verificationMethod", "proofPurpose")
# RFC 3986 §3.1, and the characters that no IRI has; a person's may have spaces ("did:Aadhaar Card:...").
_IDENTIFIER = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*):[^\x00-\x20\x7f<>"{}|^`\\]+')
_RELATIVE = re.compile(r"[^:]*")
_SPACED_IDENTIFIER = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*):[^\x00-\x1f\x7f-\xa0<>"{}|^`\\]+')


class Signed(Private, frozen=True):
    """What the proof covers of a document: the members that its contexts know, and nothing else.

    ``test`` is whether its entries are tests. ``covers_person`` is whether anything that is said of the person is in
    the canonical form. ``findings`` tell what was left out.
    """

    context: str
    test: bool
    issuer: str
    issued: str | None
    expires: str | None
    person: Mapping[str, Any]
    covers_person: bool
    entries: tuple[Mapping[str, Any], ...]
    findings: tuple[Finding, ...]


def signed_part(document: Any) -> Signed:
    """The part of ``document`` that its canonical form is made of.

    Raises :class:`DecodeError` (``CANONICALIZATION_FAILED``) for contexts that are not known, for members of other
    types or in other places than DIVOC has them, for identifiers that are none, and for more than a document may have.
    """
    if not isinstance(document, dict):
        raise unreadable("not a JSON object")
    _check_size(document)
    # Verifiable Credentials Data Model 1.0 §4.1: its own context is the first.
    match document.get("@context"):
        case [first, str() as context] if first == CREDENTIALS_V1 and context in CONTEXTS:
            return _Reading(context).read(document)
    raise unreadable("its JSON-LD contexts are not those of a DIVOC certificate")


def is_identifier(text: object) -> bool:
    """Whether ``text`` is an absolute IRI that no context shortens."""
    found = _IDENTIFIER.fullmatch(text) if isinstance(text, str) else None
    return found is not None and found[1] not in _PREFIXES


# JSON-LD 1.1 §4.1.5: with one of these before the colon a text is short for something else.
_PREFIXES = frozenset(("schema", "vac", "cred", "sec", "xsd", "_"))


def _check_size(document: Mapping[str, Any]) -> None:
    waiting: list[Any] = [document]
    count = 0
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
            if count + len(waiting) > _VALUES:
                raise unreadable(f"more than {_VALUES} values in it")


@cache
def _scopes(context: str) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """The members that DIVOC has, and all names that make a statement, by where in a document of this context."""
    credentials, own = jsonld.terms(CREDENTIALS_V1), jsonld.terms(context)
    credential_type, entry_type = TEST if context in TEST_CONTEXTS else VACCINATION
    person, entry = own["Person"]["@context"], own[entry_type]["@context"]
    facility = entry["facility"]["@context"]
    # JSON-LD 1.1 §4.1.8: the context of a type holds in its own object alone, that of a property all the way down.
    scopes: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "credential": ({}, {**credentials["VerifiableCredential"]["@context"], **own[credential_type]["@context"]}),
        "credentialSubject": (person, {}),
        "credentialSubject.address": (person["address"]["@context"], {}),
        "evidence": (entry, {}),
        "evidence.verifier": (entry["verifier"]["@context"], {}),
        "evidence.facility": (facility, {}),
        "evidence.facility.address": (facility["address"]["@context"], facility),
    }
    return {
        where: (_MEMBERS.get(where, frozenset()) | _names(members), _names(members, more, credentials, own))
        for where, (members, more) in scopes.items()
    }


def _names(*contexts: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for terms in contexts for name in terms if not name.startswith("@"))


class _Reading:
    """One pass over a document, which gathers the identifiers and what was left out."""

    def __init__(self, context: str) -> None:
        self.context = context
        self.scopes = _scopes(context)
        self.identifiers: set[str] = set()
        self.covers_person = True
        self.findings: dict[Finding, None] = {}

    def read(self, document: Mapping[str, Any]) -> Signed:
        test = self.context in TEST_CONTEXTS
        credential_type, entry_type = TEST if test else VACCINATION
        root = self._members(document, "credential")
        self._types(root, "credential", {"VerifiableCredential", credential_type})
        issuer = root.get("issuer")
        if not isinstance(issuer, str) or not is_identifier(issuer):
            # Verifiable Credentials Data Model 1.0 §4.5: the issuer is a URI. One that is none is not signed.
            raise unreadable("issuer: not the URI that it has to be")
        for name in ("issuanceDate", "expirationDate"):
            if not isinstance(root.get(name, ""), str):
                raise unreadable(f"{name}: not a text")
        if type(root.get("nonTransferable", "")) not in (str, bool):
            raise unreadable("nonTransferable: neither a text nor true or false")
        entries = root.get("evidence", [])
        if not isinstance(entries, list) or len(entries) > ENTRIES:
            raise unreadable(f"evidence: not an array of at most {ENTRIES} objects")
        person = self._thing(root.get("credentialSubject"), "credentialSubject", "Person", ("address",))
        return Signed(
            context=self.context,
            test=test,
            issuer=issuer,
            issued=root.get("issuanceDate"),
            expires=root.get("expirationDate"),
            person=person,
            covers_person=self.covers_person,
            entries=tuple([self._thing(one, "evidence", entry_type, ("verifier", "facility")) for one in entries]),
            findings=tuple(self.findings),
        )

    def _thing(self, value: Any, where: str, kind: str, parts: tuple[str, ...]) -> dict[str, Any]:
        """An object with a type, some parts that are objects, and values."""
        found = self._members(value, where)
        self._types(found, where, {kind})
        return self._values(found, where, parts)

    def _part(self, value: Any, where: str) -> dict[str, Any]:
        return self._values(self._members(value, where), where, ("address",))

    def _values(self, found: dict[str, Any], where: str, parts: tuple[str, ...]) -> dict[str, Any]:
        for name, value in found.items():
            if name in parts:
                found[name] = self._part(value, f"{where}.{name}")
            elif name != "type" and not (type(value) is str or (type(value) is int and abs(value) <= _EXACT)):
                raise unreadable(f"{where}.{name}: neither a text nor a whole number")
        return found

    def _members(self, value: Any, where: str) -> dict[str, Any]:
        """The members of an object that are signed. What is null makes no statement either."""
        if not isinstance(value, dict):
            raise unreadable(f"{where}: not an object")
        members, statements = self.scopes[where]
        found = {}
        for name, inner in value.items():
            if name in members:
                if inner is None:
                    self._note(Code.NULL_FIELD, f"{where}.{name}: null, which is not signed")
                else:
                    found[name] = inner
            elif ":" in name or name.startswith("@") or name in statements:
                raise unreadable(f"{where}: a member that makes a statement where there is none to make")
            else:
                self._note(Code.FIELD_UNEXPECTED, f"{where}: a member that no context knows, and that is not signed")
        # In a verifier an id is a value like any other.
        if "id" in found and where != "evidence.verifier":
            self._identify(found["id"], where)
        return found

    def _identify(self, given: Any, where: str) -> None:
        person = where == "credentialSubject"
        # RDF 1.1 §3.1: a subject is an IRI. Nothing that is said of one that is relative is in the canonical form. Some
        # countries had the bare number of an identity card here, and so did not sign whose certificate it is.
        if person and isinstance(given, str) and _RELATIVE.fullmatch(given):
            self.covers_person = False
            return
        found = (_SPACED_IDENTIFIER if person else _IDENTIFIER).fullmatch(given) if isinstance(given, str) else None
        if found is None or found[1] in _PREFIXES:
            raise unreadable(f"{where}.id: not a URI")
        if given in self.identifiers:
            raise unreadable(f"{where}.id: the identifier of something else, too")
        self.identifiers.add(given)

    def _types(self, found: Mapping[str, Any], where: str, types: set[str]) -> None:
        given = found.get("type")
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise unreadable(f"{where}.type: not a text or an array of texts")
        # A type that no context knows is not signed, and one that is there twice is there once.
        if set(names) != types or len(names) != len(types):
            raise unreadable(f"{where}.type: not {' and '.join(sorted(types))}")

    def _note(self, code: Code, detail: str) -> None:
        self.findings[Finding(code, Step.DECODE, detail)] = None


def proof_options(proof: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a proof as they are signed (Linked Data Proofs 1.0 §5.1): all but the signature."""
    return {"@context": SECURITY_V2} | {name: proof[name] for name in PROOF_OPTIONS}
