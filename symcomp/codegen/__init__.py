"""From expressions to machine code: plan, lower, improve, print, build, cache, run."""
