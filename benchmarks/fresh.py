"""Functions run in a process that has done nothing before: for imports, compilers and stacks.

``python -m benchmarks.fresh benchmarks.module:function '{"argument": …}'`` prints what the function
returns, as JSON, on its last line.
"""

import importlib
import json
import os
import subprocess
import sys
from typing import Any


class Failed(Exception):
    """The process ended otherwise than by returning."""


def call(
    function: str, environment: dict[str, str], patience: float = 300, **arguments: Any
) -> dict:
    """Run ``module:function`` with these arguments in a fresh process; its JSON answer."""
    command = [sys.executable, "-m", "benchmarks.fresh", function, json.dumps(arguments)]
    return command_answer(command, environment, patience)


def command_answer(command: list[str], environment: dict[str, str], patience: float) -> dict:
    """The JSON that a command prints on its last line."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"no answer within {patience:.0f} s") from error
    if done.returncode < 0:
        raise Failed(f"died of signal {-done.returncode}")
    if done.returncode > 0:
        raise Failed((done.stderr.strip().splitlines() or ["no message"])[-1][:160])
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Call the named function; what it prints itself goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
