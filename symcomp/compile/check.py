"""mode="check": every rewrite, every kernel and the whole function against NumPy, naming the first
culprit.

At each call, on the actual arguments, in this order:

    rules     each rewrite that fired: its expression before and after, by the NumPy references
    kernels   each kernel, one after another, in C: against the interpreter of loops, which starts
              from the same memory, and what it stores against the reference of the expression
    entry     the compiled function as it is used, against the kernels run one by one, to the bit
    function  its results against the references of the expression as it was written

On a GPU rules and the function are checked; its kernels have tests of their own.

*Agree* means: equal whole numbers and truths; floats within `TOLERANCE` of the largest magnitude in
the array. What does not agree so is given a second look: the references are evaluated again with
noise of a few ulp after every operation that rounds, and what this alone changes is no error of the
compiler (a cancellation, a comparison of nearly equal values). A formula that overflows may be
replaced by one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symcomp.codegen import cache, interpret, loops, program, runtime, ways
from symcomp.codegen.loops import Buffer, Call, If, Kernel
from symcomp.compile.accept import Acceptance
from symcomp.compile.checks import bounds_error, require_sizes
from symcomp.compile.definition import Definition
from symcomp.compile.native import compiled
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.errors import CheckError, describe
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.scalar import Cast, Primitive
from symcomp.graph.show import text
from symcomp.graph.size import Dimension
from symcomp.graph.type import is_float
from symcomp.graph.walk import evaluate, order
from symcomp.tensor.arithmetic import equal
from symcomp.tensor.indexing import Embed, Pick, Place, Slice, Take
from symcomp.tensor.layout import Axes, Broadcast, Join, Reshape

#: How far floats may differ, as a part of the largest magnitude in the array.
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
#: The noise of the second look, in ulp of each rounded operation, and how often it is made.
ULPS, LOOKS = 8, 3
#: How much more than the noise has done is allowed.
SPREAD = 16
#: A kernel of more scalar operations than this is not interpreted, unless it is wrong (then up to
#: 30 times as many).
INTERPRETED = 100_000
#: Routines of the convolution library that write or read filters in its own order.
PACKED = ("pack", "correlate")
#: Bytes to which the runtime aligns scratch memory.
LINE = 64
#: Rewrites that are evaluated together.
TOGETHER = 64

#: Operations that round nothing.
EXACT = (Axes, Broadcast, Reshape, Join, Slice, Embed, Take, Pick, Place)
EXACT_FUNCTIONS = {
    "negative", "abs", "maximum", "minimum", "fmax", "fmin", "where", "sign", "floor", "ceil",
    "trunc", "rint",
}  # fmt: skip


class Difference(NamedTuple):
    """The first place where two arrays do not agree."""

    index: tuple[int, ...]
    got: Any
    expected: Any
    count: int


# --- the function ---------------------------------------------------------------------------------


def checker(definition: Definition) -> Callable[..., Any]:
    """The method `__call__` of a function in mode "check"."""
    accept = Acceptance(definition)
    native_call, _ = compiled(definition)
    made = Checked(definition)

    def __call__(self, *args, **keywords):
        arrays = accept.all(args, keywords)
        given = dict(zip(definition.variables, arrays, strict=True))
        before = {s: s.get_value() for s in definition.shared()}
        expected = made.check(given, before)
        packed = native_call(self, *arrays)
        made.check_results(packed, expected, before)
        return packed

    return __call__


class Checked:
    """What checks one function: its compilation, and its kernels as functions of their own."""

    def __init__(self, definition: Definition):
        self.definition = definition
        d = definition
        self.job = compile_expression(
            Compilation(d.name, list(d.outputs), list(d.updates), d.rules)
        )
        self.on_gpu = d.device == "cuda"
        self.steps = None if self.on_gpu else Steps(self.job)

    def check(self, given: Mapping[Expr, np.ndarray], before: Mapping[Expr, np.ndarray]):
        """Check rules and kernels; the results by the kernels, and by the references."""
        values = {**given, **before}
        written = self._reference(values)
        bound = self._bound(values)
        self._check_rules(bound)
        return None if self.on_gpu else self._check_kernels(bound), written, values

    def _reference(self, values) -> list[np.ndarray]:
        """The results of the expression as it was written."""
        require_sizes(self.definition, values)
        try:
            return [np.array(v) for v in evaluate(self.definition.values(), values)]
        except IndexError:
            raise bounds_error(self.definition, values) from None

    def _bound(self, values) -> dict[Expr, np.ndarray]:
        """The values of buffers and dimensions."""
        bound = self.job.bound
        result = {b: np.asarray(_leaf(leaf, values)) for leaf, b in bound.leaves.items()}
        atoms = evaluate(list(bound.dimensions.values()), values)
        return result | {
            d: np.asarray(n, "int64") for d, n in zip(bound.dimensions, atoms, strict=True)
        }

    # --- rules ------------------------------------------------------------------------------------

    def _check_rules(self, bound) -> None:
        trace = list(dict.fromkeys((r.rule, r.before, r.after) for r in self.job.trace))
        for start in range(0, len(trace), TOGETHER):
            part = trace[start : start + TOGETHER]
            results = evaluate([e for _, *pair in part for e in pair], bound)
            for (rule, before, after), old, new in zip(
                part, results[::2], results[1::2], strict=True
            ):
                if found := self._disagreement(new, old, [before, after], bound, overflow=True):
                    self._fail_rule(rule, before, after, found)

    def _fail_rule(self, rule, before: Expr, after: Expr, found: Difference):
        name = getattr(rule, "name", str(rule))
        told = _told(found, "after it", "before it")
        message = f"{self.definition.name}: the rule {name} changes a value: {told}"
        formula = f"{text(before)}  →  {text(after)}"
        raise CheckError(describe(message, formula, _operands(before), before.origin))

    # --- kernels ----------------------------------------------------------------------------------

    def _check_kernels(self, bound) -> dict[Buffer, np.ndarray]:
        """Run the kernels one by one; the arrays that they leave."""
        roots = self.job.plan.roots
        references = dict(zip(roots, evaluate(list(roots), bound), strict=True))
        sizes = {d: int(n) for d, n in bound.items() if isinstance(d, Dimension)}
        memory = self.steps.memory(bound, sizes)
        finished = self._finished()
        for number, kernel in enumerate(self.job.program.kernels):
            self._check_step(number, kernel, memory, sizes)
            for e in finished.get(number, ()):
                got = memory[self.job.buffers[e]].reshape(references[e].shape)
                if found := self._disagreement(got, references[e], [e], bound):
                    self._fail_kernel(number, kernel, e, found, memory, sizes)
        for target, value in self.job.program.copies:
            memory[target][:] = memory[value]
        return memory

    def _finished(self) -> dict[int, list[Expr]]:
        """For each kernel, the stored expressions that it is the last to write."""
        kernels = self.job.program.kernels
        last = {b: n for n, k in enumerate(kernels) for b in loops.written_buffers(k)}
        result: dict[int, list[Expr]] = {}
        for e in self.job.plan.roots:
            b = self.job.buffers.get(e)
            if b in last and e not in self.job.plan.overwritten:
                result.setdefault(last[b], []).append(e)
        return result

    def _check_step(self, number: int, kernel: Kernel, memory, sizes) -> None:
        """One kernel in C and by the interpreter, from the same memory."""
        self.before = {b: memory[b].copy() for b in loops.written_buffers(kernel)}
        self.steps.run(number, memory, sizes)
        if interpret.work(kernel, sizes) <= INTERPRETED and not _packs(kernel):
            self._compare_with_interpreter(kernel, memory, sizes)

    def _compare_with_interpreter(self, kernel: Kernel, memory, sizes) -> None:
        machine = interpret.Machine({**memory, **self.before}, sizes)
        machine.memory = {b: a.copy() for b, a in machine.memory.items()}
        machine.run(kernel)
        touched = loops.read_buffers(kernel) | loops.written_buffers(kernel)
        scale = max((_largest(memory[b]) for b in touched if b in memory), default=0.0)
        computed = [v for s in loops.walk(kernel.body) for v in loops.values(s)]
        dtype = coarsest([*computed, *self.before])
        for b in self.before:
            found = difference(memory[b], machine.memory[b], scale, dtype)
            if found is None or (not is_float(b.dtype) and _reads_floats(kernel)):
                continue  # of truths about nearly equal floats the references decide
            message = (
                f"{self.definition.name}: the C of kernel {kernel.name} does not do what its loops "
                f"say: {_told(found, 'in C', 'by the interpreter')} of {b.name}"
            )
            raise CheckError(describe(message, kernel.note))

    def _fail_kernel(self, number: int, kernel: Kernel, e: Expr, found: Difference, memory, sizes):
        work = interpret.work(kernel, sizes)
        if INTERPRETED < work <= 30 * INTERPRETED and not _packs(kernel):
            self._compare_with_interpreter(kernel, memory, sizes)
        message = (
            f"{self.definition.name}: kernel {kernel.name} (number {number} of "
            f"{len(self.job.program.kernels)}) does not compute its expression: "
            f"{_told(found, 'in C', 'by NumPy')}"
        )
        raise CheckError(describe(message, text(e), _operands(e), e.origin))

    # --- results ----------------------------------------------------------------------------------

    def check_results(self, packed, expected, before) -> None:
        """The function's results: those of its kernels, to the bit, and those of the references."""
        memory, references, values = expected
        d = self.definition
        outputs = [np.asarray(o) for o in self._unpacked(packed)]
        new = [s.get_value() for s, _ in d.updates]
        face = self.job.program.interface
        places = [*face.outputs, *(self.job.bound.leaves[s] for s, _ in d.updates)]
        steps = [*outputs, *new] if memory is None else [memory[b] for b in places]
        names = [f"output {n}" for n in range(len(outputs))] + [
            f"new value of {text(s)}" for s, _ in d.updates
        ]
        for name, got, step, reference, e in zip(
            names, [*outputs, *new], steps, references, d.values(), strict=True
        ):
            if got.tobytes() != step.tobytes():
                other = Difference((), "other bits", "these", 1)
                found = difference(got.ravel(), step.ravel(), 0.0) or other
                told = _told(found, "by the entry", "by the kernels")
                message = f"{d.name}: {name} is not what its kernels give one by one: {told}"
                raise CheckError(describe(message, text(e), origin=e.origin))
            if found := self._disagreement(got, reference, [e], values, overflow=True):
                told = _told(found, "on the GPU" if self.on_gpu else "in C", "by NumPy")
                message = f"{d.name}: {name} is not what was written: {told}"
                raise CheckError(describe(message, text(e), origin=e.origin))

    def _unpacked(self, packed) -> list[np.ndarray]:
        forms = {"none": list, "one": lambda: [packed], "dict": lambda: list(packed.values())}
        return forms.get(self.definition.result, lambda: list(packed))()

    # --- agreement --------------------------------------------------------------------------------

    def _disagreement(self, got, expected, exprs: Sequence[Expr], values, overflow=False):
        """Where two values differ by more than rounding explains; None where they agree."""
        got, expected = np.asarray(got), np.asarray(expected)
        dtype = coarsest(exprs)
        found = difference(got, expected, _largest(expected), dtype)
        if found is None or got.shape != expected.shape:
            return found
        allowed = np.zeros(expected.shape)
        if overflow and is_float(expected.dtype.name):
            allowed[~np.isfinite(expected) & np.isfinite(got)] = np.inf
        exact = evaluate(exprs, values)
        for seed in range(LOOKS):
            for again, base in zip(noisy(exprs, values, seed), exact, strict=True):
                allowed = np.maximum(allowed, _spread(again, base))
        return difference(got, expected, _largest(expected), dtype, allowed * SPREAD)


def _spread(again: np.ndarray, base: np.ndarray) -> np.ndarray:
    """How far noise has moved each element."""
    with np.errstate(all="ignore"):
        moved = np.abs(again.astype("float64") - base.astype("float64"))
    same = (again == base) | ((again != again) & (base != base))
    return np.where(same, 0.0, np.where(np.isnan(moved), np.inf, moved))


def coarsest(exprs: Iterable[Expr]) -> str:
    """The floating-point dtype of least precision that values go through."""
    nodes = order(exprs)
    return "float32" if any(e.dtype == "float32" for e in nodes) else "float64"


def _leaf(leaf: Expr, values: Mapping[Expr, np.ndarray]) -> np.ndarray:
    return leaf.value if isinstance(leaf, Constant) else values[leaf]


def difference(
    got: np.ndarray, expected: np.ndarray, scale: float, dtype: str = "float64", allowed: Any = 0.0
) -> Difference | None:
    """The first place where arrays differ by more than a dtype's tolerance and what is allowed."""
    if got.shape != expected.shape:
        return Difference((), f"shape {got.shape}", f"shape {expected.shape}", 1)
    with np.errstate(all="ignore"):
        same = (got == expected) | ((got != got) & (expected != expected))
        distance = np.where(same, 0.0, np.abs(got.astype("float64") - expected.astype("float64")))
        if is_float(expected.dtype.name):
            same |= distance <= TOLERANCE[dtype] * scale
        same |= (distance <= allowed) | np.isposinf(allowed)
    if same.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~same)[0]) if got.ndim else ()
    return Difference(at, got[at], expected[at], int((~same).sum()))


def _largest(array: np.ndarray) -> float:
    if not is_float(array.dtype.name) or not array.size:
        return 0.0
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0))


def noisy(exprs: Sequence[Expr], values: Mapping[Expr, np.ndarray], seed: int) -> list[np.ndarray]:
    """Values with a relative noise of a few ulp after each operation that rounds."""
    rng = np.random.default_rng(seed)
    done: dict[Expr, np.ndarray] = {}
    for node in order(exprs, stop=lambda e: e in values):
        if node in values:
            done[node] = values[node]
            continue
        (value,) = evaluate([node], {a: done[a] for a in node.args})
        if is_float(node.dtype) and _rounds(node):
            unit = np.finfo(node.dtype).eps * ULPS
            with np.errstate(all="ignore"):
                value = value * (1 + unit * rng.uniform(-1, 1, value.shape))
        done[node] = np.asarray(value, node.dtype)
    return [done[e] for e in exprs]


def _rounds(e: Expr) -> bool:
    if e.op is None or isinstance(e.op, EXACT):
        return False
    if isinstance(e.op, Primitive):
        return e.op.name not in EXACT_FUNCTIONS
    return not isinstance(e.op, Cast) or is_float(e.args[0].dtype)


def _reads_floats(kernel: Kernel) -> bool:
    return any(is_float(b.dtype) for b in loops.read_buffers(kernel))


def _packs(kernel: Kernel) -> bool:
    """Whether a kernel writes or reads packed filters: their order is the convolution library's own
    business, and another in the interpreter. The references decide what comes of them.
    """
    calls = (s for s in loops.walk(kernel.body) if isinstance(s, loops.Call))
    return any(s.symbol == "convolution" and s.arguments[0] in PACKED for s in calls)


def _told(found: Difference, here: str, there: str) -> str:
    place = list(found.index) if found.index else "the value"
    at = f"at {place} it is" if found.index else "it is"
    more = f" ({found.count} elements differ)" if found.count > 1 else ""
    return f"{at} {found.got!r} {here} and {found.expected!r} {there}{more}"


def _operands(e: Expr) -> list[str]:
    return [f"{text(a, 3)} is {a.type}" for a in dict.fromkeys(e.args) if a.ndim]


# --- kernels one by one ---------------------------------------------------------------------------


class Steps:
    """A library in which every array of a program is an argument, and a number says which kernel
    runs.
    """

    def __init__(self, job: Compilation):
        made = job.program
        self.program = made
        self.only = Dimension("only")
        face = made.interface
        self.arrays = list(
            dict.fromkeys([*face.inputs, *face.cells, *face.outputs, *made.temporaries])
        )
        kernels = [self._chosen(n, k) for n, k in enumerate(made.kernels)]
        interface = program.Interface([], self.arrays, [], [*face.dimensions, self.only])
        stepped = _parts(made, kernels, interface)
        source = program.source(stepped)
        key = cache.key("check", source)
        entry = cache.lookup(key) or cache.publish(key, "check", source, {"kind": "check"})
        native = runtime.native()
        native.require(ways.libraries_of(kernels))
        library = native.load(entry.library)
        types = program.argument_types(stepped)
        self.entry = runtime.function(library, program.ENTRY, "int64_t", types)
        self.packed = interface.packed

    def _chosen(self, number: int, kernel: Kernel) -> Kernel:
        if _calls_python(kernel):
            return Kernel(kernel.name, (), kernel.note)
        chosen = equal(self.only, np.int64(number))
        return Kernel(kernel.name, (If(chosen, kernel.body),), kernel.note)

    def memory(
        self, bound: Mapping[Expr, np.ndarray], sizes: Mapping[Expr, int]
    ) -> dict[Buffer, np.ndarray]:
        """A flat array of its own for every buffer; what nobody has written is garbage."""
        machine = interpret.Machine({}, sizes)
        return {
            b: np.array(bound[b]).reshape(-1)
            if b in bound
            else _aligned(
                interpret.garbage(
                    b.dtype, int(np.prod([machine.integer(n) for n in b.shape], dtype="int64"))
                )
            )
            for b in self.arrays
        } | {self.program.status: np.zeros(1, "int64")}

    def run(
        self, number: int, memory: Mapping[Buffer, np.ndarray], sizes: Mapping[Expr, int]
    ) -> None:
        """Run one kernel on the memory."""
        kernel = self.program.kernels[number]
        if _calls_python(kernel):
            interpret.Machine(memory, sizes).run(kernel)
            return
        pointers = [runtime.pointer(memory[b]) for b in self.arrays]
        dimensions = [*(sizes[d] for d in self.program.interface.dimensions), number]
        if self.packed:
            new = runtime.ffi().new
            self.entry(new("void *[]", pointers), new("int64_t[]", dimensions))
        else:
            self.entry(*pointers, *dimensions)


def _parts(
    made: program.Program, kernels: list[Kernel], interface: program.Interface
) -> program.Program:
    """The program with every array given from outside."""
    parts = dict(made.__dict__)
    parts |= {
        "kernels": kernels,
        "checks": [],
        "interface": interface,
        "temporaries": [],
        "copies": [],
    }
    parts |= {"python_calls": [], "python_arguments": [], "exclusive": [], "read_before": []}
    return program.Program(**parts)


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins a cache line, as scratch memory does: libraries rely on it."""
    memory = np.empty(array.nbytes + LINE, "uint8")
    first = -memory.ctypes.data % LINE
    result = memory[first : first + array.nbytes].view(array.dtype)
    result[...] = array
    return result


def _calls_python(kernel: Kernel) -> bool:
    return any(isinstance(s, Call) and s.symbol == "python" for s in loops.walk(kernel.body))
