"""Links of the French wallet (TousAntiCovid), which carry a whole certificate: the certificate is taken out of them.

Nothing is fetched, and a link in a link is not followed.
"""

from __future__ import annotations

import re

_START = "https://bonjour.tousanticovid.gouv.fr/app/wallet"
# stopcovid-android, WalletManager: the certificate is the fragment, or the parameter v where there is none.
_LINK = re.compile(
    r"https://bonjour\.tousanticovid\.gouv\.fr/app/wallet(?:2d|dcc)?/?(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_BASE45 = "HC1:"
_LONGEST = 16 * 1024  # characters of a link; one with the longest certificate, each character escaped, has 12,950
_NOT_ESCAPED = re.compile(r" |%(?![0-9A-Fa-f]{2})")


def unwrap(text: str) -> str:
    """The certificate in a link of the French wallet, a 2D-Doc or an HC1; any other text as it is.

    What is taken out is never longer than the link, and was not checked in any way. A link that is longer than any
    certificate makes it stays what it is.
    """
    if not text.startswith(_START) or len(text) > _LONGEST:
        return text
    link = _LINK.fullmatch(text)
    if link is None:
        return text
    if link[2]:
        return _unescaped(link[2]) or text
    parameters = [parameter.partition("=") for parameter in (link[1] or "").split("&")]
    value = next((value for name, _, value in parameters if name == "v"), "")
    # In a query a space may be written as +, which is a symbol of its own in base45.
    return _unescaped(value if value.startswith(_BASE45) else value.replace("+", " ")) or text


def _unescaped(text: str) -> str | None:
    """What was percent-encoded; None where that is no text."""
    # Base45 has % and the space among its symbols, and somebody may have put it into a link as it is.
    if text.startswith(_BASE45) and _NOT_ESCAPED.search(text):
        return text
    try:
        return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), text.encode("utf-8")).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
