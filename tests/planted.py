"""Studies with a known truth in one cohort: each 'structure' is a study of its own on the same patients and lesions."""

from __future__ import annotations

import numpy as np
import xarray as xr


def planted_cohort(cohort: xr.Dataset, effects: np.ndarray, seed: int) -> xr.Dataset:
    """Give a cohort other structures, whose yearly changes depend on new T2 lesions by known slopes.

    Parameters
    ----------
    cohort : Dataset
        Whose patients, visits, lesions and missing scans are kept.
    effects : ndarray (structure,)
        True change for one lesion found at the closing visit, in residual SDs; half of it for one found at the opening
        visit, so that the effect is there whichever visit lesions are counted at.
    seed : int

    Notes
    -----
    A year's change in % of eTIV is -0.005 + 0.01 (effect · (closing + opening / 2) + 0.4 · patient + error), patient
    and error standard normal; an unknown lesion count stands as 0 in the truth, and its row is not analysed.
    """
    rng = np.random.default_rng(seed)
    names = [f"study{place:03d}" for place in range(len(effects))]
    patient = cohort["record_patient"].to_numpy()
    share = np.full((len(patient), len(effects)), np.nan)
    for who in dict.fromkeys(patient.tolist()):
        own = np.flatnonzero(patient == who)
        own = own[np.argsort(cohort["visit"].to_numpy()[own])]
        lesions = np.nan_to_num(cohort["new_t2"].to_numpy()[own])[:, None]
        before = np.vstack([np.zeros((1, 1)), lesions[:-1]])
        change = (
            effects * (lesions + before / 2)
            + 0.4 * rng.normal(size=len(effects))
            + rng.normal(size=(len(own), len(effects)))
        )
        change[0] = 0.0
        share[own] = 1.0 + np.cumsum(-0.005 + 0.01 * change, axis=0)
    kept = cohort.drop_dims("structure")
    volume = share / 100 * cohort["etiv"].to_numpy()[:, None]
    return kept.assign_coords(structure=names).assign(
        volume=(("record", "structure"), volume, {"units": "mm^3"}),
        orientation=("structure", np.ones(len(names))),
        redefined=("structure", np.zeros(len(names), dtype=bool)),
    )
