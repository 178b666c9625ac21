"""The families of certificates, in the order in which a text is tried against them."""

from __future__ import annotations

import re

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.hcert.family import EU_DCC
from healthcert.families.protocol import Family

FAMILIES: tuple[Family, ...] = (EU_DCC,)

# HCERT specification §4.2.2: HC and a version, which counts on to 9 and then to Z.
_OTHER_HCERT_VERSION = re.compile(r"HC[1-9A-Z]:")


def recognise(text: str) -> Family:
    """The family that ``text`` claims to belong to.

    Raises :class:`DecodeError`: ``UNSUPPORTED_VERSION`` for a later HCERT, ``INVALID_SCHEME_PREFIX`` for anything else.
    """
    for family in FAMILIES:
        if family.recognises(text):
            return family
    if _OTHER_HCERT_VERSION.match(text):
        raise DecodeError(Code.UNSUPPORTED_VERSION, "a version of HCERT that is not supported", Step.RECOGNISE)
    raise DecodeError(Code.INVALID_SCHEME_PREFIX, "not the text of a health certificate (HC1:...)", Step.RECOGNISE)
