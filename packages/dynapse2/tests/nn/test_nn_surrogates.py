import math

import pytest
import torch

from ranvier.errors import GraphError
from ranvier_dynapse2.nn import LogSigmoid, LogWindow, MembraneStep

THRESHOLD, DARK = torch.tensor([1e-7]), torch.tensor([5e-13])


def slopes(surrogate, *currents):
    values = torch.tensor(currents).unsqueeze(1)
    return surrogate.derivative(values, THRESHOLD, DARK).squeeze(1)


def test_the_published_derivative_is_one_above_the_dark_current():
    found = slopes(MembraneStep(), 5e-13, 6e-13, 1e-9, 1e-7, 1.0)

    assert found.tolist() == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("surrogate", [LogWindow(0.5, 0.2), LogWindow(1.0), LogWindow(2.0, 1.0)])
def test_the_window_is_as_wide_and_high_as_asked_per_efold(surrogate):
    w = surrogate.width
    inside = [1e-7 * math.exp(k * w) for k in (-0.99, 0.0, 0.99)]

    found = slopes(surrogate, *inside) * torch.tensor(inside)

    torch.testing.assert_close(found, torch.full((3,), surrogate.height))
    assert not slopes(surrogate, *(1e-7 * math.exp(k * w) for k in (-1.01, 1.01))).any()


@pytest.mark.parametrize("surrogate", [LogSigmoid(), LogSigmoid(2.0, 0.5)])
def test_the_bell_has_its_height_at_the_threshold_and_its_area_by_its_slope(surrogate):
    z = torch.linspace(-25, 25, 5001)
    currents = 1e-7 * torch.exp(z)

    found = slopes(surrogate, *currents.tolist()) * currents

    assert float(found.max()) == pytest.approx(surrogate.height, rel=1e-4)
    assert int(found.argmax()) == 2500
    assert float(found.sum()) * 0.01 == pytest.approx(
        4 * surrogate.height / surrogate.slope, rel=1e-3
    )
    torch.testing.assert_close(found, found.flip(0), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [(LogWindow, {"width": 0.0}, "width"), (LogSigmoid, {"slope": -1.0}, "slope"),
     (LogSigmoid, {"height": math.inf}, "height"), (LogWindow, {"height": 0.0}, "height")],
)  # fmt: skip
def test_sizes_must_be_positive(kind, options, name):
    with pytest.raises(GraphError, match=f"{kind.__name__}: {name} is"):
        kind(**options)


def test_only_the_published_one_goes_through_the_reset():
    assert MembraneStep().through_reset
    assert not LogSigmoid().through_reset
    assert not LogWindow().through_reset
