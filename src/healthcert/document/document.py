"""A certificate on its way to paper or screen: what it says, and the barcode that proves it."""

from __future__ import annotations

from datetime import date, datetime

from healthcert.barcode.symbols import Symbol
from healthcert.document.html import html_card
from healthcert.document.paper import Paper, pdf
from healthcert.document.sheet import Sheet
from healthcert.document.sheets import sheet_of
from healthcert.document.symbol import symbol_of
from healthcert.document.template import Template
from healthcert.model import HealthCertificate, Private


class Document(Private, frozen=True, kw_only=True):
    """What is handed to the holder of a certificate, in the forms that there are.

    ``certificate`` is what is printed beside the barcode ``symbol``, which holds ``text``: take it from the issuer
    (:meth:`IssuedCertificate.document`) or from a report that accepts, for a page that says more than was signed helps
    no one but a forger. ``template`` has the issuer's name, logo, colour and wording.
    """

    certificate: HealthCertificate
    text: str
    symbol: Symbol
    template: Template = Template()

    def sheet(self, lang: str = "en") -> Sheet:
        """All that it says beside the barcode, in one of :data:`healthcert.LANGUAGES`.

        Raises :class:`DocumentError` (``TEMPLATE_INVALID``), ValueError for another language.
        """
        return sheet_of(
            self.certificate,
            lang=lang,
            issued_on=_day(self.certificate.issued_at),
            expires_on=_day(self.certificate.expires_at),
            wording=self.template.wording.get(lang, {}),
        )

    def pdf(self, *, lang: str = "en", paper: Paper | str = Paper.A4) -> bytes:
        """A page to print (``a4``, ``letter`` or ``card``), PDF/UA-1 and PDF/A-2a; always the same bytes.

        Raises :class:`DocumentError` (``DOCUMENT_FAILED``, ``TEMPLATE_INVALID``, ``EXTRA_MISSING``), ValueError for
        another language or paper.
        """
        return pdf(self.sheet(lang), self.symbol, text=self.text, paper=Paper(paper), template=self.template)

    def html(self, *, lang: str = "en") -> str:
        """A page for a screen, in one file. Raises as :meth:`sheet`."""
        return html_card(self.sheet(lang), self.symbol, text=self.text, template=self.template)


def document_of(
    certificate: HealthCertificate, text: str, template: Template | None = None, *, error_correction: str | None = None
) -> Document:
    """The document of a certificate that was read from ``text``; its barcode as :func:`symbol_of` makes it.

    Raises :class:`DocumentError` (``DOCUMENT_FAILED``).
    """
    symbol = symbol_of(text, error_correction=error_correction)
    return Document(certificate=certificate, text=text, symbol=symbol, template=template or Template())


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
