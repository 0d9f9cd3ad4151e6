"""Parameters that are declared once: constructor, constraints and documentation of them."""

import inspect

import pytest
from sklearn.base import BaseEstimator, clone

import skreg
from skreg.estimators.parameters import parameter, with_parameters

ESTIMATORS = [
    skreg.Lasso,
    skreg.ElasticNet,
    skreg.Ridge,
    skreg.LassoCV,
    skreg.ElasticNetCV,
    skreg.RidgeCV,
    skreg.MLPClassifier,
    skreg.MLPRegressor,
]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_is_in_the_docstring_with_its_default(cls):
    text = inspect.getdoc(cls)
    section = text[text.index("Parameters\n-----") : text.index("Examples\n-----")]
    signature = inspect.signature(cls)
    assert set(cls._parameter_constraints) == set(signature.parameters)
    for name, each in signature.parameters.items():
        shown = f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)
        (line,) = [one for one in section.splitlines() if one.startswith(f"{name} : ")]
        assert line.endswith(f", default={shown}")
    assert "{parameters}" not in text


@pytest.mark.parametrize("indent", ["    ", ""])  # Python 3.13 takes it off
def test_a_section_stands_as_its_place_does(indent):
    class Shared:
        first: int = parameter(default=1, constraint=["boolean"], kind="int", meaning="Is first.")

    class Model(with_parameters(Shared), BaseEstimator):
        second: str = parameter(default="a", constraint=[str], kind="str", kw_only=False)

    Model.__doc__ = f"A model.\n\n{indent}{{parameters}}\n"
    model = with_parameters(Model)
    assert inspect.getdoc(model).splitlines() == [
        "A model.",
        "",
        "Parameters",
        "----------",
        'second : str, default="a"',
        "first : int, default=1",
        "    Is first.",
    ]
    assert clone(model("b", first=2)).get_params() == {"first": 2, "second": "b"}


def test_what_equals_a_value_that_has_passed_is_checked_all_the_same():
    skreg.Lasso(alpha=1.0, positive=True)._validate_params()
    for wrong in ({"alpha": True}, {"positive": 1}, {"max_iter": 1.0}, {"max_iter": True}):
        for _ in range(2):
            with pytest.raises((TypeError, ValueError)):
                skreg.Lasso(**{"max_iter": 1, **wrong})._validate_params()
