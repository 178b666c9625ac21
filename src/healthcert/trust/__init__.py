"""Which keys may sign health certificates, and how they are told from others."""
