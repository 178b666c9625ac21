"""Where a private key is: in a file, in a hardware module, or with a signer elsewhere. One door to all of them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Protocol

from healthcert.encoding.algorithms import PrivateKey
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.signer import PemSigner, Signer, load_certificate, load_private_key, needs_passphrase
from healthcert.limits import DEFAULT_LIMITS, read_file

COMMAND = "command:"

PrivateKeyLike = PrivateKey
"""A private key as ``cryptography`` takes it; a hardware module's is one of these that cannot be exported."""


class Secrets(Protocol):
    """Who gives passphrases and PINs, once they are needed: the command line's prompts, or files."""

    def passphrase(self, path: Path) -> bytes:
        """The passphrase of the key file at ``path``."""
        ...

    def pin(self, token: str) -> str:
        """The user's PIN of the token with this label."""
        ...


def is_file(key: str | Path) -> bool:
    """Whether a key source is a file, and neither a hardware module's key nor a command."""
    return isinstance(key, Path) or not (is_pkcs11(key) or key.startswith(COMMAND))


def open_signer(key: str | Path, certificate: str | Path, secrets: Secrets) -> Signer:
    """The signer with this key and the DSC in the file ``certificate`` (PEM or DER).

    ``key`` is a file (PEM or DER), a PKCS #11 URI (``pkcs11:token=...;object=...?module-path=...``), or a command that
    signs digests (``command:ssh signer healthcert sign ...``). Raises :class:`IssueError`: ``SIGNER_KEY_UNREADABLE``,
    ``SIGNER_KEY_MISMATCH``, ``CERTIFICATE_UNREADABLE``, ``PIN_REFUSED``, ``TOKEN_UNAVAILABLE``, ``FIELD_INVALID``,
    ``EXTRA_MISSING``; OSError when a file cannot be read.
    """
    text = str(key)
    if is_file(key):
        path = Path(key)
        return PemSigner.load(path, certificate, passphrase=_passphrase(path, secrets))
    if is_pkcs11(text):
        from healthcert.issue.hsm.signer import Pkcs11Signer

        uri = Pkcs11Uri.parse(text)
        return Pkcs11Signer(uri, load_certificate(certificate), pin=pin_of(uri, secrets))
    from healthcert.issue.remote import CommandExchange, RemoteSigner

    return RemoteSigner(load_certificate(certificate), CommandExchange(command_words(text)))


def open_private_key(key: str | Path, secrets: Secrets) -> PrivateKeyLike:
    """The private key itself, for those who sign certificates and requests for them.

    ``key`` is as for :func:`open_signer`, without commands. A key of a hardware module signs there: what would give
    its secret raises. Raises as :func:`open_signer` does.
    """
    text = str(key)
    if is_file(key):
        path = Path(key)
        return load_private_key(read_file(path, DEFAULT_LIMITS.key_file_bytes), _passphrase(path, secrets))
    if is_pkcs11(text):
        from healthcert.issue.hsm.keys import open_token_key

        uri = Pkcs11Uri.parse(text)
        return open_token_key(uri, pin_of(uri, secrets))
    detail = "key: a command signs certificates of health only; a CSCA's key is a file or in a hardware module"
    raise IssueError(Code.FIELD_INVALID, detail, Step.SIGNATURE)


def pin_of(uri: Pkcs11Uri, secrets: Secrets) -> str:
    """The PIN of a URI's token: from the file that the URI names, else from ``secrets``.

    Raises :class:`IssueError` (``PIN_REFUSED``) for a file without a PIN; OSError when it cannot be read.
    """
    if uri.pin_source is None:
        return secrets.pin(uri.describe_token())
    return read_pin(uri.pin_source)


def read_pin(path: str | Path) -> str:
    """The PIN in the first line of a file. Raises :class:`IssueError` (``PIN_REFUSED``), OSError."""
    lines = read_file(path, DEFAULT_LIMITS.key_file_bytes).splitlines()
    try:
        pin = lines[0].decode("utf-8") if lines else ""
    except UnicodeDecodeError:
        pin = ""
    if not pin:
        raise IssueError(Code.PIN_REFUSED, "the PIN file holds no PIN in its first line", Step.SIGNATURE)
    return pin


def _passphrase(path: Path, secrets: Secrets) -> bytes | None:
    return secrets.passphrase(path) if needs_passphrase(read_file(path, DEFAULT_LIMITS.key_file_bytes)) else None


def command_words(text: str) -> list[str]:
    """The words of a ``command:`` source; no shell ever sees them. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    try:
        words = shlex.split(text.removeprefix(COMMAND))
    except ValueError:
        words = []
    if not words:
        detail = "key: after command: stand a program and its arguments; for example command:ssh signer healthcert sign"
        raise IssueError(Code.FIELD_INVALID, detail, Step.SIGNATURE)
    return words
