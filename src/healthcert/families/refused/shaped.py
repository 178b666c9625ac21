"""Those that are told by their structure and not by a prefix: JSON documents, links, and binary barcodes."""

from __future__ import annotations

import re

from healthcert.families.refused.recognised import Prefixed, Recognised
from healthcert.families.shapes import is_document, shape_of
from healthcert.model import Scan


class OpenAttestation(Prefixed):
    """A wrapped document of OpenAttestation, or the link in a barcode that leads to an encrypted one."""

    def recognises(self, text: str) -> bool:
        if text.startswith(self._prefixes):
            return True
        # Without these letters it is none; that it is one, the structure says.
        if not is_document(text) or ("openattestation" not in text and "SHA3MerkleProof" not in text):
            return False
        shape = shape_of(text)
        return shape is not None and shape.openattestation


class OtherCredential(Recognised):
    """A JSON document with a proof of its own. DIVOC's are told by their contexts, and are looked for before."""

    def recognises(self, text: str) -> bool:
        if not is_document(text) or '"proof"' not in text:
            return False
        shape = shape_of(text)
        return shape is not None and shape.proof


class IsraeliGreenPass(Recognised):
    """A signature of RSA in base64, a ``#`` and JSON that begins with the number of the pass."""

    # Ramzor, Verification/RSA: 256 bytes are 344 characters; then {"id":"01/IL/...
    _FORM = re.compile(r'[A-Za-z0-9+/]{342}==#\{"id":"01/IL/')
    _HASH_AT = 344

    def recognises(self, text: str) -> bool:
        return text[self._HASH_AT : self._HASH_AT + 2] == "#{" and self._FORM.match(text) is not None


class BinaryTwoDDoc(Recognised):
    """2D-Doc of version 4 in bytes: 0xDC and the version, where the form in text begins with ``DC04``."""

    _BEGIN = b"\xdc\x04"

    def recognises(self, text: str) -> bool:
        return isinstance(text, Scan) and text.data.startswith(self._BEGIN)


class HealthLink(Recognised):
    """A SMART or verifiable health link that stands alone, bare or behind the address of a viewer."""

    _SCHEMES = ("shlink:/", "vhlink:/", "SHLINK:/", "VHLINK:/")
    # SMART Health Links, "Construct a SMART Health Link": the address of a viewer and # may come before.
    _VIEWED = re.compile(r"https://[^#\s]{1,2048}#(?:shlink|vhlink):/")

    def recognises(self, text: str) -> bool:
        return text.startswith(self._SCHEMES) or (text.startswith("https://") and self._VIEWED.match(text) is not None)
