"""The families of certificates, in the order in which a text is tried against them."""

from __future__ import annotations

import re

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.hcert.family import AT1, DK3, HC1, LT1, NO1
from healthcert.families.protocol import Family
from healthcert.limits import Limits

FAMILIES: tuple[Family, ...] = (HC1, LT1, AT1, NO1, DK3)

KINDS = frozenset(kind for family in FAMILIES for kind in family.kinds)
"""Everything that can be read, by the names that policies and reports use."""

# HCERT specification §4.2.2: HC and a version, which counts on to 9 and then to Z.
_OTHER_HCERT_VERSION = r"HC[1-9A-Z]:"
# Told by name to the person at the door, who then knows that the code is not to blame.
_OTHERS = {
    "NL1:": "Dutch domestic certificate",
    "NL2:": "Dutch domestic certificate",
    "shc:/": "SMART Health Card",
    "NZCP:/": "New Zealand COVID Pass",
    "DC0": "French 2D-Doc",
}


def recognise(text: str, limits: Limits) -> tuple[Family, str]:
    """The family that a scanned text claims to belong to, and the text without the scanner's line end.

    Raises :class:`DecodeError`: ``INPUT_TOO_LONG``, ``UNSUPPORTED_VERSION`` for a later HCERT,
    ``INVALID_SCHEME_PREFIX`` for anything else.
    """
    # A line end is not part of the text; a space is, being a base45 symbol.
    text = text.strip("\r\n")
    if len(text) > limits.text_chars:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.text_chars} characters", Step.RECOGNISE)
    for family in FAMILIES:
        if family.recognises(text):
            return family, text
    # HCERT specification §4.2.2: a new version is a break.
    if re.match(_OTHER_HCERT_VERSION, text):
        raise DecodeError(Code.UNSUPPORTED_VERSION, "a version of HCERT that is not supported", Step.RECOGNISE)
    for prefix, name in _OTHERS.items():
        if text.startswith(prefix):
            raise DecodeError(Code.INVALID_SCHEME_PREFIX, f"a {name}, which is not supported", Step.RECOGNISE)
    raise DecodeError(Code.INVALID_SCHEME_PREFIX, "not the text of a health certificate (HC1:...)", Step.RECOGNISE)
