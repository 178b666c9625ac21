"""From the family-neutral model to a signed pass: the way back of ``family.py``."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from uuid import UUID

from healthcert.encoding import base32, cbor, cose, cwt
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.families.nzcp.content import CONTEXT, CREDENTIAL, MAX_NAME, PASS, VC, VERSION
from healthcert.families.nzcp.family import PREFIX
from healthcert.families.protocol import Wire
from healthcert.model import Holder, Private

_CONTEXTS = [CONTEXT, "https://nzcp.covid19.health.nz/contexts/v1"]
_NO_PLACE = (
    "family_name_icao", "given_name_icao", "full_name", "sex", "nationality", "document_number", "guardian", "other",
)  # fmt: skip
_DID = re.compile(r"did:web:[A-Za-z0-9._-]+(?:%3A[0-9]+)?(?::[A-Za-z0-9._-]+)*")
_FRAGMENT = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Joiners are letters' own affair; what else is not seen in a name does not belong in one.
_JOINERS = {0x200C: None, 0x200D: None}


class Unsigned(Private, frozen=True):
    """A pass that only lacks its signature over ``to_be_signed``."""

    protected: bytes
    payload: bytes

    @property
    def to_be_signed(self) -> bytes:
        return cose.sig_structure(self.protected, self.payload)

    def assemble(self, signature: bytes) -> Wire:
        """The pass with this signature, raw ``r || s``."""
        message = cose.assemble_sign1(self.protected, self.payload, signature)
        text = PREFIX + base32.encode(message)
        return Wire(text=text, binary=message, segments=(text,))


def unsigned(
    *,
    holder: Holder,
    issuer: str,
    kid: str,
    issued_at: datetime,
    expires_at: datetime,
    algorithm: Algorithm,
    cti: UUID,
) -> Unsigned:
    """The pass of ``holder``, valid from ``issued_at`` (nbf) and until ``expires_at``, in whole seconds.

    ``issuer`` is the DID whose document lists the key, ``kid`` the fragment that names it there, ``cti`` what names
    this pass. Raises :class:`IssueError` (``FIELD_INVALID``), naming the field, its rule and an example, never its
    value.
    """
    # NZ COVID Pass, "Cryptographic Digital Signature Algorithm Selection".
    if algorithm is not Algorithm.ES256:
        raise _invalid("algorithm", "a pass is signed with ES256, by a key on P-256", "ES256")
    for name in _NO_PLACE:
        # Nothing that was to be certified may be left out in silence.
        if getattr(holder, name):
            raise _invalid(name, "an NZ COVID Pass has no place for it, so it must be left out", "None")
    subject = {"givenName": _name("given_name", holder.given_name)}
    if holder.family_name is not None:
        subject["familyName"] = _name("family_name", holder.family_name)
    subject["dob"] = _birth_date(holder.birth_date)
    start, end = _seconds("issued_at", issued_at), _seconds("expires_at", expires_at)
    if start >= end:
        raise _invalid("expires_at", "a moment after issued_at", "2022-06-01T00:00:00+12:00")
    if not isinstance(cti, UUID):
        raise _invalid("cti", "a uuid.UUID", "UUID('60a4f54d-4e30-4332-be33-ad78b1eafa4b')")
    # NZ COVID Pass, "CWT Headers": kid and alg, protected. The kid is in bytes as in every pass there is.
    fragment = _matching("kid", kid, _FRAGMENT, "the fragment that names the key, without #", "key-1")
    claims = {
        cwt.ISS: _matching("issuer", issuer, _DID, "a DID of the web", "did:web:passes.example.nz"),
        cwt.NBF: start,
        cwt.EXP: end,
        VC: {"@context": _CONTEXTS, "version": VERSION, "type": [CREDENTIAL, PASS], "credentialSubject": subject},
        cwt.CTI: cti.bytes,
    }
    protected = {cose.KID: fragment.encode("ascii"), cose.ALG: algorithm.value}
    return Unsigned(cbor.encode(protected), cbor.encode(claims))


def _name(field: str, value: object) -> str:
    # NZ COVID Pass, "PublicCovidPass": given names are required, each is of at most 100 characters.
    text = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if not text.strip() or len(text) > MAX_NAME or not text.translate(_JOINERS).isprintable():
        raise _invalid(field, f"text of 1 to {MAX_NAME} printable characters", "Aroha")
    return text


def _birth_date(value: object) -> str:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise _invalid("birth_date", "a whole day as YYYY-MM-DD", "1979-04-14")


def _seconds(field: str, value: object) -> int:
    # NZ COVID Pass, "CWT Claims": integers in the NumericDate format.
    if isinstance(value, datetime) and value.utcoffset() is not None and (seconds := int(value.timestamp())) >= 0:
        return seconds
    raise _invalid(field, "a moment from 1970 on, with its time zone", "2021-11-02T20:05:30+00:00")


def _matching(field: str, value: object, pattern: re.Pattern[str], rule: str, example: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid(field, rule, example)
    return value


def _invalid(field: str, rule: str, example: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"{field}: {rule}; for example {example}", Step.CONTENT)
