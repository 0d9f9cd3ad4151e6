# The worker of R's glmnet: the same commands and answers as worker.py, the clock inside R.

say <- function(...) { cat("@ {", paste0(..., collapse = ""), "}\n", sep = ""); flush(stdout()) }
numbers <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
text <- function(x) gsub("[\"\\\\[:cntrl:]]", " ", paste(x, collapse = " "))

if (!suppressWarnings(suppressMessages(require(glmnet, quietly = TRUE)))) {
  say("\"absent\": \"R package glmnet\"")
  quit()
}
# a path is never cut short: the alphas are given and every one of them is compared
glmnet.control(fdev = 0, devmax = 1)
say("\"versions\": {\"glmnet\": \"", as.character(packageVersion("glmnet")),
    "\", \"R\": \"", paste(R.version$major, R.version$minor, sep = "."), "\"}")

load_problem <- function(folder) {
  at <- function(name) file.path(folder, name)
  lines <- strsplit(readLines(at("problem.txt")), " ")
  meta <- setNames(sapply(lines, `[`, 2), sapply(lines, `[`, 1))
  read <- function(name, what = "double", size = NA_integer_) {
    if (!file.exists(at(name))) return(NULL)
    width <- if (what == "double") 8 else 4
    readBin(at(name), what, n = file.size(at(name)) / width, size = width, endian = "little")
  }
  n <- as.integer(meta[["n"]])
  p <- as.integer(meta[["p"]])
  X <- if ("stored" %in% names(meta)) {
    new("dgCMatrix", i = read("X.indices", "integer"), p = read("X.indptr", "integer"),
        x = read("X.data"), Dim = c(n, p))
  } else matrix(read("X"), n, p)
  targets <- as.integer(meta[["targets"]])
  y <- read("y")
  if (targets > 0) y <- matrix(y, n, targets)
  list(folder = folder, task = meta[["task"]], X = X, y = y, alphas = read("alphas"),
       l1_ratio = as.numeric(meta[["l1_ratio"]]), weights = read("weights"),
       factors = read("factors"), lower = read("lower"), upper = read("upper"),
       folds = read("folds"), loss = meta[["loss"]])
}

shrunk <- function(q) {
  rows <- unique(round(seq(1, nrow(q$X), length.out = 40)))
  columns <- unique(round(seq(1, ncol(q$X), length.out = 12)))
  q$X <- q$X[rows, columns]
  q$y <- if (is.matrix(q$y)) q$y[rows, , drop = FALSE] else q$y[rows]
  if (!is.null(q$weights)) q$weights <- q$weights[rows]
  for (name in c("factors", "lower", "upper")) {
    if (!is.null(q[[name]])) q[[name]] <- q[[name]][columns]
  }
  if (!is.null(q$folds)) q$folds <- seq_along(rows) %% 5
  q$alphas <- q$alphas[1:3]
  q
}

# glmnet scales y to unit deviation s inside, which leaves the two parts of a penalty on different
# scales, so y is scaled here: w becomes w / s, the l1 part alpha l1_ratio / s, and the l2 part stays.
# Its factors sum to p.
solve <- function(q, thresh, type) {
  if (q$task == "mt_path") {
    fit <- glmnet(q$X, q$y, family = "mgaussian", alpha = q$l1_ratio, lambda = q$alphas,
                  standardize = FALSE, thresh = thresh, maxit = 1e7)
    return(list(model = fit, at = seq_along(q$alphas), centre = 0, deviation = 1,
                curve = numeric(0)))
  }
  if (q$task %in% c("glm_path", "glm_cv")) {
    families <- c(logistic = "binomial", multinomial = "multinomial", poisson = "poisson")
    arguments <- list(x = q$X, y = if (q$loss == "poisson") q$y else factor(q$y), alpha = q$l1_ratio,
                      family = families[[q$loss]], lambda = q$alphas,
                      standardize = FALSE, thresh = thresh, maxit = 1e7, type.logistic = type)
    if (q$task == "glm_path") {
      return(list(model = do.call(glmnet, arguments), at = seq_along(q$alphas), centre = 0,
                  deviation = 1, curve = numeric(0)))
    }
    fit <- do.call(cv.glmnet, c(arguments, list(foldid = q$folds + 1)))
    return(list(model = fit$glmnet.fit, at = which.min(fit$cvm), centre = 0, deviation = 1,
                curve = fit$cvm))
  }
  p <- ncol(q$X)
  w <- if (is.null(q$weights)) rep(1 / length(q$y), length(q$y)) else q$weights / sum(q$weights)
  centre <- sum(w * q$y)
  deviation <- sqrt(sum(w * (q$y - centre)^2))
  factors <- if (is.null(q$factors)) rep(1, p) else q$factors
  both <- q$l1_ratio / deviation + 1 - q$l1_ratio
  lambda <- q$alphas * both * mean(factors)
  bound <- function(x, open) if (is.null(x)) open else x / deviation
  arguments <- list(
    x = q$X, y = (q$y - centre) / deviation, alpha = q$l1_ratio / deviation / both, lambda = lambda,
    standardize = FALSE, penalty.factor = factors, lower.limits = bound(q$lower, -Inf),
    upper.limits = bound(q$upper, Inf), thresh = thresh, maxit = 1e7, type.gaussian = type
  )
  if (!is.null(q$weights)) arguments$weights <- q$weights
  if (q$task == "cv") {
    fit <- do.call(cv.glmnet, c(arguments, list(foldid = q$folds + 1)))
    best <- which.min(fit$cvm)
    model <- fit$glmnet.fit
    list(model = model, at = best, centre = centre, deviation = deviation,
         curve = fit$cvm * deviation^2)
  } else {
    list(model = do.call(glmnet, arguments), at = seq_along(lambda), centre = centre,
         deviation = deviation, curve = numeric(0))
  }
}

run <- function(q, type, thresh, number, save) {
  seconds <- numeric(number)
  invisible(gc())
  for (k in seq_len(number)) {
    start <- as.numeric(Sys.time())
    found <- solve(q, thresh, type)
    seconds[k] <- as.numeric(Sys.time()) - start
  }
  done <- length(found$model$lambda)
  if (done < length(q$alphas)) stop("stopped after ", done, " of ", length(q$alphas), " alphas")
  answer <- paste0("\"seconds\": ", numbers(seconds))
  if (save) {
    several <- is.list(found$model$beta)
    if (several) {  # a column for each lambda and target or class, those of a lambda side by side
      coefs <- do.call(rbind, lapply(found$model$beta, as.matrix))
      intercepts <- found$model$a0
    } else {
      coefs <- as.matrix(found$model$beta)[, found$at, drop = FALSE] * found$deviation
      intercepts <- found$model$a0[found$at] * found$deviation + found$centre
    }
    file <- file(file.path(q$folder, "glmnet.answer"), "wb")
    writeBin(as.numeric(c(coefs, intercepts)), file, endian = "little")
    close(file)
    each <- if (several) length(found$model$beta) else 1
    answer <- paste0(answer, ", \"alphas\": ", numbers(rep(q$alphas[found$at], each = each)),
                     ", \"curve\": ", numbers(found$curve))
  }
  say(answer)
}

problem <- NULL
input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  words <- strsplit(line, " ")[[1]]
  tryCatch(suppressWarnings({
    if (words[1] == "load") {
      problem <- NULL
      problem <- load_problem(sub("^load ", "", line))
      types <- if (problem$task %in% c("glm_path", "glm_cv")) c("Newton", "modified.Newton") else c("naive", "covariance")
      for (type in c(types, types)) {  # R compiles what is repeated
        try(solve(shrunk(problem), 1e-4, type), silent = TRUE)
      }
      say("\"loaded\": true")
    } else {
      run(problem, words[2], as.numeric(words[3]), as.integer(words[4]), words[5] == "1")
    }
  }), error = function(e) say("\"error\": \"", text(conditionMessage(e)), "\""))
}
