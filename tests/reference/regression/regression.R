# Fits y ~ x by lm to data.tsv per group and to all rows; writes regression.tsv and versions.txt:
# Rscript regression.R (in this folder). NA: no slope, the predictor has no spread (R's df is then n - 1).
data <- read.delim("data.tsv", stringsAsFactors = FALSE)
rows <- list()
for (set in unique(data$dataset)) for (group in c("CLAD", "ALEM", "ALL")) {
  some <- data[data$dataset == set & (group == "ALL" | data$group == group), ]
  result <- summary(lm(y ~ x, some))
  slope <- if ("x" %in% rownames(result$coefficients)) result$coefficients["x", ] else rep(NA_real_, 4)
  rows[[length(rows) + 1]] <- data.frame(
    dataset = set, term = sprintf("slope[%s]", group), n = nrow(some), estimate = slope[[1]], se = slope[[2]],
    df = result$df[2], t = slope[[3]], p = slope[[4]], r_squared = result$r.squared,
    intercept = result$coefficients["(Intercept)", "Estimate"], residual_sd = result$sigma)
}
out <- do.call(rbind, rows)
numeric <- sapply(out, is.numeric)
out[numeric] <- lapply(out[numeric], function(x) ifelse(is.na(x), "NA", sprintf("%.12g", x)))
write.table(out, "regression.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
writeLines(c(R.version.string, "data.tsv: seeds 61-66 (make_data.py)"), "versions.txt")
