"""The bearer token that some servers ask for: the secret option ``token`` of a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from healthcert.errors import HealthCertError

_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)


def bearer(options: Mapping[str, str], invalid: Callable[[str], HealthCertError]) -> dict[str, str]:
    """The header that shows the token, none where no token is set.

    Raises what ``invalid`` makes of a fault; the token is not in it.
    """
    token = options.get("token")
    if token is None:
        return {}
    # RFC 9110 §5.5: a line end in it would begin another header.
    if not _TOKEN.fullmatch(token):
        raise invalid("token: visible ASCII characters, no spaces")
    return {"Authorization": f"Bearer {token}"}
