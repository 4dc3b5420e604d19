"""The contestants on a GPU, each with the words in which the cases are written.

A case is one formula over a library's words: those of NumPy, unless a library has them otherwise.
``compiled(formula, arrays)`` is a call as the library's own users would make it: on arrays that lie
on the GPU already, with a result that stays there.  Calls may return before their work is done;
``span`` is the time of many calls, from the first one's start to the last one's end, by the GPU's
own events where the library has them.

Nobody rounds float32 to TF32.
"""

import ctypes
from collections.abc import Callable, Sequence
from itertools import cycle
from time import perf_counter
from typing import Any

import numpy as np

Formula = Callable[..., Any]


class Library:
    """NumPy, and what the others have in common with it."""

    timed_by = "wall clock"

    def __init__(self, module: Any) -> None:
        self.m = module

    # --- words ------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        return getattr(self.m, name)

    def total(self, x: Any, axis: int | None = None) -> Any:
        return x.sum() if axis is None else x.sum(axis)

    def largest(self, x: Any, axis: int) -> Any:
        return self.m.max(x, axis=axis)

    def average(self, x: Any, axis: int) -> Any:
        return x.mean(axis)

    def variance(self, x: Any, axis: int) -> Any:
        return self.m.var(x, axis=axis)

    def normalised(self, x: Any) -> Any:
        """Rows of mean 0 and variance 1."""
        centred = x - x.mean(axis=1, keepdims=True)
        return centred / self.m.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)

    def softmax(self, x: Any) -> Any:
        powers = self.m.exp(x - self.m.max(x, axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def transposed(self, x: Any) -> Any:
        return self.m.ascontiguousarray(x.T)

    def picked(self, x: Any, at: Any) -> Any:
        return x[at]

    def added(self, x: Any, at: Any, v: Any) -> Any:
        """x with v added to its rows `at`, to some of them several times."""
        y = x.copy()
        self.m.add.at(y, at, v)
        return y

    def conv(self, x: Any, w: Any) -> Any:
        """A correlation without padding: images (n, c, i, j), filters (o, c, k, l)."""
        k, l = w.shape[2:]
        i, j = x.shape[2] - k + 1, x.shape[3] - l + 1
        taps = [(a, b) for a in range(k) for b in range(l)]
        parts = (
            np.einsum("ncij,oc->noij", x[:, :, a : a + i, b : b + j], w[:, :, a, b], optimize=True)
            for a, b in taps
        )
        return sum(parts)

    def conv_images(self, w: Any, v: Any, x: Any) -> Any:
        """The gradient of the sum of conv(x, w) * v by x, which gives its shape only."""
        result = np.zeros(x.shape, w.dtype)
        i, j = v.shape[2:]
        for a in range(w.shape[2]):
            for b in range(w.shape[3]):
                part = np.einsum("noij,oc->ncij", v, w[:, :, a, b], optimize=True)
                result[:, :, a : a + i, b : b + j] += part
        return result

    def conv_filters(self, x: Any, v: Any, w: Any) -> Any:
        """The gradient of the same sum by w."""
        i, j = v.shape[2:]
        result = np.zeros(w.shape, x.dtype)
        for a in range(w.shape[2]):
            for b in range(w.shape[3]):
                part = x[:, :, a : a + i, b : b + j]
                result[:, :, a, b] = np.einsum("noij,ncij->oc", v, part, optimize=True)
        return result

    # --- arrays and calls -------------------------------------------------------------------------

    def device(self) -> str:
        """The device and the library, for the head of the report; an error without a GPU."""
        return f"NumPy {np.__version__}"

    def put(self, array: np.ndarray) -> Any:
        return array

    def compiled(self, formula: Formula, arrays: Sequence[Any]) -> Callable[[], Any]:
        return lambda: formula(self, *arrays)

    def draws(self, kind: str, count: int) -> Callable[[], Any]:
        """Random float32 numbers, ``uniform`` or ``normal``, anew at each call."""
        raise NotImplementedError

    def round_trip(self, formula: Formula, arrays: Sequence[np.ndarray]) -> Callable[[], Any]:
        """From NumPy's arrays to NumPy's arrays, by way of the GPU."""
        return lambda: self.host(formula(self, *map(self.put, arrays)))

    def host(self, value: Any) -> np.ndarray:
        return np.asarray(value)

    def rows(self, value: Any, rows: slice) -> np.ndarray:
        """Some rows of a result, on the host."""
        return self.host(value[rows])

    def wait(self, value: Any = None) -> None:
        """Until everything, or at least this value, is there."""

    def span(self, run: Callable[[], Any], count: int) -> float:
        """The seconds of so many calls."""
        start = perf_counter()
        for _ in range(count - 1):
            run()
        self.wait(run())
        return perf_counter() - start


class Events:
    """Two events of CUDA's driver on symcomp's stream, whose context is current nowhere else."""

    def __init__(self, driver: Any, stream: int) -> None:
        self.cuda = ctypes.CDLL("libcuda.so.1")
        self.driver, self.stream = driver, ctypes.c_void_p(stream)
        self.first, self.last = ctypes.c_void_p(), ctypes.c_void_p()
        for event in (self.first, self.last):
            self._do("cuEventCreate", ctypes.byref(event), 0)

    def _do(self, name: str, *arguments: Any) -> None:
        with self.driver.current():
            status = getattr(self.cuda, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} failed: CUDA error {status}")

    def span(self, run: Callable[[], Any], count: int) -> float:
        self._do("cuEventRecord", self.first, self.stream)
        for _ in range(count):
            run()
        self._do("cuEventRecord", self.last, self.stream)
        self._do("cuEventSynchronize", self.last)
        elapsed = ctypes.c_float()
        self._do("cuEventElapsedTime", ctypes.byref(elapsed), self.first, self.last)
        return elapsed.value / 1e3


#: Calls in turn with so many different arrays are never replayed: fewer are remembered.
FORGOTTEN = 24


class Symcomp(Library):
    """symcomp; `own`: without cuBLAS and cuDNN; `replays`: steps that are alike are replayed."""

    def __init__(self, own: bool = False, replays: bool = True) -> None:
        import symcomp
        import symcomp.tensor
        from symcomp.codegen import gpu, gpu_libraries, runtime

        if own:
            gpu_libraries.LIBRARIES = ()
        super().__init__(symcomp.tensor)
        self.replays = replays
        self.sc, self.gpu = symcomp, gpu.gpu()
        self.emulated = self.gpu.device.architecture == "host"
        self.events = None
        if not self.emulated:
            self.timed_by = "events"
            driver = self.gpu.driver
            stream = runtime.ffi().cast("uintptr_t", driver.stream)
            self.events = Events(driver, int(stream))

    def softmax(self, x: Any) -> Any:
        return self.m.nn.softmax(x)

    def transposed(self, x: Any) -> Any:
        return x.T

    def added(self, x: Any, at: Any, v: Any) -> Any:
        return self.m.inc_subtensor(x[at], v)

    def conv(self, x: Any, w: Any) -> Any:
        return self.m.nn.conv2d(x, w)

    def conv_images(self, w: Any, v: Any, x: Any) -> Any:
        return self.sc.grad((self.conv(x, w) * v).sum(), x)

    def conv_filters(self, x: Any, v: Any, w: Any) -> Any:
        return self.sc.grad((self.conv(x, w) * v).sum(), w)

    def device(self) -> str:
        return f"{self.gpu.device.name}, symcomp {self.sc.__version__}"

    def put(self, array: np.ndarray) -> Any:
        return self.sc.to_device(array)

    def function(self, formula: Formula, arrays: Sequence[Any], results: str) -> Callable[..., Any]:
        variables = [
            self.m.tensor(str(a.dtype), (None,) * a.ndim, f"x{n}") for n, a in enumerate(arrays)
        ]
        made = formula(self, *variables)
        ignore = {"on_unused_input": "ignore"}
        return self.sc.function(variables, made, device="cuda", results=results, **ignore)

    def compiled(self, formula: Formula, arrays: Sequence[Any]) -> Callable[[], Any]:
        f = self.function(formula, arrays, "device")
        if self.replays:
            return lambda: f(*arrays)
        return self.alternating(f, arrays)

    def alternating(self, f: Callable[..., Any], arrays: Sequence[Any]) -> Callable[[], Any]:
        """Calls with copies of the first array in turn, so that nothing is replayed."""
        first, *rest = arrays
        copies = cycle([self.put(self.host(first)) for _ in range(FORGOTTEN)])
        return lambda: f(next(copies), *rest)

    def draws(self, kind: str, count: int) -> Callable[[], Any]:
        draw = getattr(self.sc.random.RandomStream(seed=1), kind)((count,), dtype="float32")
        return self.sc.function([], draw, device="cuda", results="device")

    def round_trip(self, formula: Formula, arrays: Sequence[np.ndarray]) -> Callable[[], Any]:
        f = self.function(formula, arrays, "numpy")
        return lambda: f(*arrays)

    def rows(self, value: Any, rows: slice) -> np.ndarray:
        return self.host(value)[rows]

    def wait(self, value: Any = None) -> None:
        self.gpu.wait()

    def span(self, run: Callable[[], Any], count: int) -> float:
        return self.events.span(run, count) if self.events else super().span(run, count)


class Torch(Library):
    """PyTorch, eager or compiled."""

    timed_by = "events"

    def __init__(self, compiled: bool = False) -> None:
        import torch

        super().__init__(torch)
        self.is_compiled = compiled
        #: What is compiled finds these without ``__getattr__``.
        self.where, self.tanh, self.exp = torch.where, torch.tanh, torch.exp
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        torch.zeros(1, device="cuda")

    def largest(self, x: Any, axis: int) -> Any:
        return self.m.amax(x, axis)

    def variance(self, x: Any, axis: int) -> Any:
        return self.m.var(x, axis, correction=0)

    def normalised(self, x: Any) -> Any:
        return self.m.nn.functional.layer_norm(x, x.shape[1:])

    def softmax(self, x: Any) -> Any:
        return self.m.softmax(x, 1)

    def transposed(self, x: Any) -> Any:
        return x.t().contiguous()

    def added(self, x: Any, at: Any, v: Any) -> Any:
        return x.index_add(0, at, v)

    def conv(self, x: Any, w: Any) -> Any:
        return self.m.nn.functional.conv2d(x, w)

    def conv_images(self, w: Any, v: Any, x: Any) -> Any:
        return self.m.nn.grad.conv2d_input(x.shape, w, v)

    def conv_filters(self, x: Any, v: Any, w: Any) -> Any:
        return self.m.nn.grad.conv2d_weight(x, w.shape, v)

    def device(self) -> str:
        return f"{self.m.cuda.get_device_name()}, PyTorch {self.m.__version__}"

    def put(self, array: np.ndarray) -> Any:
        return self.m.from_numpy(array).cuda()

    def compiled(self, formula: Formula, arrays: Sequence[Any]) -> Callable[[], Any]:
        def called(*given: Any) -> Any:
            return formula(self, *given)

        f = self.compiling(called) if self.is_compiled else called
        return lambda: f(*arrays)

    def compiling(self, function: Callable) -> Callable:
        """A function to be compiled, as if it were the first: after a few that have the same code
        the compiler gives up.
        """
        self.m._dynamo.reset()
        return self.m.compile(function, dynamic=False)

    def draws(self, kind: str, count: int) -> Callable[[], Any]:
        draw = {"uniform": self.m.rand, "normal": self.m.randn}[kind]
        return lambda: draw(count, device="cuda")

    def host(self, value: Any) -> np.ndarray:
        return value.detach().cpu().numpy()

    def wait(self, value: Any = None) -> None:
        self.m.cuda.synchronize()

    def span(self, run: Callable[[], Any], count: int) -> float:
        first, last = (self.m.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        for _ in range(count):
            run()
        last.record()
        last.synchronize()
        return first.elapsed_time(last) / 1e3


class Jax(Library):
    """JAX, always compiled."""

    def __init__(self) -> None:
        import jax
        import jax.numpy

        jax.config.update("jax_default_matmul_precision", "highest")
        super().__init__(jax.numpy)
        self.jax = jax
        if jax.devices()[0].platform != "gpu":
            raise RuntimeError("this JAX has no GPU")

    def softmax(self, x: Any) -> Any:
        return self.jax.nn.softmax(x, axis=1)

    def transposed(self, x: Any) -> Any:
        return x.T

    def added(self, x: Any, at: Any, v: Any) -> Any:
        return x.at[at].add(v)

    def conv(self, x: Any, w: Any) -> Any:
        return self.jax.lax.conv(x, w, (1, 1), "VALID")

    def conv_images(self, w: Any, v: Any, x: Any) -> Any:
        return self.jax.vjp(lambda x: self.conv(x, w), x)[1](v)[0]

    def conv_filters(self, x: Any, v: Any, w: Any) -> Any:
        return self.jax.vjp(lambda w: self.conv(x, w), w)[1](v)[0]

    def device(self) -> str:
        return f"{self.jax.devices()[0].device_kind}, JAX {self.jax.__version__}"

    def put(self, array: np.ndarray) -> Any:
        return self.m.asarray(array)

    def compiled(self, formula: Formula, arrays: Sequence[Any]) -> Callable[[], Any]:
        f = self.jax.jit(lambda *given: formula(self, *given))
        return lambda: f(*arrays)

    def draws(self, kind: str, count: int) -> Callable[[], Any]:
        draw = getattr(self.jax.random, kind)

        def numbers(key: Any) -> Any:
            new, own = self.jax.random.split(key)
            return new, draw(own, (count,), np.float32)

        f, key = self.jax.jit(numbers), self.jax.random.key(1)

        def run() -> Any:
            nonlocal key
            key, drawn = f(key)
            return drawn

        return run

    def round_trip(self, formula: Formula, arrays: Sequence[np.ndarray]) -> Callable[[], Any]:
        f = self.jax.jit(lambda *given: formula(self, *given))
        return lambda: np.asarray(f(*arrays))

    def wait(self, value: Any = None) -> None:
        self.jax.block_until_ready(value)


class Cupy(Library):
    """CuPy: operation by operation."""

    timed_by = "events"

    def __init__(self) -> None:
        import cupy
        import cupyx

        super().__init__(cupy)
        self.scatter_add = cupyx.scatter_add
        cupy.zeros(1)

    def added(self, x: Any, at: Any, v: Any) -> Any:
        y = x.copy()
        self.scatter_add(y, at, v)
        return y

    def device(self) -> str:
        facts = self.m.cuda.runtime.getDeviceProperties(0)
        return f"{facts['name'].decode()}, CuPy {self.m.__version__}"

    def put(self, array: np.ndarray) -> Any:
        return self.m.asarray(array)

    def draws(self, kind: str, count: int) -> Callable[[], Any]:
        generator = self.m.random.default_rng(1)
        draw = {"uniform": generator.random, "normal": generator.standard_normal}[kind]
        return lambda: draw(count, dtype="float32")

    def host(self, value: Any) -> np.ndarray:
        return value.get()

    def wait(self, value: Any = None) -> None:
        self.m.cuda.get_current_stream().synchronize()

    def span(self, run: Callable[[], Any], count: int) -> float:
        first, last = self.m.cuda.Event(), self.m.cuda.Event()
        first.record()
        for _ in range(count):
            run()
        last.record()
        last.synchronize()
        return self.m.cuda.get_elapsed_time(first, last) / 1e3


LIBRARIES: dict[str, Callable[[], Library]] = {
    "symcomp": Symcomp,
    "symcomp own kernels": lambda: Symcomp(own=True),
    "symcomp without replays": lambda: Symcomp(replays=False),
    "torch": Torch,
    "torch.compile": lambda: Torch(compiled=True),
    "jax": Jax,
    "cupy": Cupy,
}
