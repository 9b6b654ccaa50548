"""The columns of tables of published numbers: for readers, templates and the documentation."""

from __future__ import annotations

from atrobayes.files import Column

TERMS = {
    "slope": "change of the outcome per unit of the predictor, in one group",
    "interaction": "first group's slope minus the second's",
    "difference": "of two states or groups",
    "correlation": "a correlation coefficient alone",
}
MODELS = {
    "ordinary": "ordinary least-squares regression on one predictor, n - 2 degrees of freedom",
    "mixed": "mixed model with patient effects",
}
KINDS = {"mean": "arithmetic mean", "median": "median", "percent": "percentage of persons"}

COLUMNS: tuple[Column, ...] = (
    Column("source", "Where the number stands, for instance: Table 2. A result printed twice has two rows."),
    Column("analysis", "Name of the analysis; rows of one analysis differ in structure, group or term alone."),
    Column("structure", "Name of the brain structure, or of the outcome."),
    Column("term", "What the number is.", levels=TERMS),
    Column("group", "Name of the group, ALL for everybody; of an interaction both names with a hyphen between: A-B."),
    Column("n", "Rows of data the number rests on: patients, or patient-years."),
    Column("estimate", "As printed, with all its digits.", "as printed"),
    Column("p", "Two-sided p-value as printed; <0.001 may stand there."),
    Column("r", "Correlation coefficient as printed."),
    Column("r2", "R squared as printed."),
    Column("se", "Standard error of the estimate as printed.", "as estimate"),
    Column("df", "Degrees of freedom of the test, where stated; above 0."),
    Column("ci_low", "Lower end of the 95 % confidence interval as printed.", "as estimate"),
    Column("ci_high", "Upper end of the 95 % confidence interval as printed.", "as estimate"),
    Column(
        "printed_digits",
        "Decimal places of estimate, se and interval as printed, where the file has lost zeros at their end.",
    ),
    Column("model", "Kind of model, where it is known.", levels=MODELS),
    Column("parts", "Structures it is exactly the sum of, with + between; their slopes are held to add up."),
    Column("note", "Anything else. 'simple regression' or 'mixed model' in it is read as the model."),
)
NEEDED = ("source", "analysis", "structure", "term", "group", "n", "estimate", "p")

SUMMARY_COLUMNS: tuple[Column, ...] = (
    Column("source", "Where the number stands, for instance: Table 1."),
    Column("quantity", "Name of what is summarised."),
    Column("group", "Name of the group."),
    Column("n", "Persons it rests on; n/a where that is not printed."),
    Column("kind", "What the number is.", levels=KINDS),
    Column("value", "As printed, with all its digits.", "as printed"),
    Column(
        "granularity",
        "Step of one person's value: 1 for counts, 0.5 for half points; of percentages, the persons counted at once. "
        "n/a: no step.",
    ),
    Column("p", "Two-sided p-value of the comparison of the groups as printed."),
)
SUMMARY_NEEDED = ("source", "quantity", "group", "n", "kind", "value")
