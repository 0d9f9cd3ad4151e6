"""What to know before the report is handed in, in words: about the models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .alphas import is_penalised
from .columns import Columns
from .contents import Caution, Coefficients, CorrelatedGroup, ModelReport, Score, Warned
from .correlation import correlated_groups
from .units import deviations
from .wording import LISTED, listing, numeral, together

UNEQUAL = 30.0  # ratio of the largest to the smallest standard deviation
MOST_GROUPS = 5
SAME_COLUMN = 0.9999  # correlation
MOST_WARNINGS = 5
LONGEST_WARNING = 400  # characters
# Warnings that have a caution of their own.
CONVERGENCE = "ConvergenceWarning"
ANNOUNCEMENTS = ("FutureWarning", "DeprecationWarning", "PendingDeprecationWarning")
MORE_ITERATIONS = re.compile("max_iter|number of iterations")
SAID_NO_BETTER = re.compile("The (fit|probabilities) .*no better than")
EDGE = re.compile(r"is the (smallest|largest) of the grid")


def model_cautions(
    compared: Sequence[ModelReport], best: int, baseline: ModelReport
) -> Iterator[Caution]:
    """Cautions about models and their comparison; `best` is the position of the best."""
    yield from _no_better(compared[best], baseline)
    for one in compared:
        if one.edge is not None and not (one.edge == "largest" and [*_no_better(one, baseline)]):
            yield _edge(one)
        if one.at_ends:
            yield Caution(
                "A search ended at the edge of its grid",
                f"{one.name} chose {'; '.join(one.at_ends)} that was tried. Beyond may be"
                " better: widen the grid, unless the value can go no further.",
            )
        yield from _unconverged(one)
    yield from _collinear(compared)
    yield from _simpler(compared, best)
    yield from _unscaled(compared)
    yield from _other_warnings(compared)


def _no_better(best: ModelReport, baseline: ModelReport) -> Iterator[Caution]:
    own, other = best.scores[0], baseline.scores[0]
    gain = own.ahead_of(other)
    error = gain.standard_error
    if not np.isfinite(gain.mean) or gain.mean > error:
        return
    if own.ties(other):
        difference = "the same in every fold"
    elif gain.mean < -error:
        difference = (
            f"which is better by more than one standard error of the difference ({numeral(error)})"
        )
    else:
        difference = f"and the difference is within one standard error ({numeral(error)})"
    yield Caution(
        "No model is better than knowing the target alone",
        f"The {own.name} of the best, {best.name}, is {numeral(own.mean)}; {baseline.name}"
        f" reaches {numeral(other.mean)}, {difference}. The features say little"
        " about the target, or the models are of the wrong kind.",
        serious=True,
    )


def _edge(one: ModelReport) -> Caution:
    alpha = one.alpha_min if one.alpha_min is not None else one.alpha
    value = "" if alpha is None else f", {numeral(alpha)},"
    seen = f"{one.name}: the best alpha{value} is the {one.edge} that was tried"
    beyond, way = ("smaller", "down") if one.edge == "smallest" else ("larger", "up")
    said = f", so a {beyond} one may be better. In Python, pass alphas that reach further {way}."
    if one.inverse is not None and getattr(one.estimator, "alphas", None) is None:
        way = "up" if way == "down" else "down"
        said = f", so a {beyond} one may be better. In Python, pass Cs that reach further {way}."
    if one.flat:
        said = ", but the error hardly changes there: next to no penalty is needed."
    elif one.unit == 1.0 and one.path is not None and 0 < (one.path.l1_ratio or 0) < 1:
        said += (
            " What the L2 part of an elastic net does depends on the unit of the target: where its"
            " values are large, divide it by its standard deviation (TransformedTargetRegressor)."
        )
    return Caution("alpha is at the edge of the grid", seen + said, serious=not one.flat)


def _unconverged(one: ModelReport) -> Iterator[Caution]:
    messages = [message for category, message in one.warned if category == CONVERGENCE]
    parts = []
    if not np.all(getattr(one.estimator, "converged_", True)):
        parts.append("the model itself is not at its optimum")
    elif one.path is not None and not np.all(one.path.converged):
        there = one.path.converged
        share = f"{np.count_nonzero(~there)} of {there.size}"
        parts.append(f"{share} points of its path are not at the optimum")
    if one.cv is not None and not one.cv.converged:
        parts.append("nor are all points of its folds" if parts else "points of its folds are not")
    no_better = [*filter(SAID_NO_BETTER.match, messages)]
    if messages:
        example = _short((no_better or messages)[0])
        parts.append(f"{len(messages)} warning(s) in {one.n_fits} fits, such as: {example}")
    said = "; ".join(parts)
    if no_better:  # the warning itself says what to do
        yield Caution("A fit has learned nothing", f"{one.name}: {said}.", serious=True)
    elif parts:
        # A warning may have this advice.
        more = "Scale" if MORE_ITERATIONS.search(said) else "Raise max_iter, scale"
        advice = f"{more} the features, or accept a larger tol; until then its numbers may be off."
        yield Caution("A fit did not converge", f"{one.name}: {said}. {advice}", serious=True)


def _unscaled(compared: Sequence[ModelReport]) -> Iterator[Caution]:
    """Penalties, which depend on the units of the features, on features of different scales."""
    seen: dict[str, list[ModelReport]] = defaultdict(list)
    for one in compared:
        standardized = getattr(one.estimator, "standardize", False)
        if one.coefficients is None or standardized or not is_penalised(one.estimator):
            continue
        spread = deviations(one.X)
        least, most = np.where(spread > 0, spread, np.inf).argmin(), spread.argmax()
        if 0 < UNEQUAL * spread[least] <= spread[most]:
            ends = (f"{numeral(spread[j])} ({one.names[j]})" for j in (least, most))
            seen[" to ".join(ends)].append(one)
    if not seen:
        return
    scaler = "a StandardScaler"
    if any(sparse.issparse(one.X) for models in seen.values() for one in models):
        # Its zeros would no longer be zeros.
        scaler = "a MaxAbsScaler, or StandardScaler(with_mean=False),"
    parts = [
        f"{listing([one.name for one in models], LISTED)} see{'s' * (len(models) == 1)}"
        f" standard deviations from {ends}"
        for ends, models in seen.items()
    ]
    yield Caution(
        "Features are penalised on different scales",
        f"{'; '.join(parts)}. A penalty bears hardest on features with a small one. Put {scaler}"
        " before the model (skreg's linear models take standardize=True), unless"
        " all features have the same unit.",
    )


def _collinear(compared: Sequence[ModelReport]) -> Iterator[Caution]:
    """Groups of features of which a sparse model keeps some and leaves out others."""
    choices: dict[str, list[str]] = defaultdict(list)
    for one in compared:
        if one.coefficients is None:
            continue
        kept = [bool(column.any()) for column in _kept(one.coefficients).T]
        if all(kept):
            continue
        keeps = dict(zip(map(str, one.coefficients.names), kept, strict=True))
        table = Columns.of(one.X, one.names)
        for group in correlated_groups(table).groups:
            inside = [name for name in group.names if keeps[name]]
            outside = [name for name in group.names if not keeps[name]]
            if inside and outside and not _complementary(group, table):
                same = f"correlation {np.floor(100 * group.least) / 100:.2f} or more"
                same = "they hold the same" if group.least >= SAME_COLUMN else same
                choice = f"{listing(inside, 3)}, not {listing(outside, 3)} ({same})."
                choices[choice].append(one.name)
    if not choices:
        return
    lines = [
        f"{together(names)} keep{'s' * (len(names) == 1)} {choice}"
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
    yield Caution("The choice among collinear features is arbitrary", "\n".join(lines))


def _complementary(group: CorrelatedGroup, table: Columns) -> bool:
    """Whether two columns are the two indicators of one question: the choice says nothing."""
    if len(group.names) != 2 or group.least < SAME_COLUMN:
        return False
    columns = np.array([table.names.index(name) for name in group.names])
    first, second = table.numbers(columns, np.arange(table.n_rows)).T
    two_valued = len(np.unique(first)) == len(np.unique(second)) == 2
    return bool(two_valued and np.corrcoef(first, second)[0, 1] < 0)


def _kept(coefficients: Coefficients) -> NDArray[np.bool_]:
    """Which are not zero, up to what arithmetic leaves of one; a row each target."""
    sizes = np.abs(np.atleast_2d(coefficients.values))
    return np.asarray(sizes > 10 * np.finfo(float).eps * sizes.max(initial=0.0))


def _simpler(compared: Sequence[ModelReport], best: int) -> Iterator[Caution]:
    """The simplest model within one standard error of the best, if it is not the best."""
    first = compared[best].scores[0]
    near = [one for one in compared if _as_good(one.scores[0], first)]
    simplest = min(near, key=_complexity, default=compared[best])
    if _complexity(simplest) >= _complexity(compared[best]):
        return
    count = int(_complexity(simplest))
    some = f"{count:,} coefficient that is" if count == 1 else f"{count:,} coefficients that are"
    scores = f"{numeral(simplest.scores[0].mean, 3)} and {numeral(first.mean, 3)}"
    yield Caution(
        "A simpler model is as good",
        f"{simplest.name}, with {some} not zero, is within one standard error"
        f" ({numeral(first.standard_error, 2)}) of {compared[best].name} in {first.name}"
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


def _other_warnings(compared: Sequence[ModelReport]) -> Iterator[Caution]:
    """What fits warned of that no other caution says."""
    found = _distinct(
        compared,
        lambda each: (
            not (each.category in (CONVERGENCE, *ANNOUNCEMENTS) or EDGE.search(each.message))
        ),
    )
    for message, models in found[:MOST_WARNINGS]:
        yield Caution(f"A warning of {listing(models, 3)}", message)
    left = len(found) - MOST_WARNINGS
    if left > 0:
        yield Caution("More warnings", f"{left} other warnings were raised while fitting.")


def announcements(compared: Sequence[ModelReport]) -> Iterator[Caution]:
    """One caution, or none, for all that libraries say of their later versions."""
    found = _distinct(compared, lambda each: each.category in ANNOUNCEMENTS)
    for first, _ in found[:1]:
        many = f"{len(found)} such warnings, of which the first is: " * (len(found) > 1)
        title = "A later version of a library will behave otherwise"
        yield Caution(title, f"{many}{first}. The numbers here are not affected.")


def _distinct(
    compared: Sequence[ModelReport], wanted: Callable[[Warned], Any]
) -> list[tuple[str, list[str]]]:
    """Warnings once each, however often the numbers in them changed, and the models they are of."""
    found: dict[str, tuple[str, list[str]]] = {}
    for one in compared:
        for each in filter(wanted, one.warned):
            text = re.sub(r"[\d.eE+-]+", "#", each.message)
            models = found.setdefault(text, (_short(each.message), []))[1]
            if one.name not in models:
                models.append(one.name)
    return list(found.values())


def _short(message: str) -> str:
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= LONGEST_WARNING else f"{text[:LONGEST_WARNING]}…"
