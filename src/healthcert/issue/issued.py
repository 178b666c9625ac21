"""What an issuer hands out: a signed certificate, and the barcode that carries it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from healthcert.barcode.write import DataMatrix, QrCode
from healthcert.errors import Code, IssueError
from healthcert.families import claimed
from healthcert.families.protocol import Wire
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import HealthCertificate, Scan

if TYPE_CHECKING:  # which is for those who print
    from healthcert.document.document import Document
    from healthcert.document.template import Template


class IssuedCertificate(Struct, frozen=True, kw_only=True):
    """A signed certificate of any family.

    ``certificate_id`` is what names it for revocation, and ``expires`` its end; None where the family has no such
    thing, or this certificate says none. ``error_correction`` is the level that its QR codes have where no other is
    asked for, and ``max_version`` the largest symbol that its specification allows.
    """

    wire: Wire
    certificate_id: str | None
    issued_at: datetime
    expires: datetime | None
    error_correction: str = "Q"
    max_version: int | None = None

    @property
    def text(self) -> str:
        """What a reader of the barcode gets; of a barcode of bytes, each byte as a character."""
        return self.wire.text

    @property
    def binary(self) -> bytes:
        """The signed message in bytes: COSE, JWS, JSON or an archive."""
        return self.wire.binary

    def symbol(self) -> QrCode | DataMatrix:
        """The barcode that the family has, ready to be drawn. Raises :class:`IssueError` (``BARCODE_TOO_LARGE``)."""
        return DataMatrix.of(self.text) if self.wire.symbol == "datamatrix" else self.qr()

    def qr(self, *, error_correction: str | None = None) -> QrCode:
        """A QR code of it, ready to be drawn; ``error_correction`` is L, M, Q or H.

        Raises :class:`IssueError` (``BARCODE_TOO_LARGE``).
        """
        if not self.wire.segments:
            raise IssueError(Code.BARCODE_TOO_LARGE, "a certificate that was issued for a file")
        return QrCode.of_segments(
            self.wire.segments,
            error_correction=error_correction or self.error_correction,
            max_version=self.max_version,
        )

    def content(self) -> HealthCertificate:
        """What it certifies, as a verifier reads it. Raises :class:`HealthCertError` where it cannot be read."""
        binary = self.wire.segments == (self.binary,)
        return claimed(Scan.of(self.binary) if binary else self.text, DEFAULT_LIMITS)[1]

    def document(self, *, template: Template | None = None, error_correction: str | None = None) -> Document:
        """It on the way to paper or screen, with the issuer's name, logo and wording of a ``template``.

        Raises :class:`IssueError` (``BARCODE_TOO_LARGE``).
        """
        from healthcert.document.document import Document
        from healthcert.document.template import Template

        return Document(
            certificate=self.content(),
            text=self.text,
            symbol=self.qr(error_correction=error_correction) if error_correction else self.symbol(),
            template=template or Template(),
        )

    def pdf(self, *, lang: str = "en", paper: str = "a4", template: Template | None = None) -> bytes:
        """The printable certificate, as :meth:`Document.pdf` makes it. Raises as that, and :meth:`document`."""
        return self.document(template=template).pdf(lang=lang, paper=paper)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(expires={self.expires.isoformat() if self.expires else None})"


class Issued(IssuedCertificate, frozen=True, kw_only=True):
    """A signed EU Digital COVID Certificate: it always has an identifier (UVCI) and an end.

    ``signature`` is the one that its COSE message bears.
    """

    certificate_id: str
    expires: datetime
    signature: bytes

    @property
    def cose(self) -> bytes:
        """The signed message before compression, a COSE_Sign1."""
        return self.binary
