"""The printer: loops to C.

A kernel becomes a function of a *frame*, the one record that holds every pointer and size of a
call; a parallel loop becomes a function of its own, which the runtime calls piece by piece. What is
shared within a formula is named; what is used once stands where it is used, so that the C reads
like the mathematics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from symcomp.codegen import loops
from symcomp.codegen.equations import is_dear
from symcomp.codegen.geometry import write_geometry
from symcomp.codegen.loops import (
    Call,
    Dimension,
    For,
    If,
    Kernel,
    Let,
    Scratch,
    Store,
    Update,
    View,
)
from symcomp.codegen.ways import NUMBERS
from symcomp.errors import InternalError
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import ELEMENT, MONOIDS, formula_order
from symcomp.graph.scalar import Cast, Primitive
from symcomp.graph.type import is_float
from symcomp.graph.walk import uses

C_TYPES = {
    "bool": "bool",
    "float32": "float",
    "float64": "double",
    **{f"int{n}": f"int{n}_t" for n in (8, 16, 32, 64)},
    **{f"uint{n}": f"uint{n}_t" for n in (8, 16, 32, 64)},
}
SUFFIXES = {"bool": "b", "float32": "f32", "float64": "f64"} | {
    f"{sign}int{n}": f"{sign or 'i'}{n}" for sign in ("", "u") for n in (8, 16, 32, 64)
}

#: Constants of more elements are passed in, not printed.
LARGEST_PRINTED = 64
#: Longer formulas are cut: what they begin with gets a name.
LONGEST_TEXT = 120
#: Scratch tiles of more bytes are taken from the arena instead of the stack.
LARGEST_ON_STACK = 16384


class Text:
    """Indented lines."""

    def __init__(self):
        self.lines: list[str] = []
        self.depth = 0

    def add(self, line: str) -> None:
        self.lines.append("    " * self.depth + line if line else "")

    def open(self, line: str) -> None:
        self.add(line + " {")
        self.depth += 1

    def close(self) -> None:
        self.depth -= 1
        self.add("}")

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"


def c_float(value, dtype: str) -> str:
    """A floating-point literal that reads back as the same number."""
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = repr(float(value)) if dtype == "float64" else str(np.float32(value))
    if "." not in text and "e" not in text:
        text += ".0"
    return text + ("f" if dtype == "float32" else "")


def c_number(value, dtype: str) -> str:
    if is_float(dtype):
        return c_float(value, dtype)
    if dtype == "bool":
        return "true" if value else "false"
    n = int(value)
    if dtype == "uint64":
        return f"{n}u" if n < 2**31 else f"UINT64_C({n})"
    if n == -(2**63):
        return "INT64_MIN"
    if abs(n) < 2**31:
        return str(n)
    return f"INT64_C({n})"


class Printer:
    """Prints one kernel; `names` are those of the fields of its record, the frame."""

    record = "frame_t"

    def __init__(self, names: dict[Expr, str]):
        self.text = Text()
        self.names = dict(names)
        self.frame_names = names
        #: Every name of the open C scopes: also those whose expression has got another one since.
        self.taken = set(names.values())
        self.kernel_name = "entry"
        self.counter = self.pieces = 0
        self.functions: list[Text] = []
        self.python_numbers: dict[Expr, int] = {}
        #: Locals that some statement updates, flags of extremes that look out for nan, tiles of the
        #: open blocks.
        self.updated: set = set()
        self.lanes: dict[Expr, str] = {}
        self.scratch: list[list[str]] = [[]]

    def size(self, n) -> str:
        """A size as C, on one line."""
        return self.value(size.as_expr(n))

    # --- kernels ----------------------------------------------------------------------------------

    def kernel(self, kernel: Kernel) -> str:
        """Print a kernel: the functions of its parallel loops, then itself."""
        body = Text()
        body.add(f"/* {comment(kernel.note)} */")
        body.open(f"static void {kernel.name}({self.record} *frame)")
        self.text = body
        self.kernel_name = kernel.name
        self.updated = {s.local for s in loops.walk(kernel.body) if isinstance(s, Update)}
        self._fields(list(loops.outside_pieces(kernel.body)))
        self._statements(kernel.body)
        body.close()
        return "\n".join(str(t) for t in [*self.functions, body])

    def _fields(self, statements: list) -> None:
        """Local names for the pointers and sizes that a function uses."""
        for e, constant in self._used(statements).items():
            name = self.frame_names[e]
            if isinstance(e, Dimension):
                self.text.add(f"const int64_t {name} = frame->{name};")
            else:
                const = "const " if constant else ""
                self.text.add(f"{const}{C_TYPES[e.dtype]} *restrict const {name} = frame->{name};")

    def _used(self, statements: list) -> dict[Expr, bool]:
        """The arrays and sizes of the frame that statements use, and which are only read."""
        written = {s.buffer for s in statements if isinstance(s, Store)}
        own = {s.buffer for s in statements if isinstance(s, Scratch)}
        used: dict[Expr, None] = {}
        seen: set[Expr] = set()
        for s in statements:
            parts = formula_order(loops.values(s), seen)
            used.update((e, None) for e in parts if e in self.frame_names)
            if isinstance(s, Store):
                used[s.buffer] = None
            if isinstance(s, Call):
                views = [a.buffer for a in s.arguments if isinstance(a, View)]
                used.update(dict.fromkeys(views))
                written.update(views)
        return {e: e not in written for e in used if e not in own and e in self.frame_names}

    # --- statements -------------------------------------------------------------------------------

    def _statements(self, body: Iterable) -> None:
        for s in body:
            match s:
                case For(_, _, "parallel"):
                    self._parallel(s)
                case For():
                    self._for(s)
                case If(condition, inner):
                    self.text.open(f"if ({self.value(condition)})")
                    with self._scope():
                        self._statements(inner)
                    self.text.close()
                case Let(variable, value):
                    mutable = variable in self.updated
                    name = self._name(variable)
                    const = "" if mutable else "const "
                    self.text.add(f"{const}{C_TYPES[variable.dtype]} {name} = {self.value(value)};")
                case Update(variable, monoid, value):
                    self._update(variable, monoid, value)
                case Store(buffer, offset, value, monoid):
                    self._store(buffer, offset, value, monoid)
                case Scratch(buffer):
                    self._scratch(buffer)
                case Call():
                    getattr(self, f"_call_{s.symbol}")(s)
                case _:
                    raise InternalError(f"no C for {s!r}")

    def _update(self, variable, monoid: str, value: Expr) -> None:
        name = self.names[variable]
        if variable in self.lanes:
            part = self._named(value)
            flag = self.lanes[variable]
            sign = ">" if monoid == "max" else "<"
            self.text.add(f"{name} = {name} {sign} {part} ? {name} : {part};")
            self.text.add(f"{flag} |= {part} != {part};")
            return
        self.text.add(
            f"{name} = {self._combined(monoid, name, self.value(value), variable.dtype)};"
        )

    def _named(self, value: Expr) -> str:
        text = self.value(value)
        if text.isidentifier():
            return text
        name = self._new("u")
        self.text.add(f"const {C_TYPES[value.dtype]} {name} = {text};")
        return name

    def _combined(self, monoid: str, left: str, right: str, dtype: str) -> str:
        return self._applied(MONOIDS[monoid].op(), [left, _wrapped(right)], dtype, False)

    def _store(self, buffer, offset, value, monoid) -> None:
        place = f"{self.names[buffer]}[{self.value(size.as_expr(offset))}]"
        text = self.value(value)
        if monoid is not None:
            text = self._combined(monoid, place, text, buffer.dtype)
        self.text.add(f"{place} = {text};")

    def _scratch(self, buffer) -> None:
        name = self._name(buffer, "row")
        kind = C_TYPES[buffer.dtype]
        count = size.product(buffer.shape)
        if isinstance(count, int) and count * np.dtype(buffer.dtype).itemsize <= LARGEST_ON_STACK:
            self.text.add(f"{kind} {name}[{max(count, 1)}] __attribute__((aligned(64)));")
            return
        amount = self.value(size.as_expr(count))
        self.text.add(
            f"{kind} *restrict const {name} = runtime->push(({amount}) * sizeof({kind}));"
        )
        self.text.add(f"if ({name} == NULL) {{ frame->failed = 1; return; }}")
        self.scratch[-1].append(name)

    # --- loops ------------------------------------------------------------------------------------

    def _for(self, s: For) -> None:
        extent = self.value(size.as_expr(s.extent))
        if s.extent == 1:
            self.text.open("")
            with self._scope():
                self.text.add(f"const int64_t {self._name(s.index)} = 0;")
                self._body(s)
            self.text.close()
            return
        flags = self._pragma(s) if s.how == "simd" else []
        with self._scope():
            self._range(s, self._name(s.index), "0", extent)
        for variable, flag in flags:
            self.text.add(f"if ({flag}) {self.names[variable]} = NAN;")
            del self.lanes[variable]

    def _body(self, s: For) -> None:
        with self._scope():
            self.scratch.append([])
            self._statements(s.body)
            for name in reversed(self.scratch.pop()):
                self.text.add(f"runtime->pop({name});")

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """A scope of C: names that are given in it are free again after it."""
        names, taken = self.names, self.taken
        self.names, self.taken = dict(names), set(taken)
        yield
        self.names, self.taken = names, taken

    def _pragma(self, s: For) -> list:
        """SIMD lanes, with one accumulator a lane for each fold; extremes of floats carry a flag
        for nan.
        """
        clauses, flags = [], []
        for u in s.body:
            if not isinstance(u, Update):
                continue
            name = self.names[u.local]
            if u.monoid in ("max", "min") and is_float(u.local.dtype):
                flag = self._new("nan")
                self.text.add(f"int {flag} = {name} != {name};")
                self.lanes[u.local] = flag
                flags.append((u.local, flag))
                clauses += [f"reduction({u.monoid}:{name})", f"reduction(|:{flag})"]
            else:
                clauses.append(f"reduction({_OPENMP[u.monoid]}:{name})")
        self.text.add(" ".join(["#pragma omp simd", *clauses]))
        return flags

    def _parallel(self, s: For) -> None:
        """A parallel loop: a function for a piece of it, and the call that hands the pieces out."""
        name = f"{self.kernel_name}_piece{self.pieces}"
        self.pieces += 1
        outer, outer_names = self.text, (self.names, self.taken)
        self.text = Text()
        self.names, self.taken = dict(self.frame_names), set(self.frame_names.values())
        stream = _is_flat(s.body) and _only_moves(s.body)
        how = "SC_STREAM " if stream else ""
        self.text.open(f"{how}static void {name}(void *context, int64_t begin, int64_t end)")
        self.text.add(f"{self.record} *const frame = context;")
        self._fields(list(loops.walk((*s.before, *s.body))))
        self.scratch.append([])
        self._statements(s.before)
        index_name = self._name(s.index)
        if stream:
            self._aligned(s, index_name)
        elif _is_flat(s.body):
            self.text.add("#pragma omp simd")
            self._range(s, index_name, "begin", "end")
        else:
            self._range(s, index_name, "begin", "end")
        self.scratch.pop()
        self.text.close()
        self.functions.append(self.text)
        self.text, (self.names, self.taken) = outer, outer_names
        extent, grain = self._values([size.as_expr(s.extent), size.as_expr(s.grain)])
        self.text.add(f"runtime->parallel({name}, frame, {extent}, {grain});")

    def _range(self, s: For, name: str, start: str, stop: str) -> None:
        self.text.open(f"for (int64_t {name} = {start}; {name} < {stop}; ++{name})")
        self._body(s)
        self.text.close()

    def _aligned(self, s: For, name: str) -> None:
        """A piece in SIMD lanes, in two parts: the few elements before a cache line begins, and the
        rest. Arrays that NumPy makes begin 16 bytes into one: lanes across lines cost a third.
        Which elements are done one by one depends on where the array lies, so SC_STREAM forbids
        contraction: an element's bits must not depend on it.
        """
        target = next((x for x in s.body if isinstance(x, Store) and x.offset is s.index), None)
        if target is None:
            self.text.add("#pragma omp simd")
            self._range(s, name, "begin", "end")
            return
        place = f"{self.names[target.buffer]} + begin, sizeof({C_TYPES[target.buffer.dtype]})"
        self.text.add(f"const int64_t head = begin + sc_head({place}, end - begin);")
        self.text.open("for (int part = 0; part < 2; ++part)")
        self.text.add("const int64_t from = part ? head : begin, to = part ? end : head;")
        self.text.add("#pragma omp simd")
        self._range(s, name, "from", "to")
        self.text.close()

    # --- calls ------------------------------------------------------------------------------------

    def _call_gemm(self, s: Call) -> None:
        rows, columns, inner, scale, left, right, keep, target = s.arguments
        m, n, k, alpha, beta = (self.value(v) for v in (rows, columns, inner, scale, keep))
        a, b, c = (self._matrix(v) for v in (left, right, target))
        letter = "s" if s.dtype == "float32" else "d"
        flags = ["112" if v.transposed else "111" for v in (left, right)]
        self.text.open(f"if ({m} > 0 && {n} > 0)")
        sizes = ", ".join(f"(int)({v})" for v in (m, n, k))
        self.text.add(f"runtime->{letter}gemm(101, {flags[0]}, {flags[1]}, {sizes},")
        self.text.add(f"    {alpha}, {a}, {b}, {beta}, {c});")
        self.text.close()

    def _matrix(self, view: View) -> str:
        """Where a matrix starts, and how far its rows are apart."""
        offset = self.value(size.as_expr(view.offset))
        stride = self.value(size.as_expr(view.stride))
        return f"{self.names[view.buffer]} + {_wrapped(offset)}, sc_stride({stride})"

    def _call_convolution(self, s: Call) -> None:
        """A routine of the convolution library: sizes in a struct, then numbers and arrays."""
        routine, which, *rest = s.arguments
        texts = [self.value(v) for v in rest if not isinstance(v, View)]
        sizes, numbers = texts[:NUMBERS], texts[NUMBERS:]
        places = [self._place(v) for v in rest if isinstance(v, View)]
        self.text.open("")
        write_geometry(self.text, sizes)
        given = ["&geometry"]
        if which != "filters":
            given.append(f"SYMCOMP_{which.upper()}")
        if routine == "correlate":
            self.text.add(f"const symcomp_part block = {{{', '.join(numbers)}}};")
            numbers = ["&block"]
        name = f"runtime->convolution_{SUFFIXES[s.dtype]}[SYMCOMP_DIRECT]->{routine}"
        self.text.add(f"if ({name}({', '.join([*given, *places, *numbers])}))")
        self.text.add("    frame->failed = 1;")
        self.text.close()

    def _place(self, view: View) -> str:
        """Where an array starts."""
        offset = self.value(size.as_expr(view.offset))
        return self.names[view.buffer] + ("" if offset == "0" else f" + {_wrapped(offset)}")

    def _call_python(self, s: Call) -> None:
        number = self.python_numbers[s.arguments[0]]
        called = f"frame->python({number}, frame->addresses)"
        self.text.add(f"if (!frame->failed && {called} != 0) frame->failed = 2;")

    # --- values -----------------------------------------------------------------------------------

    def value(self, expr: Expr) -> str:
        """A formula as C; parts that are used several times are computed first, under a name."""
        return self._leaf(expr) if expr.op is None else self._values([expr])[0]

    def _values(self, exprs: list[Expr]) -> list[str]:
        nodes = formula_order(exprs)
        count = uses(exprs)
        texts: dict[Expr, str] = {}
        for e in nodes:
            text = self._leaf(e) if e.op is None else self._node(e, [texts[a] for a in e.args])
            shared = count[e] > 1 and e.op is not None and not _is_offset(e)
            texts[e] = self._temporary(e, text) if shared or len(text) > LONGEST_TEXT else text
        return [texts[e] for e in exprs]

    def _temporary(self, e: Expr, text: str) -> str:
        name = self._new("t")
        self.text.add(f"const {C_TYPES[e.dtype]} {name} = {text};")
        return name

    def _node(self, e: Expr, args: list[str]) -> str:
        if e.op is ELEMENT:
            return f"{args[0]}[{args[1]}]"
        if isinstance(e.op, Cast):
            return self._cast(e.args[0].dtype, e.dtype, args[0])
        if isinstance(e.op, Primitive):
            if _repeats(e.op):  # the C compiler must not compute an operand twice
                args = [
                    a if a.isidentifier() else self._temporary(x, a)
                    for x, a in zip(e.args, args, strict=True)
                ]
            return self._applied(e.op, [_wrapped(a) for a in args], e.args[-1].dtype, e.weak)
        if len(args) == 1 and e.op.name == "copy":
            return args[0]
        raise InternalError(f"no C for {e.op!r}")

    def _applied(self, op: Primitive, args: list[str], dtype: str, weak: bool) -> str:
        """A function of real numbers; `weak` says that it is one of sizes and places."""
        return template(op, args, dtype)

    def _cast(self, source: str, target: str, text: str) -> str:
        if source == target:
            return text
        if target == "bool":
            return f"({_wrapped(text)} != 0)"
        if is_float(source) and not is_float(target):
            return f"sc_cast_{SUFFIXES[target]}_{SUFFIXES[source]}({text})"
        return f"({C_TYPES[target]}){_wrapped(text)}"

    def _leaf(self, e: Expr) -> str:
        if isinstance(e, Constant) and not e.ndim:
            return c_number(e.value[()], e.dtype)
        if e in self.names:
            return self.names[e]
        raise InternalError(f"{self.kernel_name}: {e!r} has no name here")

    def _name(self, e, prefix: str = "") -> str:
        stem = _stem(e.name or "") or prefix or "v"
        name = stem
        while name in self.taken or name in RESERVED:
            self.counter += 1
            name = f"{stem}_{self.counter}"
        self.taken.add(name)
        self.names[e] = name
        return name

    def _new(self, prefix: str) -> str:
        self.counter += 1
        return f"{_stem(prefix)}{self.counter}_"


def _stem(name: str) -> str:
    """What C allows of a name, as the beginning of one."""
    stem = re.sub(r"\W", "", name)
    return f"_{stem}" if stem[:1].isdigit() else stem


def _repeats(op: Primitive) -> bool:
    """Whether the C expression of a function has an argument in it more than once."""
    return not op.variadic and any(op.c.count(f"{{{p}}}") > 1 for p in op.parameters)


def template(op: Primitive, args: list[str], dtype: str) -> str:
    """The C expression of a function of real numbers."""
    fill = {"t": SUFFIXES[dtype], "T": C_TYPES[dtype]}
    if op.variadic:
        symbol = _variadic_symbol(op, dtype)
        text = f" {symbol} ".join(args)
        return _narrowed(text, dtype)
    if dtype == "bool" and op.name in _ON_BOOLEANS:
        return _ON_BOOLEANS[op.name].format(*args)
    text = op.c.format(**dict(zip(op.parameters, args, strict=True)), **fill)
    return _narrowed(text, dtype) if op.name in _NARROWING else text


#: Integer arithmetic that C computes in int: the result is cut back to the dtype, and wraps without
#: overflow.
_NARROWING = {"subtract", "negative", "square", "bitwise_and", "bitwise_or", "bitwise_xor"}

_ON_BOOLEANS = {
    "maximum": "({0} || {1})",
    "minimum": "({0} && {1})",
    "fmax": "({0} || {1})",
    "fmin": "({0} && {1})",
    "abs": "{0}",
    "bitwise_not": "!{0}",
    "equal": "{0} == {1}",
}


def _variadic_symbol(op, dtype: str) -> str:
    if dtype == "bool":
        return {"add": "||", "multiply": "&&"}[op.name]
    return {"add": "+", "multiply": "*"}[op.name]


def _narrowed(text: str, dtype: str) -> str:
    if is_float(dtype) or dtype in ("bool", "int64", "int32", "uint64", "uint32"):
        return text
    return f"({C_TYPES[dtype]})({text})"


_OPENMP = {"sum": "+", "prod": "*", "max": "max", "min": "min", "any": "||", "all": "&&"}

#: Words that no variable may be called.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        auto break case char const continue default do double else enum extern float for goto if
        inline int long register restrict return short signed sizeof static struct switch typedef
        union unsigned void volatile while bool true false
        frame runtime begin end context given head part from to NAN INFINITY

        and and_eq alignas alignof asm bitand bitor catch class compl concept constexpr decltype
        delete dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq
        nullptr operator or or_eq private protected public reinterpret_cast requires static_cast
        template this throw try typeid typename using virtual wchar_t xor xor_eq

        blockIdx blockDim gridDim threadIdx warpSize tile scratch each round kernels gpu
        rows held wide share
        """,
    )
)


def _wrapped(text: str) -> str:
    """An operand in parentheses, unless it is an atom, a call or an element."""
    if re.fullmatch(r"[\w.]+|frame->\w+|\w[\w.]*[\[(][^()\[\]]*[\])]", text) or _is_call(text):
        return text
    return f"({text})"


def _is_call(text: str) -> bool:
    """Whether the text is one call or element: name(...) or name[...], the bracket closing at the
    end.
    """
    head = re.match(r"\w+[(\[]", text)
    if not head or text[-1] not in ")]":
        return False
    depth = 0
    for position, c in enumerate(text):
        depth += c in "(["
        depth -= c in ")]"
        if depth == 0 and c in ")]":
            return position == len(text) - 1
    return False


def _is_offset(e: Expr) -> bool:
    """Whether a part is arithmetic of sizes and places, which the C compiler sees through (but not
    how something is cut into tiles, which is long).
    """
    return e.weak and not (isinstance(e.op, Primitive) and e.op.internal)


def _is_flat(body) -> bool:
    return all(isinstance(s, (Let, Store)) and getattr(s, "monoid", None) is None for s in body)


def _only_moves(body) -> bool:
    """Whether memory bounds these statements: they call no function that costs more than a read."""
    formulas = [v for s in body for v in loops.values(s) if isinstance(v, Expr)]
    return not any(isinstance(e.op, Primitive) and is_dear(e.op) for e in formula_order(formulas))


def comment(text: str) -> str:
    return text.replace("*/", "* /")
