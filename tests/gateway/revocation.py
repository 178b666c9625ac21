"""The EU gateway's revocation list: what it takes from member states, pages and hands out, and how it can cheat."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from healthcert.encoding import cms
from healthcert.errors import HealthCertError
from healthcert.lists.x509 import Certificate, parse_certificate
from tests.gateway.messages import Reply, Request, json_reply

READER, UPLOADER, DELETER = "RevocationListReader", "RevocationUploader", "RevocationDeleter"
ROLES = (READER, UPLOADER, DELETER)


@dataclass
class Stored:
    """A batch on the gateway; a deleted one has no message any more."""

    id: str
    country: str
    message: bytes
    changed: datetime
    deleted: bool = False

    def item(self) -> dict[str, Any]:
        moment = self.changed.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"batchId": self.id, "country": self.country, "date": moment, "deleted": self.deleted}


@dataclass
class RevocationList:
    """The batches, the oldest change first. ``page`` is how many of them are listed at once.

    A gateway that is ``looping`` lists its first page again and again.
    """

    page: int = 1000
    rows: list[Stored] = field(default_factory=list)
    looping: bool = False

    def add(self, country: str, message: bytes, now: datetime) -> Stored:
        """Enters a batch, whatever it is."""
        row = Stored(str(UUID(int=len(self.rows) + 1)), country, message, now)
        self.rows.append(row)
        return row

    def delete(self, row: Stored, now: datetime) -> None:
        row.deleted, row.message, row.changed = True, b"", now

    def forget(self) -> None:
        """What the gateway does with deleted batches after two weeks."""
        self.rows = [row for row in self.rows if not row.deleted]

    def answer(
        self,
        request: Request,
        country: str,
        roles: Collection[str],
        uploaders: Iterable[Certificate],
        now: datetime,
    ) -> Reply:
        """To a member state of this country, which has these upload certificates and may do so much."""
        steps = request.path.strip("/").split("/")[1:]
        if request.method == "GET" and len(steps) <= 1:
            if READER not in roles:
                return problem(403, "role missing")
            return self._hand_out(steps[0]) if steps else self._list(request, now)
        if request.method != "POST" or steps not in ([], ["delete"]):
            return problem(404, "no such call")
        if (DELETER if steps else UPLOADER) not in roles:
            return problem(403, "role missing")
        content = _signed(request, uploaders)
        if isinstance(content, Reply):
            return content
        return self._remove(content, country, now) if steps else self._enter(content, request.body, country, now)

    def _list(self, request: Request, now: datetime) -> Reply:
        try:
            since = datetime.fromisoformat(request.headers.get("if-modified-since", ""))
        except ValueError:
            return problem(400, "no moment since when")
        if since.tzinfo is None or since > now:
            return problem(400, "a moment without a zone, or one that is to come")
        # Strictly later, and batches of one moment in whatever order.
        found = sorted((row for row in self.rows if row.changed > since), key=lambda row: row.changed)
        if self.looping:
            found = self.rows
        if not found:
            return Reply(204)
        more = self.looping or len(found) > self.page
        return json_reply({"more": more, "batches": [row.item() for row in found[: self.page]]})

    def _hand_out(self, batch: str) -> Reply:
        row = next((row for row in self.rows if row.id == batch), None)
        if row is None:
            return problem(404, "unknown batch")
        if row.deleted:
            return problem(410, "the batch was deleted")
        return Reply(200, row.message, {"ETag": row.id, "Content-Type": "application/cms-text"})

    def _enter(self, content: dict[str, Any], body: bytes, country: str, now: datetime) -> Reply:
        if content.get("country") != country:
            return problem(403, "of another country")
        try:
            expires = datetime.fromisoformat(content["expires"])
            if not 1 <= len(content["entries"]) <= 1000 or expires <= now:
                return problem(400, "too many entries, none, or one that has expired")
        except (KeyError, TypeError, ValueError):
            return problem(400, "not a batch")
        row = self.add(country, body, now)
        return Reply(201, b"", {"ETag": row.id})

    def _remove(self, content: dict[str, Any], country: str, now: datetime) -> Reply:
        row = next((row for row in self.rows if row.id == content.get("batchId")), None)
        if row is None:
            return problem(404, "unknown batch")
        if row.deleted:
            return problem(410, "the batch was deleted")
        if row.country != country:
            return problem(403, "of another country")
        self.delete(row, now)
        return Reply(204)


def problem(status: int, text: str) -> Reply:
    return json_reply({"code": f"0x{status}", "problem": text, "sendValue": "", "details": ""}, status)


def _signed(request: Request, uploaders: Iterable[Certificate]) -> dict[str, Any] | Reply:
    """The JSON in a message that one of the uploaders signed."""
    if request.headers.get("content-type") not in ("application/cms", "application/cms-text"):
        return problem(415, "not a CMS message")
    try:
        message = cms.read(base64.b64decode(request.body, validate=True))
        if message.content is None or len(message.certificates) != 1 or len(message.signers) != 1:
            return problem(400, "a message with its content, one certificate and one signature is expected")
        signer = parse_certificate(message.certificates[0])
        content = json.loads(message.content)
    except (HealthCertError, binascii.Error, ValueError):
        return problem(400, "the message cannot be read")
    if not any(uploader.der == signer.der for uploader in uploaders):
        return problem(403, "not signed by an uploader of the country")
    if not message.signers[0].verify(signer.public_key(), message.content, message.content_type):
        return problem(400, "the signature does not verify")
    return content if isinstance(content, dict) else problem(400, "not an object")
