"""The loop IR executed in plain Python: its meaning, and the referee between NumPy and C.

A machine holds flat arrays for buffers and integers for dimensions, and runs kernels statement by
statement on NumPy scalars; a function of real numbers has its NumPy meaning. Where C would do
something undefined, the machine raises:

    a load or store outside its buffer (but a load in the branch that `where` does not take is
    harmless)
    two pieces of a parallel loop, or two lanes of a SIMD loop, that write the same place, or one
    that reads what another writes (an `Update` is no conflict: it makes the loop a fold)

What nobody has written is garbage here too: scratch tiles, temporaries and outputs start as nan or
as odd numbers. The pieces of a parallel loop may run in any order: give a generator of random
numbers as `shuffle` to see that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symcomp.codegen.interpret_convolution import ConvolutionMachine
from symcomp.codegen.loops import (
    SPREAD,
    Barrier,
    Buffer,
    Call,
    For,
    If,
    Kernel,
    Let,
    Scratch,
    Store,
    Update,
    View,
    values,
)
from symcomp.codegen.program import Program
from symcomp.errors import InternalError
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import ELEMENT, MONOIDS
from symcomp.graph.size import as_expr
from symcomp.graph.type import is_float
from symcomp.graph.walk import order
from symcomp.tensor.arithmetic import where


class _Poison:
    """The value of a load outside its buffer: an error as soon as anything uses it."""

    def __init__(self, message: str):
        self.message = message


def garbage(dtype: str, count: int) -> np.ndarray:
    """An array that nobody has written yet."""
    if is_float(dtype):
        return np.full(count, np.nan, dtype)
    return np.full(count, True if dtype == "bool" else 85, dtype)


class _Conflicts:
    """Who has read and written each place within one parallel or SIMD loop."""

    def __init__(self, what: str):
        self.what = what
        self.current = 0
        self.readers: dict[tuple, set[int]] = {}
        self.writer: dict[tuple, int] = {}
        self.private: set[Expr] = set()

    def read(self, buffer: Expr, offset: int) -> None:
        if buffer in self.private:
            return
        place = buffer, offset
        if self.writer.get(place, self.current) != self.current:
            self.fail(place, "reads what another has written")
        self.readers.setdefault(place, set()).add(self.current)

    def write(self, buffer: Expr, offset: int) -> None:
        if buffer in self.private:
            return
        place = buffer, offset
        if self.writer.setdefault(place, self.current) != self.current:
            self.fail(place, "writes what another has written")
        if self.readers.get(place, {self.current}) != {self.current}:
            self.fail(place, "writes what another has read")

    def fail(self, place: tuple, why: str):
        buffer, offset = place
        raise InternalError(f"{self.what}: {self.current} {why}: {buffer}[{offset}]")


class Machine(ConvolutionMachine):
    """Runs kernels over flat arrays (`memory`) and the values of dimensions (`sizes`)."""

    def __init__(
        self,
        memory: Mapping[Expr, np.ndarray],
        sizes: Mapping[Expr, int],
        shuffle: np.random.Generator | None = None,
        conflicts: bool = True,
    ):
        self.memory: dict[Expr, np.ndarray] = dict(memory)
        self.scalars: dict[Expr, Any] = {d: np.int64(n) for d, n in sizes.items()}
        self.shuffle = shuffle
        self.look_for_conflicts = conflicts
        self.watching: list[_Conflicts] = []
        self.kernel = ""
        self._orders: dict[Expr, list[Expr]] = {}

    def run(self, kernel: Kernel) -> None:
        """Run one kernel."""
        self.kernel = kernel.name
        with np.errstate(all="ignore"):
            self._body(kernel.body)

    # --- statements -------------------------------------------------------------------------------

    def _body(self, body: tuple) -> None:
        for s in body:
            match s:
                case For(_, _, "serial"):
                    self._iterate(s, 0, self.integer(s.extent))
                case For():
                    self._concurrent(s)
                case If(condition, inner):
                    if self.value(condition):
                        self._body(inner)
                case Let(variable, value):
                    self.scalars[variable] = self.value(value)
                case Update(variable, monoid, value):
                    self.scalars[variable] = _combined(
                        monoid, self.scalars[variable], self.value(value)
                    )
                case Store():
                    self._store(s)
                case Scratch(b):
                    self._scratch(b)
                case Barrier():
                    pass
                case Call("gemm"):
                    self._gemm(s)
                case Call("product"):
                    self._product(s)
                case Call("sort"):
                    self._sort(s)
                case Call("convolve"):
                    self._convolve(s)
                case Call("convolution"):
                    self._convolution(s)
                case Call("python"):
                    self._python(s)
                case _:
                    raise InternalError(f"{self.kernel}: no meaning for {s!r}")

    def _iterate(self, s: For, begin: int, end: int) -> None:
        for i in range(begin, end):
            self.scalars[s.index] = np.int64(i)
            self._body(s.body)

    def _concurrent(self, s: For) -> None:
        """A parallel loop piece by piece, or a SIMD loop lane by lane."""
        extent = self.integer(s.extent)
        grain = self.integer(s.grain) if s.how == "parallel" else 1
        starts = list(range(0, extent, max(grain, 1)))
        if self.shuffle is not None and s.how in SPREAD:
            self.shuffle.shuffle(starts)
        if self.look_for_conflicts:
            self.watching.append(_Conflicts(f"{self.kernel}, {s.how} loop over {s.index}, piece"))
        for start in starts:
            if self.look_for_conflicts:
                self.watching[-1].current = start
            self._body(s.before)
            self._iterate(s, start, min(start + grain, extent))
        if self.look_for_conflicts:
            self.watching.pop()

    def _store(self, s: Store) -> None:
        value = self.value(s.value)
        offset = self.integer(s.offset)
        array = self._inside(s.buffer, offset)
        if s.monoid is not None:
            self._note_read(s.buffer, offset)
            value = _combined(s.monoid, array[offset], value)
        for w in self.watching:
            w.write(s.buffer, offset)
        array[offset] = value

    def _scratch(self, b: Buffer) -> None:
        self.memory[b] = garbage(b.dtype, self._count(b))
        for w in self.watching:
            w.private.add(b)

    # --- calls ------------------------------------------------------------------------------------

    def _gemm(self, s: Call) -> None:
        rows, columns, inner, alpha, left, right, beta, target = s.arguments
        m, n, k = (self.integer(v) for v in (rows, columns, inner))
        alpha, beta = self.value(alpha), self.value(beta)
        result = alpha * (self._matrix(left, m, k) @ self._matrix(right, k, n))
        places = self._places(target, m, n)
        array = self.memory[target.buffer]
        if beta != 0:
            result = result + beta * self._gathered(target.buffer, places)
        for w in self.watching:
            for offset in places.ravel().tolist():
                w.write(target.buffer, offset)
        array[places] = result

    def _product(self, s: Call) -> None:
        """Products of matrices that lie one after another."""
        batch, rows, columns, inner, alpha, left, right, beta, target = s.arguments
        shapes = (rows, inner), (inner, columns), (rows, columns)
        views = (left, right, target)
        steps = [
            self.integer(m) * self.integer(n) if v.step is None else self.integer(v.step)
            for v, (m, n) in zip(views, shapes, strict=True)
        ]
        for b in range(self.integer(batch)):
            each = [
                replace(v, offset=self.integer(v.offset) + b * step)
                for v, step in zip(views, steps, strict=True)
            ]
            arguments = (rows, columns, inner, alpha, each[0], each[1], beta, each[2])
            self._gemm(Call("gemm", arguments, s.dtype))

    def _matrix(self, view: View, rows: int, columns: int) -> np.ndarray:
        if view.transposed:
            return self._gathered(view.buffer, self._places(view, columns, rows)).T
        return self._gathered(view.buffer, self._places(view, rows, columns))

    def _places(self, view: View, rows: int, columns: int) -> np.ndarray:
        """The offsets of a matrix's elements, all of them inside the buffer."""
        start, stride = self.integer(view.offset), self.integer(view.stride)
        places = start + stride * np.arange(rows)[:, None] + np.arange(columns)[None, :]
        if places.size:
            self._inside(view.buffer, int(places.min()))
            self._inside(view.buffer, int(places.max()))
        return places

    def _gathered(self, buffer: Expr, places: np.ndarray) -> np.ndarray:
        for w in self.watching:
            for offset in places.ravel().tolist():
                w.read(buffer, offset)
        return self._array(buffer)[places]

    def _sort(self, s: Call) -> None:
        count, _, numbers, target = s.arguments
        given = self.memory[numbers.buffer][: self.integer(count)]
        order = np.argsort(given, kind="stable")
        self.memory[target.buffer][:] = np.concatenate([given[order], order])

    def _python(self, s: Call) -> None:
        expr, target, *arguments = s.arguments
        given = [
            self._array(b).reshape([self.integer(n) for n in a.shape])
            for b, a in zip(arguments, expr.args, strict=True)
        ]
        result = np.asarray(expr.op.numpy(*given))
        self.memory[target][:] = result.astype(target.dtype, copy=False).ravel()

    # --- values -----------------------------------------------------------------------------------

    def integer(self, n: Any) -> int:
        """The value of a size or an offset."""
        return n if isinstance(n, int) else int(self.value(as_expr(n)))

    def value(self, expr: Expr) -> Any:
        """The value of a scalar expression, as a NumPy scalar of its dtype."""
        nodes = self._orders.get(expr)
        if nodes is None:
            nodes = self._orders[expr] = order([expr], stop=lambda e: e.op is None or e.ndim > 0)
        done: dict[Expr, Any] = {}
        for e in nodes:
            if e.op is None:
                done[e] = self._leaf(e)
            elif e.op is ELEMENT:
                done[e] = self._load(e.args[0], done[e.args[1]])
            else:
                done[e] = _applied(e, [done[a] for a in e.args])
        result = done[expr]
        if isinstance(result, _Poison):
            raise InternalError(result.message)
        return result

    def _leaf(self, e: Expr) -> Any:
        if isinstance(e, Constant) and not e.ndim:
            return e.value[()]
        if e in self.scalars:
            return self.scalars[e]
        if e in self.memory or isinstance(e, Constant):
            return None  # an array: its loads read it
        raise InternalError(f"{self.kernel}: {e!r} has no value here")

    def _load(self, buffer: Expr, offset: Any) -> Any:
        if isinstance(offset, _Poison):
            return offset
        array, offset = self._array(buffer), int(offset)
        if not 0 <= offset < array.size:
            return _Poison(self._outside(buffer, offset, array.size))
        self._note_read(buffer, offset)
        return array[offset]

    def _note_read(self, buffer: Expr, offset: int) -> None:
        for w in self.watching:
            w.read(buffer, offset)

    def _array(self, buffer: Expr) -> np.ndarray:
        return buffer.value.ravel() if isinstance(buffer, Constant) else self.memory[buffer]

    def _inside(self, buffer: Expr, offset: int) -> np.ndarray:
        array = self._array(buffer)
        if not 0 <= offset < array.size:
            raise InternalError(self._outside(buffer, offset, array.size))
        return array

    def _outside(self, buffer: Expr, offset: int, count: int) -> str:
        return f"{self.kernel}: {buffer}[{offset}] is outside its {count} elements"

    def _count(self, b: Buffer) -> int:
        return int(np.prod([self.integer(n) for n in b.shape], dtype=np.int64))


def _applied(e: Expr, args: list) -> Any:
    """A function of real numbers at NumPy scalars; what `where` does not choose may be anything."""
    if e.op is where:
        condition, yes, no = args
        return condition if isinstance(condition, _Poison) else yes if condition else no
    for a in args:
        if isinstance(a, _Poison):
            return a
    result = np.asarray(e.op.numpy(*args))
    return (result if result.dtype.name == e.dtype else result.astype(e.dtype))[()]


def _combined(monoid: str, left: Any, right: Any) -> Any:
    return left.dtype.type(MONOIDS[monoid].numpy(left, right))


# --- whole programs -------------------------------------------------------------------------------


def execute(
    program: Program,
    arrays: Mapping[Expr, np.ndarray],
    sizes: Mapping[Expr, int],
    shuffle: np.random.Generator | None = None,
    after: Callable[[Kernel, Machine], None] | None = None,
) -> tuple[int, list[np.ndarray]]:
    """What the entry of a program does: (status, outputs). The arrays of shared values are changed
    in place.

    `arrays` gives inputs, large constants and shared values, each C-contiguous; `after` is called
    after each kernel.
    """
    face = program.interface
    flat = {b: array.reshape(-1) for b, array in arrays.items()}
    machine = Machine(flat, sizes, shuffle)
    for d, n in program.derived:
        machine.scalars[d] = machine.value(n)
    outputs = [b for b in face.outputs if b is not None]
    for b in [*outputs, *program.temporaries]:
        machine.memory[b] = garbage(b.dtype, machine._count(b))
    machine.memory[program.status] = np.zeros(1, "int64")
    if program.noted is not None:
        machine.memory[program.noted] = np.zeros(machine._count(program.noted), "int64")
    for kernel in _in_order(program, machine):
        machine.run(kernel)
        if after is not None:
            after(kernel, machine)
        if machine.memory[program.status][0] and kernel in program.checks:
            break
    else:
        for target, value in program.copies:
            machine.memory[target][:] = machine.memory[value]
    shaped = [machine.memory[b].reshape([machine.integer(n) for n in b.shape]) for b in outputs]
    return int(machine.memory[program.status][0]), shaped


def _in_order(program: Program, machine: Machine) -> Iterator[Kernel]:
    """The kernels as they run, those that the host repeats as often as it does."""
    yield from program.checks
    names = [k.name for k in program.kernels]
    begins = {r.first: r for r in program.repeats}
    at = 0
    while at < len(names):
        repeat = begins.get(names[at])
        end = at + 1 if repeat is None else names.index(repeat.last) + 1
        for number in range(1 if repeat is None else machine.integer(repeat.extent)):
            if repeat is not None and repeat.number is not None:
                machine.scalars[repeat.number] = np.int64(number)
            yield from program.kernels[at:end]
        at = end


def work(kernel: Kernel, sizes: Mapping[Expr, int]) -> float:
    """Roughly how many scalar operations a kernel is: the microseconds that interpreting takes."""
    machine = Machine({}, sizes)
    return _work(kernel.body, machine)


def _work(body: tuple, machine: Machine) -> float:
    total = 0.0
    for s in body:
        total += sum(len(order([v])) for v in values(s))
        if isinstance(s, For):
            total += _work(s.before, machine) + _extent(s.extent, machine) * _work(s.body, machine)
        elif isinstance(s, If):
            total += _work(s.body, machine)
    return total


def _extent(n: Any, machine: Machine) -> float:
    """The extent of a loop; of one that depends on outer loops, a bound."""
    if isinstance(n, int):
        return n
    try:
        return machine.integer(n)
    except InternalError:
        return 256.0
