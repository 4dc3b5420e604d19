"""Matching: patterns compiled to functions, and indexed by the operations that they need.

A pattern becomes a function `(node, bound, then)`: it binds wildcards and calls `then`, which says
whether the rest matches too; where it does not, other ways are tried. Sums and products are matched
as sets of terms: a pattern may take some of them at the root of a rule (the others stay), and must
take all of them further in, where its last wildcard stands for as many as are left. What a rule
needs below its root (a sine, a square) is looked up before it is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symcomp.graph.expr import Constant, Expr, build
from symcomp.graph.expr import constant as literal
from symcomp.graph.type import is_integer
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.rule import ArrayRule, Rule, RuleSet, Wild
from symcomp.tensor.layout import broadcast_to

Bound = dict[Expr, Expr]
#: node, bindings, what comes next → a result, or None.
Matcher = Callable[[Expr, Bound, Callable[[Bound], Any]], Any]


def is_variadic(op: Any) -> bool:
    return getattr(op, "variadic", False)


def matcher(pattern: Expr) -> Matcher:
    """The matcher of a pattern in canonical form."""
    if isinstance(pattern, Wild):
        return _wildcard(pattern)
    if isinstance(pattern, Constant):
        return _number(pattern)
    if is_variadic(pattern.op):
        return _terms(pattern)
    parts = [matcher(a) for a in pattern.args]
    if getattr(pattern.op, "commutative", False) and len(parts) == 2:
        return _either_order(pattern.op, *parts)
    return _call(pattern.op, parts)


def _wildcard(wild: Wild) -> Matcher:
    accepts = wild.sort.accepts

    def match(node, bound, then):
        have = bound.get(wild)
        if have is not None:
            return then(bound) if have is node else None
        if not accepts(node):
            return None
        bound[wild] = node
        result = then(bound)
        if result is None:
            del bound[wild]
        return result

    return match


def _number(pattern: Constant) -> Matcher:
    value = pattern.value.item()
    by_dtype: dict[str, Any] = {}

    def match(node, bound, then):
        if not isinstance(node, Constant) or node.value.ndim:
            return None
        dtype = node.dtype
        if dtype not in by_dtype:
            by_dtype[dtype] = _as_dtype(value, dtype)
        return then(bound) if node.value[()] == by_dtype[dtype] else None

    return match


def _as_dtype(value: Any, dtype: str) -> Any:
    """A number of a pattern in another dtype, integers wrapped around; None where that has no such
    number."""
    if (dtype == "bool") != isinstance(value, bool):
        return None
    if is_integer(dtype):
        return np.int64(value).astype(dtype) if value == int(value) else None
    return np.asarray(value).astype(dtype)[()]


def _call(op: Any, parts: list[Matcher]) -> Matcher:
    first = parts[0]
    if len(parts) == 1:

        def match_one(node, bound, then):
            return first(node.args[0], bound, then) if node.op is op else None

        return match_one

    def match(node, bound, then):
        return _in_order(parts, node.args, 0, bound, then) if node.op is op else None

    return match


def _in_order(parts, args, position, bound, then):
    if position == len(parts):
        return then(bound)
    return parts[position](
        args[position], bound, lambda b: _in_order(parts, args, position + 1, b, then)
    )


def _either_order(op: Any, left: Matcher, right: Matcher) -> Matcher:
    def match(node, bound, then):
        if node.op is not op:
            return None
        x, y = node.args
        result = left(x, bound, lambda b: right(y, b, then))
        if result is None and x is not y:
            result = left(y, bound, lambda b: right(x, b, then))
        return result

    return match


def _precedence(part: Expr) -> int:
    """Structured parts first, then numbers, then wildcards; one that can stand for anything
    last."""
    if isinstance(part, Wild):
        return 2 if part.sort.name in ("Constant", "Integer", "Boolean") else 3
    return 1 if isinstance(part, Constant) else 0


class _Terms:
    """The terms of a sum or product in a pattern."""

    def __init__(self, pattern: Expr):
        self.op = pattern.op
        parts = sorted(pattern.args, key=_precedence)
        last = parts[-1]
        #: The wildcard that takes all terms that are left, if there is one.
        self.rest = last if isinstance(last, Wild) and _precedence(last) == 3 else None
        self.parts = parts[:-1] if self.rest is not None else parts
        self.matchers = [matcher(p) for p in self.parts]
        self.least = len(pattern.args)
        ops = [
            None if isinstance(p, Wild) else p.op if p.op is not None else Constant
            for p in self.parts
        ]
        self.ops = ops

    def match(self, position: int, left: list[Expr], bound: Bound, then) -> Any:
        """Match the parts from `position` on among the terms `left`; `then(bound, others)`."""
        if position == len(self.parts):
            return self._finish(left, bound, then)
        part, op = self.matchers[position], self.ops[position]
        for i, term in enumerate(left):
            if op is not None and (
                term.op is not op if op is not Constant else not isinstance(term, Constant)
            ):
                continue
            others = left[:i] + left[i + 1 :]
            result = part(term, bound, lambda b, o=others: self.match(position + 1, o, b, then))
            if result is not None:
                return result
        return None

    def _finish(self, left, bound, then):
        rest = self.rest
        if rest is None:
            return then(bound, left)
        have = bound.get(rest)
        if have is not None:
            for i, term in enumerate(left):
                if term is have:
                    return then(bound, left[:i] + left[i + 1 :])
            return None
        if not left:
            return None
        whole = left[0] if len(left) == 1 else build(self.op, tuple(left))
        if not rest.sort.accepts(whole):
            return None
        bound[rest] = whole
        result = then(bound, [])
        if result is None:
            del bound[rest]
        return result


def _terms(pattern: Expr) -> Matcher:
    terms = _Terms(pattern)

    def match(node, bound, then):
        if node.op is not terms.op or len(node.args) < terms.least:
            return None
        return terms.match(0, list(node.args), bound, lambda b, left: None if left else then(b))

    return match


# --- building the right side ----------------------------------------------------------------------


def builder(template: Expr) -> Callable[[Bound], Any]:
    """A function from bindings to the expression (or the number) that a template stands for."""
    if isinstance(template, Wild):
        return lambda bound: bound[template]
    if isinstance(template, Constant):
        number = template.value.item()
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        return lambda bound: number
    op, parts = template.op, [builder(a) for a in template.args]
    return lambda bound: op(*(p(bound) for p in parts))


def fitted(result: Any, node: Expr) -> Expr | None:
    """A result with the dtype and the shape of the node that it replaces; None where the dtype
    differs."""
    if not isinstance(result, Expr):
        result = literal(result, node.dtype)
    if result.dtype != node.dtype:
        return None
    return result if result.shape == node.shape else broadcast_to(result, node.shape)


# --- rules, compiled ------------------------------------------------------------------------------


class Compiled:
    """A rule of a table, ready to be tried at a node."""

    def __init__(self, rule: Rule, left: Expr):
        self.rule = rule
        self.op = left.op
        self.variadic = is_variadic(left.op)
        self.root = _Terms(left) if self.variadic else matcher(left)
        parts = [a for a in left.args if not isinstance(a, Wild)]
        #: Operations that must be among the arguments of the node.
        self.needs = frozenset(p.op for p in parts if p.op is not None)
        self.least = len(left.args)
        self.build = builder(rule.right)
        self.questions = [(c.question, [builder(p) for p in c.parts]) for c in rule.conditions]

    def __call__(self, node: Expr, known: Facts) -> Expr | None:
        if self.variadic:
            if len(node.args) < self.least:
                return None
            return self.root.match(
                0, list(node.args), {}, lambda b, left: self._some(b, left, node, known)
            )
        return self.root(node, {}, lambda bound: self._all(bound, node, known))

    def _holds(self, bound: Bound, known: Facts) -> bool:
        for question, parts in self.questions:
            values = [p(bound) for p in parts]
            if not question(known, *(v if isinstance(v, Expr) else literal(v) for v in values)):
                return False
        return True

    def _all(self, bound: Bound, node: Expr, known: Facts) -> Expr | None:
        return fitted(self.build(bound), node) if self._holds(bound, known) else None

    def _some(self, bound: Bound, left: list[Expr], node: Expr, known: Facts) -> Expr | None:
        if not self._holds(bound, known):
            return None
        result = self.build(bound)
        if left:
            result = self.op(result, *left)
        return fitted(result, node)


#: Functions whose canonical form has another function at its root.
_RENAMED = ("add", "subtract", "negative", "multiply", "divide", "reciprocal", "power", "square")


class Index:
    """The rules of a set by the operation at their root; a rule is compiled when its root is first
    met."""

    def __init__(self, rules: RuleSet, canonical: Callable[[Expr], Expr]):
        self._canonical = canonical
        #: Positions and rules of tables that may have this operation at the root of their canonical
        #: form.
        self._waiting: dict[Any, list[tuple[int, Rule]]] = {}
        self._exact: dict[Any, list] = {}
        self._classes: list[tuple[int, type, ArrayRule]] = []
        self._found: dict[Any, list] = {}
        for position, rule in enumerate(rules):
            if isinstance(rule, Rule):
                self._waiting.setdefault(_kind(rule.left.op), []).append((position, rule))
                continue
            for root in rule.roots:
                if isinstance(root, type):
                    self._classes.append((position, root, rule))
                else:
                    self._exact.setdefault(root, []).append((position, None, rule, rule.apply))

    def at(self, op: Any) -> list:
        """(operations needed below, rule, function) for what may apply at nodes of an operation, in
        order."""
        found = self._found.get(op)
        if found is None:
            self._compile(_kind(op))
            entries = list(self._exact.get(op, ()))
            entries += [(p, None, r, r.apply) for p, c, r in self._classes if isinstance(op, c)]
            found = self._found[op] = [e[1:] for e in sorted(entries, key=lambda e: e[0])]
        return found

    def _compile(self, kind: Any) -> None:
        for position, rule in self._waiting.pop(kind, ()):
            compiled = Compiled(rule, self._canonical(rule.left))
            entry = (position, compiled.needs or None, rule, compiled)
            self._exact.setdefault(compiled.op, []).append(entry)


def _kind(op: Any) -> Any:
    """What rules wait for: their root operation, or all of arithmetic at once."""
    return "arithmetic" if getattr(op, "name", None) in _RENAMED else op
