# Tables as papers print them, in full: Rscript tables.R | gzip -9n > tables.tsv.gz (versions.txt says with what)
# Each table: regressions of a left part, a right part and their sum on one predictor in two groups and in everybody,
# a joint fit of the sum with its interaction, and in every fifth table a mixed model (patients with several rows).
set.seed(20)
columns <- c("table", "source", "structure", "term", "group", "n", "estimate", "se", "df", "p", "r", "ci_low", "ci_high")
out <- function(...) cat(paste(sapply(list(...), function(v) if (is.numeric(v)) format(v, digits = 9) else v),
                               collapse = "\t"), "\n", sep = "")
cat(paste(columns, collapse = "\t"), "\n", sep = "")

separate <- function(k, name, group, x, y) {
  fit <- lm(y ~ x)
  row <- summary(fit)$coefficients["x", ]
  ends <- confint(fit)["x", ]
  out(k, "Separate", name, "slope", group, length(x), row[1], row[2], length(x) - 2, row[4], cor.test(x, y)$estimate,
      ends[1], ends[2])
}

contrasts_of <- function(k, source, beta, V, df, sizes) {
  for (w in list(list("slope", "A", c(1, 0)), list("slope", "B", c(0, 1)), list("interaction", "A-B", c(1, -1)))) {
    estimate <- sum(w[[3]] * beta)
    se <- sqrt(drop(t(w[[3]]) %*% V %*% w[[3]]))
    half <- qt(0.975, df) * se
    out(k, source, "size", w[[1]], w[[2]], sizes[[w[[2]]]], estimate, se, df, 2 * pt(-abs(estimate / se), df), NA,
        estimate - half, estimate + half)
  }
}

for (k in 1:500) {
  n <- sample(5:60, 2, replace = TRUE)
  g <- factor(rep(c("A", "B"), n))
  x <- rnbinom(sum(n), size = 0.8, mu = 3)
  x[c(1, n[1] + 1)] <- 5
  x[c(2, n[1] + 2)] <- 0
  slope <- rnorm(2, 0, 0.1)
  left <- slope[g] * x + rnorm(sum(n), 0, c(0.3, 0.5)[g])
  right <- 0.5 * left + rnorm(sum(n), 0, 0.3)
  y <- list(left_size = left, right_size = right, size = left + right)
  for (name in names(y)) {
    separate(k, name, "ALL", x, y[[name]])
    for (one in levels(g)) separate(k, name, one, x[g == one], y[[name]][g == one])
  }
  sizes <- c(as.list(table(g)), list("A-B" = sum(n)))
  joint <- lm(size ~ 0 + g + g:x, data = list(size = y$size, g = g, x = x))
  terms <- c("gA:x", "gB:x")
  contrasts_of(k, "Joint", coef(joint)[terms], vcov(joint)[terms, terms], sum(n) - 4, sizes)
  if (k %% 5 == 0) {
    id <- factor(unlist(lapply(levels(g), function(one) paste(one, rep(1:sum(g == one), length.out = sum(g == one)) %/% 3))))
    d <- data.frame(size = y$size + rnorm(nlevels(id), 0, 0.3)[id], g, x, id)
    fit <- try(nlme::lme(size ~ 0 + g + g:x, random = ~ 1 | id, data = d), silent = TRUE)
    if (!inherits(fit, "try-error"))
      contrasts_of(k, "Mixed", nlme::fixef(fit)[terms], vcov(fit)[terms, terms], fit$fixDF$X[["gA:x"]], sizes)
  }
}
