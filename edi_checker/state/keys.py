"""Keys of the history: hashes with a secret, so that who has only the store cannot try names against it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from edi_checker.files.output import flush_folder
from edi_checker.state.errors import StateError

KEY_BYTES = 16
CLAIM_BYTES = 8
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """32 random bytes, kept in a file of their own outside the backup of the store."""

    _secret: bytes = field(repr=False)

    @classmethod
    def create(cls, path: Path) -> Secret:
        """Write a new secret to a file that is not there yet, readable by its owner alone.

        Raises StateError.
        """
        secret = os.urandom(_SECRET_BYTES)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(secret)
                stream.flush()
                os.fsync(stream.fileno())
            flush_folder(path.parent)
        except OSError as error:
            raise StateError(f"{path}: the secret key cannot be written: {error.strerror}") from error
        return cls(secret)

    @classmethod
    def read(cls, path: Path) -> Secret:
        """Raises StateError where the file is not there, is no secret, or others can read it."""
        try:
            with path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                secret = stream.read(_SECRET_BYTES + 1)
        except OSError as error:
            raise StateError(f"{path}: the secret key cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode) or len(secret) != _SECRET_BYTES:
            raise StateError(f"{path}: not a secret key, which is a file of {_SECRET_BYTES} bytes")
        if _is_open(status):
            raise StateError(f"{path}: others can read or change the secret key; run chmod 600 on it")
        return cls(secret)

    @property
    def fingerprint(self) -> str:
        """What the store keeps to know the secret again; it does not tell the secret."""
        return self._hash("fingerprint", (), KEY_BYTES).hex()

    def key(self, kind: str, *parts: str) -> bytes:
        """The key of these parts; keys of two kinds never meet. `kind` has at most 16 ASCII characters."""
        return self._hash(kind, parts, KEY_BYTES)

    def keys(self, kind: str, words: Iterable[str]) -> list[bytes]:
        """The keys of many single parts, each as of `key`."""
        copy = _begin(self._secret, kind, KEY_BYTES).copy
        found = []
        for word in words:
            begun, text = copy(), word.encode("utf-8", "surrogatepass")
            begun.update(len(text).to_bytes(4, "big") + text)  # as _framed
            found.append(begun.digest())
        return found

    def claim(self, *parts: str) -> bytes:
        """What stands for a claim in the entries of a key."""
        return self._hash("claim", parts, CLAIM_BYTES)

    def _hash(self, kind: str, parts: tuple[str, ...], size: int) -> bytes:
        begun = _begin(self._secret, kind, size).copy()
        begun.update(b"".join(map(_framed, parts)))
        return begun.digest()


def _framed(part: str) -> bytes:
    """A part with its length before it, so that no two lists of parts come to the same."""
    word = part.encode("utf-8", "surrogatepass")
    return len(word).to_bytes(4, "big") + word


# Several keys a claim are made: a copy costs a third of what a hash with a secret costs from its beginning.
@lru_cache(maxsize=16)
def _begin(secret: bytes, kind: str, size: int) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=size, key=secret, person=kind.encode("ascii"))


def _is_open(status: os.stat_result) -> bool:
    """What systemd hands over is root's, with an access list that looks like reading by the group."""
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == 0 and os.geteuid() != 0:
        return bool(mode & 0o037)
    return bool(mode & 0o077)
