"""The printer of CUDA: what it writes otherwise than C. Everything else is the printer of C's.

A kernel is a function of the arrays and sizes that it uses. Which threads do what is said by the
loops (see codegen/grid.py): a grid loop strides over all threads, or all teams; a block loop over
the threads of a team, and a fold in it ends in a fold over the team (include/symcomp_grid.cuh).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from symcomp.codegen import loops
from symcomp.codegen.c import C_TYPES, SUFFIXES, Printer, Text, c_number, comment
from symcomp.codegen.cuda_rows import RowPrinter, entry
from symcomp.codegen.held_rows import row_loops
from symcomp.codegen.improve import coefficient
from symcomp.codegen.loops import (
    Barrier,
    Buffer,
    Dimension,
    For,
    Kernel,
    Let,
    Scratch,
    Store,
    Update,
)
from symcomp.codegen.teams import fixed_width, is_team
from symcomp.errors import InternalError
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import ELEMENT, formula_order
from symcomp.graph.scalar import Primitive
from symcomp.graph.size import floor_divide

#: Threads of a block at most: of flat kernels, and of teams (see gpu.c).
FLAT_THREADS, TEAM_THREADS = 256, 1024
#: Threads of fixed teams that a processor should hold at least.
RESIDENT = 1024
#: Loops of so few rounds are written out by the compiler, so that loads and stores become wide.
UNROLLED = 8
#: Rounds of a loop whose loads should be under way together, if its formulas have few parts.
OVERLAPPED, LONG = 4, 80
#: What device memory is aligned to, in bytes, wherever an array begins.
ALIGNED = 16
#: Bytes of shared memory that a block of any GPU has; where larger tiles are a launch decides.
SURELY_SHARED = 46 << 10
#: The kernels of a sort, in the order of include/symcomp_sort.h.
SORT_KERNELS = ("sort_alone", "sort_count", "sort_sum", "sort_move")
#: So many kernels may be compiled in parts (see cuda_build.compile_in_parts).
MANY_KERNELS = 4
#: Bytes to which tiles of shared memory are rounded up.
TILE_ALIGNED = 16


def source(
    kernels: Sequence[Kernel],
    names: dict[Expr, str],
    constants: Sequence[Constant],
    includes: Sequence[str] = (),
    sorts: bool = False,
) -> str:
    """The CUDA text of kernels; a constant array is one of the file, and `includes` are C that
    operations bring along: their static functions become the GPU's. `sorts` says that SORT_KERNELS
    are wanted, too.
    """
    text = Text()
    text.add('#include "symcomp_grid.cuh"')
    if sorts:
        text.add('#include "symcomp_sort.cuh"')
    if any(row_loops(k) for k in kernels if is_launched(k)):
        text.add('#include "symcomp_rows.cuh"')
    lines = [line for part in includes for line in part.splitlines()]
    headers = [line for line in lines if line.lstrip().startswith("#include")]
    text.lines += headers
    if len(lines) > len(headers):
        text.add('#include "foreign_begin.cuh"')
        text.lines += [line for line in lines if line not in headers]
        text.add('#include "foreign_end.cuh"')
    text.add("")
    for c in constants:
        values = ", ".join(c_number(v, c.dtype) for v in c.value.ravel())
        count = max(c.value.size, 1)
        text.add(f"__device__ const {C_TYPES[c.dtype]} {names[c]}[{count}] = {{{values}}};")
    parts = [CudaPrinter(names).kernel(k) for k in kernels if is_launched(k)]
    if sorts:
        parts.append(f"SC_SORT_KERNELS({', '.join(SORT_KERNELS)})\n")
    if len(parts) >= MANY_KERNELS:
        parts = [f"#if SC_IN_PART({n})\n{part}#endif\n" for n, part in enumerate(parts)]
    return "\n".join([str(text), *parts])


def library_source(*kernels: str) -> str:
    """The CUDA text of some of the kernels of products and convolutions, which are those of no
    function: a line of their header makes one.
    """
    parts = [kernel.removeprefix("sc_").rpartition("_") for kernel in kernels]
    is_product = all(name.startswith("multiply") for name, _, _ in parts)
    element = {suffix: C_TYPES[dtype] for dtype, suffix in SUFFIXES.items()}
    text = Text()
    text.add(f'#include "{"products" if is_product else "convolutions"}.cuh"')
    text.add("")
    for name, _, suffix in parts:
        text.add(f"SC_KERNEL_{name}({element[suffix]}, {suffix})")
    return str(text)


def is_launched(kernel: Kernel) -> bool:
    """Whether a kernel is one of ours, not a library's or Python's."""
    return isinstance(kernel.body[0], For)


def is_team_kernel(kernel: Kernel) -> bool:
    """Whether teams of threads share the iterations of a kernel's loop."""
    return any(is_team(s) for s in kernel.body)


def scratch_bytes(kernel: Kernel):
    """The bytes of scratch memory of one team, as a size."""
    found = [s.buffer for s in loops.walk(kernel.body) if isinstance(s, Scratch)]
    return size.plus(*map(_tile_bytes, found)) if found else 0


def _tile_bytes(buffer: Buffer):
    count = size.times(size.product(buffer.shape), np.dtype(buffer.dtype).itemsize)
    return size.times(size.quotient(size.plus(count, TILE_ALIGNED - 1), TILE_ALIGNED), TILE_ALIGNED)


def entries(kernel: Kernel) -> list[str]:
    """The functions of a kernel, one of which a launch takes."""
    rows = row_loops(kernel)
    return [entry(kernel, *case) for case in rows.ways()] if rows else [kernel.name]


class CudaPrinter(RowPrinter):
    """Prints one kernel of a GPU."""

    def __init__(self, names: dict[Expr, str]):
        super().__init__(names)
        #: How many threads a team has, where the kernel fixes it: then it is a block.
        self.width = 0
        self.scratch_before: object = 0

    def kernel(self, kernel: Kernel) -> str:
        self.kernel_name = kernel.name
        self.updated = {s.local for s in loops.walk(kernel.body) if isinstance(s, Update)}
        team, self.width = is_team_kernel(kernel), fixed_width(kernel.body)
        self.text.add(f"/* {comment(kernel.note)} */")
        rows = row_loops(kernel)
        if rows:
            self.row_kernel(kernel, rows, self._parameters(kernel))
            return str(self.text)
        self.text.add(f'extern "C" __global__ void __launch_bounds__({_bounds(kernel)})')
        self.text.open(f"{kernel.name}({', '.join(self._parameters(kernel))})")
        if not team:
            self._promise_alignment(kernel)
        if self._has_scratch(kernel):
            sure = isinstance(bytes_ := scratch_bytes(kernel), int) and bytes_ <= SURELY_SHARED
            place = "sc_shared_tile(each)" if sure else "sc_tile(scratch, each)"
            self.text.add(f"char *const tile = {place};")
        self.by_team = team
        self._statements(kernel.body)
        self.text.close()
        return str(self.text)

    def _parameters(self, kernel: Kernel) -> list[str]:
        result = []
        for e, constant in arguments(kernel, self.frame_names).items():
            name = self.frame_names[e]
            if isinstance(e, Dimension):
                result.append(f"const int64_t {name}")
            else:
                const = "const " if constant else ""
                result.append(f"{const}{C_TYPES[e.dtype]} *restrict {name}")
        if self._has_scratch(kernel):
            result += ["char *scratch", "const int64_t each"]
        return result

    def _has_scratch(self, kernel: Kernel) -> bool:
        """Whether the launch says where the kernel's scratch memory is."""
        return not self.width and any(isinstance(s, Scratch) for s in loops.walk(kernel.body))

    def _promise_alignment(self, kernel: Kernel) -> None:
        """Of arrays of which a thread takes neighbours, so that loads become wide. Of no others:
        nvcc then forgets that arrays lie apart, and loads wait for the stores before them.
        """
        wide = _neighbours(kernel)
        for e in arguments(kernel, self.frame_names):
            if e in wide:
                self.text.add(f"sc_aligned({self.frame_names[e]}, {ALIGNED});")

    # --- statements -------------------------------------------------------------------------------

    def _statements(self, body: Iterable) -> None:
        for s in body:
            match s:
                case For(_, _, "grid"):
                    self._grid(s)
                case For(_, _, "block"):
                    self._block(s)
                case For(_, _, "thread"):
                    self._thread(s)
                case For(_, _, "parallel"):
                    raise InternalError(f"{self.kernel_name}: a parallel loop on a GPU")
                case Barrier():
                    self.text.add("__syncthreads();" if self.width else "sc_team_sync();")
                case Scratch(buffer):
                    self._tile(buffer)
                case _:
                    super()._statements((s,))

    def _grid(self, s: For) -> None:
        """A loop over threads, or over teams; the outer of two nested ones goes down the grid."""
        self._statements(s.before)
        nested = any(isinstance(x, For) and x.how == "grid" for x in s.body)
        if self.by_team and not nested:
            first, step = ("block()", "blocks()") if self.width else ("team()", "teams()")
        else:
            first, step = ("row()", "rows()") if nested else ("thread()", "threads()")
        extent = self.size(s.extent)
        with self._scope():
            name = self._name(s.index)
            head = f"int64_t {name} = sc_{first}; {name} < {extent}; {name} += sc_{step}"
            self.text.open(f"for ({head})")
            self._body(s)
            self.text.close()

    def _block(self, s: For) -> None:
        """A loop that a team shares; what it folds is folded thread by thread, then by the team."""
        with self._scope():
            folds = self.parts(s)
            self.by_team = False
            self._shared_rounds(s, self.size(s.extent))
            self.by_team = True
            parts = self.names
        self.together(folds, parts, "sc_team_fold")

    def _thread(self, s: For) -> None:
        """What each thread of a team does once."""
        self.text.open("")
        with self._scope():
            self.text.add(f"const int64_t {self._name(s.index)} = sc_member();")
            self.by_team = False
            self._body(s)
            self.by_team = True
        self.text.close()

    def _pragma(self, s: For) -> list:
        """Within one thread there are no lanes: a short loop is written out."""
        if isinstance(s.extent, int) and s.extent <= UNROLLED:
            self.text.add("#pragma unroll")
        return []

    def _shared_rounds(self, s: For, extent: str) -> None:
        """The rounds of a thread: those that are surely there a few at a time, so that their loads
        are under way together, then the others.
        """
        name = self._name(s.index)
        start, step = f"int64_t {name} = sc_member()", "sc_members()"
        if self._overlaps(s):
            at, last = self._new("at"), f"{OVERLAPPED - 1} * sc_members()"
            self.text.add(f"int64_t {at} = sc_member();")
            self.text.open(f"for (; {at} + {last} < {extent}; {at} += {OVERLAPPED} * {step})")
            self.text.add("#pragma unroll")
            self.text.open(f"for (int round = 0; round < {OVERLAPPED}; ++round)")
            self.text.add(f"const int64_t {name} = {at} + round * {step};")
            self._body(s)
            self.text.close()
            self.text.close()
            start = f"int64_t {name} = {at}"
        self.text.open(f"for ({start}; {name} < {extent}; {name} += {step})")
        self._body(s)
        self.text.close()

    def _for(self, s: For) -> None:
        if s.how == "serial" and self._overlaps(s):
            self.text.add(f"#pragma unroll {OVERLAPPED}")
        elif any(isinstance(x, For) and x.how == "simd" for x in s.body):
            self.text.add("#pragma unroll 1")  # what is inside is written out
        super()._for(s)

    def _overlaps(self, s: For) -> bool:
        """Whether loads of several rounds of a loop should be under way together: memory is far."""
        straight = all(isinstance(x, (Let, Update, Store)) for x in s.body)
        parts = sum(len(formula_order(loops.values(x))) for x in s.body) if straight else LONG
        return parts < LONG and not (isinstance(s.extent, int) and s.extent <= UNROLLED)

    def _store(self, buffer, offset, value, monoid) -> None:
        if not self.by_team:
            super()._store(buffer, offset, value, monoid)
            return
        some = f"{self.some} && " if self.some else ""
        self.text.open(f"if ({some}sc_member() == 0)")
        super()._store(buffer, offset, value, monoid)
        self.text.close()

    def _tile(self, buffer: Buffer) -> None:
        """A tile of the team's scratch memory, after those that it has already."""
        name = self._name(buffer, "row")
        kind = C_TYPES[buffer.dtype]
        if self.width:
            self.text.add(f"__shared__ {kind} {name}[{self.size(size.product(buffer.shape))}];")
            return
        place = "tile" if self.scratch_before == 0 else f"tile + {self.size(self.scratch_before)}"
        self.text.add(f"{kind} *restrict const {name} = ({kind} *)({place});")
        self.scratch_before = size.plus(self.scratch_before, _tile_bytes(buffer))

    # --- values -----------------------------------------------------------------------------------

    def _node(self, e: Expr, args: list[str]) -> str:
        if e.op is floor_divide and e.weak:  # of sizes and places: mostly small
            return _quotient(*args)
        return super()._node(e, args)

    def _applied(self, op: Primitive, args: list[str], dtype: str, weak: bool) -> str:
        """Integers wrap, as everywhere in symcomp; in C++ only those without sign do."""
        if weak or dtype not in ("int32", "int64") or op.name not in _WRAPPING:
            return super()._applied(op, args, dtype, weak)
        name = f"sc_{op.name}_{SUFFIXES[dtype]}"
        text = f"{name}({args[0]})" if len(args) == 1 else args[0]
        for a in args[1:]:
            text = f"{name}({text}, {a})"
        return text


def _bounds(kernel: Kernel) -> str:
    """The threads of a block, and for fixed teams how many blocks a processor should hold: left
    to itself, the compiler saves registers for more, and has one load under way after another.
    """
    if not is_team_kernel(kernel):
        return str(FLAT_THREADS)
    width = fixed_width(kernel.body)
    return f"{width}, {max(1, RESIDENT // width)}" if width else str(TEAM_THREADS)


#: Arithmetic that may leave the integers of a dtype: functions of symcomp_grid.cuh.
_WRAPPING = {"add", "multiply", "subtract", "negative", "square"}


def _neighbours(kernel: Kernel) -> set[Expr]:
    """The arrays of which a thread reads or writes neighbouring elements: in lanes, or at places
    that are one apart.
    """
    lanes = [s for s in loops.walk(kernel.body) if isinstance(s, For) and s.how == "simd"]
    inside = [(at, s.index) for s in lanes for _, at in _touched(s.body)]
    in_lanes = {at for at, lane in inside if coefficient(at, lane) == 1}
    found: set[Expr] = set()
    apart: dict[tuple, set[int]] = {}
    for array, at in _touched(kernel.body):
        found |= {array} if at in in_lanes else set()
        terms = dict(size.polynomial(at))
        number = int(terms.pop((), 0))
        apart.setdefault((array, frozenset(terms.items())), set()).add(number)
    return found | {
        a for (a, _), numbers in apart.items() if any(n + 1 in numbers for n in numbers)
    }


def _touched(body: tuple) -> list[tuple[Expr, Expr]]:
    """The arrays that statements read and write, and the places, as far as sizes say them."""
    result: list = []
    for s in loops.walk(body):
        result += [e.args for e in formula_order(loops.values(s)) if e.op is ELEMENT]
        result += [(s.buffer, size.as_expr(s.offset))] if isinstance(s, Store) else []
    return [(array, at) for array, at in result if at.weak]


def _quotient(left: str, right: str) -> str:
    """The text of ⌊left / right⌋: a shift by a power of two, which is never a branch."""
    divisor = int(right) if right.isdigit() else 0
    if divisor > 0 and divisor & (divisor - 1) == 0:
        return f"(({left}) >> {divisor.bit_length() - 1})"
    return f"sc_quotient({left}, {right})"


def arguments(kernel: Kernel, names: dict[Expr, str]) -> dict[Expr, bool]:
    """What a kernel is given, in order, and whether it only reads it; constants are in the file."""
    used = Printer(names)._used(list(loops.walk(kernel.body)))
    return {e: constant for e, constant in used.items() if not isinstance(e, Constant)}
