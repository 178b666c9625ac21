"""The typed schema of a payload without each of its constraints, in the running process.

What a schema checks is declared in classes; their module is executed again without one of the declarations, and its
names are exchanged wherever they were imported.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from tests.vectors.mutants import Edit, Mutant, module_tree, replaced


def schema_mutants(module_name: str) -> Iterator[Mutant]:
    """The module of typed payloads without each constraint, each required field, and each type of a field."""
    module = import_module(module_name)
    tree = module_tree(module)
    for line, where, kind, text, edit in _schema_sites(tree):
        yield Mutant(
            module=module_name.removeprefix("healthcert."),
            function=where,
            line=line,
            kind=kind,
            text=text,
            install=functools.partial(_execute_again, module, tree, edit),
        )


def _schema_sites(tree: ast.Module) -> Iterator[tuple[int, str, str, str, Edit]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Meta":
            for index, keyword in enumerate(node.keywords):
                yield node.lineno, "Meta", "constraint", ast.unparse(keyword), _drop(node.keywords, index)
    for struct in tree.body:
        if not isinstance(struct, ast.ClassDef):
            continue
        for field in struct.body:
            if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.unparse(field.annotation):
                name = ast.unparse(field.target)
                yield (
                    field.lineno,
                    struct.name,
                    "type",
                    name,
                    replaced(field, "annotation", ast.Name("Any", ast.Load())),
                )
                if field.value is None:
                    yield field.lineno, struct.name, "required", name, _make_optional(struct, field)


def _drop(values: list[Any], index: int) -> Edit:
    def edit() -> Callable[[], None]:
        dropped = values.pop(index)
        return lambda: values.insert(index, dropped)

    return edit


def _make_optional(struct: ast.ClassDef, field: ast.AnnAssign) -> Edit:
    """The field gets a default; all fields of the class are then by keyword, where no order is asked for."""

    def edit() -> Callable[[], None]:
        field.value = ast.Constant(None)
        struct.keywords.append(ast.keyword("kw_only", ast.Constant(True)))

        def undo() -> None:
            field.value = None
            struct.keywords.pop()

        return undo

    return edit


def _execute_again(module: ModuleType, tree: ast.Module, edit: Edit) -> Callable[[], None]:
    undo = edit()
    try:
        code = compile(ast.fix_missing_locations(tree), str(module.__file__), "exec", dont_inherit=True)
    finally:
        undo()
    again = ModuleType(module.__name__)
    again.__dict__.update({"Any": Any, "__file__": module.__file__})
    # A class looks the names of its annotations up when it is first used, in the module that goes by its name.
    sys.modules[module.__name__] = again
    exec(code, again.__dict__)
    new = {
        id(value): again.__dict__[name]
        for name, value in vars(module).items()
        if name in again.__dict__ and getattr(value, "__module__", None) == module.__name__
    }
    changed: list[tuple[dict[str, Any], str, Any]] = []
    others = [other for name, other in sys.modules.items() if name.startswith("healthcert.") and other is not again]
    # Objects made of the old module's classes go on using the names they find there.
    for values in map(vars, (*others, module)):
        changed += [(values, key, value) for key, value in values.items() if id(value) in new]
    for values, key, value in changed:
        values[key] = new[id(value)]

    def restore() -> None:
        sys.modules[module.__name__] = module
        for values, key, value in changed:
            values[key] = value

    return restore
