"""What is recognised and not verified, so that the person at the door learns what it is and what to ask for instead."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NoReturn

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate


class Recognised:
    """A family whose texts are told by their form, and of which nothing can be verified here.

    ``advice`` says what such a text is, why it cannot be verified, and what to ask the holder for. ``code`` is
    ``NOT_SIGNED`` where there is nothing to be verified at all.
    """

    kinds: tuple[str, ...] = ()
    """None: no policy can accept it."""

    def __init__(self, name: str, advice: str, code: Code = Code.FAMILY_NOT_SUPPORTED) -> None:
        self.name = name
        self._advice = advice
        self._code = code

    def decode(self, text: str, limits: Limits) -> Decoded:
        self._refuse()

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        self._refuse()

    def check_signer(self, decoded: Decoded) -> str | None:
        return self._advice

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        return frozenset()

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise DecodeError(self._code, self._advice, Step.DECODE)


class Prefixed(Recognised):
    """One that is told by how its texts begin."""

    def __init__(
        self, name: str, prefixes: tuple[str, ...], advice: str, code: Code = Code.FAMILY_NOT_SUPPORTED
    ) -> None:
        super().__init__(name, advice, code)
        self._prefixes = prefixes

    def recognises(self, text: str) -> bool:
        return text.startswith(self._prefixes)
