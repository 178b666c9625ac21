"""A camera (extra ``camera``), and the codes in its frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from healthcert.barcode.found import Frame
from healthcert.barcode.ladder import Watch, codes_of
from healthcert.errors import Code, HealthCertError

FRAME_SECONDS = 0.1
"""How long codes are searched in one frame: the next one may be sharper."""


@contextmanager
def camera(name: str) -> Iterator[Callable[[], list[str] | None]]:
    """Gives the texts of the codes in the next frame at each call, or None once there is no other frame.

    ``name`` is the number of a camera, or the path of a device or a video. Raises :class:`HealthCertError`:
    ``EXTRA_MISSING`` without the extra, ``ENVIRONMENT`` where it cannot be opened.
    """
    # Its own messages would be written into the screen.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError:
        detail = "a camera needs OpenCV: install healthcert[camera]"
        raise HealthCertError(Code.EXTRA_MISSING, detail) from None
    # A path and nothing else: what OpenCV takes for an address is fetched.
    if not name.isdecimal() and not Path(name).exists():
        raise HealthCertError(Code.ENVIRONMENT, f"{name}: there is no such camera")
    capture = cv2.VideoCapture(int(name) if name.isdecimal() else str(Path(name).absolute()))
    try:
        if not capture.isOpened():
            raise HealthCertError(Code.ENVIRONMENT, f"camera {name} cannot be opened")
        # The newest frame, not those that waited while the last one was read.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

        def look() -> list[str] | None:
            there, picture = capture.read()
            if not there:
                return None
            return _texts(Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)))

        yield look
    finally:
        capture.release()


def _texts(grey: Image.Image) -> list[str]:
    """The texts of the codes in a frame, each once."""
    frame = Frame(1, grey.width, grey.height)
    found = codes_of(grey, frame, Watch(FRAME_SECONDS))
    return list(dict.fromkeys(code.text for code in found))
