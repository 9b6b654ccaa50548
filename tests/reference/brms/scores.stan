// Written by hand: cumulative logit by cell with patient intercepts, P(score <= k) = inv_logit(c[k] - eta).
data {
  int<lower=1> n; int<lower=1> cells; int<lower=1> patients; int<lower=2> categories;
  int<lower=1, upper=cells> cell[n]; int<lower=1, upper=patients> patient[n];
  int<lower=1, upper=categories> category[n];
}
parameters {
  vector[cells] d; vector[patients] z; ordered[categories - 1] c; real<lower=0> patient_sd;
}
model {
  d ~ normal(0, 1);
  z ~ normal(0, 1);
  c ~ normal(0, 5);
  patient_sd ~ student_t(3, 0, 2.5);
  category ~ ordered_logistic(d[cell] + patient_sd * z[patient], c);
}
