"""``python -m benchmarks``: every bar, beside whichever peers are installed, in one run."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import accuracy, compiling, first, imports, lenet, resnet, steadiness
from benchmarks.contestants import CONTESTANTS, PEAK, bind, installed
from benchmarks.machine import facts
from benchmarks.report import Report
from benchmarks.timing import Effort, Process, compete
from benchmarks.workloads import GROUPS

FULL = Effort(quick=False, rounds=25, least=5, seconds=1.0, sample_ns=15_000_000, patience=240)
QUICK = Effort(quick=True, rounds=9, least=3, seconds=0.5, sample_ns=5_000_000, patience=60)
SLOW = ("torch.compile", "torch.compile channels_last", "pytensor C", "pytensor numba")

Runner = Callable[[Report, Path, list[str], int, bool], None]
ALONE: dict[str, Runner] = {
    "import": imports.run,
    "first": first.run,
    "lenet": lenet.run,
    "resnet": resnet.run,
    "compile": compiling.run,
    "accuracy": accuracy.run,
    "steadiness": steadiness.run,
}
ORDER = ("import", "first", *GROUPS, "compile", "accuracy", "steadiness")


def _timed(report: Report, group: str, processes: dict[str, Process], effort: Effort) -> None:
    for case in GROUPS[group]:
        report.competition(case, compete(case, processes, effort))


def _chosen(text: str, known: list[str] | tuple[str, ...], what: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no {what} {', '.join(unknown)}; there are: {', '.join(known)}")
    return names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAMES", help="groups to run, separated by commas")
    parser.add_argument("--peers", metavar="NAMES", help="contestants besides symcomp")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and fewer peers")
    parser.add_argument("--threads", type=int, default=2, help="threads for everyone (default 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument("--list", action="store_true", help="show groups, cases and contestants")
    return parser.parse_args()


def _show_list() -> None:
    for group in ORDER:
        print(group)
        for case in GROUPS.get(group, ()):
            print(f"    {case.name}")
    for name, contestant in CONTESTANTS.items():
        state = "" if installed(name) else f"   (not installed: {contestant.package})"
        print(f"contestant: {name}{state}")


def main() -> None:
    """Run what was asked for and print it as it comes."""
    arguments = _arguments()
    if arguments.list:
        _show_list()
        return
    effort = QUICK if arguments.quick else FULL
    groups = _chosen(arguments.only, ORDER, "group") if arguments.only else ORDER
    names = [name for name in CONTESTANTS if installed(name)]
    if arguments.peers:
        wanted = {"symcomp", PEAK, *_chosen(arguments.peers, list(CONTESTANTS), "contestant")}
        names = [name for name in names if name in wanted]
    elif arguments.quick:
        names = [name for name in names if name not in SLOW]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    bind(arguments.threads)
    report, known = Report(), facts(arguments.threads)
    for name, fact in known.items():
        print(f"{name + ':':<20}{fact}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="symcomp-benchmarks-") as folder:
        _run(groups, names, Path(folder), arguments.threads, effort, report)
    report.summary()
    print(f"in {time.monotonic() - start:.0f} s")
    if arguments.json:
        report.save(arguments.json, known)


def _run(
    groups: list[str] | tuple[str, ...],
    names: list[str],
    folder: Path,
    threads: int,
    effort: Effort,
    report: Report,
) -> None:
    processes = {name: Process(name, folder, threads, effort.patience) for name in names}
    try:
        for group in groups:
            if group in ALONE:
                ALONE[group](report, folder, names, threads, effort.quick)
            if group in GROUPS:
                _timed(report, group, processes, effort)
    finally:
        for process in processes.values():
            process.close()


if __name__ == "__main__":
    main()
