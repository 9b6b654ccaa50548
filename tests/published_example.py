"""A small table of published slopes, some of them awkward, for tests of the reanalysis and of its page."""

from __future__ import annotations

HEADER = "source\tanalysis\tstructure\tterm\tgroup\tn\testimate\tp\n"
HOSTILE = "<b>leaf</b>"
SLOPES = (
    ("Table 1", "thalamus", "A", 12, "-0.0200", "0.012"),
    ("Table 1", "caudate", "A", 12, "-0.0110", "0.210"),
    ("Table 1", "hippocampus", "A", 12, "0.0030", "0.610"),
    ("Table 1", "dgm", "A", 12, "-0.0500", "0.034"),
    ("Table 1", "thalamus", "B", 9, "-0.0040", "0.700"),
    ("Table 1", HOSTILE, "A", 12, "0.300", "0.041"),
    ("Table 2", "amygdala", "A", 12, "0.000", "0.950"),
    ("Table 2", "amygdala", "B", 9, "-0.010", "<0.001"),
)


def small_table() -> str:
    """Text of the table; lines 2 to 9 are SLOPES in their order."""
    return HEADER + "".join(
        f"{source}\tgrowth\t{structure}\tslope\t{group}\t{n}\t{estimate}\t{p}\n"
        for source, structure, group, n, estimate, p in SLOPES
    )
