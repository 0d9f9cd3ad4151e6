# glmnet's relaxed fits: the numbers of glmnet_relaxed.txt.
#
#     python test_glmnet_losses.py FOLDER
#     cd FOLDER; Rscript .../glmnet_relaxed.R > .../glmnet_relaxed.txt
#
# A line is family;run;lambdas;intercepts;coefficients of the refits, arrays by columns; those of
# "cv" are the means of the errors, one row a share, their standard errors and what either rule
# chooses.
suppressMessages(library(glmnet))
invisible(glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 1000))
read <- function(name) as.matrix(read.csv(paste0(name, ".csv"), header = FALSE))
x <- read("x"); w <- read("weight")[, 1]; o <- read("offset"); pf <- read("factor")[, 1]
targets <- list(
  gaussian = read("amount")[, 1], binomial = read("two")[, 1], multinomial = read("three")[, 1],
  poisson = read("count")[, 1])
runs <- list(
  lasso = list(), net = list(alpha = 0.4), plain = list(standardize = FALSE),
  nointercept = list(intercept = FALSE, alpha = 0.7), weights = list(weights = w),
  offset = list(offset = TRUE), factors = list(penalty.factor = pf),
  limits = list(lower.limits = -0.2, upper.limits = 0.3))
num <- function(v) paste(sprintf("%.12g", v), collapse = ",")
for (family in names(targets)) for (run in names(runs)) {
  given <- runs[[run]]; y <- targets[[family]]
  if (family == "multinomial") y <- factor(y)
  if (isTRUE(given$offset)) given$offset <- if (family == "multinomial") o else o[, 1]
  lambda <- c(0.2, 0.1, 0.03, 0.01)
  given <- c(list(
    x = x, y = y, family = family, lambda = lambda, thresh = 1e-20, maxit = 1e7, relax = TRUE), given)
  fit <- do.call(glmnet, given)$relaxed
  beta <- as.matrix(if (family == "multinomial") do.call(rbind, fit$beta) else fit$beta)
  cat(family, run, num(lambda), num(t(fit$a0)), num(beta), sep = ";")
  cat("\n")
}
fold <- rep(1:5, length.out = nrow(x))
for (family in c("gaussian", "binomial", "poisson")) {
  lambda <- 10^seq(-0.6, -2.2, length.out = 9)
  cv <- cv.glmnet(
    x, targets[[family]], family = family, lambda = lambda, foldid = fold, thresh = 1e-20,
    maxit = 1e7, relax = TRUE)$relaxed
  each <- function(name) num(unlist(lapply(cv$statlist, "[[", name)))
  chosen <- num(c(cv$lambda.min, cv$gamma.min, cv$lambda.1se, cv$gamma.1se))
  cat("cv", family, num(lambda), each("cvm"), each("cvsd"), chosen, sep = ";")
  cat("\n")
}
