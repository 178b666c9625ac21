"""A health link made: its key, and what its server has to hold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, IssueError, Step
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links import base64url
from healthcert.links.jwe import API_ACCESS, FHIR, HEALTH_CARD, encrypt_file
from healthcert.links.link import KEY_BYTES, HealthLink, read_link
from healthcert.links.manifest import ManifestFile, write_manifest
from healthcert.model import Private

_TELLING = {"verifiableCredential": HEALTH_CARD, "resourceType": FHIR, "access_token": API_ACCESS}


class MadeLink(Private, frozen=True, kw_only=True):
    """A link, and the document that its server answers with: a JWE to a GET, a manifest to a POST.

    ``path`` is the last part of the link's URL, which nobody can guess.
    """

    link: HealthLink
    path: str
    document: bytes
    media_type: str


def make_link(
    files: Sequence[bytes],
    *,
    base: str,
    type: Literal["shl", "vhl"] = "shl",  # noqa: A002 - the name of the member
    direct: bool = False,
    passcode: bool = False,
    long_term: bool = False,
    expires_at: datetime | None = None,
    label: str | None = None,
    viewer: str | None = None,
    compress: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> MadeLink:
    """A link to ``files``, encrypted under a new key, for a server that answers under the https address ``base``.

    ``direct`` is for one file and a server that only hands out files. ``passcode`` says that the server asks for one:
    it is the server that has to, and to count the wrong ones. ``compress`` makes the files smaller; some readers do not
    know how to read that.

    Raises :class:`IssueError` (``FIELD_INVALID``) for what cannot be linked to, or not so.
    """
    if not files or len(files) > (1 if direct else limits.cards_per_document):
        most = "one file" if direct else f"1 to {limits.cards_per_document} files"
        raise _invalid(f"files: {most}")
    if direct and passcode:
        raise _invalid("passcode: a direct link has none, for only a server that reads what it is asked can check one")
    # SMART Health Links, "Establish a SMART Health Link Manifest URL": 256 bits that nobody can guess.
    path, key = base64url.encode(os.urandom(32)), os.urandom(KEY_BYTES)
    link = HealthLink(
        url=f"{base.rstrip('/')}/{path}",
        key=key,
        exp=None if expires_at is None else int(expires_at.timestamp()),
        flag="".join(flag for flag, wanted in (("L", long_term), ("P", passcode), ("U", direct)) if wanted),
        label=label,
        type=type,
        viewer=viewer,
    )
    _check(link, limits)
    types = [_content_type(data, limits) for data in files]
    tokens = [
        encrypt_file(data, key, content_type=content_type, compress=compress)
        for data, content_type in zip(files, types, strict=True)
    ]
    if direct:
        return MadeLink(link=link, path=path, document=tokens[0].encode("ascii"), media_type="application/jose")
    entries = [ManifestFile(content_type=kind, embedded=token) for kind, token in zip(types, tokens, strict=True)]
    return MadeLink(link=link, path=path, document=write_manifest(entries), media_type="application/json")


def _check(link: HealthLink, limits: Limits) -> None:
    """Whether everybody can read the link, by reading it."""
    try:
        read_link(link.to_text(), limits=limits)
    except DecodeError as error:
        raise _invalid(error.detail.removeprefix("the link: ")) from None


def _content_type(data: bytes, limits: Limits) -> str:
    """What kind of file it is, told from the members that its kind must have."""
    if len(data) > limits.file_bytes:
        raise _invalid(f"files: at most {limits.file_bytes} bytes")
    try:
        content = jsontext.read(data, max_depth=limits.json_depth)
    except DecodeError:
        content = None
    kinds = [kind for name, kind in _TELLING.items() if isinstance(content, dict) and name in content]
    if len(kinds) != 1:
        detail = "files: JSON with verifiableCredential (health cards), resourceType (FHIR) or access_token"
        raise _invalid(detail)
    return kinds[0]


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
