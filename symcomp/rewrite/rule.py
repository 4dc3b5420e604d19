"""Rules: `left → right when condition`, the sets they come in, and the order that makes them
terminate.

A table of rules is a generator whose parameters are the wildcards; annotations say what a wildcard
may stand for, and the optional third item when the rule holds:

    @ruleset
    def inverses(x):
        '''Functions that undo each other.'''
        yield log(exp(x)), x
        yield exp(log(x)), x, positive(x)

Both sides are ordinary expressions. They say nothing of dtypes and shapes: a literal matches that
number in any dtype, the right side takes the dtype of what it replaces, and what it replaces keeps
its shape. A condition is a question to `facts` while a function compiles, and an assumption for
SymPy while the rule is proven. What a pattern cannot say (axes, labels) is said by a function on a
node, in the same registry: `@array_rule(Dot)`; its docstring is its formula.

**The order.** Every rule of a table makes an expression smaller in one order, so that rewriting
ends. It is that of Knuth and Bendix: the right side has no wildcard more often than the left, and
less weight. Weights are in `WEIGHTS`, counted on the flat form that `canonical` gives both sides;
they follow what the functions cost.

**What a rule may do to special values.** It may turn an overflow or a nan into the number that is
meant; it must never turn a finite result into inf or nan, and never forget an operand that may be
nan: `x − x → 0` holds where x is known to be finite, or for those who ask for it (`rewrite.fast`).
The sign of a zero is not preserved.
"""

from __future__ import annotations

import importlib
import inspect
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from symcomp.errors import RuleError
from symcomp.graph.expr import Constant as Literal
from symcomp.graph.expr import Expr, Leaf
from symcomp.graph.expr import constant as literal
from symcomp.graph.show import text
from symcomp.graph.type import Type, is_float, is_integer
from symcomp.graph.walk import order

# --- wildcards and their sorts --------------------------------------------------------------------


class Sort(NamedTuple):
    """What a wildcard may stand for."""

    name: str
    #: The dtype that it has while the pattern is written down.
    dtype: str
    accepts: Callable[[Expr], bool]


Number = Sort("Number", "float64", lambda e: e.dtype != "bool")
#: A number that may be negative: not of an unsigned dtype.
Signed = Sort("Signed", "float64", lambda e: e.dtype != "bool" and not e.dtype.startswith("u"))
Float = Sort("Float", "float64", lambda e: is_float(e.dtype))
Integer = Sort("Integer", "int64", lambda e: is_integer(e.dtype))
Boolean = Sort("Boolean", "bool", lambda e: e.dtype == "bool")
#: Anything at all, booleans too.
Value = Sort("Value", "float64", lambda e: True)
#: A literal floating-point number.
Constant = Sort(
    "Constant",
    "float64",
    lambda e: isinstance(e, Literal) and not e.ndim and is_float(e.dtype),
)
#: A number that is the same for all elements.
Scalar = Sort("Scalar", "float64", lambda e: not e.ndim and e.dtype != "bool")

SORTS = (Number, Signed, Float, Integer, Boolean, Value, Constant, Scalar)


class Wild(Leaf):
    """A wildcard of a pattern."""

    __slots__ = ("sort",)

    def __init__(self, name: str, sort: Sort = Number):
        super().__init__(Type(sort.dtype, ()), name)
        self.sort = sort


# --- conditions -----------------------------------------------------------------------------------


class Condition(NamedTuple):
    """A side condition: a question about expressions to `Facts`, and an assumption about symbols
    for SymPy."""

    name: str
    parts: tuple[Expr, ...]
    question: Callable[..., bool]
    #: The assumption that SymPy makes of each part, by its own name; empty where it has none.
    assumption: str = ""

    def __str__(self) -> str:
        return f"{self.name}({', '.join(text(p) for p in self.parts)})"


def positive(x: Expr) -> Condition:
    """x > 0"""
    return Condition("positive", (x,), lambda known, e: known.positive(e), "positive")


def negative_(x: Expr) -> Condition:
    """x < 0"""
    return Condition("negative", (x,), lambda known, e: known.negative(e), "negative")


def nonnegative(x: Expr) -> Condition:
    """x ≥ 0"""
    return Condition("nonnegative", (x,), lambda known, e: known.nonnegative(e), "nonnegative")


def nonpositive(x: Expr) -> Condition:
    """x ≤ 0"""
    return Condition("nonpositive", (x,), lambda known, e: known.nonpositive(e), "nonpositive")


def nonzero(x: Expr) -> Condition:
    """x ≠ 0"""
    return Condition("nonzero", (x,), lambda known, e: known.nonzero(e), "nonzero")


def real(x: Expr) -> Condition:
    """x is a number: neither infinite nor nan."""
    return Condition("real", (x,), lambda known, e: known.finite(e), "real")


#: The same question by its other name: neither infinite nor nan.
finite = real


def integer(x: Expr) -> Condition:
    """x is a whole number, of whatever dtype."""
    return Condition("integer", (x,), lambda known, e: known.whole(e), "integer")


def constant(x: Expr) -> Condition:
    """x is a literal."""
    return Condition("constant", (x,), lambda known, e: isinstance(e, Literal))


def varying(x: Expr) -> Condition:
    """x is not a literal."""
    return Condition("varying", (x,), lambda known, e: not isinstance(e, Literal))


def independent(x: Expr, axis: int) -> Condition:
    """x is the same all along the axis (which counts from the end: −1 is the last)."""
    return Condition("independent", (x,), lambda known, e: known.independent(e, axis))


def used_once(x: Expr) -> Condition:
    """The expression is not needed elsewhere: replacing it saves its computation."""
    return Condition("used_once", (x,), lambda known, e: e not in known.shared)


# --- rules ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rule:
    """`left → right when conditions`, on expressions of wildcards."""

    name: str
    left: Expr
    right: Expr
    conditions: tuple[Condition, ...] = ()
    table: str = ""

    def __str__(self) -> str:
        when = f"   when {' and '.join(map(str, self.conditions))}" if self.conditions else ""
        return f"{text(self.left, 12)} → {text(self.right, 12)}{when}"

    @property
    def wilds(self) -> list[Wild]:
        return [e for e in order([self.left]) if isinstance(e, Wild)]


@dataclass(frozen=True, eq=False)
class ArrayRule:
    """A rule that is a function of a node: `apply(node, known)` gives what replaces it, or None."""

    name: str
    #: The operations (functions of real numbers by instance, others by class) at whose nodes it is
    #: tried.
    roots: tuple[Any, ...]
    apply: Callable[[Expr, Any], Any]
    formula: str
    table: str = ""

    def __str__(self) -> str:
        return self.formula


class RuleSet:
    """Rules under a name, made when they are first needed; sets add with `+`, in order of
    precedence."""

    def __init__(self, name: str, make: Callable[[], Iterator], doc: str = "", origin: Any = None):
        self.name = name
        self.__doc__ = doc
        self._make = make
        #: What a pickle holds: where the set is declared, or the function and arguments it is of.
        self._origin = origin
        self._rules: tuple | None = None
        #: What `match` has compiled of it.
        self.index: Any = None
        #: The set that this one, a user's own, and all of symcomp's make together.
        self.joined: RuleSet | None = None

    @property
    def rules(self) -> tuple:
        if self._rules is None:
            self._rules = tuple(self._make())
        return self._rules

    def __iter__(self):
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __add__(self, other: RuleSet) -> RuleSet:
        if not isinstance(other, RuleSet):
            return NotImplemented
        return RuleSet(
            f"{self.name} + {other.name}",
            lambda: dict.fromkeys((*self.rules, *other.rules)),
            origin=(operator.add, (self, other)),
        )

    def __reduce__(self) -> tuple[Callable, tuple]:
        if self._origin is None:
            raise RuleError(f"the rules {self.name} cannot be pickled: they are no declared table")
        return self._origin

    def __repr__(self) -> str:
        return f"<rules {self.name}>"

    def only(self, *names: str) -> RuleSet:
        """The rules of these names."""
        return RuleSet(
            self.name,
            lambda: [r for r in self.rules if r.name in names],
            origin=(RuleSet.only, (self, *names)),
        )

    def without(self, *names: str) -> RuleSet:
        """The rules of other names."""
        return RuleSet(
            self.name,
            lambda: [r for r in self.rules if r.name not in names],
            origin=(RuleSet.without, (self, *names)),
        )

    def assuming(self, condition: str) -> RuleSet:
        """The rules that ask for a condition (by name), taken as if it always held."""

        def make():
            for rule in self.rules:
                kept = tuple(c for c in rule.conditions if c.name != condition)
                if len(kept) != len(rule.conditions):
                    yield Rule(f"{rule.name}*", rule.left, rule.right, kept, rule.table)

        name = f"{self.name} assuming {condition}"
        return RuleSet(name, make, origin=(RuleSet.assuming, (self, condition)))


#: Every table of rules by name: what tests prove and the documentation lists.
registry: dict[str, RuleSet] = {}


def ruleset(table: Callable) -> RuleSet:
    """Make a table of rules of a generator; see the module's text. Errors (RuleError) show at its
    first use."""
    name = table.__name__
    origin = (declared, (table.__module__, table.__qualname__))
    made = RuleSet(name, lambda: _rules(name, table), inspect.getdoc(table) or "", origin)
    if not name.startswith("_"):
        registry[name] = made
    return made


def declared(module: str, name: str) -> RuleSet:
    """The table of rules that a module declares under a name: what a pickle holds of it."""
    try:
        found = operator.attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError):
        found = None
    if not isinstance(found, RuleSet):
        raise RuleError(f"there are no rules {name} in the module {module}")
    return found


def _rules(name: str, table: Callable) -> Iterator[Rule]:
    wilds = [
        Wild(p.name, _sort(name, p))
        for p in inspect.signature(table, eval_str=True).parameters.values()
    ]
    for number, item in enumerate(table(*wilds), 1):
        yield _rule(f"{name}.{number}", name, item)


def _sort(table: str, parameter: inspect.Parameter) -> Sort:
    if parameter.annotation is parameter.empty:
        return Number
    if isinstance(parameter.annotation, Sort):
        return parameter.annotation
    allowed = ", ".join(s.name for s in SORTS)
    raise RuleError(f"rules {table}: the sort of {parameter.name} must be one of {allowed}")


def _rule(name: str, table: str, item: Any) -> Rule:
    if not isinstance(item, tuple) or len(item) < 2 or not isinstance(item[0], Expr):
        raise RuleError(f"rule {name}: expected `yield left, right[, condition]`, not {item!r}")
    left, right, *conditions = item
    right = right if isinstance(right, Expr) else literal(right, left.dtype)
    for c in conditions:
        if not isinstance(c, Condition):
            raise RuleError(f"rule {name}: {c!r} is not a condition such as positive(x)")
    if left.op is None:
        raise RuleError(f"rule {name}: the left side is only {text(left)}, which matches anything")
    known = {e for e in order([left]) if isinstance(e, Wild)}
    used = {
        e for e in order([right, *(p for c in conditions for p in c.parts)]) if isinstance(e, Wild)
    }
    if used - known:
        missing = ", ".join(sorted(text(w) for w in used - known))
        raise RuleError(f"rule {name}: {missing} does not occur on the left side, {text(left)}")
    return Rule(name, left, right, tuple(conditions), table)


#: Functions declared by `@array_rule`, in order.
_declared: dict[str, list[ArrayRule]] = {}


def array_rule(*roots: Any) -> Callable:
    """Declare a rule that is a function `(node, known) → expression or None`; its docstring is its
    formula.

    It is tried at nodes of the operations `roots`: functions of real numbers, or classes of
    operations. The result may be a number; it is given the dtype and shape of the node. `known` is
    a `Facts`.
    """

    def declare(function: Callable) -> ArrayRule:
        table = function.__module__.rpartition(".")[2]
        rule = ArrayRule(
            function.__name__,
            roots,
            function,
            " ".join((inspect.getdoc(function) or "").split()),
            table,
        )
        if table not in _declared:
            rules = _declared[table] = []
            registry[table] = RuleSet(table, lambda: tuple(rules))
        _declared[table].append(rule)
        return rule

    return declare


# --- the order ------------------------------------------------------------------------------------

#: The weight of a function; leaves weigh 1, what is not listed 10. A sum or product of n weighs n −
#: 1 times its weight.
WEIGHTS: dict[str, float] = {
    "abs": 3, "add": 4, "arctan2": 20, "bitwise_and": 2, "bitwise_not": 2, "bitwise_or": 2,
    "bitwise_xor": 2, "ceil": 3, "copysign": 2, "cos": 25, "cosh": 17, "divide": 4, "equal": 2,
    "exp": 5, "exp2": 5, "expm1": 9, "floor": 3, "floor_divide": 4, "fmax": 3, "fmin": 3,
    "greater": 2, "greater_equal": 2, "hypot": 8, "left_shift": 2, "less": 2, "less_equal": 2,
    "logaddexp": 22, "logical_and": 2, "logical_not": 2, "logical_or": 2, "logical_xor": 3,
    "maximum": 3, "minimum": 3, "mod": 4, "multiply": 1, "negative": 2, "not_equal": 2,
    "power": 4.4, "right_shift": 2, "rint": 3, "sigmoid": 8, "sign": 2, "sin": 20, "sinh": 12,
    "softplus": 13, "sqrt": 2, "tan": 20, "tanh": 10, "trunc": 3, "where": 3,
}  # fmt: skip

#: Of equal weights, the one with the higher function at its root is larger; functions not listed
#: are highest.
_LOWEST = ("multiply", "add", "divide", "exp", "exp2")


def weight(expr: Expr) -> float:
    """The weight of an expression, taken as a tree; what is made of constants only is a
    constant."""
    done: dict[Expr, float] = {}
    for node in order([expr]):
        literal_ = node.op is not None and all(
            _is_constant(a) for a in order([node]) if a.op is None
        )
        own = 1.0 if node.op is None or literal_ else _own(node)
        done[node] = own if own == 1.0 and literal_ else own + sum(done[a] for a in node.args)
    return done[expr]


def _is_constant(leaf: Expr) -> bool:
    return isinstance(leaf, Literal) or (isinstance(leaf, Wild) and leaf.sort is Constant)


def _own(node: Expr) -> float:
    own = WEIGHTS.get(node.op.name, 10)
    if not getattr(node.op, "variadic", False):
        return own
    literals = sum(_is_constant(a) for a in node.args)
    spare = max(literals - 1, 0)  # constants fold into one
    return own * (len(node.args) - 1 - spare) - spare


def _precedence(node: Expr) -> tuple:
    if node.op is None:
        return (-1,)
    name = node.op.name
    return (_LOWEST.index(name),) if name in _LOWEST else (len(_LOWEST), name)


def occurrences(expr: Expr) -> Counter:
    """How often each wildcard stands in an expression, taken as a tree."""
    done: dict[Expr, Counter] = {}
    for node in order([expr]):
        own = Counter([node]) if isinstance(node, Wild) else Counter()
        done[node] = sum((done[a] for a in node.args), own)
    return done[expr]


def decreases(left: Expr, right: Expr) -> bool:
    """Whether `left → right` goes down in the order (both in canonical form)."""
    before, after = occurrences(left), occurrences(right)
    if any(after[w] > before[w] for w in after):
        return False
    heavier = weight(left) - weight(right)
    if abs(heavier) > 1e-9:
        return heavier > 0
    if left.op is not right.op:
        return _precedence(left) > _precedence(right)
    for a, b in zip(left.args, right.args, strict=False):
        if a is not b:
            return decreases(a, b)
    return False
