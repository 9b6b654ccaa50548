"""Structures out of the files of one scan: sums with signs, sides, and two files that say the same or not."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from atrobayes.data_prep.measured import MissingSourceError, Value
from atrobayes.data_prep.structures import CATALOGUE, Structure, Term, split_name
from atrobayes.data_prep.volumes import etiv_volume, find_etiv, structure_volume


@dataclass(frozen=True)
class Made:
    """A file as a test wants it: name to mm³, or to any value."""

    numbers: Mapping[str, float | Value]
    path: Path = Path("aseg.stats")
    gives_structures: bool = False

    @property
    def names(self) -> Collection[str]:
        return self.numbers.keys()

    def value(self, name: str) -> Value | None:
        number = self.numbers.get(name)
        if number is None or isinstance(number, Value):
            return number
        return Value(number, "mm^3", 1 + list(self.numbers).index(name))


def tidy(**numbers: float | Value) -> Made:
    return Made(numbers, Path("volumes.tsv"), gives_structures=True)


def reason(files: list[Made], structure: str) -> str:
    with pytest.raises(MissingSourceError) as caught:
        structure_volume(files, CATALOGUE[structure])
    return str(caught.value)


def test_a_sum_keeps_its_sides_and_the_line_of_every_term() -> None:
    """Left and right would be swapped or mixed in asymmetry, and a volume could not be traced."""
    volume = structure_volume([Made({"Left-Caudate": 3000.0, "x": 1.0, "Right-Caudate": 3500.0})], CATALOGUE["caudate"])
    assert (6500.0, 3000.0, 3500.0) == (volume.value, volume.left, volume.right)
    assert [1, 3] == [origin.value.line for origin in volume.origins]


def test_a_measure_of_both_sides_has_no_sides() -> None:
    """Half of the whole brain would be reported as its left side."""
    volume = structure_volume([Made({"BrainSegVolNotVent": 1e6})], CATALOGUE["whole_brain"])
    assert 1e6 == volume.value
    assert math.isnan(volume.left)
    assert math.isnan(volume.right)


def test_the_older_name_counts_where_the_newer_is_absent() -> None:
    """Whole versions of FreeSurfer would lose the thalamus."""
    older = Made({"Left-Thalamus-Proper": 7000.0, "Right-Thalamus-Proper": 7100.0})
    assert 14_100.0 == structure_volume([older], CATALOGUE["thalamus"]).value


def test_the_remainder_of_a_composite_may_be_negative() -> None:
    """Inference up the anatomy needs composite = parts + remainder, whatever its sign."""
    parts = {"thalamus": 14_000.0, "caudate": 7000.0, "putamen": 10_000.0, "pallidum": 4000.0}
    parts |= {"hippocampus": 8000.0, "amygdala": 3500.0, "accumbens": 1200.0}
    rows = {
        term.names[0]: volume / 2 for name, volume in parts.items() for term in CATALOGUE[name].terms if term.sign > 0
    }
    made = structure_volume([Made({"SubCortGrayVol": 47_000.0, **rows})], CATALOGUE["dgm_rest"])
    assert 47_000.0 - sum(parts.values()) == pytest.approx(made.value)
    assert made.value < 0


def test_two_files_that_agree_are_one_and_two_that_differ_are_none() -> None:
    """A table of another processing would silently win over the run's own file, or lose."""
    run = Made({"Left-Caudate": 3000.04, "Right-Caudate": 3500.0})
    table = Made({"Left-Caudate": 3000.0, "Right-Caudate": 3500.0}, Path("aseg.tsv"))
    assert 6500.04 == pytest.approx(structure_volume([run, table], CATALOGUE["caudate"]).value, abs=1e-9)
    other = Made({"Left-Caudate": 3000.2, "Right-Caudate": 3500.0}, Path("aseg.tsv"))
    assert "Left-Caudate is 3000.04 in aseg.stats, line 1 and 3000.2 in aseg.tsv, line 1" in reason(
        [run, other], "caudate"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Value(0.0, "mm^3", 1), "Left-Caudate is 0 mm^3"),
        (Value(-5.0, "mm^3", 1), "Left-Caudate is -5 mm^3"),
        (Value(math.nan, "mm^3", 1), "Left-Caudate is nan mm^3"),
        (Value(math.inf, "mm^3", 1), "Left-Caudate is inf mm^3"),
        (Value(2.5, "mm", 1), "Left-Caudate is in mm, not mm^3"),
        (Value(2.5, "", 1), "Left-Caudate is in no unit, not mm^3"),
    ],
)
def test_what_is_no_volume_is_missing_with_its_reason(value: Value, told: str) -> None:
    """A thickness, an empty label or a broken number would enter as a volume."""
    assert told == reason([Made({"Left-Caudate": value, "Right-Caudate": 3500.0})], "caudate")


def test_a_table_may_give_a_structure_whole_by_its_id() -> None:
    """A tidy table of volumes made elsewhere could not be read."""
    assert 6400.0 == structure_volume([tidy(caudate=6400.0)], CATALOGUE["caudate"]).value
    assert "no Left-Caudate" == reason([Made({"caudate": 6400.0})], "caudate")


@pytest.mark.parametrize("name", ["Left-Thalamus", "CSF"])
def test_an_own_structure_named_like_a_row_is_its_sum(name: str) -> None:
    """Half of the structure would be taken for the whole."""
    own = Structure(name, name, (Term((name,)), Term(("Right-Thalamus",))), may_be_empty=True)
    assert 14_000.0 == structure_volume([Made({name: 7000.0, "Right-Thalamus": 7000.0})], own).value


def test_two_sources_that_differ_by_versions_names_are_held_against_each_other() -> None:
    """A table of another FreeSurfer would go unnoticed beside the run's own file."""
    run = Made({"Left-Thalamus": 7000.0, "Right-Thalamus": 7000.0})
    table = Made({"x": 1.0, "Left-Thalamus-Proper": 5000.0, "Right-Thalamus-Proper": 7000.0}, Path("aseg.tsv"))
    told = "Left-Thalamus is 7000 in aseg.stats, line 1 and Left-Thalamus-Proper 5000 in aseg.tsv, line 2"
    assert f"{told}: two sources that disagree" == reason([run, table], "thalamus")


def test_a_structure_given_whole_is_held_against_its_sum() -> None:
    """A tidy table of another program would silently win over the run's own file."""
    run = Made({"Left-Thalamus": 7000.04, "Right-Thalamus": 7000.04})
    told = "thalamus is 9999 in volumes.tsv, line 1 and Left-Thalamus + Right-Thalamus 14000.08"
    places = "aseg.stats, line 1, aseg.stats, line 2"
    assert f"{told} in {places}: two sources that disagree" == reason([run, tidy(thalamus=9999.0)], "thalamus")
    # each number rounded to tenths
    assert 14_000.0 == structure_volume([run, tidy(thalamus=14_000.0)], CATALOGUE["thalamus"]).value
    half = Made({"Left-Thalamus": 7000.0})
    assert 9999.0 == structure_volume([half, tidy(thalamus=9999.0)], CATALOGUE["thalamus"]).value


def test_a_whole_with_terms_taken_off_is_held_against_the_signed_sum() -> None:
    """A remainder that a table gives would be called a contradiction, or never be one."""
    own = Structure("rest", "rest", (Term(("SubCortGrayVol",)), Term(("Left-Caudate",), -1)))
    run = Made({"SubCortGrayVol": 50_000.0, "Left-Caudate": 3000.0})
    assert 47_000.0 == structure_volume([run, tidy(rest=47_000.0)], own).value
    with pytest.raises(MissingSourceError, match=r"SubCortGrayVol - Left-Caudate 47000 in"):
        structure_volume([run, tidy(rest=53_000.0)], own)


def test_a_volume_counts_before_a_thickness_of_the_same_name() -> None:
    """Two tables of one parcellation, of volume and of thickness, could not be read together."""
    insula = Structure("insula", "insula", (Term(("lh.aparc.stats:insula",)),), may_be_empty=True)
    thick = Made({"lh.aparc.stats:insula": Value(3.0, "mm", 2)}, Path("thickness.tsv"))
    area = Made({"lh.aparc.stats:insula": Value(2000.0, "mm^2", 2)}, Path("area.tsv"))
    large = Made({"lh.aparc.stats:insula": 7000.0}, Path("volume.tsv"))
    for files in ([thick, large], [large, thick]):
        assert 7000.0 == structure_volume(files, insula).value
    with pytest.raises(MissingSourceError, match="insula is in mm, not mm"):
        structure_volume([thick, area], insula)
    other = Made({"lh.aparc.stats:insula": 7100.0}, Path("other.tsv"))
    with pytest.raises(MissingSourceError, match=r"7000 in volume\.tsv, line 1 and 7100 in other\.tsv, line 1"):
        structure_volume([thick, large, other], insula)


@pytest.mark.parametrize("name", ["eTIV", "ICV"])
def test_an_etiv_of_zero_is_missing(name: str) -> None:
    """Changes in % of eTIV would be divided by nothing."""
    with pytest.raises(MissingSourceError, match=f"{name} is 0 mm"):
        etiv_volume([Made({name: 0.0})])


def test_left_right_and_midline_terms_give_no_sides() -> None:
    """The midline would be lost from both sides, and asymmetry be that of another structure."""
    terms = (Term(("Left-Caudate",)), Term(("Right-Caudate",)), Term(("Brain-Stem",)))
    made = Made({"Left-Caudate": 3000.0, "Right-Caudate": 3500.0, "Brain-Stem": 20_000.0})
    volume = structure_volume([made], Structure("own", "own", terms))
    assert 26_500.0 == volume.value
    assert math.isnan(volume.left)
    assert math.isnan(volume.right)


def test_alternatives_on_both_sides_have_no_side() -> None:
    """A volume would be called left that another version reads on the right."""
    assert "" == Term(("Left-Caudate", "Right-Caudate")).side
    assert "" == Term(("Right-Caudate", "Caudate")).side
    assert "" == Term(("Left-Caudate", "Caudate")).side


def test_etiv_is_the_newer_or_the_older_name_and_absent_otherwise() -> None:
    """FreeSurfer 5.1 studies would have no change in % of eTIV."""
    assert 1.5e6 == etiv_volume([Made({"ICV": 1.5e6})])
    assert find_etiv([Made({"CortexVol": 1.0})]) is None
    with pytest.raises(MissingSourceError, match="no measure eTIV or ICV"):
        etiv_volume([Made({})])


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("Left-Thalamus", "left"),
        ("Right-Cerebellum-Cortex", "right"),
        ("lh.aparc.stats:insula", "left"),
        ("rh.aparc.a2009s.stats:G_oc-temp_lat-fusifor", "right"),
        ("aseg+DKT.stats:ctx-lh-insula", "left"),
        ("wmparc.stats:wm-rh-insula", "right"),
        ("hippo.lh:CA1", "left"),
        ("thalamus:Left-AV", "left"),
        ("CortexVol", ""),
        ("Brain-Stem", ""),
        ("WM-hypointensities", ""),
    ],
)
def test_the_side_of_a_name_is_read_from_the_name(name: str, side: str) -> None:
    """Asymmetry would compare a structure with itself, or miss one."""
    assert side == Term((name,)).side


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Left-Thalamus", ("", "Left-Thalamus")),
        ("lh.aparc.stats:insula", ("lh.aparc.stats", "insula")),
        ("hippo.rh:CA1-body", ("hippo.rh", "CA1-body")),
        ("SynthSeg:total intracranial", ("", "SynthSeg:total intracranial")),
    ],
)
def test_a_name_says_which_file_it_is_in(name: str, parts: tuple[str, str]) -> None:
    """A row would be looked for in the wrong file."""
    assert parts == split_name(name)


def test_an_own_structure_may_be_empty_where_a_named_one_may_not() -> None:
    """Lesion labels are empty in healthy people; a thalamus never is."""
    own = Structure("own", "own", (Term(("WM-hypointensities",)),), may_be_empty=True)
    assert 0.0 == structure_volume([Made({"WM-hypointensities": 0.0})], own).value


def test_a_remainder_given_whole_may_be_negative_and_nothing_else_may() -> None:
    """volumes.tsv of a study with remainders could not be read again; or a broken volume would pass."""
    assert -5.0 == structure_volume([tidy(dgm_rest=-5.0)], CATALOGUE["dgm_rest"]).value
    assert "dgm is -5 mm^3" == reason([tidy(dgm=-5.0)], "dgm")
