"""f.explain(), f.profile() and what is printed while compiling: a compiled function as a plan that
people can read.

A report is text (a `str`) that shows itself when it is the last line of a notebook's cell. What
explains is made by running the symbolic passes again, without the C compiler: a function that came
from the cache explains itself too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from symcomp.codegen import build, cache, loops, memory, runtime, ways
from symcomp.codegen.held_rows import RowLoops, row_loops
from symcomp.codegen.loops import Call, For, Kernel
from symcomp.codegen.show_loops import amount, show
from symcomp.codegen.teams import is_team
from symcomp.compile.definition import DEVICES, Definition
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.errors import ArgumentError, describe, here
from symcomp.graph import latex, size
from symcomp.graph.show import text, type_text
from symcomp.graph.walk import evaluate, substitute
from symcomp.options import options

#: What `explain` can show.
PARTS = ("", "plan", "rules", "loops", "c", "cuda", "graph", "call")
WIDTH = 100


class Report(str):
    """Text that shows itself as it is, and whose lines can be searched."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def explain(function: Any, part: str = "", device: str | None = None) -> Report:
    """What a function does: see `Function.explain`."""
    for what, one, known in (("parts", part, PARTS), ("devices", device, (None, *DEVICES))):
        if one not in known:
            wanted = ", ".join(repr(p) for p in known if p)
            message = f"explain: {one!r} is none of the {what} that can be shown: {wanted}"
            raise ArgumentError(describe(message, origin=here()))
    if part == "call":
        return Report(function.call_source or "interpreted: no code is written for the call")
    d = function.definition
    job = compilation(d, device or ("cuda" if part == "cuda" else d.device))
    made = {
        "": lambda: whole(job, function),
        "plan": lambda: "\n".join(steps(job)),
        "rules": lambda: "\n".join(rules(job)),
        "loops": lambda: "\n\n".join(show(k) for k in all_kernels(job)),
        "c": lambda: job.source,
        "cuda": lambda: job.kernels or "no kernels: the function runs on the host",
        "graph": lambda: latex.dot(*original(job)),
    }[part]
    return Report(made())


def compilation(definition: Definition, device: str | None = None) -> Compilation:
    """The symbolic passes, run (again) for a definition, as it is or as it would be elsewhere."""
    d = definition
    outputs, updates = list(d.outputs), list(d.updates)
    where = device or d.device
    with d.as_asked():
        return compile_expression(Compilation(d.name, outputs, updates, d.rules, d.profile, where))


def whole(job: Compilation, function: Any) -> str:
    """The report of everything but the texts of loops and C."""
    d = function.definition
    parts = [
        [f"function {d.name}, mode {d.mode!r}, device {job.device!r}", *interface(d)],
        ["rules that fired", *indented(rules(job))],
        ["steps", *indented(steps(job))],
        ["memory", *indented(storage(job))],
        ["passes", *indented(passes(job))],
    ]
    entry = getattr(type(function).__call__, "entry", None)
    if entry is not None and job.device == d.device:
        parts.append([f"source: {entry.source_path}"])
    return "\n\n".join("\n".join(p) for p in parts)


def indented(lines: Iterator[str]) -> Iterator[str]:
    return ("    " + line for line in lines)


def interface(d: Definition) -> Iterator[str]:
    """What goes in and comes out."""
    for i in d.inputs:
        yield f"    input   {i.label or '(no name)'}: {i.variable.type}"
    for n, o in enumerate(d.outputs):
        yield _cut(f"    output  {d.names[n] if d.names else n}: {type_text(o)} = {text(o)}")
    for s, value in d.updates:
        yield _cut(f"    update  {text(s)} ← {text(value)}")


def rules(job: Compilation) -> Iterator[str]:
    """The rules that fired: how often, their names, and the mathematics."""
    count = Counter(r.rule for r in job.trace)
    if not count:
        yield "none"
    width = max((len(r.name) for r in count), default=0)
    for rule, times in count.most_common():
        yield _cut(f"{times:>4} × {rule.name:<{width}}  {rule}")


# --- steps ----------------------------------------------------------------------------------------


def all_kernels(job: Compilation) -> list[Kernel]:
    return [*job.program.checks, *job.program.kernels]


def steps(job: Compilation) -> Iterator[str]:
    """The kernels in the order in which they run, and what each does."""
    sizes = dimensions(job)
    if sizes:
        yield "where " + ", ".join(sizes)
    for n, kernel in enumerate(all_kernels(job)):
        kind, _, formulas = kernel.note.partition(": ")
        yield f"{n:>2}  {kernel.name}  [{', '.join([kind, *manner(kernel, job)])}]"
        for formula in formulas.split("; ") if formulas else ():
            yield _cut(f"        {formula}")
    for target, value in job.program.copies:
        yield f"    copy {value.name} to {target.name}: the old value was needed until now"


def dimensions(job: Compilation) -> list[str]:
    """The names that sizes have in the plan, and what they are."""
    return [f"{text(d)} = {text(atom)}" for d, atom in job.bound.dimensions.items()]


def manner(kernel: Kernel, job: Compilation) -> Iterator[str]:
    """How a kernel runs, in a few words."""
    yield from _when(kernel, job)
    statements = list(loops.walk(kernel.body))
    for s in statements:
        if isinstance(s, For) and s.how == "parallel":
            whole_ = isinstance(s.extent, int) and isinstance(s.grain, int) and s.extent <= s.grain
            yield (
                f"one piece of {amount(s.extent)}"
                if whole_
                else f"parallel over {amount(s.extent)}"
            )
        if isinstance(s, For) and s.how == "grid":
            who = "teams" if is_team(s) else "threads"
            yield f"{who} over {amount(s.extent)}"
    if job.on_gpu and (rows := row_loops(kernel)):
        yield shared_rows(rows)
    if not job.on_gpu and any(isinstance(s, For) and s.how == "simd" for s in statements):
        yield "simd"
    for s in statements:
        if isinstance(s, Call):
            yield _call(s)
    written = loops.written_buffers(kernel)
    for target, _ in job.bound.updates:
        if target in written:
            yield f"{target.name} in place"


def _when(kernel: Kernel, job: Compilation) -> Iterator[str]:
    """Of kernels that the sizes of a call choose: under which condition."""
    names = [k.name for k in job.program.kernels]
    for r in job.program.repeats:
        within = names[names.index(r.first) : names.index(r.last) + 1]
        if r.number is None and kernel.name in within:
            yield f"if {amount(r.extent)}".replace("if 1 - ", "if not ")


def shared_rows(rows: RowLoops) -> str:
    """How the threads of a team share a row."""
    each = f"{rows.slots} × {rows.lanes} elements a thread"
    return f"rows up to {rows.longest} held, {each}" if rows.is_held else f"streamed, {each}"


def _call(s: Call) -> str:
    if s.symbol == "python":
        return "a call out to Python"
    if s.symbol == "convolution":
        routine, direction, *sizes = s.arguments[:24]
        means = " or ".join(ways.ways(direction, sizes, s.dtype))
        return f"convolution {s.dtype}, {routine} ({direction}), {means}"
    if s.symbol == "convolve":
        return f"convolution {s.dtype} on the GPU ({s.arguments[0]})"
    if s.symbol == "sort":
        return f"sort on the GPU, of {amount(s.arguments[0])}"
    if s.symbol == "product":
        batch, m, n, k = (amount(v) for v in s.arguments[:4])
        return f"product {s.dtype} on the GPU, {batch} of {m} × {n}, inner {k}"
    m, n, k = (amount(v) for v in s.arguments[:3])
    return f"gemm {s.dtype}, tiles of {m} × {n}, inner {k}"


def storage(job: Compilation) -> Iterator[str]:
    """The bytes of the arena, as a formula over the dimensions."""
    made = job.program
    if not made.temporaries:
        yield "no temporaries"
        return
    slots = made.slots()
    total = 0
    for slot in slots:
        total = size.plus(total, _slot_bytes(slot))
    shared_by = len(made.temporaries) - len(slots)
    note = f" ({shared_by} share the storage of others)" if shared_by > 0 else ""
    yield f"{len(made.temporaries)} temporaries{note}: {amount(total)} bytes"


def _slot_bytes(slot: memory.Slot) -> Any:
    result: Any = 0
    for count, dtype in slot.sizes:
        result = size.larger(result, size.times(count, np.dtype(dtype).itemsize))
    return result


def passes(job: Compilation) -> Iterator[str]:
    """The passes and their times."""
    width = max(map(len, job.seconds))
    for name, seconds in job.seconds.items():
        yield f"{name:<{width}}  {seconds * 1e3:8.2f} ms"
    yield f"{'all':<{width}}  {sum(job.seconds.values()) * 1e3:8.2f} ms"


def original(job: Compilation) -> list:
    """The rewritten expressions over the leaves that the person wrote."""
    back: dict = {b: leaf for leaf, b in job.bound.leaves.items()}
    back |= {d: size.as_expr(atom) for d, atom in job.bound.dimensions.items()}
    return substitute(job.values(), back)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


# --- profiles -------------------------------------------------------------------------------------


class Timing(NamedTuple):
    """The time of one kernel in all calls until now."""

    kernel: str
    formula: str
    calls: int
    seconds: float
    #: Floating-point operations of a matrix product, at the sizes of the last call.
    operations: float


class Profile(Report):
    """A table of times; `timings` holds them as numbers."""

    timings: list[Timing]


class Times(NamedTuple):
    """What a library has counted: (calls, seconds) of each kernel, and the last call's sizes."""

    kernels: list[tuple[int, float]]
    sizes: list[int]


def reader(library: Any, count: int, sizes: int) -> Callable[[], Times]:
    """What reads the times of a library that was compiled with profile=True."""
    ask = runtime.function(library, "symcomp_profile", "void", ["int64_t *"])

    def read() -> Times:
        found = runtime.ffi().new("int64_t[]", 2 * count + sizes + 1)
        ask(found)
        kernels = [(found[2 * k + 1], found[2 * k] * 1e-9) for k in range(count)]
        return Times(kernels, [found[2 * count + d] for d in range(sizes)])

    return read


def profile(function: Any) -> Profile:
    """The times of a function's kernels: see `Function.profile`."""
    read = getattr(type(function).__call__, "times", None)
    if read is None:
        message = f"{function.name}: no times were kept: compile with profile=True, in mode 'c'"
        raise ArgumentError(describe(message, origin=here()))
    job, times = compilation(function.definition), read()
    sizes = dict(zip(job.program.interface.dimensions, times.sizes, strict=True))
    timings = []
    for kernel, (calls, seconds) in zip(job.program.kernels, times.kernels, strict=True):
        work = float(evaluate([size.as_expr(product_work(kernel, job))], sizes)[0])
        timings.append(Timing(kernel.name, kernel.note, calls, seconds, work))
    made = Profile("\n".join(table(timings)))
    made.timings = timings
    return made


def table(timings: Sequence[Timing]) -> Iterator[str]:
    """Times with shares, longest first, and the rates of matrix products."""
    total = sum(t.seconds for t in timings)
    calls = max((t.calls for t in timings), default=0)
    yield f"{calls} calls, {total * 1e3:.3f} ms in kernels"
    yield "  share        a call         GFLOP/s  kernel"
    for t in sorted(timings, key=lambda t: -t.seconds):
        share = t.seconds / total if total else 0.0
        each = t.seconds / t.calls if t.calls else 0.0
        rate = f"{t.operations / each * 1e-9:.1f}" if t.operations and each else ""
        yield _cut(f"{share:7.1%} {each * 1e6:10.1f} µs {rate:>15}  {t.kernel:<24} {t.formula}")


def product_work(kernel: Kernel, job: Compilation) -> Any:
    """The floating-point operations of the matrix product that a kernel is, as a size; else 0."""
    written = loops.written_buffers(kernel)
    for group in job.plan.groups:
        first = group.members[0]
        if group.kind != "gemm" or first.kind != "gemm":
            continue
        if any(job.buffers.get(m.expr) in written for m in group.members):
            return operations(first.expr)
    return 0


def operations(product: Any) -> Any:
    """The floating-point operations of a matrix product, as a size."""
    (a, b), op = product.args, product.op
    sizes = dict(zip(op.left, a.shape, strict=True)) | dict(zip(op.right, b.shape, strict=True))
    return size.times(2, *sizes.values())


# --- while compiling ------------------------------------------------------------------------------


def announce(definition: Definition, job: Compilation | None, entry: cache.Entry, seconds: float):
    """Print to the error stream what option `debug` asks for, when a function has been compiled or
    found.
    """
    level = options.debug
    if not level:
        return
    how = "compiled" if job is not None else "found in the cache"
    say = [f"symcomp: function {definition.name} {how} in {seconds * 1e3:.1f} ms"]
    job = job or compilation(definition)
    say += indented(iter([*steps(job), *storage(job), *passes(job)]))
    if level >= 2:
        say += ["  rules that fired:", *indented(iter([str(r) for r in job.trace]))]
    if level >= 3:
        say += ["  loops:", *(show(k) for k in all_kernels(job))]
    if level >= 4:
        say += [f"  source, in {entry.source_path}:", job.source]
    if level >= 5:
        say += ["  assembly:", assembly(entry)]
    print("\n".join(say), file=sys.stderr)


def assembly(entry: cache.Entry) -> str:
    """The compiler's assembly of a function's source."""
    chosen = build.compiler()
    flags = [f for f in chosen.flags() if f != "-shared"]
    command = [
        *chosen.command,
        *flags,
        f"-I{build.INCLUDE}",
        "-S",
        "-o",
        "-",
        str(entry.source_path),
    ]
    status, output = build.run(command)
    return output if status == 0 else f"(the compiler failed with status {status}: {output})"
