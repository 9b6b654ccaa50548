"""The linear models as Bambi writes them from a formula: a second way to the same log density."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.priors import HalfStudentT, Priors


def bambi_model(model: LinearModel, frame: Frame, priors: Priors) -> Any:
    """Write a linear model of the frame's first outcome as a Bambi model.

    Parameters
    ----------
    model : LinearModel
    frame : Frame
        Without missing values in its first outcome.
    priors : Priors

    Returns
    -------
    bambi.Model
        Built; `backend.model` is its PyMC graph. Data are those of `LinearModel.data`: standardised, groups as
        symmetric columns. Patients without rows have no intercept here.

    Raises
    ------
    ValueError
        If the model has a residual SD for each group.
    """
    import bambi as bmb

    linear = model.whole(frame, priors)
    first = 0 if linear.patient is None else 1
    if len(linear.sd_priors) - first > 1:
        raise ValueError(
            f"{model.name}: Bambi models the logarithm of a residual SD that differs by group, and cannot put"
            " half-Student-t priors on the SDs themselves"
        )
    own = {
        name: bmb.Prior("Normal", mu=float(mean), sigma=float(sd))
        for name, mean, sd in zip(linear.coefs, linear.prior_mean, linear.prior_sd, strict=True)
    }
    own["sigma"] = _half_student(linear.sd_priors[first])
    if linear.patient is not None:
        own["1|patient"] = bmb.Prior("Normal", mu=0, sigma=_half_student(linear.sd_priors[0]))
    if model.family == "t":
        own["nu"] = bmb.Prior("Gamma", alpha=priors.nu_shape, beta=priors.nu_rate)
    with _quiet():
        written = bmb.Model(
            _formula(linear), _table(linear, frame), priors=own, family=model.family, center_predictors=False
        )
        written.build()
    return written


def _formula(linear: Linear) -> str:
    # names of covariates need not be words; a colon makes a product of columns
    names = [name if ":" in name else f"`{name}`" for name in linear.coefs[1:]]
    return " + ".join(["y ~ 1", *names, *["(1|patient)"] * (linear.patient is not None)])


def _table(linear: Linear, frame: Frame) -> Any:
    """Columns of the design that are no products of others, the outcome and the patients."""
    import pandas as pd

    columns = {name: linear.X[:, k] for k, name in enumerate(linear.coefs) if k and ":" not in name}
    table = pd.DataFrame({"y": frame.y_standardised[:, 0]} | columns)
    return table if linear.patient is None else table.assign(patient=pd.Categorical(linear.patient))


def _half_student(prior: HalfStudentT) -> Any:
    import bambi as bmb

    return bmb.Prior("HalfStudentT", nu=prior.nu, sigma=prior.scale)


@contextmanager
def _quiet() -> Iterator[None]:
    """Bambi looks for string columns in a way pandas warns about; nothing of ours is to be warned of."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*select_dtypes.*")
        warnings.filterwarnings("ignore", message=".*'object' dtype.*")
        yield
