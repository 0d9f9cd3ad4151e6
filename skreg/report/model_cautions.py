"""What to know before the report is handed in, in words: about the models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .alphas import is_penalised
from .columns import Columns
from .contents import Caution, Coefficients, CorrelatedGroup, ModelReport, Score, Warned
from .correlation import correlated_groups
from .units import deviations
from .wording import listing, number

LISTED = 5  # names in a sentence
UNEQUAL = 30.0  # ratio of the largest to the smallest standard deviation
MOST_GROUPS = 5
SAME = 0.9999  # correlation
MOST_WARNINGS = 5
LONGEST_WARNING = 400  # characters
# Warnings that have a caution of their own.
CONVERGENCE = ("ConvergenceWarning",)
ANNOUNCEMENTS = ("FutureWarning", "DeprecationWarning", "PendingDeprecationWarning")
MORE_ITERATIONS = re.compile("max_iter|number of iterations")
NO_BETTER = re.compile("The (fit|probabilities) .*no better than")
EDGE = re.compile(r"is the (smallest|largest) of the grid")


def model_cautions(
    compared: Sequence[ModelReport], best: int, baseline: ModelReport
) -> list[Caution]:
    """Cautions about models and their comparison.

    Parameters
    ----------
    compared : sequence of ModelReport
    best : int
        Position of the best.
    baseline : ModelReport

    Returns
    -------
    list of Caution
    """
    found = [_no_better(compared[best], baseline)]
    for one in compared:
        helpless = one.edge == "largest" and _no_better(one, baseline) is not None
        found += [None if helpless else _edge(one), _search_edge(one), _unconverged(one)]
    found += [_collinear(compared), _simpler(compared, best), _unscaled(compared)]
    found += _other_warnings(compared)
    return [caution for caution in found if caution is not None]


def _no_better(best: ModelReport, baseline: ModelReport) -> Caution | None:
    own, other = best.scores[0], baseline.scores[0]
    gain = own.ahead_of(other)
    error = gain.standard_error
    if not np.isfinite(gain.mean) or gain.mean > error:
        return None
    if own.ties(other):
        difference = "the same in every fold"
    elif gain.mean < -error:
        difference = (
            f"which is better by more than one standard error of the difference ({number(error)})"
        )
    else:
        difference = f"and the difference is within one standard error ({number(error)})"
    return Caution(
        "No model is better than knowing the target alone",
        f"The {own.name} of the best, {best.name}, is {number(own.mean)}; {baseline.name}"
        f" reaches {number(other.mean)}, {difference}. The features say little"
        " about the target, or the models are of the wrong kind.",
        serious=True,
    )


def _edge(one: ModelReport) -> Caution | None:
    edge = one.edge
    if edge is None:
        return None
    alpha = one.alpha_min if one.alpha_min is not None else one.alpha
    value = "" if alpha is None else f", {number(alpha)},"
    seen = f"{one.name}: the best alpha{value} is the {edge} that was tried"
    title = "alpha is at the edge of the grid"
    if one.flat:
        said = "but the error hardly changes there: next to no penalty is needed"
        return Caution(title, f"{seen}, {said}.")
    beyond, way = ("smaller", "down") if edge == "smallest" else ("larger", "up")
    return Caution(
        title,
        f"{seen}, so a {beyond} one may be better. In Python, pass alphas that reach"
        f" further {way}.{_unit(one)}",
        serious=True,
    )


def _search_edge(one: ModelReport) -> Caution | None:
    if not one.at_ends:
        return None
    return Caution(
        "A search ended at the edge of its grid",
        f"{one.name} chose {'; '.join(one.at_ends)} that was tried. Beyond may be"
        " better: widen the grid, unless the value can go no further.",
    )


def _unit(one: ModelReport) -> str:
    """What shifts the grid of an elastic net, whose two penalties have different units."""
    path = one.path
    divided = one.unit != 1.0
    if divided or path is None or path.l1_ratio is None or not 0 < path.l1_ratio < 1:
        return ""
    return (
        " What the L2 part of an elastic net does depends on the unit of the target: where its"
        " values are large, divide it by its standard deviation (TransformedTargetRegressor)."
    )


def _unconverged(one: ModelReport) -> Caution | None:
    warned = [each for each in one.warned if each.category in CONVERGENCE]
    estimator, path, cv = one.estimator, one.path, one.cv
    parts = []
    if not np.all(getattr(estimator, "converged_", True)):
        parts.append("the model itself is not at its optimum")
    elif path is not None and not np.all(path.converged):
        share = np.count_nonzero(~path.converged)
        parts.append(f"{share} of {path.converged.size} points of its path are not at the optimum")
    if cv is not None and not cv.converged:
        parts.append("nor are all points of its folds" if parts else "points of its folds are not")
    no_better = [each for each in warned if NO_BETTER.match(each.message)]
    if warned:
        shorter = _short((no_better or warned)[0].message)
        parts.append(f"{len(warned)} warning(s) in {one.n_fits} fits, such as: {shorter}")
    if not parts:
        return None
    said = "; ".join(parts)
    if no_better:  # the warning itself says what to do
        return Caution("A fit has learned nothing", f"{one.name}: {said}.", serious=True)
    repeated = MORE_ITERATIONS.search(said)  # the warning has this advice
    advice = "Scale the features" if repeated else "Raise max_iter, scale the features"
    return Caution(
        "A fit did not converge",
        f"{one.name}: {said}. {advice}, or accept a larger tol; until then its numbers may be off.",
        serious=True,
    )


def _unscaled(compared: Sequence[ModelReport]) -> Caution | None:
    """Penalties on features of very different scales."""
    seen: dict[str, list[str]] = {}
    stored_sparse = False
    for one in compared:
        moving = np.array([], dtype=np.intp)
        if _is_penalised(one):
            spread = _deviations(one.X)
            moving = np.flatnonzero(spread)
        if not moving.size or spread.max() < UNEQUAL * spread[moving].min():
            continue
        least, most = moving[spread[moving].argmin()], spread.argmax()
        range_ = (
            f"from {number(spread[least])} ({one.names[least]})"
            f" to {number(spread[most])} ({one.names[most]})"
        )
        seen.setdefault(range_, []).append(one.name)
        stored_sparse |= bool(sparse.issparse(one.X))
    if not seen:
        return None
    parts = []
    for range_, names in seen.items():
        verb = "see" if len(names) > 1 else "sees"
        parts.append(f"{listing(names, LISTED)} {verb} standard deviations {range_}")
    scaler = "a StandardScaler"
    if stored_sparse:  # whose zeros would no longer be zeros
        scaler = "a MaxAbsScaler, or StandardScaler(with_mean=False),"
    return Caution(
        "Features are penalised on different scales",
        f"{'; '.join(parts)}. A penalty bears hardest on features with a small one. Put {scaler}"
        " before the model (skreg's linear models take standardize=True), unless"
        " all features have the same unit.",
    )


def _is_penalised(one: ModelReport) -> bool:
    """Whether a linear model has a penalty that depends on the units of the features."""
    estimator = one.estimator
    if one.coefficients is None or getattr(estimator, "standardize", False):
        return False
    return is_penalised(estimator)


def _deviations(X: Any) -> NDArray[np.float64]:
    """Standard deviation of each feature, 0 for what is constant up to rounding."""
    stored_sparse = bool(sparse.issparse(X))
    X = X if stored_sparse else np.asarray(X, dtype=float)
    spread, size = deviations(X), abs(X).max(axis=0)
    size = size.toarray().ravel() if stored_sparse else size
    return np.where(spread > 1e-7 * size, spread, 0.0)


def _collinear(compared: Sequence[ModelReport]) -> Caution | None:
    """Groups of features of which a sparse model keeps some and leaves out others."""
    choices: dict[str, list[str]] = {}
    for one in compared:
        coefficients = one.coefficients
        if coefficients is None:
            continue
        chosen = [bool(column.any()) for column in _kept(coefficients).T]
        if all(chosen):
            continue
        kept = dict(zip(map(str, coefficients.names), chosen, strict=True))
        table = Columns.of(one.X, one.names)
        for group in correlated_groups(table).groups:
            chosen_some = 0 < sum(kept[name] for name in group.names) < len(group.names)
            if chosen_some and not _complementary(group, table):
                choices.setdefault(_choice(group, kept), []).append(one.name)
    if not choices:
        return None
    lines = [
        f"{_together(names)} {'keep' if len(names) > 1 else 'keeps'} {choice}"
        for choice, names in choices.items()
    ]
    more = len(lines) - MOST_GROUPS
    if more > 0:
        lines = [*lines[:MOST_GROUPS], f"{more:,} more such groups are not listed."]
    lines.append(
        "Another sample may well choose others of them: read each group as one feature, not the"
        " ones left out as unimportant. Ridge, or an elastic net with a small l1_ratio, keeps a"
        " group together."
    )
    return Caution("The choice among collinear features is arbitrary", "\n".join(lines))


def _complementary(group: CorrelatedGroup, table: Columns) -> bool:
    """Whether two columns are the two indicators of one question: the choice says nothing."""
    if len(group.names) != 2 or group.least < SAME:
        return False
    columns = np.array([table.names.index(name) for name in group.names])
    first, second = table.numbers(columns, np.arange(table.n_rows)).T
    two_valued = len(np.unique(first)) == len(np.unique(second)) == 2
    return bool(two_valued and np.corrcoef(first, second)[0, 1] < 0)


def _kept(coefficients: Coefficients) -> NDArray[np.bool_]:
    """Which are not zero, up to what arithmetic leaves of one; a row each target."""
    sizes = np.abs(np.atleast_2d(coefficients.values))
    return np.asarray(sizes > 10 * np.finfo(float).eps * sizes.max(initial=0.0))


def _choice(group: CorrelatedGroup, kept: dict[str, bool]) -> str:
    inside = [each for each in group.names if kept[each]]
    outside = [each for each in group.names if not kept[each]]
    said = f"correlation {np.floor(100 * group.least) / 100:.2f} or more"
    if group.least >= SAME:
        said = "they hold the same"
    return f"{listing(inside, 3)}, not {listing(outside, 3)} ({said})."


def _together(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _simpler(compared: Sequence[ModelReport], best: int) -> Caution | None:
    """The simplest model within one standard error of the best, if it is not the best."""
    first = compared[best].scores[0]
    near = [one for one in compared if _as_good(one.scores[0], first)]
    simplest = min(near, key=_complexity, default=compared[best])
    if _complexity(simplest) >= _complexity(compared[best]):
        return None
    count = int(_complexity(simplest))
    scores = f"{number(simplest.scores[0].mean, 3)} and {number(first.mean, 3)}"
    return Caution(
        "A simpler model is as good",
        f"{simplest.name}, with {count:,} coefficient{'s' if count != 1 else ''} that"
        f" {'are' if count != 1 else 'is'} not zero, is within one standard error"
        f" ({number(first.standard_error, 2)}) of {compared[best].name} in {first.name}"
        f" ({scores}): the difference is no reason to prefer the more complicated one.",
    )


def _as_good(score: Score, best: Score) -> bool:
    """Whether a score is within one standard error, and fold for fold not clearly worse."""
    behind = abs(score.mean - best.mean)
    return behind <= min(best.standard_error, 2 * best.ahead_of(score).standard_error)


def _complexity(one: ModelReport) -> float:
    """Coefficients that are not zero; anything that is not linear counts as more."""
    coefficients = one.coefficients
    return np.inf if coefficients is None else float(np.count_nonzero(_kept(coefficients)))


def _other_warnings(compared: Sequence[ModelReport]) -> list[Caution]:
    """What fits warned of, once each, however often the numbers in it changed."""
    by_text: dict[str, tuple[str, list[str]]] = {}
    for one in compared:
        for each in one.warned:
            if each.category in (*CONVERGENCE, *ANNOUNCEMENTS) or EDGE.search(each.message):
                continue
            models = by_text.setdefault(_without_numbers(each), (each.message, []))[1]
            if one.name not in models:
                models.append(one.name)
    cautions = [
        Caution(f"A warning of {listing(models, 3)}", _short(message))
        for message, models in by_text.values()
    ]
    if len(cautions) > MOST_WARNINGS:
        left = len(cautions) - MOST_WARNINGS
        more = Caution("More warnings", f"{left} other warnings were raised while fitting.")
        cautions = [*cautions[:MOST_WARNINGS], more]
    return cautions


def announcements(compared: Sequence[ModelReport]) -> list[Caution]:
    """One caution, or none, for all that libraries say of their later versions."""
    messages: dict[str, str] = {}
    for each in (each for one in compared for each in one.warned):
        if each.category in ANNOUNCEMENTS:
            messages.setdefault(_without_numbers(each), _short(each.message))
    if not messages:
        return []
    first, many = next(iter(messages.values())), len(messages)
    said = f"{many} such warnings, of which the first is: {first}." if many > 1 else f"{first}."
    title = "A later version of a library will behave otherwise"
    return [Caution(title, f"{said} The numbers here are not affected.")]


def _without_numbers(warned: Warned) -> str:
    return re.sub(r"[\d.eE+-]+", "#", warned.message)


def _short(message: str) -> str:
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= LONGEST_WARNING else f"{text[:LONGEST_WARNING]}…"
