# glmnet's coefficients for classes and counts: the numbers of glmnet_losses.txt.
#
#     python test_glmnet_losses.py FOLDER
#     cd FOLDER; Rscript .../glmnet_losses.R > .../glmnet_losses.txt
#
# A line is family;run;lambdas;intercepts;coefficients;shares of the deviance, arrays by columns.
suppressMessages(library(glmnet))
invisible(glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 1000))
read <- function(name) as.matrix(read.csv(paste0(name, ".csv"), header = FALSE))
x <- read("x"); w <- read("weight")[, 1]; o <- read("offset"); pf <- read("factor")[, 1]
targets <- list(
  binomial = read("two")[, 1], multinomial = read("three")[, 1], poisson = read("count")[, 1])
runs <- list(
  lasso = list(), net = list(alpha = 0.4), ridge = list(alpha = 0),
  plain = list(standardize = FALSE), nointercept = list(intercept = FALSE, alpha = 0.7),
  weights = list(weights = w), offset = list(offset = TRUE), factors = list(penalty.factor = pf),
  limits = list(lower.limits = -0.2, upper.limits = 0.3),
  all = list(
    alpha = 0.6, weights = w, offset = TRUE, penalty.factor = pf + 0.5,
    lower.limits = -0.6, upper.limits = 0.9))
num <- function(v) paste(sprintf("%.12g", v), collapse = ",")
for (family in names(targets)) for (run in names(runs)) {
  given <- runs[[run]]; y <- targets[[family]]
  if (family == "multinomial") y <- factor(y)
  if (isTRUE(given$offset)) given$offset <- if (family == "multinomial") o else o[, 1]
  lambda <- if (identical(given$alpha, 0)) c(1, 0.1, 0.01) else c(0.1, 0.03, 0.01, 0.003)
  given <- c(list(x = x, y = y, family = family, lambda = lambda, thresh = 1e-14, maxit = 1e7), given)
  fit <- do.call(glmnet, given)
  beta <- as.matrix(if (family == "multinomial") do.call(rbind, fit$beta) else fit$beta)
  cat(family, run, num(lambda), num(t(fit$a0)), num(beta), num(fit$dev.ratio), sep = ";")
  cat("\n")
}
