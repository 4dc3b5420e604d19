"""Tables and bars, as text and as JSON."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.case import Case
from benchmarks.contestants import PEAK
from benchmarks.timing import Series, quartiles

PYTENSOR = ("pytensor C", "pytensor numba")

FAULTS_WORTH_A_WORD = 16


@dataclass(frozen=True)
class Bar:
    """A promise: what was measured, what was promised, whether it holds (None: not measured)."""

    name: str
    figure: str
    bar: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        return {True: "ok", False: "MISS", None: "not measured"}[self.holds]


def below(name: str, value: float | None, limit: float, unit: str) -> Bar:
    """The bar ``value <= limit``; symcomp was asked, so no value means that it failed."""
    figure = "failed" if value is None else f"{value:.3g} {unit}"
    return Bar(name, figure, f"<= {limit:g} {unit}", value is not None and value <= limit)


def duration(nanoseconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


@dataclass
class Report:
    """What is printed as it is measured, and kept for the summary."""

    bars: list[Bar] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    def add(self, title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Print a table and keep it."""
        self.tables.append({"title": title, "header": header, "rows": rows})
        print(f"\n{title}")
        print(_grid(header, rows), flush=True)

    def promise(self, *bars: Bar) -> None:
        """Print bars and keep them for the end."""
        self.bars += bars
        for bar in bars:
            print(f"  bar: {bar.name}: {bar.figure}  ({bar.bar})  {bar.verdict}", flush=True)

    def competition(self, case: Case, table: dict[str, Series]) -> None:
        """A case that was timed in rounds: its table and its bars."""
        header = ("", "median", "quartiles", "time / symcomp", "first result")
        header += ("GFLOP/s",) if case.flops else ()
        base = _successful(table).get("symcomp")
        rows = [_row(case, name, series, base) for name, series in table.items()]
        self.add(case.name, (*header, ""), rows)
        self.tables[-1]["samples"] = {name: series.samples for name, series in table.items()}
        if "symcomp" in table:
            self.promise(*(_timed_bar(case, bar, table) for bar in case.bars))

    def summary(self) -> None:
        """All bars in one table."""
        rows = [(bar.name, bar.figure, bar.bar, bar.verdict) for bar in self.bars]
        self.add("All bars", ("", "figure", "bar", ""), rows)
        missed = sum(bar.holds is False for bar in self.bars)
        silent = sum(bar.holds is None for bar in self.bars)
        print(f"\n{len(rows)} bars: {len(rows) - missed - silent} hold, {missed} missed, ", end="")
        print(f"{silent} not measured")

    def save(self, path: Path, facts: dict[str, str]) -> None:
        """Everything, for a program to read."""
        content = {"machine": facts, "bars": list(map(asdict, self.bars)), "tables": self.tables}
        path.write_text(json.dumps(content, indent=1))


def _grid(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(len(header))]

    def text(line: tuple[str, ...]) -> str:
        first, *rest = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        return "  " + "  ".join((first, *rest)).rstrip()

    return "\n".join(map(text, lines))


def _successful(table: dict[str, Series]) -> dict[str, Series]:
    return {
        name: series
        for name, series in table.items()
        if series.samples and not series.error and not series.note.startswith("WRONG")
    }


def _row(case: Case, name: str, series: Series, base: Series | None) -> tuple[str, ...]:
    if series.error or not series.samples:
        blanks = ("-",) * (5 if case.flops else 4)
        return (name, *blanks, f"failed: {series.error}")
    low, middle, high = quartiles(series.samples)
    ratio = "-"
    if base is not None:
        least, usual, most = quartiles(series.ratios(base))
        ratio = f"{usual:.2f} ({least:.2f}-{most:.2f})"
    row = (name, duration(middle), f"{duration(low)} - {duration(high)}", ratio)
    row += (duration(series.first_seconds * 1e9),)
    row += (f"{case.flops / middle:.0f}",) if case.flops else ()
    faults = statistics.median(series.faults)
    cost = f"{faults:.0f} page faults a call" if faults >= FAULTS_WORTH_A_WORD else ""
    return (*row, ", ".join(filter(None, (series.note, cost))))


def _timed_bar(case: Case, bar: str, table: dict[str, Series]) -> Bar:
    good = _successful(table)
    base = good.get("symcomp")
    kind, parameter = bar.split()
    if kind == "microseconds":
        return below(case.name, base.median / 1e3 if base else None, float(parameter), "µs")
    limit = float(parameter)
    rivals, words, text = {
        "fastest": (case.rivals, _speed(limit), f"best rival / symcomp >= {limit:g}"),
        "pytensor": (PYTENSOR, f"{limit:g} x PyTensor's speed", f"PyTensor / symcomp >= {limit:g}"),
        "peak": ((PEAK,), "share of the machine's peak", f">= {limit:g}"),
    }[kind]
    name = f"{case.name}: {words}"
    present = [rival for rival in rivals if rival in good]
    if base is None:
        return Bar(name, "failed", text, False)
    if not present:
        return Bar(name, "-", text, None)
    best = min(present, key=lambda rival: good[rival].median)
    low, middle, high = quartiles(good[best].ratios(base))
    figure = f"{middle:.2f} ({low:.2f}-{high:.2f}), {best}"
    return Bar(name, figure, text, middle >= limit)


def _speed(limit: float) -> str:
    return "no slower than the best rival" if limit == 1 else f"{limit:g} x the best rival's speed"
