import numpy as np
import pytest

from ranvier import plotting
from ranvier.errors import InputError

RNG = np.random.default_rng(0)
BEFORE = {"input": RNG.normal(size=(6, 4)), "recurrent": np.diag(RNG.normal(size=6))}


def test_zero_weight_is_the_middle_of_the_colours():
    ax = plotting.weights([[1.0, -3.0], [0.0, 2.0]], title="input")

    image = ax.images[0]
    assert image.get_clim() == (-3.0, 3.0)
    assert image.get_array().tolist() == [[1.0, -3.0], [0.0, 2.0]]
    assert ax.get_title() == "input 2x2"


def test_every_matrix_has_its_panel():
    figure = plotting.weight_images(BEFORE)

    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles == ["input 6x4", "recurrent 6x6"]


def test_histograms_count_every_synapse_once():
    after = {name: np.rint(values * 40) for name, values in BEFORE.items()}

    figure = plotting.weight_histograms(BEFORE, after)

    heights = [sum(patch.get_height() for patch in ax.patches) for ax in figure.axes]
    expected = [np.count_nonzero(values[name]) for values in (BEFORE, after) for name in BEFORE]
    assert heights == expected
    assert "30 zeros" in figure.axes[1].get_title()


def test_codes_have_a_bar_each():
    codes = np.array([-2, -1, 1, 1, 3])

    figure = plotting.weight_histograms({"w": codes + 0.25}, {"w": codes})

    centres = {
        round(p.get_x() + p.get_width() / 2, 6): p.get_height() for p in figure.axes[1].patches
    }
    assert {code: height for code, height in centres.items() if height} == {
        -2: 1,
        -1: 1,
        1: 2,
        3: 1,
    }


def test_all_zero_weights_are_drawn():
    plotting.weight_histograms({"w": np.zeros(3)}, {"w": np.zeros(3)}).canvas.draw()
    plotting.weights(np.zeros((2, 2))).figure.canvas.draw()


def test_time_constants_are_in_milliseconds_over_neurons():
    figure = plotting.time_constants({"a": [2e-3, 4e-3], "b": [8e-3]}, dt=1e-3)

    np.testing.assert_allclose(figure.axes[0].collections[0].get_offsets(), [[0, 2], [1, 4]])
    assert figure.axes[0].get_ylabel() == "time constant (ms)"
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.weights(np.zeros(3)), "reshape kernels"),
        (lambda: plotting.weights([[np.nan]]), "finite"),
        (lambda: plotting.weight_images({}), "nothing to draw"),
        (lambda: plotting.weight_histograms({"a": [1]}, {"b": [1]}), "give both"),
        (lambda: plotting.weight_histograms({"a": [np.nan]}, {"a": [1]}), "NaN"),
        (lambda: plotting.time_constants({"a": [0.0]}), "above 0"),
    ],
)
def test_malformed_parameters_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
