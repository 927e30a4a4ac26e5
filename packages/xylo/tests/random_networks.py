"""Networks of the Xylo core drawn at random, made to hit its corners often.

Shared by the unit tests and the comparison with xylosim.
"""

import numpy as np

from ranvier_xylo.kernels import CoreArrays


def random_network(rng, *, version, n_hidden=(3, 30), n_in=(1, 8), n_out=(1, 10)):
    """Draw a network: two synapses, partial expansion, aliases, rails, small thresholds."""
    n, channels, o = (int(rng.integers(low, high + 1)) for low, high in (n_hidden, n_in, n_out))
    n_ien, n_oen = (n, n) if rng.random() < 0.5 else rng.integers(0, n + 1, 2)
    biased = version == 2 and rng.random() < 0.6
    return CoreArrays(
        weights_in=_weights(rng, (channels, n_ien, rng.integers(1, 3))),
        weights_rec=_weights(rng, (n, n, rng.integers(1, 3))),
        weights_out=_weights(rng, (n_oen, o)),
        threshold=_thresholds(rng, n),
        threshold_out=_thresholds(rng, o),
        dash_mem=_dashes(rng, n),
        dash_mem_out=_dashes(rng, o),
        dash_syn=_dashes(rng, (n, 2)),
        dash_syn_out=_dashes(rng, o),
        bias=rng.integers(-128, 128, n) * biased,
        bias_out=rng.integers(-128, 128, o) * biased,
        aliases=np.where(rng.random(n) < rng.choice([0, 0.4]), rng.integers(0, n, n), -1),
        weight_shift_in=int(rng.integers(0, 8)),
        weight_shift_rec=int(rng.integers(0, 8)),
        weight_shift_out=int(rng.integers(0, 8)),
        version=version,
    )


def random_counts(rng, *, steps, n_in):
    """Draw input counts, some above 15, quiet or busy."""
    busy = rng.choice([0.05, 0.3, 0.9])
    return (rng.random((steps, n_in)) < busy) * rng.integers(
        1, rng.choice([2, 20, 256]), (steps, n_in)
    )


def _weights(rng, shape):
    """Weights of one class: small or full range, dense or sparse, some of one sign."""
    amplitude, density = rng.choice([4, 127]), rng.choice([0.05, 0.5, 1.0])
    weights = np.clip(rng.integers(-amplitude - 1, amplitude + 1, shape), -128, 127)
    weights = rng.choice([weights, np.abs(weights), -np.abs(weights)], p=[0.6, 0.2, 0.2])
    return np.clip(weights, -128, 127) * (rng.random(shape) < density)


def _thresholds(rng, size):
    low = 0 if rng.random() < 0.1 else 1
    if rng.random() < 0.2:
        return np.full(size, 32767)
    return rng.integers(low, rng.choice([8, 500, 32767]) + 1, size)


def _dashes(rng, size):
    return rng.integers(0, rng.choice([5, 16]), size)
