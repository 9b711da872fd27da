"""Other programs that read an 837P, each in an environment of its own, made when it is asked for."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A program of the package index: what to install, what it does with a file, and how it is made to.
    `guide` says whether it holds a file to the guide, at least to a part of it.

    `code` is Python that does it with the file sys.argv[1]; nothing is installed for what we install already.
    """

    name: str
    install: tuple[str, ...]
    does: str
    guide: bool
    code: str


# What pyx12's own command does with a file, without the acknowledgement that it would write.
PYX12 = Peer(
    "pyx12",
    (),
    "the guide, no content",
    True,
    """
import logging, sys
import pyx12.params, pyx12.x12n_document
logging.disable(logging.CRITICAL)
pyx12.x12n_document.x12n_document(pyx12.params.ParamsBase(), sys.argv[1], None, None)
""",
)

PEERS = (
    Peer(
        "linuxforhealth-x12",
        # It was written for pydantic 1, and does not say so.
        ("linuxforhealth-x12==0.57.0", "pydantic<2"),
        "objects, a part of the guide",
        True,
        """
import sys
from linuxforhealth.x12.io import X12ModelReader
with X12ModelReader(sys.argv[1]) as reader:
    assert list(reader.models())
""",
    ),
    Peer(
        "badX12",
        ("badx12==0.2.2",),
        "splits segments and elements",
        False,
        # It imports a name that Python 3.10 moved.
        """
import collections, collections.abc, sys
collections.Iterable = collections.abc.Iterable
from badx12 import Parser
assert Parser().parse_document(sys.argv[1]).interchange.groups
""",
    ),
    Peer(
        "x12-python",
        ("x12-python==0.1.0",),
        "the envelope alone",
        False,
        """
import sys
from x12.core.validator import X12Validator
with open(sys.argv[1]) as file:
    X12Validator().validate(file.read())
""",
    ),
    Peer(
        "openx12",
        ("openx12==0.2.1",),
        "picks some fields",
        False,
        """
import sys
from openx12 import x837p
with open(sys.argv[1]) as file:
    assert x837p.parse(file.read()).claims
""",
    ),
)


class Skipped(Exception):
    """A program cannot be measured here; the text says why."""


def install(peer: Peer, folder: Path) -> Path:
    """The interpreter of a fresh environment in which the program stands. Raises Skipped."""
    if not peer.install:
        return Path(sys.executable)
    home = folder / peer.name
    try:
        venv.create(home, with_pip=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skipped(f"no environment can be made ({type(error).__name__})") from error
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", *peer.install]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired as error:
        raise Skipped("does not install within ten minutes") from error
    if done.returncode:
        raise Skipped("does not install")
    return python


def command_of(peer: Peer, python: Path, file: Path) -> list[str]:
    return [str(python), "-c", peer.code, str(file)]
