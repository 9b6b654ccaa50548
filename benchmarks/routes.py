"""Times every route to the year-to-year models of the example study, in one run: python benchmarks/routes.py

Writes benchmarks/routes.md. All routes fit the same 26 mixed models (13 structures, new T2 and new Gd+ lesions),
normal errors, the default priors. Routes by R run where `Rscript` finds lmerTest and brms, the others always need
the package with its development dependencies and statsmodels. `--outcomes N` takes N structures instead of 13,
`--slow N` as many for the routes that take seconds a fit; figures are per fit, so tables stay comparable.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.data_prep.example import write_example
from atrobayes.data_prep.prepare import prepare
from atrobayes.inference.engine import Settings
from atrobayes.models.analyses import CATALOGUE
from atrobayes.models.frame import Frame
from atrobayes.models.priors import Priors
from atrobayes.models.study_frames import build_frames
from atrobayes.study import read_study

HERE = Path(__file__).parent
CORES = 2
SETTINGS = Settings(draws=1000, tune=1000, chains=4, jobs=CORES)


@dataclass(frozen=True)
class Timed:
    """One route: what it took.

    Attributes
    ----------
    route : str
        In words.
    fits : int
        Models fitted.
    once, rest : float
        Seconds for what is done once (imports not counted, compilation counted), and for the fits.
    ess : float
        Smallest bulk effective sample size of the slopes, median over fits; NaN where nothing is sampled.
    """

    route: str
    fits: int
    once: float
    rest: float
    ess: float = float("nan")


def example_frames(folder: Path, outcomes: int) -> list[Frame]:
    """Frames of the two year-to-year analyses of the example."""
    write_example(folder)
    study = read_study(folder / "study.toml")
    cohort = prepare(study).cohort
    frames = [build_frames(study, CATALOGUE[f"year_to_year_{name}"], cohort).frames[0] for name in ("t2", "gd")]
    return [frame.select(np.arange(len(frame.x)), np.arange(outcomes)) for frame in frames]


def quadrature_moments(frames: list[Frame]) -> Timed:
    """Means and SDs only: the rule is built and refined as ever, nothing else is computed."""
    from atrobayes.inference.engines.quadrature.solve import integrate
    from atrobayes.inference.sums import gather
    from atrobayes.models.mixed import MIXED

    def run() -> None:
        for frame in frames:
            for rows, outcomes in frame.patterns():
                some = frame.select(rows, outcomes)
                linear = MIXED.whole(some, Priors())
                sums = gather(linear.X, some.y_standardised, linear.patient, linear.residual_block)
                mixture = integrate(linear, sums, some.outcomes).solution.mixture
                mixture.mean()
                mixture.sd()

    return Timed("quadrature, means and SDs", _fits(frames), 0.0, _best(run))


def quadrature_all(frames: list[Frame]) -> Timed:
    """Everything that estimates.tsv reports of a posterior, and the independent draws."""
    from atrobayes.inference.classical.mixed import classical_mixed
    from atrobayes.inference.fit import fit
    from atrobayes.models.estimands import Rope, describe
    from atrobayes.models.mixed import MIXED

    beside = [classical_mixed(frame).query("method == 'classical'") for frame in frames]

    def run() -> None:
        for frame, classical in zip(frames, beside, strict=True):
            posterior = fit(MIXED, frame, Priors(), engine="quadrature")
            describe(posterior.marginals, frame, Rope(), 0.95, classical, MIXED.term_priors(frame, Priors()))

    return Timed("quadrature, all reported quantities", _fits(frames), 0.0, _best(run))


def sampled(engine: str, route: str) -> Callable[[list[Frame]], Timed]:
    """Fit by a NUTS engine: the first fit with its compilation, then all with the compiled model."""

    def run(frames: list[Frame]) -> Timed:
        from atrobayes.inference.fit import fit
        from atrobayes.models.mixed import MIXED

        first = frames[0]
        if engine == "nutpie":  # numpyro compiles for all outcomes at once
            first = first.select(np.arange(len(first.x)), np.array([0]))
        began = time.perf_counter()
        fit(MIXED, first, Priors(), engine=engine, settings=SETTINGS)
        once = time.perf_counter() - began
        began = time.perf_counter()
        fits = [fit(MIXED, frame, Priors(), engine=engine, settings=SETTINGS) for frame in frames]
        rest = time.perf_counter() - began
        ess = [one.verdict.table["ess_bulk"].min("term").median().item() for one in fits]
        return Timed(
            route, _fits(frames), max(once - rest / _fits(frames) * len(first.outcomes), 0), rest, float(np.median(ess))
        )

    return run


def bambi_loop(frames: list[Frame]) -> Timed:
    """One Bambi model after the other, as one would write it by hand."""
    import arviz as az

    from atrobayes.models.bambi import bambi_model
    from atrobayes.models.mixed import MIXED

    ess, began = [], time.perf_counter()
    for frame in frames:
        for k in range(len(frame.outcomes)):
            one = frame.select(~np.isnan(frame.y.to_numpy()[:, k]), np.array([k]))
            tree = bambi_model(MIXED, one, Priors()).fit(
                draws=SETTINGS.draws, tune=SETTINGS.tune, chains=SETTINGS.chains, cores=CORES,
                inference_method="nutpie", random_seed=1, quiet=True,
            )  # fmt: skip
            ess.append(float(az.ess(tree, var_names=["x", "x:side"]).to_dataset().to_array().min()))
    return Timed("Bambi, model by model (nutpie)", len(ess), 0.0, time.perf_counter() - began, float(np.median(ess)))


def mixedlm_loop(frames: list[Frame]) -> Timed:
    """The mixed linear model of statsmodels: REML without degrees of freedom."""
    import warnings

    import statsmodels.formula.api as smf

    began, fits = time.perf_counter(), 0
    for frame in frames:
        for k in range(len(frame.outcomes)):
            table = _table(frame, k)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of every singular fit
                smf.mixedlm("y ~ x * side", table, groups="patient").fit(reml=True)
            fits += 1
    return Timed("statsmodels MixedLM (REML, z tests)", fits, 0.0, time.perf_counter() - began)


def classical(frames: list[Frame]) -> Timed:
    """Our own REML with Satterthwaite and Kenward-Roger."""
    from atrobayes.inference.classical.mixed import classical_mixed

    return Timed(
        "classical rows (REML, Satterthwaite, Kenward-Roger, z)",
        _fits(frames),
        0.0,
        _best(lambda: [classical_mixed(frame) for frame in frames]),
    )


def by_r(frames: list[Frame], slow: int) -> list[Timed]:
    """Time lmerTest and brms; nothing where R is not there."""
    if shutil.which("Rscript") is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = [
            _table(frame, k).assign(fit=f"{frame.analysis} {frame.outcomes[k]}")
            for frame in frames
            for k in range(len(frame.outcomes))
        ]
        pd.concat(tables).to_csv(folder / "data.tsv", sep="\t", index=False)
        script = [shutil.which("Rscript"), str(HERE / "routes.R"), str(folder), str(slow)]
        done = subprocess.run(script, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return []
        return [
            Timed(**{**item, "ess": item["ess"] or float("nan")})
            for item in json.loads((folder / "times.json").read_text())
        ]


def _table(frame: Frame, k: int) -> pd.DataFrame:
    side = np.where(frame.group == 0, 0.5, -0.5)
    columns = {"y": frame.y_standardised[:, k], "x": frame.x_standardised, "side": side, "patient": frame.patient}
    return pd.DataFrame(columns).dropna()


def _fits(frames: list[Frame]) -> int:
    return sum(len(frame.outcomes) for frame in frames)


def _best(run: Callable[[], object], times: int = 5) -> float:
    """Least of several runs: what the machine's other work does not touch."""
    run()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _markdown(rows: list[Timed], frames: list[Frame]) -> str:
    from importlib.metadata import version

    base = next((row for row in rows if row.route.startswith("brms")), None)
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("atrobayes", "pymc", "nutpie", "numpyro", "bambi", "statsmodels")
    )
    lines = [
        "# Routes to the same 26 posteriors",
        "",
        f"Example study, {_fits(frames)} mixed models of {len(frames[0].x)} patient-years, written by `python "
        f"benchmarks/routes.py`. NUTS: {SETTINGS.chains} chains x ({SETTINGS.tune} + {SETTINGS.draws}), {CORES} cores. "
        "once: compilation; per fit: the rest over the number of fits. Seconds differ from machine to machine and "
        "with its load; the ratios within one table are what counts.",
        "",
        f"Versions: {versions}.",
        "",
        "| route | fits | once, s | per fit, s | ESS per second | times brms |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        each = row.rest / row.fits
        ess = f"{row.ess / each:.0f}" if row.ess == row.ess else "exact" if "quadrature" in row.route else "n/a"
        ratio = f"{base.rest / base.fits / each:.1f}" if base else "n/a"
        lines.append(f"| {row.route} | {row.fits} | {row.once:.1f} | {each:.4g} | {ess} | {ratio} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all routes and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcomes", type=int, default=13)
    parser.add_argument("--slow", type=int, default=13, help="structures for the routes that compile every model")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frames = example_frames(Path(folder) / "example", asked.outcomes)
    few = [frame.select(np.arange(len(frame.x)), np.arange(asked.slow)) for frame in frames]
    routes: list[Callable[[], list[Timed]]] = [
        lambda: [quadrature_moments(frames)],
        lambda: [quadrature_all(frames)],
        lambda: [classical(frames)],
        lambda: [mixedlm_loop(frames)],
        lambda: [sampled("nutpie", "nutpie, compiled once")(frames)],
        lambda: [sampled("numpyro", "NumPyro, outcomes and chains vectorised")(frames)],
        lambda: [bambi_loop(few)],
        lambda: by_r(frames, asked.slow),
    ]
    rows: list[Timed] = []
    for route in routes:
        rows += route()
        print(rows[-1], file=sys.stderr)
    (HERE / "routes.md").write_text(_markdown(rows, frames))
    print(_markdown(rows, frames))


if __name__ == "__main__":
    main()
