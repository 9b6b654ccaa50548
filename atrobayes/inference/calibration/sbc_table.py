"""The table of simulation-based calibration: is every parameter's true value where the posteriors say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.calibration.ecdf_band import uniformity_p

ERROR_RATE = 0.01  # of a model: that any of its parameters fails though all is right
BINS = 100  # that continuous values are counted in
_OF = ["model", "analysis", "part"]
VERDICTS = {
    "within": "the ECDF of the ranks stays inside the band",
    "within_on_rerun": "outside at first, inside when repeated with new seeds, which counts",
    "outside": "outside twice: the model does not find again what its prior drew",
    "outside_once": "outside, not yet repeated",
}
COLUMNS = (
    Column("model", "Model, simulated from its prior and fitted"),
    Column("analysis", "Analysis whose rows, groups, predictor and missing values the data sets have"),
    Column("part", "ALL: all rows as one group; of a course its outcome; n/a: all there is"),
    Column("parameter", "Term, coefficient or SD; log_likelihood: of the data, a test quantity that depends on them"),
    Column("engine", "How the posteriors were computed", levels={"quadrature": "exactly", "sampling": "by NUTS"}),
    Column("simulations", "Data sets simulated and fitted in the run that counts"),
    Column("failed", "Those whose fit failed its gate; they are counted with all others"),
    Column("mean_pit", "Mean posterior probability below the true value; 0.5 if calibrated"),
    Column("max_difference", "Largest distance of the ECDF of these probabilities from the diagonal"),
    Column("p", "Probability that a calibrated model strays from the diagonal at least as far somewhere"),
    Column("limit", "What p must exceed: 0.01 over the number of parameters of the model"),
    Column("verdict", "Whether calibrated as far as these simulations can tell", levels=VERDICTS),
    Column(
        "histogram",
        "Simulations by posterior probability below the true value, in bins of equal probability from 0 to 1, comma-"
        "separated: 100 bins of exact probabilities, or 101 ranks among 100 draws",
    ),
)


def sbc_table(found: pd.DataFrame) -> pd.DataFrame:
    """Judge all simulations: rows of sbc.tsv.

    Parameters
    ----------
    found : DataFrame
        Rows of `pits`, of all chunks of one run or two, in any order.

    Returns
    -------
    DataFrame
        Columns as in COLUMNS; by model, analysis and part in the order found, parameters in theirs. A parameter that
        left the band is judged by the second run where there is one.
    """
    tables = [_of_model(rows) for _, rows in found.groupby(_OF, sort=False)]
    names = [column.name for column in COLUMNS]
    return pd.concat(tables, ignore_index=True)[names] if tables else pd.DataFrame(columns=names)


def to_repeat(found: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Model, analysis and part of what left its band in the first run: what `chunks(…, run=1)` is for."""
    table = sbc_table(found)
    rows = table[table["verdict"] == "outside_once"][_OF].drop_duplicates()
    return [(str(model), str(analysis), str(part)) for model, analysis, part in rows.itertuples(index=False)]


def _of_model(rows: pd.DataFrame) -> pd.DataFrame:
    parameters = rows["parameter"].unique()
    limit = ERROR_RATE / len(parameters)
    engine = "quadrature" if (rows["bins"] == 0).any() else "sampling"
    shared = {name: rows[name].iloc[0] for name in _OF} | {"engine": engine}
    return pd.DataFrame([shared | _of_parameter(own, limit) for _, own in rows.groupby("parameter", sort=False)])


def _of_parameter(rows: pd.DataFrame, limit: float) -> dict[str, Any]:
    first, again = (_judged(rows[rows["run"] == run], limit) for run in (0, 1))
    if first["p"] > limit:
        return first | {"verdict": "within"}
    if not again:
        return first | {"verdict": "outside_once"}
    return again | {"verdict": "within_on_rerun" if again["p"] > limit else "outside"}


def _judged(rows: pd.DataFrame, limit: float) -> dict[str, Any]:
    if not len(rows):
        return {}
    bins = int(rows["bins"].iloc[0]) or BINS
    places = np.minimum((rows["pit"].to_numpy() * bins).astype(np.int64), bins - 1)
    histogram = np.bincount(places, minlength=bins)
    ecdf = np.cumsum(histogram) / len(rows)
    return {
        "parameter": str(rows["parameter"].iloc[0]),
        "simulations": len(rows),
        "failed": int((~rows["passed"]).sum()),
        "mean_pit": float(rows["pit"].mean()),
        "max_difference": float(np.abs(ecdf - np.arange(1, bins + 1) / bins).max()),
        "p": uniformity_p(histogram),
        "limit": limit,
        "histogram": ",".join(map(str, histogram.tolist())),
    }
