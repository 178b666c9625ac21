"""NZ COVID Pass (NZCP), as New Zealand's My Vaccine Pass was: a signed name and date of birth."""
