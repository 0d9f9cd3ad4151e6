"""Penalties, weight decay and bounds on norms, by what they do to the weights."""

import numpy as np
import pytest

from skreg import MLPClassifier, MLPRegressor, WeightPenalty

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ("adam", "adamw", "sgd", "lbfgs")


def problem(n=120, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] - 2 * X[:, 1] + 0.1 * rng.standard_normal(n)


X, y = problem()


def net(**options):
    common = {"hidden_layer_sizes": (16, 8), "max_iter": 60, "random_state": 0, "tol": 0.0}
    common |= {"learning_rate_init": 0.01, "n_iter_no_change": 1000, "batch_size": 30}
    return MLPRegressor(**{**common, **options}).fit(X, y)


def zeros(model):
    return sum(int(np.sum(W == 0)) for W in model.coefs_)


def total(model):
    return sum(W.size for W in model.coefs_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_l1_makes_weights_exactly_zero_and_more_of_them_as_alpha_grows(solver):
    counts = [zeros(net(penalty="l1", alpha=a, solver=solver)) for a in (0.0, 1e-3, 1e-2, 0.1)]
    assert counts[0] == 0
    assert counts[1] < counts[2] < counts[3]
    assert counts[2] > 0.3 * total(net(solver=solver, max_iter=1))


@pytest.mark.parametrize("solver", SOLVERS)
def test_l1_still_fits(solver):
    model = net(penalty="l1", alpha=1e-3, solver=solver, max_iter=300)
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("name", ["l1", "elasticnet", "l2"])
def test_sparsity_is_the_share_of_zeros(name):
    model = net(penalty=name, alpha=0.02)
    shares = [np.mean(W == 0) for W in model.coefs_]
    np.testing.assert_allclose(model.sparsity_, shares)
    assert (max(model.sparsity_) > 0) == (name != "l2")


def test_the_elastic_net_lies_between_its_ends():
    common = {"alpha": 0.02, "penalty": "elasticnet"}
    ends = {"l1": net(alpha=0.02, penalty="l1"), "l2": net(alpha=0.02, penalty="l2")}
    for ratio, name in ((1.0, "l1"), (0.0, "l2")):
        model = net(l1_ratio=ratio, **common)
        for a, b in zip(model.coefs_, ends[name].coefs_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert 0 < zeros(net(l1_ratio=0.5, **common)) < zeros(ends["l1"])


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_penalty_a_layer(solver):
    model = net(penalty=["l1", None, "l2"], alpha=0.02, solver=solver)
    shares = [np.mean(W == 0) for W in model.coefs_]
    assert shares[0] > 0.2
    assert shares[1:] == [0, 0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_strength_a_layer(solver):
    model = net(penalty="l1", alpha=[0.02, 0.0, 0.0], solver=solver)
    shares = [np.mean(W == 0) for W in model.coefs_]
    assert shares[0] > 0.2
    assert shares[1:] == [0, 0]


def test_penalties_leave_biases_alone():
    """Weights without any influence: a penalty this strong leaves the mean of y, the last bias."""
    rng = np.random.default_rng(0)
    target = 5 + 0.1 * rng.standard_normal(len(X))
    common = {"max_iter": 300, "solver": "sgd", "learning_rate_init": 0.05, "tol": 0.0}
    model = MLPRegressor(4, penalty="l1", alpha=10.0, n_iter_no_change=1000, **common)
    model.set_params(random_state=0).fit(X, target)
    assert zeros(model) == total(model)
    np.testing.assert_allclose(model.predict(X), target.mean(), atol=0.01)


class Squares(WeightPenalty):
    """What "l2" is."""

    def value(self, W):
        return 0.5 * float((W**2).sum())

    def gradient(self, W, out):
        out[:] = W


class Absolutes(WeightPenalty):
    """What "l1" is."""

    separable = True

    def value(self, W):
        return float(np.abs(W).sum())

    def prox(self, W, step):
        return np.sign(W) * np.maximum(np.abs(W) - step, 0)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("own", "name"), [(Squares(), "l2"), (Absolutes(), "l1")])
def test_an_object_is_a_penalty(own, name, solver):
    if solver == "lbfgs" and name == "l1":  # it needs a smooth objective
        with pytest.raises(ValueError, match=r"Absolutes.*lbfgs"):
            net(penalty=own, solver=solver)
        return
    options = {"alpha": 0.01, "solver": solver, "max_iter": 10, "dtype": "float64"}
    mine, theirs = net(penalty=own, **options), net(penalty=name, **options)
    for a, b in zip(mine.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(mine.loss_, theirs.loss_, rtol=1e-6)


PLAIN = {"dtype": "float64", "max_iter": 15}


def test_weight_decay_is_l2_under_plain_gradient_descent():
    options = {**PLAIN, "solver": "sgd", "momentum": 0.0, "penalty": None}
    decayed = net(weight_decay=0.1, **options)
    penalised = net(**{**options, "penalty": "l2", "alpha": 0.1})
    plain = net(**options)
    for a, b, c in zip(decayed.coefs_, penalised.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        assert np.abs(a - c).max() > 1e-3


@pytest.mark.parametrize("solver", ["adam", "adamw"])
def test_weight_decay_is_not_l2_under_adam(solver):
    options = {**PLAIN, "solver": solver, "penalty": None}
    decayed = net(weight_decay=0.1, **options)
    penalised = net(**{**options, "penalty": "l2", "alpha": 0.1})
    plain = net(**options)
    assert np.abs(decayed.coefs_[0] - plain.coefs_[0]).max() > 1e-3
    assert np.abs(decayed.coefs_[0] - penalised.coefs_[0]).max() > 1e-2


def test_weight_decay_shrinks_weights_and_not_biases():
    """Where nothing is to be learned, only the decay moves: rate times decay a step."""
    options = {**PLAIN, "solver": "adam", "penalty": None, "learning_rate_init": 1e-4}
    options |= {"batch_size": len(X), "max_iter": 3}
    plain, decayed = net(**options), net(weight_decay=5.0, **options)
    factor = (1 - 1e-4 * 5.0) ** 3
    for a, b in zip(decayed.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(a, factor * b, rtol=1e-3, atol=1e-6)
    for a, b in zip(decayed.intercepts_, plain.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_max_norm_bounds_the_weights_into_each_unit(solver):
    options = {"solver": solver, "alpha": 0.0}
    free = [np.linalg.norm(W, axis=0) for W in net(**options).coefs_]
    bound = float(min(norms.max() for norms in free)) * 0.7
    norms = [np.linalg.norm(W, axis=0) for W in net(max_norm=bound, **options).coefs_]
    assert all(each.max() <= bound * (1 + 1e-5) for each in norms)
    assert all(each.max() > bound * 0.999 for each in norms)
    assert any(each.min() < bound * 0.99 for each in norms)  # those below it are not touched


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_spectral_norm_bounds_the_largest_singular_value(solver):
    options = {"solver": solver, "alpha": 0.0}
    free = [np.linalg.norm(W.astype(float), 2) for W in net(**options).coefs_]
    bound = 0.7 * float(min(free))
    bounded = net(spectral_norm=bound, **options)
    values = [np.linalg.norm(W.astype(float), 2) for W in bounded.coefs_]
    assert max(values) <= bound * (1 + 1e-4)
    assert min(values) > 0.95 * bound


@pytest.mark.parametrize("name", ["max_norm", "spectral_norm"])
def test_bounds_are_refused_by_lbfgs(name):
    with pytest.raises(ValueError, match=name):
        net(solver="lbfgs", **{name: 0.3})


def weissi(model):
    value = 0.0
    for W in model.coefs_:
        norm = np.linalg.norm(W)
        value += 0.5 * np.log(norm) + 0.5 * np.abs(W / norm).sum()
    return value


def test_weissi_lowers_what_it_penalises_and_warns_of_saturating_units():
    models = [net(penalty="weissi", alpha=alpha, max_iter=200) for alpha in (0.0, 1e-3, 1e-2, 0.1)]
    values = [weissi(model) for model in models]
    assert values == sorted(values, reverse=True)
    assert values[2] < 0.8 * values[0]
    assert models[2].score(X, y) > 0.9
    for activation in ("tanh", "logistic"):
        with pytest.warns(UserWarning, match="homogeneous"):
            net(penalty="weissi", alpha=1e-3, activation=activation, max_iter=1)


def test_weissi_is_the_same_for_weights_moved_between_layers():
    """Layers scaled by factors whose product is one, biases by the cumulative product."""
    options = {"penalty": "weissi", "alpha": 0.05, "dtype": "float64", "max_iter": 1}
    options |= {"batch_size": len(X), "learning_rate_init": 1e-300, "warm_start": True}
    model = net(**options)
    before = model.predict(X), model.history_["objective"][-1]
    cumulative = 1.0
    for W, b, factor in zip(model.coefs_, model.intercepts_, (4.0, 0.5, 0.5), strict=True):
        cumulative *= factor
        W *= factor
        b *= cumulative
    np.testing.assert_allclose(model.predict(X), before[0], rtol=1e-9)
    model.set_params(max_iter=2).fit(X, y)
    np.testing.assert_allclose(model.history_["objective"][-1], before[1], rtol=1e-9)
    squares = sum(np.sum(W**2) for W in model.coefs_)
    assert squares > 2 * sum(np.sum(W**2) for W in net(**options).coefs_)


def test_weissi_of_weights_that_are_zero_is_finite():
    """The logarithm of a norm has no lower bound; a floor under the norm is one."""
    options = {"penalty": "weissi", "alpha": 0.05, "dtype": "float64", "warm_start": True}
    model = net(**options, max_iter=1, learning_rate_init=1e-300)
    for W in model.coefs_:
        W *= 0
    model.fit(X, y)
    assert np.isfinite(model.loss_)
    assert model.loss_ < model.history_["loss"][-1]
    model.set_params(learning_rate_init=0.01, max_iter=50).fit(X, y)
    assert all(np.isfinite(W).all() for W in model.coefs_)


def test_clip_norm_bounds_the_step():
    options = {"solver": "sgd", "momentum": 0.0, "batch_size": len(X), "alpha": 0.0, **PLAIN}
    options |= {"max_iter": 1, "learning_rate_init": 1.0}
    start = net(**{**options, "learning_rate_init": 1e-300})

    def moved(model):
        pairs = zip(
            (*model.coefs_, *model.intercepts_), (*start.coefs_, *start.intercepts_), strict=True
        )
        return np.concatenate([np.ravel(a - b) for a, b in pairs])

    free, clipped = moved(net(**options)), moved(net(clip_norm=0.01, **options))
    assert np.linalg.norm(free) > 0.1
    np.testing.assert_allclose(clipped, 0.01 * free / np.linalg.norm(free), rtol=1e-6, atol=1e-12)
    bound = 0.99 * np.linalg.norm(free)
    np.testing.assert_allclose(moved(net(clip_norm=bound, **options)), 0.99 * free, rtol=1e-6)
    bound = 1.001 * np.linalg.norm(free)
    np.testing.assert_array_equal(moved(net(clip_norm=bound, **options)), free)


def test_penalties_of_a_classifier():
    model = MLPClassifier(16, penalty="l1", alpha=0.02, random_state=0).fit(X, y > 0)
    assert 0.2 < model.sparsity_[0] < 1
    assert model.score(X, y > 0) > 0.9


class Nothing(WeightPenalty):
    """Without anything to apply."""

    def value(self, W):
        return 0.0


class Returned(Squares):
    """Gives the gradient back, where it should write it."""

    def gradient(self, W, out):
        return W


class Unvalued(WeightPenalty):
    """Without its value."""

    def gradient(self, W, out):
        out[:] = W


@pytest.mark.parametrize(
    ("own", "missing"), [(Nothing, "gradient"), (Returned, "into out"), (Unvalued, "value")]
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_object_that_would_not_be_applied_is_refused(own, missing, solver):
    with pytest.raises(TypeError, match=f"penalty {own.__name__}.*{missing}"):
        net(penalty=own(), alpha=0.1, solver=solver)


def test_weight_decay_that_turns_signs_is_refused():
    with pytest.raises(ValueError, match=r"weight_decay=3000.*learning_rate_init=0.01"):
        net(weight_decay=3000)
