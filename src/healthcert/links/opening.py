"""A health link opened: its files fetched and decrypted. Only ever because somebody asked for it.

Where a link leads was chosen by whoever made it, and its server learns that it is opened, when, from where, and by whom
as ``recipient`` tells it. So nothing here is part of verifying a certificate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, DecodeError, FetchError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links.fetching import PasscodeError
from healthcert.links.jwe import LinkFile, decrypt_file
from healthcert.links.link import HealthLink
from healthcert.links.manifest import ManifestFile, read_manifest

RECIPIENT_CHARS = 200
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NO_LONGER = (404, 410)


def open_link(
    link: HealthLink,
    fetcher: Fetcher,
    *,
    recipient: str,
    passcode: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    clock: Clock | None = None,
) -> Iterator[LinkFile]:
    """The files behind ``link``, each as it is asked for. The first is the reason for the first request.

    ``recipient`` names who opens it, for its owner to read. ``passcode`` is what its owner told besides; it is sent
    only where the link asks for one. ``fetcher`` is best a :class:`LinkFetcher`, which keeps out of private networks.
    At most ``Limits.cards_per_document`` files come, each of at most ``Limits.file_bytes``.

    Raises at once, before anybody is asked: ValueError for a recipient that is empty or too long; :class:`FetchError`,
    ``LINK_EXPIRED`` for one that has ended by its own word, ``PASSCODE_REFUSED`` where a passcode is needed and none is
    given. Raises with the first file or a later one: :class:`FetchError`, ``LINK_EXPIRED`` when the server says that
    the link is no longer active, ``PASSCODE_REFUSED`` (:class:`PasscodeError`) for another passcode, and those of the
    fetcher; :class:`DecodeError` for a manifest or file that cannot be read.
    """
    if not 0 < len(recipient.strip()) <= RECIPIENT_CHARS:
        raise ValueError(f"the recipient is a name of up to {RECIPIENT_CHARS} characters")
    # SMART Health Links, payload: exp is when the link is stale.
    if link.exp is not None and (clock or SystemClock()).now().timestamp() > link.exp:
        raise FetchError(Code.LINK_EXPIRED, "the link has ended by its own word")
    if link.needs_passcode and not passcode:
        raise PasscodeError("the link needs a passcode")
    sent = passcode if link.needs_passcode else None
    return _direct(link, fetcher, recipient, limits) if link.direct else _listed(link, fetcher, recipient, sent, limits)


def _direct(link: HealthLink, fetcher: Fetcher, recipient: str, limits: Limits) -> Iterator[LinkFile]:
    # SMART Health Links, "Direct File Request": GET, with the recipient in the query.
    joint = "&" if "?" in link.url else "?"
    try:
        answer = fetcher.get(f"{link.url}{joint}recipient={_encoded(recipient)}", limit=limits.file_bytes)
    except FetchError as error:
        raise _of_link(error) from None
    yield decrypt_file(_token(answer.body), link.key, limits)


def _listed(
    link: HealthLink, fetcher: Fetcher, recipient: str, passcode: str | None, limits: Limits
) -> Iterator[LinkFile]:
    # SMART Health Links, "Manifest Request": POST, with a JSON object.
    request = {
        "recipient": recipient,
        "embeddedLengthMax": limits.file_bytes // limits.cards_per_document,
    } | ({} if passcode is None else {"passcode": passcode})
    body = json.dumps(request).encode()
    try:
        answer = fetcher.post(link.url, body, content_type="application/json", limit=limits.file_bytes)
    except FetchError as error:
        raise _of_link(error) from None
    for entry in read_manifest(answer.body, limits):
        file = decrypt_file(_jwe(entry, fetcher, limits), link.key, limits)
        # The type under encryption is its maker's word; that in the manifest may be anybody's.
        yield replace(file, content_type=file.content_type or entry.content_type, status=entry.status)


def _jwe(entry: ManifestFile, fetcher: Fetcher, limits: Limits) -> str:
    if entry.embedded is not None:
        return entry.embedded
    assert entry.location is not None  # or there would be no such entry
    try:
        return _token(fetcher.get(entry.location, limit=limits.file_bytes).body)
    except PasscodeError as error:
        # SMART Health Links, files.location: had without another word than the address.
        raise FetchError(Code.FETCH_FAILED, "a file's server answered with status 401", status=error.status) from None


def _of_link(error: FetchError) -> FetchError:
    """What a failure to reach a link's own server means for the link."""
    # SMART Health Links, "Manifest Request": 404 for a link that is no longer active, 401 for another passcode.
    if error.status in _NO_LONGER:
        return FetchError(Code.LINK_EXPIRED, "its server says that the link is no longer active", status=error.status)
    if error.status == 401 and not isinstance(error, PasscodeError):
        return PasscodeError("its server does not take this passcode, or wants one")
    return error


def _token(body: bytes) -> str:
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError(Code.JWE_DESERIALIZATION_FAILED, "JWE: not ASCII", Step.DECODE) from None


def _encoded(text: str) -> str:
    """Text as a value of a query (RFC 3986 §2.1)."""
    octets = text.encode("utf-8", "replace")
    return "".join(chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in octets)
