"""pycose: the signature of a COSE message, in Python; nothing else is looked at."""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate
from pycose.keys.curves import P256
from pycose.keys.ec2 import EC2Key
from pycose.messages.sign1message import Sign1Message

from bench.foreign.serve import messages, serve

_PUBLIC = load_der_x509_certificate((Path(sys.argv[-1]) / "dsc.der").read_bytes()).public_key()
assert isinstance(_PUBLIC, ec.EllipticCurvePublicKey)
_NUMBERS = _PUBLIC.public_numbers()
KEY = EC2Key(crv=P256, x=_NUMBERS.x.to_bytes(32, "big"), y=_NUMBERS.y.to_bytes(32, "big"))


def verify(data: bytes) -> bool:
    """With the key given, as it knows no lists of keys."""
    message = Sign1Message.decode(data)
    message.key = KEY
    return bool(message.verify_signature())


serve(messages(), verify)
