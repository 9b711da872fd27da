"""A forgetful disk as a folder of this machine: Linux's FUSE, spoken directly (linux/fuse.h); needs root.

Numbers of nodes are those of the disk, so hard links are one file for the kernel too. Locks and shared memory
are the kernel's own.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pickle
import random
import stat
import struct
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from forgetful_disk import Disk, File

_HEAD = struct.Struct("<IIQQIIIHH")
_REPLY = struct.Struct("<IiQ")
_ENTRY = struct.Struct("<4Q2I")
_ATTR = struct.Struct("<6Q10I")
_SETATTR = struct.Struct("<II6Q8I")
_TRANSFER = struct.Struct("<QQIIQII")  # of READ, READDIR and WRITE
_FOREVER = 10**6  # seconds that the kernel may remember: nobody else changes this disk
_LONGEST = 1 << 17
_DETACH = 2
_PATIENCE = 10.0  # seconds until a folder that is in use cannot be unmounted

_libc = ctypes.CDLL(None, use_errno=True)


class Cut(NamedTuple):
    """When the power fails: before the `number`th call of this kind, "name", "write" or "fsync"."""

    kind: str
    number: int
    seed: int


class Mount:
    """The disk, at a folder, served by a process of its own until it is unmounted or the power fails."""

    def __init__(self, folder: Path, disk: Disk, cut: Cut | None = None) -> None:
        self.folder = folder
        self._result = folder.with_name(f"{folder.name}.disk")
        self._result.unlink(missing_ok=True)
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        try:
            words = (b"forgetful", os.fsencode(folder), b"fuse", 0, options.encode())
            if _libc.mount(*words) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), "mount")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the child uses nothing of other threads
                self.pid = os.fork()
            if self.pid == 0:
                _serve(device, disk, cut, self._result)
        finally:
            os.close(device)
        self._over = False

    def is_over(self) -> bool:
        """Whether the power has failed."""
        if not self._over:
            self._over = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self._over

    def end(self) -> tuple[Disk, dict[str, int]]:
        """The disk as it is now, and how many calls of each kind there were."""
        over = self.is_over()
        end = time.monotonic() + _PATIENCE
        while _libc.umount2(os.fsencode(self.folder), _DETACH if over else 0) != 0:
            number = ctypes.get_errno()
            if number != errno.EBUSY or time.monotonic() > end:
                _libc.umount2(os.fsencode(self.folder), _DETACH)
                raise OSError(number, os.strerror(number), str(self.folder))
            time.sleep(0.001)  # somebody looks into it at this moment
        if not over:
            os.waitpid(self.pid, 0)
            self._over = True
        disk, counts = pickle.loads(self._result.read_bytes())
        self._result.unlink()
        return disk, counts


def let_go(folder: Path) -> None:
    """Unmount what a run that was stopped left there."""
    _libc.umount2(os.fsencode(folder), _DETACH)


def can_mount(folder: Path) -> bool:
    """Whether this machine lets us mount at all."""
    try:
        Mount(folder, Disk()).end()
    except OSError:
        return False
    return True


def _serve(device: int, disk: Disk, cut: Cut | None, result: Path) -> None:
    """Serve until the end, leave the disk in `result`, and end this process."""
    code = 1
    try:
        server = _Server(device, disk, cut)
        server.run()
        beside = result.with_suffix(".part")
        beside.write_bytes(pickle.dumps((disk, server.counts)))
        beside.rename(result)
        code = 0
    finally:
        os._exit(code)


class _Server:
    def __init__(self, device: int, disk: Disk, cut: Cut | None) -> None:
        self._device = device
        self._disk = disk
        self._cut = cut
        self.counts = {"name": 0, "write": 0, "fsync": 0}
        self._listings: dict[int, list[tuple[int, bytes, int]]] = {}
        # What each call of the kernel does, and its kind where it changes what is on the disk.
        self._calls: dict[int, tuple[Callable[[int, bytes], bytes], str]] = {
            1: (self._look_up, ""),
            3: (self._get, ""),
            4: (self._set, "write"),
            8: (self._make_file, "name"),
            9: (self._make_folder, "name"),
            10: (self._remove, "name"),
            11: (self._remove, "name"),
            12: (self._rename, "name"),
            13: (self._link, "name"),
            15: (self._read, ""),
            16: (self._write, "write"),
            17: (lambda node, body: struct.pack("<5Q4I24x", *[1 << 20] * 5, 4096, 255, 4096, 0), ""),
            20: (self._flush, "fsync"),
            26: (self._begin, ""),
            27: (self._open_folder, ""),
            28: (self._list, ""),
            29: (self._close_folder, ""),
            30: (self._flush, "fsync"),
            45: (self._rename_2, "name"),
        }

    def run(self) -> None:
        while True:
            try:
                asked = os.read(self._device, _LONGEST + 8192)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    self._disk.settle()
                    return
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                raise
            if self._fails(asked):
                assert self._cut is not None
                self._disk.cut(random.Random(self._cut.seed))
                return
            self._answer(asked)

    def _fails(self, asked: bytes) -> bool:
        """Whether the power fails before this call is made."""
        _, kind = self._calls.get(_HEAD.unpack_from(asked)[1], (None, ""))
        if kind:
            self.counts[kind] += 1
        return self._cut is not None and (kind, self.counts.get(kind)) == self._cut[:2]

    def _answer(self, asked: bytes) -> None:
        _, code, unique, node, *_ = _HEAD.unpack_from(asked)
        if code in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET: no answer is wanted
            return
        # Among those that are not known are OPEN and FLUSH: the kernel then does without.
        error, said = -errno.ENOSYS, b""
        if code in self._calls:
            try:
                error, said = 0, self._calls[code][0](node, asked[_HEAD.size :])
            except OSError as failed:
                error = -(failed.errno or errno.EIO)
        with contextlib.suppress(FileNotFoundError):  # who asked was killed
            os.write(self._device, _REPLY.pack(_REPLY.size + len(said), error, unique) + said)

    # -- the calls

    def _begin(self, node: int, body: bytes) -> bytes:
        _, minor, ahead, offered = struct.unpack_from("<4I", body)
        # ASYNC_READ, BIG_WRITES, PARALLEL_DIROPS, NO_OPEN_SUPPORT
        wanted = offered & (1 | 1 << 5 | 1 << 17 | 1 << 18)
        limits = (16, 12, _LONGEST, 1, 0, 0, 0, 0)
        return struct.pack("<4IHHIIHHII24x", 7, min(minor, 31), ahead, wanted, *limits)

    def _attributes(self, number: int) -> bytes:
        node = self._disk.nodes[number]
        size = len(node.live) if isinstance(node, File) else 0
        seconds, rest = divmod(node.changed_ns, 10**9)
        links = node.links if isinstance(node, File) else 2
        return _ATTR.pack(
            *(number, size, -(-size // 512), seconds, seconds, seconds, rest, rest, rest),
            *(node.mode, links, os.getuid(), os.getgid(), 0, 4096, 0),
        )

    def _entry(self, number: int) -> bytes:
        return _ENTRY.pack(number, 0, _FOREVER, _FOREVER, 0, 0) + self._attributes(number)

    def _look_up(self, node: int, body: bytes) -> bytes:
        return self._entry(self._disk.find(node, _names(body)[0]))

    def _get(self, node: int, body: bytes) -> bytes:
        return struct.pack("<QII", _FOREVER, 0, 0) + self._attributes(node)

    def _set(self, node: int, body: bytes) -> bytes:
        what, _, _, size, _, _, mtime, _, _, mtime_ns, _, mode, *_ = _SETATTR.unpack_from(body)
        if what & 1:
            found = self._disk.nodes[node]
            found.mode = stat.S_IFMT(found.mode) | stat.S_IMODE(mode)
        if what & 8:
            self._disk.resize(node, size)
        if what & 32 and not what & 256:
            self._disk.nodes[node].changed_ns = mtime * 10**9 + mtime_ns
        return self._get(node, b"")

    def _make_file(self, node: int, body: bytes) -> bytes:
        [mode] = struct.unpack_from("<I", body)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EPERM, "")
        return self._entry(self._disk.make(node, _names(body[16:])[0], mode))

    def _make_folder(self, node: int, body: bytes) -> bytes:
        [mode] = struct.unpack_from("<I", body)
        return self._entry(self._disk.make(node, _names(body[8:])[0], stat.S_IFDIR | stat.S_IMODE(mode)))

    def _remove(self, node: int, body: bytes) -> bytes:
        self._disk.remove(node, _names(body)[0])
        return b""

    def _rename(self, node: int, body: bytes) -> bytes:
        [folder] = struct.unpack_from("<Q", body)
        old, new = _names(body[8:])
        self._disk.rename(node, old, folder, new)
        return b""

    def _rename_2(self, node: int, body: bytes) -> bytes:
        folder, flags = struct.unpack_from("<QI", body)
        old, new = _names(body[16:])
        if flags & ~1:
            raise OSError(errno.EINVAL, "")
        if flags and new in self._disk.folder(folder).live:
            raise OSError(errno.EEXIST, new)
        self._disk.rename(node, old, folder, new)
        return b""

    def _link(self, node: int, body: bytes) -> bytes:
        [number] = struct.unpack_from("<Q", body)
        self._disk.link(node, _names(body[8:])[0], number)
        return self._entry(number)

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size, *_ = _TRANSFER.unpack_from(body)
        return bytes(self._disk.file(node).live[offset : offset + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, offset, size, *_ = _TRANSFER.unpack_from(body)
        self._disk.write(node, offset, body[_TRANSFER.size : _TRANSFER.size + size])
        return struct.pack("<II", size, 0)

    def _flush(self, node: int, body: bytes) -> bytes:
        self._disk.flush(node)
        return b""

    def _open_folder(self, node: int, body: bytes) -> bytes:
        names = self._disk.folder(node).live
        handle = max(self._listings, default=0) + 1
        self._listings[handle] = [
            (number, os.fsencode(name), self._disk.nodes[number].mode >> 12) for name, number in names.items()
        ]
        return struct.pack("<QII", handle, 0, 0)

    def _list(self, node: int, body: bytes) -> bytes:
        handle, offset, size, *_ = _TRANSFER.unpack_from(body)
        said = bytearray()
        for place, (number, name, kind) in enumerate(self._listings[handle][offset:], offset + 1):
            entry = struct.pack("<QQII", number, place, len(name), kind) + name
            entry += bytes(-len(entry) % 8)
            if len(said) + len(entry) > size:
                break
            said += entry
        return bytes(said)

    def _close_folder(self, node: int, body: bytes) -> bytes:
        [handle] = struct.unpack_from("<Q", body)
        del self._listings[handle]
        return b""


def _names(body: bytes) -> list[str]:
    return [os.fsdecode(name) for name in body.split(b"\0")[:-1]]
