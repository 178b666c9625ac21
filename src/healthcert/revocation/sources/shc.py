"""SMART Health Cards: the revocation lists (CRLs) of one issuer, one for each of its keys; unsigned.

They are at ``<issuer>/.well-known/crl/<kid>.json`` (:mod:`healthcert.revocation.crl`). A key of the issuer's key set
says in ``crlVersion`` which ``ctr`` its list is at; one that has no such member revokes nothing (SMART Health Cards,
"Revocation"). Lists that were in use stay in mind, so that ``ctr`` never falls; nothing else tells an older key set or
list from a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Fetcher, parse_address
from healthcert.lists.reading import read_json
from healthcert.revocation.batch import Place
from healthcert.revocation.crl import METHODS, Crl, is_kid, read_crl, version_of
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import rid_key
from healthcert.revocation.segment import NEVER, Origin
from healthcert.revocation.sources.conditional import get_changed
from healthcert.revocation.sources.protocol import Context, Known, Listed, refused

KEY_SET, CRL = "/.well-known/jwks.json", "/.well-known/crl/{kid}.json"
_ISSUER = "issuer"
_MAX_ISSUER = 1024
_PATIENCE = 3  # lists that cannot be had before no other is asked for

# Gets the list of a kid.
_Get = Callable[[str], bytes]


class Issuer:
    """See the module. The option ``issuer`` is the URL that cards name, without a slash at its end.

    It speaks for the issuer's keys whose lists could be read, and for those that say that they revoke nothing.
    """

    name = "shc"
    title = "SMART Health Cards: the revocation lists of one issuer's keys, unsigned"
    anchored = False
    incremental = True
    options = (_ISSUER,)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        """As the protocol has it. The files are lists, ``<kid>.json``, and, if it is there, ``jwks.json``.

        Without the key set nobody can tell whether a list is the newest, nor which keys revoke nothing.
        """
        found = [name for name in files.names() if name.endswith(".json")]
        names = {name.rpartition("/")[2]: name for name in found}
        if len(names) != len(found) or not found:
            raise refused("no list, or two files of one name")
        key_set = names.pop("jwks.json", None)
        if key_set is None:
            versions: Mapping[str, int | None] = dict.fromkeys(name.removesuffix(".json") for name in names)
        else:
            versions = _key_set(files.read(key_set) or b"", context)

        def get(kid: str) -> bytes:
            data = files.read(names.get(f"{kid}.json", ""))
            if data is None:
                raise refused("the list of a key is missing")
            return data

        issuer = _Lists(into, context, get)
        for kid, version in versions.items():
            if version is None and key_set is not None:
                issuer.has_none(kid)
            else:
                issuer.take(kid, version, again=True)
        return issuer.listed()

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As the protocol has it. ``url`` is the issuer's own, or that of a copy of what it publishes."""
        base = url.rstrip("/")
        address = base + KEY_SET
        etag = known.validators.get(address) if known.state.get(_ISSUER) == context.options.get(_ISSUER) else None
        response = get_changed(fetcher, address, etag, context)
        # The key set says of each list whether it has changed.
        if response is None:
            return None
        failed: list[FetchError] = []

        def get(kid: str) -> bytes:
            # A server that is gone is not waited for a thousand times more.
            if len(failed) == _PATIENCE:
                raise failed[-1]
            try:
                return fetcher.get(base + CRL.format(kid=kid), limit=context.limits.list_bytes).body
            except FetchError as error:
                failed.append(error)
                raise

        issuer = _Lists(into, context, get)
        for kid, version in _key_set(response.body, context).items():
            if version is None:
                issuer.has_none(kid)
            else:
                issuer.take(kid, version)
        found = response.headers.get("etag")
        # After a failure the lists are to be looked at again, even if the key set is the same.
        return issuer.listed({address: found} if found and not into.skipped_count else {})


class _Lists:
    """The lists of one issuer, as they are taken in one after the other."""

    def __init__(self, into: Gathering, context: Context, get: _Get) -> None:
        self._into, self._context, self._get = into, context, get
        self._issuer = _issuer(context)
        self._covered: set[str] = set()
        # A key that is gone for a while must not make its list forgotten.
        for batch in into.held():
            if batch.startswith(self._batch("")):
                into.keep(batch)

    def take(self, kid: str, version: int | None, *, again: bool = False) -> None:
        """Takes in the list of a key, which is at ``version`` where that is known.

        Unless it is to be read ``again``, the one in use is not looked at anew when it is of this version.
        """
        held = self._counter(kid)
        try:
            if again or version is None or version != held:
                self._check_order(version, held)
                crl = read_crl(self._get(kid), kid, version)
                self._check_order(crl.counter, held)
                self._add(crl, held)
        except HealthCertError as error:
            self._into.skip(kid, error)
            return
        self._cover(kid)

    def has_none(self, kid: str) -> None:
        """Takes note of a key that revokes nothing."""
        if (held := self._counter(kid)) is not None:
            self._into.skip(kid, refused(f"no list, where there was one of number {held}", _ROLLED_BACK))
            return
        self._cover(kid)

    def listed(self, validators: Mapping[str, str] | None = None) -> Listed:
        """What the lists say of themselves. Raises the first problem when not one of them could be used."""
        if not self._covered and self._into.skipped:
            raise self._into.skipped[0].error
        return Listed(
            types=tuple(METHODS.values()),
            # The kid is a text, and kept as one.
            keys=frozenset((self._issuer, kid.encode("ascii")) for kid in self._covered),
            validators=validators or {},
            state={_ISSUER: self._issuer},
        )

    def _batch(self, kid: str) -> str:
        return f"{self._issuer} {kid}"

    def _cover(self, kid: str) -> None:
        self._covered.add(kid)
        self._context.progress(len(self._covered), len(self._covered))

    def _counter(self, kid: str) -> int | None:
        mark = self._into.mark(self._batch(kid))
        return int(mark.partition(" ")[0]) if mark else None

    def _check_order(self, counter: int | None, held: int | None) -> None:
        # SMART Health Cards, "Revocation": ctr goes up with each change.
        if counter is not None and held is not None and counter < held:
            raise refused("an older list than the one in use", _ROLLED_BACK)

    def _add(self, crl: Crl, held: int | None) -> None:
        mark = crl.mark
        if self._into.mark(self._batch(crl.kid)) == mark:
            return
        if crl.counter == held:
            raise refused("another list under the number of the one in use", Code.REVOCATION_LIST_EQUIVOCATES)
        place = Place(METHODS[crl.method], crl.kid.encode("ascii"), self._issuer)
        origins: dict[int | None, Origin] = {None: Origin()}
        entries = (
            (place, rid_key(rid), origins.setdefault(before, Origin(before=NEVER if before is None else before)))
            for rid, before in crl.rids.items()
        )
        self._into.add_each(self._batch(crl.kid), entries, mark=mark)


_ROLLED_BACK = Code.REVOCATION_LIST_ROLLED_BACK


def _key_set(data: bytes, context: Context) -> dict[str, int | None]:
    """The kids of a JWK set, or of one JWK alone, and the number of each one's list; None where it has no list."""
    document = read_json(data, dict)
    keys = document.get("keys", [document] if "kty" in document else None)
    # RFC 7517 §5.1: the set is an array under this name.
    if not isinstance(keys, list):
        raise refused("not a JWK set")
    if len(keys) > context.limits.list_pages:
        raise refused(f"more than {context.limits.list_pages} keys", Code.INPUT_TOO_LONG)
    return _once(_key(item) for item in keys)


def _key(item: Any) -> tuple[str, int | None]:
    kid = item.get("kid") if isinstance(item, dict) else None
    if not isinstance(kid, str) or not is_kid(kid):
        raise refused("a key without a kid in base64url")
    return kid, version_of(item["crlVersion"]) if "crlVersion" in item else None


def _once(keys: Iterator[tuple[str, int | None]]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for kid, version in keys:
        if kid in found:
            raise refused("a kid that is there twice")
        found[kid] = version
    return found


def _issuer(context: Context) -> str:
    issuer = context.options.get(_ISSUER)
    if (
        issuer is None
        or len(issuer) > _MAX_ISSUER
        or issuer.endswith("/")
        or "?" in issuer
        or parse_address(issuer) is None
    ):
        detail = "issuer: the https URL that cards name, without a slash at its end"
        raise refused(detail, Code.REVOCATION_CONFIG_INVALID)
    return issuer
