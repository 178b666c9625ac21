"""Exit codes, and the one boundary where exceptions become messages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import wraps
from typing import Any, NoReturn, ParamSpec

import click

from healthcert.errors import Code, HealthCertError
from healthcert_cli.text import printable

P = ParamSpec("P")


class Exit(IntEnum):
    """What the exit code of a command says; the same for every command."""

    ACCEPTED = 0
    REFUSED = 1
    USAGE = 2
    UNDETERMINED = 3
    ENVIRONMENT = 4
    STOPPED = 130
    """By Ctrl-C or a signal, as shells have it: 128 and the number of SIGINT."""


# Faults of the place the command runs in, not of the record or certificate it was given.
_ENVIRONMENT = frozenset(
    (
        Code.TRUST_STORE_UNREADABLE,
        Code.REVOCATION_STORE_UNREADABLE,
        Code.RULE_STORE_UNREADABLE,
        Code.SIGNER_KEY_UNREADABLE,
        Code.SIGNER_KEY_MISMATCH,
        Code.SIGNING_FAILED,
        Code.PIN_REFUSED,
        Code.TOKEN_UNAVAILABLE,
        Code.NO_SIGNER,
        Code.PROFILE_INVALID,
        Code.MAPPING_INVALID,
        Code.REGISTER_UNUSABLE,
        Code.EXTRA_MISSING,
        Code.FETCH_FAILED,
        Code.TEMPLATE_INVALID,
        Code.WALLET_UNREADABLE,
        Code.WORKER_LOST,
        Code.JOURNAL_UNUSABLE,
        Code.ENVIRONMENT,
    )
)


def exit_of(code: Code) -> Exit:
    """The exit code for an error: whether it is the place's fault, or that of what was given."""
    return Exit.ENVIRONMENT if code in _ENVIRONMENT else Exit.REFUSED


def exit_of_rows(codes: Iterable[Code]) -> Exit:
    """The exit code of a command in which rows were rejected with these codes.

    A place at fault weighs more than broken rows: the same rows, given again, may be done then.
    """
    found = {exit_of(code) for code in codes}
    return next((code for code in (Exit.ENVIRONMENT, Exit.REFUSED) if code in found), Exit.ACCEPTED)


def exit_of_all(errors: Iterable[HealthCertError | None]) -> Exit:
    """The exit code of a command that did several things: what was refused weighs more than a place at fault."""
    found = {exit_of(error.code) for error in errors if error is not None}
    return next((code for code in (Exit.REFUSED, Exit.ENVIRONMENT) if code in found), Exit.ACCEPTED)


def tell_unread(source: str, error: HealthCertError | OSError) -> Exit:
    """Tells on standard error why one of several sources could not be used, and gives the exit code for it."""
    if isinstance(error, HealthCertError):
        click.echo(f"{printable(source)}: {error.detail} ({error.code})", err=True)
        return exit_of(error.code)
    click.echo(f"{printable(source)}: not read: {error.strerror or 'cannot be read'}", err=True)
    return Exit.ENVIRONMENT


def boundary(command: Callable[P, Any]) -> Callable[P, None]:
    """Turns what a command raises into one line on standard error (or JSON on standard output) and an exit code.

    The command may return an :class:`Exit`; None is success.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            result = command(*args, **kwargs)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except HealthCertError as error:
            _fail(error.code.value, error.detail, error.step, exit_of(error.code), as_json=as_json)
        except BrokenPipeError:
            _silence_output()
            raise click.exceptions.Exit(Exit.ENVIRONMENT) from None
        except OSError as error:
            detail = f"{error.strerror or type(error).__name__}: {error.filename or 'a file'}"
            _fail(Code.ENVIRONMENT.value, detail, None, Exit.ENVIRONMENT, as_json=as_json)
        except Exception as error:
            if os.environ.get("HEALTHCERT_DEBUG"):
                raise
            # The type alone: the message of an unforeseen error may quote personal data.
            detail = f"an internal error ({type(error).__name__}); HEALTHCERT_DEBUG=1 shows where"
            _fail(Code.GENERAL_ERROR.value, detail, None, Exit.ENVIRONMENT, as_json=as_json)
        raise click.exceptions.Exit(result if isinstance(result, Exit) else Exit.ACCEPTED)

    return run


def _fail(code: str, detail: str, step: str | None, exit_code: Exit, *, as_json: bool) -> NoReturn:
    """Prints one error and ends the command."""
    try:
        if as_json:
            click.echo(json.dumps({"error": {"code": code, "step": step, "detail": detail}}))
        else:
            click.echo(f"{click.style('Error', fg='red', bold=True)} {code}: {printable(detail)}", err=True)
        click.echo(nl=False)  # what the command printed before
    except OSError:  # it may be standard output itself that is full
        _silence_output()
    raise click.exceptions.Exit(exit_code)


def _silence_output() -> None:
    """What nobody takes any more is given up, so that the interpreter's last flush stays quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
