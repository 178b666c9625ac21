"""A hardware module in software: tokens of SoftHSM2, made in a folder of their own.

SoftHSM reads where its tokens are once, when the module is loaded: so all tests of one process share one folder, and
what needs another runs in a process of its own with :meth:`SoftToken.environment`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

PIN = "271828"
OFFICER_PIN = "31415926"
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


def module_file() -> Path | None:
    """The module: the variable HEALTHCERT_SOFTHSM, or where distributions put it."""
    named = os.environ.get("HEALTHCERT_SOFTHSM")
    places = [named] if named else [*_PLACES, *map(str, Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"))]
    return next((path for path in map(Path, places) if path.is_file()), None)


def missing() -> str | None:
    """Why there can be no token here, or None."""
    if module_file() is None:
        return "SoftHSM2's module is not installed (Debian: softhsm2), and HEALTHCERT_SOFTHSM does not name it"
    return None if shutil.which("softhsm2-util") else "softhsm2-util is not installed (Debian: softhsm2)"


@dataclass(frozen=True)
class SoftToken:
    """A token with its user's PIN set."""

    config: Path
    label: str

    def uri(self, label: str | None = None, **query: str) -> str:
        """The PKCS #11 URI of the key with this label."""
        key = f";object={quote(label)}" if label is not None else ""
        asked = {"module-path": str(module_file())} | {name.replace("_", "-"): value for name, value in query.items()}
        return f"pkcs11:token={quote(self.label)}{key}?" + "&".join(f"{k}={quote(v)}" for k, v in asked.items())

    def environment(self) -> dict[str, str]:
        """The variables of a process that uses the token."""
        return os.environ | {"SOFTHSM2_CONF": str(self.config)}

    def folder(self) -> Path:
        """Where the tokens' files are."""
        return self.config.parent / "tokens"


def make_token(folder: Path, label: str = "Health") -> SoftToken:
    """A new token; further ones in the same folder are further slots of one module."""
    config = folder / "softhsm2.conf"
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    token = SoftToken(config, label)
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER_PIN]
    subprocess.run(command, env=token.environment(), check=True, capture_output=True, timeout=60)
    return token


@cache
def shared_tokens() -> tuple[SoftToken, SoftToken]:
    """The two tokens that all tests of this process share; the variable SOFTHSM2_CONF is set for them."""
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    first, second = make_token(folder, "Health"), make_token(folder, "Spare token")
    os.environ["SOFTHSM2_CONF"] = str(first.config)
    return first, second
