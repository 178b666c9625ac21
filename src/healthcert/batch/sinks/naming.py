"""Names of files for results: another for each certificate, and plain on every file system."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 200
_PLAIN = re.compile(r"[A-Z0-9_.+%~-]+\.[a-z0-9]+")
# Signs that an UVCI has, as signs that file systems take. Small letters are not among those that stay as they are, for
# there are file systems that see no difference.
_SIGNS = {":": ".", "/": "_", "#": "+"}
_KEPT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
# Names of devices on Windows, whatever follows behind a dot.
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)")


def file_name(certificate_id: str, ending: str) -> str:
    """The name of the file for a certificate, as ``URN.UVCI.01.FR.T5DWTJYS4ZR8+4.png``; ``ending`` is ``.png``.

    Two identifiers never have one name, also where capitals and small letters are the same.
    """
    name = "".join(_SIGNS.get(sign) or (sign if sign in _KEPT else _escaped(sign)) for sign in certificate_id) or "%"
    if name.startswith(".") or _DEVICE.match(name):
        name = _escaped(certificate_id[0]) + name[1:]
    if len(name) > _LONGEST:
        digest = hashlib.sha256(certificate_id.encode("utf-8", "surrogatepass")).hexdigest().upper()
        name = f"{name[:100]}~{digest}"
    return name + ending


def checked(name: str | None) -> str:
    """A name as :func:`file_name` makes them: no path, and nothing hidden. Raises ValueError for any other."""
    if name is None or _PLAIN.fullmatch(name) is None or name.startswith("."):
        raise ValueError("no name of a file of results")
    return name


def _escaped(sign: str) -> str:
    return "".join(f"%{octet:02X}" for octet in sign.encode("utf-8", "surrogatepass"))
