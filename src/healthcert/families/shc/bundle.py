"""The FHIR bundle of a card: one patient, what is said about them, and the rules that keep it small.

Sources: SMART Health Cards, "Health Cards are Compact"; FHIR R4, Bundle and References.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from healthcert.errors import Code, Step, VerificationError
from healthcert.families.protocol import Finding
from healthcert.model import Private

_SHORT = re.compile(r"resource:[0-9]+", re.ASCII)
_LONG_ADDRESS = re.compile(rb'"resource:(?![0-9]+")')
_SECURITY = "security"
_CONTAINERS = frozenset((dict, list))
# FHIR R4, Coding: what it may hold.
_CODING = frozenset(("id", "extension", "system", "version", "code", "display", "userSelected"))


class Resource(Private, frozen=True):
    """One resource of a bundle. ``where`` names it in messages: ``entry[1]``."""

    where: str
    type: str
    content: Mapping[str, Any]


class Bundle(Private, frozen=True):
    """A bundle whose patient was found. ``addresses`` are those by which other resources may refer to the patient."""

    patient: Resource
    resources: tuple[Resource, ...]
    addresses: frozenset[str]
    findings: tuple[Finding, ...]

    def is_patient(self, reference: str) -> bool:
        """Whether a reference leads to the patient."""
        # FHIR R4, "Resolving references in Bundles": by fullUrl; a relative one by the end of an absolute fullUrl.
        return reference in self.addresses or any(url.endswith(f"/{reference}") for url in self.addresses)


def read_bundle(given: Any, *, compact: bool) -> Bundle:
    """The resources in a bundle; ``compact`` is whether it has to keep the rules for cards in a QR code.

    Raises :class:`VerificationError` (``SCHEMA_VALIDATION_FAILED``) for what is no bundle about one patient.
    """
    if not isinstance(given, dict) or given.get("resourceType") != "Bundle":
        raise invalid("fhirBundle: not a Bundle")
    entries = given.get("entry")
    if not isinstance(entries, list) or not entries:
        raise invalid("fhirBundle.entry: not an array with something in it")
    resources, patients = [], []
    for number, entry in enumerate(entries):
        where = f"entry[{number}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        type_ = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(type_, str):
            raise invalid(f"{where}.resource: not an object with a resourceType")
        if type_ == "Patient":
            patients.append((number, Resource(where, type_, resource)))
        else:
            resources.append(Resource(where, type_, resource))
    # SMART Health Cards, "Modeling a Health Card": identity is bound by the Patient; a card is about one person.
    if len(patients) != 1:
        raise invalid(f"fhirBundle: {len(patients)} patients instead of one")
    number, patient = patients[0]
    broken = _departures(given) if compact else ()
    findings = tuple([Finding(Code.FIELD_UNEXPECTED, Step.CONTENT, detail) for detail in broken])
    return Bundle(patient, tuple(resources), _addresses(entries[number], number), findings)


def _addresses(entry: Mapping[str, Any], number: int) -> frozenset[str]:
    url, id_ = entry.get("fullUrl"), entry["resource"].get("id")
    found = {url if isinstance(url, str) else f"resource:{number}"}
    return frozenset(found | {f"Patient/{id_}"}) if isinstance(id_, str) else frozenset(found)


def _departures(bundle: Mapping[str, Any]) -> list[str]:
    """Each rule for cards in a QR code that the bundle breaks, and where it does first."""
    if _is_bare(bundle):  # nearly always
        return []
    found: dict[str, str] = {}
    _of_resource(bundle, "fhirBundle", found)
    for number, entry in enumerate(bundle["entry"]):
        url, resource, where = entry.get("fullUrl"), entry["resource"], f"entry[{number}]"
        # "Health Cards are Compact": fullUrl with short resource-scheme URIs.
        if not _is_short(url):
            found.setdefault("not resource: and a number", f"{where}.fullUrl")
        _of_resource(resource, where, found)
        for rule in _of_elements(resource):
            found.setdefault(rule, where)
    return [f"{where}: {rule}" for rule, where in found.items()]


def _is_bare(bundle: Mapping[str, Any]) -> bool:
    """Whether a bundle breaks none of the rules, told from its text: what they are about is not in it at all.

    A quotation mark in a value is escaped, so that only a member looks like one. False where it takes a closer look.
    """
    try:
        text = msgspec.json.encode(bundle)
    except (ValueError, RecursionError):  # half a surrogate pair
        return False
    if b'"id":' in text or b'"meta":' in text or b'"text":' in text or _LONG_ADDRESS.search(text):
        return False
    count = text.count
    displays = count(b'"performer":[{"actor":{"display":') + count(b'"performer":[{"display":')
    if count(b'"display":') != displays or count(b'"fullUrl":"resource:') != len(bundle["entry"]):
        return False
    return count(b'"reference":') == count(b'"reference":"resource:')


def _of_resource(resource: Mapping[str, Any], where: str, found: dict[str, str]) -> None:
    # "Health Cards are Compact": without Resource.id, and without DomainResource.text.
    if "id" in resource:
        found.setdefault("an id, which a card in a QR code does without", where)
    if "text" in resource:
        found.setdefault("a text, which a card in a QR code does without", where)
    if "meta" in resource:
        meta = resource["meta"]
        if not isinstance(meta, dict):
            raise invalid(f"{where}.meta: not an object")
        # "Health Cards are Compact": without Resource.meta, or only with .meta.security.
        if meta.keys() != {_SECURITY}:
            found.setdefault("more in meta than security", where)
        if not _are_codings(meta.get(_SECURITY, [])):
            raise invalid(f"{where}.meta.security: not codings")


def _are_codings(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, dict) and one.keys() <= _CODING for one in given)


def _of_elements(resource: Mapping[str, Any]) -> Iterator[str]:
    """The rules that something within a resource breaks."""
    left: list[Any] = [resource]
    while left:
        value = left.pop()
        if type(value) is dict:
            if "coding" in value:
                yield from _of_concept(value)
            # "Health Cards are Compact": Reference.reference with short resource-scheme URIs.
            if "reference" in value and not _is_short(value["reference"]):
                yield "a reference that is not resource: and a number"
            value = value.values()
        left += [one for one in value if type(one) in _CONTAINERS]


def _of_concept(concept: Mapping[str, Any]) -> Iterator[str]:
    # "Health Cards are Compact": without CodeableConcept.text, and without Coding.display.
    if "text" in concept:
        yield "a text beside codes, which a card in a QR code does without"
    codings = concept["coding"]
    if isinstance(codings, list) and any("display" in one for one in codings if isinstance(one, dict)):
        yield "a display of a code, which a card in a QR code does without"


def _is_short(address: Any) -> bool:
    return isinstance(address, str) and _SHORT.fullmatch(address) is not None


def invalid(detail: str) -> VerificationError:
    """The refusal of content that is not as its specification has it."""
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
