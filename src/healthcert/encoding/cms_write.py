"""CMS SignedData (RFC 5652) with one signature, in DER: what gateways take and lists are published under."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from healthcert.encoding import ber
from healthcert.encoding.algorithms import Algorithm, _to_der
from healthcert.encoding.ber import Element
from healthcert.encoding.cms import _CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNED_DATA, DATA
from healthcert.encoding.oids import _RSA_PSS
from healthcert.errors import Code, IssueError, Step

_SIGNING_TIME = "1.2.840.113549.1.9.5"
_MGF1 = "1.2.840.113549.1.1.8"
_CONTEXT_0 = 0xA0  # [0], [1] and [2], as constructed elements
_CONTEXT_1 = 0xA1
_CONTEXT_2 = 0xA2
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
# Each algorithm with its hash: OID and name of the hash, its length, and the OID of ECDSA with it (RFC 5754 §2, §3.3).
_HASHES = {
    "256": ("2.16.840.1.101.3.4.2.1", "sha256", 32, "1.2.840.10045.4.3.2"),
    "384": ("2.16.840.1.101.3.4.2.2", "sha384", 48, "1.2.840.10045.4.3.3"),
    "512": ("2.16.840.1.101.3.4.2.3", "sha512", 64, "1.2.840.10045.4.3.4"),
}


def write(
    content: bytes,
    certificate: bytes,
    sign: Callable[[bytes], bytes],
    algorithm: Algorithm,
    *,
    attached: bool,
    signing_time: datetime | None = None,
) -> bytes:
    """A CMS message over ``content``, which it holds when it is ``attached``, with the certificate of its signer.

    ``sign`` gives the signature of ``algorithm`` over what it is given, as COSE has it (``r || s`` for ECDSA); the
    message has it as X.509 does. ``certificate`` is in DER. Raises :class:`IssueError` (``SIGNING_FAILED``) for an
    algorithm without a form in CMS here, :class:`DecodeError` for a certificate that cannot be read; what ``sign``
    raises passes through.
    """
    kind, size = algorithm.name[:2], algorithm.name[2:]
    if size not in _HASHES:
        raise IssueError(Code.SIGNING_FAILED, "CMS messages are signed with ECDSA or RSASSA-PSS", Step.SIGNATURE)
    digest_oid, digest_name, length, ecdsa = _HASHES[size]
    digest = _tagged(ber.SEQUENCE, object_id(digest_oid))
    # RFC 5652 §5.4: the signature is over the attributes as a SET OF; in the message they stand under [0].
    attributes = _attributes(hashlib.new(digest_name, content).digest(), signing_time)
    signature = sign(_tagged(ber.SET, attributes))
    if kind == "ES":
        # RFC 5753 §2.1.1: ECDSA signatures are an ECDSA-Sig-Value, in DER.
        signature, method = _to_der(signature, len(signature) // 2), _tagged(ber.SEQUENCE, object_id(ecdsa))
    else:
        method = _tagged(ber.SEQUENCE, object_id(_RSA_PSS), _pss_parameters(digest, length))
    signer = _tagged(
        ber.SEQUENCE,
        # RFC 5652 §5.3: version 1 names the signer's certificate by issuer and serial number.
        _integer(1),
        _issuer_and_serial(certificate),
        digest,
        _tagged(_CONTEXT_0, attributes),
        method,
        _tagged(ber.OCTET_STRING, signature),
    )
    inner = _tagged(_CONTEXT_0, _tagged(ber.OCTET_STRING, content)) if attached else b""
    # RFC 5652 §5.1: version 1 for content of the type data, certificates in X.509 and signers of version 1.
    signed = _tagged(
        ber.SEQUENCE,
        _integer(1),
        _tagged(ber.SET, digest),
        _tagged(ber.SEQUENCE, object_id(DATA), inner),
        _tagged(_CONTEXT_0, certificate),
        _tagged(ber.SET, signer),
    )
    return _tagged(ber.SEQUENCE, object_id(_SIGNED_DATA), _tagged(_CONTEXT_0, signed))


def object_id(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER, encoded (X.690 §8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return _tagged(ber.OID, bytes(octets))


def _attributes(digest: bytes, signing_time: datetime | None) -> bytes:
    """The signed attributes, one after the other."""
    # RFC 5652 §11.1, §11.2: both are there, each with one value.
    values = [(_CONTENT_TYPE, object_id(DATA)), (_MESSAGE_DIGEST, _tagged(ber.OCTET_STRING, digest))]
    if signing_time is not None:
        values.append((_SIGNING_TIME, _time(signing_time)))
    encoded = (_tagged(ber.SEQUENCE, object_id(name), _tagged(ber.SET, value)) for name, value in values)
    # X.690 §11.6: the members of a SET OF in DER are in the order of their encodings.
    return b"".join(sorted(encoded))


def _time(moment: datetime) -> bytes:
    # RFC 5652 §11.3: UTCTime through 2049, GeneralizedTime from then on; whole seconds, in UTC.
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return _tagged(_UTC_TIME, f"{utc:%y%m%d%H%M%SZ}".encode())
    return _tagged(_GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%SZ}".encode())


def _pss_parameters(digest: bytes, length: int) -> bytes:
    """RSASSA-PSS-params (RFC 4055 §3.1): the hash, MGF1 with the same one, and a salt as long as it."""
    mask = _tagged(ber.SEQUENCE, object_id(_MGF1), digest)
    return _tagged(
        ber.SEQUENCE,
        _tagged(_CONTEXT_0, digest),
        _tagged(_CONTEXT_1, mask),
        _tagged(_CONTEXT_2, _integer(length)),
    )


def _issuer_and_serial(certificate: bytes) -> bytes:
    """What names a certificate (RFC 5652 §10.2.4): its issuer's name and its serial number, as they stand in it."""
    signed = ber.read(certificate, ber.SEQUENCE).children()[:1]
    parts = signed[0].children() if signed else []
    # RFC 5280 §4.1.2.1: the version stands in front where it is not the first.
    parts = parts[1:] if parts and parts[0].tag == _CONTEXT_0 else parts
    if len(parts) < 3:
        raise ber.unreadable("a certificate without an issuer")
    return _tagged(ber.SEQUENCE, parts[2].raw, parts[0].raw)


def _integer(number: int) -> bytes:
    return _tagged(ber.INTEGER, number.to_bytes(1, "big"))


def _tagged(tag: int, *parts: bytes) -> bytes:
    return Element(tag, b"", b"".join(parts)).definite()
