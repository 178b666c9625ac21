"""Revocation lists of others, as they were published or handed on: SMART Health Cards, France, Italy."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.errors import RevocationError
from healthcert.publish.shc_crl import publish
from healthcert.revocation.answer import Standing
from healthcert.revocation.crl import read_crl
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import open_files
from healthcert.revocation.identifiers import (
    IdentifierType,
    Subject,
    french_2ddoc_hash,
    french_dcc_hash,
    rid_key,
    uvci_hash,
)
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations
from tests.support import CLOCK, NOW

ISS = "https://spec.smarthealth.cards/examples/issuer"
BAD_KID = "hrvC0uzB16UXK83BnPo7Glg685b1D6iYOyJd5hpRaAA"
BAD = {
    "invalid-method": "its method is none of",
    "non-base64url-rid": "a rid that is not",
    "too-long-rid": "a rid that is not",
    "version-mismatch": "its ctr is not the crlVersion",
    "duplicate-rid": "a rid that is there twice",
}
BLOCKED = ("URN:UVCI:01:FR:W7V2BE46QSBJ#L", "URN:UVCI:01:FR:T5DWTJYS4ZR8#4")
"""Two certificates that Italy and France both list."""


def installed(tmp_path: Path, format_: str, path: Path, **options: str) -> tuple[RevocationStore, RevocationChange]:
    store = RevocationStore.open(tmp_path / "store")
    feed = RevocationFeed(name="list", format=format_, options=options)
    with open_files(path) as files:
        return store, install_revocations(store, feed, files, clock=CLOCK)


def card(store: RevocationStore, kid: str, rid: str, not_before: float | None = None) -> Standing:
    keys = {IdentifierType.SHC_RID: (rid_key(rid),)}
    return store.ask(
        Subject(kid=kid.encode(), country=None, issuer=ISS, not_before=not_before, identifiers=keys), NOW
    ).standing


def certificate(store: RevocationStore, type_: IdentifierType, key: bytes, country: str) -> Standing:
    return store.ask(Subject(kid=b"any", country=country, identifiers={type_: (key,)}), NOW).standing


@pytest.mark.parametrize(("name", "problem"), BAD.items())
def test_bad_lists_of_the_dev_tools(interop: Path, tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(RevocationError) as caught:
        installed(tmp_path, "shc", interop / "shc/dev-tools/badcrl" / name, issuer=ISS)
    assert caught.value.code is hc.Code.REVOCATION_LIST_UNREADABLE
    assert caught.value.detail.startswith(problem)


def test_the_names_of_the_bad_lists_are_all_there(interop: Path) -> None:
    folders = (interop / "shc/dev-tools/badcrl").iterdir()
    assert {folder.name for folder in folders if folder.is_dir() and folder.name != ".well-known"} == set(BAD)


def test_the_issuer_of_the_examples(interop: Path, tmp_path: Path) -> None:
    store, change = installed(tmp_path, "shc", interop / "shc/health-cards/issuer", issuer=ISS)
    assert (change.records, change.skipped) == (4, ())
    kid, other = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s", "EBKOr72QQDcTBUuVzAzkfBTGew0ZA16GuWty64nS-sw"
    assert card(store, kid, "FKDIxsTCGlU", 2e9) is card(store, kid, "TqB_qu_6OtM") is Standing.HIT
    assert card(store, kid, "vwAjHdarZuc", 1664492123.9) is Standing.HIT
    assert card(store, kid, "vwAjHdarZuc", 1664492124.0) is Standing.CLEAR
    assert card(store, kid, "vwAjHdarZu") is Standing.CLEAR
    # Its other key has no list.
    assert card(store, other, "FKDIxsTCGlU") is Standing.CLEAR
    assert card(store, "unheard-of", "FKDIxsTCGlU") is Standing.UNKNOWN


def test_a_list_is_written_as_it_was(interop: Path) -> None:
    path = next((interop / "revocation/shc-crl").glob("*.json"))
    theirs = read_crl(path.read_bytes(), path.stem, 1)
    moments = {
        rid: None if before is None else datetime.fromtimestamp(before, UTC) for rid, before in theirs.rids.items()
    }
    assert read_crl(publish(theirs.kid, moments), theirs.kid, 1) == theirs


def test_what_sanipasse_handed_on(interop: Path, tmp_path: Path) -> None:
    path = interop / "revocation/sanipasse/blacklist_text.json"
    store, change = installed(tmp_path, "fr", path, countries="FR")
    # Four of its 5186 are there twice; each stands for a DCC or a 2D-DOC.
    assert (change.records, change.skipped) == (2 * 5182, ())
    for identifier in BLOCKED:
        key = french_dcc_hash("FR", identifier)
        assert certificate(store, IdentifierType.FR_DCC, key, "FR") is Standing.HIT
    assert (
        certificate(store, IdentifierType.FR_DCC, french_dcc_hash("FR", "URN:UVCI:01:FR:X#1"), "FR") is Standing.CLEAR
    )
    assert certificate(store, IdentifierType.FR_2DDOC, french_2ddoc_hash("DC04"), "FR") is Standing.CLEAR
    every = json.loads(path.read_bytes()).split(" ")
    assert all(
        certificate(store, IdentifierType.FR_2DDOC, bytes.fromhex(one), "FR") is Standing.HIT for one in every[::50]
    )


def test_the_settings_of_italy(interop: Path, tmp_path: Path) -> None:
    store, change = installed(tmp_path, "it", interop / "business-rules/it/settings.json")
    assert (change.records, change.skipped) == (2, ())
    for identifier in BLOCKED:
        assert certificate(store, IdentifierType.UVCI, uvci_hash(identifier), "FR") is Standing.HIT
    assert certificate(store, IdentifierType.UVCI, uvci_hash("URN:UVCI:01:FR:X#1"), "FR") is Standing.UNKNOWN
