"""The confusion matrix of a report: legible with many classes and with long names."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from skreg.report.drawing import PICTURE_WIDTH
from skreg.report.predictions import of_classes


@pytest.mark.parametrize("n_classes", [3, 8, 12, 19, 30])
@pytest.mark.parametrize("name", ["{}", "Diagnosis of the {} upper respiratory tract infection"])
def test_names_of_classes_are_legible(n_classes, name):
    classes = [name.format(f"no. {number:02}") for number in range(n_classes)]
    rng = np.random.default_rng(0)
    y, held_out = rng.choice(classes, (2, 400))
    model = type("Model", (), {"held_out": held_out, "probabilities": None})()
    contents = type("Contents", (), {"y": y, "classes": classes})()
    (sketch,) = of_classes(model, contents)
    figure = Figure(figsize=(PICTURE_WIDTH, sketch.height), layout="constrained")
    figure.set_dpi(100)
    with mpl.rc_context({"font.size": 8}):
        caption = sketch.draw(figure)
        figure.draw_without_rendering()
    ax = figure.axes[0]
    assert f"{np.sum(y == held_out):,} of 400 are right" in caption
    for labels, axis in ((ax.get_xticklabels(), 0), (ax.get_yticklabels(), 1)):
        texts = [label.get_text() for label in labels]
        assert len(set(texts)) == len(texts) == min(n_classes, 20)
        edges = np.array([label.get_window_extent().get_points()[:, axis] for label in labels])
        edges = edges[np.argsort(edges[:, 0])]
        assert np.all(edges[1:, 0] >= edges[:-1, 1] - 2)  # pixels of air in the line's height
