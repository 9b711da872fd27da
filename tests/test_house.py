"""How long functions may be, how many rooms there are, and how many of them know each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "edi_checker"
LONG = 60  # lines from `def` to the last
MOST_LONG = 6
MOST_ROOMS = 20  # names at the top of the package
MOST_ARROWS = 90  # pairs of rooms of which one imports the other


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield file.relative_to(PACKAGE), ast.parse(file.read_text("utf-8"))


def _rooms() -> set[str]:
    folders = {item.name for item in PACKAGE.iterdir() if any(item.glob("*.py"))}
    return folders | {file.stem for file in PACKAGE.glob("*.py")} - {"__init__", "__main__"}


def _imported(tree: ast.Module) -> Iterator[str]:
    """The names of what a module imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports say the whole name"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_few_functions_are_long() -> None:
    long = [
        f"{file}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > LONG
    ]
    assert len(long) <= MOST_LONG, long


def test_there_are_few_rooms() -> None:
    rooms = _rooms()
    assert len(rooms) <= MOST_ROOMS, sorted(rooms)


def test_few_rooms_know_each_other() -> None:
    rooms = _rooms()
    arrows = {
        (file.parts[0].removesuffix(".py"), parts[1])
        for file, tree in _trees()
        for parts in (name.split(".") for name in _imported(tree))
        if parts[0] == "edi_checker" and len(parts) > 1 and parts[1] in rooms
    }
    between = {(source, target) for source, target in arrows if source != target and source in rooms}
    assert len(between) <= MOST_ARROWS, sorted(between)
