"""The geometry of a convolution as C: what its libraries are given on the host and on a GPU."""

from __future__ import annotations

from typing import Any


def write_geometry(text: Any, numbers: list[str]) -> None:
    """The sizes of a convolution as C's struct `geometry`, of their texts."""
    threes = [f"{{{', '.join(numbers[k : k + 3])}}}" for k in range(4, 22, 3)]
    text.add("const symcomp_geometry geometry = {")
    text.add(f"    {', '.join(numbers[:4])},")
    text.add(f"    {', '.join(threes[:3])},")
    text.add(f"    {', '.join(threes[3:])},")
    if numbers[-1] != "0":
        text.add(f"    .direct = {numbers[-1]},")
    text.add("};")
