"""Holds the documents against the code. Without an option it compares; ``--write`` renews the generated pages.

Generated are ``docs/reference/cli.md`` (the help of every command) and ``docs/reference/python.md`` (signatures and
docstrings of every public name). Besides, every relative link must lead somewhere, every page must be
reachable from ``docs/index.md``, and ``python.md`` must describe all of ``healthcert.__all__``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import healthcert
from healthcert_cli.root import group

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_MADE = "<!-- Made by tools/check_docs.py --write: change the code's own words instead. -->"
_WIDTH = 78  # what click makes of a terminal of 80 columns
_SECTIONS = {
    "verify": "Verifying",
    "issue": "Issuing",
    "intake": "Records of other systems",
    "authority": "The issuing authority",
    "trust": "Trust",
    "revocation": "Revocation",
    "rules": "Rules",
    "lists": "Signed lists",
    "fetch": "What is fetched",
    "https": "Fetching",
    "publish": "Publishing",
    "model": "What a certificate says",
    "codings": "Codes of vaccines, tests and results",
    "families": "Families",
    "links": "Health links",
    "barcode": "Barcodes",
    "document": "Paper, screens and telephones",
    "wallet": "A holder's wallet",
    "errors": "Codes and errors",
    "": "Clocks, limits, algorithms, records",
}
_PARTS = {"rules": ("certlogic",)}
"""The parts of packages that are public under the package's own name."""
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_ROLE = re.compile(r":[a-z]+:`(?:healthcert\.)?([^`]+)`")
_SPOKEN = ("__init__", "__getitem__")


def cli_page() -> str:
    """The help of every command, as it is printed."""
    parts = ["# Commands", _MADE, "The help of every command, as `healthcert ... --help` prints it."]
    parts += [f"## `{path}`\n\n```text\n{text}\n```" for path, text in _helps(group, "healthcert", None)]
    return "\n\n".join(parts) + "\n"


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, parent, name, terminal_width=_WIDTH, **command.context_settings)
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            if found := command.get_command(context, sub):
                yield from _helps(found, sub, context)


def python_page() -> str:
    """Every public name with its signature and docstring, read from the source."""
    parts = ["# Python", _MADE, "Every public name. All are imported from `healthcert` itself."]
    stub = ast.parse((ROOT / "src/healthcert/__init__.pyi").read_text("utf-8")).body
    found = [(node.module, node.names[0].name) for node in stub if isinstance(node, ast.ImportFrom) and node.module]
    imports = [(module, name) for module, name in found if name not in _PARTS]
    for section, title in _SECTIONS.items():
        parts.append(f"## {title}")
        for module, name in imports:
            package = module.split(".")[1]
            if section == (package if package in _SECTIONS else ""):
                parts += _describe(module, name)
        parts += [line for part in _PARTS.get(section, ()) for line in _part(f"{section}.{part}")]
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(path: str) -> Iterator[str]:
    """A package's part: what it is, and each of its public names where it stands."""
    module = f"healthcert.{path}"
    source = (ROOT / "src" / module.replace(".", "/") / "__init__.py").read_text("utf-8")
    tree = ast.parse(source)
    homes = {alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    yield f"### `{path}`"
    yield _markdown((ast.get_docstring(tree) or "").partition("\n")[0])
    for name in vars(import_module(module))["__all__"]:
        for line in _describe(homes.get(name) or f"{module}.__init__", name):
            heading = line.removeprefix("### `")
            yield line if heading == line else f"### `{path}.{heading}"


def _describe(module: str, name: str) -> Iterator[str]:
    path = ROOT / "src" / module.replace(".", "/")
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")
    body = ast.parse(source).body
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield f"### `{name}`"
            yield _markdown(ast.get_docstring(node))
            yield "\n".join(_fields(node)) if name != "Code" else "All codes are in [codes.md](codes.md)."
            yield from _methods(node)
        elif isinstance(node, ast.FunctionDef) and node.name == name:
            yield f"### `{_signature(node)}`"
            yield _markdown(ast.get_docstring(node))
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            yield f"### `{ast.unparse(node)}`"
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            yield f"### `{name}: {ast.unparse(node.annotation)}`"
            yield _markdown(ast.literal_eval(after.value)) if isinstance(after, ast.Expr) else ""


def _fields(cls: ast.ClassDef) -> Iterator[str]:
    for node, after in zip(cls.body, [*cls.body[1:], ast.Pass()], strict=True):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and not ast.unparse(node).startswith("_"):
            declaration = ast.unparse(node)
            if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "field":
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.value.keywords}
                default = given["default_factory"] + "()" if "default_factory" in given else given.get("default")
                declaration = declaration.partition(" = ")[0] + (f" = {default}" if default else "")
            about = f": {_markdown(ast.literal_eval(after.value))}" if isinstance(after, ast.Expr) else ""
            yield f"- `{declaration}`{about}"


def _methods(cls: ast.ClassDef) -> Iterator[str]:
    for node in cls.body:
        if not isinstance(node, ast.FunctionDef) or (node.name[0] == "_" and node.name not in _SPOKEN):
            continue
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        is_property = not decorators.isdisjoint(("property", "cached_property"))
        signature = f"{node.name}: {ast.unparse(node.returns or node)}" if is_property else _signature(node)
        yield f"#### `{signature.replace('__init__', cls.name).removesuffix(' -> None')}`"
        yield _markdown(ast.get_docstring(node))


def _signature(node: ast.FunctionDef) -> str:
    arguments = re.sub(r"^(self|cls)(, |$)", "", ast.unparse(node.args))
    arguments = re.sub(r"(: [^=]+)=(?=\S)", r"\1 = ", arguments)  # unparse() leaves the spaces out
    return f"{node.name}({arguments}) -> {ast.unparse(node.returns) if node.returns else 'None'}"


def _markdown(text: str | None) -> str:
    return _ROLE.sub(r"`\1`", text or "").replace("``", "`")


GENERATED = {DOCS / "reference/cli.md": cli_page, DOCS / "reference/python.md": python_page}


def links(page: Path) -> list[Path]:
    """The files that a page's relative links lead to."""
    targets = _LINK.findall(page.read_text("utf-8"))
    return [(page.parent / target.partition("#")[0]).resolve() for target in targets if ":" not in target]


def problems() -> Iterator[str]:
    """What does not fit, one line each."""
    for page, make in GENERATED.items():
        if not page.exists() or page.read_text("utf-8") != make():
            yield f"{page.relative_to(ROOT)}: is not what the code says; run tools/check_docs.py --write"
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in links(page):
            if not target.exists():
                yield f"{page.relative_to(ROOT)}: a link leads nowhere: {target.name}"
    reached, todo = set[Path](), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            todo += links(page)
    lost = {*DOCS.rglob("*.md")} - reached
    yield from (f"{page.relative_to(ROOT)}: not reachable from docs/index.md" for page in lost)
    described = re.findall(r"^### `(\w+)", python_page(), re.MULTILINE)
    for name in {*vars(healthcert)["__all__"]} - {"__version__", *described}:
        yield f"docs/reference/python.md: says nothing of {name}"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        for generated, content in GENERATED.items():
            generated.write_text(content(), "utf-8")
    found = sorted(problems())
    print("\n".join(found) or "The documents fit the code.")
    sys.exit(1 if found else 0)
