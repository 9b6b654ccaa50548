"""Prints what printed digits cost: the range of posteriors of published slopes over all that would be printed so.

    PYTHONPATH=. python benchmarks/printed_digits.py

Slopes like the founding paper's (n of 9, 16, 29 and 59, one weak and one strong each), with estimate and p printed with
1 to 5 significant digits. Of each: range of the posterior mean over the posterior SD, and of the probability of
direction; prior N(0, 0.5) on the standardised scale.
"""

from __future__ import annotations

import numpy as np

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse

SLOPES = tuple((n, t) for n in (9, 16, 29, 59) for t in (0.6, 1.1, 1.9, 2.7, 4.1))
DIGITS = (1, 2, 3, 4, 5)
B = -0.0171428


def rows() -> Published:
    """One row for each slope and number of digits; the analysis says which."""
    from scipy import stats

    found = []
    for n, t in SLOPES:
        numbers = B, 2 * stats.t.sf(t, n - 2)
        for digits in DIGITS:
            b, p = (read_printed(f"{value:.{digits - 1}e}") for value in numbers)
            named = {"source": "S", "analysis": f"{digits}", "structure": f"n{n}t{t}", "term": "slope", "group": "A"}
            found.append(PublishedEstimate(len(found) + 2, **named, n=n, estimate=b, p=p, model="ordinary"))
    return Published("made up", tuple(found))


def main() -> None:
    """Print median and largest range for each number of digits."""
    table = reanalyse(rows(), Asked(rungs=(0.5,), error_correlations=()))
    table = table[table["status"] == "posterior"]
    table = table.assign(
        mean=(table["estimate_most"] - table["estimate_least"]) / table["sd"],
        direction=table["pd_most"] - table["pd_least"],
    )
    print("digits  slopes  range of mean / SD: median, most   range of pd: median, most")
    for digits, own in table.groupby("analysis"):
        cells = [f(own[name]) for name in ("mean", "direction") for f in (np.median, np.max)]
        print(f"{digits:>6}  {len(own):>6}  " + "  ".join(f"{cell:.2g}" for cell in cells))


if __name__ == "__main__":
    main()
