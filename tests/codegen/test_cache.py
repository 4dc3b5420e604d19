"""The cache: entries are whole or absent, whatever happens to their makers and their files."""

import json
import multiprocessing
import os
import signal
import time

import pytest

from symcomp.codegen import build, cache, runtime
from symcomp.errors import CacheError, CompilerError
from symcomp.options import options

KEY = "0123456789abcdef" * 2
SOURCE = """
#include "symcomp.h"
SYMCOMP_ATTACH
SYMCOMP_EXPORT int64_t answer(void) { return 42; }
"""
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path):
    with options(cache=tmp_path / "cache"):
        yield tmp_path / "cache"


def publish(key=KEY, **keywords):
    return cache.publish(key, "forty two", SOURCE, {"answer": [42]}, **keywords)


def answer(entry):
    return runtime.function(runtime.open_library(entry.library), "answer", "int64_t", [])()


def forget():
    cache._verified.clear()


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_an_entry_is_found_again(folder):
    assert cache.lookup(KEY) is None
    made = publish()
    assert answer(made) == 42
    forget()
    found = cache.lookup(KEY)
    assert found == made
    assert found.metadata == {"answer": [42]}
    assert found.source_path.read_text() == SOURCE
    assert found.library.name == "forty_two.so"
    assert leftovers(folder) == []


def test_the_folder_is_private(folder):
    cache.folder()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_verified_entry_is_not_read_again(folder, monkeypatch):
    publish()
    monkeypatch.setattr(cache, "_read", lambda place: pytest.fail("read again"))
    assert cache.lookup(KEY) is not None


def truncate(entry):
    data = entry.library.read_bytes()
    entry.library.write_bytes(data[: len(data) // 2])


def alter_binary(entry):
    data = bytearray(entry.library.read_bytes())
    data[len(data) // 2] ^= 1
    entry.library.write_bytes(data)


def alter_source(entry):
    entry.source_path.write_text(SOURCE.replace("42", "43"))


def alter_metadata(entry):
    path = entry.folder / cache.RECORD
    record = json.loads(path.read_text())
    record["metadata"]["answer"] = [43]
    path.write_text(json.dumps(record))


def garble_record(entry):
    (entry.folder / cache.RECORD).write_bytes(b"\xff{")


def misname_record(entry):
    (entry.folder / cache.RECORD).write_text("[1, 2]")


def remove_binary(entry):
    entry.library.unlink()


def remove_source(entry):
    entry.source_path.unlink()


def remove_record(entry):
    (entry.folder / cache.RECORD).unlink()


DAMAGES = [
    truncate,
    alter_binary,
    alter_source,
    alter_metadata,
    garble_record,
    misname_record,
    remove_binary,
    remove_source,
    remove_record,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_entry_is_built_again(folder, damage):
    damage(publish())
    forget()
    assert cache.lookup(KEY) is None
    again = publish()
    assert again.metadata == {"answer": [42]}
    assert again.source_path.read_text() == SOURCE
    assert answer(again) == 42
    assert leftovers(folder) == []


def test_a_binary_damaged_after_it_was_verified_is_noticed(folder):
    truncate(publish())
    assert cache.lookup(KEY) is None


def slow_compiler(tmp_path, seconds):
    path = tmp_path / f"slow-{seconds}"
    path.write_text(f'#!/bin/sh\nsleep {seconds}\nexec {build.compiler().command[0]} "$@"\n')
    path.chmod(0o700)
    return str(path)


def race(barrier, results, cc):
    with options(cc=cc):
        barrier.wait(30)
        entry = publish()
        results.put((os.getpid(), answer(entry)))


def test_eight_processes_publish_at_once_and_one_is_killed(folder, tmp_path):
    cache.folder()
    barrier, results = FORK.Barrier(8), FORK.Queue()
    commands = ["", ""] + [slow_compiler(tmp_path, 0.1)] * 5 + [slow_compiler(tmp_path, 30)]
    processes = [FORK.Process(target=race, args=(barrier, results, cc)) for cc in commands]
    for process in processes:
        process.start()
    victim = processes[-1]
    own = f"{cache.BUILDING}{victim.pid}-*/forty_two.c"
    deadline = time.monotonic() + 30
    while not list(folder.glob(own)) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    found = dict(results.get(timeout=60) for _ in range(7))
    for process in processes:
        process.join(30)
    assert set(found) == {process.pid for process in processes[:-1]}
    assert set(found.values()) == {42}
    assert [process.exitcode for process in processes] == [0] * 7 + [-signal.SIGKILL]
    assert len(leftovers(folder)) == 1
    forget()
    assert answer(cache.lookup(KEY)) == 42
    cache.prune()
    assert leftovers(folder) == []
    assert cache.lookup(KEY) is not None


def replace_damaged(barrier, results):
    barrier.wait(30)
    results.put(answer(publish()))


def test_processes_that_replace_a_damaged_entry_at_once_agree(folder):
    truncate(publish())
    forget()
    barrier, results = FORK.Barrier(4), FORK.Queue()
    processes = [FORK.Process(target=replace_damaged, args=(barrier, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [42] * 4
    for process in processes:
        process.join(30)
    assert leftovers(folder) == []


def test_a_source_that_does_not_compile_is_kept_and_later_pruned(folder, monkeypatch):
    with pytest.raises(CompilerError) as caught:
        cache.publish(KEY, "wrong", "int f(void) { return nothing; }")
    (kept,) = folder.glob(f"{cache.BUILDING}*/wrong.c")
    assert str(kept) in str(caught.value)
    assert cache.lookup(KEY) is None
    cache.prune()
    assert kept.exists()  # its process may still be at it
    monkeypatch.setattr(cache, "_is_alive", lambda process: False)
    cache.prune()
    assert not kept.exists()


def test_prune_by_age_by_size_and_all(folder):
    keys = [f"{i:032x}" for i in range(3)]
    for age, key in enumerate(keys):
        entry = publish(key)
        used = time.time() - age * 10 * cache.DAY
        os.utime(entry.folder / cache.RECORD, (used, used))
    assert [entry.key for entry in cache.entries()] == keys
    assert cache.prune(older_than_days=15) == [folder / keys[2]]
    size = next(cache.entries()).size
    assert cache.prune(max_bytes=size) == [folder / keys[1]]
    assert cache.prune() == []
    assert cache.prune(all=True) == [folder / keys[0]]
    assert list(folder.iterdir()) == []
    assert cache.lookup(keys[0]) is None


def test_prune_deletes_damaged_entries_and_leaves_strange_files(folder):
    truncate(publish())
    (folder / "notes.txt").write_text("mine")
    assert cache.prune() == [folder / KEY]
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_use_renews_an_entry(folder):
    entry = publish()
    record = entry.folder / cache.RECORD
    os.utime(record, (0, 0))
    forget()
    cache.lookup(KEY)
    assert time.time() - record.stat().st_mtime < 60


def test_a_folder_that_others_may_write_is_refused(folder):
    cache.folder()
    folder.chmod(0o777)
    with pytest.raises(CacheError) as caught:
        cache.lookup(KEY)
    assert caught.value.message == (
        f"the cache folder {folder} is not safe to load code from: others may write there "
        "(mode 0777); set SYMCOMP_CACHE to a folder of your own, or remove this one"
    )


def test_a_folder_of_another_user_is_refused(folder, monkeypatch):
    folder.mkdir(0o700)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with pytest.raises(CacheError, match=f"it belongs to user {user}, and you are {user + 1}"):
        cache.lookup(KEY)


def test_a_folder_that_is_a_file_is_refused(folder):
    folder.write_text("")
    with pytest.raises(CacheError, match="it is not a folder"):
        cache.lookup(KEY)


def test_a_folder_below_a_file_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "cache"
    with options(cache=path), pytest.raises(CacheError) as caught:
        cache.lookup(KEY)
    assert caught.value.message == (
        f"the cache folder {path} cannot be used: Not a directory; "
        "set SYMCOMP_CACHE to a folder of your own that can be written"
    )


def test_a_folder_that_cannot_be_written_is_named(folder, monkeypatch):
    cache.folder()

    # Permissions do not bind the superuser, and tests may run as one: so the system's answer is
    # feigned.
    def refuse(self, *arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache.Path, "mkdir", refuse)
    with pytest.raises(CacheError) as caught:
        publish()
    assert caught.value.message == (
        f"the cache folder {folder} cannot be used: Permission denied; "
        "set SYMCOMP_CACHE to a folder of your own that can be written"
    )


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="no folder that nobody can write")
def test_a_read_only_filesystem_is_an_unusable_cache():
    with options(cache="/proc/symcomp"), pytest.raises(CacheError, match="/proc/symcomp cannot be"):
        cache.lookup(KEY)


def test_keys_tell_parts_flags_and_compilers_apart():
    keys = {
        cache.key("a", "b"),
        cache.key("ab"),
        cache.key("a", "b", extra_flags=("-DX",)),
        cache.key(b"a", b"c"),
    }
    with options(cflags="-O1"):
        keys.add(cache.key("a", "b"))
    assert len(keys) == 5
    assert all(cache.KEY.fullmatch(key) for key in keys)
    assert cache.key("a", "b") == cache.key("a", b"b")
