"""The settings of Italy's app VerificaC19: a list of names, types and values.

Source: ministero-salute/it-dgc-verificac19-sdk-android. A setting is of a product, or ``GENERIC``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from healthcert.errors import TrustError
from healthcert.lists.reading import read_json
from healthcert.rules.national.settings import LONGEST, Span, first_known, unreadable

GENERIC = "GENERIC"
_NUMBER = re.compile(r"[0-9]{1,5}")


class ItalianSettings(Struct, frozen=True):
    """The settings by name and type; None for one that is there twice with different values."""

    values: Mapping[tuple[str, str], str | None]

    def days(self, names: tuple[str, ...], *, product: str = GENERIC, country: str = "IT") -> Span:
        """The first of these settings that there is.

        One whose name has a ``{C}`` is generic, and there once for vaccinations in Italy (``IT``) and once for others
        (``NOT_IT``). Raises :class:`RuleError` (``RULES_OPEN``).
        """
        types = {name.format(C=country): GENERIC if "{C}" in name else product for name in names}
        return first_known(types, lambda name: self._number(name, types[name]), "days")

    def hours(self, name: str) -> Span:
        """A generic setting. Raises :class:`RuleError` (``RULES_OPEN``)."""
        return first_known((name,), lambda name: self._number(name, GENERIC), "hours")

    def items(self, name: str, type_: str = GENERIC) -> frozenset[str] | None:
        """What a list names; None where there is no such list."""
        text = self.values.get((name, type_))
        return None if text is None else frozenset(filter(None, (item.strip() for item in text.split(";"))))

    @property
    def authorised(self) -> frozenset[str] | None:
        """The products that are authorised; None in the older generation of settings."""
        return self.items("EMA_vaccines")

    @property
    def products(self) -> frozenset[str]:
        """The products that have settings of their own."""
        return frozenset(type_ for name, type_ in self.values if name == "vaccine_end_day_complete")

    def _number(self, name: str, type_: str) -> int | None:
        text = (self.values.get((name, type_)) or "").strip()
        return int(text) if _NUMBER.fullmatch(text) and int(text) <= LONGEST else None


def read_settings(document: bytes) -> ItalianSettings:
    """The settings as they are published. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
    try:
        given = read_json(document, list)
    except TrustError as error:
        raise unreadable(f"the settings: {error.detail}") from None
    values: dict[tuple[str, str], str | None] = {}
    for one in given:
        match one:
            case {"name": str(name), "type": str(type_), "value": str(value)}:
                key = (name, type_)
                values[key] = value if values.get(key, value) == value else None
            case _:
                raise unreadable("a setting is a name, a type and a value, and each is a text")
    return ItalianSettings(values)
