"""greenpass: text to signature. Its settings and blocklists, which it fetches, are left out; it knows no schema."""

from __future__ import annotations

import sys
from pathlib import Path

from greenpass.api import ForcedCertificateUpdater
from greenpass.logic import GreenPassParser

from bench.foreign.serve import serve, texts

UPDATER = ForcedCertificateUpdater(str(Path(sys.argv[-1]) / "dsc.der"))
UPDATER.verbose = False


def verify(text: bytes) -> bool:
    """What its command does with a key that is given to it."""
    certificate = GreenPassParser(text).get_certificate()
    certificate.set_key(UPDATER.get_key_coseobj(certificate.get_kid(), alg=certificate.get_sign_alg()))
    return bool(certificate.verify())


serve([text.encode() for text in texts()], verify)
