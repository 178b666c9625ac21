"""An issuing authority: its register of what it issued, its audit log, and what goes through both."""
