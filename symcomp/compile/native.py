"""mode="c": from a definition to a method that calls native code, from the cache or built now.

On the device "cuda" that code is the launch plan, and the entry has its kernels beside it.

A hit in the cache skips rewriting, printing and the compiler. At the first miss of a process the
native runtime is built and loaded in a thread of its own, beside the symbolic work; so is a library
that the function is seen to need.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from symcomp.codegen import cache, cuda_build, device_array, gpu, program, runtime, ways
from symcomp.codegen.convolutions import library_geometry
from symcomp.compile import caller, report
from symcomp.compile.accept import Acceptance
from symcomp.compile.callout import Calls
from symcomp.compile.checks import bounds_error, noted_error, require_sizes
from symcomp.compile.definition import Definition
from symcomp.compile.key import structure
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.compile.recipe import Recipe, make_recipe, python_operations
from symcomp.compile.results import Results
from symcomp.errors import InternalError, SymcompError
from symcomp.graph import shared
from symcomp.graph.shared import Shared
from symcomp.graph.type import is_float, shape_text
from symcomp.graph.walk import order


def compiled(definition: Definition) -> tuple[Callable[..., Any], str]:
    """The method `__call__` of a compiled function, and its text."""
    recipe, entry = _built(definition)
    library = runtime.native().load(entry.library)
    accept = Acceptance(definition)
    names = caller.parameter_names(accept.labels)
    form = _form(definition)
    source = caller.write(recipe, names, form, accept.downcast is False, definition.results)
    space = _constants(recipe) | _arguments(definition, recipe, library)
    if definition.device == "cuda":
        space |= _on_gpu(definition, recipe, library, entry)
        accept.on_gpu, accept.seen = caller.may_stay(recipe), device_array.to_device
    space |= {f"_default{k}": value for k, value in enumerate(accept.defaults)}
    space |= {"_accept": accept, "_wrong_size": accept.wrong_size, "_place": accept.place}
    space |= _failures(definition, accept)
    exec(compile(source, f"<symcomp call of {definition.name}>", "exec"), space)
    call = space["__call__"]
    call.entry = entry
    if definition.profile:
        call.times = report.reader(library, entry.metadata["kernels"], len(recipe.dimensions))
    return call, source


def _form(definition: Definition) -> str:
    """The result as Python text over the outputs."""
    outputs = [f"_o{n}" for n in range(len(definition.outputs))]
    if definition.result == "none":
        return "None"
    if definition.result == "one":
        return outputs[0]
    if definition.result == "list":
        return f"[{', '.join(outputs)}]"
    return "{" + ", ".join(f"_key{n}: {o}" for n, o in enumerate(outputs)) + "}"


# --- the binary ----------------------------------------------------------------------------------


def _built(definition: Definition) -> tuple[Recipe, cache.Entry]:
    found = structure(definition)
    kind = ["profile" if definition.profile else "function", *_target(definition)]
    key = None if found is None else cache.key(*kind, found)
    start = time.perf_counter()
    entry = None if key is None else cache.lookup(key)
    if entry is not None:
        report.announce(definition, None, entry, time.perf_counter() - start)
        return Recipe(**entry.metadata["recipe"]), entry
    _start_builds(definition)
    d = definition
    job = Compilation(d.name, list(d.outputs), list(d.updates), d.rules, d.profile, d.device)
    compile_expression(job)
    recipe = make_recipe(definition, job)
    word = re.sub(r"\W+", "_", d.name, flags=re.ASCII)[:40] or "function"
    kernels = len(job.program.kernels)
    metadata = {"kind": "function", "recipe": recipe.as_data(), "kernels": kernels}
    key = key or cache.key("source", *kind, job.source, job.kernels)
    more = None
    if job.launched:
        more = gpu.kernel_part(job.kernels, gpu.gpu().device.architecture, job.launched)
    entry = cache.publish(key, word, job.source, metadata, more=more)
    report.announce(definition, job, entry, time.perf_counter() - start)
    return recipe, entry


def _target(definition: Definition) -> list[str]:
    """What a binary for a GPU depends on beside the computation."""
    if definition.device != "cuda":
        return []
    architecture = gpu.gpu().device.architecture
    return [architecture, cuda_build.identity(architecture)]


def _start_builds(definition: Definition) -> None:
    """Have the runtime and the libraries ready when the function is: all need the C compiler, and
    there is time.
    """
    _start("runtime", runtime.native)
    if definition.device == "cuda":
        return
    for name in _libraries(definition):
        _start(name, functools.partial(runtime.build_convolution, name))


def _libraries(definition: Definition) -> dict[str, None]:
    """The libraries that a function will call, as far as its expressions show."""
    found: dict[str, None] = {}
    for e in order(definition.values()):
        which = ways.DIRECTIONS.get(getattr(e.op, "kernel", None))
        if which is not None and is_float(e.dtype):
            chosen = ways.ways(which, library_geometry(e.op.geometry(*e.args)), e.dtype)
            found |= {ways.library(way, e.dtype): None for way in chosen}
    return found


def _start(name: str, build: Callable[[], Any]) -> None:
    """Build something in a thread of its own, once."""
    if name not in _started:
        _started[name] = threading.Thread(
            target=_attempt, args=(build,), name=f"symcomp {name}", daemon=True
        )
        _started[name].start()


_started: dict[str, threading.Thread] = {}
#: How much libraries give way to the function that needs them.
LATER = 5


def _attempt(build: Callable[[], Any]) -> None:
    # A function is compiled after these were begun: its compiler goes first, so that all end
    # together. (On Linux this is said of a thread and what it starts; elsewhere of the process.)
    if sys.platform == "linux":
        os.nice(LATER)
    # An error happens again, where somebody waits for what is built.
    with contextlib.suppress(SymcompError, OSError):
        build()


# --- what the method refers to -------------------------------------------------------------------


def _constants(recipe: Recipe) -> dict[str, Any]:
    dtypes = {*recipe.dtypes, *(dtype for dtype, _ in recipe.outputs)}
    large = {f"_large{n}": Results(np.dtype(dtype)) for n, (dtype, _) in enumerate(recipe.outputs)}
    return (
        {f"_{d}": np.dtype(d) for d in dtypes}
        | large
        | {
            "_array": np.ndarray,
            "_empty": np.empty,
            "_new": np.array,
            "_pointer": runtime.ffi().from_buffer,
            "_pack": runtime.ffi().new,
        }
    )


def _arguments(definition: Definition, recipe: Recipe, library: Any) -> dict[str, Any]:
    """The entry, and those of its arguments that are the same at every call."""
    runtime.native().require(recipe.libraries)
    entry = runtime.function(library, program.ENTRY, "int64_t", recipe.types)
    space: dict[str, Any] = {"_entry": entry}
    values, constants = definition.shared(), definition.constants()
    for s in values:
        s.give_cell(runtime.Cell)
    if recipe.cells:
        cells = [values[k].cell for k in recipe.cells]
        space["_cells"], space["_holding"] = runtime.arguments(cells, recipe.exclusive)
    space |= {f"_shared{k}": s for k, s in enumerate(values)}
    space |= {f"_table{k}": runtime.pointer(constants[k].value) for k in recipe.tables}
    space |= {f"_key{n}": name for n, name in enumerate(definition.names)}
    if recipe.python_calls:
        layout = [(op, [dtype for dtype, _ in arrays]) for op, arrays in recipe.python_calls]
        calls = Calls(python_operations(definition), layout, entry)
        space |= {"_calls": calls, "_python": calls.callback}
    return space


def _on_gpu(
    definition: Definition, recipe: Recipe, library: Any, entry: cache.Entry
) -> dict[str, Any]:
    """What the method of a function on a GPU refers to beside the others'."""
    own = gpu.gpu()
    path = entry.file(gpu.suffix(own.device.architecture))
    own.attach(library, path, recipe.launched)
    own.require(recipe.libraries)
    constants = definition.constants()
    tables = {k: device_array.to_device(constants[k].value) for k in recipe.tables}
    return {
        **({"_record": own.record(recipe.noted, _explanation(definition))} if recipe.noted else {}),
        **{f"_table{k}": table.pointer for k, table in tables.items()},
        "_kept": tables,
        "_pointer": _place,
        "_on_device": device_array.DeviceArray,
        "_device_array": device_array.empty,
    }


def _explanation(definition: Definition) -> Callable[[gpu.Note], Exception]:
    """What makes the error of a position that kernels have found; it may outlive the function."""
    name, kept = definition.name, weakref.ref(definition)
    return lambda note: noted_error(name, kept(), note)


def _place(array: Any) -> Any:
    """Where an array begins, on the host or on the GPU."""
    if type(array) is device_array.DeviceArray:
        return array.pointer
    return runtime.ffi().from_buffer(array)


def _failures(definition: Definition, accept: Acceptance) -> dict[str, Callable]:
    """What is done when something is wrong with sizes or indices."""

    def values(arguments: tuple) -> dict:
        ready = [np.asarray(accept(k, value)) for k, value in enumerate(arguments)]
        return dict(zip(definition.variables, ready, strict=True))

    def wrong_sizes(arguments: tuple):
        require_sizes(definition, values(arguments))
        raise InternalError(f"{definition.name}: sizes do not fit, and it is not seen which")

    def failed(function: Callable, status: int, arguments: tuple):
        if status == program.RESIZED:
            return function(*arguments)
        if status == program.MOVED:
            for s in definition.shared():
                s.current()
            return function(*arguments)
        if status == program.GPU_LACKING:
            gpu.gpu().add_lacking_kernels()
            return function(*arguments)
        if status == program.GPU_FAILED:
            raise gpu.gpu().failure(_held(definition, arguments))
        if status == program.UNALIGNED:
            return function(*values(arguments).values())
        if status == program.NO_MEMORY:
            raise MemoryError(f"{definition.name}: there is no memory for the temporaries")
        if status >= program.FIRST_CHECK:
            raise bounds_error(definition, values(arguments))
        raise InternalError(f"{definition.name}: the compiled function answered {status}")

    return {"_wrong_sizes": wrong_sizes, "_failed": failed}


#: The most arrays that an error about memory names.
NAMED = 8


def _held(definition: Definition, arguments: tuple) -> str:
    """The arrays of a call on a GPU, the largest first: what fills its memory."""
    arrays = [(s.name or "a shared value", s.array) for s in definition.shared()]
    arrays += [
        (i.label or f"input {k}", a)
        for k, (i, a) in enumerate(zip(definition.inputs, arguments, strict=False))
    ]
    sized = [(getattr(a, "nbytes", 0), name, a) for name, a in arrays]
    largest = sorted(sized, key=lambda entry: -entry[0])[:NAMED]
    lines = [f"  {n / 1e6:10.1f} MB  {name} {shape_text(np.shape(a))}" for n, name, a in largest]
    scratch = gpu.gpu().statistics()["scratch"]
    lines.append(f"  {scratch / 1e6:10.1f} MB  temporaries, inputs and results of all functions")
    return "\n".join([f"{definition.name} uses", *lines])


def _bring(value: Shared) -> None:
    """Have a shared value on the GPU at once."""
    value.give_cell(runtime.Cell)
    with value.cell.exclusive():
        gpu.gpu().bring(value.cell)


shared.bring["cuda"] = _bring
