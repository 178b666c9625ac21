"""The signature of an Apple pass: a detached CMS message (RFC 5652) by RSA, with the certificates of its signer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from healthcert.encoding import ber
from healthcert.encoding.cms import _SIGNED_DATA, DATA
from healthcert.encoding.cms_write import (
    _CONTEXT_0,
    _HASHES,
    _attributes,
    _integer,
    _issuer_and_serial,
    _tagged,
    object_id,
)
from healthcert.encoding.oids import _RSA_ENCRYPTION

_NULL = _tagged(ber.NULL)


def detached_signature(
    content: bytes, certificates: Sequence[bytes], sign: Callable[[bytes], bytes], moment: datetime
) -> bytes:
    """A CMS message over ``content``, which it does not hold, in DER.

    ``sign`` makes RSASSA-PKCS1-v1_5 signatures over SHA-256; ``moment`` is the signing time. Of the ``certificates``,
    in DER, the first is the signer's.
    """
    # RFC 3370 §3.2: signatures by PKCS #1 v1.5 are named rsaEncryption, the hash beside them; its parameters are NULL.
    method = _tagged(ber.SEQUENCE, object_id(_RSA_ENCRYPTION), _NULL)
    digest = _tagged(ber.SEQUENCE, object_id(_HASHES["256"][0]), _NULL)
    # RFC 5652 §5.4: the signature is over the attributes as a SET OF; in the message they stand under [0].
    attributes = _attributes(hashlib.sha256(content).digest(), moment)
    signer = _tagged(
        ber.SEQUENCE,
        # RFC 5652 §5.3: version 1 names the signer's certificate by issuer and serial number.
        _integer(1),
        _issuer_and_serial(certificates[0]),
        digest,
        _tagged(_CONTEXT_0, attributes),
        method,
        _tagged(ber.OCTET_STRING, sign(_tagged(ber.SET, attributes))),
    )
    # RFC 5652 §5.1: version 1 for content of the type data, certificates in X.509 and signers of version 1.
    signed = _tagged(
        ber.SEQUENCE,
        _integer(1),
        _tagged(ber.SET, digest),
        _tagged(ber.SEQUENCE, object_id(DATA)),
        # X.690 §11.6: the members of a SET OF in DER are in the order of their encodings.
        _tagged(_CONTEXT_0, *sorted(certificates)),
        _tagged(ber.SET, signer),
    )
    return _tagged(ber.SEQUENCE, object_id(_SIGNED_DATA), _tagged(_CONTEXT_0, signed))
