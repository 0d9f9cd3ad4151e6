"""`skreg.report`, the function; what makes the page is imported when it is called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def report(
    estimators: Any,
    X: Any,
    y: Any,
    *,
    path: str | os.PathLike[str] = "report.html",
    cv: Any = 5,
    scoring: Any = None,
    feature_names: Sequence[str] | None = None,
    target_name: str | None = None,
    title: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Path:
    """Compare models by cross-validation and write what was found as one HTML file.

    The page needs no network and no other file. It has the data at a glance, the scores of all
    models on the same folds with their standard errors and a baseline, what each model looks like
    (path, cross-validation curve and coefficients of skreg's linear models, the training of its
    networks, coefficients of any linear model), and cautions in words.

    Parameters
    ----------
    estimators : estimator, list of estimators, or list of (str, estimator)
        scikit-learn regressors or classifiers, not both; put preprocessing and model into a
        Pipeline, so that every fold learns both anew. One that is fitted is shown as it is, for
        the others a clone is fitted to all rows. They are not changed.
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Names are taken from a data frame. A sparse matrix stays one.
    y : array-like of shape (n_samples,)
        Numbers for regressors, classes for classifiers.
    path : str or path, default="report.html"
        The file to write, in an existing folder. It appears when it is whole, in place of an
        older one.
    cv : int, splitter or iterable of (train, test), default=5
        A number means shuffled folds, of equal shares of each class for classifiers. Where folds
        share rows (RepeatedKFold, ShuffleSplit), standard errors count how often a row is held out.
    scoring : str, callable or list of them, default=None
        scikit-learn scorers to rank the models by, put before the usual scores. None ranks
        regressors by R², by their deviance where all are of counts or amounts and minimise the same
        one, and classifiers by accuracy.
    feature_names : list of str, default=None
        For an X without names.
    target_name : str, default=None
        None takes the name of y, or "y".
    title : str, default=None
        Of the page.
    random_state : int, RandomState instance or None, default=0
        Of the folds; an int also of clones of estimators that leave their own open. With an int
        the numbers of the page are the same in each run.
    n_jobs : int or None, default=None
        Processes that share the fits. The result does not depend on it.
    verbose : int, default=0
        1 prints a line for each fit, on standard error.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError, ValueError
        An argument cannot be used, or the path cannot be written: before anything is fitted.
    ImportError
        Jinja2, matplotlib or pandas is missing: ``pip install "skreg[report]"``.

    Notes
    -----
    Warnings of the fits are not shown but written into the page. Nothing is written where a fit
    fails or is interrupted.

    Examples
    --------
    >>> import skreg
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> skreg.report([skreg.LassoCV(), skreg.RidgeCV()], X, y)  # doctest: +SKIP
    PosixPath('report.html')
    """
    from .making import make_report  # half of scikit-learn, which `import skreg` can do without

    options = {"cv": cv, "scoring": scoring, "feature_names": feature_names}
    options |= {"target_name": target_name, "title": title, "random_state": random_state}
    make_report(estimators, X, y, path, options, n_jobs=n_jobs, verbose=verbose)
    return Path(path)
