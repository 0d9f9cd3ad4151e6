# glmnet's coefficients of several targets at once: the numbers of glmnet_mgaussian.txt.
#
#     python test_glmnet_mgaussian.py FOLDER
#     cd FOLDER; Rscript .../glmnet_mgaussian.R > .../glmnet_mgaussian.txt
#
# A line is run;lambdas;intercepts;coefficients;shares of the deviance, arrays by columns.
suppressMessages(library(glmnet))
invisible(glmnet.control(fdev = 0, devmax = 1))
read <- function(name) as.matrix(read.csv(paste0(name, ".csv"), header = FALSE))
x <- read("x"); y <- read("y"); w <- read("weight")[, 1]; pf <- read("factor")[, 1]
runs <- list(
  lasso = list(), net = list(alpha = 0.4), plain = list(standardize = FALSE),
  nointercept = list(intercept = FALSE, alpha = 0.7), weights = list(weights = w),
  factors = list(penalty.factor = pf), all = list(alpha = 0.6, weights = w, penalty.factor = pf + 0.5))
num <- function(v) paste(sprintf("%.12g", v), collapse = ",")
for (run in names(runs)) {
  lambda <- c(1, 0.3, 0.1, 0.03, 0.003)
  given <- list(x = x, y = y, family = "mgaussian", lambda = lambda, thresh = 1e-20, maxit = 1e8)
  fit <- do.call(glmnet, c(given, runs[[run]]))
  beta <- as.matrix(do.call(rbind, fit$beta))
  cat(run, num(lambda), num(t(fit$a0)), num(beta), num(fit$dev.ratio), sep = ";")
  cat("\n")
}
