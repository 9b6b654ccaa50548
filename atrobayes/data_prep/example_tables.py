"""The example's study.toml and the columns of its tables."""

from __future__ import annotations

from atrobayes.files import Column

PATIENT_COLUMNS = (
    Column("patient", "Patient"),
    Column("group", "Treatment", levels={"CLAD": "cladribine", "ALEM": "alemtuzumab"}),
    Column("sex", "Sex", levels={"F": "female", "M": "male"}),
    Column("age", "Age at baseline", "years"),
    Column("disease_duration", "Time since the first symptoms, at baseline", "years"),
    Column("previous_dmts", "Disease-modifying therapies before this one"),
    Column("relapses_before", "Relapses in the year before baseline"),
)
VISIT_COLUMNS = (
    Column("patient", "Patient"),
    Column("visit", "Nominal year; 0 is before treatment"),
    Column("date", "Date of the visit, ISO 8601"),
    Column("fsid", "FreeSurfer run of the scan, without .long.…; n/a: no scan"),
    Column("new_t2", "New or enlarging T2 lesions; at visit 0 those counted at baseline"),
    Column("new_gd", "Gadolinium-enhancing lesions among new_t2"),
    Column("relapses", "Relapses since the previous visit; n/a at visit 0"),
    Column("edss", "Expanded Disability Status Scale"),
    Column("days_since_steroid", "Days from the last intravenous steroid to the scan; n/a: none known", "days"),
    Column("quality", "Result of looking at the segmentation", levels={"ok": "usable", "fail": "not usable"}),
)
TRUTH_COLUMNS = (
    Column("analysis", "Analysis that estimates the value"),
    Column("structure", "Structure"),
    Column("term", "Slope of a group, or interaction: first group minus second"),
    Column(
        "value",
        "Value the volumes were made with. year_to_year_t2: change of the structure per new T2 lesion found at the "
        "visit that closes the interval, exact. year_to_year_gd: Gd+ lesions cost nothing of their own but are among "
        "the T2 lesions, so the value is the least-squares slope of the loss due to the new T2 lesions on the new Gd+ "
        "lesions, within the group, over this study's own yearly intervals with usable scans (a model with patient "
        "effects weights the intervals a little differently); n/a where the Gd+ counts have no spread",
        "as unit",
    ),
    Column("unit", "Unit of the value"),
)

_STUDY = """\
# A simulated study: {truth}.
# Every key below stands at its default; only subjects_dir is required.
format = 1

[study]
name = "Built-in example (simulated patients)"
groups = ["CLAD", "ALEM"]            # the interaction is first minus second
seed = {seed}

[data]                               # paths are relative to this file
subjects_dir = "subjects"            # FreeSurfer SUBJECTS_DIR
patients = "patients.tsv"
visits = "visits.tsv"
structures = "paper"                 # or "all", or a list of ids
stream = "long"                      # or "cross"

[definitions]
steroid_weeks = 8                    # scans closer to steroids than this are left out
edss_confirmation_weeks = 24
edss_reference = "interval"          # or "baseline"
unconfirmed = "no"                   # or "yes", "exclude"
lesion_timing = "end"                # counts of the visit that closes the interval; or "start"
annualised = false
visit_tolerance_months = 6

[analyses]
# use = ["year_to_year_t2"]          # default: all that the data allow, ten in this study
# [[analyses.own]]                   # a question of your own, fitted and reported like the others
# id = "first_year_t2_by_age"
# kind = "regression"
# predictor = "new_t2_from"
# covariates = ["age"]
# to = 1

[priors]
slope = "regularising"               # or "wide", "sceptical", {{ normal = [0, 0.3] }}
slope_group_correlation = 0.5

[inference]
engine = "auto"                      # "quadrature" leaves out what must be sampled: sooner done
draws = 1000
tune = 1000
chains = 4
interval = {{ prob = 0.95, kind = "eti" }}
# rope = {{ raw = 0.002 }}             # default: {{ standardised = 0.1 }}
"""


def study_text(seed: int, null: bool) -> str:
    """Text of study.toml, commented, with the defaults in sight."""
    truth = "lesions cost nothing (truth.tsv holds zeros)" if null else "truth.tsv holds what is true in it"
    return _STUDY.format(seed=seed, truth=truth)
