"""Networks for classes: what they share, and MLPClassifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from ..estimators.parameters import parameter, with_parameters
from ..estimators.runtime import restored_on_failure
from ..objective.losses import Logistic, Loss, Multinomial
from .base import BaseMLP, can_go_on
from .block_rows import Tally
from .engine.batches import Data, Targets
from .engine.layers import Matrix
from .fitting import fit_network
from .labels import class_factors, labels_by_table, read_labels
from .parameters import RATE
from .rows import Rows


@with_parameters
class NetworkClassifier(ClassifierMixin, BaseMLP):
    """What networks for classes share."""

    label_smoothing: float = parameter(
        default=0.0,
        constraint=[RATE],
        kind="float",
        meaning="Share of each target that is spread evenly over the classes, in [0, 1).",
    )
    class_weight: Any = parameter(
        default=None,
        constraint=[StrOptions({"balanced"}), dict, list, None],
        kind='dict, "balanced", list of dict or None',
        meaning="""
        Weights of the classes, times `sample_weight`; of `X_val`, too, as the rows to fit have
        them. A class that a dict lacks has 1; several labels take a list, with a dict each.
        """,
    )

    @available_if(can_go_on)
    @restored_on_failure
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch on some more rows.

        Nothing is held out, and callbacks are not called. A call that fails or is interrupted
        leaves the network as it was; the moments of the optimiser begin anew.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or indicators of shape (n_samples, n_labels)
        sample_weight : array-like of shape (n_samples,) or None, default=None
        classes : array-like of shape (n_classes,) or None, default=None
            All classes there will be; needed in the first call, but for several labels.

        Returns
        -------
        self
        """
        known = classes is not None or hasattr(self, "classes_")
        if not known and type_of_target(y) != "multilabel-indicator":
            raise ValueError("classes must be passed on the first call to partial_fit.")
        fit_network(self, X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each row; of several labels those more likely than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        raw = self._raw(self._check_X(X))
        if self._multilabel:
            return (raw > 0).astype(np.intp)
        if raw.shape[1] == 1:
            return self.classes_[(raw[:, 0] > 0).astype(np.intp) * (len(self.classes_) - 1)]
        return self.classes_[np.argmax(raw, axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        """
        return self._shaped(self._raw_of(X))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _shaped(self, raw: Matrix) -> Matrix:
        if not self._multilabel and raw.shape[1] == 1:
            if len(self.classes_) == 1:
                return np.ones_like(raw)
            # Not one less the other, of which float32 keeps few digits where it is small.
            raw = np.concatenate([-raw, raw], axis=1)
        return self._loss().inverse_link(raw)

    @property
    def _multilabel(self) -> bool:
        return bool(self.out_activation_ == "logistic" and self.n_outputs_ > 1)

    def _loss(self) -> Loss:
        return Multinomial() if self.out_activation_ == "softmax" else Logistic()

    def _encode(self, y: Any, first: bool, classes: Any = None, complete: bool = False) -> Targets:
        first = first or not hasattr(self, "classes_")
        given = None if classes is None else np.unique(classes)
        smoothing, complete = float(self.label_smoothing), complete and not first
        targets, found, out_activation = read_labels(
            y, given if first else self.classes_, np.dtype(self.dtype), smoothing, complete
        )
        if first:
            self.classes_: NDArray[Any] = found
            self.out_activation_ = out_activation
        same = np.array_equal(found, self.classes_) and out_activation == self.out_activation_
        if not same or (given is not None and not np.array_equal(given, self.classes_)):
            raise ValueError(
                f"`classes={found if given is None else given}` is not the same as on last call to"
                f" partial_fit, was: {self.classes_}"
            )
        return targets

    def _codes(self, targets: Targets) -> Any:
        return None if targets.table is None else targets.values

    def _class_factors(self, rows: Rows, targets: Targets, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all rows, which partial_fit does not see: give a"
                " dict of weights"
            )
        return class_factors(self.class_weight, targets, self.classes_, rows)

    def _encode_block(self, y: Any) -> Targets:
        if y.ndim == 2:
            return self._encode(y, first=False)
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(f"y has the classes {unseen}, which the first pass did not see")
        dtype, smoothing = np.dtype(self.dtype), float(self.label_smoothing)
        return labels_by_table(y, self.classes_, dtype, smoothing)

    def _class_factors_of(self, tally: Tally, targets: Targets) -> Any:
        if self.class_weight is None:
            return None
        if targets.table is None:
            raise ValueError(
                "class_weight of several labels needs rows in memory: multiply the sample_weight of"
                " the blocks by it"
            )
        one_a_class = np.arange(len(self.classes_))
        _, weight = tally.of(self.classes_.tolist())
        targets = replace(targets, values=one_a_class)
        return class_factors(self.class_weight, targets, self.classes_, Rows(one_a_class, weight))

    def _default_score(self, raw: Matrix, data: Data) -> float:
        values = data.targets.values
        if values.ndim == 2:
            right = np.all((raw > 0) == (values > 0.5), axis=1)
        elif raw.shape[1] == 1:
            right = (raw[:, 0] > 0) == values
        else:
            right = np.argmax(raw, axis=1) == values
        return float(np.average(right, weights=data.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@with_parameters
class MLPClassifier(NetworkClassifier):
    """Multilayer perceptron for classification, with every common way to regularise it.

    Minimises over the weights W_l and biases of dense layers

        weighted mean of the log-loss + sum_l alpha_l penalty(W_l)

    Biases and the parameters of normalisation are not penalised, and nothing is divided by the
    batch size. scikit-learn divides its `alpha` by it: ``alpha = alpha_of_scikit_learn /
    batch_size`` means the same, n_samples taking the place of batch_size for ``solver="lbfgs"``.

    {parameters}

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray of shape (n_in, n_out) and (n_out,)
    classes_ : ndarray of shape (n_classes,)
        Of several labels their numbers.
    history_ : mapping of str to ndarray
        Epoch by epoch: "objective", "loss" (of training, as a prediction has it),
        "validation_loss", "validation_score", "learning_rate", "weight_norms", "seconds".
    loss_, loss_curve_, best_loss_ : float, list of float, float or None
        The objective: last, of each epoch, and the smallest (None with early stopping). NaN where
        Ctrl-C came before the end of the first epoch.
    validation_scores_, best_validation_score_ : list of float and float, or None
        Where there are validation data.
    restored_epoch_ : int or None
        Epoch of `history_`, counted from 1, whose weights early stopping (or Ctrl-C) put back; 0 is
        the start. None where the last epoch's weights stayed.
    sparsity_ : ndarray of shape (n_layers - 1,)
        Share of the weights that are exactly zero, of each weight matrix.
    norm_scales_, norm_shifts_, running_means_, running_variances_ : list of ndarray
        Of the normalisation, one a hidden layer; the latter two with "batch" alone.
    n_iter_ : int
        Epochs, or iterations, of the last fit.
    t_ : int
        Rows seen in all fits and epochs; 0 for "lbfgs".
    n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : {"logistic", "softmax"}
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    MLPRegressor : The same for numbers.
    WeightPenalty : Base class of penalties of one's own.

    Notes
    -----
    A weight k counts as the row k times: in the objective of all rows, and on average over the
    batches. Equal weights are none. Where weights are whole numbers and a batch takes all rows (at
    most 1000 of them), such a row is trained on as k rows, with masks and noise of their own.

    Dropout is that of Srivastava et al. (JMLR 15, 2014), `weight_decay` that of Loshchilov and
    Hutter (ICLR 2019), "one_cycle" that of Smith and Topin (arXiv:1708.07120), batch and layer
    normalisation those of Ioffe and Szegedy (ICML 2015) and Ba et al. (arXiv:1607.06450), `mixup`
    that of Zhang et al. (ICLR 2018), `label_smoothing` that of Szegedy et al. (CVPR 2016), the
    adversarial examples those of Goodfellow et al. (ICLR 2015).

    Predictions are float32 where X and `dtype` are, and float64 otherwise.

    A fit that predicts its training rows no better than a constant does warns and names what to do,
    as the one that has not converged: `ConvergenceWarning` is the category of both.

    A pickle holds the parameters and no scratch; with ``warm_start=True`` and after `partial_fit`
    also the moments of the optimiser, so that the copy goes on as the model itself does. Training
    that goes on and fails, or `partial_fit` on Ctrl-C, leaves all as it was but for these moments,
    which begin anew in the next call: there are not two of them in memory.

    BLAS keeps to one thread where the products are small, and uses what is set where they are not.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skreg import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> model = MLPClassifier(dropout=0.2, learning_rate_init=0.01, early_stopping=True,
    ...                       random_state=0).fit(X_train, y_train)
    >>> model.score(X_test, y_test) > 0.95
    True
    """
