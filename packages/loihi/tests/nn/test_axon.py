import pytest
import torch

from ranvier.errors import GraphError
from ranvier_loihi.nn import Delay, StepDelay, delay


def shifted(x, steps):
    out = torch.zeros_like(x)
    for c, d in enumerate(steps):
        out[:, d:, c] = x[:, : x.shape[1] - d, c]
    return out


@pytest.mark.parametrize(("steps", "expected"), [(2, [0, 0, 1, 2]), (-1, [2, 3, 4, 0])])
def test_a_shift_loses_what_leaves_and_fills_with_zeros(steps, expected):
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)

    out = delay(x, steps)

    assert out.flatten().tolist() == expected


@pytest.mark.parametrize("steps", [0.9, -0.9])
def test_a_shift_below_one_step_is_cut_to_none(steps):
    x = torch.rand(1, 4, 2)

    assert torch.equal(delay(x, steps), x)


def test_every_channel_is_shifted_by_the_whole_part_of_its_delay():
    x = torch.rand(2, 12, 3)
    axons = Delay(3)
    axons.delay.data = torch.tensor([0.9, 2.0, 5.99])

    out = axons(x)

    assert torch.equal(out, shifted(x, [0, 2, 5]))
    assert axons.steps.tolist() == [0, 2, 5]


def test_channels_of_a_map_are_shifted_as_a_whole():
    x = torch.rand(2, 9, 3, 4, 5)
    axons = Delay(3)
    axons.delay.data = torch.tensor([0.0, 1.0, 4.0])

    assert torch.equal(axons(x), shifted(x, [0, 1, 4]))


def test_delays_start_between_zero_and_one_and_stay_in_range():
    axons = Delay(100, max_delay=7)
    drawn = axons.delay.detach().clone()
    axons.delay.data[0], axons.delay.data[1] = -3.0, 9.0

    axons(torch.zeros(1, 2, 100))

    assert 0.0 <= float(drawn.min()) < float(drawn.max()) <= 1.0
    assert axons.delay[:2].tolist() == [0.0, 7.0]


def test_the_gradient_of_a_delay_is_minus_the_rise_of_the_output():
    x = torch.rand(2, 12, 3, requires_grad=True)
    axons = Delay(3)
    axons.delay.data = torch.tensor([0.0, 2.0, 5.0])
    g = torch.rand(2, 12, 3)

    out = axons(x)
    out.backward(g)

    y = out.detach()
    rise = y - torch.cat((torch.zeros(2, 1, 3), y[:, :-1]), dim=1)
    torch.testing.assert_close(axons.delay.grad, -(g * rise).sum((0, 1)))
    earlier = torch.zeros_like(g)
    for c, d in enumerate([0, 2, 5]):
        earlier[:, : 12 - d, c] = g[:, d:, c]
    assert torch.equal(x.grad, earlier)


def test_persistent_axons_give_a_signal_in_pieces_as_in_one():
    x = torch.rand(2, 20, 3)
    whole, pieces = Delay(3), Delay(3, persistent_state=True)
    whole.delay.data = pieces.delay.data = torch.tensor([0.0, 3.0, 15.0])

    parts = [pieces(part) for part in x.split(4, dim=1)]

    assert torch.equal(torch.cat(parts, dim=1), whole(x))


def test_reset_forgets_what_is_on_its_way():
    axons = Delay(1, persistent_state=True)
    axons.delay.data = torch.tensor([2.0])
    axons(torch.ones(1, 3, 1))

    axons.reset_state()

    assert axons(torch.zeros(1, 3, 1)).sum() == 0


def test_a_delay_beyond_the_chips_62_steps_is_refused():
    with pytest.raises(GraphError, match=r"max_delay is 63 steps.*larger time step"):
        Delay(3, max_delay=63)


def test_input_with_other_channels_is_refused():
    with pytest.raises(GraphError, match="2 channels, the delays are for 3"):
        Delay(3)(torch.zeros(1, 4, 2))


def test_the_step_delay_shifts_by_one():
    x = torch.rand(2, 5, 3)

    out = StepDelay()(x)

    assert torch.equal(out[:, 1:], x[:, :-1])
    assert out[:, 0].sum() == 0


def test_a_persistent_step_delay_carries_the_last_step_also_with_gradients():
    x = torch.rand(2, 6, 3, requires_grad=True)
    whole, pieces = StepDelay(), StepDelay(persistent_state=True)

    out = torch.cat([pieces(part) for part in x.split(2, dim=1)], dim=1)
    out.sum().backward()

    assert torch.equal(out, whole(x))
    assert x.grad is not None
