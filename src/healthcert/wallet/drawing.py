"""The codes of a certificate in a wallet, which are one, or several for a card that was spread over several."""

from __future__ import annotations

from healthcert.barcode.symbols import Symbol
from healthcert.barcode.write import QrCode
from healthcert.document.symbol import symbol_of
from healthcert.errors import Code, DocumentError, HealthCertError
from healthcert.families import recognise
from healthcert.families.shc.encode import MAX_VERSION
from healthcert.families.shc.family import SHC
from healthcert.families.shc.forms import PREFIX, SCHEME, SINGLE_CHARS, read, to_digits
from healthcert.limits import DEFAULT_LIMITS

# "Chunking Larger SHCs" has room for 1191 in a part, with numbers of one digit each; with two there is room for 1188.
_PART_CHARS = 1188


def symbols_of(text: str, *, error_correction: str | None = None) -> tuple[Symbol, ...]:
    """What is scanned to get the certificate, one after the other.

    A SMART Health Card that came as a token (from a file, or put together from parts) is drawn as its codes are: in
    one, or in as many as it needs. Raises :class:`DocumentError` (``DOCUMENT_FAILED``) for what no barcode holds.
    """
    try:
        family, recognised = recognise(text, DEFAULT_LIMITS)
        is_token = family is SHC and recognised[: len(SCHEME)].lower() != SCHEME
        token = read(recognised.strip(), DEFAULT_LIMITS).jws if is_token else b""
    except HealthCertError:
        raise DocumentError(Code.DOCUMENT_FAILED, "not a certificate that has a barcode") from None
    if len(token) > SINGLE_CHARS:
        return _parts(token)
    return (symbol_of(PREFIX + to_digits(token) if is_token else text, error_correction=error_correction),)


def _parts(token: bytes) -> tuple[QrCode, ...]:
    # SMART Health Cards 1.0, "Chunking Larger SHCs": chunks of about one size, with as few of them as possible.
    total = -(-len(token) // _PART_CHARS)
    if total > DEFAULT_LIMITS.parts:
        raise DocumentError(Code.DOCUMENT_FAILED, f"a card that needs more than {DEFAULT_LIMITS.parts} codes")
    ends = [len(token) * number // total for number in range(total + 1)]
    return tuple(
        QrCode.of_segments(
            (f"{PREFIX}{number}/{total}/".encode("ascii"), to_digits(token[ends[number - 1] : ends[number]])),
            error_correction="L",
            max_version=MAX_VERSION,
        )
        for number in range(1, total + 1)
    )
