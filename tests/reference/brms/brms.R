# Samples four models by Stan; writes posterior.tsv, sampling.tsv and versions.txt: Rscript brms.R (in this folder; about
# ten minutes on two cores). gaussian, student: Stan programs written by brms (kept as gaussian.stan and student.stan)
# from `y ~ 0 + Intercept + ...`, so that no prior speaks of centred predictors; in student.stan the bound of nu is
# moved from 1 to 0, and the prior's truncation at 1 removed. counts, scores: programs written by hand.
# Parameters: slope[CLAD] = x + x:side / 2, slope[ALEM] = x - x:side / 2 (side is +-0.5).
suppressMessages({library(rstan); library(brms); library(posterior)})
seed <- 20240501
read <- function(path) read.delim(path, stringsAsFactors = FALSE)
edit <- function(code, from, to) {
  stopifnot(lengths(regmatches(code, gregexpr(from, code, fixed = TRUE))) == 1)
  sub(from, to, code, fixed = TRUE)
}

formula <- bf(y ~ 0 + Intercept + x + side + x:side + (1 | patient))
priors <- c(
  prior(normal(0, 2.5), class = b, coef = Intercept),
  set_prior(sprintf("normal(0, %.17g)", 0.5 * sqrt(0.75)), coef = "x"),
  prior(normal(0, 1), class = b, coef = side), prior(normal(0, 0.5), class = b, coef = "x:side"),
  prior(student_t(3, 0, 1), class = sd), prior(student_t(3, 0, 1), class = sigma))
priors_student <- c(priors, prior(gamma(2, 0.1), class = nu))
changes <- read("changes.tsv")
code <- list(gaussian = make_stancode(formula, changes, gaussian(), priors),
             student = make_stancode(formula, changes, student(), priors_student))
code$student <- edit(code$student, "real<lower=1> nu;", "real<lower=0> nu;")
truncated <- "gamma_lpdf(nu | 2, 0.1)\n    - 1 * gamma_lccdf(1 | 2, 0.1);"
code$student <- edit(code$student, truncated, "gamma_lpdf(nu | 2, 0.1);")
for (name in names(code)) writeLines(as.character(code[[name]]), paste0(name, ".stan"))

sample_from <- function(program, data) sampling(
  program, data, chains = 4, warmup = 1000, iter = 11000, cores = 2, seed = seed, refresh = 0,
  control = list(adapt_delta = 0.95))
rows <- fits <- list()
report <- function(model, dataset, fit, draws) {
  table <- as.data.frame(summarise_draws(
    draws, "mean", "sd", ~quantile2(.x, c(0.025, 0.5, 0.975)), "mcse_mean", "mcse_sd",
    ~setNames(mcse_quantile(.x, c(0.025, 0.5, 0.975)), c("mcse_q2.5", "mcse_q50", "mcse_q97.5")),
    "ess_bulk", "ess_tail", "rhat"))
  names(table)[1] <- "parameter"
  rows[[length(rows) + 1]] <<- cbind(data.frame(model = model, dataset = dataset), table)
  fits[[length(fits) + 1]] <<- data.frame(
    model = model, dataset = dataset, chains = 4, draws = ndraws(draws), seed = seed,
    divergent = get_num_divergent(fit), deepest_trees = get_num_max_treedepth(fit),
    lowest_bfmi = min(get_bfmi(fit)))
}

for (name in names(code)) {
  program <- stan_model(model_code = as.character(code[[name]]))
  family <- if (name == "student") student() else gaussian()
  for (set in unique(changes$dataset)) {
    data <- make_standata(formula, changes[changes$dataset == set, ], family)
    stopifnot(colnames(data$X) == c("Intercept", "x", "side", "x:side"))
    fit <- sample_from(program, data[names(data)])
    draws <- subset_draws(as_draws_array(fit), c("b", "sd_1", "sigma", if (name == "student") "nu"))
    variables(draws) <- c(
      "intercept", "x", "side", "x:side", "patient_sd", "residual_sd", if (name == "student") "nu")
    draws <- mutate_variables(draws, `slope[CLAD]` = x + `x:side` / 2, `slope[ALEM]` = x - `x:side` / 2)
    report(name, set, fit, draws)
  }
}

counts <- read("counts.tsv")
fit <- sample_from(stan_model("counts.stan"), with(counts, list(
  n = length(count), cells = 8, patients = length(unique(patient)), cell = cell,
  patient = as.integer(factor(patient)), log_time = log(time), count = count)))
report("counts", "counts", fit, subset_draws(
  as_draws_array(fit), c("a", "d", "log_rate", "inverse_sqrt_shape", "patient_sd")))
scores <- read("scores.tsv")
fit <- sample_from(stan_model("scores.stan"), with(scores, list(
  n = length(score), cells = 8, patients = length(unique(patient)), categories = max(category), cell = cell,
  patient = as.integer(factor(patient)), category = category)))
report("scores", "scores", fit, subset_draws(as_draws_array(fit), c("d", "c", "patient_sd")))

write_rows <- function(rows, path) {
  out <- do.call(rbind, rows)
  numeric <- sapply(out, is.numeric)
  out[numeric] <- lapply(out[numeric], function(x) sprintf("%.12g", x))
  write.table(out, path, sep = "\t", quote = FALSE, row.names = FALSE)
}
write_rows(rows, "posterior.tsv")
write_rows(fits, "sampling.tsv")
packages <- c("brms", "rstan", "StanHeaders", "posterior")
versions <- sapply(packages, function(name) as.character(packageVersion(name)))
writeLines(c(R.version.string, paste(packages, versions), paste("Stan", stan_version()), paste("sampling seed", seed),
             "changes.tsv: seeds 91-92, counts.tsv: 93, scores.tsv: 94 (make_data.py)"), "versions.txt")
