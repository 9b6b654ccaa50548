"""One stats file: every real oddity is read, every damage is named with its line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.measured import MissingSourceError, Value
from atrobayes.data_prep.stats_files import read_stats, structure_volume
from atrobayes.data_prep.structures import CATALOGUE, PAPER, Structure
from atrobayes.errors import DataError

from .conftest import stats_text

REAL_ASEG = {
    "datalad-ds000114/derivatives/freesurfer/sub-01": ("Left-Thalamus-Proper", "CorticalWhiteMatterVol"),
    "spinoza-spynoza/sub-0020": ("Left-Thalamus-Proper", "CerebralWhiteMatterVol"),
    "fphammerle-freesurfer-stats/soichi": ("Left-Thalamus", "CerebralWhiteMatterVol"),
    "fastsurfer-oasis1/OAS1_0001-3": ("Left-Thalamus", "CerebralWhiteMatterVol"),
    "hebbianloop-fs-summer-workshop/sub.01.bl.01": ("Left-Thalamus-Proper", "CerebralWhiteMatterVol"),
}


def awk(program: str, file: Path) -> float:
    """A number from a file by other code than ours."""
    return float(subprocess.run(["awk", program, file], capture_output=True, text=True, check=True).stdout)  # noqa: S607


def refusal(file: Path) -> str:
    """Why a file is not read; "" if it is."""
    try:
        read_stats(file)
    except DataError as error:
        return str(error)
    return ""


def written(folder: Path, text: str) -> Path:
    path = folder / "aseg.stats"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("tree_name", "names"), REAL_ASEG.items())
def test_real_tables_of_every_version_give_the_numbers_awk_finds(
    real: Callable[[str], Path], tree_name: str, names: tuple[str, str]
) -> None:
    """The volumes of a whole FreeSurfer version would be wrong or missing."""
    file = real(tree_name) / "stats" / "aseg.stats"
    stats = read_stats(file)
    thalamus = awk(
        f'$5 == "{names[0]}" || $5 == "{names[0].replace("Left", "Right")}" {{s += $4}} END {{print s}}', file
    )
    white = awk(f'/Measure {names[1][:-3]},/ {{split($0, f, ", "); printf "%.6f", f[4]}}', file)
    etiv = awk('/, eTIV,/ {split($0, f, ", "); printf "%.6f", f[4]}', file)
    assert thalamus == pytest.approx(structure_volume(stats, CATALOGUE["thalamus"]))
    assert white == structure_volume(stats, CATALOGUE["total_wm"])
    assert etiv == stats.measures["eTIV"].value
    assert 45 == len(stats.rows)
    assert "mm^3" == stats.units["Volume_mm3"]


@pytest.mark.parametrize("tree_name", REAL_ASEG)
def test_every_structure_of_the_catalogue_is_in_every_real_table(real: Callable[[str], Path], tree_name: str) -> None:
    """A structure would be lost for one FreeSurfer version, silently in the counts."""
    stats = read_stats(real(tree_name) / "stats" / "aseg.stats")
    volumes = {name: structure_volume(stats, structure) for name, structure in CATALOGUE.items()}
    for name, structure in CATALOGUE.items():
        for inner in structure.contains:
            assert volumes[inner] < volumes[name], (inner, name)


def test_all_real_stats_tables_are_read_or_refused_by_name(real: Callable[[str], Path]) -> None:
    """A file FreeSurfer really writes would stop a study."""
    files = [file for name in {name.split("/")[0] for name in REAL_ASEG} for file in real(name).rglob("*.stats")]
    refused = [file for file in files if refusal(file)]
    # ?h.curv.stats is a report in prose, not a table.
    assert {"lh.curv.stats", "rh.curv.stats"} == {file.name for file in refused}
    assert all(str(file) in refusal(file) for file in refused)
    assert len(files) > 100


def test_measure_line_with_its_comma_missing_is_read(real: Callable[[str], Path]) -> None:
    """Every surface table of FreeSurfer 6.0 would be refused, or its cortex volume called 'CortexVol Total ...'."""
    stats = read_stats(real("hebbianloop-fs-summer-workshop") / "sub.01.bl.01" / "stats" / "lh.aparc.stats")
    assert 447349.314442 == stats.measures["CortexVol"].value
    assert 2349 == stats.rows["bankssts"]["GrayVol"]
    assert "mm^2" == stats.units["SurfArea"]


def test_brainvol_has_measures_and_no_table(real: Callable[[str], Path]) -> None:
    """FreeSurfer 7 keeps some volumes only here."""
    stats = read_stats(real("fphammerle-freesurfer-stats") / "soichi" / "stats" / "brainvol.stats")
    assert 1157593 == stats.measures["BrainSegVolNotVentSurf"].value
    assert {} == stats.rows


def test_fastsurfer_table_without_measures_gives_rows_and_a_reason(real: Callable[[str], Path]) -> None:
    """A table without header measures must say what it lacks, not give zero."""
    stats = read_stats(real("fastsurfer-oasis1") / "OAS1_0001-3" / "stats" / "aseg+DKT.stats")
    assert 100 == len(stats.rows)
    with pytest.raises(MissingSourceError, match="no measure CortexVol"):
        structure_volume(stats, CATALOGUE["cortex"])


def test_value_of_a_measure_and_of_a_row_says_unit_line_and_column(tmp_path: Path) -> None:
    """A volume in the ledger could not be found in its file again."""
    stats = read_stats(written(tmp_path, stats_text()))
    assert Value(1_500_000.0, "mm^3", 16, "") == stats.value("eTIV")
    assert Value(7000.0, "mm^3", 29, "Volume_mm3") == stats.value("Left-Thalamus")
    assert stats.value("Left-Nothing") is None
    assert 6 + 20 == len(stats.names)


def test_measure_wins_over_a_row_of_its_name(tmp_path: Path) -> None:
    """Which of two numbers is meant would hang on the order of the file."""
    stats = read_stats(written(tmp_path, stats_text().replace("Left-Thalamus", "CortexVol")))
    assert Value(450_000.0, "mm^3", 12, "") == stats.value("CortexVol")


def test_volume_of_a_surface_region_is_its_grey_matter(tmp_path: Path) -> None:
    """Regions of the cortex would have no volume, or an area for one."""
    text = stats_text().replace("Volume_mm3", "GrayVol")
    assert Value(7000.0, "mm^3", 29, "GrayVol") == read_stats(written(tmp_path, text)).value("Left-Thalamus")


def test_table_without_volumes_has_no_names_of_rows(tmp_path: Path) -> None:
    """A mean intensity or an area would pass for a volume."""
    stats = read_stats(written(tmp_path, stats_text().replace("Volume_mm3", "Area_mm2")))
    assert stats.value("Left-Thalamus") is None
    assert 6 == len(stats.names)


def test_header_keeps_no_user_host_or_path(tmp_path: Path) -> None:
    """Names of people and machines would travel with every result."""
    stats = read_stats(written(tmp_path, stats_text()))
    assert "7.4.1" == stats.header["cvs_version"]
    assert "secret" not in repr(stats)


def truncated_rows(text: str) -> str:
    return "\n".join(text.split("\n")[:-3]) + "\n"


def cut_in_a_row(text: str) -> str:
    return text[:-24] + "\n"


def cut_in_the_header(text: str) -> str:
    return text[: text.index("# NRows")]


def doubled_measure(text: str) -> str:
    line = next(line for line in text.split("\n") if "Measure eTIV" in line)
    return text.replace(line, f"{line}\n{line}")


# The table stands on lines 26 to 45, after 10 lines of provenance, 6 measures and 9 lines about the table.
DAMAGE = {
    "rows missing": (truncated_rows, "found 18 rows; expected 20 as # NRows says", 43),
    "cut in a row": (cut_in_a_row, "found 2 cells; expected 3", 45),
    "no line end": (lambda text: text[:-8], "found a last line without an end", 45),
    "cut in the header": (cut_in_the_header, "found a header and no table", 22),
    "two tables": (lambda text: text + text, "found the measure BrainSegVolNotVent twice", 56),
    "one row twice": (lambda text: text + text.split("\n")[-2] + "\n", "Right-Accumbens-area twice", 46),
    "a measure twice": (doubled_measure, "the measure eTIV twice", 17),
    "not a number": (lambda text: text.replace("7000.0  Left", "7000,0  Left"), "'7000,0' in column Volume_mm3", 29),
    "measure not a number": (lambda text: text.replace("60000.000000", "many"), "found the measure", 14),
    "empty": (lambda _: "", "found an empty file", None),
    "blank": (lambda _: "\n \n", "found an empty file", None),
    "another file": (lambda _: "patient\tvisit\n", "no stats header", 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_file_is_one_error_with_file_and_line(tmp_path: Path, kind: str) -> None:
    """A cut-off or doubled table would give the volumes of half a scan, or of another one."""
    damage, message, line = DAMAGE[kind]
    path = written(tmp_path, damage(stats_text()))
    with pytest.raises(DataError) as caught:
        read_stats(path)
    (fault,) = caught.value.faults
    assert message in str(fault)
    assert str(path) == fault.file
    assert line == fault.row


def test_binary_and_absent_files_are_named(tmp_path: Path) -> None:
    """A compressed or missing file must not end in a trace of our code."""
    path = tmp_path / "aseg.stats"
    with pytest.raises(DataError, match="no such file"):
        read_stats(path)
    path.write_bytes(b"\x1f\x8b\x00\x00\xff# Measure\n")
    with pytest.raises(DataError, match="no stats header"):
        read_stats(path)


def test_operator_name_in_another_encoding_is_no_obstacle(tmp_path: Path) -> None:
    """Old files whose header holds a Latin-1 name would be refused."""
    path = tmp_path / "aseg.stats"
    path.write_bytes(stats_text().encode().replace(b"a_secret_user", b"\xe9\xe8"))
    assert 20 == len(read_stats(path).rows)


def test_empty_label_is_a_failed_segmentation_but_an_own_structure_may_be_empty(tmp_path: Path) -> None:
    """A missing left thalamus would pass as a loss of half the thalamus."""
    stats = read_stats(written(tmp_path, stats_text({"Left-Thalamus": 0.0})))
    with pytest.raises(MissingSourceError, match="Left-Thalamus is 0 mm"):
        structure_volume(stats, CATALOGUE["thalamus"])
    own = Structure("own", "own", parts=(("Left-Thalamus",), ("Right-Thalamus",)), may_be_empty=True)
    assert 7000.0 == structure_volume(stats, own)


def test_measure_in_another_unit_is_not_a_volume(tmp_path: Path) -> None:
    """A measure in millilitres would enter as mm³, a thousand times too small."""
    text = stats_text().replace("Volume of CortexVol, 450000.000000, mm^3", "Volume of CortexVol, 450.0, ml")
    with pytest.raises(MissingSourceError, match="in ml"):
        structure_volume(read_stats(written(tmp_path, text)), CATALOGUE["cortex"])


def test_paper_names_thirteen_structures() -> None:
    """The tables of the paper could not be laid beside ours."""
    assert 13 == len(PAPER)
    assert {"pallidum", "accumbens"} == set(CATALOGUE) - set(PAPER)
    large = ("total_wm", "whole_brain", "cerebellum", "cerebellar_cortex", "cortex", "dgm", "total_gm")
    small = ("thalamus", "caudate", "putamen", "hippocampus", "amygdala", "lateral_ventricle")
    assert large + small == PAPER


@pytest.mark.parametrize(("problem", "told"), [(PermissionError, PermissionError), (IsADirectoryError, DataError)])
def test_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: type[OSError], told: type[Exception]
) -> None:
    """Somebody would spend a day on recon-all where a chmod is enough."""

    def refuse(_: Path) -> bytes:
        raise problem(13, "refused", "aseg.stats")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(told) as caught:
        read_stats(tmp_path / "aseg.stats")
    assert "run recon-all" not in str(caught.value)
