"""The pictures of an Apple pass: its icon, and the issuer's logo."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from healthcert.document.logo import PNG_MARK
from healthcert.document.template import Template

_SCALES = {"": 1, "@2x": 2, "@3x": 3}
# Apple's Wallet Developer Guide, "Pass Design and Creation": in points, each of one to three pixels.
_ICON_SIDE = 29
_LOGO_BOX = (160, 50)
_FINER = 4  # drawn so many times as large and reduced, so that its edges are smooth


def pictures_of(template: Template) -> dict[str, bytes]:
    """The pictures by their names in a pass, in three resolutions each.

    The icon is a sign of our own in the template's colour. The logo is the template's where that is a PNG, else there
    is none: the pass has its title beside it.
    """
    found = {f"icon{suffix}.png": _icon(template.colour, _ICON_SIDE * scale) for suffix, scale in _SCALES.items()}
    if template.logo is not None and template.logo.startswith(PNG_MARK):
        with Image.open(BytesIO(template.logo), formats=("PNG",)) as picture:  # which the template has checked
            logo = picture.convert("RGBA")
        for suffix, scale in _SCALES.items():
            found[f"logo{suffix}.png"] = _fitted(logo, (_LOGO_BOX[0] * scale, _LOGO_BOX[1] * scale))
    return found


def _icon(colour: str, side: int) -> bytes:
    """A sheet of paper with a code and lines, white on the colour. No tick: nobody has verified it."""
    size = side * _FINER
    picture = Image.new("RGB", (size, size), colour)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((size * 0.22, size * 0.14, size * 0.78, size * 0.86), radius=size * 0.07, fill="white")
    draw.rectangle((size * 0.32, size * 0.24, size * 0.53, size * 0.45), fill=colour)
    for top in (0.54, 0.65):
        draw.rectangle((size * 0.32, size * top, size * 0.68, size * (top + 0.05)), fill=colour)
    return _png(picture.resize((side, side), Image.Resampling.LANCZOS))


def _fitted(logo: Image.Image, box: tuple[int, int]) -> bytes:
    """The logo as large as fits the box, in its own shape."""
    scale = min(box[0] / logo.width, box[1] / logo.height)
    size = (max(1, round(logo.width * scale)), max(1, round(logo.height * scale)))
    return _png(logo.resize(size, Image.Resampling.LANCZOS))


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
