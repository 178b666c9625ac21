"""Netherlands: the denylist in the configuration of CoronaCheck's apps, JSON with a CMS signature.

Form (:mod:`healthcert.lists.signed_beside`): ``proofIdentifierDenylist``, an object of ``true`` by the proof identifier
in base64, among the European rules (``europeanVerificationRules``) or, in older configurations, by itself. That among
the domestic rules is about certificates of another scheme, and is left alone.

Nothing that is signed says when it was. A configuration that another one has replaced here is refused when it comes
again; one that was never seen here cannot be told from a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.fetch import Fetcher
from healthcert.lists.reading import exact_base64, read_json
from healthcert.lists.signed_beside import signed_beside
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files, only
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.conditional import get_changed
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused, settings_of

_RULES, _LIST = "europeanVerificationRules", "proofIdentifierDenylist"
_PLACE = Place(IdentifierType.NL_PROOF)
_SETTINGS = "settings"


class Dutch:
    """See the module. It speaks for what the Netherlands issued, or for the countries of the option ``countries``."""

    name = "nl"
    title = "Netherlands (CoronaCheck): a denylist in the signed configuration of its apps"
    anchored = True
    incremental = False
    options = ("countries",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        return _read(only(files), into, context)

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        etag = known.validators.get(url) if known.state.get(_SETTINGS) == settings_of(context, "countries") else None
        response = get_changed(fetcher, url, etag, context)
        if response is None:
            return None
        found = response.headers.get("etag")
        return _read(response.body, into, context, {url: found} if found else {})


def _read(data: bytes, into: Gathering, context: Context, validators: Mapping[str, str] | None = None) -> Listed:
    content, signer = signed_beside(data, context.pinned(), context.now)
    into.add("list", _PLACE, _keys(read_json(content, dict)), Origin())
    return Listed(
        types=(IdentifierType.NL_PROOF,),
        countries=covered(context, "NL"),
        signer=signer,
        signed=hashlib.sha256(content).digest(),
        validators=validators or {},
        state={_SETTINGS: settings_of(context, "countries")},
    )


def _keys(config: Mapping[str, Any]) -> Iterator[bytes]:
    rules = config.get(_RULES)
    found = [place[_LIST] for place in (config, rules) if isinstance(place, dict) and _LIST in place]
    if not found or not all(isinstance(one, dict) for one in found):
        raise refused(f"it has no object {_LIST}")
    for text, denied in (item for one in found for item in one.items()):
        key = exact_base64(text)
        if key is None or len(key) != IdentifierType.NL_PROOF.width or not isinstance(denied, bool):
            raise refused("an entry that is not true or false by 16 bytes in base64")
        if denied:
            yield key
