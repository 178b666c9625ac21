"""For other verifiers: the protocol of ``healthcert conformance run --command``, spoken by this library.

Reads one JSON object a line, a test case, and answers each with one line: what every step of the case came to. See
docs/reference/conformance-protocol.md; replace ``examine`` by your own verifier.

    healthcert conformance run dgc-testdata --command 'python conformance_command.py'
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import healthcert as hc


def examine(case: dict[str, Any]) -> dict[str, Any]:
    """The answer to one case: true where a step succeeds, false where it fails, nothing where it cannot be told."""
    found: dict[str, bool] = {}
    if case["picture"] is not None:
        found["EXPECTEDPICTUREDECODE"] = case["text"] in texts_in(base64.b64decode(case["picture"]))
    if case["text"] is None or case["clock"] is None or case["certificate"] is None:
        return {"id": case["id"], "found": found}

    try:
        trust = hc.TrustStore.from_certificates([base64.b64decode(case["certificate"])])
    except hc.TrustError:
        trust = hc.TrustStore()
    report = hc.Verifier(trust, clock=hc.FixedClock(case["clock"])).examine(case["text"])
    passed = {step.step: step.outcome is hc.StepResult.PASSED for step in report.steps}
    ran = {step.step for step in report.steps if step.outcome is not hc.StepResult.NOT_RUN}

    found["EXPECTEDUNPREFIX"] = passed[hc.Step.RECOGNISE]
    if hc.Step.DECODE in ran:
        found["EXPECTEDB45DECODE"] = report.code is not hc.Code.BASE_45_DECODING_FAILED
        if found["EXPECTEDB45DECODE"]:
            found["EXPECTEDCOMPRESSION"] = report.code is not hc.Code.DECOMPRESSION_FAILED
        if not passed[hc.Step.DECODE]:
            found["EXPECTEDDECODE"] = False
    if hc.Step.TRUST in ran:
        found["EXPECTEDVERIFY"] = passed[hc.Step.TRUST] and passed[hc.Step.SIGNATURE]
        too_long = any(warning.code is hc.Code.EXPIRES_AFTER_KEY for warning in report.warnings)
        found["EXPECTEDEXPIRATIONCHECK"] = passed[hc.Step.TIME] and not too_long
    if hc.Step.USAGE in ran:
        found["EXPECTEDKEYUSAGE"] = passed[hc.Step.USAGE]
    if hc.Step.CONTENT in ran and report.code is not hc.Code.MULTIPLE_ENTRIES:  # of one kind, older schemas allow them
        found["EXPECTEDSCHEMAVALIDATION"] = report.certificate is not None
    answer: dict[str, Any] = {"id": case["id"], "found": found}
    if report.certificate is not None:
        answer["payload"] = report.certificate.raw
    return answer


def texts_in(picture: bytes) -> list[str]:
    """The texts of all codes in a picture; none where it is no picture."""
    try:
        return hc.read_barcodes(picture)
    except hc.DecodeError:
        return []


def plain(value: object) -> object:
    """What JSON has no words for: a value in a CBOR tag is that value, bytes are hexadecimal."""
    return value.hex() if isinstance(value, bytes) else getattr(value, "value", None)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(examine(json.loads(line)), default=plain), flush=True)
