"""What pymsprog says of the courses in cases.csv, under settings from as near ours as it allows to its defaults.

Runs in an environment of its own (pymsprog pins an older numpy):

    python3.11 -m venv ENV && ENV/bin/pip install pymsprog==1.0.7
    ENV/bin/python tests/reference/pymsprog/compare.py

Writes output.tsv (course, visit_from, then a column for each way of asking one interval), events.tsv (what it finds in
whole courses), thresholds.tsv (the rise asked from each EDSS) and versions.txt beside this file.
"""

import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from pymsprog import MSprog, compute_delta

HERE = Path(__file__).parent
COLUMNS = {"subj_col": "subject", "value_col": "edss", "date_col": "day", "outcome": "edss", "date_format": "day"}
# 24 weeks or any time later, at every assessment until then; relapses play no part
NEAREST = {
    "conf_days": 168,
    "conf_tol_days": [0, np.inf],
    "check_intermediate": True,
    "relapse_to_bl": 0,
    "relapse_to_event": 0,
    "relapse_to_conf": 0,
    "event": "firstCDW",
    "baseline": "fixed",
    "require_sust_days": 0,
    "impute_last_visit": 0,
    "include_dates": True,
    "return_unconfirmed": True,
    "verbose": 0,
}
# each but the first with one setting, or one way of handing over the interval, changed
INTERVALS = {
    "nearest": {},
    "from_visit_0": {},
    "all_between": {},
    "tolerance": {"conf_tol_days": [7, 2 * 365.25]},
    "endpoint_only": {"check_intermediate": False},
    "sustained": {"require_sust_days": np.inf},
    "imputed": {"impute_last_visit": 1},
    "relapses": {"relapse_to_bl": 30, "relapse_to_conf": 30},
}
COURSES = {
    "first_fixed": {},
    "roving": {"event": "multiple", "baseline": "roving"},
}


def interval(course, visit_from, way):
    """Rows of one interval: the reference, the closing visit, all later; None where a visit is absent."""
    days = course.dropna(subset="visit").set_index("visit")["day"]
    if not {visit_from, visit_from + 1} <= set(days.index):
        return None
    opening, closing = days[0 if way == "from_visit_0" else visit_from], days[visit_from + 1]
    later = course["day"] > opening if way == "all_between" else course["day"] >= closing
    reference = (course["day"] == opening) & course["visit"].notna()
    return course[reference | later], opening, closing


def ask_intervals(cases, relapses, way):
    """yes: an event begins at the closing visit (between the two where it saw those assessments too)."""
    parts, attacks, ends = [], [], {}
    for name, course in cases.groupby("course"):
        for visit_from in range(int(course["visit"].max())):
            rows = interval(course, visit_from, way)
            if rows is None:
                continue
            subject = f"{name}:{visit_from}"
            parts.append(rows[0].assign(subject=subject))
            attacks.append(relapses[relapses["course"] == name].assign(subject=subject))
            ends[subject] = rows[1:]
    asked = {"relapse": pd.concat(attacks)} if way == "relapses" else {}
    _, results, unconfirmed = MSprog(pd.concat(parts), **asked, **COLUMNS, **(NEAREST | INTERVALS[way]))
    said = dict.fromkeys(ends, "no")
    for row in unconfirmed.itertuples():
        worse = row.value - row.bl_value >= compute_delta(row.bl_value)
        if worse and row.date == ends[row.subject][1]:
            said[row.subject] = "unconfirmed"
    for row in results[results["event_type"] == "CDW"].itertuples():
        opening, closing = ends[row.subject]
        if row.date == closing or (way == "all_between" and opening < row.date <= closing):
            said[row.subject] = "yes"
    return said


def ask_courses(cases, way):
    data = cases.assign(subject=cases["course"])
    results = MSprog(data, **COLUMNS, **(NEAREST | COURSES[way]))[1]
    found = results[results["event_type"] != ""]
    return pd.DataFrame(
        {
            "way": way,
            "course": found["subject"],
            "event": found["event_type"],
            "day": found["date"],
            "reference_day": found["bl_date"],
            "confirmed_day": found["conf168_date"],
        }
    )


def thresholds():
    scale = [0, *(half / 2 for half in range(2, 21))]
    return pd.DataFrame({"edss": scale, "rise": [compute_delta(edss) for edss in scale]})


def main():
    cases = pd.read_csv(HERE / "cases.csv")
    relapses = pd.read_csv(HERE / "relapses.csv")
    said = pd.DataFrame({way: ask_intervals(cases, relapses, way) for way in INTERVALS})
    names = said.index.str.split(":", expand=True)
    said.insert(0, "course", names.get_level_values(0))
    said.insert(1, "visit_from", names.get_level_values(1))
    events = pd.concat([ask_courses(cases, way) for way in COURSES])
    for name, table in {"output": said, "events": events, "thresholds": thresholds()}.items():
        table.to_csv(HERE / f"{name}.tsv", sep="\t", index=False, float_format="%g", lineterminator="\n")
    versions = {"Python": platform.python_version()} | {name: version(name) for name in ("pymsprog", "numpy", "pandas")}
    (HERE / "versions.txt").write_text("".join(f"{name} {value}\n" for name, value in versions.items()))


if __name__ == "__main__":
    main()
