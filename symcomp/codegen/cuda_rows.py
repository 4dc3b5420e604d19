"""The printer of CUDA, for rows that teams hold in registers or stream through (see held_rows).

A kernel is a template over the two things that its launch knows: whether rows are held, and whether
they are whole vectors. What a thread has of an array is a small array of its own; the loops over it
are written out by the compiler, which makes registers of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from symcomp.codegen import loops
from symcomp.codegen.c import C_TYPES, Printer
from symcomp.codegen.held_rows import Line, Pass, RowLoops
from symcomp.codegen.loops import Barrier, For, Kernel, Let, Local, Scratch, Store, Update
from symcomp.graph.expr import Expr
from symcomp.graph.notation import ELEMENT, formula_order, identity
from symcomp.graph.type import is_float
from symcomp.tensor.arithmetic import divide


def entry(kernel: Kernel, held: bool, wide: bool) -> str:
    """The name of a kernel's function for one case."""
    return f"{kernel.name}{'_held' if held else ''}{'_wide' if wide else ''}"


class RowPrinter(Printer):
    """The part of CUDA's printer that prints kernels of rows."""

    #: Whether what is printed now is done by the whole team alike.
    by_team = False
    #: As C: whether the team has a row, whether the element at hand is in it.
    some = inside = ""

    def row_kernel(self, kernel: Kernel, rows: RowLoops, parameters: list[str]) -> None:
        """The template of a kernel, and a function for each of its cases."""
        text = self.text
        self.rows = rows
        self.divisors: dict[Expr, str] = {}
        held = "bool held, " if rows.is_held else ""
        text.add(f"template <{held}bool wide>")
        text.open(f"SC_INLINE void {kernel.name}_rows({', '.join(parameters)})")
        text.add(f"typedef sc_share<{rows.lanes}, {rows.slots}, wide> share;")
        if any(isinstance(s, Scratch) for s in rows.loop.body):
            text.add("char *const tile = sc_tile(scratch, each);")
        self._row_loop()
        text.close()
        names = [p.replace("*", " ").split()[-1] for p in parameters]
        for case in rows.ways():
            text.add("")
            bounds = ", ".join(map(str, rows.bounds(*case)))
            text.add(f'extern "C" __global__ void __launch_bounds__({bounds})')
            text.open(f"{entry(kernel, *case)}({', '.join(parameters)})")
            flags = ", ".join(str(flag).lower() for flag in case[not rows.is_held :])
            text.add(f"{kernel.name}_rows<{flags}>({', '.join(names)});")
            text.close()

    def _row_loop(self) -> None:
        """The loop over rows. All teams of a warp go through it together: at its end some may have
        no row, and do as with an empty one.
        """
        text, rows, s = self.text, self.rows, self.rows.loop
        self.by_team = True
        self._statements(s.before)
        at, self.some, extent = self._new("row"), self._new("some"), self.size(s.extent)
        step = f"{at} += sc_teams()"
        text.open(f"for (int64_t {at} = sc_team(); sc_first_row({at}) < {extent}; {step})")
        text.add(f"const bool {self.some} = {at} < {extent};")
        text.add(f"const int64_t {self._name(s.index)} = {self.some} ? {at} : {extent} - 1;")
        self.arrays: dict[Line, str] = {}
        self.starts: dict[Line, str] = {}
        for line in rows.lines:
            name = self.arrays[line] = self._new(line.element.name)
            text.add(f"{C_TYPES[line.buffer.dtype]} {name}[share::count];")
        waiting = list(rows.begun) if rows.is_held else []
        passes = iter(rows.passes)
        for x in s.body:
            if isinstance(x, For) and x.how == "block":
                waiting = self._pass(next(passes), waiting)
            elif not isinstance(x, Barrier):
                self._statements((x,))
        text.close()
        self.by_team = False
        self.some = ""

    # --- one loop inside a row --------------------------------------------------------------------

    def _pass(self, p: Pass, waiting: list[Line]) -> list[Line]:
        """A loop inside a row. Before the first one that can, rows that are held are loaded; the
        result are those that wait for what is not known yet.
        """
        count = self._new("count")
        self.text.add(f"const int64_t {count} = {self.some} ? {self.size(p.loop.extent)} : 0;")
        ready = [line for line in waiting if self._is_known(line.base)]
        self._starts((*ready, *p.loaded, *p.stored.values()))
        if ready:
            self.text.open("if (held)")
            self._loads(ready, f"share({count})", "")
            self.text.close()
        with self._scope():
            folds = self.parts(p.loop)
            self._divide_by(p)
            self.by_team = False
            self._chunks(p, count)
            self.by_team = True
            self.divisors = {}
            parts = self.names
        self.together(folds, parts, "sc_teams_fold")
        return [line for line in waiting if line not in ready]

    def _starts(self, lines: Iterable[Line]) -> None:
        """Pointers to where lines begin."""
        scratch = {s.buffer for s in self.rows.loop.body if isinstance(s, Scratch)}
        for line in dict.fromkeys(lines):
            if line in self.starts:
                continue
            base = self.size(line.base)
            place = self.names[line.buffer] + (f" + ({base})" if base != "0" else "")
            if line.buffer not in scratch:
                start = self._new("start")
                self.text.add(f"auto *const {start} = sc_kept({place});")
                place = start
            self.starts[line] = place

    def _is_known(self, base: Expr) -> bool:
        return all(e in self.names for e in formula_order([base]) if isinstance(e, Local))

    def _loads(self, lines: Iterable[Line], share: str, start: str) -> None:
        for line in lines:
            self.text.add(f"{share}.load({self.arrays[line]}, {self._place_of(line, start)});")

    def _place_of(self, line: Line, start: str) -> str:
        return f"{self.starts[line]} + {start}" if start else self.starts[line]

    def _chunks(self, p: Pass, count: str) -> None:
        """The loop over what a team has at once: all of a row that is held."""
        text, is_held = self.text, self.rows.is_held
        start, own, slot = self._new("from"), self._new("own"), self._new("slot")
        end, step = (
            (f"(held ? 1 : {count})", "(held ? 1 : share::span())")
            if is_held
            else (count, "share::span()")
        )
        text.open(f"for (int64_t {start} = 0; {start} < {end}; {start} += {step})")
        text.add(f"const share {own}({count} - {start});")
        if p.loaded and is_held:
            text.open("if (!held)")
        self._loads(p.loaded, own, start)
        if p.loaded and is_held:
            text.close()
        text.add("#pragma unroll")
        text.open(f"for (int {slot} = 0; {slot} < {self.rows.slots}; ++{slot})")
        self._vector(p, own, slot, start)
        text.close()
        text.close()

    def _vector(self, p: Pass, own: str, slot: str, start: str) -> None:
        """The elements of one vector, and its stores. What is no element of the row is computed
        with the others, so that there is no branch, and goes nowhere.
        """
        text, lanes = self.text, self.rows.lanes
        lane, at = self._new("lane"), self._new("at")
        results = {line: self.arrays.get(line) for line in p.stored.values()}
        for line, array in results.items():
            if array is None:
                results[line] = name = self._new("result")
                text.add(f"{C_TYPES[line.buffer.dtype]} {name}[{lanes}];")
        text.add("#pragma unroll")
        text.open(f"for (int {lane} = 0; {lane} < {lanes}; ++{lane})")
        text.add(f"const int {at} = {slot} * {lanes} + {lane};")
        body = _used(p)
        if p.loop.index in formula_order(_read(p, body)):
            name = self._name(p.loop.index)
            text.add(f"const int64_t {name} = {start} + share::at({slot}, {lane});")
        self.inside = f"{own}.has({slot}, {lane})"
        self.names |= {line.element: f"{array}[{at}]" for line, array in self.arrays.items()}
        for s in body:
            if s in p.stored:
                line = p.stored[s]
                value = self.value(s.value)
                text.add(f"{results[line]}[{at if line in self.arrays else lane}] = {value};")
            else:
                self._element(s)
        self.inside = ""
        text.close()
        scratch = {s.buffer for s in self.rows.loop.body if isinstance(s, Scratch)}
        for line, array in results.items():
            values = f"{array} + {slot} * {lanes}" if line in self.arrays else array
            unless = "if (!held) " if line.buffer in scratch and self.rows.is_held else ""
            place = self._place_of(line, start)
            text.add(f"{unless}{own}.store({place}, {slot}, {values});")

    def _element(self, s: Let | Update | Store) -> None:
        """A statement about the element at hand, where it is one."""
        if isinstance(s, Let):
            self._statements((s,))
        elif isinstance(s, Update):
            name = self.names[s.local]
            value = self._combined(s.monoid, name, self.value(s.value), s.local.dtype)
            self.text.add(f"if ({self.inside}) {name} = {value};")
        else:
            place = f"{self.names[s.buffer]}[{self.size(s.offset)}]"
            self.text.add(f"if ({self.inside}) {place} = {self.value(s.value)};")

    def _divide_by(self, p: Pass) -> None:
        """What elements are divided by, and is the same in the whole loop: by its reciprocal."""
        own = {s.local for s in p.body if isinstance(s, Let)} | set(_elements(p))
        for e in formula_order([v for s in p.body for v in loops.values(s)]):
            if e.op is divide and isinstance(e.args[1], Local) and is_float(e.dtype):
                by = e.args[1]
                if by not in own and by not in self.divisors:
                    name = self.divisors[by] = self._new("by")
                    kind = C_TYPES[by.dtype]
                    self.text.add(f"const sc_divisor<{kind}> {name}({self.names[by]});")

    # --- values -----------------------------------------------------------------------------------

    def _node(self, e: Expr, args: list[str]) -> str:
        if self.inside and e.op is ELEMENT:
            return f"({self.inside} ? {args[0]}[{args[1]}] : {C_TYPES[e.dtype]}(0))"
        if self.inside and e.op is divide and e.args[1] in self.divisors:
            return f"{self.divisors[e.args[1]]}.of({args[0]})"
        return super()._node(e, args)

    # --- folds ------------------------------------------------------------------------------------

    def parts(self, s: For) -> dict[Local, str]:
        """What a loop folds, and how: each thread has a part of its own, under the total's name."""
        own = {x.local for x in loops.walk(s.body) if isinstance(x, Let)}
        folds = {
            x.local: x.monoid
            for x in loops.walk(s.body)
            if isinstance(x, Update) and x.local not in own
        }
        for variable, monoid in folds.items():
            part = self._new("part")
            nothing = self.value(identity(monoid, variable.dtype))
            self.text.add(f"{C_TYPES[variable.dtype]} {part} = {nothing};")
            self.names[variable] = part
        return folds

    def together(self, folds: dict[Local, str], parts: dict[Expr, str], fold: str) -> None:
        """The totals of what the threads of a team have folded."""
        for variable, monoid in folds.items():
            total = f"{fold}<sc_{monoid}>({parts[variable]})"
            name = self.names[variable]
            whole = self._combined(monoid, name, total, variable.dtype)
            self.text.add(f"{name} = {whole};")


def _read(p: Pass, body: Iterable) -> list[Expr]:
    """What statements of a loop compute; where lines are stored goes without saying."""
    return [v for s in body for v in ((s.value,) if s in p.stored else loops.values(s))]


def _used(p: Pass) -> list:
    """The statements of a loop without the sizes that nobody reads."""
    result: list = []
    for s in reversed(p.body):
        is_size = isinstance(s, Let) and s.local.weak
        if not is_size or s.local in formula_order(_read(p, result)):
            result.insert(0, s)
    return result


def _elements(p: Pass) -> list[Local]:
    return [line.element for line in (*p.loaded, *p.stored.values())]
