"""What a published case consists of, and the short way to write one down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.vectors.pictures import Picture
from tools.vectors.press import CLOCK, Press

_STEPS = {
    "recognise": "INVALID_SCHEME_PREFIX UNSUPPORTED_VERSION INPUT_TOO_LONG FAMILY_NOT_ACCEPTED",
    "decode": "BASE_45_DECODING_FAILED DECOMPRESSION_FAILED COSE_DESERIALIZATION_FAILED CBOR_DESERIALIZATION_FAILED "
    "NUMERIC_DECODING_FAILED BASE_32_DECODING_FAILED FAMILY_NOT_SUPPORTED NOT_SIGNED PARTS_MISSING "
    "PARTS_INCONSISTENT JWS_DESERIALIZATION_FAILED JSON_DESERIALIZATION_FAILED ARCHIVE_UNREADABLE "
    "CANONICALIZATION_FAILED TWODDOC_DESERIALIZATION_FAILED CARD_TOO_LONG "
    "CRITICAL_HEADER_UNKNOWN URL_ESCAPED_TEXT ISSUER_NOT_A_COUNTRY UNDEFINED_VALUE",
    "trust": "KEY_NOT_IN_TRUST_LIST TRUST_STORE_EMPTY KEY_ASSURANCE_TOO_LOW TRUST_LIST_EXPIRED TRUST_LIST_STALE "
    "PUBLIC_KEY_TOO_WEAK ISSUER_COUNTRY_MISMATCH ISSUER_INVALID KEY_NOT_CHAINED CERTIFICATE_UNREADABLE",
    "signature": "ALGORITHM_NOT_ACCEPTED UNSUITABLE_PUBLIC_KEY_TYPE SIGNATURE_INVALID ALGORITHM_UNPROTECTED",
    "time": "CWT_NOT_YET_VALID CWT_EXPIRED CWT_TIME_INVALID ISSUED_BEFORE_KEY PUBLIC_KEY_NOT_YET_VALID "
    "PUBLIC_KEY_EXPIRED TIME_ABSENT FLOAT_TIME TAGGED_TIME EXPIRES_AFTER_KEY KEY_DATES_UNKNOWN",
    "usage": "KEY_USAGE_MISMATCH",
    "revocation": "REVOKED REVOCATION_UNKNOWN REVOCATION_POSSIBLE",
    "rules": "RULES_NOT_MET RULES_OPEN RULES_UNKNOWN",
}
_STEP_OF = {code: step for step, codes in _STEPS.items() for code in codes.split()}
_READABLE = 50_000  # characters of a case; of larger ones the layers are left out
_UNDETERMINED = (
    "TRUST_STORE_EMPTY",
    "TRUST_LIST_EXPIRED",
    "TRUST_LIST_STALE",
    "REVOCATION_UNKNOWN",
    "REVOCATION_POSSIBLE",
    "RULES_OPEN",
    "RULES_UNKNOWN",
    "FAMILY_NOT_SUPPORTED",
    "PARTS_MISSING",
)


@dataclass(frozen=True)
class Case:
    """One vector: what is scanned, under which circumstances, and what a verifier makes of it."""

    id: str
    title: str
    sections: tuple[str, ...]
    expected: dict[str, Any]
    clock: str = CLOCK
    policy: str | dict[str, Any] = "default"
    trust: tuple[str, ...] = ("dsc",)
    revocation: list[dict[str, Any]] | None = None
    rules: list[dict[str, Any]] | None = None
    text: str | None = None
    data: bytes | None = None
    picture: bytes | None = None
    layers: dict[str, str] = field(default_factory=dict)
    advisory: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The content of ``case.json``."""
        values: dict[str, Any] = {"id": self.id, "title": self.title, "sections": list(self.sections)}
        if self.advisory:
            values["advisory"] = self.advisory
        values |= {"clock": self.clock, "policy": self.policy, "trust": list(self.trust)}
        if self.revocation is not None:
            values["revocation"] = self.revocation
        if self.rules is not None:
            values["rules"] = self.rules
        if self.picture is not None:
            values["picture"] = "code.png"
        if self.text is not None:
            values["text"] = self.text
        if self.data is not None:
            values["bytes"] = self.data.hex()
        return values | ({"layers": self.layers} if self.layers else {}) | {"expected": self.expected}


def case(
    case_id: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    step: str | None = None,
    clock: str = CLOCK,
    policy: str | dict[str, Any] = "default",
    trust: tuple[str, ...] | None = None,
    revocation: list[dict[str, Any]] | None = None,
    rules: list[dict[str, Any]] | None = None,
    states: dict[str, str] | None = None,
    scanned: Callable[[str], str] | None = None,
    picture: Picture | None = None,
    advisory: str = "",
    **press: Any,
) -> Case:
    """A case. ``sections`` are separated by semicolons; further names are fields of :class:`Press`.

    The step follows from the code (``content`` for those of the payload). The trust list holds the signer alone unless
    ``trust`` says otherwise; ``scanned`` turns the text into what the scanner delivers. ``states`` is
    what each of the rules says.
    """
    text, layers = Press(**press).layers()
    if scanned is not None:
        text = scanned(text)
    expected = _expected(code, warnings, step)
    if states is not None:
        expected["rules"] = dict(sorted(states.items()))
    if picture is not None:
        expected = {"reads": True} | expected if picture.reads else {"reads": False}
    return Case(
        id=case_id,
        title=title,
        sections=_sections(sections),
        expected=expected,
        clock=clock,
        policy=policy,
        trust=(press.get("signer", "dsc"),) if trust is None else trust,
        revocation=revocation,
        rules=rules,
        text=text,
        picture=picture.draw(text) if picture else None,
        layers=layers if len(text) + sum(map(len, layers.values())) < _READABLE else {},
        advisory=advisory,
    )


def scan(
    case_id: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    of: str | bytes,
    trust: tuple[str, ...],
    step: str | None = None,
    beside: tuple[str, ...] = (),
    layers: dict[str, bytes] | None = None,
    **circumstances: Any,
) -> Case:
    """A case of a text, or of the bytes of a barcode, that another press has made; otherwise like :func:`case`.

    ``beside`` are the codes of the other certificates in the same document, in their order; ``circumstances`` further
    fields of a case. Large layers are left out.
    """
    expected = _expected(code, warnings, step)
    if beside:
        expected["beside"] = list(beside)
    made = {name: content.hex() for name, content in (layers or {}).items()}
    return Case(
        id=case_id,
        title=title,
        sections=_sections(sections),
        expected=expected,
        trust=trust,
        text=of if isinstance(of, str) else None,
        data=of if isinstance(of, bytes) else None,
        layers=made if len(of) + sum(map(len, made.values())) < _READABLE else {},
        **circumstances,
    )


def scanned_quirk(case_id: str, title: str, sections: str, code: str, *further: str, **made: Any) -> list[Case]:
    """Like :func:`quirk`, of what another press has made."""
    return [
        scan(case_id, title, sections, "OK", code, *further, **made),
        scan(f"{case_id}-STRICT", f"{title}, under the strict policy", sections, code, policy="strict", **made),
    ]


def _expected(code: str, warnings: tuple[str, ...], step: str | None) -> dict[str, Any]:
    return {
        "outcome": "accepted" if code == "OK" else "undetermined" if code in _UNDETERMINED else "refused",
        "code": code,
        "step": None if code == "OK" else step or _STEP_OF.get(code, "content"),
        "warnings": sorted(warnings),
    }


def _sections(sections: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in sections.split(";"))


def quirk(case_id: str, title: str, sections: str, code: str, *further: str, **press: Any) -> list[Case]:
    """A departure from the letter: a warning by default, and a refusal under the strict policy (id with ``-STRICT``).

    ``further`` are the codes that it brings with it.
    """
    return [
        case(case_id, title, sections, "OK", code, *further, **press),
        case(f"{case_id}-STRICT", f"{title}, under the strict policy", sections, code, policy="strict", **press),
    ]
