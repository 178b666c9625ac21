"""Live scanning through pseudo-terminals: what is on the screen, and that nothing of it stays anywhere."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pyte
import pytest
from PIL import Image, ImageChops

from healthcert.barcode.write import QrCode
from healthcert_cli.exits import Exit
from healthcert_cli.root import group
from tests import support_shc
from tests.cli.conftest import AT, Run
from tests.support import TEST, Press, dsc, issue, verifier
from tests.unit.rules.lists import rule_document

COLUMNS, ROWS = 100, 30
SOON = 5.0  # seconds, for a machine that is busy
HOLDER = "Zoé Exemplaire-Müller, born 1984-02-29, 37 years"
JUDGED = ("--trust", "dsc.pem", "--country", "FR", "--rules", "required", "--rules-store", "rules.json", "--at", AT)


@pytest.fixture
def door(run: Run, tmp_path: Path) -> Path:
    """A folder with a trusted key, and rules about vaccinations alone: of a test nothing can be told."""
    (tmp_path / "dsc.pem").write_bytes(dsc().certificate_pem())
    (tmp_path / "rules.json").write_text(json.dumps([rule_document("VR-FR-0001")]))
    return tmp_path


class Terminal:
    """A terminal, whose screen is drawn as a program tells it to."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.raw = b""
        self._was_read = False
        self._stream = pyte.ByteStream(self.screen)

    def types(self, text: str | bytes) -> None:
        """What a scanner types, as fast as the terminal takes it."""
        data = text.encode() if isinstance(text, str) else text
        while data:
            data = data[os.write(self.ours, data[:1000]) :]
            self.reads(0)

    def reads(self, seconds: float) -> bool:
        """Takes what was drawn; False where the program has gone."""
        self._was_read = bool(select.select([self.ours], [], [], seconds)[0])
        if self._was_read:
            try:
                drawn = os.read(self.ours, 65536)
            except OSError:
                return False
            self.raw += drawn
            self._stream.feed(drawn)
        return True

    def shows(self, *words: str) -> str:
        """Waits until all of these stand on the screen, and gives the whole of it."""
        until = time.monotonic() + SOON
        while not all(word in self.text for word in words):
            assert time.monotonic() < until, f"{words} not in {self.text}"
            assert self.reads(0.1)
        while self.reads(0.05) and self._was_read:  # to the end of what is being drawn
            pass
        return self.text

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def colours(self) -> tuple[set[str], set[str]]:
        """The colours of the letters, and those behind them, on the whole screen."""
        cells = [self.screen.buffer[row][column] for row in range(ROWS) for column in range(COLUMNS)]
        return {cell.fg for cell in cells}, {cell.bg for cell in cells}

    def close(self) -> None:
        os.close(self.ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@contextmanager
def session(
    terminal: Terminal, folder: Path, *options: str, stdin: BinaryIO | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A session in a process of its own, with the terminal as that which controls it."""
    command = [sys.executable, "-c", "from healthcert_cli.root import main; main()", "scan", *JUDGED, *options]
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.theirs)
    streams["stdin"] = stdin or terminal.theirs
    home = {"HOME": str(folder), "TMPDIR": str(folder), "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, **streams, cwd=folder, env=os.environ | home, start_new_session=True)
    os.close(terminal.theirs)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ended(process: subprocess.Popen[bytes], terminal: Terminal) -> int:
    """The exit code; the terminal is read to its end."""
    while terminal.reads(SOON):
        pass
    return process.wait(SOON)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_three_certificates_in_a_row(door: Path, terminal: Terminal) -> None:
    before = listing(door)
    with session(terminal, door, "--seconds", "2", "--count") as process:
        assert "As of 2021-08-20 10:00 UTC" in terminal.shows("Nothing is kept")
        terminal.types(issue().text + "\r")
        shown = terminal.shows("✓ ACCEPTED", HOLDER, "Vaccination 2/2: dose 2 of 2 on 2021-06-11")
        assert "█" in shown
        assert terminal.colours == ({"black"}, {"green"})
        terminal.types(Press(sign=lambda _: bytes(64)).text() + "\r\n")
        shown = terminal.shows("✗ REFUSED: no trusted key made this signature (SIGNATURE_INVALID)")
        assert HOLDER not in shown
        assert terminal.colours == ({"brightwhite"}, {"red"})
        terminal.types(issue(TEST).text)  # and no line end: a pause ends it
        shown = terminal.shows("? UNDETERMINED: no rules of FR are known", HOLDER, "Test: Not detected")
        assert terminal.colours == ({"black"}, {"brown"})  # pyte's name for yellow
        shown = terminal.shows("Nothing is kept")  # it clears itself
        assert "Exemplaire" not in shown
        assert terminal.colours == ({"default"}, {"default"})
        terminal.types(issue().text + "\r")
        terminal.shows("✓ ACCEPTED")
        terminal.types("\x03")
        assert ended(process, terminal) == Exit.STOPPED
    assert terminal.text.split("\n")[0] == "2 accepted, 1 refused, 1 undetermined"
    assert terminal.text.strip().count("\n") == 0
    drawn, after = terminal.raw.rsplit(b"\x1b[?1049l", 1)
    assert drawn.startswith(b"\x1b[?1049h")
    assert drawn.index(b"\x1b[?25l") < drawn.rindex(b"\x1b[2J") < drawn.rindex(b"\x1b[?25h")
    assert after == b"2 accepted, 1 refused, 1 undetermined\r\n"
    assert issue().text[:30].encode() not in terminal.raw  # what is typed does not show
    assert listing(door) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_wipes_the_screen(door: Path, terminal: Terminal, number: signal.Signals) -> None:
    with session(terminal, door) as process:
        terminal.shows("Nothing is kept")
        terminal.types(issue().text + "\r")
        terminal.shows("✓ ACCEPTED", HOLDER)
        fcntl.ioctl(terminal.ours, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, 60, 0, 0))
        terminal.screen.resize(columns=60)
        process.send_signal(signal.SIGWINCH)
        terminal.shows("dose 2 of 2 on 2021-06-11, Comirnaty\n")  # broken where the smaller screen ends
        process.send_signal(number)
        assert ended(process, terminal) == Exit.STOPPED
    assert terminal.text.strip() == ""
    assert terminal.raw.endswith(b"\x1b[?1049l")


Session = Callable[..., object]


@pytest.fixture
def here(door: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Runs a session in this process, at the terminal, while ``play`` acts at the other end of it."""
    with (
        open(terminal.theirs, encoding="utf-8", closefd=False) as stdin,
        open(terminal.theirs, "w", encoding="utf-8", closefd=False) as stdout,
    ):
        yield lambda play, *options: _played(terminal, monkeypatch, (stdin, stdout), play, *options)
    os.close(terminal.theirs)


def _played(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    streams: tuple[TextIO, TextIO],
    play: Callable[[], None],
    *options: str,
) -> object:
    """The exit code of a session that ``play`` acts in. What fails there ends the session, and then the test."""
    with ThreadPoolExecutor(1) as other, monkeypatch.context() as patch:
        patch.setattr("sys.stdin", streams[0])
        patch.setattr("sys.stdout", streams[1])
        playing = other.submit(play)
        playing.add_done_callback(lambda done: done.exception() and os.write(terminal.ours, b"\x03\x03"))
        code = group(["scan", *JUDGED, *options], standalone_mode=False)
        playing.result()
    return code


class Watch:
    """Notes what this process opens to be written, or makes or renames, while it ``is_on``."""

    _MAKING = ("os.mkdir", "os.rename", "os.link", "os.symlink", "sqlite3.connect", "socket.connect")

    def __init__(self) -> None:
        self.is_on = False
        self.noted: list[tuple[object, ...]] = []
        sys.addaudithook(self._heard)  # for the rest of this process

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or event in self._MAKING:
            self.noted.append((event, *arguments))


def test_nothing_is_opened_to_be_written(here: Session, terminal: Terminal, capfd: pytest.CaptureFixture[str]) -> None:
    watch = Watch()

    def play() -> None:
        terminal.shows("Nothing is kept")
        watch.is_on = True
        terminal.types(issue().text + "\r")
        terminal.shows("✓ ACCEPTED", HOLDER)
        terminal.types(issue(TEST).text + "\r")
        terminal.shows("? UNDETERMINED")
        terminal.types("\x04")
        terminal.reads(0.5)
        watch.is_on = False

    # Ctrl-D ends the input, and so the code is that of what was judged.
    assert here(play) == Exit.UNDETERMINED
    watch.is_on = True
    os.close(os.open(os.devnull, os.O_WRONLY))
    watch.is_on = False
    assert [event[:2] for event in watch.noted] == [("open", os.devnull)]  # this alone: it would have been heard
    assert capfd.readouterr() == ("", "")
    assert terminal.text.strip() == ""


def test_long_and_hostile_input(here: Session, terminal: Terminal) -> None:
    parts = support_shc.Press().parts(2)
    long = "HC1:" + "A" * 4296  # more than a terminal's line holds

    def play() -> None:
        terminal.shows("Nothing is kept")
        assert not termios.tcgetattr(terminal.theirs)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        terminal.types(long + "\r")
        terminal.shows("✗ REFUSED", "(DECOMPRESSION_FAILED)")
        terminal.types(long + "A\r")
        terminal.shows("✗ REFUSED: more than 4300 characters", "(INPUT_TOO_LONG)")
        terminal.types("\x03\x1b]0;title\x07\x1b[2J\x9b\r")
        terminal.shows("(INVALID_SCHEME_PREFIX)")
        terminal.types("HC&M6BFOXN\r")
        terminal.shows("CHECK THE SCANNER: the scanner's keyboard layout is not the one of this machine")
        terminal.types(parts[0] + "\r")
        terminal.shows("SCAN THE NEXT PART: part 2 of 2 is missing (PARTS_MISSING)")
        terminal.types(parts[1] + "\r")
        terminal.shows("(KEY_NOT_IN_TRUST_LIST)")
        terminal.types("\x03\x03")
        terminal.reads(0.5)

    assert here(play) == Exit.STOPPED
    assert b"title" not in terminal.raw
    assert termios.tcgetattr(terminal.theirs)[3] & termios.ECHO


def test_a_serial_line(here: Session, terminal: Terminal) -> None:
    scanner, line = pty.openpty()
    name = os.ttyname(line)
    os.close(line)

    def play() -> None:
        terminal.shows("Nothing is kept")
        terminal.types("HC1:TYPED\r")  # beside the scanner: the keyboard scans nothing here
        os.write(scanner, issue().text.encode() + b"\r\n")
        terminal.shows("✓ ACCEPTED", HOLDER)
        os.write(scanner, b"\x03\r")
        terminal.shows("(INVALID_SCHEME_PREFIX)")
        os.close(scanner)  # unplugged

    assert here(play, "--serial", name, "--baud", "115200") == Exit.ENVIRONMENT


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--serial", "nothing"), "ENVIRONMENT: nothing: No such file"),
        (("--serial", "dsc.pem"), "ENVIRONMENT: dsc.pem: not a serial line"),
        (("--serial", "/dev/zero"), "ENVIRONMENT: /dev/zero: not a serial line"),
        (("--serial", "/dev/ptmx", "--baud", "9601"), "9601 is no speed"),
        (("--camera", "nothing"), "ENVIRONMENT: nothing: there is no such camera"),
        (("--camera", "http://127.0.0.1:9/"), "there is no such camera"),
        (("--camera", "dsc.pem"), "ENVIRONMENT: camera dsc.pem cannot be opened"),
    ],
)
def test_devices_that_are_none(run: Run, door: Path, options: tuple[str, ...], said: str) -> None:
    done = run("scan", *JUDGED, *options)
    assert (done.exit_code, said in done.stderr) == (Exit.ENVIRONMENT, True), done.output


def test_lines_of_a_pipe(run: Run, door: Path) -> None:
    texts = [issue().text, Press(sign=lambda _: bytes(64)).text(), "", issue(TEST).text, "x" * 5000]
    scan = ("scan", *JUDGED)
    done = run(*scan, "--count", stdin="\r\n".join(texts))
    assert done.exit_code == Exit.REFUSED
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ACCEPTED", "-"],
        ["REFUSED", "-"],
        ["UNDETERMINED", "-"],
        ["REFUSED", "-"],
    ]
    assert "Exemplaire" not in done.stdout
    assert done.stderr == "1 accepted, 2 refused, 1 undetermined\n"
    verdicts = [json.loads(line) for line in run(*scan, "--json", stdin="\n".join(texts)).stdout.splitlines()]
    assert [verdict["outcome"] for verdict in verdicts] == ["accepted", "refused", "undetermined", "refused"]
    assert set(verdicts[0]) == {"source", *verifier().examine(texts[0]).to_dict()}
    assert verdicts[0]["certificate"]["holder"]["given_name"] == "Zoé"
    assert verdicts[3]["code"] == "INPUT_TOO_LONG"


@pytest.mark.parametrize(
    ("text", "code"), [("", Exit.UNDETERMINED), (None, Exit.ACCEPTED), ("HC&M6BF", Exit.UNDETERMINED)]
)
def test_a_script_is_told_acceptance_alone_by_0(run: Run, door: Path, text: str | None, code: Exit) -> None:
    assert run("scan", *JUDGED, stdin=issue().text if text is None else text).exit_code == code


@pytest.mark.parametrize(
    "options",
    [
        ("--serial", "a", "--camera", "0"),
        ("picture.png", "--serial", "a"),
        ("picture.png", "--camera", "0"),
        ("--annotate", "out.png"),
        ("--frame", "2"),
        ("a.png", "b.png", "--annotate", "out.png"),
        ("a.png", "--frame", "2"),
        ("--seconds", "0"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(run: Run, door: Path, options: tuple[str, ...]) -> None:
    assert run("scan", *options).exit_code == Exit.USAGE


def test_a_file_of_certificates_on_the_screen(door: Path, terminal: Terminal) -> None:
    (door / "texts.txt").write_text(f"HC1:OTHER\n{issue().text}\n")
    with (door / "texts.txt").open("rb") as stdin, session(terminal, door, "--seconds", "0.5", stdin=stdin) as process:
        terminal.shows("✓ ACCEPTED", HOLDER)  # as long as any other
        assert ended(process, terminal) == Exit.REFUSED
    assert terminal.text.strip() == ""


def video(path: str, *pictures: bytes | None) -> None:
    """A video that shows each picture for some frames, or nothing."""
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (640, 480))
    for picture in pictures:
        frame = numpy.full((480, 640, 3), 255, numpy.uint8)
        if picture is not None:
            code = cv2.imdecode(numpy.frombuffer(picture, numpy.uint8), cv2.IMREAD_COLOR)
            frame[20 : 20 + code.shape[0], 90 : 90 + code.shape[1]] = code
        for _ in range(3):
            writer.write(frame)
    writer.release()


def test_a_camera(run: Run, door: Path) -> None:
    good, forged = issue(), Press(sign=lambda _: bytes(64)).text()
    pictures = [good.qr().png(module_pixels=4), QrCode.of(forged).png(module_pixels=4)]
    video("door.avi", None, pictures[0], None, pictures[0], pictures[1], None, pictures[0])
    done = run("scan", *JUDGED, "--camera", "door.avi", "--count")
    # The first certificate left the picture for too short a time to be another one.
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ACCEPTED", "REFUSED", "ACCEPTED"]
    assert (done.exit_code, done.stderr) == (Exit.REFUSED, "2 accepted, 1 refused, 0 undetermined\n")


@pytest.fixture
def picture(door: Path) -> str:
    """Two frames: a certificate and a link on the first one, a link on the second."""
    codes = [QrCode.of(text).png(module_pixels=4) for text in (issue().text, "HTTPS://EXAMPLE.ORG")]
    frames = [Image.new("L", (700, 400), 255) for _ in range(2)]
    drawn = [Image.open(BytesIO(code)).convert("L") for code in codes]
    frames[0].paste(drawn[0], (0, 0))
    frames[0].paste(drawn[1], (500, 100))
    frames[1].paste(drawn[1], (100, 100))
    frames[0].save("page.tiff", save_all=True, append_images=frames[1:])
    return "page.tiff"


def test_the_codes_of_a_picture_are_listed_and_not_told(run: Run, picture: str) -> None:
    done = run("scan", picture, "--json")
    assert (done.exit_code, done.stderr) == (Exit.ACCEPTED, "")
    found = sorted(
        (json.loads(line) for line in done.stdout.splitlines()), key=lambda one: (one["frame"], one["corners"])
    )
    assert [(one["frame"], one["family"], one["symbology"]) for one in found] == [
        (1, "HCERT", "QR code"),
        (1, None, "QR code"),
        (2, None, "QR code"),
    ]
    assert sorted(one["number"] for one in found) == [1, 2, 3]
    assert all(one["file"] == picture and one["width"] == 700 and one["rung"] for one in found)
    [left, top] = found[2]["corners"][0]
    assert (100 < left < 140, 100 < top < 140) == (True, True)
    lines = run("scan", picture).stdout
    assert lines.count("\n") == 3
    assert "no certificate" in lines
    assert "HC1" not in lines
    assert "EXAMPLE" not in lines


@pytest.mark.parametrize(("options", "frame"), [((), 1), (("--frame", "2"), 2)])
def test_a_picture_with_marks(run: Run, picture: str, options: tuple[str, ...], frame: int) -> None:
    done = run("scan", picture, "--annotate", "marked.png", *options)
    assert done.exit_code == Exit.ACCEPTED, done.output
    with Image.open("marked.png") as marked, Image.open(picture) as plain:
        assert (marked.format, marked.size) == ("PNG", plain.size)
        plain.seek(frame - 1)
        assert ImageChops.difference(marked.convert("RGB"), plain.convert("RGB")).getbbox() is not None


def test_pictures_without_codes(run: Run, picture: str) -> None:
    Image.new("L", (50, 50), 255).save("blank.png")
    Path("text.txt").write_text("HC1:NOT A PICTURE")
    done = run("scan", "blank.png", picture)
    assert (done.exit_code, "blank.png: no code was found" in done.stderr) == (Exit.UNDETERMINED, True)
    done = run("scan", "missing.png", picture)
    assert (done.exit_code, "missing.png: not read: No such file" in done.stderr) == (Exit.ENVIRONMENT, True)
    done = run("scan", "text.txt", "missing.png", "blank.png")
    assert (done.exit_code, "(IMAGE_UNREADABLE)" in done.stderr, done.stdout) == (Exit.REFUSED, True, "")
    assert run("scan", picture, "--annotate", picture).exit_code == Exit.USAGE
    done = run("scan", picture, "--annotate", "marked.png", "--frame", "3")
    assert (done.exit_code, Path("marked.png").exists()) == (Exit.USAGE, False)
