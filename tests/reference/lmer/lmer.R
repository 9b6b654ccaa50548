# Fits data.tsv with lmerTest and writes lmer.tsv and versions.txt: Rscript lmer.R (in this folder)
# The optimiser's tolerances are tightened: degrees of freedom are derivatives at the optimum.
suppressMessages(library(lmerTest))
data <- read.delim("data.tsv", stringsAsFactors = FALSE)
data$group <- factor(data$group, levels = c("CLAD", "ALEM"))
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
terms <- list("slope[CLAD]" = c(0, 0, 1, 0), "slope[ALEM]" = c(0, 0, 0, 1), "interaction" = c(0, 0, 1, -1))
rows <- list()
for (set in unique(data$dataset)) for (outcome in unique(data$outcome[data$dataset == set])) {
  some <- data[data$dataset == set & data$outcome == outcome, ]
  fit <- suppressMessages(lmer(y ~ 0 + group + group:x + (1 | patient), some, control = control))
  spread <- as.data.frame(VarCorr(fit))$sdcor
  for (term in names(terms)) {
    test <- contest(fit, L = terms[[term]], joint = FALSE)
    rows[[length(rows) + 1]] <- data.frame(
      dataset = set, outcome = outcome, term = term, estimate = test[["Estimate"]], se = test[["Std. Error"]],
      df = test[["df"]], p = test[["Pr(>|t|)"]], patient_sd = spread[1], residual_sd = spread[2],
      singular = isSingular(fit))
  }
}
out <- do.call(rbind, rows)
numeric <- sapply(out, is.numeric)
out[numeric] <- lapply(out[numeric], function(x) sprintf("%.12g", x))
write.table(out, "lmer.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
packages <- c("lme4", "lmerTest", "Matrix")
versions <- sapply(packages, function(name) as.character(packageVersion(name)))
writeLines(c(R.version.string, paste(packages, versions)), "versions.txt")
