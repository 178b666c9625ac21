"""Bundles of certificates in the forms that tools write: PEM, DER, or PKCS #7 (P7B); signed beside, or taken as given.

Form of the part ``signature``, where there is one: a detached CMS signature over the bundle, in DER or its base64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.chain import pinned_signer
from healthcert.lists.reading import Rejected, exact_base64, not_authentic, unreadable
from healthcert.trust.files import read_entries
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part

DOMAIN = "DCC"
_FETCHED = "fetched"  # a part without content, which tells a bundle that came over the network


class Certificates:
    """See the module. The option ``domain`` is what the keys may sign, ``DCC`` where it is not set.

    A bundle without a signature that the operator gives is one that the operator vouches for; one that was fetched is
    worth the name of its server. The signature of one that is fetched is at the address in the option ``signature``.
    """

    name = "pem"
    title = "bundle of certificates: PEM, DER or P7B, with or without a CMS signature"
    parts = ("list", "signature")
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        data = part(parts, "list")
        signer = _verified(data, parts.get("signature"), context)
        entries = list(islice(read_entries(data, source="list"), context.limits.trust_entries + 1))
        check_size(len(entries), context.limits)
        domain = context.options.get("domain", DOMAIN)
        keys = [entry for entry in entries if isinstance(entry, TrustedKey)]
        skipped = tuple(entry for entry in entries if isinstance(entry, Rejected))
        if not keys:
            raise unreadable("it holds no certificate that can be used")
        return TrustList(
            # Where in the bundle it stood is no name of a source.
            keys=tuple(replace(key, source="memory").within(domain) for key in keys),
            skipped=skipped,
            assurance=_assurance(signer, parts),
            signer=signer,
            signed=None if signer is None else hashlib.sha256(data).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known if "list" in known.parts else Known(), context.limits)
        parts = {"list": known.parts["list"] if body is None else body, _FETCHED: b""}
        if address := context.options.get("signature"):
            # Asked for without a condition: it has to be that of this very bundle.
            parts["signature"] = fetcher.get(address, limit=context.limits.key_file_bytes).body
        return None if parts == dict(known.parts) else Fetched(parts, validators)


def _assurance(signer: TrustAnchor | None, parts: Mapping[str, bytes]) -> Assurance:
    if signer is not None:
        return Assurance.SIGNED_LIST
    return Assurance.TLS_ONLY if _FETCHED in parts else Assurance.LOCAL


def _verified(data: bytes, signature: bytes | None, context: Context) -> TrustAnchor | None:
    """Who signed the bundle; None for one that is not signed, and need not be."""
    if signature is None:
        # With an anchor a bundle is signed, or an attacker could make it an unsigned one by leaving the signature out.
        if context.anchors:
            raise not_authentic("the bundle comes without a signature, and an anchor is pinned for it")
        return None
    message = signature if signature[:1] == b"\x30" else exact_base64(signature.removesuffix(b"\n"))
    if message is None:
        raise unreadable("the signature is neither DER nor base64")
    _, signer = pinned_signer(message, data, need_anchors(context.anchors, context.now))
    return signer
