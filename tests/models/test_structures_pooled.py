"""Structures pooled: which they are, the density as written down, natural signs, known slopes recovered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit

from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.engine import Settings
from atrobayes.inference.fit import fit
from atrobayes.models.frame import Frame
from atrobayes.models.lkj import correlation_root, lkj_shapes
from atrobayes.models.priors import HalfStudentT, Priors
from atrobayes.models.structures_pooled import (
    POOLED,
    STRUCTURES_POOLED,
    pooled_outcomes,
    unpoolable,
)

# no compiler to wait for
PYTHON = Mode(linker="py", optimizer="fast_compile")
PRIORS = Priors(
    slope_mean=0.1,
    slope_sd=0.37,
    slope_correlation=0.2,
    patient_sd=HalfStudentT(4, 0.7),
    residual_sd=HalfStudentT(5, 2),
)
FEW = ("thalamus", "caudate", "lateral_ventricle")
COEFS = {1: 2, 2: 4, 3: 6}


def _table(
    names: tuple[str, ...], patients: int, seed: int, groups: int = 2
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Changes in SDs of their errors, and the slopes (structure, group) and signs behind them."""
    rng = np.random.default_rng(seed)
    years = rng.integers(1, 4, patients)
    person = np.repeat(np.arange(patients), years)
    rows, group = len(person), person % groups
    x = rng.negative_binomial(0.5, 0.3, rows).astype(float)
    signs = np.array([CATALOGUE[name].orientation for name in names])
    slopes = np.array([-0.15, -0.05, 0.0])[:groups] + 0.05 * rng.normal(size=(len(names), groups))
    shared = 0.3 * rng.normal(size=patients)[person] + np.sqrt(0.4) * rng.normal(size=rows)
    table = pd.DataFrame({"patient": [f"P{i:03d}" for i in person], "group": [f"G{code}" for code in group], "x": x})
    for k, name in enumerate(names):
        own = 0.3 * rng.normal(size=patients)[person] + np.sqrt(0.6) * rng.normal(size=rows)
        table[name] = signs[k] * (0.05 * (k + 1)) * (slopes[k, group] * x - 0.4 + shared + own)
    return table, slopes, signs


def _frame(table: pd.DataFrame, names: tuple[str, ...], groups: int = 2, **keywords: Any) -> Frame:
    return Frame.from_table(
        table,
        outcomes=list(names),
        predictor="x",
        group="group",
        groups=[f"G{code}" for code in range(groups)],
        patient="patient",
        orientation={name: CATALOGUE[name].orientation for name in names if name in CATALOGUE},
        **keywords,
    )


def _holed(groups: int = 2, **keywords: Any) -> Frame:
    """Three structures with values missing here and there, one row with none at all, one patient with no row."""
    table, _, _ = _table(FEW, 14, 3, groups)
    rng = np.random.default_rng(4)
    table[list(FEW)] = table[list(FEW)].where(rng.uniform(size=(len(table), 3)) > 0.2)
    table.loc[5, list(FEW)] = np.nan
    return _frame(table, FEW, groups, **keywords).without_patient("P003")


def _point(graph: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: np.asarray(rng.normal(0, 0.6, np.shape(value))) for name, value in graph.initial_point().items()}


def _written_down(frame: Frame, point: dict[str, np.ndarray], *, centred: bool) -> float:
    """Log density: one multivariate normal of all values, missing ones included; priors one by one."""
    groups, structures = len(frame.groups), len(frame.outcomes)
    size = COEFS[groups]
    logs, odds = point["structure_sd_log__"], point["structure_partial_logodds__"]
    scale, sd, share = np.array([0.5, 0.37, 0.5, 0.37])[:size], np.exp(logs), expit(odds)
    root, shapes = np.eye(size), np.zeros(len(odds))
    for place, (i, j) in enumerate(zip(*np.tril_indices(size, -1), strict=True)):
        root[i, j] = (2 * share[place] - 1) * root[i, i]
        root[i, i] = np.sqrt(root[i, i] ** 2 - root[i, j] ** 2)
        shapes[place] = 2 + (size - 2 - j) / 2
    root = sd[:, None] * root
    log_prior = stats.halfnorm.logpdf(sd, scale=scale).sum() + logs.sum()
    log_prior += (stats.beta.logpdf(share, shapes, shapes) + np.log(share * (1 - share))).sum()

    side = {1: np.zeros((1, 0)), 2: np.array([[0.5], [-0.5]])}[groups][frame.group]
    x = frame.x_standardised[:, None]
    X = np.hstack([np.ones_like(x), x, side, x * side])
    drawn = point["structure_effects" if centred else "structure_raw"]
    own = drawn if centred else drawn @ root.T
    covariance = root @ root.T
    log_prior += (
        stats.multivariate_normal(np.zeros(size), covariance).logpdf(drawn).sum()
        if centred
        else stats.norm.logpdf(drawn).sum()
    )
    means = np.array([0.0, 0.1, 0.0, 0.0])[:size]
    whole = {1: [2.5, 0.37], 2: [2.5, 0.37 * np.sqrt(0.6), 1.0, 0.37 * np.sqrt(1.6)]}[groups]
    log_prior += stats.norm.logpdf(point["coefficients"], means, whole).sum()

    names = ("patient_sd", "patient_structure_sd", "interval_sd", "residual_sd")
    logs = np.array([point[f"{name}_log__"] for name in names])
    by_patient, by_both, by_row, left = sds = np.exp(logs)
    log_prior += stats.t.logpdf(sds, [4, 4, 4, 5], scale=[0.7, 0.7, 0.7, 2]).sum() + logs.sum() + 4 * np.log(2)

    fixed = X @ (point["coefficients"] + own).T
    if "covariates" in point:
        fixed = fixed + frame.covariates_standardised @ point["covariates"].T
        log_prior += stats.norm.logpdf(point["covariates"]).sum()
    y = (frame.y.to_numpy() - frame.scales.y_mean) / frame.scales.y_sd * [1, 1, -1][:structures]
    error = y - fixed
    kept = ~np.isnan(error).all(axis=1)
    error, person = error[kept], frame.patient[kept]
    error[np.isnan(error)] = point["missing_errors"]
    row, structure = np.nonzero(np.ones(error.shape))
    patient = person[row]
    same_patient, same_row = patient[:, None] == patient, row[:, None] == row
    same_structure = structure[:, None] == structure
    V = by_patient**2 * same_patient + by_both**2 * (same_patient & same_structure) + by_row**2 * same_row
    V = V + left**2 * np.eye(len(row))
    return log_prior + float(stats.multivariate_normal(np.zeros(len(row)), V).logpdf(error.ravel()))


def test_no_pooled_structure_contains_another() -> None:
    """A structure and its part would count the same tissue twice, and intervals would be too narrow."""
    assert set(POOLED) <= set(CATALOGUE)
    assert [] == [(a, b) for a in POOLED for b in POOLED if b in CATALOGUE[a].contains]
    assert "thalamus" in CATALOGUE["whole_brain"].contains


def test_outcomes_outside_the_list_are_left_out() -> None:
    """Composites, and own structures of unknown overlap, would be pooled with their own parts."""
    names = ("whole_brain", "thalamus", "my_nucleus", "caudate", "lateral_ventricle")
    table, _, _ = _table(FEW, 14, 3)
    table = table.assign(whole_brain=table["thalamus"] * 2, my_nucleus=table["thalamus"])
    frame = _frame(table, names)
    assert ("thalamus", "caudate", "lateral_ventricle") == pooled_outcomes(frame)
    kept = STRUCTURES_POOLED.frame(frame)
    assert FEW == kept.outcomes
    assert (1, 1, -1) == tuple(kept.orientation)
    np.testing.assert_array_equal(table[list(FEW)], kept.y)


def test_a_structure_the_study_redefines_is_left_out() -> None:
    """A thalamus with the caudate in it would be pooled with the caudate."""
    names = (*FEW, "putamen")
    table, _, _ = _table(names, 14, 3)
    frame = _frame(table, names, redefined=["caudate", "cortex"])
    assert ("thalamus", "lateral_ventricle", "putamen") == pooled_outcomes(frame)
    assert ("thalamus", "lateral_ventricle", "putamen") == STRUCTURES_POOLED.frame(frame).outcomes
    assert frame.digest != _frame(table, names).digest
    few = _frame(table, FEW, redefined=["caudate"])
    assert unpoolable(few, PRIORS) is not None
    assert unpoolable(_frame(table, FEW), PRIORS) is None


def test_too_few_structures_and_priors_in_raw_units_are_refused_with_the_reason() -> None:
    """Two structures say nothing about their spread; raw priors are as many priors as structures."""
    frame = _holed()
    assert unpoolable(frame, PRIORS) is None
    two = frame.select(np.arange(len(frame.x)), np.array([0, 1]))
    assert "2 structures" in str(unpoolable(two, PRIORS))
    assert "raw units" in str(unpoolable(frame, replace(PRIORS, raw=True)))
    with pytest.raises(ValueError, match="raw units"):
        STRUCTURES_POOLED.graph(frame, replace(PRIORS, raw=True))
    none = _frame(_table(FEW, 14, 3)[0].rename(columns={"thalamus": "mine"}), ("mine",))
    assert () == STRUCTURES_POOLED.frame(none).outcomes


@pytest.mark.parametrize(("groups", "centred", "covariates"), [(2, False, ()), (2, True, ()), (1, False, ("age",))])
def test_log_density_of_the_graph_is_one_multivariate_normal(
    groups: int, centred: bool, covariates: tuple[str, ...]
) -> None:
    """Integrated out wrongly, random intercepts give intervals of the wrong width, and no diagnostic shows it."""
    frame = _holed(groups)
    if covariates:
        age = xr.DataArray(np.linspace(-1, 2, len(frame.x))[:, None], dims=("row", "covariate"))
        scales = replace(frame.scales, covariate_mean=np.array([0.5]), covariate_sd=np.array([1.3]))
        frame = replace(frame, covariates=age.assign_coords(covariate=list(covariates)), scales=scales)
    graph = STRUCTURES_POOLED.graph(frame, PRIORS, centred=centred)
    density, rng = graph.compile_logp(mode=PYTHON), np.random.default_rng(2)
    points = [_point(graph, rng) for _ in range(20)]
    away = [density(point) - _written_down(frame, point, centred=centred) for point in points]
    assert 0 == pytest.approx(np.abs(away).max(), abs=1e-8)


def test_which_group_comes_first_does_not_matter() -> None:
    """A reference group would have the narrower prior, and results would hang on the order of labels."""
    frame = _holed()
    swapped = replace(frame, group=1 - frame.group, groups=frame.groups[::-1])
    one, other = (STRUCTURES_POOLED.graph(each, PRIORS) for each in (frame, swapped))
    point = _point(one, np.random.default_rng(3))
    turn = np.array([1, 1, -1, -1])
    turned = point | {
        "coefficients": point["coefficients"] * turn,
        "structure_raw": point["structure_raw"] * turn,
        "structure_partial_logodds__": point["structure_partial_logodds__"]
        * np.outer(turn, turn)[np.tril_indices(4, -1)],
    }
    expected, found = (graph.compile_logp(mode=PYTHON) for graph in (one, other))
    assert expected(point) == pytest.approx(float(found(turned)), rel=1e-12)


def test_three_groups_have_six_coefficients_and_all_pairs() -> None:
    """A third group would be silently left out."""
    frame = _holed(3)
    graph = STRUCTURES_POOLED.graph(frame, PRIORS)
    assert (3, 6) == graph.initial_point()["structure_raw"].shape
    mean, sd = STRUCTURES_POOLED.term_priors(frame, PRIORS)
    assert (3, 6) == mean.shape == sd.shape


def _draws(seed: int = 5) -> xr.Dataset:
    rng, shape = np.random.default_rng(seed), (2, 10)
    sds = ("patient_sd", "patient_structure_sd", "interval_sd", "residual_sd")
    return xr.Dataset(
        {
            "coefficients": (("chain", "draw", "coefficients_dim_0"), rng.normal(size=(*shape, 4))),
            "structure_sd": (("chain", "draw", "structure_sd_dim_0"), rng.uniform(0.1, 1, (*shape, 4))),
            "structure_partial": (("chain", "draw", "structure_partial_dim_0"), rng.uniform(0.1, 0.9, (*shape, 6))),
            "structure_raw": (
                ("chain", "draw", "structure_raw_dim_0", "structure_raw_dim_1"),
                rng.normal(size=(*shape, 3, 4)),
            ),
        }
        | {name: (("chain", "draw"), rng.uniform(0.1, 1, shape)) for name in sds}
    )


def test_terms_are_common_plus_own_slopes_in_natural_sign_and_raw_units() -> None:
    """The ventricle would seem to shrink with lesions, or the slopes be those of an average structure."""
    frame, draws = _holed(predictor_unit=2.0), _draws()
    terms = STRUCTURES_POOLED.terms(draws, frame, PRIORS)
    sd, share = (draws[name].to_numpy()[1, 4] for name in ("structure_sd", "structure_partial"))
    root = np.eye(4)
    for place, (i, j) in enumerate(zip(*np.tril_indices(4, -1), strict=True)):
        root[i, j] = (2 * share[place] - 1) * root[i, i]
        root[i, i] = np.sqrt(root[i, i] ** 2 - root[i, j] ** 2)
    root *= sd[:, None]
    for k, (name, sign) in enumerate(zip(FEW, (1, 1, -1), strict=True)):
        own = draws["coefficients"].to_numpy()[1, 4] + root @ draws["structure_raw"].to_numpy()[1, 4, k]
        unit = sign * frame.scales.y_sd[k] / 2
        found = terms.isel(chain=1, draw=4).sel(outcome=name)
        assert (own[1] + own[3] / 2) * unit == pytest.approx(found.sel(term="slope[G0]").item())
        assert (own[1] - own[3] / 2) * unit == pytest.approx(found.sel(term="slope[G1]").item())
        assert own[3] * unit == pytest.approx(found.sel(term="interaction").item())


def test_sds_are_in_the_units_of_each_structure() -> None:
    """A residual SD in SDs under a heading in per cent would be wrong by the factor of the outcome's SD."""
    frame, draws = _holed(predictor_unit=2.0), _draws()
    sds = STRUCTURES_POOLED.sds(draws, frame, PRIORS).sel(outcome="caudate")
    unit = frame.scales.y_sd[1]
    np.testing.assert_allclose(draws["interval_sd"] * unit, sds.sel(sd="interval_sd"))
    between = draws["structure_sd"].to_numpy()
    np.testing.assert_allclose(between[..., 1] * unit / 2, sds.sel(sd="structure_sd[x]"))
    np.testing.assert_allclose(between[..., 0] * unit, sds.sel(sd="structure_sd[Intercept]"))


@pytest.mark.parametrize("size", [2, 4, 6])
def test_correlations_between_effects_are_lkj_a_priori(size: int) -> None:
    """Shapes in the wrong order would favour correlations of one pair of effects over another's."""
    rng, shapes = np.random.default_rng(size), lkj_shapes(size, 2.0)
    partial = np.zeros((20_000, size, size))
    partial[(..., *np.tril_indices(size, -1))] = 2 * rng.beta(shapes, shapes, (20_000, len(shapes))) - 1
    root = correlation_root(partial, np)
    found = root @ np.swapaxes(root, 1, 2)
    np.testing.assert_allclose(1, np.diagonal(found, axis1=1, axis2=2))
    # the marginal of every correlation under LKJ(2)
    marginal = stats.beta(1 + size / 2, 1 + size / 2, loc=-1, scale=2).cdf
    for i, j in zip(*np.tril_indices(size, -1), strict=True):
        assert stats.kstest(found[:, i, j], marginal).pvalue > 1e-4


def test_priors_of_terms_are_not_called_normal() -> None:
    """A Bayes factor from a normal prior would be of another model."""
    mean, sd = STRUCTURES_POOLED.term_priors(_holed(), replace(PRIORS, slope_mean=0.0))
    assert (mean == 0).all()
    assert np.isnan(sd).all()


@pytest.mark.slow
def test_known_slopes_are_recovered_and_the_fit_passes_its_gate() -> None:
    """A model that does not mix on a cohort like the paper's would be refused in every report."""
    table, slopes, signs = _table(POOLED, 52, 1)
    table.loc[3:8, "accumbens"] = np.nan
    frame = _frame(table, POOLED)
    settings = Settings(target_accept=0.95, jobs=2)
    found = fit(STRUCTURES_POOLED, frame, Priors(), engine="nutpie", settings=settings)
    assert () == found.verdict.reasons
    truth = slopes * (signs * 0.05 * (np.arange(len(POOLED)) + 1))[:, None]
    miss = np.abs(truth - found.marginals.mean()[:, :2]) / found.marginals.sd()[:, :2]
    assert miss.max() < 4
    # a posterior as wide as the prior would hold every truth
    assert (found.marginals.sd()[:, :2] < 0.3 * 0.5 * frame.slope_scale[:, None]).all()
