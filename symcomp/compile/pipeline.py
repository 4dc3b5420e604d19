"""THE list of passes, top to bottom: from an expression to a program.

bind          leaves become buffers, sizes are solved
canonicalize  one form for sums and products
stabilize     formulas that overflow or cancel are replaced (and the rules that a person adds)
specialize    the cheapest form of each operation
expand        operations that are declared by a body become that body; then the rules look again
guard         on a GPU: positions outside their axis are brought into it, where they are used
plan          what is stored, what is fused, in which order
lower         groups become loops
print         loops become C
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from symcomp import rewrite
from symcomp.codegen import grid_checks, launches, loops, plan, positions, program
from symcomp.codegen.equations import Formulas, has_kernel, stored_base
from symcomp.codegen.grid import GridLowering
from symcomp.codegen.grid_attention import streams
from symcomp.codegen.loops import Buffer, buffer
from symcomp.codegen.lower import Lowering
from symcomp.compile.bind import Bound, bind
from symcomp.errors import inherit, mark
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.shared import Shared
from symcomp.graph.walk import leaves, order, rebuild, remake


@dataclass
class Compilation:
    """A function on its way to C, and what each pass made of it."""

    name: str
    outputs: list[Expr]
    updates: list[tuple[Shared, Expr]]
    rules: object = None
    profile: bool = False
    device: str = "cpu"
    trace: list = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    bound: Bound | None = None
    positions: list[positions.Position] = field(default_factory=list)
    plan: plan.Plan | None = None
    program: program.Program | None = None
    #: Where each stored expression that is in memory lies.
    buffers: dict[Expr, Buffer] = field(default_factory=dict)
    failures: list = field(default_factory=list)
    source: str = ""
    #: On a GPU: the launch plan is `source`, and this is the kernels' text, with their names.
    kernels: str = ""
    launched: list[str] = field(default_factory=list)

    @property
    def on_gpu(self) -> bool:
        return self.device == "cuda"

    @contextmanager
    def step(self, name: str):
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def values(self) -> list[Expr]:
        """Everything that passes transform: outputs, new values, and the positions that are
        checked.
        """
        return [
            *self.bound.outputs,
            *(v for _, v in self.bound.updates),
            *(p.at for p in self.positions),
        ]

    def replace(self, values: Sequence[Expr]) -> None:
        outputs, updates = len(self.bound.outputs), len(self.bound.updates)
        self.bound.outputs = list(values[:outputs])
        targets = [t for t, _ in self.bound.updates]
        new = values[outputs : outputs + updates]
        self.bound.updates = list(zip(targets, new, strict=True))
        checked = values[outputs + updates :]
        self.positions = [p._replace(at=v) for p, v in zip(self.positions, checked, strict=True)]


def expand(values: Sequence[Expr], keeps: Callable[[Expr], bool] = has_kernel) -> list[Expr]:
    """Put the bodies of operations in their place, until only planned operations are left; `keeps`
    says which stay, since they have a shape of loops of their own.
    """
    values = list(values)
    while any(_has_body(e, keeps) for e in order(values)):
        values = rebuild(values, lambda e, args: _expanded(e, args, keeps))
    return values


#: Sums and products of more parts are computed in groups of so many.
WIDEST = 32


def split_wide(values: Sequence[Expr]) -> list[Expr]:
    """Sums and products of very many parts as sums of sums: formulas stay short."""

    def change(e: Expr, args):
        e = remake(e, args)
        while len(e.args) > WIDEST and getattr(e.op, "variadic", False):
            parts = [e.args[i : i + WIDEST] for i in range(0, len(e.args), WIDEST)]
            e = e.op(*(p[0] if len(p) == 1 else e.op(*p) for p in parts))
        return e

    return rebuild(values, change)


def _has_body(e: Expr, keeps: Callable[[Expr], bool]) -> bool:
    if e.op is None or e.op.body is None or keeps(e):
        return False
    return getattr(e.op, "c", None) is None


def _expanded(e: Expr, args, keeps: Callable[[Expr], bool]) -> Expr:
    e = remake(e, args)
    return e.op.body(*e.args) if _has_body(e, keeps) else e


#: Bodies are written stably by hand, so stabilize looks only at what a person wrote.
BEFORE_EXPANSION = ("canonicalize", "stabilize", "specialize")
AFTER_EXPANSION = ("simplify_bodies", "specialize")


def compile_expression(job: Compilation) -> Compilation:
    """Run all passes. What they build comes from where the function is asked for, unless a rule
    says what it replaces: nothing need be looked up for each expression.
    """
    with inherit(mark()):
        _run_passes(job)
    return job


def _run_passes(job: Compilation) -> None:
    with job.step("bind"):
        job.bound = bind(job.outputs, job.updates)
        job.positions = positions.positions(job.values())
    _rewrite(job, BEFORE_EXPANSION)
    with job.step("expand"):
        job.replace(expand(job.values(), _keeps(job)))
    _rewrite(job, AFTER_EXPANSION)
    with job.step("expand"):
        job.replace(split_wide(expand(job.values(), _keeps(job))))
    if job.on_gpu:
        with job.step("guard"):
            job.replace(positions.brought_into_range(job.values()))
    with job.step("plan"):
        job.plan = plan.make_plan(job.bound.outputs, job.bound.updates, job.positions)
    with job.step("lower"):
        job.program = _lower(job)
        job.program.profile = job.profile
    with job.step("print"):
        if job.on_gpu:
            job.source, job.kernels, job.launched = launches.sources(job.program)
        else:
            job.source = program.source(job.program)


def _keeps(job: Compilation) -> Callable[[Expr], bool]:
    """Which operations have loops of their own on the device."""
    return _keeps_on_gpu if job.on_gpu else has_kernel


def _keeps_on_gpu(e: Expr) -> bool:
    return has_kernel(e) and (e.op.kernel in plan.KERNELS or streams(e))


def _rewrite(job: Compilation, passes: Sequence[str]) -> None:
    for name in passes:
        with job.step(name):
            more = {"rules": job.rules} if name == "stabilize" and job.rules is not None else {}
            job.replace(getattr(rewrite, name)(job.values(), job.trace, **more))


# --- from the plan to a program -------------------------------------------------------------------


def _lower(job: Compilation) -> program.Program:
    layout = _Layout(job)
    kind = GridLowering if job.on_gpu else Lowering
    formulas = Formulas(job.plan.roots)
    lowering = kind(layout.buffers, layout.visible, formulas)
    status = buffer("int64", (), "status")
    if job.on_gpu:
        lowering.noted = grid_checks.noted(len(job.positions))
    checks, failures, extents, host, needs = [], [], [], {}, {}
    for at, n, user in job.positions:
        number = program.FIRST_CHECK + len(failures)
        failures.append((str(user), str(user.origin) if user.origin else ""))
        extents.append((size.product(at.shape), n))
        checks.append(lowering.check(at, n, number, status))
        needed = positions.read_by_check(at, formulas) & job.plan.roots.keys()
        needs[checks[-1]] = {layout.buffers[e] for e in needed}
        if job.on_gpu:
            on_host = Lowering(layout.buffers, layout.visible, formulas)
            host[checks[-1]] = layout.on_host(
                on_host.check(at, n, number, status), f"host_{checks[-1].name}"
            )
    kernels = [k for g in job.plan.groups for k in lowering.kernels(g)]
    job.buffers = lowering.buffers
    for k in [*checks, *kernels]:
        loops.verify(k)
    temporaries = [*layout.temporaries, *lowering.temporaries]
    # Shared values are checked as they are before the call, so before they are updated.
    early = [k for k in checks if not needs[k]]
    late = {k: needs[k] for k in checks if needs[k]}
    made = layout.program(_interleaved(late, kernels), early, temporaries, status, failures)
    made.late_checks = frozenset(k.name for k in late)
    if job.on_gpu:
        made.host_checks = [host[k] for k in early]
        made.checked = extents
        made.noted = lowering.noted
        made.derived, made.repeats = lowering.derived, lowering.repeats
    return made


def _interleaved(late, kernels):
    """Checks of computed positions run as soon as what they read is computed."""
    result = list(kernels)
    for check, needs in late.items():
        place = max(i for i, k in enumerate(result) if loops.written_buffers(k) & needs) + 1
        result.insert(place, check)
    return result


class _Layout:
    """Where everything lives: buffers for inputs, outputs, shared values and temporaries."""

    def __init__(self, job: Compilation):
        self.job = job
        made = job.plan
        self.buffers: dict[Expr, Buffer] = {}
        self.outputs: list[Buffer | None] = [None] * len(job.bound.outputs)
        self.copies: list[tuple[Buffer, Buffer]] = []
        self.temporaries: list[Buffer] = []
        self.visible = _visible(made, job.positions)
        through_copy = dict(made.copies)
        for e, target in made.destinations.items():
            if isinstance(target, int):
                made_buffer = buffer(e.dtype, e.shape, f"out{target}")
                self.outputs[target] = self.buffers[e] = made_buffer
            elif e in through_copy:
                self.buffers[e] = self._temporary(e)
                self.copies.append((target, self.buffers[e]))
            else:
                self.buffers[e] = target
        for e in made.roots:
            if e in self.visible and e not in self.buffers:
                home = e
                while home in made.overwritten:
                    home = made.overwritten[home]
                if home not in self.buffers:
                    self.buffers[home] = self._temporary(home)
                self.buffers[e] = self.buffers[home]

    def on_host(self, check: loops.Kernel, name: str) -> loops.Kernel | None:
        """A check that the host can do: it reads inputs, and no more."""
        leaves = self.job.bound.leaves.items()
        inputs = {b for leaf, b in leaves if not isinstance(leaf, (Shared, Constant))}
        cells = {b for leaf, b in leaves if isinstance(leaf, Shared)}
        reads = [e for s in loops.walk(check.body) for v in loops.values(s) for e in order([v])]
        leaves = [e for e in reads if e.op is None]
        known = all(e in inputs or (not e.ndim and e not in cells) for e in leaves)
        return replace(check, name=name) if known else None

    def _temporary(self, e: Expr) -> Buffer:
        made = buffer(e.dtype, e.shape, f"{e.op.name}_{len(self.temporaries)}")
        self.temporaries.append(made)
        return made

    def program(self, kernels, checks, temporaries, status, failures) -> program.Program:
        bound = self.job.bound
        used = _used_leaves([*checks, *kernels], [t for t, _ in self.copies])
        inputs, cells = [], []
        for leaf, b in bound.leaves.items():
            if b in used:
                (cells if isinstance(leaf, Shared) else inputs).append(b)
        written = {b for k in kernels for b in loops.written_buffers(k)} | {
            t for t, _ in self.copies
        }
        constants = [e for e in used if isinstance(e, Constant)]
        calls = [e for e in self.job.plan.roots if e.op.perform is not None]
        arguments = [
            [self.buffers[e], *(self.buffers.get(b, b) for b in map(stored_base, e.args))]
            for e in calls
        ]
        face = program.Interface(cells, inputs, self.outputs, list(bound.dimensions))
        in_cells = [
            (bound.leaves[a], d)
            for d, a in bound.dimensions.items()
            if bound.leaves.get(a) in cells
        ]
        made = program.Program(
            self.job.name, kernels, checks, face, temporaries, constants, self.copies, status,
            calls, arguments, _includes(self.job.plan.roots), [b in written for b in cells],
            in_cells,
        )  # fmt: skip
        self.job.failures = failures
        return made


def _includes(roots) -> list[str]:
    """C source that operations declared by C symbols bring along."""
    found: dict[str, None] = {}
    for e in order(roots):
        source = getattr(e.op, "source", None)
        if source:
            found[source] = None
    return list(found)


def _visible(made: plan.Plan, checked: Sequence[positions.Position]) -> set[Expr]:
    """Stored expressions that must be in memory: results, and what other kernels read."""
    visible = set(made.destinations)
    for e, root in made.roots.items():
        if root.kind in ("writes", "python") or (root.kind == "row" and not root.group.outer):
            visible.add(e)
        for r in root.reads:
            if r in made.roots and made.roots[r].group is not root.group:
                visible.add(r)
    for at, _, _ in checked:
        visible.update(e for e in order([at]) if e in made.roots)
    return visible


def _used_leaves(kernels, extra) -> dict[Expr, None]:
    statements = [s for k in kernels for s in loops.walk(k.body)]
    used = dict.fromkeys([*extra, *leaves(v for s in statements for v in loops.values(s))])
    for s in statements:
        if isinstance(s, loops.Store):
            used[s.buffer] = None
        if isinstance(s, loops.Call):
            used.update((a.buffer if isinstance(a, loops.View) else a, None) for a in s.arguments)
    return {e: None for e in used if isinstance(e, Buffer) or (isinstance(e, Constant) and e.ndim)}
