"""scikit-learn's contract: its common checks, and the interface of its own classes."""

import inspect
from typing import Any

import numpy as np
import pytest
import sklearn
import sklearn.linear_model
import sklearn.neural_network
import sklearn.svm
from sklearn.base import BaseEstimator, MultiOutputMixin, clone, is_classifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

import skreg

ESTIMATORS = [
    thing
    for thing in (getattr(skreg, name) for name in skreg.__all__)
    if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
]
LINEAR = [thing for thing in ESTIMATORS if hasattr(sklearn.linear_model, thing.__name__)]
FUNCTIONS = ("lasso_path", "enet_path")

# What is checked besides the defaults, which every public estimator is checked with.
FOLDS = {"cv": 3, "alphas": 10}
SHORT = {"max_iter": 60, "learning_rate_init": 0.01}
SMALL_CONV = {"conv_layer_sizes": (8, 8), "kernel_size": 3, "hidden_layer_sizes": 16, **SHORT}
CONFIGURATIONS: dict[str, list[dict[str, Any]]] = {
    "Lasso": [
        {"alpha": 0.1, "positive": True},
        {"alpha": 0.1, "selection": "random", "random_state": 0},
        {"alpha": 0.1, "standardize": True, "solver": "cd", "warm_start": True},
        {"alpha": 0.0},
        {"alpha": 0.1, "adaptive": 1.0},
        {"alpha": 0.1, "concave": "mcp"},
    ],
    "ElasticNet": [
        {"alpha": 0.1, "precompute": True, "lower_bound": -5.0, "upper_bound": 50.0},
        {"alpha": 0.1, "l1_ratio": 0.0, "fit_intercept": False},
        {"alpha": 0.1, "concave": "scad", "concavity": 5.0, "standardize": True},
    ],
    "Ridge": [
        {"solver": "cd"},
        {"standardize": True},
        {"positive": True},
        {"solver": "lsqr"},
        {"alpha": 0.0},
    ],
    "LassoCV": [
        {**FOLDS, "rule": "1se"},
        {**FOLDS, "positive": True, "n_jobs": 1},
        {**FOLDS, "adaptive": 1.0},
    ],
    "ElasticNetCV": [
        {**FOLDS, "l1_ratio": [0.0, 0.5, 1.0], "standardize": True},
        {**FOLDS, "concave": "mcp"},
    ],
    "RidgeCV": [FOLDS, {"gcv_mode": "eigen", "standardize": True}],
    "LogisticRegression": [
        {"l1_ratio": 1.0, "C": 0.5},
        {"l1_ratio": 0.5, "standardize": True, "class_weight": "balanced", "warm_start": True},
        {"C": 10.0, "standardize": True},
    ],
    "LogisticRegressionCV": [
        {"l1_ratios": [0.0, 1.0], "cv": 3, "class_weight": "balanced"},
        {**FOLDS, "l1_ratios": [1.0], "rule": "1se", "use_legacy_attributes": True},
        {"Cs": 3, "cv": 3, "scoring": "accuracy"},
    ],
    "PoissonRegressor": [{"l1_ratio": 1.0, "alpha": 0.01}, {"alpha": 0.0, "standardize": True}],
    "GammaRegressor": [{"l1_ratio": 0.5, "alpha": 0.01}, {"l1_ratio": 1.0, "concave": "mcp"}],
    "TweedieRegressor": [{"power": 1.5, "l1_ratio": 1.0, "alpha": 0.01}, {"power": 1}],
    "PoissonRegressorCV": [{**FOLDS, "l1_ratio": 1.0}, {**FOLDS, "l1_ratio": 1.0, "adaptive": 1.0}],
    "GammaRegressorCV": [{**FOLDS, "l1_ratio": [0.5, 1.0], "rule": "1se"}],
    "TweedieRegressorCV": [{**FOLDS, "power": 1.5}, {**FOLDS, "l1_ratio": 0.5}],
    "HuberRegressor": [{"alpha": 0.1, "l1_ratio": 0.5, "standardize": True}],
    "HuberRegressorCV": [{**FOLDS, "l1_ratio": [0.0, 1.0], "rule": "1se"}],
    "RidgeClassifier": [{"class_weight": "balanced", "standardize": True}],
    "RidgeClassifierCV": [
        {"cv": 3, "class_weight": "balanced", "alphas": (0.1, 1.0, 10.0)},
        {"scoring": "accuracy", "alphas": (0.1, 1.0, 10.0)},
    ],
    "LinearSVC": [{"penalty": "l1", "C": 0.5}, {"class_weight": "balanced"}],
    "LinearSVCCV": [{"l1_ratios": [0.0, 1.0], "cv": 3}, {"Cs": 3, "cv": 3, "l1_ratios": [1.0]}],
    "ConvClassifier": [
        {"normalization": "batch", "dropout": 0.2, "pooling": "average", **SMALL_CONV},
        {"augment": {"noise": 0.1}, **SMALL_CONV},
    ],
    "ConvRegressor": [
        {"early_stopping": True, "validation_fraction": 0.3, "scoring": "loss", **SMALL_CONV},
        {"solver": "lbfgs", "conv_layer_sizes": 4, "max_iter": 60},
    ],
    "MLPClassifier": [
        {"dropout": 0.5, "input_dropout": 0.1, "max_norm": 2.0, **SHORT},
        {"normalization": "batch", "label_smoothing": 0.1, **SHORT},
        {"solver": "sgd", "penalty": "l1", "alpha": 1e-3, "mixup": 0.2, **SHORT},
        # "lbfgs" has no partial_fit, which refuses "balanced": it cannot know all rows, and a
        # weight that changes from batch to batch is none. SGDClassifier refuses it as well.
        {"solver": "lbfgs", "class_weight": "balanced", "max_iter": 60},
    ],
    "MLPRegressor": [
        {"dropout": [0.5, 0.2], "hidden_layer_sizes": (30, 20), **SHORT},
        {"normalization": "layer", "learning_rate": "one_cycle", "dtype": "float64", **SHORT},
        {"early_stopping": True, "validation_fraction": 0.3, "scoring": "loss", **SHORT},
        {"solver": "adamw", "weight_decay": 0.01, "adversarial_eps": 0.01, **SHORT},
        {"solver": "lbfgs", "penalty": "elasticnet", "loss": "huber", "max_iter": 60},
        {"hidden_layer_sizes": (), "learning_rate_init": 0.05},
        {"hidden_layer_sizes": (), "solver": "lbfgs", "penalty": "l1"},
    ],
}

# What scikit-learn warns will be the defaults of LogisticRegressionCV; its None means accuracy.
COMING = {"l1_ratios": (0.0,), "scoring": None, "use_legacy_attributes": False}

needs_scikit_learn_1_9 = pytest.mark.skipif(
    parse_version(sklearn.__version__).release < (1, 9),
    reason="the interface that is promised is that of scikit-learn 1.9",
)


def configured() -> list[BaseEstimator]:
    return [
        estimator(**parameters)
        for estimator in ESTIMATORS
        for parameters in CONFIGURATIONS.get(estimator.__name__, [])
    ]


def test_every_configuration_belongs_to_an_estimator():
    assert set(CONFIGURATIONS) <= {estimator.__name__ for estimator in ESTIMATORS}


def common_checks(estimators: list[BaseEstimator]) -> pytest.MarkDecorator:
    # A list for the generator that older versions of scikit-learn hand to pytest.
    names, pairs = parametrize_with_checks(estimators).args
    ids = parametrize_with_checks([]).kwargs["ids"]
    return pytest.mark.parametrize(names, list(pairs), ids=ids)


def on_noise(test: Any) -> Any:
    """What a fit may warn of where the data are noise and trainings are short."""
    for message in (
        ".*the best alpha.*:UserWarning",
        "Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
        "lbfgs failed:sklearn.exceptions.ConvergenceWarning",
        "The .* no better than:sklearn.exceptions.ConvergenceWarning",
    ):
        test = pytest.mark.filterwarnings(f"ignore:{message}")(test)
    return test


# Some checks have three rows of a class; a hundred alphas of a loss that is not squared take long.
SMALLER: dict[str, dict[str, Any]] = {
    "LogisticRegressionCV": {"cv": 3},
    "PoissonRegressorCV": {"alphas": 10},
    "GammaRegressorCV": {"alphas": 10},
    "TweedieRegressorCV": {"alphas": 10},
    "HuberRegressorCV": {"alphas": 5, "cv": 3},
    "LinearSVCCV": {"Cs": 3, "cv": 3},
    "ConvClassifier": SMALL_CONV,
    "ConvRegressor": SMALL_CONV,
}


@on_noise
@pytest.mark.one_in(3)
@common_checks([each(**SMALLER.get(each.__name__, {})) for each in ESTIMATORS])
def test_common_checks(estimator, check):
    check(estimator)


@on_noise
@pytest.mark.one_in(5)
@common_checks(configured())
def test_common_checks_of_configurations(estimator, check):
    check(estimator)


def counterpart(name: str) -> Any:
    """What scikit-learn calls by the same name."""
    return next(getattr(each, name) for each in MODULES if hasattr(each, name))


# One of each, with what its predictions may hang on.
ONE_OF_EACH = [
    each(**CONFIGURATIONS.get(each.__name__, [SMALLER.get(each.__name__, {})])[0])
    for each in ESTIMATORS
]
PREDICTIONS: dict[str, dict[str, Any]] = {
    "predict": {},
    "predict_proba": {},
    "predict_log_proba": {},
    "decision_function": {},
    "hidden_activations": {},
    "predict_samples": {"n_samples": 2, "random_state": 0},
}


@on_noise
@pytest.mark.parametrize("model", ONE_OF_EACH, ids=lambda model: type(model).__name__)
def test_no_prediction_changes_with_parameters_that_are_set_after_the_fit(model):
    """But for `scoring`, which in scikit-learn's classes too says how `score` judges."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((48, 4))
    y = np.arange(48) % 3 if is_classifier(model) else rng.gamma(2.0, np.exp(X[:, 0]))
    y = np.stack([y, y**2], axis=1) if type(model).__name__.startswith("MultiTask") else y
    dropout = {"dropout": 0.2} if hasattr(model, "predict_samples") else {}
    model = clone(model).set_params(**dropout).fit(X, y)

    def predicted() -> list[Any]:
        found = [model.score(X, y)]
        for name, options in PREDICTIONS.items():
            if hasattr(model, name):
                made = getattr(model, name)(X, **options)
                found += made if isinstance(made, list) else [made]
        return found

    before = predicted()
    model.set_params(**{name: object() for name in model.get_params() if name != "scoring"})
    for found, expected in zip(predicted(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


MODULES = sklearn.linear_model, sklearn.neural_network, sklearn.svm
TWINS = [e for e in ESTIMATORS if any(hasattr(each, e.__name__) for each in MODULES)]


def parameters(callable_: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(callable_).parameters)


@needs_scikit_learn_1_9
@pytest.mark.parametrize("name", [*(e.__name__ for e in TWINS), *FUNCTIONS])
def test_every_parameter_of_scikit_learn_has_its_default(name):
    ours, theirs = getattr(skreg, name), counterpart(name)
    for parameter in parameters(theirs).values():
        own = parameters(ours)[parameter.name]
        if (name, parameter.name) != ("MLPRegressor", "loss"):  # hidden_layer_sizes is the first
            assert own.kind in (parameter.kind, own.POSITIONAL_OR_KEYWORD), parameter.name
        if parameter.name == "alphas" and name in ("RidgeCV", "RidgeClassifierCV", *FUNCTIONS):
            # RidgeCV documents its own grid; "warn" is how scikit-learn 1.9 says 100 in functions.
            assert own.default == 100
        elif repr(parameter.default) == "'warn'":
            assert own.default == COMING[parameter.name]
        else:
            same = repr(own.default) == repr(parameter.default)
            assert same or own.default == parameter.default, parameter.name  # 1 and 1.0 are one


@needs_scikit_learn_1_9
@pytest.mark.parametrize("estimator", TWINS)
@pytest.mark.parametrize("method", ["fit", "predict", "score"])
def test_methods_take_what_scikit_learn_s_take(estimator, method):
    theirs = counterpart(estimator.__name__)
    own = parameters(getattr(estimator, method))
    for name, parameter in parameters(getattr(theirs, method)).items():
        if name == "score_params":  # any metadata of a scorer
            continue
        assert own[name].kind in (parameter.kind, parameter.POSITIONAL_OR_KEYWORD)
        if name == "y" and own[name].default is None:  # X may bring its own, as moments do
            continue
        assert repr(own[name].default) == repr(parameter.default)


@needs_scikit_learn_1_9
@pytest.mark.filterwarnings("ignore:A column-vector y:sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("estimator", [e for e in LINEAR if issubclass(e, MultiOutputMixin)])
@pytest.mark.parametrize("n_targets", [0, 1, 3], ids=["vector", "column", "three targets"])
def test_fitted_attributes_have_scikit_learn_s_names_and_shapes(estimator, n_targets):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    y = X @ [3.0, 0.0, -2.0, 1.0] + rng.standard_normal(40)
    if n_targets:
        y = y[:, None] + rng.standard_normal((40, n_targets))
    grid = np.geomspace(1e-5, 1e3, 17)
    arguments = {"alphas": grid} if "alphas" in parameters(estimator) else {}
    if estimator.__name__.startswith("MultiTask") and not n_targets:
        for one in (estimator(), counterpart(estimator.__name__)()):
            with pytest.raises(ValueError, match="For mono-task outputs, use "):
                one.fit(X, y)
        return
    own = estimator(**arguments).fit(X, y)
    theirs = counterpart(estimator.__name__)(**arguments)
    if n_targets == 3 and estimator.__name__ in ("LassoCV", "ElasticNetCV"):
        assert own.coef_.shape == (3, 4)  # scikit-learn refuses several targets here
        return
    theirs.fit(X, y)
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            assert hasattr(own, name), name
            if value is not None:  # n_iter_ of Ridge
                assert np.shape(getattr(own, name)) == np.shape(value), name


@needs_scikit_learn_1_9
@pytest.mark.parametrize("estimator", [e for e in LINEAR if not issubclass(e, MultiOutputMixin)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_fitted_attributes_of_one_target_have_scikit_learn_s_names_and_shapes(estimator, n_classes):
    X = np.random.default_rng(0).standard_normal((40, 4))
    y = np.arange(40) % n_classes + 1
    own, theirs = estimator(), counterpart(estimator.__name__)()
    if "Cs" in parameters(estimator):
        given = {"l1_ratios": [0.0], "scoring": "neg_log_loss", "use_legacy_attributes": False}
        own, theirs = estimator(**given, store_fold_coefs=True), type(theirs)(**given)
    own.fit(X, y)
    theirs.fit(X, y)
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            each = getattr(own, name)
            if value is None:  # n_iter_ of RidgeClassifier
                continue
            if name == "n_iter_":  # of the fit on all rows alone
                assert np.ndim(each) == min(np.ndim(value), 1)
            else:
                assert np.shape(each) == np.shape(value), name


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "LassoCV", "ElasticNetCV"])
def test_the_path_of_a_class_is_that_of_its_counterpart(name):
    """Lasso's own is enet_path, with a default of 0.5 for l1_ratio."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    y = X @ [3.0, -2.0, 0.0] + rng.standard_normal(30)
    own, theirs = getattr(skreg, name).path, counterpart(name).path
    assert own.__name__ == theirs.__name__
    for given in ({}, {"l1_ratio": 1.0}) if own.__name__ == "enet_path" else ({},):
        alphas, coefs, _ = theirs(X, y, tol=1e-10, **given)
        found = own(X, y, **given)
        np.testing.assert_allclose(found[0], alphas, rtol=1e-12)
        np.testing.assert_allclose(found[1], coefs, atol=1e-6)


def test_the_defaults_of_a_subclass_are_checked_as_well():
    class Negative(skreg.Lasso):
        def __init__(self, alpha=-1.0):
            super().__init__(alpha)

    X, y = np.arange(8.0).reshape(4, 2) ** 2, np.arange(4.0)
    with pytest.raises(ValueError, match="'alpha' parameter of Negative"):
        Negative().fit(X, y)
    assert Negative(0.1).fit(X, y).alpha == 0.1


def test_a_path_leaves_the_generator_of_its_model_as_it_is():
    X, y = np.arange(8.0).reshape(4, 2) ** 2, np.arange(4.0)
    generator = np.random.RandomState(0)
    model = skreg.Lasso(selection="random", random_state=generator)
    skreg.regularization_path(model, X, y, alphas=3)
    assert generator.randint(1 << 30) == np.random.RandomState(0).randint(1 << 30)


def test_a_fit_without_checks_forgets_the_names_of_the_last_one():
    pd = pytest.importorskip("pandas")
    X, y = np.arange(8.0).reshape(4, 2) ** 2, np.arange(4.0)
    model = skreg.Lasso(0.1).fit(pd.DataFrame(X, columns=["a", "b"]), y)
    model.fit(np.asfortranarray(X), y, check_input=False)
    assert not hasattr(model, "feature_names_in_")


def test_float32_coefficients_keep_to_bounds_that_float32_does_not_have():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 20)).astype(np.float32)
    y = X @ np.linspace(-1, 1, 20)
    coef = skreg.Lasso(1e-3, lower_bound=-0.7, upper_bound=0.1).fit(X, y).coef_
    assert coef.dtype == np.float32
    assert coef.max() <= 0.1
    assert coef.min() >= -0.7
    assert np.sum(coef > 0.0999) > 3
