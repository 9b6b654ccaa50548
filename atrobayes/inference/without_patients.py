"""What is left of a fit's data when patients are taken out: the scales, so the priors, stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from atrobayes.inference.engines.quadrature.exact import Problem, problems
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors


@dataclass(frozen=True)
class PatientRows:
    """A problem with the rows that it was gathered from.

    Attributes
    ----------
    problem : Problem
        With everybody.
    y : ndarray (row, outcome)
        Standardised, without missing values.
    patient : ndarray of int (row,)
        Codes into the frame's patients.
    """

    problem: Problem
    y: np.ndarray
    patient: np.ndarray

    @property
    def linear(self) -> Linear:
        """Design and priors of all rows."""
        return self.problem.linear

    @cached_property
    def patients(self) -> np.ndarray:
        """Codes of the patients who have rows, in order."""
        return np.unique(self.patient)

    def of(self, outcome: int) -> PatientRows:
        """One outcome of the problem, by its place there."""
        whole, at = self.problem, np.array([outcome])
        sums = replace(whole.sums, xy=whole.sums.xy[:, at], yy=whole.sums.yy[:, at])
        names, scale = (whole.names[outcome],), whole.slope_scale[at]
        one = replace(whole, outcomes=whole.outcomes[at], names=names, sums=sums, slope_scale=scale)
        return replace(self, problem=one, y=self.y[:, at])

    def left(self, out: Collection[int]) -> np.ndarray:
        """Rows (boolean) of everybody but some patients."""
        return ~np.isin(self.patient, list(out))

    def without(self, out: Collection[int]) -> Problem:
        """Take some patients out, not all.

        Parameters
        ----------
        out : collection of int
            Their codes.

        Notes
        -----
        Gathering the rows that are left takes a tenth of the time of integrating them, and is exact where
        subtracting sums would cancel.
        """
        rows = self.left(out)
        given = self.linear
        patient = None if given.patient is None else given.patient[rows]
        linear = replace(given, X=given.X[rows], patient=patient, residual_block=given.residual_block[rows])
        sums = gather(linear.X, self.y[rows], linear.patient, linear.residual_block)
        return replace(self.problem, linear=linear, sums=sums)

    def estimable(self, out: Collection[int]) -> np.ndarray:
        """(term,): whether the data of those left say anything of a term, or prior and other groups alone do."""
        return estimable(self.linear.X[self.left(out)], self.linear.contrasts)


def by_patient(model: Model, frame: Frame, priors: Priors) -> list[PatientRows]:
    """Split a frame into problems that patients can be taken out of; those of a single patient are left out.

    Parameters
    ----------
    model : Model
        One that quadrature serves.
    frame : Frame
    priors : Priors
    """
    present = ~np.isnan(frame.y.to_numpy())
    found = []
    for problem in problems(model, frame, priors):
        rows = present[:, problem.outcomes[0]]
        y = frame.y_standardised[rows][:, problem.outcomes]
        found.append(PatientRows(problem, y, frame.patient[rows]))
    return [one for one in found if len(one.patients) > 1]


def estimable(X: np.ndarray, contrasts: np.ndarray) -> np.ndarray:
    """Whether least squares could estimate each contrast (term, coef) of the coefficients of a design (row, coef).

    A contrast can be estimated if it is a combination of the rows: not the slope of a group without rows, or
    whose rows all have the same predictor.
    """
    length = np.sqrt((X**2).sum(axis=0))
    scale = np.where(length > 0, length, 1.0)
    _, size, right = np.linalg.svd(X / scale, full_matrices=False)
    basis = right[size > 1e-10 * size.max()]
    wanted = contrasts / scale
    rest = wanted - wanted @ basis.T @ basis
    return np.asarray(np.linalg.norm(rest, axis=1) < 1e-6 * np.linalg.norm(wanted, axis=1))


@dataclass(frozen=True)
class Contributions:
    """What each patient adds to precision and weighted data, given the SDs, of one outcome.

    Attributes
    ----------
    patients : ndarray of int (patient,)
        Codes.
    linear : Linear
        Priors and blocks.
    block : ndarray of int (patient,)
        Residual block of a patient's rows.
    count : ndarray (patient,)
        Rows.
    xx, x : ndarray (patient, coef, coef), (patient, coef)
        Cross-products and sums of the design's rows.
    xy, y : ndarray (patient, coef), (patient,)
        The same with the outcome.
    """

    patients: np.ndarray
    linear: Linear
    block: np.ndarray
    count: np.ndarray
    xx: np.ndarray
    x: np.ndarray
    xy: np.ndarray
    y: np.ndarray

    @classmethod
    def of(cls, rows: PatientRows) -> Contributions:
        """Of a problem with one outcome."""
        each = [rows.patient == code for code in rows.patients]
        X, y = rows.linear.X, rows.y[:, 0]
        return cls(
            rows.patients,
            rows.linear,
            np.array([rows.linear.residual_block[own][0] for own in each]),
            np.array([own.sum() for own in each], dtype=float),
            np.array([X[own].T @ X[own] for own in each]),
            np.array([X[own].sum(axis=0) for own in each]),
            np.array([X[own].T @ y[own] for own in each]),
            np.array([y[own].sum() for own in each]),
        )

    def without_one_more(
        self, sds: np.ndarray, out: Sequence[int], contrast: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take out one more of those who are left, the SDs held.

        Parameters
        ----------
        sds : ndarray (sd,)
            Patient SD first if the model has one, then the residual SDs.
        out : sequence of int
            Codes of those already out.
        contrast : ndarray (coef,)

        Returns
        -------
        candidates : ndarray of int (candidate,)
            Codes.
        mean, sd : ndarray (candidate,)
            Of the contrast, standardised, without that patient too.
        """
        precision, shift = self._given(sds)
        left = ~np.isin(self.patients, out)
        prior = np.diag(1 / self.linear.prior_sd**2)
        whole = prior + precision[left].sum(axis=0) - precision[left]
        data = prior @ self.linear.prior_mean + shift[left].sum(axis=0) - shift[left]
        solved = np.linalg.solve(whole, np.broadcast_to(contrast, data.shape)[..., None])[..., 0]
        return self.patients[left], (solved * data).sum(axis=1), np.sqrt(solved @ contrast)

    def _given(self, sds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X' V⁻¹ X (patient, coef, coef) and X' V⁻¹ y (patient, coef) of every patient."""
        shared = sds[0] ** 2 if self.linear.patient is not None else 0.0
        own = sds[0 if self.linear.patient is None else 1 :][self.block] ** 2
        # the inverse of own I + shared 11'
        taken = (shared / (own + self.count * shared))[:, None]
        precision = self.xx - taken[..., None] * self.x[:, :, None] * self.x[:, None, :]
        shift = self.xy - taken * self.x * self.y[:, None]
        return precision / own[:, None, None], shift / own[:, None]
