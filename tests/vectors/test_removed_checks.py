"""Taking any single check out of the verifying code makes at least one published vector come out otherwise."""

from __future__ import annotations

import inspect
import signal
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import healthcert as hc
from healthcert.encoding import jsonld
from healthcert.errors import DecodeError
from healthcert.families.protocol import Decoded
from healthcert.verify import steps
from tests.vectors.mutants import Mutant, caches, function_mutants, function_names, installed
from tests.vectors.runner import Vector, load, policy, revocation_store, rule_store, summary, trust_store
from tests.vectors.schema_mutants import schema_mutants

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing ends an endless loop here")

_SHARED = (
    "healthcert.encoding.cbor",
    "healthcert.encoding.cose",
    "healthcert.encoding.cwt",
    "healthcert.encoding.algorithms",
    "healthcert.encoding.deflate",
    "healthcert.families",
    "healthcert.verify.steps",
    "healthcert.verify.verifier",
)
_TOLD_BY_FORM = (
    "healthcert.encoding.base32",
    "healthcert.encoding.jsontext",
    "healthcert.encoding.jws",
    "healthcert.families.links",
    "healthcert.families.refused.dutch",
    "healthcert.families.refused.ins",
    "healthcert.families.refused.recognised",
    "healthcert.families.refused.shaped",
    "healthcert.families.shapes",
)
_HCERT = (
    "healthcert.encoding.base45",
    "healthcert.families.hcert.family",
    "healthcert.families.hcert.content",
    "healthcert.families.hcert.dvc",
    "healthcert.families.hcert.mend",
    "healthcert.families.hcert.siblings",
    "healthcert.families.hcert.records",
    "healthcert.families.hcert.usual",
    "healthcert.families.hcert.validity",
    "healthcert.families.hcert.who",
)
_RULES = (
    "healthcert.rules.book",
    "healthcert.rules.ruling",
    "healthcert.rules.subject",
    "healthcert.rules.rule",
    "healthcert.rules.certlogic.budget",
    "healthcert.rules.certlogic.dates",
    "healthcert.rules.certlogic.nodes",
    "healthcert.rules.certlogic.program",
    "healthcert.rules.certlogic.uvci",
    "healthcert.rules.certlogic.values",
)
_TRUST = (
    "healthcert.lists.publickeys",
    "healthcert.lists.x509",
    "healthcert.trust.authorities",
    "healthcert.trust.certificates",
    "healthcert.trust.keys",
    "healthcert.trust.vouching",
)
_SHC = tuple(f"healthcert.families.shc.{name}" for name in ("family", "forms", "payload", "bundle", "fhir"))
_NZCP = tuple(f"healthcert.families.nzcp.{name}" for name in ("family", "content"))
_VDS = ("healthcert.encoding.jcs", *(f"healthcert.families.vds_nc.{name}" for name in ("family", "content", "members")))
_DIVOC = tuple(f"healthcert.families.divoc.{name}" for name in ("family", "archive", "document", "proof", "content"))
_TWODDOC = tuple(f"healthcert.families.twoddoc.{name}" for name in ("family", "header", "fields", "dates", "content"))
_FORMS = ("HC-REC-", "HC-SHC-0", "HC-SHC-4", "HC-NZCP-0", "HC-VDS-0", "HC-DIV-0", "HC-DIV-2", "HC-DIV-3", "HC-2DD-0")
_FAMILIES = ("HC-SHC-", "HC-NZCP-", "HC-VDS-", "HC-DIV-", "HC-2DD-")


@dataclass(frozen=True)
class _Group:
    """Modules, the schemas of payloads, and the vectors by which what is taken out of them has to be noticed."""

    modules: tuple[str, ...]
    schemas: tuple[str, ...] = ()
    concerns: Callable[[str], bool] = lambda _id: True


_GROUPS = {
    "shared": _Group(_SHARED),
    "form": _Group(_TOLD_BY_FORM, concerns=lambda id_: id_.startswith(_FORMS)),
    "hcert": _Group(
        _HCERT,
        tuple(f"healthcert.families.hcert.{name}" for name in ("payload", "siblings", "usual")),
        lambda id_: not id_.startswith(_FAMILIES),
    ),
    "rules": _Group(_RULES, concerns=lambda id_: not id_.startswith(_FAMILIES)),
    "trust": _Group(_TRUST, concerns=lambda id_: not id_.startswith(("HC-SHC-", "HC-NZCP-", "HC-DIV-"))),
    "shc": _Group(_SHC, ("healthcert.families.shc.elements",), lambda id_: id_.startswith("HC-SHC-")),
    "nzcp": _Group(_NZCP, concerns=lambda id_: id_.startswith("HC-NZCP-")),
    "vds": _Group(_VDS, concerns=lambda id_: id_.startswith("HC-VDS-")),
    "divoc": _Group(_DIVOC, concerns=lambda id_: id_.startswith("HC-DIV-")),
    "2d-doc": _Group(_TWODDOC, concerns=lambda id_: id_.startswith("HC-2DD-")),
}
"""Who may notice: the cases of a family where only that one goes through a module, for all of them take long."""
_MODULES = tuple(module for group in _GROUPS.values() for module in group.modules)
_SECONDS = 3.0  # of one examination, which takes milliseconds
_READ_BY = {"lists": "keys", "trust": "keys", "rules": "rules"}
"""What is read by the code of a part, and remembered."""
_LISTS = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text("utf-8"))
_SKIPPED = frozenset(name for group in _LISTS["not_verifying"] for name in group["functions"])
_EQUIVALENT = {
    (group["module"], function, kind, text): group["reason"]
    for group in _LISTS["equivalent"]
    for function, kind, text in group["mutants"]
}


class _Bench:
    """The vectors, those in front that found something lately."""

    def __init__(self, vectors: Iterable[Vector], *, reading: str = "") -> None:
        """``reading`` are the lists that are read anew for each mutant, too: ``keys`` or ``rules``.

        Nothing but the cases of rules can tell what becomes of the latter.
        """
        self._vectors = [(vector, policy(vector.case["policy"])) for vector in vectors if vector.outcome is not None]
        self._lists = {vector.id: revocation_store(vector.case.get("revocation")) for vector, _ in self._vectors}
        self._rules = {vector.id: rule_store(vector.case.get("rules")) for vector, _ in self._vectors}
        self._stores = {vector.trust: trust_store(vector.trust) for vector, _ in self._vectors}
        self._reading = reading
        self._lines: dict[str, dict[str, set[int]]] = {}

    def learn(self, modules: Iterable[str]) -> None:
        """Notes which lines of these modules each vector runs where nothing is remembered from another one."""
        files = {str(import_module(module).__file__): module.removeprefix("healthcert.") for module in modules}
        clear = caches(_MODULES)
        for vector, demanded in self._vectors:
            for forget in clear:
                forget()
            with _lines_run(files) as lines:
                self._examined(vector, demanded, {})
            self._lines[vector.id] = lines

    def first_failure(self, mutant: Mutant | None = None) -> str | None:
        """The id of a vector that comes out other than expected, under the code as it is now.

        Where that is a mutant's, only those are asked that run a line of it: of the others nothing can become.
        """
        # A key remembers what checks its signatures: each mutant has stores of its own, which remember nothing.
        stores: dict[tuple[str, ...], hc.TrustStore] = {}
        for index, (vector, demanded) in enumerate(self._vectors):
            if mutant is not None and self._knows_nothing_of(mutant, vector):
                continue
            try:
                same = self._examined(vector, demanded, stores)
            except Exception as error:  # noqa: BLE001 A mutant may break what it likes.
                return type(error).__name__
            if not same:
                self._vectors.insert(0, self._vectors.pop(index))
                return vector.id
        return None

    def _knows_nothing_of(self, mutant: Mutant, vector: Vector) -> bool:
        return mutant.lines is not None and self._lines[vector.id][mutant.module].isdisjoint(mutant.lines)

    def _examined(self, vector: Vector, demanded: hc.Policy, stores: dict[tuple[str, ...], hc.TrustStore]) -> bool:
        """Whether the vector comes out as expected, with one of these stores, or one more."""
        rules = self._rules[vector.id]
        if self._reading == "rules":
            if rules is None:
                return True
            rules = rule_store(vector.case["rules"])
        if vector.trust not in stores:
            known = self._stores[vector.trust]
            stores[vector.trust] = trust_store(vector.trust) if self._reading == "keys" else _fresh(known)
        return _found(vector, stores[vector.trust], self._lists[vector.id], rules, demanded) == vector.outcome


@contextmanager
def _lines_run(files: Mapping[str, str]) -> Iterator[dict[str, set[int]]]:
    """The lines of these files that are run meanwhile, by what the files are called."""
    found: dict[str, set[int]] = {name: set() for name in files.values()}

    def noting(lines: set[int]) -> Callable[[FrameType, str, Any], Any]:
        def note(frame: FrameType, _event: str, _argument: Any) -> Any:
            lines.add(frame.f_lineno)
            return note

        return note

    notes = {file: noting(found[name]) for file, name in files.items()}
    before = sys.gettrace()
    sys.settrace(lambda frame, _event, _argument: notes.get(frame.f_code.co_filename))
    try:
        yield found
    finally:
        sys.settrace(before)


def _fresh(store: hc.TrustStore) -> hc.TrustStore:
    fresh = hc.TrustStore()
    fresh.include(store)
    return fresh


def _found(
    vector: Vector,
    store: hc.TrustStore,
    lists: hc.RevocationStore | None,
    rules: hc.RuleStore | None,
    demanded: hc.Policy,
) -> dict[str, Any]:
    clock = hc.FixedClock(vector.case["clock"])
    verifier = hc.Verifier(store, revocation=lists, rules=rules, policy=demanded, clock=clock)
    try:
        with _in_time():
            return summary(verifier.examine(vector.scan))
    except Exception as error:  # noqa: BLE001 A mutant may break even the last line of defence.
        return {"outcome": type(error).__name__}


@contextmanager
def _in_time() -> Iterator[None]:
    """Ends what a mutant makes endless; the verifier takes it for a failure of its own."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _mutants(group: _Group) -> list[Mutant]:
    made = [mutant for module in group.modules for mutant in function_mutants(module, _SKIPPED)]
    return made + [mutant for module in group.schemas for mutant in schema_mutants(module)]


@pytest.fixture
def _canonical_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canonical form of a document of JSON-LD is made once: it takes long, and none of its code is taken out."""
    made: dict[str, Any] = {}

    def canonical(document: Any, **options: Any) -> bytes:
        asked = repr((document, options))
        if asked not in made:
            try:
                made[asked] = original(document, **options)
            except DecodeError as error:
                made[asked] = error
        if isinstance(made[asked], DecodeError):
            raise made[asked]
        form: bytes = made[asked]
        return form

    original = jsonld.canonical
    monkeypatch.setattr(jsonld, "canonical", canonical)


@pytest.mark.usefixtures("_canonical_once")
@pytest.mark.parametrize("name", _GROUPS)
def test_no_check_can_be_taken_out_unnoticed(name: str) -> None:
    group = _GROUPS[name]
    modules = (*group.modules, *group.schemas)
    (reading,) = {_READ_BY.get(module.split(".")[1], "") for module in modules}
    vectors = [vector for vector in load() if group.concerns(vector.id)]
    if group.schemas:
        # What a schema no longer refuses is found by a vector that is refused for its content.
        vectors.sort(key=lambda vector: vector.outcome is None or vector.outcome["step"] != "content")
    bench = _Bench(vectors, reading=reading)
    assert bench.first_failure() is None
    bench.learn(group.modules)
    survivors: list[Mutant] = []
    for mutant in _mutants(group):
        with installed(mutant, _MODULES):
            if bench.first_failure(mutant) is None:
                survivors.append(mutant)
    assert bench.first_failure() is None, "the original is not back in its place"
    unnoticed = [str(mutant) for mutant in survivors if mutant.name not in _EQUIVALENT]
    assert not unnoticed, "no vector needs these:\n" + "\n".join(unnoticed)
    own = {module.removeprefix("healthcert.") for module in modules}
    listed = {equivalent for equivalent in _EQUIVALENT if equivalent[0] in own}
    noticed = listed - {mutant.name for mutant in survivors}
    assert not noticed, f"listed as equivalent, and found by a vector or no longer there: {sorted(noticed)}"


def test_every_list_of_equivalent_mutants_is_of_a_module_that_is_tried() -> None:
    tried = {*_MODULES, *(module for group in _GROUPS.values() for module in group.schemas)}
    assert {f"healthcert.{module}" for module, *_ in _EQUIVALENT} <= tried
    assert sum(len(_mutants(group)) for group in _GROUPS.values()) > 1000


def _first(decoded: Decoded, candidates: Sequence[hc.TrustedKey], _policy: hc.Policy) -> steps.Authenticated:
    return steps.Authenticated(decoded, candidates[0])


_LETS_ALL_PASS: dict[str, Callable[..., Any]] = {
    "accept": lambda decoded, _policy: next(iter(decoded.kinds), None),
    "trust": lambda _decoded, store, _now, _policy: tuple(store),
    "signature": _first,
    "time": lambda _decoded, _key, _now, _policy: (),
    "standing": lambda _decoded, _key, _now, _policy: (),
    "content": lambda _certificate, _now, _policy: None,
    "usage": lambda _decoded, _key: None,
    "revocation": lambda _answer, _policy: None,
    "rules": lambda _ruling, _now, _policy: None,
}
"""Each step that judges, as if it had nothing against anything. Those that only read cannot be done without."""


@pytest.mark.parametrize("step", _LETS_ALL_PASS)
def test_no_whole_step_can_be_taken_out_unnoticed(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(load())
    monkeypatch.setattr(steps, step, _LETS_ALL_PASS[step])
    failed = bench.first_failure()
    assert failed is not None
    assert failed in {vector.id for vector in load()}, "the stand-in broke instead of letting pass"


def test_every_step_is_taken_out_or_reads() -> None:
    named = {name for name, value in vars(steps).items() if inspect.isfunction(value) and name[0] != "_"}
    own = {name for name in named if getattr(steps, name).__module__ == steps.__name__}
    assert own == {*_LETS_ALL_PASS, "recognise", "decode", "read_content"}


def test_every_function_that_is_skipped_is_there() -> None:
    there = {f"{module.removeprefix('healthcert.')}:{name}" for module in _MODULES for name in function_names(module)}
    assert there >= _SKIPPED
