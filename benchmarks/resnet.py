"""ResNet-18 on 224x224 images (He et al., 2015): a prediction, a training step, and its memory.

The prediction normalises by the running averages, the training step by the batch's own statistics,
whose averages it updates; gradient descent moves everything else.  Peak memory is that of a fresh
process beyond what the imports took: two training steps, everything before them included.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fresh
from benchmarks.case import Arrays, Case, options
from benchmarks.contestants import CONTESTANTS, environment
from benchmarks.libraries import contestants
from benchmarks.networks import Network
from benchmarks.report import Bar, Report

BATCH, SIZE, CLASSES = 8, 224, 1000

#: (name, channels in, channels out, stride) of the eight blocks of two 3x3 convolutions.
BLOCKS = [
    (f"{stage}{block}", before if block == "a" else width, width, stride if block == "a" else 1)
    for stage, (before, width, stride) in enumerate(
        [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)], start=1
    )
    for block in "ab"
]

#: Multiply-adds of one image's prediction; a training step has about three times as many.
MULTIPLY_ADDS = 1.814e9

#: Compiling costs PyTorch a minute, and it chooses its own layout then.
RIVALS = ("jax", "jax NHWC", "torch", "torch channels_last", "torch.compile channels_last")
MEASURED = ("symcomp", "torch", "torch channels_last", "jax")
COMPARED = ("torch", "torch channels_last")


def data() -> Arrays:
    """Images of noise, and parameters as He et al. draw them."""
    random = np.random.default_rng(8)
    arrays = {
        "x": random.standard_normal((BATCH, 3, SIZE, SIZE), np.float32),
        "y": random.integers(0, CLASSES, BATCH).astype(np.int32),
    }

    def convolution(name: str, inputs: int, outputs: int, window: int) -> None:
        scale = np.float32(np.sqrt(2 / (inputs * window**2)))
        shape = (outputs, inputs, window, window)
        arrays[f"filters {name}"] = scale * random.standard_normal(shape, np.float32)
        arrays[f"scale {name}"] = np.ones(outputs, np.float32)
        arrays[f"shift {name}"] = np.zeros(outputs, np.float32)
        arrays[f"mean {name}"] = np.zeros(outputs, np.float32)
        arrays[f"variance {name}"] = np.ones(outputs, np.float32)

    convolution("stem", 3, 64, 7)
    for name, inputs, outputs, _ in BLOCKS:
        convolution(f"{name}1", inputs, outputs, 3)
        convolution(f"{name}2", outputs, outputs, 3)
        if inputs != outputs:
            convolution(f"{name} short", inputs, outputs, 1)
    weights = random.standard_normal((512, CLASSES), np.float32)
    arrays["classes"] = weights / np.float32(np.sqrt(512))
    arrays["bias"] = np.zeros(CLASSES, np.float32)
    return arrays


def forward(w: Any, p: dict[str, Any], x: Any, training: bool) -> tuple[Any, dict[str, Any]]:
    """The logits, and the running averages after this batch."""
    averages = {}

    def normalized(x: Any, name: str, stride: int, padding: int) -> Any:
        x = w.conv(x, p[f"filters {name}"], stride, padding)
        given = [p[f"{what} {name}"] for what in ("scale", "shift", "mean", "variance")]
        if not training:
            return w.batch_norm(x, *given)
        y, averages[f"mean {name}"], averages[f"variance {name}"] = w.batch_norm_train(x, *given)
        return y

    x = w.max_pool(w.relu(normalized(x, "stem", 2, 3)), 3, stride=2, padding=1)
    for name, inputs, outputs, stride in BLOCKS:
        short = x if inputs == outputs else normalized(x, f"{name} short", stride, 0)
        y = w.relu(normalized(x, f"{name}1", stride, 1))
        x = w.relu(normalized(y, f"{name}2", 1, 1) + short)
    return w.dense(w.mean(x), p["classes"], p["bias"]), averages


NETWORK = Network(data, forward, rate=0.01)


def _case(name: str, what: str, passes: int) -> Case:
    return Case(
        name=f"ResNet-18 {name}  batch {BATCH}, {SIZE}x{SIZE}",
        data=data,
        contestants=contestants(NETWORK, what, RIVALS),
        rivals=RIVALS,
        bars=("fastest 1.3",),
        tolerance=5e-3,
        flops=2.0 * MULTIPLY_ADDS * BATCH * passes,
    )


CASES = [_case("forward", "predict", 1), _case("training step", "train", 3)]


def peak_memory(contestant: str, threads: int) -> dict[str, float]:
    """Mebibytes that two training steps took at most, beyond what was there after the imports."""
    for module in CONTESTANTS[contestant].imports:
        importlib.import_module(module)
    options(threads, contestant)
    before = _mebibytes("VmRSS")
    prepared = CASES[1].contestants[contestant](data())
    for _ in range(2):
        prepared.finish(prepared.call(*prepared.arguments))
    return {"imported": before, "step": _mebibytes("VmHWM") - before}


def _mebibytes(field: str) -> float:
    """Of this program: what ``getrusage`` says may be what the parent had before it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[field].split()[0]) / 1024


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """The peak memory of each, in its own fresh process."""
    rows, peaks = [], {}
    for name in (name for name in MEASURED if name in names):
        around = environment(name, folder / "resnet", threads)
        try:
            answer = fresh.call(
                "benchmarks.resnet:peak_memory", around, contestant=name, threads=threads
            )
        except fresh.Failed as error:
            rows.append((name, "-", "-", f"failed: {error}"))
            continue
        peaks[name] = answer["step"]
        rows.append((name, f"{answer['step']:.0f} MiB", f"{answer['imported']:.0f} MiB", ""))
    report.add(
        "Peak memory of the ResNet-18 training step", ("", "beyond imports", "imports", ""), rows
    )
    if "symcomp" in names:
        report.promise(_memory_bar(peaks))


def _memory_bar(peaks: dict[str, float]) -> Bar:
    name, rivals = "ResNet-18 step, peak memory", [peaks[n] for n in COMPARED if n in peaks]
    if "symcomp" not in peaks:
        return Bar(name, "failed", "<= PyTorch's", False)
    figure = f"{peaks['symcomp']:.0f} MiB"
    if not rivals:
        return Bar(name, figure, "<= PyTorch's", None)
    least = min(rivals)
    return Bar(name, figure, f"<= PyTorch's {least:.0f} MiB", peaks["symcomp"] <= least)
