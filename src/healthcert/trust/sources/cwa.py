"""Germany: the list of the Corona-Warn-App, a Protocol Buffers message in an archive with its signature.

Form: a ZIP archive of ``export.bin``, ``DscList { repeated DscListItem { bytes kid = 1; bytes data = 2 } = 1 }`` with
certificates in DER, and ``export.sig``, its signatures (:mod:`healthcert.lists.signed_export`). The app comes with a
copy of the list alone, which nothing vouches for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from healthcert.encoding.protobuf import byte_strings
from healthcert.errors import DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import need_anchors
from healthcert.lists.reading import Rejected, unreadable
from healthcert.lists.signed_export import export_signer, is_archive, open_export
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"


class CoronaWarnApp:
    """See the module. The parts are the archive alone, or the two files in it.

    With the option ``unsigned`` set to ``yes``, and no anchor pinned, a list is taken as its server gave it.
    """

    name = "cwa"
    title = "Germany (Corona-Warn-App): Protocol Buffers with a signature, in a ZIP archive"
    parts = ("list", "signature")
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        data, signatures = _opened(part(parts, "list"), parts.get("signature"), context.limits)
        signer = None
        # With an anchor a list is signed, or an attacker could make it an unsigned one by leaving the signature out.
        if context.options.get("unsigned") != "yes" or context.anchors:
            signer = export_signer(data, signatures, need_anchors(context.anchors, context.now))
        entries = _entries(data, context.limits)
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.TLS_ONLY if signer is None else Assurance.SIGNED_LIST,
            signer=signer,
            signed=None if signer is None else hashlib.sha256(data).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _opened(data: bytes, signature: bytes | None, limits: Limits) -> tuple[bytes, bytes | None]:
    """The list and its signatures, taken out of the archive where there is one."""
    if signature is not None or not is_archive(data):
        return data, signature
    return open_export(data, limits)


def _entries(data: bytes, limits: Limits) -> list[TrustedKey | Rejected]:
    items = []
    for item in byte_strings(data, 1):
        items.append(item)
        check_size(len(items), limits)
    if not items:
        raise unreadable("it has no certificates")
    return [_entry(f"entry {number}", item) for number, item in enumerate(items, 1)]


def _entry(where: str, item: bytes) -> TrustedKey | Rejected:
    try:
        (kid,), (der,) = tuple(byte_strings(item, 1)), tuple(byte_strings(item, 2))
        key = read_certificate(der)
    except (ValueError, DecodeError):
        return rejected(where, "not one kid and one certificate")
    except TrustError as error:
        return Rejected(where, error)
    # A kid that is another certificate's would never be looked for, or lead to the wrong key.
    if kid != key.kid:
        return rejected(where, "its kid is not that of its certificate")
    return key.within(DOMAIN)
