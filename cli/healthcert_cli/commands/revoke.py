"""``healthcert revoke``: what an issuer calls to revoke certificates."""

from __future__ import annotations

from healthcert_cli.commands.revocation.issuing import revoke as command

__all__ = ["command"]
