# Fits ../lmer/data.tsv and data.tsv with lmerTest, Kenward-Roger by pbkrtest; writes kenward_roger.tsv and versions.txt:
# Rscript kenward_roger.R (in this folder). Optimiser as in ../lmer/lmer.R. se_unadjusted and df_satterthwaite: the same
# contrast by Satterthwaite's method. In singular fits the optimiser stops at 0 or at a patient SD near 1e-8.
suppressMessages({library(lmerTest); library(pbkrtest)})
read <- function(path) read.delim(path, stringsAsFactors = FALSE)
data <- rbind(read("../lmer/data.tsv"), read("data.tsv"))
data$group <- factor(data$group, levels = c("CLAD", "ALEM"))
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
terms <- list("slope[CLAD]" = c(0, 0, 1, 0), "slope[ALEM]" = c(0, 0, 0, 1), "interaction" = c(0, 0, 1, -1))
rows <- list()
for (set in unique(data$dataset)) for (outcome in unique(data$outcome[data$dataset == set])) {
  some <- data[data$dataset == set & data$outcome == outcome, ]
  fit <- suppressMessages(lmer(y ~ 0 + group + group:x + (1 | patient), some, control = control))
  spread <- as.data.frame(VarCorr(fit))$sdcor
  for (term in names(terms)) {
    test <- contest(fit, L = terms[[term]], joint = FALSE, ddf = "Kenward-Roger")
    plain <- contest(fit, L = terms[[term]], joint = FALSE, ddf = "Satterthwaite")
    rows[[length(rows) + 1]] <- data.frame(
      dataset = set, outcome = outcome, term = term, estimate = test[["Estimate"]], se = test[["Std. Error"]],
      df = test[["df"]], t = test[["t value"]], p = test[["Pr(>|t|)"]], se_unadjusted = plain[["Std. Error"]],
      df_satterthwaite = plain[["df"]], patient_sd = spread[1], residual_sd = spread[2], singular = isSingular(fit))
  }
}
out <- do.call(rbind, rows)
numeric <- sapply(out, is.numeric)
out[numeric] <- lapply(out[numeric], function(x) sprintf("%.12g", x))
write.table(out, "kenward_roger.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
packages <- c("lme4", "lmerTest", "pbkrtest", "Matrix")
versions <- sapply(packages, function(name) as.character(packageVersion(name)))
seeds <- "data.tsv: seeds 51-54 (make_data.py)"
writeLines(c(R.version.string, paste(packages, versions), seeds), "versions.txt")
