"""What commands that print a certificate have in common: language, paper, template and password."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from healthcert.document.words import LANGUAGES
from healthcert_cli.options import text_line, write_whole
from healthcert_cli.text import printable

if TYPE_CHECKING:  # which is for those who print
    from healthcert.document.document import Document
    from healthcert.document.template import Template

PAPERS = ("a4", "letter", "card")
_NEW = "\0new"  # what no shell can give
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)

lang_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language, with English beside it."
)
template_option = click.option(
    "--template", "template_file", type=_existing, help="TOML file with the issuer's name, logo, colour and wording."
)
paper_option = click.option(
    "--paper", type=click.Choice(PAPERS), default="a4", show_default=True, help="Paper of the printable certificate."
)
_PASSWORD = (
    click.option(
        "--password",
        is_flag=False,
        flag_value=_NEW,
        metavar="[PASSWORD]",
        help="Encrypt the PDF (AES-256). Without a value, a new password is made and printed on standard error, so "
        "that it can go another way than the file. Others on this machine can see a value that is given here.",
    ),
    click.option("--password-file", type=_existing, help="File with the PDF's password in its first line."),
)


class Printing(Struct, frozen=True, kw_only=True):
    """How a certificate is printed."""

    lang: str
    paper: str
    template_file: Path | None
    password: str | None
    password_file: Path | None

    @property
    def read(self) -> tuple[Path | None, ...]:
        """The files that are read, and so must not be written over."""
        return self.template_file, self.password_file

    def template(self) -> Template:
        """Raises :class:`DocumentError` (``TEMPLATE_INVALID``), OSError."""
        return load_template(self.template_file)

    def check(self) -> None:
        """What would keep a PDF from being written, before anything is issued.

        Raises :class:`DocumentError` (``EXTRA_MISSING``, ``DOCUMENT_FAILED`` for a password that cannot be used),
        DecodeError, OSError, UsageError.
        """
        from healthcert.document.paper import prepare
        from healthcert.document.protection import check_passphrase

        prepare()
        password = self._given()
        if password is not None:
            check_passphrase(password)

    def write_pdf(self, document: Document, path: Path, *, keep: Iterable[str | Path | None] = ()) -> None:
        """Writes the PDF, and tells the password that was made for it.

        Raises as :meth:`check`, and :class:`DocumentError` (``DOCUMENT_FAILED``) for what cannot be set.
        """
        from healthcert.document.protection import new_passphrase, protect

        password = new_passphrase() if self.password == _NEW else self._given()
        page = document.pdf(lang=self.lang, paper=self.paper)
        if password is not None:
            page = protect(page, password)
        write_whole(path, page, keep=(*self.read, *keep))
        if self.password == _NEW:
            click.echo(f"Password of {printable(path)}: {password}", err=True)

    def _given(self) -> str | None:
        """The password that somebody chose; None for none, and for a new one."""
        if self.password_file is not None:
            if self.password is not None:
                raise click.UsageError("--password and --password-file are one or the other")
            return text_line(self.password_file)
        return None if self.password == _NEW else self.password


def load_template(path: Path | None) -> Template:
    """The template in a file, or the usual one. Raises :class:`DocumentError` (``TEMPLATE_INVALID``), OSError."""
    from healthcert.document.template import Template

    return Template() if path is None else Template.load(path)


def printing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of one who prints, handed to the command as ``printing``."""
    names = signature(Printing).parameters

    @wraps(command)
    def run(**given: Any) -> Any:
        return command(printing=Printing(**{name: given.pop(name) for name in names}), **given)

    wrapped: Callable[..., Any] = run
    for option in reversed((lang_option, paper_option, *_PASSWORD, template_option)):
        wrapped = option(wrapped)
    return wrapped
