"""The register of an issuing authority: what it issued, without a word about whom.

It is kept in SQLite or PostgreSQL through SQLAlchemy (the extra ``register``), which importing this package needs.
"""

from __future__ import annotations

from healthcert.errors import Code, RegisterError

try:
    from healthcert.authority.register.store import Register
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sqlalchemy":
        raise
    detail = "a register is kept with the package SQLAlchemy: pip install 'healthcert[register]'"
    raise RegisterError(Code.EXTRA_MISSING, detail) from None
from healthcert.authority.register.chain import Action, Entry
from healthcert.authority.register.values import Count, New, Registered, Standing, State

__all__ = ["Action", "Count", "Entry", "New", "Register", "Registered", "Standing", "State"]
