"""What the tests of the EU gateway's lists load, and how they ask for a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.trust.sources.dgcg import Gateway
from healthcert.trust.sources.protocol import Context, TrustList
from tests.gateway_world import (
    Item,
    Pair,
    context,
    lists,
    parts,
)

FR, DE = "FR", "DE"


def load(given: Context | None = None, **changes: list[Any]) -> TrustList:
    return Gateway().load(parts(**changes), given or context())


def load_with(kind: str, entries: list[Any]) -> TrustList:
    """The gateway's lists with one of them exchanged."""
    return Gateway().load(parts(**{kind: entries}), context())


def dsc_item(**changes: Any) -> Item:
    return {**lists()["DSC"][0], **changes}


def skipped_for(found: TrustList, where: str) -> HealthCertError:
    """Why the only entry that was skipped was."""
    assert [entry.source for entry in found.skipped] == [where]
    return found.skipped[0].error


def refused_dsc(entry: Any, detail: str, code: Code = Code.KEY_NOT_CHAINED, **changes: list[Any]) -> None:
    """Checks that this item makes no key, why, and that the other one stays what it is."""
    good = lists()["DSC"][1]
    found = Gateway().load(parts(DSC=[entry, good], **changes), context())
    assert [key.country for key in found.keys] == [DE]
    error = skipped_for(found, "DSC entry 1 (FR)")
    assert error.code is code
    assert detail in error.detail


def refused(parts_: Mapping[str, bytes], code: Code, given: Context | None = None) -> TrustError:
    with pytest.raises(TrustError) as caught:
        Gateway().load(parts_, given or context())
    assert caught.value.code is code
    return caught.value


def signed_message(signer: Pair, content: bytes) -> bytes:
    """A message that ``signer.key`` signs under ``signer.der``, which need not be its certificate."""
    from healthcert.encoding import cms_write
    from healthcert.encoding.algorithms import Algorithm

    key = signer.key
    return cms_write.write(
        content, signer.der, lambda data: Algorithm.ES256.sign(key, data), Algorithm.ES256, attached=False
    )


ISSUER = {"country": FR, "name": "France", "url": "https://issuer.example/keys", "type": "HTTP"}
