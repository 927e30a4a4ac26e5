import runpy
from pathlib import Path

import pytest
import torch
from numpy.testing import assert_allclose

from ranvier.errors import InputError, SimulationError
from ranvier_bss2.nn.functional import aelif, linear, linear_aelif

layers = runpy.run_path(str(Path(__file__).with_name("layers.py")))
make, draw = layers["make"], layers["draw"]
LIF, LI, IF, AELIF, TRAINED = (layers[name] for name in ("LIF", "LI", "IF", "AELIF", "TRAINED"))
SPARSE, DENSE = 0.03, 0.4
SHAPES = [(3, 30, 9, 5), (2, 30, 70, 3), (3, 25, 9, 64), (2, 25, 11, 100), (2, 20, 8, 130)]
EDGES = [(1, 1, 70, 1), (1, 30, 70, 70), (4, 1, 70, 70), (3, 30, 1, 1), (1, 30, 3, 65)]


def draw_link(shape, density=SPARSE, seed=0):
    """Draw spikes and weights on a grid, so that sums are exact in any order."""
    batch, time, n_in, n = shape
    g = torch.Generator().manual_seed(seed)
    spikes = (torch.rand(batch, time, n_in, generator=g) < density).float()
    spikes[0, 0, 0] = 1.0 if density else 0.0
    weight = (64 * (1.0 + 0.8 * torch.randn(n, n_in, generator=g))).round() / 64
    return spikes, weight


def differentiate(spikes, weight, parameters, *, backend="kernel", trained=(), **keywords):
    """Run and go backward with drawn gradients of all outputs; give the run and the gradients."""
    spikes, weight = (a.detach().clone().requires_grad_() for a in (spikes, weight))
    given = {k: torch.tensor(parameters.values[k]).requires_grad_() for k in trained}
    run = linear_aelif(spikes, weight, parameters, trained=given, backend=backend, **keywords)
    shown = [trace for trace in run[:4] if trace is not None]
    sum((trace * draw(trace.shape, 5 + k)).sum() for k, trace in enumerate(shown)).backward()
    found = {"spikes": spikes.grad, "weight": weight.grad}
    return run, found | {k: v.grad for k, v in given.items()}


def assert_same(shape, switches, *, density=SPARSE, trained=(), **keywords):
    spikes, weight = draw_link(shape, density)
    parameters = make(switches, shape[3])
    ours, gradients = differentiate(spikes, weight, parameters, trained=trained, **keywords)
    plain, expected = differentiate(
        spikes, weight, parameters, trained=trained, backend="loop", **keywords
    )
    if "fire" in switches:
        assert torch.equal(ours.spikes, plain.spikes)
    for trace, wanted in zip(ours[:4], plain[:4], strict=True):
        assert (trace is None) == (wanted is None)
        if trace is not None and switches != AELIF:
            assert torch.equal(trace, wanted)
    for name, gradient in expected.items():
        scale = float(gradient.abs().max())
        assert_allclose(gradients[name], gradient, rtol=0, atol=1e-5 * scale + 1e-30, err_msg=name)
    return ours


@pytest.mark.parametrize("shape", SHAPES + EDGES)
@pytest.mark.parametrize("switches", [LIF, LI, IF, AELIF])
def test_the_step_and_the_loop_give_equal_spikes_and_gradients(switches, shape):
    # In a single step the gradients of capacitance and time constants cancel to rounding errors.
    assert_same(shape, switches, trained=TRAINED if shape in SHAPES else ["leak", "threshold"])
    assert_same(shape, switches)


@pytest.mark.parametrize("density", [0.0, SPARSE, DENSE])
@pytest.mark.parametrize("shape", [(3, 30, 70, 5), (3, 30, 20, 100)])
@pytest.mark.parametrize("record", [True, False])
def test_few_and_many_spikes_and_none_are_equal_to_the_loop(density, shape, record):
    run = assert_same(shape, LIF, density=density, record=record)

    assert bool(run.spikes.any()) is (density > 0)
    assert (run.v_mem is None) is not record


@pytest.mark.parametrize(
    ("switches", "names"),
    [
        (LIF, ["v_hw"]),
        (LIF, ["z_hw"]),
        (LIF, ["v_hw", "z_hw"]),
        (LI, ["v_hw"]),
        (AELIF, ["v_hw", "z_hw", "w_hw"]),
    ],
)
@pytest.mark.parametrize("n", [5, 100])
@pytest.mark.parametrize("steps", [30, 19])
def test_observed_values_replace_the_model_and_can_be_shorter(switches, names, n, steps):
    g = torch.Generator().manual_seed(9)
    drawn = {
        "v_hw": torch.randn((2, steps, n), generator=g) * 0.5 + 0.2,
        "z_hw": (torch.rand((2, steps, n), generator=g) < 0.15).float(),
        "w_hw": torch.randn((2, steps, n), generator=g) * 0.1,
    }

    run = assert_same((2, 30, 11, n), switches, **{name: drawn[name] for name in names})

    assert run.i_syn.shape == (2, steps, n)
    if "z_hw" in names:
        assert torch.equal(run.spikes, drawn["z_hw"])


@pytest.mark.parametrize("n", [3, 70])
@pytest.mark.parametrize("wanted", ["spikes", "weight", "leak"])
def test_gradients_are_the_same_where_only_one_input_wants_them(n, wanted):
    spikes, weight = draw_link((2, 25, 70, n))
    parameters = make(LIF, n)
    _, every = differentiate(spikes, weight, parameters, trained=["leak"])
    g = [draw((2, 25, n), 5 + k) for k in range(3)]

    given = {"spikes": spikes, "weight": weight, "leak": torch.tensor(parameters.values["leak"])}
    given[wanted] = given[wanted].clone().requires_grad_()
    trained = {"leak": given["leak"]} if wanted == "leak" else None
    run = linear_aelif(given["spikes"], given["weight"], parameters, trained=trained)
    sum((t * own).sum() for t, own in zip(run[:3], g, strict=True)).backward()

    scale = float(every[wanted].abs().max())
    assert_allclose(given[wanted].grad, every[wanted], rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("n", [3, 70])
@pytest.mark.parametrize(("density", "joined"), [(SPARSE, True), (DENSE, False)])
def test_few_spikes_make_one_node_of_autograd(density, joined, n):
    spikes, weight = draw_link((2, 25, 70, n), density)

    run = linear_aelif(spikes, weight.requires_grad_(), make(LIF, n))

    assert ("Linear" in run.spikes.grad_fn.name()) is joined


@pytest.mark.parametrize("n", [3, 70])
def test_entries_other_than_one_are_multiplied(n):
    spikes, weight = draw_link((2, 25, 70, n))

    once = linear_aelif(spikes, 0.25 * weight, make(LIF, n))
    four = linear_aelif(-0.25 * spikes, -weight, make(LIF, n))

    assert torch.equal(once.i_syn, four.i_syn)


@pytest.mark.parametrize("n", [3, 70])
def test_two_graphs_can_live_at_once(n):
    parameters, (spikes, weight) = make(LIF, n), draw_link((2, 20, 70, n))
    other, _ = draw_link((2, 20, 70, n), seed=1)
    first, second = (weight.clone().requires_grad_() for _ in range(2))

    one = linear_aelif(spikes, first, parameters)
    two = linear_aelif(other, second, parameters)
    two.v_mem.sum().backward()
    one.v_mem.sum().backward()

    alone = weight.clone().requires_grad_()
    linear_aelif(spikes, alone, parameters).v_mem.sum().backward()
    assert torch.equal(alone.grad, first.grad)
    assert not torch.equal(first.grad, second.grad)


@pytest.mark.parametrize("n", [3, 70])
def test_inputs_that_are_not_contiguous_or_double_are_taken(n):
    spikes, weight = draw_link((4, 30, 70, n))
    turned = spikes.transpose(0, 1).contiguous().transpose(0, 1).double().requires_grad_()
    across = weight.t().contiguous().t().double().requires_grad_()

    run = linear_aelif(turned, across, make(LIF, n))
    (run.v_mem.transpose(0, 1) * draw((30, 4, n), 3)).sum().backward()

    same, straight = spikes.requires_grad_(), weight.requires_grad_()
    plain = linear_aelif(same, straight, make(LIF, n))
    (plain.v_mem * draw((30, 4, n), 3).transpose(0, 1)).sum().backward()
    assert torch.equal(run.v_mem, plain.v_mem)
    assert torch.equal(turned.grad.float(), same.grad)
    assert torch.equal(across.grad.float(), straight.grad)


@pytest.mark.parametrize("n", [3, 70])
def test_without_gradients_values_are_the_same_and_nothing_is_kept(n):
    spikes, weight = draw_link((2, 20, 70, n))
    weight.requires_grad_()

    with torch.no_grad():
        silent = linear_aelif(spikes, weight, make(LIF, n))
    loud = linear_aelif(spikes, weight, make(LIF, n))

    assert silent.spikes.grad_fn is None
    assert torch.equal(silent.v_mem, loud.v_mem)
    assert torch.equal(silent.spikes, loud.spikes)


@pytest.mark.parametrize("n", [3, 70])
def test_a_run_goes_on_from_a_state(n):
    (spikes, weight), parameters = draw_link((3, 30, 70, n)), make(LIF, n)

    whole = linear_aelif(spikes, weight, parameters)
    first = linear_aelif(spikes[:, :11], weight, parameters)
    second = linear_aelif(spikes[:, 11:], weight, parameters, state=first.state)

    assert torch.equal(torch.cat([first.v_mem, second.v_mem], dim=1), whole.v_mem)


def test_a_state_at_rest_is_not_changed_by_what_a_run_gives():
    (spikes, weight), parameters = draw_link((2, 10, 9, 3)), make(LIF, 3)
    before = linear_aelif(spikes, weight, parameters)

    linear_aelif(spikes[:, :0], weight, parameters).state.v_mem[:] = 9.0

    assert torch.equal(linear_aelif(spikes, weight, parameters).v_mem, before.v_mem)


def test_several_synapses_of_a_layer_are_one_with_their_inputs_side_by_side():
    (a, left), (b, right) = draw_link((2, 30, 20, 70)), draw_link((2, 30, 31, 70), seed=1)
    parameters = make(LIF, 70)

    summed = aelif(linear(a, left) + linear(b, right), parameters)
    joined = linear_aelif(torch.cat([a, b], dim=2), torch.cat([left, right], dim=1), parameters)

    assert torch.equal(summed.spikes, joined.spikes)
    assert bool(joined.spikes.any())


@pytest.mark.parametrize("n", [3, 70])
def test_a_second_layer_sends_gradients_to_the_first(n):
    (spikes, weight), (_, inner) = draw_link((2, 30, 9, 70)), draw_link((2, 30, 70, n), seed=1)
    weight, found = 0.5 * weight, []
    for backend in ("kernel", "loop"):
        first, second = (w.clone().requires_grad_() for w in (weight, inner))
        z = linear_aelif(spikes, first, make(LIF, 70), backend=backend).spikes
        v = linear_aelif(z, second, make(LI, n), backend=backend).v_mem
        (v * draw(v.shape, 3)).sum().backward()
        found.append((z.detach(), first.grad, second.grad))

    (ours, *gradients), (plain, *expected) = found
    assert 0 < int(ours.sum()) < ours.numel() / 16
    assert torch.equal(ours, plain)
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_allclose(gradient, wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("n", [3, 70])
def test_second_derivatives_are_refused(n):
    spikes, weight = draw_link((2, 20, 70, n))
    weight.requires_grad_()
    run = linear_aelif(spikes, weight, make(LIF, n))

    with pytest.raises(SimulationError, match="leave create_graph out"):
        torch.autograd.grad(run.v_mem.sum(), weight, create_graph=True)


@pytest.mark.parametrize("n", [3, 70])
def test_weights_changed_before_the_backward_pass_are_refused(n):
    spikes, weight = draw_link((2, 20, 70, n))
    weight.requires_grad_()
    run = linear_aelif(spikes, weight, make(LIF, n))
    with torch.no_grad():
        weight.mul_(2.0)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        run.v_mem.sum().backward()


@pytest.mark.parametrize("shape", [(0, 5, 4, 3), (2, 0, 4, 3), (0, 5, 4, 70), (2, 0, 4, 70)])
def test_empty_batches_and_times_have_empty_results(shape):
    weight = torch.ones(shape[3], shape[2], requires_grad=True)

    run = linear_aelif(torch.zeros(shape[:3]), weight, make(LIF, shape[3]))
    run.v_mem.sum().backward()

    assert run.v_mem.shape == (*shape[:2], shape[3])
    assert not weight.grad.any()


@pytest.mark.parametrize(
    ("n_in", "n", "keywords", "advice"),
    [
        (8, 4, {}, r"weights \(4, 8\) do not fit an input \(2, 20, 9\)"),
        (9, 5, {}, r"the input has shape \(2, 20, 5\); expected \(batch, time, 4\)"),
        (9, 4, {"alpha": -1.0}, "alpha is -1.0; it must be a finite number > 0"),
        (9, 4, {"backend": "gpu"}, "backend is 'gpu'; use 'kernel' or 'loop'"),
        (9, 4, {"v_hw": torch.ones(2, 5, 3)}, r"v_hw has shape \(2, 5, 3\); expected"),
    ],
)
def test_wrong_input_is_named_with_its_numbers(n_in, n, keywords, advice):
    with pytest.raises(InputError, match=advice):
        linear_aelif(torch.zeros(2, 20, 9), torch.zeros(n, n_in), make(LIF, 4), **keywords)


def test_other_devices_are_refused_with_advice():
    with pytest.raises(InputError, match=r"weight is on device 'meta'.*\.cpu\(\)"):
        linear_aelif(torch.zeros(2, 5, 3), torch.zeros(4, 3, device="meta"), make(LIF, 4))
