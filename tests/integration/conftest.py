"""Registers in each database, for the tests that run programs against them."""

from __future__ import annotations

from tests.registers import place, postgresql_server

__all__ = ["place", "postgresql_server"]
