"""``healthcert.toml``: what it says, and what is wrong with one that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from msgspec import Struct
from msgspec.structs import fields

import healthcert as hc
from healthcert.authority.profile import find_profile, load_profile
from healthcert.authority.profile_tables import Profile, RecoveryTable, ValidityTable
from healthcert.codings import NAAT, RAPID_ANTIGEN
from healthcert.intake.reading import RecoveryPolicy
from healthcert.limits import DEFAULT_LIMITS

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/profile.md"
LEAST = """
country = "FR"
[register]
url = "register.db"
secret = "register.secret"
[[signer]]
certificate = "dsc.pem"
key = "dsc.key.pem"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "healthcert.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(hc.RegisterError) as caught:
        load_profile(written(folder, text))
    assert caught.value.code is hc.Code.PROFILE_INVALID
    return caught.value.detail


def test_the_least_that_a_profile_says(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, LEAST))
    assert (profile.country, profile.issuer, profile.recovery, profile.upload) == ("FR", None, None, None)
    assert profile.policy() == hc.IssuePolicy()
    assert profile.rollover.lead == timedelta(0)
    assert profile.outputs.error_correction == "Q"


def test_the_profile_of_the_page_is_read(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    profile = load_profile(written(tmp_path, text))
    assert [str(signer.key) for signer in profile.signer] == [
        "pkcs11:token=Health;object=dsc-test?module-path=/usr/lib/softhsm/libsofthsm2.so",
        str(tmp_path / "dsc-vaccination.key.pem"),
    ]
    assert profile.signer[0].pin_file == tmp_path / "pin.txt"
    assert profile.recovery is not None
    assert profile.recovery.policy() == RecoveryPolicy()
    assert profile.validity.given() == {hc.EntryType.TEST: timedelta(hours=72)}
    assert (profile.rollover.lead, profile.rollover.use) == (timedelta(days=14), timedelta(days=180))
    assert profile.outputs.error_correction == "Q"


def _tables(table: type[Struct], name: str) -> Iterator[tuple[str, type[Struct]]]:
    yield name, table
    for field in fields(table):
        for inner in (field.type, *get_args(field.type), *(deep for a in get_args(field.type) for deep in get_args(a))):
            if isinstance(inner, type) and issubclass(inner, Struct):
                yield from _tables(inner, field.encode_name)


def test_every_key_is_on_the_page_with_its_default() -> None:
    text = PAGE.read_text("utf-8")
    described: dict[str, dict[str, str]] = {}
    for heads, body in re.findall(r"^\| (Key.*?) \| Default .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE):
        rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|", body, re.MULTILINE))
        described |= dict.fromkeys(re.findall(r"\[+([\w-]+)\]+", heads) or [""], rows)
    tables = dict(_tables(Profile, ""))
    assert described.keys() == tables.keys()
    for name, table in tables.items():
        known = {field.encode_name: field for field in fields(table)}
        assert described[name].keys() == known.keys(), name
        for key, default in described[name].items():
            assert known[key].required == (default == "needed"), (name, key)


def test_the_defaults_on_the_page_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    usual = hc.IssuePolicy().validity
    for kind in ValidityTable.__struct_fields__:
        assert f"| `{kind}` | `{usual[hc.EntryType(kind)].days}d` |" in text
    recovery = RecoveryTable()
    assert f"| `valid-from` | `{recovery.valid_from.days}d` |" in text
    assert f"| `valid-until` | `{recovery.valid_until.days}d` |" in text
    assert '| `test-types` | `["LP6464-4"]` |' in text
    assert recovery.policy() == RecoveryPolicy()


def test_policies_are_what_the_file_says(tmp_path: Path) -> None:
    text = (
        'transliteration = "UA"\nallow-codes = ["X1"]\n'
        + LEAST
        + '[validity]\nvaccination = "100d"\n[recovery]\nvalid-from = "0d"\ntest-types = ["LP217198-3", "LP6464-4"]\n'
    )
    profile = load_profile(written(tmp_path, text))
    policy = profile.policy()
    assert policy.validity[hc.EntryType.VACCINATION] == timedelta(days=100)
    assert policy.validity[hc.EntryType.TEST] == timedelta(days=3)
    assert policy.unlisted_codes == {"X1"}
    assert policy.transliteration == hc.TRANSLITERATION_VARIANTS["UA"]
    assert profile.recovery is not None
    recovery = profile.recovery.policy()
    assert (recovery.valid_from, recovery.test_types) == (timedelta(0), (RAPID_ANTIGEN, NAAT))


def test_value_sets_are_read_from_where_it_says_and_must_be_there(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, 'value-sets = "sets"\n' + LEAST))
    (tmp_path / "sets").mkdir()
    with pytest.raises(hc.RuleError, match="no value set"):
        profile.policy()
    (tmp_path / "sets/lab.json").write_text(
        '{"valueSetId": "sct-vaccines-covid-19", "valueSetDate": "2099-01-01", "valueSetValues": '
        '{"999": {"display": "X", "lang": "en", "active": true, "version": "1", "system": "http://snomed.info/sct"}}}'
    )
    sets = profile.policy().value_sets
    assert sets is not None
    assert len(sets) == 1


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("register.db", "{}/register.db"),
        ("sub/register.db", "{}/sub/register.db"),
        ("/var/register.db", "/var/register.db"),
        ("sqlite:///register.db", "{}/register.db"),
        ("sqlite:////var/register.db", "/var/register.db"),
        ("sqlite:///a%20b#c.db", "{}/a%20b#c.db"),
        ("postgresql://[::1]:5432/register", "postgresql://[::1]:5432/register"),
        ("postgresql+psycopg://issuer@db.example/register", "postgresql+psycopg://issuer@db.example/register"),
    ],
)
def test_where_the_register_is(tmp_path: Path, url: str, read: str) -> None:
    profile = load_profile(written(tmp_path, LEAST.replace("register.db", url)))
    assert str(profile.register.url) == read.format(tmp_path)
    assert profile.register.secret == tmp_path / "register.secret"


def test_names_are_relative_to_the_file_and_not_to_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "authority"
    folder.mkdir()
    written(folder, LEAST)
    monkeypatch.chdir(tmp_path)
    profile = load_profile("authority/healthcert.toml")
    assert profile.signer[0].certificate == folder / "dsc.pem"
    assert str(profile.signer[0].key) == str(folder / "dsc.key.pem")


def test_keys_that_are_no_files_are_taken_as_they_are(tmp_path: Path) -> None:
    command = "command:ssh signer healthcert sign --key dsc.key.pem"
    profile = load_profile(written(tmp_path, LEAST.replace("dsc.key.pem", command)))
    assert str(profile.signer[0].key) == command


REFUSED = {
    "no TOML": ("country = ", "not TOML"),
    "a key twice": ('country = "FR"\n' + LEAST, "not TOML"),
    "no country": (LEAST.replace('country = "FR"', ""), "`country`"),
    "a country in small letters": (LEAST.replace('"FR"', '"fr"'), "country: "),
    "an issuer that is too long": (f'issuer = "{"x" * 81}"\n' + LEAST, "issuer: "),
    "a transliteration that is not known": ('transliteration = "XX"\n' + LEAST, "transliteration: one of BG, "),
    "a code with a space": ('allow-codes = ["a b"]\n' + LEAST, "allow-codes[0]: "),
    "no register": (LEAST[LEAST.index("[[") :].replace("[[", 'country = "FR"\n[[', 1), "`register`"),
    "no signer": (LEAST[: LEAST.index("[[")].replace('"FR"\n', '"FR"\nsigner = []\n'), "signer: "),
    "an unknown key": ("contry = 1\n" + LEAST, "contry: no such field"),
    "an unknown key in a table": (LEAST + 'kee = "x"\n', "signer[0].kee: no such field"),
    "an unknown table": (LEAST + "[registry]\n", "registry: no such field"),
    "a strange name": (LEAST + '"a b\\n" = 1\n', "signer[0].a field: no such field"),
    "a number for a text": (LEAST.replace('"dsc.pem"', "3"), "signer[0].certificate: text"),
    "an empty file name": (LEAST.replace('"dsc.pem"', '""'), "signer[0].certificate: text"),
    "a file name with NUL": (LEAST.replace('"dsc.pem"', '"a\\u0000b"'), "signer[0].certificate: text"),
    "a length without a unit": (LEAST + '[validity]\ntest = "72"\n', "validity.test: a number and one of"),
    "no length": (LEAST + '[validity]\ntest = "0d"\n', "validity: test: longer than nothing"),
    "hours for days": (LEAST + '[recovery]\nvalid-from = "12h"\n', "recovery: valid-from: whole days"),
    "an end before the beginning": (LEAST + '[recovery]\nvalid-until = "10d"\n', "recovery: valid-until: not before"),
    "no kind of test": (LEAST + "[recovery]\ntest-types = []\n", "recovery: test-types: at least one"),
    "another kind of test": (LEAST + '[recovery]\ntest-types = ["X"]\n', "recovery.test-types[0]: "),
    "used no longer than waited": (LEAST + '[rollover]\nlead = "7d"\nuse = "7d"\n', "rollover: use: longer"),
    "another level": (LEAST + '[outputs]\nerror-correction = "X"\n', "outputs.error-correction: "),
    "sqlite without a file": (LEAST.replace("register.db", "sqlite:///"), "register.url: sqlite:///"),
    "sqlite on a server": (LEAST.replace("register.db", "sqlite://host/x"), "register.url: sqlite:///"),
    "a PIN for a file": (LEAST + 'pin-file = "x"\n', "signer[0]: pin-file: is for"),
    "a passphrase for a module": (
        LEAST.replace("dsc.key.pem", "pkcs11:token=a;object=b") + 'passphrase-file = "x"\n',
        "signer[0]: passphrase-file: is for",
    ),
    "a URI that is none": (LEAST.replace("dsc.key.pem", "pkcs11:token"), "signer[0].key: "),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_the_field_that_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        LEAST + 'pin = "S3cret"\n',
        LEAST + 'passphrase = "S3cret"\n',
        LEAST + '"S3cret!" = 1\n',
        LEAST.replace("register.db", "postgresql+psycopg://issuer:S3cret@db/register"),
        LEAST.replace("register.db", "postgresql+psycopg://issuer@db/register?password=S3cret"),
        LEAST.replace("register.db", "postgresql://issuer:S3cret/[x#y?@db/register"),
        LEAST.replace("dsc.key.pem", "pkcs11:token=a;object=b?pin-value=S3cret"),
    ],
)
def test_a_secret_in_it_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    assert "S3cret" not in refused(tmp_path, text)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "healthcert.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(hc.RegisterError, match="not UTF-8"):
        load_profile(path)
    path.write_bytes(b"x = [" + b"[" * 100_000)
    with pytest.raises(hc.RegisterError, match="PROFILE_INVALID"):
        load_profile(path)
    path.write_bytes(b"#" * (DEFAULT_LIMITS.key_file_bytes + 1))
    with pytest.raises(hc.DecodeError, match="INPUT_TOO_LONG"):
        load_profile(path)
    with pytest.raises(FileNotFoundError):
        load_profile(tmp_path / "another.toml")


def test_where_a_profile_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHCERT_PROFILE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert find_profile() is None
    written(tmp_path, LEAST)
    assert find_profile() == Path("healthcert.toml")
    monkeypatch.setenv("HEALTHCERT_PROFILE", str(tmp_path / "not-there.toml"))
    assert find_profile() == tmp_path / "not-there.toml"
