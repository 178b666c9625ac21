"""Which data an expression reads."""

from __future__ import annotations

from typing import Any

import pytest

from healthcert.rules import certlogic


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        (True, set()),
        ({"var": ""}, {""}),
        ({"var": "payload.v.0"}, {"payload.v.0"}),
        ({"if": [{"var": "a"}, {"var": "b"}, {"!": [{"var": "c"}]}]}, {"a", "b", "c"}),
        ([{"var": "a"}, [{"var": "b"}], "c"], {"a", "b"}),
        ({"plusTime": [{"var": "a"}, 1, "day"]}, {"a"}),
        ({"extractFromUVCI": [{"var": "a"}, 1]}, {"a"}),
        # The lambda reads its own data.
        ({"reduce": [{"var": "a"}, {"+": [{"var": "accumulator"}, {"var": "current"}]}, {"var": "b"}]}, {"a", "b"}),
        ({"reduce": [[{"var": "a"}], {"reduce": [{"var": "current"}, {"var": "x"}, {"var": "y"}]}, 0]}, {"a"}),
        # Also of what is no valid expression what can be told.
        ({"foo": [{"var": "a"}], "bar": {"var": "b"}}, {"a", "b"}),
        ({"var": 1}, set()),
        ({"var": ["a"]}, set()),
        ({"reduce": {"var": "a"}}, {"a"}),
        ({"reduce": [{"var": "a"}]}, {"a"}),
        (None, set()),
    ],
)
def test_accesses(expression: Any, paths: set[str]) -> None:
    assert certlogic.data_accesses(expression) == paths
