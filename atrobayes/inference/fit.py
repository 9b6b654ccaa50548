"""The only door to a posterior."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.files import SCHEMA_VERSION, atomic
from atrobayes.inference.diagnose import Verdict, diagnose
from atrobayes.inference.engine import Engine, Settings, choose_engine, library_versions
from atrobayes.inference.seeds import derive
from atrobayes.inference.store import Store, content_hash
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws, Marginals, Mixture, equal_weights
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors
from atrobayes.models.terms import terms_of


@dataclass(frozen=True)
class Fit:
    """A posterior with its history.

    Attributes
    ----------
    tree : DataTree
        posterior, observed_data, constant_data, diagnostics; `mixture` for exact fits, `sample_stats` for NUTS.
    marginals : Marginals
        Of the reported terms, raw units.
    verdict : Verdict
        Whether the fit passed its gate.
    history : dict
        What ran: fit_id, analysis, model, method, engine with version, settings, seed, priors, digests, versions.
    """

    tree: xr.DataTree
    marginals: Marginals
    verdict: Verdict
    history: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of its file, without suffix."""
        engine = self.history["engine"]["name"]
        return _file_name(self.history["analysis"], self.history["method"], engine, self.history["part"])

    def write(self, path: Path, scratch: Path | None = None) -> None:
        """Write as netCDF4, compressed; history and verdict as JSON in the root attributes."""
        verdict = {
            "kind": self.verdict.kind,
            "passed": self.verdict.passed,
            "reasons": list(self.verdict.reasons),
            "checks": self.verdict.checks,
        }
        tree = self.tree.copy()
        tree.attrs = tree.attrs | {
            "schema_version": SCHEMA_VERSION,
            "history": json.dumps(self.history, ensure_ascii=False),
            "verdict": json.dumps(verdict, ensure_ascii=False),
        }
        tree.attrs["content_sha256"] = content_hash(tree)
        packed = {
            group.path: {str(name): {"zlib": True} for name in group.data_vars if group[str(name)].dtype.kind == "f"}
            for group in tree.subtree
            if group.data_vars
        }
        with atomic(path, scratch) as partial:
            tree.to_netcdf(partial, encoding=packed, engine="netcdf4")

    @classmethod
    def read(cls, path: Path) -> Fit:
        """Read a fit back; every number is the one that was written.

        Raises
        ------
        OSError, ValueError, KeyError
            If the file is not a whole fit, or its content is not what was written.
        """
        with xr.open_datatree(path, engine="netcdf4") as stored:
            tree = stored.load()
        if content_hash(tree) != tree.attrs["content_sha256"]:
            raise ValueError(f"{path.name}: the content differs from what was written")
        history, kept = json.loads(tree.attrs["history"]), json.loads(tree.attrs["verdict"])
        table = tree["diagnostics"].to_dataset()
        verdict = Verdict(kept["kind"], kept["passed"], tuple(kept["reasons"]), kept["checks"], table)
        return cls(tree, _marginals(tree), verdict, history)


def fit(
    model: Model,
    frame: Frame,
    priors: Priors,
    *,
    engine: str = "auto",
    settings: Settings | None = None,
    seed: int = 1,
    store: Store | None = None,
) -> Fit:
    """Fit a model to every outcome of a frame.

    Parameters
    ----------
    model : Model
    frame : Frame
    priors : Priors
    engine : str
        "auto" (quadrature where it serves, else nutpie) or the name of an engine.
    settings : Settings, optional
    seed : int
        The study's seed; the fit's own is derived from it and from what is fitted.
    store : Store, optional
        Where an equal fit is looked up, and the new one kept.

    Returns
    -------
    Fit
        Look at `verdict` before anything else.

    Raises
    ------
    UsageError
        If the engine is unknown or cannot fit the model.
    """
    settings = settings or Settings()
    chosen = choose_engine(engine, model, frame, priors)
    fit_id = _fit_id(model, frame, priors, chosen, settings, seed)
    name = _file_name(frame.analysis, model.method, chosen.name, frame.part)
    kept = _find(store.path(name), fit_id) if store else None
    if kept is not None:
        settings.progress(len(frame.outcomes), len(frame.outcomes))
        return kept
    own_seed = derive(seed, frame.analysis, frame.part, model.name, model.method, chosen.name)
    tree, marginals = chosen.run(model, frame, priors, settings, own_seed)
    verdict = diagnose(tree)
    whole = _complete(tree, frame, verdict)
    history = _history(model, frame, priors, chosen, settings, own_seed, fit_id, tree.attrs)
    new = Fit(whole, marginals, verdict, history)
    if store:
        new.write(store.path(name), store.scratch)
    return new


def _file_name(analysis: str, method: str, engine: str, part: str) -> str:
    return "--".join(filter(None, (analysis, method, engine, part)))


def _find(path: Path, fit_id: str) -> Fit | None:
    """Return the stored fit if it was made from the same and is whole, else None: it is fitted again."""
    if not path.is_file():
        return None
    try:
        kept = Fit.read(path)
    except (OSError, ValueError, KeyError, RuntimeError):
        # a damaged file is as good as none: it is written over
        return None
    return kept if kept.history["fit_id"] == fit_id else None


def _fit_id(model: Model, frame: Frame, priors: Priors, engine: Engine, settings: Settings, seed: int) -> str:
    parts = {
        "frame": frame.digest,
        "model": [model.name, model.revision, model.method],
        "priors": repr(priors),
        "engine": engine.name,
        "settings": settings.identity(),
        "seed": seed,
        "versions": library_versions(engine),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _history(
    model: Model,
    frame: Frame,
    priors: Priors,
    engine: Engine,
    settings: Settings,
    seed: int,
    fit_id: str,
    ran: Mapping[Any, Any],
) -> dict[str, Any]:
    return {
        "fit_id": fit_id,
        "analysis": frame.analysis,
        "part": frame.part,
        "model": model.name,
        "revision": model.revision,
        "method": model.method,
        "formula": model.formula,
        "family": model.family,
        "engine": {"name": ran["engine"], "version": ran["engine_version"]},
        "settings": settings.identity(),
        "seed": seed,
        "prior": priors.name,
        "priors": {"standardised": priors.describe(), "raw": _raw_priors(model, frame, priors)},
        "scales": {
            "predictor_unit": frame.scales.x_unit,
            "predictor_mean": frame.scales.x_mean,
            "outcome_sd": dict(zip(frame.outcomes, frame.scales.y_sd.tolist(), strict=True)),
        },
        "frame_digest": frame.digest,
        "versions": library_versions(engine),
    }


def _raw_priors(model: Model, frame: Frame, priors: Priors) -> list[dict[str, Any]]:
    """Prior of every term in the outcome's units; None where it is not normal."""
    mean, sd = model.term_priors(frame, priors)
    return [
        {"structure": outcome, "term": term.name, "mean": _known(mean[k, t]), "sd": _known(sd[k, t]), "unit": unit}
        for k, (outcome, unit) in enumerate(zip(frame.outcomes, frame.units, strict=True))
        for t, term in enumerate(terms_of(frame))
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _complete(tree: xr.DataTree, frame: Frame, verdict: Verdict) -> xr.DataTree:
    """Add the data, as codes: labels of patients stay in the cohort."""
    rows = {"x": ("row", frame.x), "group": ("row", frame.group), "patient": ("row", frame.patient)}
    groups = {
        "/observed_data": xr.Dataset({"y": frame.y}),
        "/constant_data": xr.Dataset(rows, attrs={"groups": json.dumps(list(frame.groups))}),
        "/diagnostics": verdict.table.assign(passed=verdict.table["passed"].astype(np.int8)),
    }
    own = {group.path: group.to_dataset() for group in tree.subtree}
    return xr.DataTree.from_dict(own | groups)


def _marginals(tree: xr.DataTree) -> Marginals:
    terms = tree["posterior"]["terms"]
    outcomes, names = (tuple(terms[dim].to_numpy().tolist()) for dim in ("outcome", "term"))
    if "mixture" not in tree.children:
        given = None
        if "conditional" in tree.children:
            normals = (tree["conditional"][name].to_numpy() for name in ("loc", "scale"))
            given = equal_weights(outcomes, names, *normals)
        return Draws(outcomes, names, terms.to_numpy(), given)
    mixture = tree["mixture"]
    return Mixture(outcomes, names, *(mixture[name].to_numpy() for name in ("weight", "loc", "scale", "sds")))
