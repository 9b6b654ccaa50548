"""Which structures a study gets."""

from __future__ import annotations

import math

import pytest

from atrobayes.data_prep.prepare import prepare
from atrobayes.data_prep.structures import CATALOGUE, PAPER, Structure, resolve_structures
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


def resolved(tree: Tree, choice: str, own: str) -> dict[str, Structure]:
    chosen(tree, choice, f"[structures]\n{own}")
    return {structure.id: structure for structure in resolve_structures(tree.study())}


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


def test_own_composites_contain_at_any_depth(tree: Tree) -> None:
    """A nucleus would pass for disjoint with a sum that holds it."""
    own = """deep = { sum = ["dgm", "CortexVol"] }
    deeper = { sum = ["deep", "total_wm"] }
    grey = { sum = ["thalamus", "cortex"] }"""
    found = resolved(tree, '"all"', own)
    assert {"dgm", "cortex", "grey", *CATALOGUE["dgm"].contains} == set(found["deep"].contains)
    assert {"deep", "total_wm", *found["deep"].contains} == set(found["deeper"].contains)


def test_equal_sums_nest_in_neither(tree: Tree) -> None:
    """Each would lie inside the other, and so inside itself."""
    own = """twin = { sum = ["Right-Caudate", "Left-Caudate"] }
    grey = { sum = ["TotalGrayVol"] }
    more = { sum = ["TotalGrayVol", "Brain-Stem"] }"""
    found = resolved(tree, '"all"', own)
    assert () == found["twin"].contains == found["caudate"].contains
    assert "grey" not in found["total_gm"].contains
    assert set(found["total_gm"].contains) == set(found["grey"].contains)
    assert {"grey", "total_gm"} <= set(found["more"].contains)
    assert "more" not in {*found["grey"].contains, *found["total_gm"].contains}


def test_a_sum_that_takes_something_off_contains_nothing_and_lies_in_nothing(tree: Tree) -> None:
    """What was taken off would still be said to lie inside."""
    own = """outer = { sum = ["cerebellum", "thalamus"], minus = ["cerebellar_cortex"] }
    inner = { sum = ["Left-Caudate"], minus = ["Right-Caudate"] }"""
    found = resolved(tree, '"all"', own)
    assert () == found["outer"].contains
    assert [] == [name for name, item in found.items() if {"outer", "inner"} & set(item.contains)]


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ('sum = ["thalamus", "Left-Thalamus"]', "'Left-Thalamus' counted twice"),
        ('sum = ["thalamus", "Left-Thalamus-Proper"]', "'Left-Thalamus-Proper' counted twice"),
        ('sum = ["dgm"], minus = ["caudate", "Right-Caudate"]', "'Right-Caudate' counted twice"),
        ('sum = ["dgm_rest"], minus = ["Left-Caudate"]', "'Left-Caudate' counted twice"),
    ],
)
def test_a_sum_that_counts_a_name_twice_is_a_fault(tree: Tree, terms: str, names: str) -> None:
    """A volume would be half too large."""
    with pytest.raises(StudyError) as caught:
        resolved(tree, '"paper"', f"twice = {{ {terms} }}")
    assert 1 == len(caught.value.faults)
    assert names in str(caught.value)
    assert "structures.twice" in str(caught.value)


def test_a_name_added_and_taken_off_is_no_fault(tree: Tree) -> None:
    """White matter of the cerebellum could not be had as the difference that it is."""
    own = 'white = { sum = ["cerebellum"], minus = ["cerebellar_cortex"] }'
    assert 6 == len(resolved(tree, '["white"]', own)["white"].terms)


def test_a_redefined_structure_outside_the_chosen_set_is_measured_like_other_own_ones(tree: Tree) -> None:
    """The user would define a structure and find it nowhere."""
    own = """pallidum = { sum = ["Left-Pallidum"], redefine = true }
    cortex = { sum = ["CortexVol"], redefine = true }"""
    found = resolved(tree, '"paper"', own)
    assert [*PAPER, "pallidum"] == list(found)
    assert ["cortex", "pallidum"] == [name for name, item in found.items() if item.redefined]


def test_taking_off_a_structure_adds_what_that_one_takes_off(tree: Tree) -> None:
    """Signs would be lost in nested differences."""
    own = """white = { sum = ["A", "B"], minus = ["B"] }
    rest = { sum = ["C"], minus = ["white"] }"""
    found = resolved(tree, '["rest", "white"]', own)
    assert "C - A - B + B" == found["rest"].formula
    assert found["rest"].remainder
    assert found["white"].remainder
    assert not resolved(tree, '["plain"]', 'plain = { sum = ["A"] }')["plain"].remainder


def test_remainders_follow_what_the_study_redefines(tree: Tree) -> None:
    """Composite = parts + remainder would fail by the difference between two definitions."""
    own = 'dgm = { sum = ["SubCortGrayVol", "Brain-Stem"], redefine = true }\nmine = { sum = ["dgm_rest"] }'
    found = resolved(tree, '["dgm_rest", "total_gm_rest", "mine"]', own)
    assert found["dgm_rest"].formula.startswith("SubCortGrayVol + Brain-Stem - Left-Thalamus|")
    assert "- SubCortGrayVol - Brain-Stem" in found["total_gm_rest"].formula
    assert found["dgm_rest"].terms == found["mine"].terms
    assert found["dgm_rest"].redefined
    assert found["dgm_rest"].may_be_empty  # as every sum of the study's own
    parts = resolved(tree, '["dgm_rest"]', 'caudate = { sum = ["Left-Caudate"], redefine = true }')
    assert "Right-Caudate" not in parts["dgm_rest"].names
    itself = 'dgm_rest = { sum = ["A"], redefine = true }'
    assert "A" == resolved(tree, '["dgm_rest"]', itself)["dgm_rest"].formula
    assert not CATALOGUE["dgm_rest"].redefined


def test_a_remainder_that_redefinition_makes_count_twice_is_a_fault(tree: Tree) -> None:
    """The putamen would be taken off twice."""
    own = 'caudate = { sum = ["Left-Caudate", "Left-Putamen"], redefine = true }'
    with pytest.raises(StudyError, match="'Left-Putamen' counted twice"):
        resolved(tree, '["dgm_rest"]', own)


def test_what_the_catalogue_says_of_a_name_is_not_claimed_of_a_redefined_one(tree: Tree) -> None:
    """A structure with the brain stem would be said to lie in the grey matter."""
    found = resolved(tree, '"all"', 'dgm = { sum = ["SubCortGrayVol", "Brain-Stem"], redefine = true }')
    assert [] == [name for name, item in found.items() if "dgm" in item.contains]
    assert () == found["dgm"].contains
    assert "thalamus" in found["total_gm"].contains
    shown = resolved(tree, '"all"', 'dgm = { sum = ["thalamus", "Left-Caudate"], redefine = true }')
    assert ("thalamus",) == shown["dgm"].contains
    assert ["whole_brain", "total_gm"] == [name for name, item in shown.items() if "dgm" in item.contains]


def test_the_cohort_says_what_is_redefined(two_visits: Tree) -> None:
    """Models, which know structures by name, would take the study's own for the known one."""
    two_visits.settings = """[data]
    subjects_dir = "fs"
    structures = ["thalamus", "caudate", "mine"]
    [structures]
    caudate = { sum = ["Left-Caudate"], redefine = true }
    mine = { sum = ["Left-Putamen"] }"""
    assert [False, True, False] == prepare(two_visits.study()).cohort["redefined"].to_numpy().tolist()
