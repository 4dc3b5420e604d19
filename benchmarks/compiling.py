"""What compiling costs: one binary for all sizes, many small functions, long chains, huge graphs.

The random functions come from a seed and are straight-line programs over a table of operations that
every contestant has, bounded so that no result depends on rounding; their results are compared with
NumPy's.
"""

import importlib
import os
import random
import resource
import shutil
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import fresh
from benchmarks.contestants import CONTESTANTS, environment
from benchmarks.report import Bar, Report

OPERATIONS: dict[str, tuple[int, int, Callable]] = {
    # name: how many operands, how many nodes, what it does with a namespace's functions
    "product": (2, 1, lambda m, u, v: u * v),
    "average": (2, 2, lambda m, u, v: (u + v) * 0.5),
    "difference": (2, 2, lambda m, u, v: (u - v) * 0.5),
    "maximum": (2, 1, lambda m, u, v: m.maximum(u, v)),
    "minimum": (2, 1, lambda m, u, v: m.minimum(u, v)),
    "choice": (2, 3, lambda m, u, v: m.where(u < v, u, -v)),
    "tanh": (1, 1, lambda m, u: m.tanh(u)),
    "sin": (1, 1, lambda m, u: m.sin(u)),
    "cos": (1, 1, lambda m, u: m.cos(u)),
    "bell": (1, 3, lambda m, u: m.exp(-(u * u))),
    "logarithm": (1, 2, lambda m, u: m.log1p(abs(u))),
    "ratio": (1, 3, lambda m, u: 1.0 / (u * u + 1.0)),
}
Program = list[tuple[str, tuple[int, ...]]]


def random_program(seed: int, least: int = 5, most: int = 50) -> Program:
    """A program of between ``least`` and ``most`` nodes; every line uses the line before it."""
    choose = random.Random(seed)
    goal, nodes, program = choose.randint(least, most), 2, []
    while nodes < goal:
        fitting = [name for name, (_, cost, _) in OPERATIONS.items() if nodes + cost <= goal]
        name = choose.choice(fitting)
        operands, cost, _ = OPERATIONS[name]
        latest = len(program) + 1
        others = [choose.randrange(latest + 1) for _ in range(operands - 1)]
        program.append((name, (latest, *others)))
        nodes += cost
    return program


def evaluate(program: Program, namespace: Any, x: Any, y: Any) -> Any:
    """The program's last value, with the functions of a namespace."""
    values = [x, y]
    for name, operands in program:
        values.append(OPERATIONS[name][2](namespace, *(values[i] for i in operands)))
    return values[-1]


def _compiler(contestant: str, mode: str | None) -> Callable[[Callable], Callable]:
    """How a contestant turns ``build(namespace, x, y)`` into a function of two float64 vectors."""
    if contestant == "jax":
        import jax
        import jax.numpy as jnp

        return lambda build: jax.jit(lambda x, y: build(jnp, x, y))
    if contestant.startswith("pytensor"):
        import pytensor
        import pytensor.tensor as pt

        a, b = pt.dvector("x"), pt.dvector("y")
        return lambda build: pytensor.function([a, b], build(pt, a, b), on_unused_input="ignore")
    import symcomp as sc
    import symcomp.tensor as T

    x, y = T.dvector("x"), T.dvector("y")
    options = {} if mode is None else {"mode": mode}
    return lambda build: sc.function([x, y], build(T, x, y), on_unused_input="ignore", **options)


def many_functions(contestant: str, count: int, mode: str | None = None) -> dict[str, Any]:
    """Compile and call ``count`` random functions: seconds in all, and how many were wrong."""
    for module in CONTESTANTS[contestant].imports:
        importlib.import_module(module)
    compiler = _compiler(contestant, mode)
    x, y = np.linspace(-1, 1, 7), np.linspace(0.3, -0.9, 7)
    programs = [random_program(seed) for seed in range(count)]
    values, start = [], perf_counter()
    for program in programs:
        function = compiler(lambda m, u, v, program=program: evaluate(program, m, u, v))
        values.append(np.asarray(function(x, y)))
    seconds = perf_counter() - start
    pairs = zip(values, programs, strict=True)
    right = [np.allclose(value, evaluate(p, np, x, y), atol=1e-9) for value, p in pairs]
    return {"seconds": seconds, "wrong": right.count(False)}


def batch_sizes(count: int) -> dict[str, Any]:
    """Call one function with ``count`` different batch sizes; what lies in the cache afterwards."""
    import symcomp as sc
    import symcomp.tensor as T

    x, W = T.fmatrix("x"), sc.shared(np.ones((20, 10), np.float32))
    layer = sc.function([x], T.tanh(x @ W).sum(axis=1))
    wrong, start = 0, perf_counter()
    for size in range(1, count + 1):
        data = np.full((size, 20), 0.01, np.float32)
        wrong += not np.allclose(layer(data), 10 * np.tanh(0.2), rtol=1e-5)
    seconds = perf_counter() - start
    binaries = [path.name for path in Path(os.environ["SYMCOMP_CACHE"]).rglob("*.so*")]
    return {"seconds": seconds, "wrong": wrong, "binaries": binaries}


def chain(m: Any, nodes: int, x: Any, y: Any) -> Any:
    """A chain: each node reads the one before."""
    value = x
    for step in range(nodes // 2):
        value = m.tanh(value) if step % 2 else m.sin(value)
        value = value + y
    return value


def wide(m: Any, nodes: int, x: Any, y: Any) -> Any:
    """A wide graph: many short branches, summed pairwise."""
    branches = [m.tanh(x * float(i + 1)) for i in range(max(1, nodes // 3))]
    while len(branches) > 1:
        pairs = zip(branches[::2], branches[1::2], strict=False)
        odd = branches[-1:] if len(branches) % 2 else []
        branches = [u + v for u, v in pairs] + odd
    return branches[0] + y


SHAPES = {"chain": chain, "wide": wide}


def one_graph(contestant: str, shape: str, nodes: int) -> dict[str, Any]:
    """Seconds from the first expression of a graph to its first result, the least of three."""
    for module in CONTESTANTS[contestant].imports:
        importlib.import_module(module)
    compiler = _compiler(contestant, None)
    x, y = np.linspace(-1, 1, 7), np.linspace(0.3, -0.9, 7)
    compiler(lambda m, u, v: u - v)(x, y)
    seconds = []
    for attempt in range(3 if nodes <= 1000 else 1):
        size = nodes + 4 * attempt
        start = perf_counter()
        value = compiler(lambda m, u, v, size=size: SHAPES[shape](m, size, u, v))(x, y)
        seconds.append(perf_counter() - start)
    wrong = not np.allclose(value, SHAPES[shape](np, size, x, y), rtol=1e-6, atol=1e-9)
    return {"seconds": min(seconds), "wrong": int(wrong)}


def huge(nodes: int) -> dict[str, Any]:
    """Build, measure, differentiate and evaluate a chain of that many nodes; seconds for each."""
    import symcomp as sc
    import symcomp.tensor as T

    seconds, clock = {}, perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = perf_counter()
        seconds[name], clock = now - clock, now

    x, y = T.dvector("x"), T.dvector("y")
    expression = chain(T, nodes, x, y)
    lap("build")
    lines = len(str(expression))
    lap("show")
    slope = sc.grad(expression.sum(), y)
    lap("differentiate")
    function = sc.function([x, y], slope, mode="numpy")
    lap("function")
    data = np.linspace(-1, 1, 7), np.linspace(0.3, -0.9, 7)
    value = function(*data)
    lap("evaluate")
    moved = [chain(np, nodes, data[0], data[1] + shift) for shift in (1e-6, -1e-6)]
    expected = (moved[0] - moved[1]) / 2e-6
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    wrong = int(not np.allclose(value, expected, rtol=1e-3, atol=1e-3))
    return {"seconds": seconds, "shown": lines, "gibibytes": gibibytes, "wrong": wrong}


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """All of the above, each in a fresh process with an empty cache."""
    around = {name: environment(name, folder / "compile", threads) for name in names}
    if "symcomp" in around:
        _batch_sizes(report, folder, around["symcomp"], 100 if quick else 1000)
    _many(report, folder, around, quick)
    _growth(report, folder, around, quick)
    if "symcomp" in around:
        _huge(report, around["symcomp"], 10**5 if quick else 10**6)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder / "compile", ignore_errors=True)


def _counting_compilers(folder: Path) -> Path:
    """A folder of compilers that write a line for each object they make, then do their work."""
    place = folder / "compilers"
    place.mkdir(exist_ok=True)
    log = place / "runs.txt"
    log.write_text("")
    for name in ("cc", "gcc", "clang", "c99"):
        real = shutil.which(name)
        if real is None:
            continue
        script = place / name
        line = f'case " $* " in *" -o "*|*" -c "*) echo run >> "{log}";; esac\nexec "{real}" "$@"\n'
        script.write_text("#!/bin/sh\n" + line)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return log


def _batch_sizes(report: Report, folder: Path, around: dict[str, str], count: int) -> None:
    _empty(folder)
    log = _counting_compilers(folder)
    counted = {**around, "PATH": f"{log.parent}{os.pathsep}{around.get('PATH', '')}"}
    name = f"{count} batch sizes"
    try:
        answer = fresh.call("benchmarks.compiling:batch_sizes", counted, count=count)
    except fresh.Failed as error:
        report.add(name, ("",), [(f"failed: {error}",)])
        report.promise(Bar(name, "failed", "1 compiler run, 1 binary", False))
        return
    # The runtime library, built once for a machine, is no function's.
    shared = sum(name.startswith("runtime.") for name in answer["binaries"])
    runs, binaries = len(log.read_text().splitlines()) - shared, len(answer["binaries"]) - shared
    figure = f"{runs} compiler runs, {binaries} binaries, {answer['wrong']} wrong results"
    report.add(name, ("seconds in all", ""), [(f"{answer['seconds']:.3f}", figure)])
    holds = (runs, binaries, answer["wrong"]) == (1, 1, 0)
    report.promise(Bar(name, figure, "1 compiler run, 1 binary", holds))


def _many(report: Report, folder: Path, around: dict[str, dict], quick: bool) -> None:
    full, few = (50, 5) if quick else (500, 20)
    plan = [
        ("symcomp", None, full),
        ("symcomp", "numpy", full),
        ("jax", None, 2 * few),
        ("pytensor numba", None, few // 2),
        ("pytensor C", None, few // 4),
    ]
    rows, bars, limits = [], [], {None: 60.0, "numpy": 5.0}
    for name, mode, count in plan:
        if name not in around:
            continue
        label = f'{name} mode="{mode}"' if mode else name
        text, holds = "failed", False
        try:
            _empty(folder)
            answer = fresh.call(
                "benchmarks.compiling:many_functions",
                around[name],
                contestant=name,
                count=count,
                mode=mode,
            )
            seconds = answer["seconds"]
            each = f"{1e3 * seconds / count:.1f} ms"
            note = f"{answer['wrong']} wrong" if answer["wrong"] else ""
            rows.append((label, str(count), f"{seconds:.2f} s", each, note))
            text = f"{500 * seconds / count:.1f} s" + (f", {note}" if note else "")
            holds = 500 * seconds / count <= limits[mode] and not answer["wrong"]
        except fresh.Failed as error:
            rows.append((label, str(count), "-", "-", f"failed: {error}"))
        if name == "symcomp":
            scaled = "" if count == 500 else f" (from {count})"
            title = f"500 functions, {label}{scaled}"
            bars.append(Bar(title, text, f"< {limits[mode]:g} s", holds))
    header = ("", "functions", "in all", "each", "")
    report.add("Small random functions (5 to 50 nodes), empty cache", header, rows)
    report.promise(*bars)


def _growth(report: Report, folder: Path, around: dict[str, dict], quick: bool) -> None:
    sizes = (10, 100, 1000) if quick else (10, 100, 1000, 10000)
    rows, bars = [], []
    for name in (name for name in ("symcomp", "jax", "pytensor numba") if name in around):
        for shape in SHAPES:
            largest = sizes[-1] if name == "symcomp" else sizes[-2]
            each, note = _per_node(folder, around[name], name, shape, sizes, largest)
            cells = [f"{1e6 * seconds:.0f} µs" for seconds in each]
            cells += ["-"] * (len(sizes) - len(cells))
            rows.append((f"{name}, {shape}", *cells, note))
            if name == "symcomp":
                bars.append(_flat(f"compile time per node, {shape}", each, sizes, note))
    header = ("", *(f"{size:,} nodes" for size in sizes), "")
    report.add("Compile time per node (to the first result)", header, rows)
    report.promise(*bars)


def _per_node(
    folder: Path,
    around: dict[str, str],
    name: str,
    shape: str,
    sizes: tuple[int, ...],
    largest: int,
) -> tuple[list[float], str]:
    each = []
    for nodes in (size for size in sizes if size <= largest):
        _empty(folder)
        try:
            arguments = {"contestant": name, "shape": shape, "nodes": nodes}
            patience = 60 if name == "symcomp" else 25
            answer = fresh.call("benchmarks.compiling:one_graph", around, patience, **arguments)
        except fresh.Failed as error:
            return each, f"failed at {nodes:,}: {error}"
        if answer["wrong"]:
            return each, f"wrong at {nodes:,}"
        each.append(answer["seconds"] / nodes)
    return each, ""


def _flat(name: str, each: list[float], sizes: tuple[int, ...], note: str) -> Bar:
    """Flat: from no size to the next does a node become half as dear again."""
    bar = "growth <= 1.5x from size to size"
    if len(each) < 2 or note:
        return Bar(name, note.partition(":")[0], bar, False)
    worst = max(after / before for before, after in pairwise(each))
    return Bar(f"{name}, {sizes[0]} to {sizes[-1]:,}", f"{worst:.2f}x", bar, worst <= 1.5)


def _huge(report: Report, around: dict[str, str], nodes: int) -> None:
    title = f"An expression of {nodes:,} nodes"
    try:
        answer = fresh.call("benchmarks.compiling:huge", around, 400, nodes=nodes)
    except fresh.Failed as error:
        report.add(title, ("",), [(f"failed: {error}",)])
        report.promise(Bar(title, "failed", "no stack overflows", False))
        return
    laps = answer["seconds"]
    cells = tuple(f"{seconds:.2f} s" for seconds in laps.values())
    memory = f"{answer['gibibytes']:.2f} GiB"
    header = (*laps, "characters shown", "memory", "")
    wrong = "WRONG derivative" if answer["wrong"] else ""
    report.add(title, header, [(*cells, f"{answer['shown']:,}", memory, wrong)])
    figure = wrong or f"{sum(laps.values()):.1f} s, {memory}"
    report.promise(Bar(title, figure, "no stack overflows", not wrong))
