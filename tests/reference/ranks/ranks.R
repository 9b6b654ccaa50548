# Compares sample x with sample y of data.tsv; writes wilcoxon.tsv, t_tests.tsv and versions.txt:
# Rscript ranks.R (in this folder). shift, ci_low, ci_high: wilcox.test's own, roots found to 1e-4; the columns with
# _tight: the same with roots to 1e-12. R's shift is where the statistic (without continuity correction) crosses zero:
# a step function, and any point of a flat stretch at zero (n_x * n_y even) is a root, so it can differ from
# median_difference, the median of all x - y. achieved_level: the level R says its interval has; conditions: messages
# of wilcox.test, n/a where there are none.
data <- read.delim("data.tsv", stringsAsFactors = FALSE)
notes <- NULL
wilcoxon <- function(x, y, ...) withCallingHandlers(
  wilcox.test(x, y, exact = FALSE, correct = TRUE, conf.int = TRUE, ...),
  warning = function(w) { notes <<- c(notes, conditionMessage(w)); invokeRestart("muffleWarning") })
ranks <- tests <- list()
for (set in unique(data$dataset)) {
  some <- data[data$dataset == set, ]
  x <- some$value[some$sample == "x"]
  y <- some$value[some$sample == "y"]
  notes <- NULL
  plain <- wilcoxon(x, y)
  tight <- wilcoxon(x, y, tol.root = 1e-12)
  ranks[[set]] <- data.frame(
    dataset = set, n_x = length(x), n_y = length(y), w = plain$statistic[[1]], p = plain$p.value,
    shift = plain$estimate[[1]], ci_low = plain$conf.int[1], ci_high = plain$conf.int[2],
    shift_tight = tight$estimate[[1]], ci_low_tight = tight$conf.int[1], ci_high_tight = tight$conf.int[2],
    median_difference = median(outer(x, y, "-")), achieved_level = attr(tight$conf.int, "conf.level"),
    conditions = if (is.null(notes)) "n/a" else paste(unique(notes), collapse = "; "))
  for (method in c("student", "welch")) {
    test <- t.test(x, y, var.equal = method == "student")
    tests[[paste(set, method)]] <- data.frame(
      dataset = set, method = method, estimate = mean(x) - mean(y), se = test$stderr, t = test$statistic[[1]],
      df = test$parameter[[1]], p = test$p.value, ci_low = test$conf.int[1], ci_high = test$conf.int[2])
  }
}
write_rows <- function(rows, path) {
  out <- do.call(rbind, rows)
  numeric <- sapply(out, is.numeric)
  out[numeric] <- lapply(out[numeric], function(x) ifelse(is.na(x), "NA", sprintf("%.12g", x)))
  write.table(out, path, sep = "\t", quote = FALSE, row.names = FALSE)
}
write_rows(ranks, "wilcoxon.tsv")
write_rows(tests, "t_tests.tsv")
writeLines(c(R.version.string, "data.tsv: seeds 71-78 and 81-82 (make_data.py)"), "versions.txt")
