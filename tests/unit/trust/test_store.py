"""The trust store: what it takes, what it refuses entry by entry, and what it keeps."""

from __future__ import annotations

import base64
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.issue.pki import KeyKind
from healthcert.trust.files import read_entries
from tests.support import DAY, NOW, dsc
from tests.unit.trust.lists import bundled, dscs, feed, numbered, unsigned

V, R = hc.EntryType.VACCINATION, hc.EntryType.RECOVERY
EC, RSA = dsc(V), dsc(R, kind=KeyKind.RSA_3072)
SPKI = EC.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SPKI_PEM = EC.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "given",
    [
        [EC.certificate_der(), RSA.certificate_der()],
        [EC.certificate_pem() + RSA.certificate_pem()],
        [(EC.certificate_pem() + b"some words\n" + RSA.certificate_pem()).decode()],
        EC.certificate_pem() + RSA.certificate_pem(),
        [base64.b64encode(EC.certificate_der()).decode(), base64.b64encode(RSA.certificate_der())],
    ],
    ids=["DER", "PEM bundle", "PEM text", "no list", "base64"],
)
def test_certificates_in_every_form(given: list[bytes | str]) -> None:
    store = hc.TrustStore.from_certificates(given)
    assert len(store) == 2
    assert store.rejected == []
    (key,) = store.candidates(EC.signer().kid)
    assert (key.country, key.usages) == ("FR", frozenset((V,)))
    assert key.not_before == datetime(2021, 7, 31, 10, tzinfo=UTC)
    assert key.certificate == EC.certificate_der()


def test_one_bad_entry_does_not_disturb_the_others() -> None:
    truncated = EC.certificate_der()[:-1]
    store = hc.TrustStore.from_certificates([b"\x30\x03", truncated, RSA.certificate_der(), "not base64!"])
    assert len(store) == 1
    assert [(entry.source, entry.error.code) for entry in store.rejected] == [
        ("certificate 1", "CERTIFICATE_UNREADABLE"),
        ("certificate 2", "CERTIFICATE_UNREADABLE"),
        ("certificate 4", "CERTIFICATE_UNREADABLE"),
    ]


def test_none_readable_is_an_error_and_none_given_is_an_empty_store() -> None:
    with pytest.raises(hc.TrustError) as caught:
        hc.TrustStore.from_certificates([b"rubbish"])
    assert caught.value.code == "CERTIFICATE_UNREADABLE"
    assert len(hc.TrustStore.from_certificates([])) == 0


def test_a_private_key_has_no_place_in_a_store() -> None:
    store = hc.TrustStore.from_certificates([EC.key_pem(None) + EC.certificate_pem()])
    assert len(store) == 1
    assert "private key" in store.rejected[0].error.detail


def test_a_bare_public_key_needs_a_kid() -> None:
    store = hc.TrustStore()
    assert store.add_public_key(SPKI, kid=b"12345678") == 1
    assert store.add_public_key(SPKI_PEM, kid=b"12345678") == 0
    (key,) = store.candidates(b"12345678")
    assert (key.usages, key.not_before, key.certificate, key.country) == (None, None, None, None)
    with pytest.raises(hc.TrustError):
        store.add_public_key(b"rubbish", kid=b"12345678")
    with pytest.raises(hc.TrustError, match="kid"):
        hc.TrustStore.from_certificates([SPKI])


def test_keys_of_kinds_that_sign_no_certificates_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519

    for key in (ec.generate_private_key(ec.SECP256K1()), x25519.X25519PrivateKey.generate()):
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(hc.TrustError):
            hc.TrustStore().add_public_key(spki, kid=b"12345678")


def test_two_keys_may_share_a_kid_and_the_same_key_counts_once() -> None:
    store = hc.TrustStore.from_certificates([EC.certificate_der(), EC.certificate_der()])
    assert len(store) == 1
    other = RSA.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    store.add_public_key(other, kid=EC.signer().kid)
    assert len(store) == len(store.candidates(EC.signer().kid)) == 2


def test_a_folder_of_files(tmp_path: Path) -> None:
    inner = tmp_path / "FR"
    inner.mkdir()
    (inner / "a.pem").write_bytes(EC.certificate_pem())
    (tmp_path / "b.der").write_bytes(RSA.certificate_der())
    (tmp_path / "0a1b2c3d4e5f6071.pem").write_bytes(SPKI_PEM)
    (tmp_path / "bad.crt").write_bytes(b"rubbish")
    (tmp_path / "README.txt").write_text("not a key")
    store = hc.TrustStore.from_path(tmp_path)
    assert len(store) == 3
    assert store.candidates(bytes.fromhex("0a1b2c3d4e5f6071"))[0].source == "0a1b2c3d4e5f6071.pem"
    assert [entry.source for entry in store.rejected] == ["bad.crt"]
    with pytest.raises(hc.TrustError):
        hc.TrustStore.from_path(tmp_path / "nowhere")


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.pem"
    path.write_bytes(EC.certificate_pem() + b" " * 4000)
    assert len(hc.TrustStore.from_path(path, limits=hc.Limits(file_bytes=path.stat().st_size))) == 1
    store = hc.TrustStore.from_path(path, limits=hc.Limits(file_bytes=path.stat().st_size - 1))
    assert (len(store), len(store.rejected)) == (0, 1)


def test_a_store_of_too_many_keys_is_refused() -> None:
    certificates = [EC.certificate_der(), RSA.certificate_der()]
    assert len(hc.TrustStore.from_certificates(certificates, limits=hc.Limits(trust_entries=2))) == 2
    with pytest.raises(hc.TrustError):
        hc.TrustStore.from_certificates(certificates, limits=hc.Limits(trust_entries=1))


def test_a_file_keeps_all_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    store = hc.TrustStore.open(path)
    assert not path.exists()
    (tmp_path / "ec.pem").write_bytes(EC.certificate_pem())
    assert store.add_path(tmp_path / "ec.pem") == 1
    store.add_public_key(SPKI, kid=b"12345678", source="by hand")
    again = hc.TrustStore.open(path)
    assert sorted(again, key=lambda key: key.kid) == sorted(store, key=lambda key: key.kid)
    assert len(hc.TrustStore.from_path(path)) == 2
    assert again.add_path(tmp_path / "ec.pem") == 0
    assert stat.S_ISREG(path.stat().st_mode)


def test_other_files_are_not_taken_for_a_store(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("SQLite format 2")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE keys (kid)")
    connection.close()
    damaged = tmp_path / "damaged.db"
    hc.TrustStore.open(damaged).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    damaged.write_bytes(damaged.read_bytes()[:4096] + b"\xff" * 4096)
    for path in (text, other, damaged, tmp_path):
        with pytest.raises(hc.TrustError) as caught:
            hc.TrustStore.open(path)
        assert caught.value.code == "TRUST_STORE_UNREADABLE"
    with pytest.raises(hc.TrustError):
        hc.TrustStore.open(tmp_path / "no" / "such" / "folder.db").add(hc.TrustStore.from_certificates([SPKI_PEM]))


@pytest.mark.parametrize(
    "change",
    [
        "head = x'00'",
        "head = 'text'",
        "keys = x'c1'",
        "keys = 7",
        "keys = x'9199c4026b6bc402737080c0c0c0c0c0c0a178'",
        "details = 'text'",
        "source = 'other'",
        "generation = 'x'",
    ],
)
def test_a_list_that_was_tampered_with_makes_the_store_unreadable(tmp_path: Path, change: str) -> None:
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE lists SET {change}")
    connection.close()
    if change == "generation = 'x'":
        assert not hc.TrustStore.open(path), "it is in use no more"
        return
    with pytest.raises(hc.TrustError) as caught:
        hc.TrustStore.open(path)
    assert caught.value.code == "TRUST_STORE_UNREADABLE"


@pytest.mark.parametrize("details", [b"", b"\xc1", b"\x83\xa4keys\x90\xabauthorities\x90\xa7skipped\x90"])
def test_damage_beside_the_keys_is_found_when_a_key_is_asked_for(tmp_path: Path, details: bytes) -> None:
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE lists SET details = ?", (details,))
    connection.close()
    store = hc.TrustStore.open(path)
    with pytest.raises(hc.TrustError) as caught:
        store.candidates(EC.signer().kid)
    assert caught.value.code == "TRUST_STORE_UNREADABLE"


def test_no_usages_at_all_means_none(tmp_path: Path) -> None:
    key = next(iter(hc.TrustStore.from_certificates([EC.certificate_der()])))
    assert key.may_sign([V])
    assert not key.may_sign([V, R])
    nothing = hc.TrustedKey(kid=key.kid, spki=key.spki, usages=frozenset())
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add([nothing])
    assert not next(iter(hc.TrustStore.open(path))).may_sign([V])


@pytest.mark.parametrize(
    ("bundle", "keys", "rejected"),
    [
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n" + EC.certificate_pem(), 1, 1),
        (EC.certificate_pem() + b"-----BEGIN CERTIFICATE-----\nAAAA\n", 1, 1),
        (b"01 France\n" + EC.certificate_pem(), 1, 0),
        (EC.certificate_pem().replace(b"\n", b"\r\n"), 1, 0),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" + EC.certificate_pem(), 1, 1),
        (b"-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n", 0, 1),
        (b"", 0, 1),
    ],
)
def test_odd_bundles(tmp_path: Path, bundle: bytes, keys: int, rejected: int) -> None:
    path = tmp_path / "bundle.pem"
    path.write_bytes(bundle)
    store = hc.TrustStore.from_path(path)
    assert (len(store), len(store.rejected)) == (keys, rejected)


def test_a_bundle_of_beginnings_takes_no_time() -> None:
    store = hc.TrustStore()
    store._add_entries(read_entries(b"-----BEGIN A-----\n" * 50_000, source="x"))
    assert len(store.rejected) == 50_000


def test_a_refused_addition_leaves_store_and_file_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    store = hc.TrustStore.open(path, limits=hc.Limits(trust_entries=1))
    store.add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    with pytest.raises(hc.TrustError) as caught:
        store.add(hc.TrustStore.from_certificates([RSA.certificate_der()]))
    assert caught.value.code == "INPUT_TOO_LONG"
    assert len(store) == len(hc.TrustStore.open(path)) == 1


def test_another_program_s_database_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    store = hc.TrustStore.open(path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(hc.TrustError):
        store.add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    connection.close()


def test_a_view_that_computes_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE lists")
        connection.execute(
            "CREATE VIEW lists AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT x AS source, 0 AS generation, x AS head, x AS keys, x AS details, x AS parts FROM n WHERE x < 0"
        )
    connection.close()
    with pytest.raises(hc.TrustError):
        hc.TrustStore.open(path)


def test_paths_that_are_none() -> None:
    for open_ in (hc.TrustStore.open, hc.TrustStore.from_path):
        with pytest.raises(hc.TrustError):
            open_("x" * 5000)


def test_keys_of_a_list_are_not_added_by_hand() -> None:
    """They would be surer, and live longer, than on their list."""
    listed = hc.TrustStore()
    parts = unsigned(dscs(FR=1))
    hc.install_list(listed, feed("gb", anchors=()), parts, clock=hc.FixedClock(NOW))
    with pytest.raises(ValueError, match="include"):
        hc.TrustStore().add(listed)


def test_including_keeps_what_is_remembered_and_takes_no_name_twice(tmp_path: Path) -> None:
    clock = hc.FixedClock(NOW)
    first, second = hc.TrustStore(), hc.TrustStore()
    for store, names in ((first, ("at", "at#2")), (second, ("at",))):
        for name in names:
            hc.install_list(store, feed("at", name=name), numbered(dscs(FR=2), NOW), clock=clock)
    both = hc.TrustStore()
    both.include(first)
    both.include(second)
    assert both.state.lists.keys() == both.state.memories.keys() == {"at", "at#2", "at#3"}
    with pytest.raises(hc.TrustError, match="older than"):
        hc.install_list(both, feed("at"), numbered(dscs(FR=2), NOW - DAY), clock=clock)
    with pytest.raises(ValueError, match="in memory"):
        hc.TrustStore.open(tmp_path / "trust.db").include(first)


def test_including_a_store_of_another_environment_is_refused() -> None:
    test, production = hc.TrustStore(), hc.TrustStore()
    test.settle(hc.Environment.TEST)
    production.settle(hc.Environment.PRODUCTION)
    with pytest.raises(hc.TrustError) as caught:
        production.include(test)
    assert caught.value.code == "ENVIRONMENT_MIXED"
    with pytest.raises(hc.TrustError):
        production.settle(hc.Environment.TEST)


def test_a_store_whose_first_writing_was_cut_off_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    path.write_bytes(b"")
    assert not hc.TrustStore.open(path)
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    assert len(hc.TrustStore.open(path)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON lists BEGIN DELETE FROM memories; END",
        "CREATE TABLE more (x)",
        "ALTER TABLE lists ADD COLUMN big BLOB AS (zeroblob(400000000))",
        "CREATE INDEX i ON lists (source)",
    ],
)
def test_a_store_with_anything_else_in_it_is_not_used(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "trust.db"
    store = hc.TrustStore.open(path)
    store.add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    for use in (lambda: hc.TrustStore.open(path), lambda: store.remove(b"12345678")):
        with pytest.raises(hc.TrustError) as caught:
            use()
        assert caught.value.code == "TRUST_STORE_UNREADABLE"


def test_lists_of_no_possible_size_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    assert hc.TrustStore.open(path, limits=hc.Limits(list_bytes=1000))
    with pytest.raises(hc.TrustError):
        hc.TrustStore.open(path, limits=hc.Limits(list_bytes=10))


def test_a_bare_key_without_a_kid_is_none() -> None:
    with pytest.raises(hc.TrustError):
        hc.TrustStore().add_public_key(SPKI, kid=b"")


def test_keys_of_a_bundle_are_not_added_by_hand_either() -> None:
    """Those that were added by hand where it was made end with the bundle."""
    door = hc.TrustStore()
    hc.install_list(door, feed("bundle"), bundled(NOW), clock=hc.FixedClock(NOW))
    assert {one.assurance for key in door for one in key.provenance} == {hc.Assurance.LOCAL}
    with pytest.raises(ValueError, match="include"):
        hc.TrustStore().add(door)


def test_what_was_found_in_one_state_is_never_kept_for_another(tmp_path: Path) -> None:
    """A reader in another thread is in the midst of looking a key up while the store takes in that it was removed."""
    path = tmp_path / "trust.db"
    store, other = hc.TrustStore.open(path), hc.TrustStore.open(path)
    other.add(hc.TrustStore.from_certificates([EC.certificate_der()]))
    store.reload()
    before = store._index
    other.remove(EC.signer().kid)
    original = before.named

    class Interrupted(type(before)):  # type: ignore[misc]
        __slots__ = ()

        def named(self, kid: bytes) -> Iterator[hc.TrustedKey]:
            store.reload()
            return original(kid)

    before.__class__ = Interrupted
    assert store.candidates(EC.signer().kid), "the state that it began with had the key"
    assert not store.candidates(EC.signer().kid)
