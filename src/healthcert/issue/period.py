"""The times of a certificate's key: from when until when it is valid, and is used."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

from cryptography import x509
from msgspec import Struct

from healthcert.lists.x509 import parse_certificate

DSC_USE = timedelta(days=183)
"""How long a DSC's key signs (certificate governance guide §3.2: 6 months)."""
CSCA_USE = timedelta(days=365)
"""How long a CSCA's key signs (certificate governance guide §3.2: 1 year)."""


class Period(Struct, frozen=True, kw_only=True):
    """When a key is valid, and when it is used within that. Each end is outside its period."""

    not_before: datetime
    not_after: datetime
    use_from: datetime
    use_until: datetime

    def valid(self, moment: datetime) -> bool:
        """Whether the certificate is valid then."""
        return self.not_before <= moment < self.not_after

    def in_use(self, moment: datetime) -> bool:
        """Whether the key is to sign then."""
        return self.valid(moment) and self.use_from <= moment < self.use_until

    def outlives(self, moment: datetime, validity: timedelta) -> bool:
        """Whether the certificate lives as long as what is signed with it then. Without overflow, however long."""
        return self.not_after - moment >= validity


def period_of(der: bytes, *, lead: timedelta = timedelta(0), use: timedelta | None = None) -> Period:
    """The times of a certificate in DER, used from ``lead`` after its beginning, and for ``use``; None is to its end.

    A private key usage period in the certificate narrows that. Raises :class:`TrustError`
    (``CERTIFICATE_UNREADABLE``).
    """
    certificate = parse_certificate(der)
    not_before, not_after = certificate.not_before, certificate.not_after
    first, last = usage_period(der)
    # Differences are compared, and sums made of those that fit: a certificate may end with the year 9999.
    use_from = not_before + min(lead, max(not_after - not_before, timedelta(0)))
    use_from = max(use_from, first) if first else use_from
    use_until = not_after if use is None or not_after - use_from <= use else use_from + use
    return Period(
        not_before=not_before,
        not_after=not_after,
        use_from=use_from,
        use_until=min(use_until, last) if last else use_until,
    )


def usage_period(der: bytes) -> tuple[datetime | None, datetime | None]:
    """The private key usage period that a certificate states (RFC 3280 §4.2.1.4); None where it states none.

    What cannot be read states none: the extension only ever narrows when a key of one's own is used.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of serial numbers, which do not matter here
            extensions = x509.load_der_x509_certificate(der).extensions
        found = extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None, None
    return _aware(found.not_before), _aware(found.not_after)


def _aware(moment: datetime | None) -> datetime | None:
    """cryptography gives these moments without their time zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
