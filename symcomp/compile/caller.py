"""The path from Python to C, written for each function: no loops over containers, no dispatch.

`write` turns a recipe into the text of one method. Arguments that are ready (arrays of the right
dtype and rank, C-contiguous) go straight through; everything else takes `_accept`, which converts
or says what is wrong. Names that begin with an underscore are the method's own:

    _p0     the address of input 0            _n0_1, _v0, _s0_1, _w0   sizes: see compile.recipe
    _o0     output 0                          _status                  what the entry answers
    _on_gpu which places are the GPU's: see codegen.launches
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Sequence

import numpy as np

from symcomp.codegen.launches import MOST_PLACES
from symcomp.compile.recipe import Recipe
from symcomp.compile.results import LARGE


def parameter_names(labels: Sequence[str]) -> list[str]:
    """Python names for the inputs: their own where they can be."""
    names: list[str] = []
    for k, label in enumerate(labels):
        usable = label.isidentifier() and not keyword.iskeyword(label) and label[0] != "_"
        names.append(label if usable and label not in names else f"_{k}")
    return names


def write(
    recipe: Recipe, names: Sequence[str], form: str, exact: bool, results: str = "numpy"
) -> str:
    """The text of `__call__` for parameters of these names.

    `form` is the result as Python text over `_o0`, `_o1`, …; `exact` says that Python's numbers
    must keep their value, so that each takes the long way; `results` where the outputs lie.
    """
    used = " ".join(recipe.sizes())
    everything = f"({''.join(p + ', ' for p in names)})"
    lines = [_head(names)]
    if names:
        lines.append(
            f"    if _more or _unknown: {everything} = _place({everything}, _more, _unknown)"
        )
    else:
        lines.append("    if _more or _unknown: _place((), _more, _unknown)")
    for k, p in enumerate(names):
        lines += _input(recipe, k, p, used, exact)
    if recipe.launched is not None:
        lines += _on_gpu(recipe, names, results)
    lines += _shared_sizes(used)
    if recipe.checks:
        wrong = " or ".join(recipe.checks)
        lines.append(f"    if {wrong}: _wrong_sizes({everything})")
    for n, (dtype, sizes) in enumerate(recipe.outputs):
        made = f"_device_array({_tuple(sizes)}, _{dtype})"
        lines.append(f"    _o{n} = {made if results == 'device' else _output(n, dtype, sizes)}")
    lines.append(f"    _status = {_call(recipe)}")
    lines.append(f"    if _status: return _failed(_self, _status, {everything})")
    lines.append(f"    return {form}")
    return "\n".join(lines)


def _output(n: int, dtype: str, sizes: Sequence[str]) -> str:
    """Memory for an output; large ones are made by `_large` (see compile.results)."""
    small, large = f"_empty({_tuple(sizes)}, _{dtype})", f"_large{n}({_tuple(sizes)})"
    most = LARGE // np.dtype(dtype).itemsize
    known = math.prod(int(s) for s in sizes if s.isdigit())
    unknown = [s for s in sizes if not s.isdigit()]
    if not unknown:
        return small if known < most else large
    product = " * ".join(f"({s})" for s in unknown)
    return f"{small} if {product} < {max(most // max(known, 1), 1)} else {large}"


def _head(names: Sequence[str]) -> str:
    shown = "".join(f"{p}=_default{k}, " for k, p in enumerate(names))
    return f"def __call__(_self, /, {shown}*_more, **_unknown):"


def may_stay(recipe: Recipe) -> set[int]:
    """The inputs that may lie on the GPU: those whose place can be told, and those of which no more
    than the shape is used.
    """
    if recipe.launched is None:
        return set()
    unread = set(range(len(recipe.dtypes))) - set(recipe.arrays)
    return {k for k in recipe.arrays[:MOST_PLACES] if k >= 0} | unread


def _on_gpu(recipe: Recipe, names: Sequence[str], results: str) -> list[str]:
    """Which places lie on the GPU: large constants always, inputs as they are given."""
    count = len(recipe.arrays)
    always = [n for n, k in enumerate(recipe.arrays) if k < 0]
    if results == "device":
        always += range(count, count + len(recipe.outputs))
    lines = [f"    _on_gpu = {sum(1 << n for n in always if n < MOST_PLACES)}"]
    for n, k in enumerate(recipe.arrays):
        if 0 <= k and n < MOST_PLACES:
            lines.append(f"    if type({names[k]}) is _on_device: _on_gpu |= {1 << n}")
    return lines


def _tuple(items: Sequence[str]) -> str:
    return f"({''.join(i + ', ' for i in items)})"


def _call(recipe: Recipe) -> str:
    arguments = ["_cells"] if recipe.cells else []
    arguments += ["_python"] if recipe.python_calls else []
    places = [f"_p{k}" if k >= 0 else f"_table{~k}" for k in recipe.arrays]
    places += [f"_pointer(_o{n})" for n in range(len(recipe.outputs))]
    if recipe.packed:
        arguments += [f"_pack('void *[]', {_tuple(places)})"]
        arguments += [f"_pack('int64_t[]', {_tuple(recipe.dimensions)})"]
    else:
        arguments += [*places, *recipe.dimensions]
    arguments += ["_record"] if recipe.noted else []
    arguments += ["_on_gpu"] if recipe.launched is not None else []
    if not recipe.python_calls:
        return f"_entry({', '.join(arguments)})"
    shapes = [_tuple(sizes) for _, arrays in recipe.python_calls for _, sizes in arrays]
    return f"_calls.run({_tuple(shapes)}, {', '.join(arguments)})"


def _input(recipe: Recipe, k: int, p: str, used: str, exact: bool) -> list[str]:
    """Check one input, and take its address and sizes."""
    dtype, shape = recipe.dtypes[k], recipe.shapes[k]
    lengths = "".join(f"_n{k}_{a}, " for a in range(len(shape)))
    take = [f"{lengths}= {p}.shape"] if shape else []
    take += [f"_p{k} = _pointer({p})"] if k in recipe.arrays else []
    lines = [] if shape or exact else _number(k, p, dtype)
    other_rank = "" if shape else f" or {p}.shape"
    wrong = f"type({p}) is not _array"
    if k in may_stay(recipe):
        wrong = f"({wrong} and type({p}) is not _on_device)"
    refuse = f"{wrong} or {p}.dtype is not _{dtype}{other_rank}"
    lines.append(f"    if {refuse}: {p} = _accept({k}, {p})")
    if take:
        # Another rank, or elements that do not follow one another: an error, or a copy.
        both = "; ".join(take)
        lines.append(f"    try: {both}")
        lines.append(f"    except ValueError: {p} = _accept({k}, {p}); {both}")
    fixed = [f"_n{k}_{a} != {n}" for a, n in enumerate(shape) if n is not None]
    if fixed:
        lines.append(f"    if {' or '.join(fixed)}: _wrong_size({k}, {p})")
    if re.search(rf"\b_v{k}\b", used):
        lines.append(f"    _v{k} = int({p})")
    return lines


def _number(k: int, p: str, dtype: str) -> list[str]:
    """Python's own number for a scalar input: the short way, where it surely fits."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return [f"    if type({p}) is bool: {p} = _new({p}, _bool)"]
    if kind == "f":
        largest = float(np.finfo(dtype).max)
        fits = f"type({p}) is float and -{largest!r} <= {p} <= {largest!r}"
    else:
        limits = np.iinfo(dtype)
        fits = f"type({p}) is int and {limits.min} <= {p} <= {limits.max}"
    return [f"    if {fits}: {p} = _new({p}, _{dtype})"]


def _shared_sizes(used: str) -> list[str]:
    lengths = sorted(set(re.findall(r"\b_s(\d+)_(\d+)\b", used)))
    values = sorted(set(re.findall(r"\b_w(\d+)\b", used)))
    return [
        *(f"    _s{j}_{a} = _shared{j}.array.shape[{a}]" for j, a in lengths),
        *(f"    _w{j} = int(_shared{j}.current())" for j in values),
    ]
