# Times lmerTest and brms on the models of routes.py: Rscript routes.R FOLDER SLOW (FOLDER holds data.tsv).
# brms: compiled once, then update(recompile = FALSE) for each of the first 2 x SLOW fits.
suppressMessages({library(lmerTest); library(brms)})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.delim(file.path(arguments[1], "data.tsv"), stringsAsFactors = FALSE)
seconds <- function(expression) system.time(expression)[["elapsed"]]
sets <- split(data, factor(data$fit, unique(data$fit)))
satterthwaite <- seconds(for (set in sets) suppressMessages(summary(lmer(y ~ x * side + (1 | patient), set))))

priors <- c(
  prior(normal(0, 2.5), class = b, coef = Intercept),
  set_prior(sprintf("normal(0, %.17g)", 0.5 * sqrt(0.75)), coef = "x"),
  prior(normal(0, 1), class = b, coef = side), prior(normal(0, 0.5), class = b, coef = "x:side"),
  prior(student_t(3, 0, 1), class = sd), prior(student_t(3, 0, 1), class = sigma))
formula <- bf(y ~ 0 + Intercept + x + side + x:side + (1 | patient))
once <- seconds(first <- brm(formula, sets[[1]], gaussian(), priors, chains = 4, iter = 2000, cores = 2, seed = 1,
                             refresh = 0, silent = 2))
few <- sets[unique(c(seq_len(as.integer(arguments[2])), length(sets) / 2 + seq_len(as.integer(arguments[2]))))]
ess <- c()
rest <- seconds(for (set in few) {
  fit <- suppressMessages(update(first, newdata = set, recompile = FALSE, chains = 4, iter = 2000, cores = 2, seed = 1,
                                 refresh = 0, silent = 2))
  ess <- c(ess, min(posterior::summarise_draws(fit, "ess_bulk")$ess_bulk[c(2, 4)]))
})
row <- function(route, fits, once, rest, ess) sprintf(
  '{"route": "%s", "fits": %d, "once": %.4f, "rest": %.4f, "ess": %s}', route, fits, once, rest, ess)
version <- function(name) as.character(packageVersion(name))
writeLines(sprintf("[%s]", paste(
  row(paste("lmer, summary with Satterthwaite (lmerTest", paste0(version("lmerTest"), ")")), length(sets), 0,
      satterthwaite, "null"),
  row(paste("brms", version("brms"), "update(recompile = FALSE)"), length(few), max(once - rest / length(few), 0), rest,
      sprintf("%.1f", median(ess))), sep = ", ")), file.path(arguments[1], "times.json"))
