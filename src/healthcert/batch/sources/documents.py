"""Certificates in files of any kind: pictures, PDFs, texts, and documents of several."""

from __future__ import annotations

from collections.abc import Iterator

from healthcert.batch.protocol import Document
from healthcert.errors import Code, DecodeError
from healthcert.families import recognise, split
from healthcert.families.shapes import Shape, is_document, shape_of
from healthcert.limits import Limits, read_file
from healthcert.model import Scan

_ARCHIVE = b"PK\x03\x04"  # what the archive of a DIVOC certificate begins with


def read_document(document: Document, limits: Limits) -> list[str]:
    """The texts of the certificates in a file of a folder or an archive, which holds other files, too.

    Raises DecodeError (``NO_CERTIFICATE_FOUND`` for a file that has none, and as :func:`read_texts`), OSError.
    """
    data = read_file(document.name, limits.file_bytes) if document.data is None else document.data
    try:
        return certificates_among(read_texts(data, limits), limits)
    except DecodeError as error:
        if error.code is Code.TEXT_UNREADABLE:
            raise DecodeError(Code.NO_CERTIFICATE_FOUND, "neither a picture nor text") from None
        raise


def is_whole(start: bytes, *, is_all: bool) -> bool:
    """Whether a file that begins so is to be read as a whole, and not line by line. ``is_all`` says if that is all."""
    from healthcert.barcode.pdf import is_pdf
    from healthcert.barcode.read import is_image

    if is_image(start) or is_pdf(start) or b"\0" in start:
        return True
    # A row of JSON is an object, too, but of no kind that certificates are.
    return is_all and shape_of(start.decode("utf-8-sig", "replace")) not in (None, Shape())


def certificates_among(texts: list[str], limits: Limits) -> list[str]:
    """Those of the texts in a file that claim to be a certificate.

    Raises DecodeError (``NO_CERTIFICATE_FOUND``) when there is none.
    """
    found = [text for text in texts if _claims_to_be_one(text, limits)]
    if not found:
        raise DecodeError(Code.NO_CERTIFICATE_FOUND, "no health certificate in it")
    return found


def _claims_to_be_one(text: str, limits: Limits) -> bool:
    # A document beyond the limits is one of thousands of entries, and no certificate; of another text the beginning
    # tells what it claims to be.
    if not is_document(text):
        text = text[: limits.text_chars]
    try:
        recognise(text, limits)
    except DecodeError as error:
        return error.code not in (Code.INVALID_SCHEME_PREFIX, Code.INPUT_TOO_LONG)
    return True


def read_texts(data: bytes, limits: Limits, *, password: str | None = None) -> list[str]:
    """The texts of all certificates in the bytes of a picture, PDF, text file or document.

    A PDF may open with a ``password``. Those that were bytes in a barcode remember them
    (:class:`healthcert.model.Scan`). Raises DecodeError (``INPUT_TOO_LONG``, ``NO_BARCODE_FOUND``, ``TEXT_UNREADABLE``,
    ``IMAGE_UNREADABLE``, ``EXTRA_MISSING``).
    """
    from healthcert.barcode.pdf import is_pdf
    from healthcert.barcode.read import is_image, read_barcodes

    if is_image(data) or is_pdf(data):
        texts = read_barcodes(data, password=password, limits=limits)
        if not texts:
            raise DecodeError(Code.NO_BARCODE_FOUND, "no QR, Aztec or DataMatrix code in this picture")
        return [certificate for text in texts for certificate in _certificates(text, limits)]
    if data.startswith(_ARCHIVE):
        return [Scan.of(data)]
    return _lines(data, limits)


def _lines(data: bytes, limits: Limits) -> list[str]:
    """The certificates of a text, one on each line, or those of a document."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError(Code.TEXT_UNREADABLE, "neither a picture nor text in UTF-8") from None
    if text.lstrip()[:5].lower() in ("<?xml", "<svg ", "<!doc", "<html"):
        raise DecodeError(Code.TEXT_UNREADABLE, "a drawing or page (SVG, HTML): give a picture of it, as PNG or JPEG")
    if is_document(text):
        return list(_certificates(text.strip(), limits))
    # Base45 has spaces, and they count: lines are split at line ends only, and never stripped of spaces.
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if len(lines) > limits.texts_per_file:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.texts_per_file} certificates in one file")
    if not lines:
        raise DecodeError(Code.TEXT_UNREADABLE, "nothing to verify: the input is empty")
    return lines


def _certificates(text: str, limits: Limits) -> Iterator[str]:
    """The certificates in a document that holds several, each by itself; any other text as it is."""
    try:
        yield from split(text, limits) or (text,)
    except DecodeError:
        yield text  # the verifier says what is wrong with it
