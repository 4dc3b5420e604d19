"""The cache of compiled functions: entries appear whole, are checked, and are never locked.

An entry is one folder, named by its key:

    <cache>/<key>/<name>.c         the source, for people
    <cache>/<key>/<name>.so        the binary
    <cache>/<key>/<name>.cu, …     the kernels of a GPU, and what they were compiled to
    <cache>/<key>/entry.json       the caller's metadata; sizes and checksums of all of them

It is built in a private folder, `.building-...`, and published by renaming that folder: whoever
comes first wins, and all others use what the first has made. An entry that does not match its
checksums is built again. The cache folder must be the user's own, writable by nobody else, since
what lies in it is executed; checksums guard against damage, the folder's owner and mode against
people.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from symcomp.codegen import build
from symcomp.errors import CacheError
from symcomp.options import options
from symcomp.version import VERSION

RECORD = "entry.json"
BUILDING = ".building-"
DISCARDED = ".discarded-"
KEY = re.compile(r"[0-9a-f]{32}")
DAY = 86400.0


class Entry(NamedTuple):
    """A published, verified entry."""

    key: str
    name: str
    folder: Path
    metadata: dict[str, Any]

    @property
    def library(self) -> Path:
        """The compiled shared library."""
        return self.folder / f"{self.name}.so"

    @property
    def source_path(self) -> Path:
        """The C source that the library was compiled from."""
        return self.folder / f"{self.name}.c"

    def file(self, suffix: str) -> Path:
        """One of the entry's files."""
        return self.folder / f"{self.name}{suffix}"


#: Makes more files of an entry, given their path without suffix; answers the suffixes.
Part = Callable[[Path], Sequence[str]]


class Listed(NamedTuple):
    """An entry as `entries` lists it: unverified; its size in bytes, and when it was last used."""

    key: str
    name: str
    folder: Path
    size: int
    used: float


# Entries that this process has verified: the binary's stamp then, and the entry. Unchanged files
# are not read again.
_verified: dict[Path, tuple[tuple[int, ...], Entry]] = {}
_trusted_folders: dict[Path, tuple[int, ...]] = {}


def key(*parts: str | bytes, extra_flags: tuple[str, ...] = ()) -> str:
    """The key of what `parts` describe, under this version, compiler, machine and flags."""
    digest = hashlib.sha256(_surroundings(build.compiler(), options.cflags).encode())
    for part in (*extra_flags, *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:32]


@functools.lru_cache(maxsize=16)
def _surroundings(compiler: build.Compiler, cflags: str) -> str:
    cores = str(os.cpu_count())  # matrix products are cut by it
    parts = (VERSION, compiler.identity, *compiler.flags(), build.machine(), cores, _headers())
    return "\0".join((*parts, _program()))


@functools.cache
def _program() -> str:
    """What tells this state of symcomp from others: a version under development changes between
    releases.
    """
    root = Path(__file__).parents[1]
    states = [
        (path.name, (s := path.stat()).st_mtime_ns, s.st_size)
        for path in sorted(root.glob("*/*.py"))
    ]
    return str(states)


@functools.cache
def _headers() -> str:
    """A checksum of the header files that generated code includes."""
    digest = hashlib.sha256()
    for path in sorted(build.INCLUDE.iterdir()):
        if path.suffix in (".h", ".c", ".cu", ".cuh"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def folder() -> Path:
    """The cache folder, made if need be (mode 0700) and safe to load code from, or a CacheError."""
    path = options.cache
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = _make(path)
    except OSError as error:
        raise _unusable(path, error) from None
    stamp = (status.st_dev, status.st_ino, status.st_mode, status.st_uid)
    if _trusted_folders.get(path) != stamp:
        _check_private(path, status)
        _trusted_folders[path] = stamp
    return path


def _make(path: Path) -> os.stat_result:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        return os.stat(path)
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> CacheError:
    return CacheError(
        f"the cache folder {path} cannot be used: {error.strerror or error}; "
        f"set SYMCOMP_CACHE to a folder of your own that can be written"
    )


def _check_private(path: Path, status: os.stat_result) -> None:
    def refuse(why: str) -> CacheError:
        advice = "set SYMCOMP_CACHE to a folder of your own, or remove this one"
        return CacheError(f"the cache folder {path} is not safe to load code from: {why}; {advice}")

    if not stat.S_ISDIR(status.st_mode):
        raise refuse("it is not a folder")
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise refuse(f"it belongs to user {status.st_uid}, and you are {os.geteuid()}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise refuse(f"others may write there (mode {stat.S_IMODE(status.st_mode):04o})")


def lookup(key: str) -> Entry | None:
    """The entry of this key, verified, or None when there is none or it is damaged."""
    place = folder() / key
    known = _verified.get(place)
    if known is not None and known[0] == _state(known[1]):
        return known[1]
    entry = _read(place)
    if entry is not None:
        _mark_used(place)
        _verified[place] = (_state(entry), entry)
    return entry


def _state(entry: Entry) -> tuple[int, ...]:
    """What changes when an entry does."""
    return (*_stamp(entry.library), *_stamp(entry.folder / RECORD))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(place: Path) -> Entry | None:
    """The entry in this folder if every byte is as published, else None."""
    try:
        record = json.loads((place / RECORD).read_bytes())
        name = record["name"]
        if record["seal"] != _seal(record) or record["key"] != place.name:
            return None
        for suffix, described in record["files"].items():
            if described != _describe((place / (name + suffix)).read_bytes()):
                return None
        return Entry(place.name, name, place, record["metadata"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _describe(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _seal(record: dict[str, Any]) -> str:
    """The checksum of all of a record but the seal itself."""
    content = {name: value for name, value in record.items() if name != "seal"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _mark_used(place: Path) -> None:
    """Keep the day of the last use, for `prune`: the record's time of change."""
    record = place / RECORD
    try:
        if time.time() - os.stat(record).st_mtime > DAY:
            os.utime(record)
    except OSError:
        pass  # an entry that can be read but not touched is as good


def publish(
    key: str,
    name: str,
    source: str | None,
    metadata: dict[str, Any] | None = None,
    extra_flags: tuple[str, ...] = (),
    more: Part | None = None,
) -> Entry:
    """Compile `source` (if there is one) and publish it under `key`; when another process was
    faster, that one's entry.

    `more` makes further files of the entry. `name` is for people; it becomes the file's name.
    Raises CompilerError (the private folder with the source is then kept until the next `prune`) or
    CacheError.
    """
    cache = folder()
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:64] or "function"
    try:
        private = cache / f"{BUILDING}{os.getpid()}-{os.urandom(8).hex()}"
        private.mkdir(mode=0o700)
        beside = None if more is None else _Beside(more, private / name)
        made = []
        try:
            if source is not None:
                build.compile_shared(source, private / f"{name}.so", extra_flags)
                made += [".c", ".so"]
        finally:
            made += [] if beside is None else beside.result()
        _write_record(private, key, name, metadata or {}, made)
        _install(private, cache / key)
    except OSError as error:
        if isinstance(error, CacheError):
            raise
        raise _unusable(cache, error) from None
    entry = lookup(key)
    if entry is None:
        raise CacheError(f"the cache folder {cache} loses what is written to it (entry {key})")
    return entry


class _Beside(threading.Thread):
    """Makes a part of an entry while another is compiled."""

    def __init__(self, part: Part, stem: Path) -> None:
        super().__init__(name=f"symcomp {stem.name}", daemon=True)
        self._part, self._stem = part, stem
        self._made: Sequence[str] = ()
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._made = self._part(self._stem)
        except BaseException as error:
            self._error = error

    def result(self) -> Sequence[str]:
        """The suffixes of what was made, or the error that there was."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._made


def _write_record(
    private: Path, key: str, name: str, metadata: dict[str, Any], made: Sequence[str]
) -> None:
    files = {suffix: _describe((private / (name + suffix)).read_bytes()) for suffix in made}
    record = {"key": key, "name": name, "files": files, "metadata": metadata}
    # Metadata is sealed as it will be read: JSON turns tuples into lists and keys into strings.
    record = json.loads(json.dumps(record))
    record["seal"] = _seal(record)
    (private / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _install(private: Path, place: Path) -> None:
    """Rename the private folder into place; a good entry there stays, a damaged one makes way."""
    for _ in range(100):
        try:
            os.rename(private, place)
            return
        except OSError:
            if not place.exists():
                raise
        if _read(place) is not None:
            _remove(private)
            return
        _discard(place)
    raise CacheError(f"the entry {place} is damaged and cannot be replaced: remove it")


def _discard(place: Path) -> None:
    """Take an entry away in one step, then delete it; another process may be doing the same."""
    aside = place.with_name(f"{DISCARDED}{os.getpid()}-{os.urandom(8).hex()}")
    try:
        os.rename(place, aside)
    except FileNotFoundError:
        return
    _remove(aside)


def _remove(path: Path) -> None:
    import shutil  # late: it brings all of Python's compression libraries

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def entries() -> Iterator[Listed]:
    """All entries, the most recently used first; neither verified nor loaded."""
    found = (_listed(path) for path in folder().iterdir() if KEY.fullmatch(path.name))
    yield from sorted((entry for entry in found if entry), key=lambda entry: -entry.used)


def _listed(place: Path) -> Listed | None:
    try:
        files = list(os.scandir(place))
        size = sum(file.stat().st_size for file in files)
        names = [file.name.partition(".")[0] for file in files if file.name != RECORD]
        times = [file.stat().st_mtime for file in files if file.name == RECORD]
    except OSError:
        return None
    return Listed(
        place.name, names[0] if names else "(damaged)", place, size, max(times, default=0.0)
    )


def prune(
    older_than_days: float | None = None, max_bytes: int | None = None, all: bool = False
) -> list[Path]:
    """Delete what is stale, and the entries that the arguments name; what was deleted.

    Always: damaged entries, and private folders whose process is gone or which are older than a
    day. Then entries not used for `older_than_days`; then the least recently used ones beyond
    `max_bytes`; or `all`.
    """
    deleted = [path for path in folder().iterdir() if _is_stale(path)]
    kept = 0
    for entry in entries():
        kept += entry.size
        old = older_than_days is not None and time.time() - entry.used > older_than_days * DAY
        large = max_bytes is not None and kept > max_bytes
        if all or old or large or _read(entry.folder) is None:
            kept -= entry.size
            deleted.append(entry.folder)
    for path in deleted:
        _verified.pop(path, None)
        if KEY.fullmatch(path.name):
            _discard(path)
        else:
            _remove(path)
    return deleted


def _is_stale(path: Path) -> bool:
    match = re.fullmatch(
        rf"(?:{re.escape(BUILDING)}|{re.escape(DISCARDED)})(\d+)-[0-9a-f]+", path.name
    )
    if match is None:
        return False
    try:
        old = time.time() - path.stat().st_mtime > DAY
    except FileNotFoundError:
        return False
    return old or not _is_alive(int(match[1]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
