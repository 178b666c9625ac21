"""Text from strangers on a terminal."""

from __future__ import annotations


def printable(text: object) -> str:
    """Text from a stranger, safe on a terminal: control and direction characters are replaced.

    Whatever is printed of a certificate, a key or a file name goes through here.
    """
    return "".join(c if c.isprintable() else "�" for c in str(text))
