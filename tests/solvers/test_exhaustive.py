"""Thousands of random fits, each judged in extended precision: no silent wrong answer.

Of data like what people have every fit must end well: coefficients finite and in their bounds, no
error, one warning if and only if it has not converged, and an excess over the minimum of at most
its duality gap. Of values over the whole accepted range it may also be refused by a ValueError.

`SKREG_FITS` says how many fits of each kind there are, `SKREG_FIRST` with which seed they start.
"""

import os

import pytest
from plausible import case, judged

FITS, FIRST = int(os.environ.get("SKREG_FITS", "2000")), int(os.environ.get("SKREG_FIRST", "0"))
PARTS = 20


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("wide", [False, True], ids=["plausible", "whole range"])
def test_no_fit_claims_what_it_has_not(wide, part):
    wrong = {}
    for seed in range(FIRST + part, FIRST + FITS, PARTS):
        found = case(seed, wide)
        fault = judged(found, refusable=wide)
        if fault is not None:
            wrong[seed] = f"{type(found.model).__name__}: {fault}"
    assert not wrong


@pytest.mark.parametrize("seed", [98, 593, 1068, 1613, 1790, 1919, 2555, 4474])
def test_what_such_fits_have_found(seed):
    """Certificates below the rounding of their numbers, and bounds that are passed."""
    assert judged(case(seed)) is None


def test_what_fits_over_the_whole_range_have_found():
    """A certificate from correlations that no residual has with the columns."""
    assert judged(case(6098, wide=True), refusable=True) is None


def test_a_wrong_answer_is_found():
    found = case(1)
    fit = found.model.fit

    def wrong(*args, **kwargs):
        fit(*args, **kwargs)
        found.model.coef_ = 1.01 * found.model.coef_

    found.model.fit = wrong
    assert "above the minimum" in judged(found)
