"""From a record to a signed certificate: signers, the issuer and its policy, a small PKI."""
