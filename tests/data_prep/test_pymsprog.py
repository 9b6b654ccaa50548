"""Our EDSS progression beside the recorded answers of the program pymsprog (tests/reference/pymsprog)."""

from __future__ import annotations

import csv
import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from atrobayes.data_prep.definitions import edss_threshold

REFERENCE = Path(__file__).parents[1] / "reference" / "pymsprog"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"pymsprog_{name}", REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def side_by_side() -> ModuleType:
    return script("side_by_side")


@pytest.fixture(scope="module")
def found(side_by_side: ModuleType) -> Counter[tuple[str, str, str, str]]:
    """How often: way of asking, our answer, pymsprog's, class."""
    return side_by_side.differences()


def table(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_the_rise_that_counts_is_pymsprogs_at_every_edss() -> None:
    """Another change would pass for clinically meaningful than in other programs."""
    rows = table("thresholds.tsv")
    assert 20 == len(rows)
    for row in rows:
        assert float(row["rise"]) == edss_threshold(float(row["edss"])), row["edss"]


def test_where_the_rules_coincide_so_do_the_answers(found: Counter) -> None:
    """A progression would be confirmed here and not there, under one and the same rule."""
    for way in ("nearest", "from_visit_0"):
        own = {key[1:]: n for key, n in found.items() if key[0] == way}
        confirmed = {key: n for key, n in own.items() if "yes" in key[:2]}
        assert {"same", "last_of_the_day"} >= {key[2] for key in confirmed}
        assert confirmed["yes", "yes", "same"] > 100
        assert sum(n for key, n in confirmed.items() if key[2] != "same") <= 1
        assert own["unconfirmed", "unconfirmed", "same"] > 30


def test_every_difference_has_its_reason(found: Counter, side_by_side: ModuleType) -> None:
    """The two programs would differ and nobody could say why."""
    classes = {key[3] for key in found}
    assert "unexplained" not in classes
    assert {rule.__name__ for rules in side_by_side.RULES.values() for rule in rules} <= classes
    told = (REFERENCE / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in told for name in classes - {"same"})


def test_the_committed_table_is_what_our_code_gives(side_by_side: ModuleType) -> None:
    """The agreement told to readers would be of an older rule."""
    assert side_by_side.text() == (REFERENCE / "differences.tsv").read_text(encoding="utf-8")


def test_pymsprog_was_asked_the_hand_cases_as_they_stand() -> None:
    """A case mended by hand would go on standing beside the answer to the old one."""
    for name, rows in script("make_data").tables().items():
        assert script("make_data").text(rows) == (REFERENCE / name).read_text(encoding="utf-8")


def test_a_wrong_answer_is_not_explained_away(side_by_side: ModuleType) -> None:
    """Classes so wide that they explain anything would hide a fault of ours."""
    score = side_by_side.Score
    course = [score(0, 0, 2.0), score(364, 1, 3.0), score(728, 2, 3.0)]
    asked = side_by_side.Asked(course, [], 0, "interval")
    assert "yes" == asked.ours
    for way in side_by_side.RULES:
        assert ["same", "unexplained", "unexplained"] == [
            side_by_side.classify(asked, way, theirs) for theirs in ("yes", "no", "unconfirmed")
        ]
