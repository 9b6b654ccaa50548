"""Operating characteristics at the user's own design: how often tests and posteriors find what is there, or is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN, parts
from atrobayes.inference.seeds import derive
from atrobayes.inference.simulated_studies import repeated, shares_scans, simulate, with_simulated
from atrobayes.inference.simulated_tests import classical_tests, posterior_tests
from atrobayes.models.estimands import SIGNIFICANT
from atrobayes.models.estimates import METHODS
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.model import get_model
from atrobayes.study import Calibration

KINDS = ("mixed", "regression", "comparison")
AT_ONCE = 250  # data sets of a chunk; part of what the numbers depend on
PD_CUT = 0.975
RELEVANT_CUT = 0.95
INDEPENDENT, SHARED = "independent", "shared_scan"
TYPICAL = "typical"

TESTS = {name: words for name, words in METHODS.items() if name.startswith("classical")} | {
    "bayes_pd": f"Gaussian model, quadrature: probability of direction above {PD_CUT}",
    "bayes_rope": f"the same: probability above {RELEVANT_CUT} that the term lies outside the region of practical "
    "equivalence",
}
_QUANTITIES = {
    "false_positive_rate": "share of data sets without an effect in which one is found",
    "power": "share of data sets with this effect in which one is found",
    "coverage": "share of data sets whose interval holds the true value (classical: confidence interval; bayes_pd: "
    "equal-tailed posterior interval)",
    "type_s": "share with the wrong sign among data sets in which an effect is found",
    "type_m": "mean size of the estimate over the true size, among data sets in which an effect is found; not a share",
}
COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis whose rows the data sets have."),
    Column("structure", "Which structure's SDs errors and patients have.", levels={TYPICAL: "medians of all"}),
    Column("term", "Term as in estimates.tsv."),
    Column("test", "What is asked.", levels=TESTS),
    Column("effect", "True value of the term for u lesions, or of the difference.", "SD of the outcome"),
    Column(
        "errors",
        "How errors of a patient's intervals hang together; their variance is the same.",
        levels={
            INDEPENDENT: "not at all",
            SHARED: "consecutive ones share a scan: correlation of minus half of scan_share",
        },
    ),
    Column("quantity", "What the rate is.", levels=_QUANTITIES),
    Column("rate", "Share, or for type_m a ratio."),
    Column("mc_error", "Monte Carlo standard error of the rate."),
    Column("simulations", "Data sets the rate is taken over: all, or for type_s and type_m those with a finding."),
    Column("ci_prob", "Level of the intervals."),
    Column("scan_share", "Share of the error variance that comes from scans; 0 for independent errors."),
    Column("n_obs", "Rows of a data set."),
)


@dataclass(frozen=True)
class Chunk:
    """Data sets with one true effect and one kind of errors: a piece of work that depends on nothing else.

    Attributes
    ----------
    frame : Frame
        One part of an analysis.
    choices : Choices
    calibration : Calibration
        As in the study file.
    effect : float
        In SDs of the outcome.
    errors : str
        "independent" or "shared_scan".
    number : int
        Which chunk, from 0.
    """

    frame: Frame
    choices: Choices
    calibration: Calibration
    effect: float
    errors: str
    number: int

    def key(self) -> str:
        """SHA-256 of everything the numbers depend on."""
        own = [
            self.effect,
            self.errors,
            self.number,
            AT_ONCE,
            self.calibration.simulations,
            self.calibration.scan_share,
        ]
        text = json.dumps(["operating", self.frame.digest, self.choices.identity(), *own])
        return hashlib.sha256(text.encode()).hexdigest()


def chunks_of(frame: Frame, choices: Choices, calibration: Calibration) -> tuple[Chunk, ...]:
    """All the work of one frame and its parts; none where quadrature or a classical test does not serve its kind.

    Parameters
    ----------
    frame : Frame
    choices : Choices
    calibration : Calibration
        Data sets for each effect, the effects, and the share of scans in the errors.

    Returns
    -------
    tuple of Chunk
        Shared-scan errors only where patients have consecutive intervals.
    """
    if frame.kind not in KINDS:
        return ()
    kinds = (INDEPENDENT, SHARED) if shares_scans(frame) else (INDEPENDENT,)
    numbers = range(-(-calibration.simulations // AT_ONCE))
    return tuple(
        Chunk(part, choices, calibration, effect, errors, number)
        for part in parts(frame)
        for errors in kinds
        for effect in calibration.effects
        for number in numbers
    )


def simulate_chunk(chunk: Chunk) -> pd.DataFrame:
    """Simulate data sets and ask every test: what is sent to other processes.

    Parameters
    ----------
    chunk : Chunk

    Returns
    -------
    DataFrame
        One row a data set, term and test: analysis, term, test, effect, errors, data_set, estimate and interval in
        SDs of the outcome for u lesions, found (1 or 0), scan_share, n_obs, ci_prob.

    Notes
    -----
    Design, missing rows and groups are those of the frame. Intercepts are 0, the SDs of patients and errors the
    posterior means of the base fit, their median over structures. All slopes have the effect at once, their
    interaction being 0; where the term is an interaction, it has the effect and the slopes lie evenly about 0.
    """
    typical = repeated(chunk.frame, _size(chunk))
    model = get_model(GAUSSIAN[typical.kind])
    linear = model.linear(typical.select(np.arange(len(typical.x)), np.array([0])), chunk.choices.priors)
    assert linear is not None
    sds = np.tile(_typical_sds(chunk.frame, chunk.choices), (_size(chunk), 1))
    share = chunk.calibration.scan_share if chunk.errors == SHARED else 0.0
    tables = []
    for terms in _scenarios(linear.terms, chunk.effect):
        truth = np.tile(_coefficients(linear, terms, chunk.effect), (_size(chunk), 1))
        y = simulate(typical, linear, truth, sds, np.random.default_rng(_seed(chunk, terms)), share)
        said = _ask(with_simulated(typical, y), chunk.choices)
        tables.append(said[said["term"].isin(terms)])
    rows = pd.concat(tables, ignore_index=True)
    scale = float(typical.slope_scale[0])
    ends = {name: rows[name] / scale for name in ("estimate", "low", "high")}
    first = chunk.number * AT_ONCE
    return rows.drop(columns="structure").assign(
        analysis=chunk.frame.analysis,
        effect=chunk.effect,
        errors=chunk.errors,
        data_set=rows["structure"].astype(int) + first,
        **ends,
        ci_prob=chunk.choices.interval,
        scan_share=share,
        n_obs=float(len(typical.x)),
    )


def summarise(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Rates of what the tests found.

    Parameters
    ----------
    outcomes : DataFrame
        Rows of `simulate_chunk`, of as many chunks as there are.

    Returns
    -------
    DataFrame
        operating.tsv: by analysis, term, test, errors, effect and quantity, in the order the work was listed.
    """
    key = ["analysis", "term", "test", "errors", "effect"]
    rows = []
    for _, some in outcomes.groupby(key, sort=False):
        shared = some[[*key, "ci_prob", "scan_share", "n_obs"]].iloc[0].to_dict() | {"structure": TYPICAL}
        rows += [shared | one for one in _rates(some, shared["effect"])]
    return pd.DataFrame(rows, columns=[column.name for column in COLUMNS])


def rate_of(hits: np.ndarray) -> dict[str, float]:
    """Share of simulations in which something happened, with its Monte Carlo standard error.

    Parameters
    ----------
    hits : ndarray of bool (simulation,)

    Returns
    -------
    dict of str to float
        rate; mc_error, √(p (1 − p) / n) at p = (hits + ½) / (n + 1), so that none or all of the simulations do not
        look certain; simulations. NaN where there are none.
    """
    n = len(hits)
    if not n:
        return {"rate": np.nan, "mc_error": np.nan, "simulations": 0.0}
    p = (hits.sum() + 0.5) / (n + 1)
    return {"rate": float(np.mean(hits)), "mc_error": float(np.sqrt(p * (1 - p) / n)), "simulations": float(n)}


def _rates(rows: pd.DataFrame, effect: float) -> Iterator[dict[str, float | str]]:
    found, estimate = rows["found"].to_numpy(bool), rows["estimate"].to_numpy(float)
    yield {"quantity": "power" if effect else "false_positive_rate"} | rate_of(found)
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    if np.isfinite(low).all():
        yield {"quantity": "coverage"} | rate_of((low <= effect) & (effect <= high))
    if effect:
        yield {"quantity": "type_s"} | rate_of(np.sign(estimate[found]) != np.sign(effect))
        yield {"quantity": "type_m"} | _mean_ratio(np.abs(estimate[found]) / abs(effect))


def _mean_ratio(ratios: np.ndarray) -> dict[str, float]:
    n = len(ratios)
    error = float(ratios.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return {"rate": float(ratios.mean()) if n else np.nan, "mc_error": error, "simulations": float(n)}


def _ask(frame: Frame, choices: Choices) -> pd.DataFrame:
    classical = classical_tests(frame, choices.interval)
    bayes = posterior_tests(frame, choices)
    no_interval = {"low": np.nan, "high": np.nan}  # the same as that of bayes_pd: not to be counted twice
    asked = [
        classical.assign(found=classical["p"] < SIGNIFICANT),
        bayes.assign(test="bayes_pd", found=bayes["pd"] > PD_CUT),
        bayes.assign(test="bayes_rope", found=bayes["relevant"] > RELEVANT_CUT, **no_interval),
    ]
    columns = ["structure", "term", "test", "estimate", "low", "high", "found"]
    return pd.concat([table[columns] for table in asked if len(table)], ignore_index=True)


def _typical_sds(frame: Frame, choices: Choices) -> np.ndarray:
    """(sd,): posterior means of the SDs, standardised, their median over structures."""
    found = exact(get_model(GAUSSIAN[frame.kind]), frame, choices.priors).mixture
    assert found.sds is not None
    return np.asarray(np.median((found.sds * found.weight[:, None]).sum(axis=-1), axis=0))


def _scenarios(terms: Sequence[str], effect: float) -> tuple[tuple[str, ...], ...]:
    """Terms that have the effect in the same data sets: none is different from all."""
    together = tuple(term for term in terms if not term.startswith("interaction"))
    return (together, *((term,) for term in terms if term not in together)) if effect else (tuple(terms),)


def _coefficients(linear: Linear, terms: Sequence[str], effect: float) -> np.ndarray:
    """(coef,): the shortest vector that gives these terms the effect."""
    contrasts = linear.contrasts[[linear.terms.index(term) for term in terms]]
    return np.asarray(np.linalg.pinv(contrasts) @ np.full(len(terms), effect))


def _size(chunk: Chunk) -> int:
    return min(AT_ONCE, chunk.calibration.simulations - chunk.number * AT_ONCE)


def _seed(chunk: Chunk, terms: Sequence[str]) -> int:
    labels = (chunk.frame.analysis, chunk.frame.part, "operating", *terms, repr(chunk.effect), chunk.errors)
    return derive(chunk.choices.seed, *labels, str(chunk.number))
