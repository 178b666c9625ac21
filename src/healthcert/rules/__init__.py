"""Is a certificate good enough, here, today: the language of rules, their selection, and the value sets they need."""

from healthcert.rules import certlogic

__all__ = ["certlogic"]
