import numpy as np
import pytest

from ranvier import plotting
from ranvier.errors import InputError


def test_curves_start_at_epoch_one_and_name_their_best():
    ax = plotting.learning_curve({"training": [3.0, 1.0, 2.0], "validation": [np.nan, 4.0, 5.0]})

    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["training\nlowest 1 in epoch 2", "validation\nlowest 4 in epoch 2"]


def test_best_accuracy_is_the_highest():
    ax = plotting.learning_curve({"test": [0.5, 0.9]}, quantity="accuracy", best="highest")

    assert ax.collections[0].get_offsets().tolist() == [[2.0, 0.9]]
    assert ax.get_ylabel() == "accuracy"


def test_logarithmic_axis_on_request():
    assert plotting.learning_curve({"a": [1.0, 0.1]}, log=True).get_yscale() == "log"
    with pytest.raises(InputError, match="log=False"):
        plotting.learning_curve({"a": [1.0, 0.0]}, log=True)


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [np.nan]}])
def test_nothing_to_draw_is_refused(curves):
    with pytest.raises(InputError, match="train at least one epoch"):
        plotting.learning_curve(curves)
