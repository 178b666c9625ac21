"""Says what is being measured, for whoever waits at a terminal."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Puts ``text`` in the place of what was said before; nothing where nobody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:100]}{' ...' if text else ''}")
        sys.stderr.flush()
