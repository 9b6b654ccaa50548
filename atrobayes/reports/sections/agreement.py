"""p against pd: where the two ways of answering part."""

from __future__ import annotations

from atrobayes.reports.contrast import P_CUT, PD_CUT
from atrobayes.reports.figures.agreement import agreement_svg
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section
from atrobayes.reports.wording import MINUS, analysis_title, structure_name, term_words


def make(results: Results) -> Section:
    """One scatter, a panel per analysis, a point per row."""
    rows = results.contrast.rename(columns={"classical_p": "p", "bayes_pd": "pd"})
    shown = rows.dropna(subset=["p", "pd"])
    if not len(shown):
        return Section(
            "agreement", "p against probability of direction", "not_applicable", ("No row has both a p and a pd.",)
        )
    shown = shown.assign(label=shown["structure"].map(structure_name))
    panels = {name: analysis_title(name) for name in shown["analysis"].unique()}
    terms = {term: term_words(term, results.groups) for term in shown["term"].unique()}
    apart = shown["verdict"].isin(["classical_only", "bayes_only", "opposite_sign"]).sum()
    alt = (
        f"Scatter of {len(shown)} rows, classical p against posterior probability of direction; the verdicts part in "
        f"{apart} of them."
    )
    drawing = agreement_svg("agreement", shown, panels=panels, terms=terms, cuts=(P_CUT, PD_CUT), alt=alt)
    caption = (
        "Each point is one structure and term. The further right, the smaller the classical p; the further up, the "
        f"surer the posterior of the sign. Broken lines: the cut-offs p = {P_CUT} and pd = {PD_CUT}, which are "
        f"conventions. Grey line: pd = 1 {MINUS} p/2, where points would lie if the prior said nothing; points below "
        "it are less sure than p alone suggests. Points where the two verdicts part are named. Values "
        "beyond the axes are drawn at their ends."
    )
    figure = Figure("agreement", drawing, alt, caption)
    return Section("agreement", "p against probability of direction", "ok", (), (), (figure,))
