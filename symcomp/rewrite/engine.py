"""The engine: rules applied bottom-up until none applies, with a trace, and a budget that a wrong
rule runs into.

Every node is brought to its normal form once: first its arguments, then the first rule that applies
at it; what the rule gives is brought to normal form in turn. All of this is one loop over an
explicit stack, so depth does not matter, and a table of what is done, so sharing is kept. What does
not change stays the same object.

Sizes are not rewritten: they have a normal form of their own (`graph.size`), by which shapes are
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from symcomp.errors import InternalError, describe, inherit
from symcomp.graph.expr import Expr, build
from symcomp.graph.scalar import Elementwise
from symcomp.graph.show import text
from symcomp.graph.type import is_integer
from symcomp.graph.walk import order
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import Index
from symcomp.rewrite.rule import RuleSet
from symcomp.tensor.arithmetic import add, multiply, negative, subtract

#: A run may apply so many rules for each node that it starts with, and so many in any case.
BUDGET_PER_NODE, BUDGET = 100, 10_000

#: A sum or product of more terms than this is left in parts.
MOST_TERMS = 64


class Rewritten(NamedTuple):
    """One line of a trace: the rule, and the expression before and after it."""

    rule: Any
    before: Expr
    after: Expr

    def __str__(self) -> str:
        return f"{self.rule.name}: {text(self.before)} → {text(self.after)}"


def rewrite(outputs: Sequence[Expr], rules: RuleSet, trace: list | None = None) -> list[Expr]:
    """The outputs with the rules applied wherever they apply; each keeps its dtype and shape.

    `trace`, where given, is appended a `Rewritten` for every rule that fires. Errors: InternalError
    where the rules go round in circles.
    """
    return _Run(list(outputs), indexed(rules), trace).all()


def indexed(rules: RuleSet) -> Index:
    """The rules compiled; once for each set."""
    if rules.index is None:
        rules.index = Index(rules, pattern_form)
    return rules.index


#: The rules by which both sides of rules are brought to canonical form; set by `canonical`.
_pattern_rules: list[RuleSet] = []


def pattern_form(pattern: Expr) -> Expr:
    """A pattern in canonical form."""
    rules = _pattern_rules[0]
    if rules.index is None:
        rules.index = Index(rules, lambda e: e)
    return _Run([pattern], rules.index, None, sharing=False).all()[0]


def inner(node: Expr) -> Sequence[Expr]:
    """The arguments of a node that are rewritten: not those that are sizes."""
    if node.weak or node.op is None:
        return ()
    if isinstance(node.op, Elementwise):
        return node.args
    return [a for a in node.args if a.ndim or not is_integer(a.dtype)]


class _Run:
    """The rewriting of one list of outputs."""

    def __init__(self, outputs: list[Expr], index: Index, trace: list | None, sharing: bool = True):
        self.outputs = outputs
        self.index = index
        self.trace = trace
        self.known = Facts()
        self.done: dict[Expr, Expr] = {}
        self.becomes: dict[Expr, Expr] = {}
        nodes = order(outputs, stop=lambda e: e.weak)
        self.left = BUDGET + BUDGET_PER_NODE * len(nodes)
        self.owner: dict[Expr, Expr] = {}
        self.original: set[Expr] = set()
        if sharing:
            self.original = set(nodes)
            consumers = _consumers(nodes, outputs)
            self.known.shared.update(e for e, c in consumers.items() if c is None)
            self.known.absorbed.update(_absorbed(nodes, consumers))

    def all(self) -> list[Expr]:
        for output in self.outputs:
            self._normalise(output)
        return [self.done[o] for o in self.outputs]

    def _normalise(self, output: Expr) -> None:
        done, becomes = self.done, self.becomes
        stack = [output]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
            elif node in becomes:
                target = becomes[node]
                if target not in done:
                    raise self._circle(node)
                self._settle(node, done[target])
                stack.pop()
            else:
                missing = [a for a in inner(node) if a not in done]
                if missing:
                    stack.extend(reversed(missing))
                    continue
                self._visit(node, stack)

    def _visit(self, node: Expr, stack: list[Expr]) -> None:
        """A node whose arguments are done: settle it, or push what it becomes."""
        current = self._remade(node)
        if current in self.done:
            self._settle(node, self.done[current])
            stack.pop()
            return
        after = None if node in self.known.absorbed else self._apply(current)
        if after is None:
            self._settle(current, current)
            self._settle(node, current)
            stack.pop()
            return
        result = self._result(after)
        if result is not None:
            self._settle(current, result)
            self._settle(node, result)
            stack.pop()
            return
        if after in self.becomes:
            raise self._circle(after)
        self.becomes[node] = self.becomes[current] = after
        stack.append(after)

    def _result(self, node: Expr) -> Expr | None:
        """What a node has become in the end; None while that is not known. (A node that stood for
        another only, with its new arguments, is not settled itself.)
        """
        while node not in self.done and node in self.becomes:
            node = self.becomes[node]
        return self.done.get(node)

    def _remade(self, node: Expr) -> Expr:
        done = self.done
        if node.op is None or node.weak or all(done.get(a, a) is a for a in node.args):
            return node
        sizes = () if isinstance(node.op, Elementwise) else set(node.args).difference(inner(node))
        args = tuple(a if a in sizes else done[a] for a in node.args)
        with inherit(node.place):
            current = build(node.op, args)
        if node in self.known.absorbed:
            self.known.absorbed.add(current)
        return current

    def _settle(self, node: Expr, result: Expr) -> None:
        self.done[node] = result
        if node in self.original:
            owner = self.owner.setdefault(result, node)
            if owner is not node or node in self.known.shared:
                self.known.shared.add(result)

    def _apply(self, node: Expr) -> Expr | None:
        if node.op is None or node.weak:
            return None
        below = None
        for needs, rule, function in self.index.at(node.op):
            if needs is not None:
                if below is None:
                    below = {a.op for a in node.args}
                if not needs <= below:
                    continue
            after = self._fire(rule, function, node)
            if after is not None and after is not node:
                return after
        return None

    def _fire(self, rule: Any, function: Any, node: Expr) -> Expr | None:
        with inherit(node.place):
            after = function(node, self.known)
        if after is None or after is node:
            return None
        self.left -= 1
        if self.left < 0:
            raise self._endless(rule, node)
        if self.trace is not None:
            self.trace.append(Rewritten(rule, node, after))
        return after

    def _circle(self, node: Expr) -> InternalError:
        message = "rewriting goes round in a circle: a rule undoes another, or itself"
        return InternalError(describe(message, text(node, 4), origin=node.origin))

    def _endless(self, rule: Any, node: Expr) -> InternalError:
        message = f"rewriting does not end: the rule {rule.name}, {rule}, was the last of very many"
        return InternalError(describe(message, text(node, 4), origin=node.origin))


# --- what the graph as a whole says ---------------------------------------------------------------


def _consumers(nodes: list[Expr], outputs: list[Expr]) -> dict[Expr, Expr | None]:
    """The one expression that uses each expression; None where several do, or where it is an output
    besides."""
    consumers: dict[Expr, Expr | None] = {}
    for node in nodes:
        for a in node.args:
            consumers[a] = None if a in consumers else node
    outs: set[Expr] = set()
    for o in outputs:
        if o in consumers:
            consumers[o] = None
        outs.add(o)
    return consumers


_SUMS = (add, subtract, negative)
_PRODUCTS = (multiply, negative)


def _absorbed(nodes: list[Expr], consumers: dict[Expr, Expr | None]) -> set[Expr]:
    """Inner nodes of sums and products: their root takes in all terms at once, so a chain of n
    costs n."""
    absorbed: set[Expr] = set()
    blocks: dict[Expr, list] = {}  # node → [family, number of terms so far] of its block
    for node in reversed(nodes):
        if (node.op not in _SUMS and node.op is not multiply) or node.dtype == "bool":
            continue
        block = blocks.get(consumers.get(node))
        if block is not None and node.op in block[0] and block[1] < MOST_TERMS:
            block[1] += len(node.args) - 1
            blocks[node] = block
            absorbed.add(node)
        elif node.op is not negative:
            blocks[node] = [_PRODUCTS if node.op is multiply else _SUMS, len(node.args)]
    return absorbed
