"""Terminals and serial lines as streams of bytes, and as they were once we are done (POSIX)."""

from __future__ import annotations

import fcntl
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from healthcert.errors import Code, HealthCertError


@contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """A terminal whose keys come byte by byte, and neither show nor do anything of themselves.

    Its own editing of lines would cut a certificate off at 4096 bytes, and take a control character in a barcode for a
    command. What was typed and not read is thrown away in the end: else the shell would take it for a command.
    """
    before = termios.tcgetattr(descriptor)
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, _raw(termios.tcgetattr(descriptor)))
        yield
    finally:
        with suppress(termios.error):  # it was closed
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


@contextmanager
def serial_line(path: str, baud: int) -> Iterator[int]:
    """The descriptor of a serial line of 8 bits without parity, open for reading.

    Raises :class:`HealthCertError` (``ENVIRONMENT``) where there is none, or another program has it.
    """
    try:
        # Without waiting for a modem, which no scanner is; and never as the terminal that controls us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise HealthCertError(Code.ENVIRONMENT, f"{path}: {error.strerror}") from None
    try:
        _set_up(descriptor, path, baud)
        yield descriptor
    finally:
        os.close(descriptor)


def read_some(descriptor: int) -> bytes | None:
    """What has come; None once nothing more will, for the device was unplugged, or its other end was closed."""
    try:
        return os.read(descriptor, 65536) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _set_up(descriptor: int, path: str, baud: int) -> None:
    try:
        iflag, oflag, cflag, lflag, _, _, characters = _raw(termios.tcgetattr(descriptor))
        speed: int = getattr(termios, f"B{baud}")
        modes = [iflag, oflag, cflag | termios.CLOCAL | termios.CREAD, lflag, speed, speed, characters]
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        termios.tcflush(descriptor, termios.TCIFLUSH)  # what was scanned before somebody looked
        # Of two programs that read it, each would get half a certificate.
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
    except AttributeError:
        raise HealthCertError(Code.ENVIRONMENT, f"{path}: {baud} is no speed of serial lines here") from None
    except (termios.error, OSError):
        raise HealthCertError(Code.ENVIRONMENT, f"{path}: not a serial line that can be set up so") from None


def _raw(modes: list[Any]) -> list[Any]:
    """Modes of a terminal in which each byte comes as it was sent."""
    iflag, oflag, cflag, lflag, *rest = modes
    iflag &= ~(termios.BRKINT | termios.ICRNL | termios.IGNCR | termios.INLCR | termios.INPCK | termios.ISTRIP)
    iflag &= ~(termios.IXON | termios.IXOFF | termios.PARMRK)
    cflag = cflag & ~(termios.CSIZE | termios.PARENB | termios.CSTOPB) | termios.CS8
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG)
    *speeds, characters = rest
    # A read gives what there is, from one byte on. Elsewhere than in Linux other meanings share these places.
    characters = [*characters]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, *speeds, characters]
