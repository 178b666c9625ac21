"""``healthcert sign``: the signer's side of remote signing, which sees digests and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path

import click

from healthcert.clock import SystemClock
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.issue.digests import (
    DIGEST_BYTES,
    DigestRequest,
    number_of,
    read_request,
    refusal_line,
    signature_line,
)
from healthcert.issue.signer import Signer
from healthcert.limits import DEFAULT_LIMITS
from healthcert_cli.exits import boundary
from healthcert_cli.signing import load_signer, signer_options

# Enough to find a signature in both logs, and not enough to make anything of.
_LOGGED_BYTES = 8


@click.command()
@signer_options
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to add a line to for every signature: the moment, the kid and the first 8 bytes of the digest.",
)
@boundary
def command(key: str | Path, certificate: Path, passphrase_file: Path | None, log: Path | None) -> None:
    """Sign digests that another machine sends: the signer's side of remote signing.

    Reads a request a line from standard input, and writes its answer to standard output, until the input ends. An
    issuer starts it by --key "command:ssh signer healthcert sign ...", and sends it nothing but digests.

    Whoever can reach it can have any certificate signed: let nobody start it but the issuer's own account.
    """
    signer = load_signer(key, certificate, passphrase_file)
    if signer.algorithm not in DIGEST_BYTES:
        raise IssueError(Code.UNSUITABLE_PUBLIC_KEY_TYPE, "the key signs no digests", Step.SIGNATURE)
    if log is None:
        _serve(signer, lambda _: None)
        return
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with FileIO(descriptor, "a") as file:
        _serve(signer, partial(_note, file))


def _serve(signer: Signer, note: Callable[[DigestRequest], None]) -> None:
    """Answers requests until there are no more. Raises :class:`IssueError` for a line that has no end."""
    if sys.stdin is None or sys.stdout is None:
        raise click.UsageError("requests come on standard input, and answers go to standard output")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    limit = DEFAULT_LIMITS.signer_line_bytes
    while line := source.readline(limit + 1):
        if len(line) > limit:
            error = IssueError(Code.REQUEST_INVALID, f"a request of more than {limit} bytes", Step.SIGNATURE)
            sink.write(refusal_line(None, error))
            sink.flush()
            raise error
        sink.write(_answer(line, signer, note))
        sink.flush()


def _answer(line: bytes, signer: Signer, note: Callable[[DigestRequest], None]) -> bytes:
    try:
        number, request = read_request(line, signer)
        # Noted first: a signature that left without a line in the log could not be found again.
        note(request)
        return signature_line(number, signer.sign(request.digest, prehashed=True))
    except HealthCertError as error:
        return refusal_line(number_of(line), error)


def _note(file: FileIO, request: DigestRequest) -> None:
    """Adds one line; an OSError ends the command before anything is signed."""
    moment = SystemClock().now().isoformat(timespec="seconds")
    start = request.digest[:_LOGGED_BYTES].hex()
    file.write(f"{moment} {request.kid.hex()} {start}\n".encode())
