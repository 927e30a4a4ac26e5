import pickle
from functools import partial

import numpy as np
import pytest
import torch

from ranvier.errors import GraphError
from ranvier_loihi import nn as lnn
from ranvier_loihi.nn import MeanOnlyBatchNorm, Network, NeuronDropout, cuba, rf, sigma_delta

CUBA = {"threshold": 0.3, "current_decay": 0.5, "voltage_decay": 0.2}
ALIF = CUBA | {"threshold_step": 0.1, "threshold_decay": 0.1, "refractory_decay": 0.2}
RF = {"threshold": 0.3, "period": 8.0, "decay": 0.1}
ADRF = RF | {"threshold_step": 0.1, "threshold_decay": 0.1, "refractory_decay": 0.2}
PARAMS = {
    "cuba": CUBA, "alif": ALIF, "rf": RF, "rf_iz": RF, "adrf": ADRF, "adrf_iz": ADRF,
    "sigma_delta": {"threshold": 0.1},
}  # fmt: skip
SPIKING = {
    "Input", "Flatten", "Average", "TimeDecimation", "Dense", "Conv", "ConvT", "Pool", "Unpool",
    "KWTA", "Recurrent",
}  # fmt: skip
LISTED = {
    "cuba": SPIKING | {"Affine"},
    "rf": SPIKING | {"Affine"},
    "rf_iz": SPIKING | {"Affine"},
    "alif": SPIKING,
    "adrf": SPIKING,
    "adrf_iz": SPIKING,
    "sigma_delta": {
        "Input", "Flatten", "Average", "Dense", "Conv", "ConvT", "Pool", "Unpool", "Output",
    },
}  # fmt: skip


def spikes(*shape, rate=0.3, seed=0):
    return torch.from_numpy((np.random.default_rng(seed).random(shape) < rate).astype(np.float32))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def blocks_of(name):
    """One block of each kind of a family, with the shape of its input."""
    family, p = getattr(lnn, name), PARAMS[name]
    makers = {
        "Input": lambda: (family.Input(p, (6,), weight=1.0, bias=0.25), (6,)),
        "Flatten": lambda: (family.Flatten((2, 4, 4)), (2, 4, 4)),
        "Average": lambda: (family.Average(3, in_shape=6), (6,)),
        "TimeDecimation": lambda: (family.TimeDecimation(4), (6,)),
        "Dense": lambda: (family.Dense(p, 6, 5, weight_scale=3), (6,)),
        "Conv": lambda: (family.Conv(p, (2, 4, 4), 3, 3, weight_scale=3), (2, 4, 4)),
        "ConvT": lambda: (family.ConvT(p, (2, 4, 4), 3, 3, weight_scale=3), (2, 4, 4)),
        "Pool": lambda: (family.Pool(p, (2, 4, 4), 2), (2, 4, 4)),
        "Unpool": lambda: (family.Unpool(p, (2, 4, 4), 2), (2, 4, 4)),
        "KWTA": lambda: (family.KWTA(p, 6, 5, 2, weight_scale=3), (6,)),
        "Recurrent": lambda: (family.Recurrent(p, 6, 5, weight_scale=3), (6,)),
        "Affine": lambda: (family.Affine(p, 6, 5), (6,)),
        "Output": lambda: (family.Output(p, 6, 5), (6,)),
    }
    return {kind: makers[kind]() for kind in family.blocks}


@pytest.mark.parametrize("name", list(LISTED))
def test_every_family_has_the_listed_blocks(name):
    assert set(getattr(lnn, name).blocks) == LISTED[name]
    assert LISTED[name] <= set(dir(getattr(lnn, name)))


@pytest.mark.parametrize("name", list(LISTED))
def test_every_block_runs_and_trains_and_has_its_announced_shape(name):
    for kind, (block, shape) in blocks_of(name).items():
        x = spikes(2, 12, *shape).requires_grad_()

        out = block(x)
        out.sum().backward()

        assert tuple(out.shape[2:]) == block.shape_after(shape), kind
        assert out.shape[1] == (3 if kind == "TimeDecimation" else 12)
        assert x.grad is not None


@pytest.mark.parametrize("name", [n for n in LISTED if n != "sigma_delta"])
def test_the_output_is_that_of_the_neurons_one_step_later(name):
    for kind in ("Dense", "Conv", "Pool"):
        block, shape = blocks_of(name)[kind]
        x = spikes(2, 40, *shape)

        out = block(x)
        now = block.neuron(block.synapse(x))

        assert torch.equal(out[:, 1:], now[:, :-1])
        assert out[:, 0].sum() == 0


def test_sigma_delta_blocks_and_those_without_shift_answer_in_the_same_step():
    x = spikes(2, 20, 6)
    for block in (
        sigma_delta.Dense(PARAMS["sigma_delta"], 6, 5),
        cuba.Dense(CUBA, 6, 5, weight_scale=3, delay_shift=False),
    ):
        assert torch.equal(block(x), block.neuron(block.synapse(x)))


def test_axonal_delays_follow_the_step_delay():
    block = cuba.Dense(CUBA, 6, 5, weight_scale=3, delay=True)
    block.delay.delay.data = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    x = spikes(2, 40, 6)

    out = block(x)

    now = block.neuron(block.synapse(x))
    for c in range(5):
        assert torch.equal(out[:, c + 1 :, c], now[:, : 40 - c - 1, c])
    assert "delay.delay" in block.state_dict()


def test_counting_also_gives_the_share_of_spikes():
    block = cuba.Dense(CUBA, 6, 5, weight_scale=3, count_log=True)

    out, count = block(spikes(2, 40, 6))

    assert float(count) == pytest.approx(float((out > 0).float().mean()))
    assert float(count) > 0


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("name", list(LISTED))
def test_persistent_runs_in_pieces_equal_one_run(name, grad):
    kinds = ("Dense", "Recurrent", "KWTA", "Output")
    for kind in [k for k in kinds if k in LISTED[name]]:
        whole = getattr(lnn, name).blocks[kind]
        extra = (2,) if kind == "KWTA" else ()
        options = {} if kind == "Output" else {"delay": True}
        make = partial(whole, in_neurons=6, out_neurons=5, weight_scale=3, **options)
        once = make(PARAMS[name], **({"num_winners": 2} if extra else {}))
        lasting = make(
            PARAMS[name] | {"persistent_state": True}, **({"num_winners": 2} if extra else {})
        )
        if options:
            once.delay.delay.data = torch.tensor([0.0, 3.0, 5.0, 1.0, 2.0])
        lasting.load_state_dict(once.state_dict())
        x = spikes(2, 40, 6).requires_grad_(grad)

        with torch.set_grad_enabled(grad):
            pieces = [lasting(part) for part in x.split(7, dim=1)]
            out = torch.cat(pieces, dim=1)
            if grad:
                out.sum().backward()

        assert torch.equal(out, once(x)), kind


def test_reset_starts_from_rest():
    block = cuba.Dense(CUBA | {"persistent_state": True}, 6, 5, weight_scale=3)
    x = spikes(2, 30, 6)
    first = block(x)

    block.reset_state()

    assert torch.equal(block(x), first)


def test_an_input_block_rounds_input_weight_and_bias():
    block = cuba.Input(CUBA, (1,), weight=0.51, bias=0.26)
    x = torch.full((1, 20, 1), 0.99)

    out = block(x)

    drive = torch.full((1, 20, 1), 1.0 * 0.5 + 0.25)
    assert torch.equal(out[:, 1:], block.neuron(drive)[:, :-1])


def test_an_input_block_without_neurons_only_takes_a_step():
    x = torch.rand(1, 5, 3)

    out = cuba.Input()(x)

    assert torch.equal(out[:, 1:], x[:, :-1])


def test_an_affine_block_gives_the_voltage_or_the_raw_sum():
    x = spikes(1, 20, 6)
    voltage, raw = cuba.Affine(CUBA, 6, 2), cuba.Affine(CUBA, 6, 2, dynamics=False)
    raw.load_state_dict(voltage.state_dict())

    assert torch.equal(raw(x), raw.synapse(x))
    assert torch.equal(voltage(x), voltage.neuron.membrane(voltage.synapse(x))[1])
    assert voltage.neuron.threshold is None


def test_a_sigma_delta_output_sums_its_messages():
    block = sigma_delta.Output({"threshold": 0.1}, 6, 2)
    x = torch.rand(1, 20, 6)

    torch.testing.assert_close(block(x), block.synapse(x).cumsum(1))


def test_a_sigma_delta_input_only_encodes():
    block = sigma_delta.Input({"threshold": 0.1}, (3,), pre_hook=None)
    x = torch.rand(1, 50, 3)

    out = block(x)

    assert float((out.cumsum(1) - x).detach().abs().max()) < 0.2
    assert 0 < int((out == 0).sum()) < out.numel()


def test_flatten_is_channels_first_and_average_takes_consecutive_groups():
    x = torch.arange(12.0).reshape(1, 1, 3, 2, 2)

    flat = cuba.Flatten()(x)
    means = cuba.Average(3)(x)

    assert flat.flatten().tolist() == list(range(12))
    assert means.flatten().tolist() == [1.5, 5.5, 9.5]


def test_time_decimation_fills_the_end_with_zeros():
    out = cuba.TimeDecimation(4)(torch.ones(1, 6, 1))

    assert out.flatten().tolist() == [1.0, 0.5]


def test_one_dictionary_serves_layers_with_norms_of_their_own():
    params = CUBA | {"norm": MeanOnlyBatchNorm, "dropout": NeuronDropout(0.1)}

    net = Network(cuba.Dense(params, 6, 5), cuba.Dense(params, 5, 4))

    assert [b.neuron.norm.num_features for b in net.blocks] == [5, 4]
    assert "neuron.norm.running_mean" in net.blocks[0].state_dict()


def test_blocks_can_be_pickled():
    block = cuba.Dense(CUBA, 6, 5, weight_scale=3)
    x = spikes(1, 20, 6)

    again = pickle.loads(pickle.dumps(block))

    assert torch.equal(again(x), block(x))
    assert isinstance(again, cuba.Dense)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lnn.alif.Affine, "Affine exists for cuba, rf, rf_iz"),
        (lambda: cuba.Output, "Output exists for sigma_delta"),
        (lambda: rf.Affine(RF, 3, 2, dynamics=False), "use dynamics=True, or cuba.Affine"),
        (lambda: cuba.Input(CUBA), r"pass in_shape="),
        (lambda: cuba.Input(weight=1.0), "pass neuron_params"),
        (lambda: cuba.KWTA(CUBA, 3, 4, 5), r"num_winners is 5; it must be in 1..4"),
        (lambda: cuba.TimeDecimation(3), "power of two"),
        (lambda: cuba.Average(4)(torch.zeros(1, 1, 6)), "6 inputs do not fall into 4"),
        (lambda: cuba.Dense(CUBA, 3, 2)(torch.zeros(1, 1, 4)), r"\(4,\) per step"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_with_advice(make, message):
    with pytest.raises(GraphError, match=message):
        make()


def test_unknown_names_are_plain_attribute_errors():
    assert not hasattr(cuba, "Tense")
    assert not hasattr(cuba, "Output")
