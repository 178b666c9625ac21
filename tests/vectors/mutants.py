"""Every single check of the verifying code, removed one at a time in the running process.

A mutant is one function compiled again with one statement or operand gone; it is put in place by exchanging the
function's code object, which every reference to the function shares.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

Edit = Callable[[], Callable[[], None]]
"""Changes the tree, and returns what changes it back."""

_FUTURE = ast.parse("from __future__ import annotations").body


@dataclass(frozen=True)
class Mutant:
    """A function without one of its checks, or a module without one of its constraints."""

    module: str
    function: str
    line: int
    kind: str
    text: str
    install: Callable[[], Callable[[], None]]
    """Puts it in place, and returns what takes it out again."""
    lines: range | None = None
    """The lines of its module that are other in it: who runs none of them cannot tell. None: anyone might."""

    @property
    def name(self) -> tuple[str, str, str, str]:
        """How it is called in the list of equivalent mutants; line numbers change too often for that."""
        return (self.module, self.function, self.kind, self.text)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function} [{self.kind}] {self.text}"


@contextmanager
def installed(mutant: Mutant, modules: tuple[str, ...]) -> Iterator[None]:
    """The mutant in place of the original; what functions remember is forgotten before and after."""
    remove = mutant.install()
    _forget(modules)
    try:
        yield
    finally:
        remove()
        _forget(modules)


def function_mutants(module_name: str, skipped: frozenset[str]) -> Iterator[Mutant]:
    """Every function of the module without each of its checks; ``skipped`` names functions."""
    module = import_module(module_name)
    for owner, node in _functions(module_tree(module)):
        qualified = f"{owner.name}.{node.name}" if owner else node.name
        if f"{module_name.removeprefix('healthcert.')}:{qualified}" in skipped:
            continue
        target = _function(module, qualified)
        for lines, kind, text, edit in _sites(node):
            yield Mutant(
                module=module_name.removeprefix("healthcert."),
                function=qualified,
                line=lines.start,
                kind=kind,
                text=text,
                install=functools.partial(_exchange, target, owner, node, edit, str(module.__file__)),
                lines=lines,
            )


def function_names(module_name: str) -> Iterator[str]:
    """Every function and method of a module."""
    for owner, node in _functions(module_tree(import_module(module_name))):
        yield f"{owner.name}.{node.name}" if owner else node.name


def module_tree(module: ModuleType) -> ast.Module:
    """The source of a module, parsed."""
    return ast.parse(Path(str(module.__file__)).read_text("utf-8"))


def _functions(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            yield from ((node, child) for child in node.body if isinstance(child, ast.FunctionDef))


def _function(module: ModuleType, qualified: str) -> FunctionType:
    """The function itself, out of whatever is wrapped around it."""
    found: Any = module
    for name in qualified.split("."):
        found = inspect.getattr_static(found, name)
    while not isinstance(found, FunctionType):
        inner = (getattr(found, name, None) for name in ("fget", "func", "__func__", "__wrapped__"))
        found = next(one for one in inner if one is not None)
    return found


def _exchange(
    target: FunctionType, owner: ast.ClassDef | None, node: ast.FunctionDef, edit: Edit, file: str
) -> Callable[[], None]:
    undo = edit()
    try:
        body: list[ast.stmt] = [node]
        if owner is not None:
            body = [ast.ClassDef(name=owner.name, bases=[], keywords=[], body=body, decorator_list=[])]
        tree = ast.fix_missing_locations(ast.Module(body=[*_FUTURE, *body], type_ignores=[]))
        code = compile(tree, file, "exec", dont_inherit=True)
    finally:
        undo()
    for name in (owner.name, node.name) if owner else (node.name,):
        code = next(const for const in code.co_consts if isinstance(const, CodeType) and const.co_name == name)
    original = target.__code__
    target.__code__ = code
    return functools.partial(setattr, target, "__code__", original)


def caches(modules: tuple[str, ...]) -> list[Callable[[], None]]:
    """What makes each function of these modules forget."""
    values = (value for name in modules for value in vars(import_module(name)).values())
    return [value.cache_clear for value in values if callable(getattr(value, "cache_clear", None))]


def _forget(modules: tuple[str, ...]) -> None:
    for clear in caches(modules):
        clear()


def _sites(function: ast.FunctionDef) -> Iterator[tuple[range, str, str, Edit]]:
    """Every place of a function where a check can be taken out: lines, kind, text, edit."""
    if isinstance(function.returns, ast.Name) and function.returns.id == "bool":
        for answer in (True, False):
            whole: list[ast.stmt] = [ast.Return(ast.Constant(answer))]
            yield _lines(function, function), "always", str(answer), replaced(function, "body", whole)
    for parent in ast.walk(function):
        for _, value in ast.iter_fields(parent):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                for index, statement in enumerate(value):
                    yield from _statement_sites(statement, value, index)


def _statement_sites(statement: ast.stmt, block: list[ast.stmt], index: int) -> Iterator[tuple[range, str, str, Edit]]:
    lines, text = _lines(statement, statement), ast.unparse(statement)
    gone = _replace(block, index)
    match statement:
        case ast.Raise():
            yield lines, "raise", text, gone
        case ast.Expr(value=ast.Call()):
            yield lines, "call", text, gone
        case ast.AugAssign():
            yield lines, "add", text, gone
        case ast.Return(value=ast.Constant()) if index < len(block) - 1 or block[0] is statement:
            yield lines, "return", text, gone
        case ast.Return(value=ast.IfExp() as choice):
            for answer in (True, False):
                yield lines, f"choice {answer}", text, replaced(choice, "test", ast.Constant(answer))
        case ast.Return(value=ast.BoolOp() as condition):
            yield from _operands(condition, lines)
        case ast.If():
            asked = _lines(statement, statement.test)
            if not (len(statement.body) == 1 and isinstance(statement.body[0], ast.Raise) and not statement.orelse):
                yield asked, "if", ast.unparse(statement.test), replaced(statement, "test", ast.Constant(False))
            if isinstance(statement.body[-1], ast.Return):
                # What leads to an early answer: a check is gone too when everything takes that way.
                yield asked, "if always", ast.unparse(statement.test), replaced(statement, "test", ast.Constant(True))
            if isinstance(statement.test, ast.BoolOp):
                yield from _operands(statement.test, asked)


def _operands(condition: ast.BoolOp, lines: range) -> Iterator[tuple[range, str, str, Edit]]:
    """Each operand as if it did not stand there."""
    kind = "or" if isinstance(condition.op, ast.Or) else "and"
    for index, operand in enumerate(condition.values):
        yield lines, kind, ast.unparse(operand), _replace(condition.values, index, ast.Constant(kind == "and"))


def _lines(first: ast.stmt, last: ast.stmt | ast.expr) -> range:
    return range(first.lineno, (last.end_lineno or last.lineno) + 1)


def replaced(node: ast.AST, field: str, value: object) -> Edit:
    """The edit that gives a field of ``node`` another value."""

    def edit() -> Callable[[], None]:
        original = getattr(node, field)
        setattr(node, field, value)
        return lambda: setattr(node, field, original)

    return edit


def _replace(values: list[Any], index: int, value: ast.AST | None = None) -> Edit:
    def edit() -> Callable[[], None]:
        original = values[index]
        values[index] = ast.Pass() if value is None else value

        def undo() -> None:
            values[index] = original

        return undo

    return edit
