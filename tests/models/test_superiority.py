"""Probability of superiority against simulation of its definition: Y1 > Y0 for a row with activity and one without."""

from __future__ import annotations

import numpy as np
import pytest

from atrobayes.models.marginals import Mixture
from atrobayes.models.superiority import of_draws, of_mixture

SIZE = 1_000_000
# probabilities found among SIZE independent pairs: 4.5 standard errors
CLOSE = 4.5 * 0.5 / np.sqrt(SIZE)


def simulated(
    difference: np.ndarray, patient_sd: np.ndarray, residual_sd: np.ndarray, nu: np.ndarray | None, seed: int
) -> tuple[float, float]:
    """Share of pairs in which the row with activity is larger: of two patients, and of one. Arrays (pair,)."""
    rng = np.random.default_rng(seed)

    def error() -> np.ndarray:
        return residual_sd * (rng.normal(size=SIZE) if nu is None else rng.standard_t(nu))

    patients = [patient_sd * rng.normal(size=SIZE) for _ in range(2)]
    between = difference + patients[0] + error() > patients[1] + error()
    within = difference + error() > error()
    return float(between.mean()), float(within.mean())


def test_mixture_gives_what_drawing_two_rows_gives() -> None:
    """Years with a relapse would be said to be worse more often, or less often, than they are."""
    # two nodes, two structures of other scales, the difference in raw units and the SDs standardised
    weight = np.array([[0.3, 0.7], [0.5, 0.5]])
    loc = np.array([[[0.8, -0.1]], [[-3.0, 5.0]]])
    scale = np.array([[[0.2, 0.6]], [[2.0, 0.5]]])
    sds = np.array([[[0.9, 0.2], [0.5, 1.1]], [[0.1, 1.5], [0.7, 0.9]]])
    y_sd = np.array([0.5, 4.0])
    between, within = of_mixture(Mixture(("a", "b"), ("difference",), weight, loc, scale, sds), y_sd)
    rng = np.random.default_rng(1)
    for o in range(2):
        node = rng.choice(2, p=weight[o], size=SIZE)
        theta = rng.normal(loc[o, 0][node], scale[o, 0][node])
        found = simulated(theta, y_sd[o] * sds[o, 0][node], y_sd[o] * sds[o, 1][node], None, 2 + o)
        assert abs(found[0] - between[o]) < CLOSE
        assert abs(found[1] - within[o]) < CLOSE


def test_without_patient_effects_both_probabilities_are_one() -> None:
    """A comparison of groups has no patients to draw anew."""
    alone = Mixture(("a",), ("difference",), np.ones((1, 1)), np.full((1, 1, 1), 0.7), np.full((1, 1, 1), 0.3),
                    np.full((1, 1, 1), 0.8))  # fmt: skip
    between, within = of_mixture(alone, np.ones(1))
    assert within[0] == between[0]
    rng = np.random.default_rng(3)
    found = simulated(rng.normal(0.7, 0.3, SIZE), np.zeros(SIZE), np.full(SIZE, 0.8), None, 4)[0]
    assert abs(found - between[0]) < CLOSE


@pytest.mark.parametrize("nu", [None, 1.5, 4.0, 30.0])
def test_draws_give_what_drawing_two_rows_gives(nu: float | None) -> None:
    """The headline comparison, with Student-t errors, would state another probability than its definition."""
    rng = np.random.default_rng(5)
    draws = 200
    difference = rng.normal(0.8, 0.5, draws)
    patient, residual = np.abs(rng.normal(0.6, 0.2, draws)), np.abs(rng.normal(0.9, 0.2, draws)) + 0.05
    shapes = None if nu is None else nu * rng.uniform(0.8, 1.5, draws)
    ours = of_draws(difference, patient, residual, shapes)
    which = np.arange(SIZE) % draws
    own = None if shapes is None else shapes[which]
    found = simulated(difference[which], patient[which], residual[which], own, 6)
    # the errors' gamma factors are integrated by 16 points each: good to 2e-4
    assert np.abs(np.subtract(found, ours)).max() < CLOSE + (0 if nu is None else 2e-4)


def test_no_difference_is_a_coin_and_the_opposite_difference_is_the_complement() -> None:
    """One of the two states would win by its name."""
    rng = np.random.default_rng(7)
    difference, patient = rng.normal(size=50), np.abs(rng.normal(size=50))
    residual, nu = np.abs(rng.normal(size=50)), rng.uniform(2, 40, 50)
    for shapes in (None, nu):
        np.testing.assert_allclose(of_draws(np.zeros(50), patient, residual, shapes), 0.5, rtol=1e-12)
        plus, minus = (of_draws(sign * difference, patient, residual, shapes) for sign in (1, -1))
        np.testing.assert_allclose(np.add(plus, minus), 1, rtol=1e-12)


def test_student_errors_of_many_degrees_of_freedom_are_normal_ones() -> None:
    """The two likelihoods would disagree where they are the same."""
    difference, patient, residual = np.array([0.4]), np.array([0.3]), np.array([0.7])
    normal = of_draws(difference, patient, residual, None)
    np.testing.assert_allclose(normal, of_draws(difference, patient, residual, np.array([1e6])), rtol=1e-5)


def test_draws_of_a_normal_model_agree_with_its_mixture() -> None:
    """The probability would depend on the engine."""
    rng = np.random.default_rng(8)
    mixture = Mixture(("a",), ("difference",), np.ones((1, 1)), np.full((1, 1, 1), 0.6), np.full((1, 1, 1), 0.4),
                      np.array([[[0.5], [0.9]]]))  # fmt: skip
    size = 20_000
    drawn = of_draws(rng.normal(0.6, 0.4, size), np.full(size, 0.5), np.full(size, 0.9), None)
    exact = [values[0] for values in of_mixture(mixture, np.ones(1))]
    # SD of one draw's probability is below 0.15: standard error about 1e-3
    np.testing.assert_allclose(exact, drawn, atol=4.5e-3)
