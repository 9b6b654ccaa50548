"""Which structures a study gets."""

from __future__ import annotations

import math

import pytest

from atrobayes.data_prep.structures import CATALOGUE, PAPER, resolve_structures
from atrobayes.errors import StudyError

from .conftest import Tree

OWN = '[structures]\nbasal = {{ sum = ["Left-Caudate", "Right-Caudate", "Left-Putamen", "Right-Putamen"] }}\n{}'


def chosen(tree: Tree, choice: str, own: str = "") -> list[str]:
    tree.settings = f'[data]\nsubjects_dir = "fs"\nstructures = {choice}\n{own}'
    return [structure.id for structure in resolve_structures(tree.study())]


def test_paper_all_and_lists_give_what_they_say_in_order(tree: Tree) -> None:
    """A study would report other structures than it asked for."""
    assert list(PAPER) == chosen(tree, '"paper"')
    rests = [name for name, structure in CATALOGUE.items() if structure.remainder]
    assert ["whole_brain_rest", "total_gm_rest", "dgm_rest"] == rests
    assert [name for name in CATALOGUE if name not in rests] == chosen(tree, '"all"')
    assert ["putamen", "cortex"] == chosen(tree, '["putamen", "cortex"]')


def test_own_structures_follow_the_named_sets_and_may_be_listed(tree: Tree) -> None:
    """A user's own structure would be ignored."""
    assert [*PAPER, "basal"] == chosen(tree, '"paper"', OWN.format(""))
    assert ["basal"] == chosen(tree, '["basal"]', OWN.format(""))


def test_own_structure_knows_what_it_holds_and_what_holds_it(tree: Tree) -> None:
    """Nested structures would be pooled as if they were disjoint."""
    chosen(tree, '"all"', OWN.format(""))
    found = {structure.id: structure for structure in resolve_structures(tree.study())}
    assert ("caudate", "putamen") == found["basal"].contains
    assert {"whole_brain", "dgm", "total_gm"} == {name for name, item in found.items() if "basal" in item.contains}


def test_containment_is_transitive() -> None:
    """A part's part would be pooled beside the whole."""
    for structure in CATALOGUE.values():
        for inner in structure.contains:
            assert set(CATALOGUE[inner].contains) <= set(structure.contains)


def test_all_wrong_names_are_reported_at_once_with_the_nearest(tree: Tree) -> None:
    """The user would mend one name, run again, and meet the next."""
    with pytest.raises(StudyError) as caught:
        chosen(tree, '["thalamos", "cortex", "cortex"]', OWN.format('putamen = { sum = ["Left-Putamen"] }'))
    text = str(caught.value)
    assert 3 == len(caught.value.faults)
    assert "did you mean 'thalamus'?" in text
    assert "'cortex' twice" in text
    assert "structures.putamen" in text


def test_only_the_ventricle_grows_with_atrophy() -> None:
    """Pooled effects would cancel."""
    assert ["lateral_ventricle"] == [name for name, item in CATALOGUE.items() if item.orientation == -1]


def test_every_named_structure_has_a_plausible_range_and_no_other_has(tree: Tree) -> None:
    """A study in another unit would pass, or a remainder be held against a range that nobody knows."""
    unknown = (0.0, math.inf)
    assert [name for name, item in CATALOGUE.items() if item.remainder] == [
        name for name, item in CATALOGUE.items() if item.volume_mm3 == unknown
    ]
    assert (5000.0, 30_000.0) == CATALOGUE["thalamus"].volume_mm3
    assert ["dgm"] == [name for name, item in CATALOGUE.items() if item.implausible]
    assert CATALOGUE["dgm"].implausible.endswith("or redefine it as a sum of nuclei")
    own = 'caudate = { sum = ["Left-Caudate"], redefine = true }'
    chosen(tree, '["basal", "caudate"]', OWN.format(own))
    assert [unknown, unknown] == [item.volume_mm3 for item in resolve_structures(tree.study())]
