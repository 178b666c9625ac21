"""An issuer's logo, made safe: a picture in PNG, or a drawing in SVG that shows itself and fetches nothing."""

from __future__ import annotations

import re
import warnings
from base64 import b64encode
from io import BytesIO
from xml.parsers import expat

from PIL import Image

from healthcert.errors import Code, DocumentError
from healthcert.limits import DEFAULT_LIMITS

PNG_MARK = b"\x89PNG\r\n\x1a\n"
_NAMESPACE = "http://www.w3.org/2000/svg"
# Shapes and how they are painted. Not: scripts, styles, text (whose fonts are not here), pictures, links, and what
# draws one thing many times over, which grows beyond all bounds.
_PAINTED = ("svg", "g", "defs", "title", "desc", "metadata", "clipPath", "linearGradient", "radialGradient", "stop")
_SHAPES = ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon")
_ELEMENTS = frozenset((*_PAINTED, *_SHAPES))
_ELSEWHERE = re.compile(r"url\s*\(\s*['\"]?(?!#)|\\|@", re.IGNORECASE)


def checked_logo(data: bytes) -> str:
    """The logo as an SVG, a picture within one. Raises :class:`DocumentError` (``TEMPLATE_INVALID``)."""
    if len(data) > DEFAULT_LIMITS.logo_bytes:
        raise _invalid(f"a logo of more than {DEFAULT_LIMITS.logo_bytes} bytes")
    return _picture(data) if data.startswith(PNG_MARK) else _drawing(data)


def _picture(data: bytes) -> str:
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(data), formats=("PNG",)) as image:
            warnings.simplefilter("error")
            width, height = image.size
            if width * height > DEFAULT_LIMITS.logo_pixels:
                raise _invalid(f"a logo of more than {DEFAULT_LIMITS.logo_pixels} pixels")
            image.load()
            # Written anew: what else is in the file (places, names of programs, profiles) stays behind.
            clean = BytesIO()
            image.convert("RGBA").save(clean, "PNG")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning):
        raise _invalid("a logo that is damaged") from None
    source = b64encode(clean.getvalue()).decode()
    return (
        f'<svg xmlns="{_NAMESPACE}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{source}"/></svg>'
    )


class _Reader:
    """Sees every element of an SVG once, and keeps nothing."""

    def __init__(self) -> None:
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        space, _, local = name.rpartition(" ")
        if (self.elements == 1 and local != "svg") or space != _NAMESPACE or local not in _ELEMENTS:
            raise _invalid("a logo with an element that is no shape")
        if self.elements > DEFAULT_LIMITS.logo_elements:
            raise _invalid(f"a logo of more than {DEFAULT_LIMITS.logo_elements} elements")
        for key, value in attributes.items():
            named = key.rpartition(" ")[2].lower()
            if named.startswith("on") or (named == "href" and not value.startswith("#")) or _ELSEWHERE.search(value):
                raise _invalid("a logo that refers to something outside")

    def doctype(self, *_: object) -> None:
        # Entities are declared there, which grow without bounds or name files.
        raise _invalid("a logo with a document type")


def _drawing(data: bytes) -> str:
    reader, parser = _Reader(), expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
        return data.decode()
    except (expat.ExpatError, UnicodeDecodeError):
        raise _invalid("a logo that is neither PNG nor SVG") from None


def _invalid(detail: str) -> DocumentError:
    return DocumentError(Code.TEMPLATE_INVALID, detail)
