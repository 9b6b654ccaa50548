# Compares active rows with quiet ones of data.tsv by Datta and Satten's test; writes clusrank.tsv and versions.txt:
# Rscript clusrank.R (in this folder). The package takes the smaller group label for the one whose ranks it sums.
suppressMessages(library(clusrank))
data <- read.delim("data.tsv", stringsAsFactors = FALSE)
rows <- list()
for (set in unique(data$dataset)) {
  some <- data[data$dataset == set, ]
  test <- clusWilcox.test(some$y, cluster = some$patient, group = 2 - some$active, method = "ds")
  rows[[set]] <- data.frame(
    dataset = set, statistic = test$S, expectation = test$ES, variance = test$varS, z = test$statistic[[1]],
    p = test$p.value)
}
out <- do.call(rbind, rows)
numeric <- sapply(out, is.numeric)
out[numeric] <- lapply(out[numeric], function(x) sprintf("%.12g", x))
write.table(out, "clusrank.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
writeLines(c(R.version.string, paste("clusrank", packageVersion("clusrank")), "data.tsv: seeds 91-95 (make_data.py)"),
           "versions.txt")
