"""Work in chunks over several processes of this machine: in order, bounded in memory, and whole when a process dies."""

from healthcert.pool.engine import Pool
from healthcert.pool.tasks import Done, Lost

__all__ = ["Done", "Lost", "Pool"]
