"""What is wrong in a rule file, kept with its line while reading goes on with the next part."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from edi_checker.rules.model import RuleFault
from edi_checker.rules.near import ask_near
from edi_checker.rules.yaml_tree import Mapping, Node, Scalar, Sequence

_T = TypeVar("_T")


class Wrong(Exception):
    """A part of the file that cannot be used."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Notes:
    """Everything found wrong in one file so far."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._faults: set[RuleFault] = set()

    @property
    def faults(self) -> list[RuleFault]:
        return sorted(self._faults, key=lambda fault: (fault.line, fault.reason))

    def add(self, line: int, reason: str) -> None:
        self._faults.add(RuleFault(self._path, line, reason))

    def take(self, mapping: Mapping, key: str, read: Callable[[Node], _T], default: _T) -> _T:
        """What `read` makes of the value of a key; `default` where it is absent or wrong."""
        node = mapping.entries.get(key)
        return default if node is None else self.attempt(node, read, default)

    def attempt(self, node: Node, read: Callable[[Node], _T], default: _T) -> _T:
        try:
            return read(node)
        except Wrong as error:
            self.add(error.line, error.reason)
            return default

    def check_keys(
        self, mapping: Mapping, what: str, allowed: Collection[str], required: Collection[str] = ()
    ) -> None:
        for key, line in mapping.lines.items():
            if key not in allowed:
                self.add(line, f"{what} has no key {key!r}; it has {listed(allowed)}{meant(key, allowed)}")
        for key in required:
            if key not in mapping.entries:
                self.add(mapping.line, f"{what} lacks the key {key!r}")


def meant(name: str, known: Collection[str]) -> str:
    """What stands behind a list of the known names: the question which of them was meant, if one is near."""
    near = ask_near(name, known)
    return f".{near}" if near else ""


def listed(names: Collection[str]) -> str:
    return ", ".join(names) if names else "none"


def mapping_of(node: Node, hint: str) -> Mapping:
    if not isinstance(node, Mapping):
        raise Wrong(node.line, hint)
    return node


def mappings_of(node: Node) -> list[Mapping]:
    if not isinstance(node, Sequence) or not node.items:
        raise Wrong(node.line, "a list of mappings is expected here")
    return [mapping_of(item, "a mapping is expected here") for item in node.items]


def word_of(node: Node) -> str:
    if not isinstance(node, Scalar):
        raise Wrong(node.line, "a single value is expected here")
    return node.text


def text_of(node: Node) -> str:
    text = word_of(node).strip()
    if not text:
        raise Wrong(node.line, "a text is expected here")
    return text


def texts_of(node: Node) -> tuple[str, ...]:
    if not isinstance(node, Sequence) or not node.items:
        raise Wrong(node.line, "a list of texts is expected here")
    return tuple(text_of(item) for item in node.items)
