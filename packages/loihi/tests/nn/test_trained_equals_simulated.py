"""A network of `ranvier_loihi.nn` and its simulation on the chip agree in every spike."""

import numpy as np
import pytest
import torch

import ranvier as rv
from ranvier_loihi.nn import Network, cuba, rf, rf_iz, sigma_delta

N_STEPS = 80
PER_KIND = 100
DECAYS = (0.0, 1.0, 0.03, 0.1, 0.3, 0.9)


def neuron(rng, **changes):
    return {
        "threshold": float(rng.choice([0.1, 0.25, 0.5, 1.0, 1.5])),
        "current_decay": float(rng.choice(DECAYS)),
        "voltage_decay": float(rng.choice(DECAYS)),
        **changes,
    }


def resonator(rng):
    return {
        "threshold": float(rng.choice([0.25, 0.5, 1.0])),
        "period": float(rng.choice([5.0, 8.0, 13.0, 40.0])),
        "decay": float(rng.choice([0.01, 0.05, 0.2])),
    }


def sizes(rng, count=3):
    return [int(n) for n in rng.integers(1, 24, size=count)]


def dense(rng):
    a, b, c = sizes(rng)
    net = Network(cuba.Dense(neuron(rng), a, b), cuba.Dense(neuron(rng), b, c))
    return net, (a,)


def recurrent(rng):
    a, b, c = sizes(rng)
    blocks = [cuba.Dense(neuron(rng), a, b), cuba.Recurrent(neuron(rng), b, b)]
    return Network(*blocks, cuba.Dense(neuron(rng), b, c)), (a,)


def delayed(rng):
    a, b, c = sizes(rng)
    net = Network(
        cuba.Dense(neuron(rng), a, b, delay=True), cuba.Dense(neuron(rng), b, c, delay=True)
    )
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith("delay.delay"):
                parameter.uniform_(0, 12)
    return net, (a,)


def resonant(rng):
    a, b, c = sizes(rng)
    family = rf if rng.random() < 0.5 else rf_iz
    return Network(family.Dense(resonator(rng), a, b), cuba.Dense(neuron(rng), b, c)), (a,)


def convolutional(rng):
    groups = int(rng.choice([1, 2]))
    shape = (2, int(rng.integers(5, 9)), int(rng.integers(5, 9)))
    first = cuba.Conv(
        neuron(rng),
        shape,
        4,
        int(rng.choice([2, 3])),
        stride=int(rng.choice([1, 2])),
        padding=int(rng.choice([0, 1])),
        groups=groups,
    )
    inner = first.out_shape
    size = int(np.prod(inner))
    blocks = [first, cuba.Flatten(in_shape=inner), cuba.Dense(neuron(rng), size, 5)]
    return Network(*blocks), shape


def scaled(net, rng):
    """Make weights large enough for many spikes, on and off the quantiser's grid."""
    gain = float(rng.choice([1.0, 2.0, 4.0]))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "weight" in name:
                parameter.mul_(gain).add_(float(rng.uniform(0, 0.2)))
    return net.eval()


@pytest.mark.parametrize("kind", [dense, recurrent, delayed, resonant, convolutional])
def test_every_spike_of_the_chip_is_one_of_the_trained_network(kind):
    fired = compared = 0
    for seed in range(PER_KIND):
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        net, shape = kind(rng)
        scaled(net, rng)
        spikes = (rng.random((2, N_STEPS, *shape)) < rng.choice([0.05, 0.2, 0.5])).astype(int)
        with torch.no_grad():
            trained = net(torch.as_tensor(spikes, dtype=torch.float32)).numpy()

        config = rv.build(net.to_graph(), "loihi2")
        recording = rv.simulate(config, spikes)

        wrapped = [d for d in recording.diagnostics if "24 bits" in d.message]
        if wrapped:  # the chip has 24 bits, and says so; the trained network has more
            continue
        late = config.latency[next(iter(recording.outputs))]
        assert late in (0, 1)
        simulated = recording.output
        if late == 0:
            simulated = np.concatenate([np.zeros_like(simulated[:, :1]), simulated[:, :-1]], axis=1)
        np.testing.assert_array_equal(simulated, trained, err_msg=f"seed {seed}")
        compared += 1
        fired += int(trained.any())
    assert compared >= 0.9 * PER_KIND
    assert fired > 0.5 * PER_KIND, "most networks must fire, or nothing is compared"


@pytest.mark.parametrize("seed", range(10))
def test_every_message_of_sigma_delta_layers_is_one_of_the_trained_network(seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    neurons = {"threshold": 0.1}
    net = Network(
        sigma_delta.Input(neurons, in_shape=(6,)),
        sigma_delta.Dense(neurons, 6, 8, weight_scale=6),
        sigma_delta.Dense(neurons, 8, 5, weight_scale=6),
        sigma_delta.Output(neurons, 5, 3),
    ).eval()
    values = np.clip(np.cumsum(rng.integers(-8, 9, (2, N_STEPS, 6)), axis=1), -100, 100) / 32
    with torch.no_grad():
        trained = net(torch.as_tensor(values, dtype=torch.float32)).numpy()

    config = rv.build(net.to_graph(), "loihi2")
    simulated = rv.simulate(config, values).output

    late = config.latency["output"]
    assert np.unique(trained).size > 20
    np.testing.assert_array_equal(simulated[:, late:], trained[:, : N_STEPS - late])
