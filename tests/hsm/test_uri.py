"""Names of keys in hardware modules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_URIS = st.builds(
    Pkcs11Uri,
    token=st.none() | _TEXT,
    serial=st.none() | _TEXT,
    manufacturer=st.none() | _TEXT,
    model=st.none() | _TEXT,
    slot_id=st.none() | st.integers(0, 2**63),
    object=st.none() | _TEXT,
    id=st.none() | st.binary(max_size=20),
    module_path=st.none() | _TEXT,
    pin_source=st.none() | _TEXT.filter(lambda text: text != "" and not text.startswith("//")),
)


@given(_URIS)
def test_what_is_written_is_read_again(uri: Pkcs11Uri) -> None:
    assert Pkcs11Uri.parse(str(uri)) == uri


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        uri = Pkcs11Uri.parse("pkcs11:" + text)
    except hc.IssueError:
        return
    assert Pkcs11Uri.parse(str(uri)) == uri


def test_an_example_of_the_specification() -> None:
    text = (
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
        "object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91;serial="
        "?pin-source=file:/etc/token_pin"
    )
    uri = Pkcs11Uri.parse(text)
    assert (uri.token, uri.manufacturer) == ("The Software PKCS#11 Softtoken", "Snake Oil, Inc.")
    assert (uri.id, uri.serial, uri.pin_source) == (bytes.fromhex("69953e5cf4bdec91"), "", "/etc/token_pin")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file:dsc.key.pem", "not a PKCS #11 URI"),
        ("pkcs11:token", "name=value"),
        ("pkcs11:;", "name=value"),
        ("pkcs11:=Health", "name=value"),
        ("pkcs11:token=Health;", "name=value"),
        ("pkcs11:token=A;token=B", "twice"),
        ("pkcs11:token=A;Token=B", "not supported"),
        ("pkcs11:library-version=1", "not supported"),
        ("pkcs11:x-vendor=1", "not supported"),
        ("pkcs11:token=A?", "name=value"),
        ("pkcs11:token=My Token", "%20"),
        ("pkcs11:token=%4", "escaped"),
        ("pkcs11:token=%zz", "escaped"),
        ("pkcs11:token=Gesundheit é", "escaped"),
        ("pkcs11:token=%ff", "UTF-8"),
        ("pkcs11:token=%00", "NUL"),
        ("pkcs11:type=public", "private"),
        ("pkcs11:slot-id=one", "decimal"),
        ("pkcs11:slot-id=-1", "decimal"),
        ("pkcs11:slot-id=99999999999999999999", "decimal"),
        ("pkcs11:token=A?module-name=softhsm2", "module-path"),
        ("pkcs11:token=A?pin-source=%7C/usr/bin/askpin", "a file"),
        ("pkcs11:token=A?pin-source=|/usr/bin/askpin", "a file"),
        ("pkcs11:token=A?pin-source=/etc/pin", "a file"),
        ("pkcs11:token=A?pin-source=file:", "a file"),
        ("pkcs11:token=A?pin-source=file://host/pin", "this machine"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Uri.parse(text)
    assert caught.value.code is hc.Code.FIELD_INVALID
    assert says in caught.value.detail


def test_a_pin_in_the_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(hc.IssueError) as caught:
        Pkcs11Uri.parse("pkcs11:token=Health;object=DSC?pin-value=271828")
    assert "271828" not in str(caught.value)
    assert "pin-value" in caught.value.detail


@pytest.mark.parametrize(
    ("text", "path"), [("file:/etc/pin", "/etc/pin"), ("file:///etc/pin", "/etc/pin"), ("file:pin", "pin")]
)
def test_the_file_of_a_pin(text: str, path: str) -> None:
    assert Pkcs11Uri.parse(f"pkcs11:?pin-source={text}").pin_source == path


def test_what_is_meant_to_be_one() -> None:
    assert is_pkcs11("PKCS11:token=A")
    assert Pkcs11Uri.parse("PKCS11:token=A").token == "A"
    assert not is_pkcs11("keys/pkcs11:x")


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (Pkcs11Uri(token="Health", serial="1"), "Health"),
        (Pkcs11Uri(serial="00ff"), "00ff"),
        (Pkcs11Uri(slot_id=3), "slot 3"),
        (Pkcs11Uri(), "the token"),
    ],
)
def test_what_a_prompt_calls_the_token(uri: Pkcs11Uri, name: str) -> None:
    assert uri.describe_token() == name
