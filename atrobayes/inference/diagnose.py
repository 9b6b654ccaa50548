"""Can a fit be believed: the convergence gate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from atrobayes.inference.engine import Settings

# Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), doi:10.1214/20-BA1221
MOST_RHAT = 1.01
LEAST_ESS = 400.0
# Betancourt (2016), arXiv:1604.00695
LEAST_EBFMI = 0.3
# largest change of a quadrature's results when its spacing is halved or its range doubled: in posterior SDs,
# in probability, in log evidence
TOLERANCE = {"mean": 1e-4, "sd": 1e-4, "quantile": 1e-4, "probability": 1e-5, "log_evidence": 1e-4}


@dataclass(frozen=True)
class Rung:
    """How an outcome that failed its gate is sampled again.

    Attributes
    ----------
    longer : int
        Tuning and chains are this many times as long as asked for; of the draws every `longer`-th is kept.
    target_accept : float
        At least this.
    correlated : bool
        As `Settings` has it.
    centred : bool
        The other parametrisation of the same model.
    """

    longer: int = 1
    target_accept: float = 0.0
    correlated: bool = False
    centred: bool = False

    def settings(self, asked: Settings) -> Settings:
        """Work as hard as this rung says."""
        return replace(
            asked,
            tune=self.longer * asked.tune,
            draws=self.longer * asked.draws,
            target_accept=max(asked.target_accept, self.target_accept),
            correlated=asked.correlated or self.correlated,
        )


# an outcome climbs until it passes; the first rung is what was asked for, the dearest comes last
LADDER = (
    Rung(),
    Rung(1, 0.95, correlated=True),
    Rung(1, 0.95, correlated=True, centred=True),
    Rung(4, 0.99, correlated=True),
)


@dataclass(frozen=True)
class Verdict:
    """Outcome of the gate.

    Attributes
    ----------
    kind : str
        "quadrature" or "nuts".
    passed : bool
        All outcomes passed.
    reasons : tuple of str
        What failed, one sentence an outcome.
    checks : dict of str to float
        The worst value of each check over outcomes and terms.
    table : Dataset
        `passed`, `divergences`, `rung` of the ladder (outcome); `rhat`, `ess_bulk`, `ess_tail` (outcome, term);
        NaN where a check does not apply.
    """

    kind: str
    passed: bool
    reasons: tuple[str, ...]
    checks: dict[str, float]
    table: xr.Dataset


def diagnose(tree: xr.DataTree) -> Verdict:
    """Judge a fit from its own tree: by its mixture where it has one, else by its chains."""
    return _judge_quadrature(tree) if "mixture" in tree.children else _judge_chains(tree)


def ebfmi(energy: xr.DataArray) -> xr.DataArray:
    """Share of the energy's variance that a momentum draw renews, from every draw of a chain: (chain,)."""
    return (energy.diff("draw") ** 2).mean("draw") / energy.var("draw")


def _judge_quadrature(tree: xr.DataTree) -> Verdict:
    mixture = tree["mixture"].to_dataset()
    passed = mixture["reached"] == 1
    checks = {f"largest change of {kind}": float(mixture[f"change_{kind}"].max()) for kind in TOLERANCE}
    reasons = tuple(
        f"{name}: refining the quadrature still changes the result by more than allowed"
        for name in mixture["outcome"].to_numpy()[~passed.to_numpy()].tolist()
    )
    empty = xr.full_like(mixture["loc"].isel(node=0, drop=True), np.nan).drop_attrs()
    table = xr.Dataset({"passed": passed, "rhat": empty, "ess_bulk": empty, "ess_tail": empty})
    nothing = xr.full_like(passed, np.nan, dtype=float)
    table = table.assign(divergences=nothing, rung=nothing)
    return Verdict("quadrature", not reasons, reasons, checks, table.reset_coords(drop=True))


def _judge_chains(tree: xr.DataTree) -> Verdict:
    import arviz as az

    # the SDs mix worst; a fit passes only if they do too
    posterior = tree["posterior"].to_dataset()[["terms", "sds"]]
    rhat, bulk, tail = az.rhat(posterior), az.ess(posterior, method="bulk"), az.ess(posterior, method="tail")
    stats = tree["sample_stats"].to_dataset()
    divergences = stats["diverging"].sum(("chain", "draw")).astype(float)
    # draws may have been thinned since: what the sampler's own draws gave is taken where it is kept
    lowest = (stats["ebfmi"] if "ebfmi" in stats else ebfmi(stats["energy"])).min("chain")
    rung = stats["rung"].astype(float) if "rung" in stats else xr.zeros_like(divergences)
    worst = {
        "largest R-hat": _over_both(rhat, "max"),
        "smallest bulk ESS": _over_both(bulk, "min"),
        "smallest tail ESS": _over_both(tail, "min"),
        "divergences": divergences,
        "smallest E-BFMI": lowest,
    }
    failed = {
        "largest R-hat": worst["largest R-hat"] >= MOST_RHAT,
        "smallest bulk ESS": worst["smallest bulk ESS"] <= LEAST_ESS,
        "smallest tail ESS": worst["smallest tail ESS"] <= LEAST_ESS,
        "divergences": divergences > 0,
        "smallest E-BFMI": lowest < LEAST_EBFMI,
    }
    outcomes = stats["outcome"].to_numpy().tolist()
    reasons = tuple(filter(None, (_reason(outcome, worst, failed) for outcome in outcomes)))
    checks = {
        name: float(values.max() if name in {"largest R-hat", "divergences"} else values.min())
        for name, values in worst.items()
    }
    passed = ~np.logical_or.reduce([value.to_numpy() for value in failed.values()])
    table = xr.Dataset(
        {
            "passed": ("outcome", passed),
            "rhat": rhat["terms"],
            "ess_bulk": bulk["terms"],
            "ess_tail": tail["terms"],
            "divergences": divergences,
            "rung": rung,
        }
    )
    return Verdict("nuts", not reasons, reasons, checks, table.drop_attrs())


def _reason(outcome: str, worst: dict[str, xr.DataArray], failed: dict[str, xr.DataArray]) -> str:
    bad = [name for name, value in failed.items() if bool(value.sel(outcome=outcome))]
    said = ", ".join(f"{name} {float(worst[name].sel(outcome=outcome)):.4g}" for name in bad)
    return f"{outcome}: {said}" if bad else ""


def _over_both(values: xr.Dataset, how: str) -> xr.DataArray:
    terms, sds = (getattr(values[name], how)(dim) for name, dim in (("terms", "term"), ("sds", "sd")))
    both = xr.concat([terms, sds], dim="which", coords="minimal", compat="override")
    return both.max("which") if how == "max" else both.min("which")
