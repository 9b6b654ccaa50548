"""Rows of clinical tables: cells that cannot be, patients and visits twice, dates out of order, identifiers."""

from __future__ import annotations

from .case import At, Case, Row, left_out, refused
from .spoiling import both, cell, column, edit, line, text_as

MINUS, TWO = "\N{MINUS SIGN}", "\N{SUPERSCRIPT TWO}"


def visits(name: str, row: int, column_name: str, text: str, said: str) -> Case:
    """A cell of visits.tsv that is refused."""
    return refused(
        f"visits: {name}", cell("visits.tsv", row, column_name, text), At("visits.tsv", row, column_name, said)
    )


def patients(name: str, row: int, column_name: str, text: str, said: str) -> Case:
    """A cell of patients.tsv that is refused."""
    return refused(
        f"patients: {name}", cell("patients.tsv", row, column_name, text), At("patients.tsv", row, column_name, said)
    )


def checked_pesel(ten: str) -> str:
    """Eleven digits that keep the rule of PESEL, of nobody."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return f"{ten}{-sum(weight * int(digit) for weight, digit in zip(weights, ten, strict=True)) % 10}"


PESEL = checked_pesel("7002280000")  # 28 February 1970, number 0000
ADDRESS = "@".join(["nobody", "example.org"])

CASES: tuple[Case, ...] = (
    visits("EDSS of 0.5", 3, "edss", "0.5", "found '0.5'; expected 0, 1, 1.5, 2, ... 10; 0.5 does not exist"),
    visits("EDSS of 3.7", 3, "edss", "3.7", "found '3.7'"),
    visits("EDSS of 11", 4, "edss", "11", "found '11'"),
    visits("EDSS of -1", 4, "edss", "-1", "found '-1'"),
    visits("EDSS with a comma", 4, "edss", "2,5", "write a decimal point"),
    visits("count of 2.5", 2, "new_t2", "2.5", "it counts things: no fractions"),
    visits("count with a comma", 2, "new_t2", "2,0", "write a decimal point, no comma"),
    visits("negative count", 3, "new_gd", "-1", "it cannot be negative"),
    visits("negative count, minus of a typesetter", 3, "new_gd", f"{MINUS}1", "write the minus sign as -"),
    visits("count in words", 3, "new_gd", "none", "write a number, or n/a where it is unknown"),
    visits("count that is NaN", 3, "new_gd", "NaN", "write n/a for missing"),
    visits("infinite count", 3, "new_gd", "1e999", "negative or infinite"),
    visits("count in other digits", 3, "new_gd", TWO, "write a number"),
    visits("more than 20 lesions", 2, "new_t2", ">20", "write a number"),
    visits("half a visit", 3, "visit", "1.5", "expected a whole number, 0 or more"),
    visits("negative visit", 3, "visit", "-1", "it cannot be negative"),
    visits("no visit", 3, "visit", "n/a", "found nothing; expected a whole number, 0 or more; fill it in"),
    visits("a row without a patient", 3, "patient", "", "found nothing; expected a text; fill it in"),
    visits(
        "unknown patient",
        3,
        "patient",
        "A1",
        "the unknown patient 'A1'; expected a patient of the study; did you mean 'A01'?",
    ),
    visits("date as the doctor writes it", 3, "date", "7.03.2016", "write it as year-month-day"),
    visits("date that is none", 3, "date", "2015-02-30", "there is no such day"),
    visits("date of a spreadsheet", 3, "date", "42436", "write it as year-month-day"),
    visits("date in the wrong century", 7, "date", "2107-04-18", "visits lie between 1980 and 2100"),
    visits("same date twice", 6, "date", "2015-04-13", "found 2015-04-13; expected a date after 2015-04-13 (line 5)"),
    refused(
        "visits: dates out of order",
        cell("visits.tsv", 3, "date", "2017-03-07"),
        At(
            "visits.tsv",
            4,
            "date",
            "found 2017-03-01; expected a date after 2017-03-07 (line 3); visit 2 is later than visit 1: "
            "one of the two rows is wrong (lines 3 and 4)",
        ),
    ),
    visits("steroids after the visit", 3, "steroid_date", "2016-04-01", "a day up to the date of the visit"),
    visits("quality in other words", 3, "quality", "good", "expected ok or fail; write ok or fail, or n/a"),
    visits(
        "one scan of two visits",
        3,
        "fsid",
        "A01_v0",
        "fsid A01_v0 again (first on line 2); expected it once; one scan belongs to one visit",
    ),
    refused(
        "visits: a visit twice",
        line("visits.tsv", "A02\t2\t2017-04-18\tA02_v2\t0\t0\t3.5\tn/a\t3T\tok"),
        At("visits.tsv", 8, "visit", "patient A02, visit 2 again (first on line 7); expected it once"),
    ),
    refused(
        "visits: months",
        text_as("visits.tsv", lambda text: text.replace("\t1\t2016", "\t12\t2016").replace("\t2\t2017", "\t24\t2017")),
        At("visits.tsv", None, "visit", "these look like months: divide by 12"),
    ),
    refused(
        "visits: steroids of an undated visit",
        both(cell("visits.tsv", 3, "date", "n/a")),
        At(
            "visits.tsv",
            3,
            "date",
            "found nothing; expected the date of the visit, from which the days since steroid_date count",
        ),
    ),
    refused(
        "visits: years and dates that differ",
        column("visits.tsv", "years", "0", "1.5"),
        At(
            "visits.tsv",
            3,
            "years",
            "1.5 years, but the dates are 1.02 years apart; expected years and dates that agree to two weeks",
        ),
    ),
    refused(
        "visits: years backwards",
        column("visits.tsv", "years", "0", "-1"),
        At("visits.tsv", 3, "years", "found '-1'; expected a number, 0 or more; it cannot be negative"),
    ),
    refused(
        "visits: three faults at once",
        both(
            cell("visits.tsv", 2, "edss", "0.5"),
            cell("visits.tsv", 5, "new_t2", "2.5"),
            cell("patients.tsv", 3, "sex", "K"),
        ),
        At("patients.tsv", 3, "sex", "found 'K'; expected F or M"),
        At("visits.tsv", 2, "edss", "0.5"),
        At("visits.tsv", 5, "new_t2", "2.5"),
    ),
    refused(
        "patients: a patient twice",
        line("patients.tsv", "A02\tCLAD\tM\t41.5\t2"),
        At(
            "patients.tsv",
            4,
            "patient",
            "patient A02 again (first on line 3); expected it once; keep one row for each patient",
        ),
    ),
    refused(
        "patients: a patient forgotten",
        edit("patients.tsv", "A02\tALEM\tM\t41.5\t2\n", ""),
        *[At("visits.tsv", row, "patient", "the unknown patient 'A02'") for row in (5, 6, 7)],
        At("relapses.tsv", 3, "patient", "the unknown patient 'A02'"),
        At("edss.tsv", 3, "patient", "the unknown patient 'A02'"),
    ),
    patients(
        "unknown group",
        2,
        "group",
        "clad",
        "the unknown group 'clad'; expected one of CLAD, ALEM; did you mean 'CLAD'?",
    ),
    patients("no group", 2, "group", "", "found nothing; expected one of CLAD, ALEM"),
    patients("sex in other words", 2, "sex", "female", "expected F or M"),
    patients("negative age", 2, "age", "-34", "it cannot be negative"),
    patients("age with a comma", 3, "age", "41,5", "write a decimal point"),
    patients("therapies by halves", 3, "previous_dmts", "1.5", "no fractions"),
    refused(
        "patients: a column of names",
        column("patients.tsv", "Last name", "Nobody"),
        At("patients.tsv", 1, "Last name", "a column for a person's name; expected pseudonyms alone"),
        unsaid="Nobody",
    ),
    refused(
        "patients: a date of birth",
        column("patients.tsv", "remark", "born 1970-05-06"),
        At("patients.tsv", 2, "remark", "could be a date of birth"),
        unsaid="1970",
    ),
    refused(
        "visits: an e-mail address",
        column("visits.tsv", "remark", "n/a", f"ask {ADDRESS}"),
        At("visits.tsv", 3, "remark", "an e-mail address; expected no identifiers"),
        unsaid=ADDRESS,
    ),
    refused(
        "patients: a PESEL for a pseudonym",
        text_as("patients.tsv", lambda text: text.replace("A02", PESEL)),
        At("patients.tsv", 3, "patient", "an 11-digit number with a valid PESEL checksum"),
        unsaid=PESEL,
    ),
    refused(
        "relapses: a PESEL, and nothing else is said",
        both(cell("relapses.tsv", 2, "patient", PESEL), cell("visits.tsv", 3, "edss", "0.5")),
        At("relapses.tsv", 2, "patient", "an 11-digit number with a valid PESEL checksum"),
        unsaid=PESEL,
    ),
    refused(
        "relapses: of an unknown patient",
        line("relapses.tsv", "A03\t2016-01-01"),
        At("relapses.tsv", 4, "patient", "the unknown patient 'A03'"),
    ),
    refused(
        "relapses: one twice",
        line("relapses.tsv", "A01\t2015-11-20"),
        At("relapses.tsv", 4, "date", "patient A01, day 2015-11-20 again (first on line 2)"),
    ),
    refused(
        "relapses: without a day",
        line("relapses.tsv", "A01\tn/a"),
        At("relapses.tsv", 4, "date", "a date, or years since visit 0"),
    ),
    refused(
        "relapses: another count in the visits",
        column("visits.tsv", "relapses", "n/a", "2"),
        At("visits.tsv", 3, "relapses", "2, but relapses.tsv has 1 since the previous visit"),
    ),
    refused("edss: of 3.7", cell("edss.tsv", 2, "edss", "3.7"), At("edss.tsv", 2, "edss", "found '3.7'")),
    refused("edss: missing", cell("edss.tsv", 2, "edss", "n/a"), At("edss.tsv", 2, "edss", "found nothing")),
    refused(
        "edss: two on one day",
        line("edss.tsv", "A01\t2017-03-01\t4"),
        At("edss.tsv", 4, "edss", "4, but visit 2 of that day has 2.5"),
    ),
    left_out(
        "visits: quality fail",
        cell("visits.tsv", 3, "quality", "fail"),
        Row("usable", "A01", "1", "quality_fail", "A01_v1.long.A01_base/stats/aseg.stats"),
    ),
    left_out(
        "visits: steroids a week before",
        cell("visits.tsv", 3, "steroid_date", "2016-02-29"),
        Row("usable", "A01", "1", "steroid_washout", "A01_v1.long.A01_base/stats/aseg.stats"),
    ),
    left_out(
        "visits: another protocol",
        cell("visits.tsv", 3, "protocol", "1.5T"),
        Row("usable", "A01", "1", "other_protocol", "A01_v1.long.A01_base/stats/aseg.stats"),
    ),
    left_out(
        "visits: fsid with a slip",
        cell("visits.tsv", 3, "fsid", "A01_vl"),
        Row("found", "A01", "1", "scan_missing"),
        Row("found", "A01", "n/a", "scan_without_visit", "A01_v1.long.A01_base"),
    ),
    left_out(
        "visits: no fsid",
        cell("visits.tsv", 3, "fsid", "n/a"),
        Row("found", "A01", "1", "visit_without_scan"),
        Row("found", "A01", "n/a", "scan_without_visit", "A01_v1.long.A01_base"),
    ),
    left_out(
        "patients: one without a visit",
        line("patients.tsv", "A03\tCLAD\tF\t30\t0"),
        Row("found", "A03", "n/a", "patient_without_visit"),
    ),
)
