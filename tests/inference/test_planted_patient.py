"""One influential patient planted in 200 simulated studies: is that patient the one who is named?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of

from atrobayes.inference.estimate import Choices
from atrobayes.inference.influence import look
from atrobayes.models.frame import Frame
from atrobayes.study import Sensitivity

# chosen before the first look
SEED = 52_019
DESIGNS, STUDIES_OF_EACH = 20, 10  # 200 studies; those of one design are fitted together, which takes a third
NAMED_IN = 0.95

SIZES = {"CLAD": 33, "ALEM": 19}
YEARS = (0.1, 0.25, 0.65)  # shares of patients with one, two and three usable patient-years
PATIENT_SD, RESIDUAL_SD = 0.5, 1.0
SLOPES = {"CLAD": -0.2, "ALEM": 0.0}
LESIONS = {
    "n": 0.3,
    "p": 0.3,
}  # of a negative binomial: mean 0.7 a year, nearly three quarters of the years without any
# the planted patient: three years with as many lesions each, and changes so many residual SDs below expectation
PLANTED_YEARS, PLANTED_LESIONS, PLANTED_SDS = 3, 12.0, 5.0


def studies() -> Iterator[tuple[Frame, str, str]]:
    """Studies laid out like the paper's, as outcomes of one frame a design, the patient planted there and their group.

    A design: one to three patient-years a patient, lesion counts negative binomial, and one patient, drawn at random
    from all, who gets three years with PLANTED_LESIONS lesions each. Its studies: changes are patient effect + slope
    of the group times lesions + error, all normal; in every year of theirs the planted patient loses PLANTED_SDS
    residual SDs more than that: far out in the predictor, and off along the slope.
    """
    group = np.repeat(list(SIZES), list(SIZES.values()))
    labels = np.array([f"P{code:02d}" for code in range(len(group))])
    for number in range(DESIGNS):
        rng = np.random.default_rng([SEED, number])
        years = rng.choice([1, 2, 3], size=len(group), p=YEARS)
        chosen = int(rng.integers(len(group)))
        years[chosen] = PLANTED_YEARS
        patient = np.repeat(np.arange(len(group)), years)
        x = rng.negative_binomial(size=len(patient), **LESIONS).astype(float)
        x[patient == chosen] = PLANTED_LESIONS
        slope = np.array([SLOPES[label] for label in group])[patient]
        off = np.where(patient == chosen, PLANTED_SDS * RESIDUAL_SD, 0.0)
        names = [f"y{k}" for k in range(STUDIES_OF_EACH)]
        effects = PATIENT_SD * rng.normal(size=(len(group), len(names)))[patient]
        errors = RESIDUAL_SD * rng.normal(size=(len(patient), len(names)))
        y = (-0.5 + slope * x - off)[:, None] + effects + errors
        table = pd.DataFrame({"patient": labels[patient], "group": group[patient], "x": x}).join(
            pd.DataFrame(y, columns=names)
        )
        yield frame_of(table), str(labels[chosen]), str(group[chosen])


@pytest.mark.slow
def test_the_planted_patient_is_named_in_at_least_95_percent_of_studies() -> None:
    """Whoever looks for the patient who carries a result would be shown somebody else."""
    named, studied = 0, 0
    for frame, planted, group in studies():
        rows = look(frame, Choices(), Sensitivity())
        for _, own in rows[rows["term"] == f"slope[{group}]"].groupby("structure"):
            named += own["patient"].iloc[int(own["shift"].abs().to_numpy().argmax())] == planted
            studied += 1
    assert DESIGNS * STUDIES_OF_EACH == studied
    assert named >= NAMED_IN * studied, named
