"""The PyMC graph of a linear model: one for all designs, so that one compilation serves them.

Every number is `pm.Data`. Bambi writes the same models from formulas (`models.bambi`); a test holds
the two log densities equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def build_graph(data: dict[str, np.ndarray], patients: int, family: str, *, centred: bool = False) -> Any:
    """Build the graph.

    Parameters
    ----------
    data : dict of str to ndarray
        As `LinearModel.data` gives it; with a patient effect if it holds `patient`.
    patients : int
        Number of random intercepts.
    family : str
        "gaussian" or "t".
    centred : bool
        Patients' intercepts drawn as they are (True) or as multiples of the patient SD (False): the same
        model; which one is easier to sample depends on the data.

    Returns
    -------
    pymc.Model
        Free variables coefficients (coef,), residual_sd (block,), and, where the model has them,
        patient_sd, nu and the patients' intercepts.
    """
    import pymc as pm

    with pm.Model() as graph:
        held = {name: pm.Data(name, values) for name, values in data.items()}
        coefs, blocks = len(data["prior_mean"]), len(data["residual_prior"])
        beta = pm.Normal("coefficients", held["prior_mean"], held["prior_sd"], shape=coefs)
        residual_prior = held["residual_prior"]
        sigma = pm.HalfStudentT("residual_sd", nu=residual_prior[:, 0], sigma=residual_prior[:, 1], shape=blocks)
        mean = held["X"] @ beta
        if "patient" in data:
            mean = mean + _intercepts(held, patients, centred)[held["patient"]]
        errors = {"mu": mean, "sigma": sigma[held["block"]], "observed": held["y"]}
        if family == "t":
            nu = pm.Gamma("nu", alpha=held["nu_prior"][0], beta=held["nu_prior"][1])
            pm.StudentT("response", nu=nu, **errors)
        else:
            pm.Normal("response", **errors)
    return graph


def _intercepts(held: dict[str, Any], patients: int, centred: bool) -> Any:
    import pymc as pm

    tau = pm.HalfStudentT("patient_sd", nu=held["patient_prior"][0], sigma=held["patient_prior"][1])
    if centred:
        return pm.Normal("intercepts", 0, tau, shape=patients)
    return tau * pm.Normal("intercepts_raw", 0, 1, shape=patients)
