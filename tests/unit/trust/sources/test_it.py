"""The Italian list: one entry an answer, a list of what is valid, and going on where one was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from healthcert.errors import FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.it import Italian
from healthcert.trust.sources.protocol import Known
from tests.support import NOW, dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    check_no_more,
    context,
    curve_key,
    damaged,
    kid_of,
    loaded,
    mutations,
    problems,
    refusal,
)

SOURCE = Italian()
PLAIN = context()
URL = "https://example.it/v1/dgc/signercertificate"
KID, BARE = b64(kid_of(dsc())), curve_key()
CERTIFICATE = b64(dsc().certificate_der())
KEYS: dict[str, Any] = {KID: CERTIFICATE, "AAAAAAAAAAA=": b64(BARE)}


def parts(keys: Any = None, status: Any = None) -> dict[str, bytes]:
    found = KEYS if keys is None else keys
    return {
        "keys": json.dumps(found).encode(),
        "status": json.dumps(list(found) if status is None else status).encode(),
    }


def test_certificates_and_bare_keys() -> None:
    found = SOURCE.load(parts(), PLAIN)
    assert (found.assurance, found.skipped) == (Assurance.TLS_ONLY, ())
    assert [(key.kid, key.domain, key.certificate) for key in found.keys] == [
        (kid_of(dsc()), "DCC", dsc().certificate_der()),
        (b"\0" * 8, "DCC", None),
    ]


def test_what_is_not_valid_any_more_is_left_out() -> None:
    found = SOURCE.load(parts(status=["AAAAAAAAAAA=", KID[:-1], 5, None]), PLAIN)
    assert [key.kid for key in found.keys] == [b"\0" * 8]
    assert problems(found) == [("entry 1", "not among those that are valid now")]
    assert found.skipped[0].error.code == "KEY_NOT_IN_TRUST_LIST"


def test_several_entries_of_one_kid() -> None:
    found = SOURCE.load(parts({"AAAAAAAAAAA=": [b64(BARE), b64(curve_key()), 5]}), PLAIN)
    assert len(found.keys) == 2
    assert problems(found) == [("entry 3", "neither a certificate nor a public key in base64")]


def test_the_kid_of_a_certificate_is_its_own() -> None:
    found = SOURCE.load(parts({"AAAAAAAAAAA=": CERTIFICATE}), PLAIN)
    assert problems(found) == [("entry 1", "its kid is not that of its certificate")]


def test_bounds() -> None:
    few = context(limits=FEW)
    assert refusal(SOURCE, parts(), few) == "INPUT_TOO_LONG"
    assert refusal(SOURCE, parts({KID: [CERTIFICATE, CERTIFICATE]}), few) == "INPUT_TOO_LONG"
    assert refusal(SOURCE, parts({KID: CERTIFICATE}, [KID, "x"]), few) == "INPUT_TOO_LONG"


@pytest.mark.parametrize("name", ["keys", "status"])
def test_both_parts_are_needed(name: str) -> None:
    assert (
        refusal(SOURCE, {key: data for key, data in parts().items() if key != name}, PLAIN) == "TRUST_LIST_UNREADABLE"
    )
    assert refusal(SOURCE, parts() | {name: b"5"}, PLAIN) == "TRUST_LIST_UNREADABLE"


def test_a_changed_list_has_no_other_keys() -> None:
    good = SOURCE.load(parts(), PLAIN)
    for changed in mutations(KEYS):
        check_no_more(good, loaded(SOURCE, parts() | {"keys": changed}, PLAIN))
    for changed in mutations(list(KEYS)):
        check_no_more(good, loaded(SOURCE, parts() | {"status": changed}, PLAIN))


@given(damaged(*parts().values()))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, parts() | {"keys": data}, PLAIN)
    loaded(SOURCE, parts() | {"status": data}, PLAIN)


# --- Fetching ---


class Service:
    """The entries in their order; a token is how many of them were given."""

    def __init__(self, entries: list[tuple[str, str]], status: list[str], end: int = 204) -> None:
        self.entries, self.status, self.end = entries, status, end

    def __call__(self, url: str, headers: Mapping[str, str]) -> Response:
        if url == f"{URL}/status":
            return answer(json.dumps(self.status).encode(), etag=f'"{len(self.status)}"')
        assert url == f"{URL}/update"
        number = int(headers.get("X-RESUME-TOKEN", "0"))
        if number >= len(self.entries):
            return Response(self.end, b"whatever")
        kid, text = self.entries[number]
        return answer(text.encode(), x_kid=kid, x_resume_token=str(number + 1))


def known_of(fetched: Any, age: timedelta = timedelta(days=1)) -> Known:
    return Known(fetched.parts, NOW, NOW - age, fetched.validators)


ENTRIES = list(KEYS.items())


@pytest.mark.parametrize("end", [203, 204])
def test_the_whole_list_one_by_one(end: int) -> None:
    server = Table(Service(ENTRIES, list(KEYS), end))
    fetched = SOURCE.fetch(server, URL, Known(), PLAIN)
    assert fetched is not None
    assert (dict(fetched.parts), fetched.whole) == (parts() | {"token": b"2"}, True)
    assert [headers.get("X-RESUME-TOKEN") for _, headers in server.asked] == [None, None, "1", "2"]
    assert len(SOURCE.load(fetched.parts, PLAIN).keys) == 2


def test_going_on_where_one_was() -> None:
    service = Service(ENTRIES[:1], [KID])
    first = SOURCE.fetch(Table(service), URL, Known(), PLAIN)
    assert SOURCE.fetch(Table(service), URL, known_of(first), PLAIN) is None
    service.entries, service.status = ENTRIES, list(KEYS)
    server = Table(service)
    second = SOURCE.fetch(server, URL, known_of(first), PLAIN)
    assert second is not None
    assert (dict(second.parts), second.whole) == (parts() | {"token": b"2"}, False)
    assert [headers for _, headers in server.asked] == [
        {"If-None-Match": '"1"'},
        {"X-RESUME-TOKEN": "1"},
        {"X-RESUME-TOKEN": "2"},
    ]


def test_a_server_without_validators_that_says_the_same_again() -> None:
    def without(url: str, headers: Mapping[str, str]) -> Response:
        return msgspec.structs.replace(service(url, headers), headers={}) if "status" in url else service(url, headers)

    service = Service(ENTRIES, list(KEYS))
    first = SOURCE.fetch(Table(without), URL, Known(), PLAIN)
    assert SOURCE.fetch(Table(without), URL, known_of(first), PLAIN) is None


def test_a_service_without_entries() -> None:
    first = SOURCE.fetch(Table(Service([], [])), URL, Known(), PLAIN)
    assert first is not None
    assert dict(first.parts) == parts({})
    # It was all asked for, and that there is nothing is known as of now.
    assert SOURCE.fetch(Table(Service([], [])), URL, known_of(first), PLAIN) == first


def test_a_withdrawn_kid_shows_though_there_is_no_new_entry() -> None:
    service = Service(ENTRIES, list(KEYS))
    first = SOURCE.fetch(Table(service), URL, Known(), PLAIN)
    service.status = [KID]
    second = SOURCE.fetch(Table(service), URL, known_of(first), PLAIN)
    assert second is not None
    assert [key.kid for key in SOURCE.load(second.parts, PLAIN).keys] == [kid_of(dsc())]


def test_an_unchanged_status_beside_a_new_entry() -> None:
    service = Service(ENTRIES[:1], list(KEYS))
    first = SOURCE.fetch(Table(service), URL, Known(), PLAIN)
    service.entries = ENTRIES
    second = SOURCE.fetch(Table(service), URL, known_of(first), PLAIN)
    assert second is not None
    assert len(SOURCE.load(second.parts, PLAIN).keys) == 2


def test_a_list_of_seven_days_is_fetched_anew() -> None:
    service = Service(ENTRIES, list(KEYS))
    first = SOURCE.fetch(Table(service), URL, Known(), PLAIN)
    service.entries = ENTRIES[1:]
    for known in (known_of(first, timedelta(days=7)), msgspec.structs.replace(known_of(first), loaded_at=None)):
        again = SOURCE.fetch(Table(service), URL, known, PLAIN)
        assert again is not None
        assert (again.whole, json.loads(again.parts["keys"])) == (True, dict(ENTRIES[1:]))
    assert SOURCE.fetch(Table(service), URL, known_of(first, timedelta(days=6.9)), PLAIN) is None


@pytest.mark.parametrize("missing", ["keys", "status", "token"])
def test_without_one_of_the_parts_all_is_fetched(missing: str) -> None:
    service = Service(ENTRIES, list(KEYS))
    first = SOURCE.fetch(Table(service), URL, Known(), PLAIN)
    assert first is not None
    left = {name: data for name, data in first.parts.items() if name != missing}
    again = SOURCE.fetch(Table(service), URL, msgspec.structs.replace(known_of(first), parts=left), PLAIN)
    assert again is not None
    assert again.whole


@pytest.mark.parametrize("token", [b"a\r\nX: y", b"", b"\xff", b"x" * 257])
def test_a_kept_token_that_cannot_be_one_is_not_sent(token: bytes) -> None:
    first = SOURCE.fetch(Table(Service(ENTRIES, list(KEYS))), URL, Known(), PLAIN)
    assert first is not None
    known = Known({**first.parts, "token": token}, NOW, NOW, first.validators)
    server = Table(Service(ENTRIES, list(KEYS)))
    again = SOURCE.fetch(server, URL, known, PLAIN)
    assert again is not None
    assert again.whole
    assert server.asked[1][1] == {}


def test_several_entries_of_one_kid_are_all_kept() -> None:
    other = b64(curve_key())
    entries = [("AAAAAAAAAAA=", b64(BARE)), ("AAAAAAAAAAA=", other), ("AAAAAAAAAAA=", other)]
    fetched = SOURCE.fetch(Table(Service(entries, ["AAAAAAAAAAA="])), URL, Known(), PLAIN)
    assert fetched is not None
    assert json.loads(fetched.parts["keys"]) == {"AAAAAAAAAAA=": [b64(BARE), other]}


def always(**headers: str) -> Table:
    """A service that gives the same entry for ever."""
    return Table(lambda url, _: answer(b"[]" if "status" in url else CERTIFICATE.encode(), **headers))


def test_a_service_that_does_not_get_on() -> None:
    server = always(x_kid=KID, x_resume_token="1")
    with pytest.raises(FetchError, match="again"):
        SOURCE.fetch(server, URL, Known(), PLAIN)
    assert len(server.asked) == 3


def test_a_service_that_goes_in_a_circle() -> None:
    def circle(url: str, headers: Mapping[str, str]) -> Response:
        number = int(headers.get("X-RESUME-TOKEN", "0"))
        return answer(b"[]") if "status" in url else answer(b"x", x_kid=KID, x_resume_token=str((number + 1) % 5))

    with pytest.raises(FetchError, match="again"):
        SOURCE.fetch(Table(circle), URL, Known(), PLAIN)


def test_a_service_that_does_not_end() -> None:
    def endless(url: str, headers: Mapping[str, str]) -> Response:
        number = int(headers.get("X-RESUME-TOKEN", "0"))
        return answer(b"[]") if "status" in url else answer(b"x" * 100, x_kid=KID, x_resume_token=str(number + 1))

    for bounds, wanted in (({"trust_entries": 5}, "more than 5 entries"), ({"list_bytes": 450}, "more than 450 bytes")):
        server = Table(endless)
        with pytest.raises(FetchError, match=wanted):
            SOURCE.fetch(server, URL, Known(), context(limits=msgspec.structs.replace(DEFAULT_LIMITS, **bounds)))
        assert len(server.asked) < 10


@pytest.mark.parametrize(
    "headers", [{}, {"x_kid": KID}, {"x_resume_token": "1"}, {"x_kid": "é", "x_resume_token": "1"},
                {"x_kid": KID, "x_resume_token": "1\r\nX: y"}, {"x_kid": KID, "x_resume_token": "1" * 257}]
)  # fmt: skip
def test_an_entry_without_kid_or_token(headers: dict[str, str]) -> None:
    with pytest.raises(HealthCertError) as error:
        SOURCE.fetch(always(**headers), URL, Known(), PLAIN)
    assert error.value.code == "TRUST_LIST_UNREADABLE"
