"""MLPClassifier."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from ..estimators.runtime import restored_on_failure
from ._base import can_go_on
from ._checks import CONSTRAINTS, RATE
from ._classes import LabelMLP


class MLPClassifier(LabelMLP):
    """Multilayer perceptron for classification, with every common way to regularise it.

    Minimises over the weights W_l and biases of dense layers

        weighted mean of the log-loss + sum_l alpha_l penalty(W_l)

    Biases and the parameters of normalisation are not penalised, and nothing is divided by the
    batch size. scikit-learn divides its `alpha` by it: ``alpha = alpha_of_scikit_learn /
    batch_size`` means the same, n_samples taking the place of batch_size for ``solver="lbfgs"``.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer; ``()`` is a linear model.
    activation : {"identity", "logistic", "tanh", "relu"}, default="relu"
        Of the hidden layers.
    solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        "adamw" is "adam" under the name it has with `weight_decay`. "lbfgs" takes all rows at
        once and works in float64; it refuses what is noise or works on single steps (dropout,
        noise, mixing, adversarial examples, batch normalisation, weight decay, bounds, clipping).
    alpha : float or array-like of float, one a weight matrix, default=0.0001
        Strength of the penalty, >= 0.
    penalty : {"l2", "l1", "elasticnet", "weissi"}, WeightPenalty, None, or a list, default="l2"
        One for all weight matrices, or a list of one each.

        - "l2": ``||W||_F^2 / 2``;
        - "l1": ``||W||_1``, by a proximal step, so that weights become exactly zero (with
          "lbfgs" by splitting weights into two parts with bounds, which does the same);
        - "elasticnet": ``l1_ratio ||W||_1 + (1 - l1_ratio) ||W||_F^2 / 2``;
        - "weissi": ``(1 - l1_ratio) log ||W||_F + l1_ratio ||W / ||W||_F||_1``, which does not
          change when weights move from one layer to another, as a net of positively homogeneous
          units (identity, relu) does not either;
        - an object: a penalty of one's own.
    l1_ratio : float, default=0.5
        Share of the L1 part, in [0, 1].
    weight_decay : float, default=0.0
        Decoupled decay: each step multiplies weights by ``1 - learning rate * weight_decay``.
        Under plain gradient descent this is the L2 penalty. Adam divides the gradient of a
        penalty by the size of the whole gradient, so that weights with large gradients are shrunk
        less; weight decay shrinks all at the same rate.
    max_norm : float or None, default=None
        Largest Euclidean norm of the weights into a unit.
    spectral_norm : float or None, default=None
        Largest singular value of a weight matrix: by power iteration after each step, exactly
        after each epoch.
    dropout : float or array-like of float, one a hidden layer, default=0.0
        Probability, in [0, 1), that a hidden unit is left out of a step. What stays is scaled by
        ``1 / (1 - dropout)``, so that nothing is to be done in prediction.
    input_dropout : float, default=0.0
        The same for features.
    normalization : {"batch", "layer"} or None, default=None
        Normalise each hidden layer before its activation: "batch" the units by mean and variance
        over the batch (in prediction by running averages), "layer" the rows. The statistics count
        rows, whatever their weights. Adversarial examples are a batch of their own, which moves
        the running averages, too.
    input_noise : float, default=0.0
        Standard deviation of Gaussian noise added to X in training, in the unit of X.
    mixup : float, default=0.0
        Train on mixtures of two rows and their targets, with a share drawn for each batch from
        the distribution Beta(mixup, mixup). 0 is none.
    label_smoothing : float, default=0.0
        Share of each target that is spread evenly over the classes, in [0, 1).
    adversarial_eps : float, default=0.0
        Train half on the batch, half on the batch with every entry of X moved by this much in the
        direction that raises the loss.
    batch_size : int or "auto", default="auto"
        Rows in a step; "auto" is 200, or all if there are fewer. More than there are is an error
        in `fit`, and all of them in `partial_fit`.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
default="constant"
        With every solver but "lbfgs". "invscaling": after each epoch ``learning_rate_init / (t_ +
        1) ** power_t``. "adaptive": divided by 5 where training would stop for lack of progress.
        "cosine": down to 0 along half a cosine over `max_iter` epochs. "one_cycle": up from a
        25th to `learning_rate_init` in 30% of the steps, then down to almost 0. These two run all
        of `max_iter` epochs, with early stopping, too: before that their rate has not fallen.
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
        Largest number of epochs, or of iterations of "lbfgs".
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new order.
    random_state : int, RandomState instance or None, default=None
        Of the start, the validation split, the order of rows, dropout and noise. The same integer
        gives the same weights, to the last bit on one machine. Training that goes on
        (`partial_fit`, `warm_start`) goes on with its random numbers.
    tol : float, default=1e-4
        Improvement of the objective, or of the validation score, that counts as progress; the
        largest entry of the gradient at which "lbfgs" stops, as it does after an iteration that
        gains less than ``min(2.2e-9, tol**2)`` of the objective.
    verbose : bool or int, default=False
        Print a line after each epoch, that of `partial_fit` included: losses, and in `fit` the
        time left if all epochs are run.
    warm_start : bool, default=False
        Go on from the last fit with the moments of its optimiser, its learning rate and random
        numbers: on the same data two fits are one fit of as many epochs. Exceptions: "cosine" and
        "one_cycle" begin anew, and so does "lbfgs" with what it knows of the curvature; early
        stopping restores the best weights in between, and goes on from them with the moments of
        the last epoch; a fit that has converged has `n_iter_no_change` epochs to improve in again.
        The best objective or score so far is forgotten where changed parameters or data make it
        mean another thing, and in `partial_fit`.
    momentum : float, default=0.9
        Of "sgd", in [0, 1].
    nesterovs_momentum : bool, default=True
    early_stopping : bool, default=False
        Stop when the validation score makes no progress, and restore the best weights.
    validation_fraction : float, default=0.1
        Share of the rows held out for it, stratified, where no `X_val` is given to `fit`. A class
        of one row is trained on; where more classes than rows held out leave no strata, one row of
        each class is. Where one batch takes all rows (at most 1000), equal ones stay on one side
        as long as there are enough different ones to split.
    scoring : str, callable or None, default=None
        The validation score: None is the accuracy, "loss" the negative loss; a name or a function
        as in scikit-learn's searches. The weights of the rows that are held out and those of the
        classes count, in the validation loss, too. A scorer that takes no `sample_weight` goes
        without those of the classes; those of the rows are an error then. Early stopping refuses
        a score that is not finite.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
        Of Adam.
    n_iter_no_change : int or inf, default=10
        Training stops after more epochs than these without progress, but for "cosine" and
        "one_cycle".
    max_fun : int, default=15000
        Largest number of evaluations of "lbfgs".
    clip_norm : float or None, default=None
        Longer gradients are shortened to this norm.
    class_weight : dict, "balanced", list of dict or None, default=None
        Weights of the classes, times `sample_weight`; of `X_val`, too, as the rows to fit have
        them. A class that a dict lacks has 1; several labels take a list, with a dict each.
    dtype : {"float32", "float64"}, default="float32"
        In which everything is computed and stored, but for "lbfgs".
    callbacks : list or None, default=None
        Objects with some of ``on_fit_begin(model)``, ``on_epoch_end(model, epoch, history)``,
        which may return True to stop, and ``on_fit_end(model)``, by when all attributes are set;
        called by `fit`. scikit-learn's own callbacks are set by `set_callbacks` (since
        scikit-learn 1.9).

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

    _parameter_constraints: dict[str, Any] = {
        **CONSTRAINTS,
        "label_smoothing": [RATE],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: Any = 0.0001,
        penalty: Any = "l2",
        l1_ratio: float = 0.5,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
        spectral_norm: float | None = None,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        normalization: str | None = None,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        label_smoothing: float = 0.0,
        adversarial_eps: float = 0.0,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        clip_norm: float | None = None,
        class_weight: Any = None,
        dtype: Any = "float32",
        callbacks: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.penalty = penalty
        self.l1_ratio = l1_ratio
        self.weight_decay = weight_decay
        self.max_norm = max_norm
        self.spectral_norm = spectral_norm
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.normalization = normalization
        self.input_noise = input_noise
        self.mixup = mixup
        self.label_smoothing = label_smoothing
        self.adversarial_eps = adversarial_eps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.clip_norm = clip_norm
        self.class_weight = class_weight
        self.dtype = dtype
        self.callbacks = callbacks

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
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)
