"""Opening: which requests are made, with what, and which never are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.clock import FixedClock
from healthcert.errors import Code, DecodeError, FetchError, HealthCertError, IssueError
from healthcert.limits import Limits
from healthcert.links.fetching import PasscodeError
from healthcert.links.jwe import FHIR, HEALTH_CARD, LinkFile, decrypt_file
from healthcert.links.link import HealthLink, read_link
from healthcert.links.making import make_link
from healthcert.links.manifest import ManifestFile, read_manifest, write_manifest
from healthcert.links.opening import open_link
from tests.unit.links.linked import CARD, FHIR_FILE, LINK, URL, Server, sealed

NOW = datetime(2024, 1, 1, tzinfo=UTC)
FILE = "https://files.example.org/1?sas=once"
OTHER = "https://files.example.org/2"


def opened(link: HealthLink, server: Server, **options: Any) -> list[LinkFile]:
    given: dict[str, Any] = {"recipient": "Clinic", "clock": FixedClock(NOW)} | options
    return list(open_link(link, server, **given))


def refusal(link: HealthLink, server: Server, code: Code, **options: Any) -> HealthCertError:
    with pytest.raises(HealthCertError) as caught:
        opened(link, server, **options)
    assert caught.value.code is code
    return caught.value


def manifest(*files: dict[str, Any], **others: Any) -> bytes:
    return json.dumps({"files": files, **others}).encode()


def test_a_manifest_with_files_in_it_and_elsewhere() -> None:
    server = Server(
        {
            URL: manifest(
                {"contentType": HEALTH_CARD, "embedded": sealed(), "lastUpdated": "2024", "status": "finalized"},
                {"contentType": HEALTH_CARD, "location": FILE},
                {"contentType": FHIR, "embedded": sealed(FHIR_FILE, FHIR), "location": OTHER},
                list={"resourceType": "List"},
            ),
            FILE: sealed(compress=True).encode(),
        }
    )
    assert opened(LINK, server) == [
        LinkFile(content_type=HEALTH_CARD, data=CARD, status="finalized"),
        LinkFile(content_type=HEALTH_CARD, data=CARD),
        LinkFile(content_type=FHIR, data=FHIR_FILE),
    ]
    (method, url, body), *others = server.asked
    assert (method, url) == ("POST", URL)
    assert json.loads(body) == {"recipient": "Clinic", "embeddedLengthMax": 32 * 1024 * 1024 // 64}
    assert others == [("GET", FILE, b"")]  # what is there already is not fetched


def test_nothing_is_asked_before_the_first_file_is() -> None:
    server = Server({URL: manifest({"contentType": FHIR, "location": FILE}, {"contentType": FHIR, "location": OTHER})})
    files = open_link(LINK, server, recipient="Clinic")
    assert server.asked == []
    with pytest.raises(FetchError):
        next(files)
    assert [url for _, url, _ in server.asked] == [URL, FILE]


def test_a_direct_link_is_got_with_the_recipient_in_the_query() -> None:
    link = replace(LINK, flag="U")
    server = Server({URL + "?recipient=Zo%C3%A9%20%26%20Co": sealed().encode() + b"\n"})
    assert opened(link, server, recipient="Zoé & Co") == [LinkFile(content_type=HEALTH_CARD, data=CARD)]
    link = replace(link, url=URL + "?a=1")
    server = Server({URL + "?a=1&recipient=Clinic": sealed().encode()})
    assert [file.data for file in opened(link, server)] == [CARD]


def test_the_type_under_encryption_is_the_one_that_counts() -> None:
    server = Server({URL: manifest({"contentType": FHIR, "embedded": sealed()})})
    assert [file.content_type for file in opened(LINK, server)] == [HEALTH_CARD]


def test_a_link_that_has_ended_is_not_asked() -> None:
    link = replace(LINK, exp=NOW.timestamp() - 1)
    server = Server()
    assert "own word" in refusal(link, server, Code.LINK_EXPIRED).detail
    assert server.asked == []
    live = replace(LINK, exp=NOW.timestamp())
    assert opened(live, Server({URL: manifest()})) == []
    with pytest.raises(FetchError):  # at once, not with the first file
        open_link(link, server, recipient="Clinic", clock=FixedClock(NOW + timedelta(days=1)))


def test_a_passcode_is_sent_where_it_is_asked_for_alone() -> None:
    guarded = replace(LINK, flag="P")
    server = Server({URL: manifest()})
    error = refusal(guarded, server, Code.PASSCODE_REFUSED)
    assert isinstance(error, PasscodeError)
    assert (server.asked, error.remaining) == ([], None)
    opened(guarded, server, passcode="1234")
    opened(LINK, server, passcode="1234")
    assert [json.loads(body).get("passcode") for *_, body in server.asked] == ["1234", None]


@pytest.mark.parametrize("recipient", ["", "  ", "x" * 201])
def test_a_recipient_is_a_name(recipient: str) -> None:
    with pytest.raises(ValueError, match="recipient"):
        open_link(LINK, Server(), recipient=recipient)


def test_what_statuses_mean() -> None:
    def answers(status: int, where: str = URL) -> Server:
        listed = manifest({"contentType": FHIR, "location": FILE})
        return Server({URL: listed} | {where: FetchError(Code.FETCH_FAILED, "status", status=status)})

    assert "no longer active" in refusal(LINK, answers(404), Code.LINK_EXPIRED).detail
    assert "no longer active" in refusal(LINK, answers(410), Code.LINK_EXPIRED).detail
    assert isinstance(refusal(LINK, answers(401), Code.PASSCODE_REFUSED), PasscodeError)
    assert refusal(LINK, answers(500), Code.FETCH_FAILED).detail == "status"
    # A file's own server knows nothing of the link.
    assert refusal(LINK, answers(404, FILE), Code.FETCH_FAILED).detail == "status"
    refused = Server({URL: manifest({"contentType": FHIR, "location": FILE}), FILE: PasscodeError("another", 3)})
    assert "status 401" in refusal(LINK, refused, Code.FETCH_FAILED).detail


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.JSON_DESERIALIZATION_FAILED),
        (b'{"files":[],"files":[]}', Code.JSON_DESERIALIZATION_FAILED),
        (b"[]", Code.SCHEMA_VALIDATION_FAILED),
        (b"{}", Code.SCHEMA_VALIDATION_FAILED),
        (b'{"files":{}}', Code.SCHEMA_VALIDATION_FAILED),
        (b'{"files":[1]}', Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"embedded": "x"}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": 1, "embedded": "x"}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": FHIR}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": FHIR, "embedded": 1}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": FHIR, "location": "http://files.example.org/1"}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": FHIR, "location": "file:///etc/passwd"}), Code.SCHEMA_VALIDATION_FAILED),
        (manifest({"contentType": FHIR, "embedded": "x"}), Code.JWE_DESERIALIZATION_FAILED),
        (manifest({"contentType": FHIR, "embedded": "é"}), Code.JWE_DESERIALIZATION_FAILED),
    ],
)
def test_manifests_that_are_none(body: bytes, code: Code) -> None:
    server = Server({URL: body})
    assert isinstance(refusal(LINK, server, code), DecodeError)
    assert len(server.asked) == 1


def test_a_file_of_bytes_is_none() -> None:
    server = Server({URL: manifest({"contentType": FHIR, "location": FILE}), FILE: b"\xff"})
    assert "ASCII" in refusal(LINK, server, Code.JWE_DESERIALIZATION_FAILED).detail


def test_the_number_of_files_is_bounded() -> None:
    entry = {"contentType": FHIR, "embedded": sealed(FHIR_FILE, FHIR)}
    limits = Limits(cards_per_document=3)
    assert len(opened(LINK, Server({URL: manifest(*[entry] * 3)}), limits=limits)) == 3
    refusal(LINK, Server({URL: manifest(*[entry] * 4)}), Code.INPUT_TOO_LONG, limits=limits)


def test_a_manifest_is_read_back() -> None:
    files = (
        ManifestFile(content_type=FHIR, embedded="x", status="finalized"),
        ManifestFile(content_type=HEALTH_CARD, location=FILE),
    )
    assert read_manifest(write_manifest(files)) == files
    assert repr(files[0]) == "ManifestFile(...)"


# --- Making ---


def test_a_direct_link_is_made_and_opened() -> None:
    made = make_link([CARD], base="https://links.example.org/shl/", direct=True, label="Card", compress=True)
    assert made.link.url == f"https://links.example.org/shl/{made.path}"
    assert (len(made.path), made.link.flag, made.media_type) == (43, "U", "application/jose")
    assert read_link(made.link.to_text()) == made.link
    assert decrypt_file(made.document.decode(), made.link.key).data == CARD
    server = Server({f"{made.link.url}?recipient=Clinic": made.document})
    assert [(file.content_type, file.data) for file in opened(made.link, server)] == [(HEALTH_CARD, CARD)]
    assert repr(made) == "MadeLink(...)"


def test_a_link_to_several_files_is_made_and_opened() -> None:
    made = make_link(
        [CARD, FHIR_FILE, b'{"access_token":"x"}'],
        base="https://links.example.org",
        type="vhl",
        passcode=True,
        long_term=True,
        expires_at=NOW,
        viewer="https://viewer.example.org",
    )
    assert (made.link.flag, made.link.exp, made.media_type) == ("LP", 1_704_067_200, "application/json")
    assert made.link.to_text().startswith("https://viewer.example.org#vhlink:/")
    files = opened(made.link, Server({made.link.url: made.document}), passcode="1")
    assert [file.content_type for file in files] == [HEALTH_CARD, FHIR, "application/smart-api-access"]


def test_keys_and_addresses_are_never_the_same() -> None:
    made = [make_link([CARD], base="https://links.example.org") for _ in range(20)]
    assert len({one.link.key for one in made} | {one.path for one in made}) == 40


@pytest.mark.parametrize(
    ("files", "options", "detail"),
    [
        ([], {}, "files: 1 to 64"),
        ([CARD] * 65, {}, "files: 1 to 64"),
        ([CARD] * 2, {"direct": True}, "files: one file"),
        ([CARD], {"direct": True, "passcode": True}, "passcode: "),
        ([CARD], {"base": "http://links.example.org"}, "url: not https"),
        ([CARD], {"base": "https://links.example.org/" + "x" * 70}, "128 characters"),
        ([CARD], {"label": "x" * 81}, "label: more than 80"),
        ([CARD], {"label": "\ud800"}, "label: "),
        ([CARD], {"viewer": "viewer"}, "viewer: not the https"),
        ([b"\x00"], {}, "files: JSON with"),
        ([b"[]"], {}, "files: JSON with"),
        ([b'{"resourceType":"Bundle","verifiableCredential":[]}'], {}, "files: JSON with"),
        ([b"{" + b" " * 100 + b"}"], {"limits": Limits(file_bytes=100)}, "at most 100 bytes"),
    ],
)
def test_what_no_link_is_made_to(files: list[bytes], options: dict[str, Any], detail: str) -> None:
    with pytest.raises(IssueError) as caught:
        make_link(files, **({"base": "https://links.example.org"} | options))
    assert (caught.value.code, detail in caught.value.detail) == (Code.FIELD_INVALID, True), caught.value.detail
