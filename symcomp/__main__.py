"""`python -m symcomp`: the cache of compiled functions, the options, and the doctor."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from symcomp import doctor
from symcomp.codegen import cache
from symcomp.errors import SymcompError
from symcomp.options import options


def list_cache(arguments: argparse.Namespace) -> int:
    """One line per entry, the most recently used first, and the sum."""
    listed = list(cache.entries())
    for entry in listed:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        print(f"{entry.key}  {entry.size / 1e3:8.1f} kB  {day}  {entry.name}")
    total = sum(entry.size for entry in listed) / 1e6
    print(f"{len(listed)} entries, {total:.1f} MB, in {cache.folder()}")
    return 0


def prune_cache(arguments: argparse.Namespace) -> int:
    """Delete damaged and stale entries, and those that the arguments name."""
    size = None if arguments.max_megabytes is None else int(arguments.max_megabytes * 1e6)
    deleted = cache.prune(older_than_days=arguments.days, max_bytes=size, all=arguments.all)
    print(f"deleted {len(deleted)} entries from {cache.folder()}")
    return 0


def show_path(arguments: argparse.Namespace) -> int:
    """The cache folder."""
    print(cache.folder())
    return 0


def show_options(arguments: argparse.Namespace) -> int:
    """Every option, its value, where that comes from, and what it does."""
    print(options.describe())
    return 0


def consult(arguments: argparse.Namespace) -> int:
    """What is used on this machine, and what is wrong."""
    return doctor.report()


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return number


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m symcomp", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="command")
    doctor_command = commands.add_parser("doctor", help="what is used here, and what is wrong")
    doctor_command.set_defaults(run=consult)
    options_command = commands.add_parser("options", help="every option and its value")
    options_command.set_defaults(run=show_options)
    cache_command = commands.add_parser("cache", help="the compiled functions on disk")
    cache_command.set_defaults(run=list_cache)
    actions = cache_command.add_subparsers(metavar="action")
    actions.add_parser("list", help="list the entries (the default)").set_defaults(run=list_cache)
    actions.add_parser("path", help="print the folder").set_defaults(run=show_path)
    prune = actions.add_parser("prune", help="delete damaged, stale, and chosen entries")
    prune.set_defaults(run=prune_cache)
    prune.add_argument("--days", type=_amount, help="also those not used for so many days")
    prune.add_argument("--max-megabytes", type=_amount, help="also the oldest beyond this size")
    prune.add_argument("--all", action="store_true", help="all entries")
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    arguments = parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except SymcompError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
