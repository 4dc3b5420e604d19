"""Writes the reference pages from the registries: docs/operations.md and docs/rules.md.

    python docs/build.py            write both pages
    python docs/build.py --check    say whether they are up to date (exit status 1 if not)

Nothing on these pages is written by hand: an operation is listed with its own docstring, its C
expression and its derivative as autodiff and the rules have them; a rule as its table has it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from types import ModuleType

import symcomp.tensor as T
from symcomp.graph.expr import Expr, Variable
from symcomp.graph.op import Op, as_expr, registry
from symcomp.graph.scalar import Primitive
from symcomp.graph.show import text
from symcomp.graph.type import DTYPES, Type
from symcomp.rewrite import canonicalize, specialize
from symcomp.rewrite import registry as tables
from symcomp.rewrite.rule import Rule, RuleSet

HERE = Path(__file__).parent

#: The modules of operations in the order in which a reader wants them.
MODULES = (
    T.creation, T.arithmetic, T.elementary, T.special, T.reduction, T.cumulative, T.linear,
    T.layout, T.arrange, T.keys, T.indexing, T.gradients, T.random, T.nn, T.foreign,
)  # fmt: skip

INTRODUCTION = """# Operations

*Written by `make docs` from the registries; a test fails when this page is out of date.*

`import symcomp.tensor as T`: everything below is `T.name`, but for the activations and losses,
which are `T.nn.name`. Functions broadcast as NumPy's do; an axis of length 1 is repeated where it
is known to be 1 when the expression is written.

*derivative* is what `sc.grad` multiplies by, simplified; several are for several arguments, and a
dash stands for a derivative that is zero everywhere, or not defined. *domain* is the interval that
a function is declared for: all numbers where nothing stands. *C* is the expression that is
compiled: `{x}` stands for the argument, `{t}` for the suffix of its dtype (`f32`, `f64`, `i64`, …),
`{T}` for its C type; functions called `sc_…` are symcomp's own, in `symcomp/codegen/include`.
"""

#: Headings that say more than the name of a module.
HEADINGS = {
    "special": "special functions",
    "reduction": "reductions",
    "cumulative": "running sums and products",
    "linear": "products of matrices",
    "arrange": "arranging",
    "keys": "parts of arrays",
    "gradients": "keeping gradients from flowing",
    "nn": "neural networks (`T.nn`)",
    "foreign": "your own (`sc.…`)",
}

#: Formulas that are longer than this are cut.
LONGEST = 90


# --- Markdown ------------------------------------------------------------------------------------


def code(formula: str) -> str:
    """A formula within a line or a cell of a table."""
    return f"`{formula}`" if formula else ""


def cell(content: str) -> str:
    return " ".join(content.split()).replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table, and an empty line after it; nothing where there are no rows."""
    rows = [list(row) for row in rows]
    if not rows:
        return
    head = list(head)
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(map(cell, row)) + " |"
    yield ""


def first_paragraph(thing: object) -> str:
    """The first paragraph of a docstring, on one line, as Markdown."""
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("*", "\\*")


# --- operations ----------------------------------------------------------------------------------


def operations() -> str:
    """The page of operations."""
    lines = [INTRODUCTION, *constructors()]
    for module in MODULES:
        lines += section(module)
    lines += [*other_names(), *methods(), *inner_operations()]
    return "\n".join(lines).rstrip() + "\n"


def constructors() -> Iterator[str]:
    """The variables, whose names follow a scheme."""
    yield "## Variables\n"
    yield "A symbolic input is made by a letter for its dtype and a word for its rank:\n"
    letters = "none: options.floatX, f: float32, d: float64, b: int8, w: int16, i: int32, l: int64"
    yield from table(
        ("letter", "rank"),
        [(letters, "scalar, vector, matrix, row (1 × n), col (n × 1), tensor3 … tensor7")],
    )
    yield "`T.fmatrix('x')`, `T.lvector('k')`; an `s` makes several: `x, y = T.vectors('x', 'y')`."
    yield f"`T.tensor(dtype, shape)` makes any of: {', '.join(DTYPES)}.\n"


def section(module: ModuleType) -> Iterator[str]:
    """The functions of one module: of real numbers in one table, the others in another."""
    public = [(name, getattr(module, name)) for name in names(module)]
    name = module.__name__.rpartition(".")[2]
    heading = HEADINGS.get(name, name)
    yield f"## {heading[0].upper()}{heading[1:]}\n"
    yield first_paragraph(module) + "\n"
    yield from table(
        ("function", "is", "derivative", "domain", "C"),
        (real_function(name, f) for name, f in public if isinstance(f, Primitive)),
    )
    yield from table(
        ("function", "is"),
        (
            (code(f"{name}{signature(f)}"), first_paragraph(f))
            for name, f in public
            if not isinstance(f, Primitive)
        ),
    )


def names(module: ModuleType) -> list[str]:
    """The public names of a module; what another module has already listed is left out."""
    given = getattr(module, "__all__", None) or [
        n
        for n, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__
    ]
    earlier = MODULES[: MODULES.index(module)]
    exported = T.nn if module is T.nn else T
    seen = {id(getattr(m, n)) for m in earlier for n in getattr(m, "__all__", ())}
    return sorted(
        n for n in given if not n.startswith("_") and id(getattr(module, n)) not in seen
        and (hasattr(exported, n) or module is T.foreign)
    )  # fmt: skip


def signature(function: object) -> str:
    """The parameters, without their types."""
    parameters = inspect.signature(function).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(plain))


def real_function(name: str, op: Primitive) -> tuple[str, ...]:
    formula = op.c or "inlined: " + definition(op)
    return (
        code(f"{name}({', '.join(shown_parameters(op))})"),
        first_paragraph(op),
        derivative(op),
        domain(op),
        code(formula) if op.c else formula,
    )


def shown_parameters(op: Primitive) -> list[str]:
    return [f"*{p}" if op.variadic else p for p in op.parameters]


def variables(op: Primitive) -> list[Variable]:
    """Scalars with the names of the parameters; a condition is a boolean."""
    letters = ("x", "y") if op.variadic else op.parameters
    return [Variable(Type("bool" if p == "condition" else "float64", ()), p) for p in letters]


def definition(op: Primitive) -> str:
    return code(text(as_expr(op.body(*variables(op))), 12))


def derivative(op: Primitive) -> str:
    """∂/∂x of each argument, as the compiler has it."""
    if op.grad is None:
        return "—"
    args = variables(op)
    partials = op.derivative(op(*args), *args)
    return ", ".join(simplified(p) for p in partials[: len(args)])


def simplified(partial: object) -> str:
    if partial is None:
        return "—"
    (better,) = specialize(canonicalize([as_expr(partial)]))
    shown = text(better, 12)
    if len(shown) > LONGEST:
        shown = text(better, 4)
    return code(shown.removesuffix(".0") if better.op is None else shown)


def domain(op: Primitive) -> str:
    low, high = op.domain
    return "" if (low, high) == (-inf, inf) else f"{low} to {high}".replace("inf", "∞")


def other_names() -> Iterator[str]:
    """Names that mean the same as another."""
    yield "## Other names\n"
    yield first_paragraph(T.aliases) + "\n"
    named = {id(getattr(m, n)): n for m in MODULES for n in names(m)}
    rows = [
        (code(a), code(named[id(f)]))
        for a, f in sorted(T.aliases.ALIASES.items())
        if id(f) in named
    ]
    yield from table(("name", "means"), rows)


def methods() -> Iterator[str]:
    """What can be written after a dot."""
    found = [n for n, f in vars(Expr).items() if inspect.isfunction(f) and not n.startswith("_")]
    yield "## Methods\n"
    yield (
        "Expressions have these functions as methods: "
        + ", ".join(map(code, sorted(found)))
        + ".\n"
    )


def inner_operations() -> Iterator[str]:
    """The operations on arrays that the functions above are made of."""
    yield "## What they are made of\n"
    yield "The functions on arrays are written in these, by their names in an expression:\n"
    rows = []
    for name, op in sorted(registry.items()):
        if (
            isinstance(op, type)
            and issubclass(op, Op)
            and op.__module__.startswith("symcomp.tensor")
        ):
            rows.append(
                (code(name), first_paragraph(op), code(", ".join(parameters(op))), meaning(op))
            )
    yield from table(("operation", "is", "parameters", "meaning"), rows)


def parameters(op: type) -> list[str]:
    return list(getattr(op, "__dataclass_fields__", {}))


def meaning(op: type) -> str:
    """Which of the four ways to give its meaning an operation has chosen."""
    ways = {
        "body": "other operations",
        "element": "an equation",
        "loops": "loops",
        "perform": "Python",
    }
    chosen = [words for way, words in ways.items() if getattr(op, way, None) is not None]
    return ", ".join(chosen) or "a map over elements"


# --- rules ---------------------------------------------------------------------------------------

RULES = """# Rules

*Written by `make docs` from the registries; a test fails when this page is out of date.*

{count} rules, in {tables} tables. Each is an identity. `tests/laws/test_rules.py` proves each
pattern with SymPy (or checks it for every value of a small dtype, or at 60 digits), measures that
it makes no result less accurate, and that it ends; `pytest tests/laws/test_rules.py -s` prints on
which rung each rule was proven.

A letter stands for any expression of its sort; the dtype and the shape of what a rule replaces are
kept. *when* is a condition that is asked of the expressions while a function compiles, and assumed
by the proof. A rule that is no mere pattern (it looks at axes, labels or constants) is listed by
the formula in its docstring.

The table `regrouping` is not applied unless you ask for it: `function(...,
rules=symcomp.rewrite.regrouping)`.
"""


def rules() -> str:
    """The page of rules."""
    listed = {name: rules for name, rules in tables.items() if len(rules)}
    count = sum(map(len, listed.values()))
    lines = [RULES.format(count=count, tables=len(listed))]
    for name, rules in listed.items():
        lines += [f"## {name}\n", about(name, rules) + "\n"]
        patterns = [r for r in rules if isinstance(r, Rule)]
        functions = [r for r in rules if not isinstance(r, Rule)]
        lines += table(("rule", "left", "right", "when"), map(pattern, patterns))
        lines += table(
            ("rule", "formula"), ((code(r.name), one_line(r.formula)) for r in functions)
        )
    return "\n".join(lines).rstrip() + "\n"


def about(name: str, rules: RuleSet) -> str:
    """What a table says of itself; tables of functions are modules."""
    return rules.__doc__ or first_paragraph(sys.modules[f"symcomp.rewrite.{name}"])


def pattern(rule: Rule) -> tuple[str, ...]:
    conditions = " and ".join(map(str, rule.conditions))
    return code(rule.name), side(rule.left), side(rule.right), code(conditions)


def side(expr: Expr) -> str:
    return code(text(expr, 12))


def one_line(formula: str) -> str:
    return " ".join((formula or "").split()).replace("*", "\\*")


# --- writing -------------------------------------------------------------------------------------

PAGES = {"operations.md": operations, "rules.md": rules}


def main(words: list[str]) -> int:
    """Write the pages, or with --check compare them; the exit status."""
    stale = []
    for name, make in PAGES.items():
        path, page = HERE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == page:
            continue
        stale.append(name)
        if "--check" not in words:
            path.write_text(page, encoding="utf-8")
    if stale:
        print(("out of date: " if "--check" in words else "written: ") + ", ".join(stale))
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
