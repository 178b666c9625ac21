"""Issue with a signer of your own: one that sends digests to a hardware module, never health data.

The module is played by a class here, which does what modules do: it signs 32 bytes and answers in DER.

    python own_signer.py dsc.key.pem dsc.pem
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

import healthcert as hc


class Module:
    """Stands for a hardware module with an EC key on P-256. It sees digests only."""

    def __init__(self, key_file: Path) -> None:
        key = load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def sign_digest(self, digest: bytes) -> bytes:
        """An ECDSA signature in DER."""
        return self._key.sign(digest, ec.ECDSA(Prehashed(SHA256())))


class ModuleSigner:
    """A :class:`healthcert.Signer` with its key in the module and its DSC at hand."""

    def __init__(self, module: Module, certificate: bytes) -> None:
        self._module = module
        self.certificate = certificate
        self.algorithm = hc.Algorithm.ES256
        # HCERT specification, Appendix A: the kid is the start of the certificate's SHA-256.
        self.kid = hashlib.sha256(certificate).digest()[:8]

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        digest = data if prehashed else hashlib.sha256(data).digest()
        # RFC 9053 §2.1: COSE wants r and s, 32 bytes each, not DER.
        r, s = decode_dss_signature(self._module.sign_digest(digest))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def main(key_file: Path, certificate_file: Path) -> int:
    certificate = load_pem_x509_certificate(certificate_file.read_bytes()).public_bytes(Encoding.DER)
    signer: hc.Signer = ModuleSigner(Module(key_file), certificate)
    issuer = hc.Issuer(signer, country="FR", name="Ministry of Examples")
    test = hc.TestResult(
        disease=hc.Coding("http://snomed.info/sct", "840539006"),
        test_type=hc.Coding("http://loinc.org", "LP6464-4"),
        sampled_at=hc.SystemClock().now().astimezone(UTC) - timedelta(hours=1),
        result=hc.Coding("http://snomed.info/sct", "260415000"),
    )
    issued = issuer.issue(test, holder=hc.Holder(family_name="Exemple", given_name="Zoé", birth_date="1984-02-29"))
    days = (issued.expires - issued.issued_at).days
    print(f"signed by the module: {len(issued.text)} characters, valid for {days} days")

    report = hc.Verifier(hc.TrustStore.from_certificates([certificate])).examine(issued.text)
    print(f"verified: {report.outcome}")
    return 0 if report.outcome is hc.Outcome.ACCEPTED else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*map(Path, sys.argv[1:])))
