"""What a run tells in the end."""

from __future__ import annotations

from healthcert.batch.summary import Summary


def test_counts_are_told_by_their_kind_in_order_and_without_those_that_are_none() -> None:
    counts = {"verdict:issued": 3, "verdict:issued_before": 0, "code:B": 1, "code:A": 2, "issuer:FR": 3}
    summary = Summary(rows=6, counts=counts, seconds=1.23456)
    assert summary.of("verdict") == {"issued": 3}
    assert list(summary.of("code").items()) == [("A", 2), ("B", 1)]
    assert summary.to_dict() == {
        "rows": 6, "seconds": 1.235, "resumed": False, "stopped": False, "issuers": {"FR": 3}
    }  # fmt: skip
