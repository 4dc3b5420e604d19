"""Rewriting: expressions simplified by proven identities, in three stages.

    canonicalize    one form for sums and products, algebra, layout
    stabilize       the same, and formulas that overflow or cancel replaced by those that do not; users' rules
    specialize      what is cheapest to compute: differences, squares, roots instead of their canonical forms

Every stage is the one engine with other rules. The tables are in `identities`, `stability` and `arrays`; rules that hold
only for finite values, or that trade accuracy for speed, are in `fast`, for those who ask for them.
"""
