"""The rules of the ledger and their words."""

from __future__ import annotations

import re
from pathlib import Path

import atrobayes
from atrobayes.data_prep.ledger import LOST, RULES

_PACKAGE = Path(atrobayes.__file__).parent


def test_every_rule_the_code_writes_has_words() -> None:
    """A reader of the report would meet `too_few_volumes` instead of a reason."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in _PACKAGE.rglob("*.py"))
    written = set(re.findall(r'\brule="(\w+)"', code)) | set(re.findall(r'_exclusion\(\w+, row, "(\w+)"', code))
    written |= {name for pair in re.findall(r'\brule = "(\w+)" if .* else "(\w+)"', code) for name in pair}
    assert {"skipped", "scan_missing", "excluded", "state_unknown", "count_missing", "covariate_missing"} <= written
    assert set() == written - set(RULES)


def test_a_lost_scan_or_year_is_said_in_few_words() -> None:
    """The flow table would name no reason for a scan it counts as lost."""
    assert "no aseg.stats" == LOST["stats_missing"]
    assert "skipped" not in LOST
    assert all(rule.words for rule in RULES.values())
