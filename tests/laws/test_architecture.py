"""The house stands: who may import whom, how long files are, where C may be written, what importing
costs.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import symcomp

PACKAGE = Path(symcomp.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(f.relative_to(PACKAGE)) for f in FILES]

#: What each part of the package may import of the others; a part may always import itself.
#: `errors`, `options` and `version` stand below all parts, and what stands in the package's own
#: folder above them.
MAY_IMPORT = {
    "graph": (),
    "tensor": ("graph",),
    "batch": ("graph", "tensor"),
    "autodiff": ("graph", "tensor", "batch"),
    "rewrite": ("graph", "tensor"),
    "codegen": ("graph", "tensor"),
    "compile": ("graph", "tensor", "autodiff", "rewrite", "codegen"),
}
BELOW = ("errors", "options", "version")

LONGEST_FILE = 600

#: Packages that may be imported inside functions: optional or slow, and never needed to say what a
#: program means.
LATE = {
    "cffi", "_cffi_backend", "sympy", "mpmath", "scipy_openblas32", "pycuda", "matplotlib", "scipy",
    "safetensors",
}  # fmt: skip

#: Where C is printed.
PRINTERS = (
    "codegen/c.py", "codegen/cuda.py", "codegen/cuda_rows.py", "codegen/geometry.py",
    "codegen/launches.py", "codegen/parts.py", "codegen/program.py", "codegen/twins.py",
)  # fmt: skip

#: Modules that `import symcomp` must not load: they take longer than symcomp itself, or are not
#: always there.
HEAVY = (
    "sympy", "mpmath", "cffi", "_cffi_backend", "pycparser", "scipy", "scipy_openblas32",
    "matplotlib", "pycuda", "subprocess", "multiprocessing", "ctypes.util", "numpy.testing",
    "unittest",
)  # fmt: skip


def part(file: Path) -> str:
    """The part of the package that a file belongs to."""
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(node: ast.AST) -> list[str]:
    """The full names of the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written in full"
        return [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    return []


def own_parts(node: ast.AST) -> set[str]:
    """The parts of symcomp that an import statement reaches."""
    found = set()
    for name in imported(node):
        words = name.split(".")
        if words[0] == "symcomp" and len(words) > 1:
            known = (PACKAGE / words[1]).is_dir() or (PACKAGE / f"{words[1]}.py").is_file()
            found |= {words[1]} if known else set()
    return found


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_imports_go_one_way(file):
    home = part(file)
    if home not in MAY_IMPORT:
        return
    allowed = {home, *MAY_IMPORT[home], *BELOW}
    for node in ast.walk(tree(file)):
        wrong = own_parts(node) - allowed
        assert not wrong, f"line {node.lineno}: {home} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("name", BELOW)
def test_what_stands_below_all_imports_nothing_above(name):
    for node in ast.walk(tree(PACKAGE / f"{name}.py")):
        assert own_parts(node) <= set(BELOW)


def test_autodiff_and_rewriting_and_code_do_not_know_each_other():
    for part_ in ("rewrite", "codegen"):
        assert not {"autodiff", "rewrite", "codegen", "compile"} & set(MAY_IMPORT[part_])


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_files_are_short(file):
    count = len(file.read_text(encoding="utf-8").splitlines())
    assert count <= LONGEST_FILE, f"{count} lines"


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_no_own_import_hides_in_a_function(file):
    for function in ast.walk(tree(file)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            for name in imported(node):
                first = name.split(".")[0]
                assert first != "symcomp", f"line {node.lineno} imports {name} late"
                known = first in LATE or first in sys.stdlib_module_names
                assert known, f"line {node.lineno} imports {name} late"


#: Statements of C: a declaration or assignment that ends in a semicolon, a loop, a directive, a
#: block.
C_STATEMENT = re.compile(
    r"""
    ^\s*\#\s*(include|define|pragma|if|endif)\b
    | \bfor\s*\(\s*(int|size_t|int64_t)\b
    | \b(static|extern|inline|const|void|int|double|float|size_t|u?int(8|16|32|64)_t)\b
        [^;"']*[;{]\s*$
    | ^\s*(return|if\s*\(|while\s*\().*[;{]\s*$
    """,
    re.VERBOSE | re.MULTILINE,
)


def strings(module: ast.Module):
    """All strings of a module but its documentation."""
    documentation = set()
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            documentation.add(node.body[0].value)
    for node in ast.walk(module):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in documentation:
            yield node


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_c_is_written_by_the_printers_alone(file):
    if file.relative_to(PACKAGE).as_posix() in PRINTERS:
        return
    for node in strings(tree(file)):
        assert not C_STATEMENT.search(node.value), f"line {node.lineno}: {node.value[:80]!r}"


def test_the_search_for_c_finds_c():
    for c in (
        "int x = 3;",
        "for (int i = 0; i < n; ++i) {",
        '#include "a.h"',
        "return x + 1;",
        "if (x) {",
    ):
        assert C_STATEMENT.search(c), c
    for other in (
        "sc_maximum_{t}({x}, {y})",
        "({x} > 0 ? {x} : 0)",
        "return the value",
        "for each axis; then",
    ):
        assert not C_STATEMENT.search(other), other


def test_importing_symcomp_loads_nothing_heavy():
    program = f"import sys, symcomp; print([m for m in {HEAVY!r} if m in sys.modules])"
    baseline = f"import sys, numpy; print([m for m in {HEAVY!r} if m in sys.modules])"
    loaded, before = (_printed_by(text) for text in (program, baseline))
    assert set(loaded) <= set(before), f"loaded: {sorted(set(loaded) - set(before))}"


def _printed_by(program: str) -> list[str]:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_every_module_says_what_it_is(file):
    assert ast.get_docstring(tree(file)), "a module begins with what it is"
