"""HTML elements whose text is all escaped and all visible."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable

from lxml import etree
from lxml.html import tostring

Element = etree._Element  # noqa: SLF001  # lxml gives its element type no public name
Content = str | Element | None

# What can be seen of a text is what stands in it: these hide, turn or end it, or are no text at all.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def visible(text: str) -> str:
    """The text with each control character, mark of direction and non-character shown as a sign."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_sign(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def _sign(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"


def shorten(text: str, longest: int) -> str:
    """The text, its end cut off where it is longer than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def tag(name: str, /, *content: Content, **attributes: str | None) -> Element:
    """An element with its content in order.

    None is passed over, also as an attribute's value. Attributes are written `class_`, `for_`, `aria_hidden`:
    an underscore at the end falls away, others become hyphens.
    """
    element = etree.Element(name)
    for key, value in attributes.items():
        if value is not None:
            element.set(key.rstrip("_").replace("_", "-"), visible(value))
    append(element, *content)
    return element


def head_of(labels: Iterable[str], numeric: Container[str] = ()) -> Element:
    """The head of a table with these columns."""
    row = tag("tr")
    for label in labels:
        row.append(tag("th", label, scope="col", class_="number" if label in numeric else None))
    return tag("thead", row)


def scroll(label: str, *content: Content) -> Element:
    """What may be wider than the page, to be scrolled in a frame of its own."""
    return tag("div", *content, class_="scroll", tabindex="0", role="group", aria_label=label)


def append(element: Element, *content: Content) -> None:
    """Put more content at the end of an element."""
    for item in content:
        if item is None:
            continue
        if not isinstance(item, str):
            element.append(item)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + visible(item)
        else:
            element.text = (element.text or "") + visible(item)


def write(element: Element) -> str:
    """The element as HTML in ASCII, which every stream can take, with a line feed at its end."""
    text: bytes = tostring(element, encoding="us-ascii")
    return text.decode("ascii") + "\n"
