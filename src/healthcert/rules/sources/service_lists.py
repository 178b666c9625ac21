"""The lists of the business-rule service: entries with hashes, and the signatures that come in a header.

Source: dgca-businessrule-service, BusinessRulesUtils, JksSigningService, BusinessRuleListItemDto, ValueSetListItemDto.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from healthcert.encoding.oids import verify_oid
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.reading import exact_base64, is_country
from healthcert.rules.sources.protocol import refused
from healthcert.rules.sources.reading import is_name, json_of, label, too_many

_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_HASH = re.compile(r"[0-9a-fA-F]{1,64}", re.ASCII)
_DIGITS = 64


class Item(Struct, frozen=True):
    """An entry of a list: the rule of this identifier and version, or the value set of this name, by its hash.

    ``listed`` is the hash as it is listed, which is how the server knows it; ``digest`` is it with all its zeros.
    """

    name: str
    listed: str
    version: str = ""
    country: str = ""
    number: int = 0

    @property
    def digest(self) -> str:
        # BRS, BusinessRulesUtils: it is written as a number, and of several zeros at its beginning none is left.
        return self.listed.lower().zfill(_DIGITS)

    @property
    def path(self) -> str:
        """The name of the part."""
        return f"{self._folder}/{self.digest}"

    @property
    def address(self) -> str:
        """Where the server has it, below its own address."""
        return f"{self._folder}/{self.listed}"

    @property
    def where(self) -> str:
        return f"{self.country}, {label(self.name, self.number)}" if self.country else f"valuesets/{self.name}"

    @property
    def _folder(self) -> str:
        return f"rules/{self.country}" if self.country else "valuesets"


def read_rule_items(data: bytes, limits: Limits) -> Iterator[Item]:
    """The rules of a list. Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE``, ``INPUT_TOO_LONG``."""
    found = json_of(data, list)
    too_many(len(found), limits)
    for number, entry in enumerate(found, 1):
        match entry:
            case {"identifier": str(name), "version": str(version), "country": str(country), "hash": str(listed)}:
                if not is_country(country) or not _HASH.fullmatch(listed):
                    raise refused(f"rule {number} of the list has no country, or no hash")
                yield Item(name, listed, version, country, number)
            case _:
                raise refused(f"rule {number} of the list lacks identifier, version, country or hash")


def read_set_items(data: bytes, limits: Limits) -> Iterator[Item]:
    """The value sets of a list. Raises like :func:`read_rule_items`."""
    found = json_of(data, list)
    too_many(len(found), limits)
    for number, entry in enumerate(found, 1):
        match entry:
            case {"id": str(name), "hash": str(listed)} if is_name(name) and _HASH.fullmatch(listed):
                yield Item(name, listed)
            case _:
                raise refused(f"value set {number} of the list lacks id or hash")


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def header_signer(data: bytes, signature: Any, anchors: Iterable[TrustAnchor]) -> TrustAnchor | None:
    """Which of the anchors signed ``data`` with what came in ``X-SIGNATURE``; None for none of them."""
    found = exact_base64(signature) if isinstance(signature, str) else None
    if not found:
        return None
    digest = digest_of(data)
    # BRS, JksSigningService: ECDSA with SHA-256, not over the document but over the text of its hash. Of a hash with
    # several zeros at its beginning that text lacks them.
    texts = {text.encode() for text in (digest, digest.lstrip("0"))}
    for anchor in anchors:
        key = anchor.public_key()
        if any(verify_oid(key, _ECDSA_SHA256, b"", found, text) for text in texts):
            return anchor
    return None
