"""cwt (python-cwt): COSE to claims. It looks at the signature, the kid and the time; the content is not looked at.

With ``text`` before the folder, what a text needs stands before it, as nobody has certificates in any other form:
PyPI's base45 and zlib.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import base45
import cwt

from bench.foreign.serve import messages, serve, texts

KEY = cwt.load_pem_hcert_dsc((Path(sys.argv[-1]) / "dsc.pem").read_text())


def verify(message: bytes) -> bool:
    """It raises what it finds wrong."""
    return bool(cwt.decode(message, keys=[KEY]))


def verify_text(text: str) -> bool:
    """The text as it is scanned."""
    return verify(zlib.decompress(base45.b45decode(text.removeprefix("HC1:"))))


if "text" in sys.argv:
    serve(texts(), verify_text)
else:
    serve(messages(), verify)
