"""Records in HL7 v2: laboratory results (ORU^R01) and vaccinations (VXU^V04) to rows.

The reading of separators is this project's own (``docs/decisions/0021-hl7.md``); nothing beyond it is needed here.
"""

from __future__ import annotations

from healthcert.intake.hl7v2.reader import read_hl7v2

__all__ = ["read_hl7v2"]
