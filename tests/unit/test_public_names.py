"""The public surface: what ``import healthcert`` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import healthcert as hc

PACKAGE = Path(hc.__file__).parent
PUBLIC: list[str] = vars(hc)["__all__"]


def test_every_public_name_is_there() -> None:
    for name in PUBLIC:
        assert getattr(hc, name) is not None


def test_the_stub_names_the_same_from_the_same_place() -> None:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    stub = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    home, packages = hc._HOME, hc._PACKAGES  # type: ignore[attr-defined]
    assert stub == {f"healthcert.{path}" for path in (*packages, *(f"{home[name]}.{name}" for name in home))}


def test_the_language_of_rules_is_there_right_after_the_import() -> None:
    script = "import healthcert as hc; print(hc.rules.certlogic.evaluate({'+': [1, {'var': 'n'}]}, {'n': 2}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'verify_everything'"):
        hc.verify_everything  # type: ignore[attr-defined] # noqa: B018
    assert set(PUBLIC) <= set(dir(hc))


@pytest.mark.parametrize("statement", ["import healthcert", "import healthcert_cli.root"])
def test_a_bare_import_loads_no_heavy_package(statement: str) -> None:
    heavy = ("cryptography", "cbor2", "msgspec", "PIL", "zxingcpp", "qrcode")
    script = f"{statement}; import sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_have_one_root_and_travel_between_processes() -> None:
    for name in ("DecodeError", "TrustError", "VerificationError", "IssueError", "FetchError", "RuleError"):
        assert issubclass(getattr(hc, name), hc.HealthCertError)
    error = hc.VerificationError(hc.Code.CWT_EXPIRED, "the certificate has expired", hc.Step.TIME)
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.detail, again.step) == (error.code, error.detail, error.step)
    assert str(error) == "CWT_EXPIRED at time: the certificate has expired"


def test_codes_keep_their_names() -> None:
    assert all(code.value == code.name for code in hc.Code)
    kotlin = (
        "GENERAL_ERROR INVALID_SCHEME_PREFIX DECOMPRESSION_FAILED BASE_45_DECODING_FAILED COSE_DESERIALIZATION_FAILED "
        "CBOR_DESERIALIZATION_FAILED SCHEMA_VALIDATION_FAILED CWT_EXPIRED CWT_NOT_YET_VALID KEY_NOT_IN_TRUST_LIST "
        "PUBLIC_KEY_EXPIRED PUBLIC_KEY_NOT_YET_VALID UNSUITABLE_PUBLIC_KEY_TYPE SIGNATURE_INVALID REVOKED"
    )
    assert set(kotlin.split()) <= set(hc.Code)
