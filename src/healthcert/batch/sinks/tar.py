"""Files of results in one tar archive (POSIX.1-2001, pax)."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from healthcert.batch.protocol import Mark, Output
from healthcert.batch.sinks.naming import checked
from healthcert.batch.sinks.stream import File

_MODE = 0o600
# POSIX.1-2001, pax, "ustar Interchange Format": an archive ends with two blocks of zeros.
_END = bytes(2 * tarfile.BLOCKSIZE)


def open_tar(out: str, at: Mark | None) -> TarSink:
    """An archive, new or cut back to a mark. Raises as :func:`healthcert.batch.sinks.open_sink`."""
    return TarSink(Path(out), at)


class TarSink(File):
    """An archive. What is in it depends on nothing but the names and contents of its files: not on when or by whom."""

    def write(self, outputs: Sequence[Output]) -> None:
        self.add(b"".join([part for output in outputs for part in _member(output)]))

    def close(self) -> None:
        if not self._file.closed:
            with self._file:
                self.add(_END)
                self.flush()


def _member(output: Output) -> tuple[bytes, bytes, bytes]:
    """The header of a file, its content, and what fills its last block."""
    entry = tarfile.TarInfo(checked(output.name))
    entry.size, entry.mode = len(output.data), _MODE
    header = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
    return header, output.data, bytes(-len(output.data) % tarfile.BLOCKSIZE)
