// Written by hand: negative binomial counts by cell with patient intercepts and offset log(time).
data {
  int<lower=1> n; int<lower=1> cells; int<lower=1> patients;
  int<lower=1, upper=cells> cell[n]; int<lower=1, upper=patients> patient[n];
  vector[n] log_time; int<lower=0> count[n];
}
parameters {
  real a; vector[cells] d; vector[patients] z;
  real<lower=0> inverse_sqrt_shape; real<lower=0> patient_sd;
}
transformed parameters { vector[cells] log_rate = a + d; }
model {
  a ~ normal(0, 1.5);
  d ~ normal(0, 1);
  z ~ normal(0, 1);
  inverse_sqrt_shape ~ normal(0, 1);
  patient_sd ~ normal(0, 1);
  count ~ neg_binomial_2_log(log_rate[cell] + log_time + patient_sd * z[patient], inv_square(inverse_sqrt_shape));
}
