"""What a run on a GPU found, as tables: on the screen, for ``docs/gpu.md``, and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.processes import Outcome
from benchmarks.report import Bar, Report, duration

RIVALS = ("torch.compile", "jax")
CLOCKED = "JAX has no events: it is timed by the wall clock."
TITLES = {
    "elementwise": "Elementwise, 10⁸ elements",
    "rows": "Rows of a matrix, 10⁸ elements",
    "networks": "Training, float32 without TF32",
    "small step": "A step of many small kernels",
    "calls": "The price of a call",
    "products": "Matrix products, without TF32",
    "convolutions": "Convolutions, float32 without TF32",
    "columns": "Columns of a matrix, 10⁸ elements",
    "full": "Folds of everything, 10⁸ elements",
    "transposes": "Transposes, 10⁸ elements",
    "gathers": "Gathers",
    "scatters": "Scatters",
    "random": "Random numbers",
}


class GpuReport(Report):
    """Tables and bars, and every outcome."""

    def __init__(self, emulation: bool) -> None:
        super().__init__()
        self.emulation = emulation
        self.bandwidth = 0.0
        self.outcomes: list[Outcome] = []
        self.left_out: list[str] = []

    # --- groups of cases --------------------------------------------------------------------------

    def group(self, name: str, cases: Sequence[Any], found: list[list[Outcome]]) -> None:
        """One table: a row for each case, a column for each contestant."""
        self.outcomes += [o for row in found for o in row]
        names = list(dict.fromkeys(o.contestant for row in found for o in row))
        by_host = name in ("small step", "calls")
        peaks = _peaks(cases, found) if name == "products" else {}
        title = TITLES[name] + (" (the emulation, toy sizes)" if self.emulation else "")
        header, rows, notes = [title], [], []
        for contestant in names:
            header += [contestant, "host"] if by_host else [contestant]
        for case, outcomes in zip(cases, found, strict=True):
            known = {o.contestant: o for o in outcomes}
            row = [case.name]
            for contestant in names:
                o = known.get(contestant)
                row.append(self._cell(case, o, peaks) if o else "")
                if by_host:
                    row.append(duration(o.host * 1e9) if o and not o.error else "")
                if o and o.error:
                    notes.append((f"{case.name}, {contestant}", o.error))
            rows.append(tuple(row))
        self.add(title, tuple(header), rows)
        if notes:
            self.add(f"{title}: failures", ("who", "why"), notes)
        if not self.emulation:
            self._bars(cases, found)

    def _cell(self, case: Any, o: Outcome, peaks: dict[str, float]) -> str:
        if o.error:
            return "wrong" if o.error.startswith("WRONG") else "failed"
        text, share = duration(o.seconds * 1e9), self.share(case, o)
        if share is not None:
            return f"{text} ({share:.0%})"
        if case.flops is not None and not self.emulation:
            rate = case.flops(case.arrays(False)) / o.seconds
            peak = peaks.get(case.name)
            of_peak = f", {rate / peak:.0%}" if peak else ""
            return f"{text} ({rate / 1e12:.3g} TFLOP/s{of_peak})"
        return text

    def share(self, case: Any, o: Outcome) -> float | None:
        """Of the measured bandwidth of a copy."""
        if case.moved is None or self.emulation or not self.bandwidth or "elements" not in o.facts:
            return None
        written = o.facts["elements"] * o.facts["bytes"]
        moved = case.moved(case.arrays(False), written)
        return moved / o.seconds / self.bandwidth

    def _bars(self, cases: Sequence[Any], found: list[list[Outcome]]) -> None:
        for case, outcomes in zip(cases, found, strict=True):
            known = {o.contestant: o for o in outcomes}
            mine = known.get("symcomp")
            if getattr(case, "least", 0):
                share = self.share(case, mine) if mine and not mine.error else None
                figure = "failed" if share is None else f"{share:.0%}"
                holds = share is not None and share >= case.least
                self.promise(Bar(case.name, figure, f">= {case.least:.0%} of a copy", holds))
            elif getattr(case, "host_limit", 0):
                figure = "failed" if mine is None or mine.error else f"{mine.host * 1e6:.3g} µs"
                holds = mine is not None and not mine.error and mine.host <= case.host_limit / 1e6
                self.promise(Bar(f"{case.name}: host", figure, f"<= {case.host_limit:g} µs", holds))
            elif case.group == "networks":
                self.promise(_no_slower(case.name, mine, known))

    # --- the rest ---------------------------------------------------------------------------------

    def write(self, facts: dict[str, str], markdown: Path | None, data: Path | None) -> None:
        """Into files, for readers and for programs."""
        if markdown:
            markdown.write_text(self.markdown(facts), encoding="utf-8")
        if data:
            content = {
                "machine": facts,
                "bandwidth": self.bandwidth,
                "bars": [asdict(bar) for bar in self.bars],
                "outcomes": [asdict(o) for o in self.outcomes],
                "tables": self.tables,
                "left out": self.left_out,
            }
            data.write_text(json.dumps(content, indent=1), encoding="utf-8")

    def markdown(self, facts: dict[str, str]) -> str:
        """All tables as a page has them."""
        lines = ["; ".join(f"{name}: {fact}" for name, fact in facts.items()) + ".", ""]
        lines += [f"In brackets: the share of what a copy on the GPU reaches. {CLOCKED}", ""]
        for table in self.tables:
            head = [str(cell) for cell in table["header"]]
            lines += [_line(head), _line(["---"] * len(head))]
            lines += [_line([*row, *[""] * (len(head) - len(row))]) for row in table["rows"]]
            lines.append("")
        if self.left_out:
            lines += ["Left out for want of time: " + ", ".join(self.left_out) + ".", ""]
        return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _peaks(cases: Sequence[Any], found: list[list[Outcome]]) -> dict[str, float]:
    """For each product the best rate that NVIDIA's library reached with that dtype."""
    best: dict[str, float] = {}
    dtypes = {case.name: case.arrays(False)[0].dtype for case in cases}
    for case, outcomes in zip(cases, found, strict=True):
        for o in outcomes:
            if not o.error and o.seconds and o.contestant in ("torch", "cupy", "symcomp"):
                rate = case.flops(case.arrays(False)) / o.seconds
                best[dtypes[case.name]] = max(best.get(dtypes[case.name], 0), rate)
    return {name: best[dtype] for name, dtype in dtypes.items() if dtype in best}


def _no_slower(name: str, mine: Outcome | None, known: dict[str, Outcome]) -> Bar:
    text = "no slower than " + " and ".join(RIVALS)
    rivals = [known[r] for r in RIVALS if r in known and not known[r].error]
    if mine is None or mine.error:
        return Bar(name, "failed", text, False)
    if not rivals:
        return Bar(name, duration(mine.seconds * 1e9), text, None)
    best = min(rivals, key=lambda o: o.seconds)
    figure = f"{duration(mine.seconds * 1e9)}; {best.contestant} {duration(best.seconds * 1e9)}"
    return Bar(name, figure, text, mine.seconds <= best.seconds)
