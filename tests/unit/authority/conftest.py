"""What tests of the register share: a server for all of them, and a place in each database."""

from __future__ import annotations

from tests.registers import place, postgresql_server

__all__ = ["place", "postgresql_server"]
