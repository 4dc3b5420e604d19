"""Expressions as LaTeX and as Graphviz.

`latex` sets the formula: operators by their precedence, functions by the table below, all else as a
named operator. `dot` draws the graph, with shared parts drawn once, for `dot -Tsvg`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from symcomp.graph.expr import Constant, Expr
from symcomp.graph.op import Op
from symcomp.graph.show import ATOM, leaf_text, type_text
from symcomp.graph.walk import order

#: How functions are set; #1, #2, … are the arguments.
_FORMULAS = {
    "sqrt": r"\sqrt{#1}",
    "cbrt": r"\sqrt[3]{#1}",
    "abs": r"\left|#1\right|",
    "exp": r"e^{#1}",
    "exp2": r"2^{#1}",
    "expm1": r"\left(e^{#1} - 1\right)",
    "log": r"\log\left(#1\right)",
    "log1p": r"\log\left(1 + #1\right)",
    "log2": r"\log_{2}\left(#1\right)",
    "log10": r"\log_{10}\left(#1\right)",
    "floor": r"\left\lfloor #1 \right\rfloor",
    "ceil": r"\left\lceil #1 \right\rceil",
    "sigmoid": r"\sigma\left(#1\right)",
    "gamma": r"\Gamma\left(#1\right)",
    "gammaln": r"\log\left|\Gamma\left(#1\right)\right|",
    "digamma": r"\psi\left(#1\right)",
    "reciprocal": r"\frac{1}{#1}",
    "maximum": r"\max\left(#1, #2\right)",
    "minimum": r"\min\left(#1, #2\right)",
    "where": r"\begin{cases}#2 & #1\\#3 & \text{otherwise}\end{cases}",
    **{f: rf"\{f}\left(#1\right)" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{
        f"arc{f}": rf"\{name}\left(#1\right)"
        for f, name in {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}.items()
    },
}

_SYMBOLS = {
    "==": "=", "!=": r"\ne", "<=": r"\le", ">=": r"\ge", "%": r"\bmod", "&": r"\wedge",
    "|": r"\vee", "^": r"\oplus", "<<": r"\ll", ">>": r"\gg",
    "~": r"\neg ", "//": r"\mathbin{/\!/}",
}  # fmt: skip

_FOLDS = {
    "sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min", "any": r"\bigvee",
    "all": r"\bigwedge",
}  # fmt: skip

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
}  # fmt: skip


def latex(expr: Expr) -> str:
    """The formula of an expression in LaTeX (without the dollar signs)."""
    done: dict[Expr, tuple[str, int]] = {}
    for e in order([expr]):
        done[e] = _leaf(e) if e.op is None else _node(e.op, [done[a] for a in e.args])
    return done[expr][0]


def _leaf(e: Expr) -> tuple[str, int]:
    if isinstance(e, Constant) and e.name is None:
        return _number(e), ATOM
    return _name(e.name or "?"), ATOM


def _number(e: Constant) -> str:
    if e.value.ndim:
        return rf"\text{{{leaf_text(e)}}}"
    if e.dtype == "bool":
        return rf"\text{{{e.value}}}"
    if not np.isfinite(e.value):
        return r"\text{nan}" if np.isnan(e.value) else r"\infty" if e.value > 0 else r"-\infty"
    mantissa, _, exponent = f"{e.value:.6g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _name(name: str) -> str:
    """`W_out` as W with a subscript, Greek letters by name, longer words upright."""
    head, _, tail = name.partition("_")
    match = re.fullmatch(r"([A-Za-z]+)(\d+)", head)
    if match and not tail:
        head, tail = match[1], match[2]
    head = rf"\{head}" if head in _GREEK else head if len(head) == 1 else _upright(head)
    if not tail:
        return head
    return f"{head}_{{{tail if len(tail) == 1 or tail.isdigit() else _upright(tail)}}}"


def _upright(word: str) -> str:
    escaped = re.sub(r"([_&%$#{}])", r"\\\1", word)
    return rf"\mathrm{{{escaped}}}"


def _node(op: Op, parts: list[tuple[str, int]]) -> tuple[str, int]:
    inner = [p for p, _ in parts]
    if op.name == "divide":
        return rf"\frac{{{inner[0]}}}{{{inner[1]}}}", ATOM
    if op.name == "power":
        return f"{_fenced(parts[0], ATOM)}^{{{inner[1]}}}", 60
    if op.name == "square":
        return f"{_fenced(parts[0], ATOM)}^{{2}}", 60
    if op.name in _FORMULAS:
        return re.sub(r"#(\d)", lambda m: inner[int(m[1]) - 1], _FORMULAS[op.name]), ATOM
    infix = getattr(op, "infix", None)
    if infix is not None:
        return _infix(infix, parts)
    special = _ARRAYS.get(op.name)
    if special is not None:
        return special(op, parts)
    return rf"\operatorname{{{_escape(op.name)}}}\left({', '.join(inner)}\right)", ATOM


def _escape(name: str) -> str:
    return name.replace("_", r"\_")


def _fenced(part: tuple[str, int], least: int) -> str:
    text, level = part
    return text if level >= least else rf"\left({text}\right)"


def _infix(infix: tuple[str, int], parts: list[tuple[str, int]]) -> tuple[str, int]:
    symbol, level = infix
    sign = r"\," if symbol == "*" else _SYMBOLS.get(symbol, symbol)
    if len(parts) == 1:
        return f"{sign}{_fenced(parts[0], level + 1)}", level
    text = _fenced(parts[0], level)
    for part in parts[1:]:
        shown = _fenced(part, level + 1)
        # Two numbers side by side would read as one.
        text += rf" \cdot {shown}" if symbol == "*" and shown[0].isdigit() else f" {sign} {shown}"
    return text, level


def _reduce(op: Op, parts: list[tuple[str, int]]) -> tuple[str, int]:
    axes = ",".join(map(str, op.axes))
    return f"{_FOLDS[op.monoid]}_{{{axes}}} {_fenced(parts[0], 50)}", 45


def _axes(op: Op, parts: list[tuple[str, int]]) -> tuple[str, int]:
    kept = [a for a in op.order if a is not None]
    if kept == sorted(kept):
        return parts[0]
    if op.order == (1, 0):
        return rf"{_fenced(parts[0], ATOM)}^{{\top}}", 90
    order_ = ",".join(map(str, kept))
    return rf"\operatorname{{transpose}}_{{{order_}}}\left({parts[0][0]}\right)", ATOM


#: What is read as a matrix product, and with which operand transposed.
_PRODUCTS = {
    ("ik", "kj", "ij"): ("", ""),
    ("ik", "jk", "ij"): ("", r"^{\top}"),
    ("ki", "kj", "ij"): (r"^{\top}", ""),
    ("ik", "k", "i"): ("", ""),
    ("k", "kj", "j"): (r"^{\top}", ""),
    ("k", "k", ""): (r"^{\top}", ""),
    ("i", "j", "ij"): ("", r"^{\top}"),
}


def _dot(op: Op, parts: list[tuple[str, int]]) -> tuple[str, int]:
    marks = _PRODUCTS.get((op.left, op.right, op.out))
    if marks is None:
        labels = f"{op.left},{op.right} \\to {op.out}"
        inner = ", ".join(p for p, _ in parts)
        return rf"\operatorname{{einsum}}_{{{labels}}}\left({inner}\right)", ATOM
    left, right = (
        _fenced(p, ATOM if mark else 51) + mark for p, mark in zip(parts, marks, strict=True)
    )
    return rf"{left}\,{right}", 50


def _itself(op: Op, parts: list[tuple[str, int]]) -> tuple[str, int]:
    return parts[0]


_ARRAYS = {
    "reduce": _reduce,
    "axes": _axes,
    "dot": _dot,
    "broadcast": _itself,
    "cast": _itself,
}

# --- Graphviz ------------------------------------------------------------------------------------


def dot(*outputs: Expr | Iterable[Expr]) -> str:
    """The graph of expressions in Graphviz's language; what is shared is drawn once."""
    roots = [e for o in outputs for e in ([o] if isinstance(o, Expr) else o)]
    nodes = order(roots)
    number = {e: i for i, e in enumerate(nodes)}
    lines = ["digraph symcomp {", "  rankdir=BT;", '  node [fontname="Helvetica", fontsize=11];']
    for e in nodes:
        lines.append(f"  n{number[e]} [{_style(e, e in roots)}];")
        lines += [f"  n{number[a]} -> n{number[e]}{_label(e, i)};" for i, a in enumerate(e.args)]
    return "\n".join([*lines, "}"]) + "\n"


def _style(e: Expr, is_output: bool) -> str:
    head = leaf_text(e) if e.op is None else e.op.text(*("·" for _ in e.args))
    if e.op is not None and getattr(e.op, "infix", None):
        head = e.op.infix[0]
    text = _quoted(f"{head}\n{type_text(e)}")
    shape = "box" if e.op is not None else "plaintext" if isinstance(e, Constant) else "ellipse"
    return f"label={text}, shape={shape}{', peripheries=2' if is_output else ''}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _label(e: Expr, position: int) -> str:
    """Which argument an edge is, where the order matters."""
    ordered = len(e.args) > 1 and not getattr(e.op, "commutative", False)
    return f' [label="{position}"]' if ordered else ""
