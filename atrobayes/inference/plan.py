"""Which models and which classical procedures answer the question of each kind of frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from atrobayes.models.coding import term_weights
from atrobayes.models.frame import Frame


@dataclass(frozen=True)
class Plan:
    """What is fitted to a frame.

    Attributes
    ----------
    models : tuple of str
        Keys of the models' CATALOGUE, the headline first.
    also_without_groups : bool
        Fit the models once more to all rows as one group: slope[ALL].
    """

    models: tuple[str, ...]
    also_without_groups: bool = False


PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "mixed": Plan(("mixed", "mixed_robust", "structures_pooled"), also_without_groups=True),
        "regression": Plan(("regression", "regression_robust"), also_without_groups=True),
        "comparison": Plan(("comparison", "comparison_normal")),
        "groups": Plan(("groups", "groups_normal")),
        "counts": Plan(("counts",)),
        "scores": Plan(("ordinal",)),
    }
)


# kind → the model that quadrature integrates: what variants of a fit are computed with, a thousand times over
GAUSSIAN: Mapping[str, str] = MappingProxyType(
    {"mixed": "mixed", "regression": "regression", "comparison": "comparison_normal", "groups": "groups_normal"}
)


def parts(frame: Frame) -> tuple[Frame, ...]:
    """Frames to fit: as it is, and without groups where slopes of all rows together are asked for."""
    grouped = len(term_weights(frame.groups)) > 1
    return (frame, frame.without_groups()) if PLANS[frame.kind].also_without_groups and grouped else (frame,)
