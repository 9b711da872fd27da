"""Rule file text to a tree of texts that know their lines; YAML's guesses about types are not made."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from edi_checker.rules.rule_files import MAX_CHARACTERS

MAX_DEPTH = 16
# Brackets left open within one line: the library reads ahead to the end of a line, so what is deeper must be
# refused before it reads. Far above MAX_DEPTH, because a text may have brackets; far below its own limit.
_MAX_OPEN = 64

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """The text is not a rule file; `line` says where, `reason` why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it is written: `02` and `NO` are what they look like. Quotes are removed."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    line: int
    entries: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


def read(data: bytes) -> Mapping:
    """The tree of one rule file.

    Raises Unreadable if the data is too big, not UTF-8, not YAML, nested too deep, has a key twice, or uses
    what a rule file does not need: anchors, aliases, tags, a second document.
    """
    if len(data) > MAX_CHARACTERS:
        raise Unreadable(0, f"larger than {MAX_CHARACTERS} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "not UTF-8 text") from None
    _check_brackets(text)
    try:
        return _build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(mark.line + 1 if mark else 0, f"not YAML: {reason}") from None
    except yaml.YAMLError as error:
        raise Unreadable(0, f"not YAML: {str(error).splitlines()[0]}") from None


def _check_brackets(text: str) -> None:
    """Refuse a line that leaves more brackets open than any text would."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.count("[") + line.count("{") <= _MAX_OPEN:
            continue
        depth = 0
        for character in line:
            if character in "[{":
                depth += 1
                if depth > _MAX_OPEN:
                    raise _too_deep(number)
            elif character in "]}":
                depth = max(0, depth - 1)


def _too_deep(line: int) -> Unreadable:
    return Unreadable(line, f"nested more than {MAX_DEPTH} deep")


def _build(text: str) -> Mapping:
    # From events rather than composed nodes: the depth is known before anything recurses.
    root: Node | None = None
    stack: list[tuple[Sequence | Mapping, list[str]]] = []
    documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 0
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(line, event.value)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Mapping(line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(line)
        elif isinstance(event, yaml.AliasEvent):
            raise Unreadable(line, "aliases (*name) are not used in rule files")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
            continue
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Unreadable(line, "a second document; one file holds one rule")
            continue
        else:
            continue
        if event.anchor is not None:
            raise Unreadable(line, "anchors (&name) are not used in rule files")
        if event.tag is not None:
            raise Unreadable(line, "tags (!name) are not used in rule files")
        if stack:
            _place(node, *stack[-1])
        else:
            root = node
        if not isinstance(node, Scalar):
            if len(stack) == MAX_DEPTH:
                raise _too_deep(line)
            stack.append((node, []))
    if not isinstance(root, Mapping):
        raise Unreadable(1, "empty, or not a mapping of keys to values")
    return root


def _place(node: Node, parent: Sequence | Mapping, key: list[str]) -> None:
    """Put a node into its parent; `key` holds the key that waits for its value."""
    if isinstance(parent, Sequence):
        parent.items.append(node)
    elif key:
        parent.entries[key.pop()] = node
    elif not isinstance(node, Scalar):
        raise Unreadable(node.line, "a key is a plain text")
    elif node.text in parent.lines:
        raise Unreadable(node.line, f"key {node.text!r} is there twice")
    else:
        parent.lines[node.text] = node.line
        key.append(node.text)
