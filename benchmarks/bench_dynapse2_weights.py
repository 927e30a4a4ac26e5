"""Weight levels against the autoencoder method: ``python benchmarks/bench_dynapse2_weights.py``.

The autoencoder is written here from the description of rockpool 3.1.0 (devices/dynapse,
quantization) with its defaults, and compiled, so that its steps cost little: for n scaled
magnitudes v, codes ``E v`` (4), masks ``floor(sigmoid(D) + 1/2)`` (4, n), loss
``mean((codes masks - v)^2) + 1000 sum(exp(-min(codes, 0)) - 1)``; Adam with step 1e-4, its step
number beginning anew every 1000 steps; after each 1000 steps the mean loss must have fallen by
1e-6, and the sixth time in a row that it has not is the end. The masks' step passes its gradient on
times the sigmoid's output. One seed, one thread, process CPU time. ``--quick`` leaves the two
largest matrices out.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time

import numba
import numpy as np

from ranvier_dynapse2.biases import published_table
from ranvier_dynapse2.weights import (
    assign_masks,
    autoencoder_objective,
    solve_codes,
    solve_levels,
    sums_of_masks,
)

SEED, MANY_STARTS = 0, 1000
CHECKPOINT, EPS, STEP, PATIENCE, PENALTY = 1000, 1e-6, 1e-4, 5, 1000.0
BETA_1, BETA_2, TINY = 0.9, 0.999, 1e-8
BETTER, MUCH_BETTER, FASTER, NEAR_BEST, ROUNDING = 10, 40, 50, 1.2, 1e-28
SLOW = ("60x128 + recurrence", "sparse 64x64")


def matrices():
    """Seeded magnitudes by name; zeros are left out, as they need no synapse."""
    rng = np.random.default_rng(SEED)
    exact = np.array([0.31, 0.77, 1.9, 4.2])
    centres = np.where(rng.random(180) < 0.5, 1.0, 4.0)
    cases = {
        "tutorial-like 60x2 + 2x2": np.concatenate((rng.normal(0, 5, 120), rng.normal(0, 5, 4))),
        "gauss 16x8": rng.normal(0, 2, 128),
        "gauss 32x16 + recurrence": rng.normal(0, 2, 768),
        "uniform 20x4": rng.uniform(0, 5, 80),
        "lognormal 24x8": rng.lognormal(0, 1, 192),
        "sparse 64x64": rng.normal(0, 2, (64, 64))[rng.random((64, 64)) < 0.2],
        "kaiming 60x10": rng.uniform(-1, 1, 600) * np.sqrt(6 / 60),
        "bimodal 30x6": centres + rng.normal(0, 0.1, 180),
        "representable 20x8": sums_of_masks(exact)[rng.integers(1, 16, 160)],
        "60x128 + recurrence": rng.normal(0, 1, 12523),
        "gauss x200, 16x8 + 8x8": rng.normal(0, 200, 192),
    }
    return {name: np.abs(weights) for name, weights in cases.items()}


@numba.njit(cache=True)
def adam(parameter, gradient, first, second, step):
    """One update in place."""
    a, b = 1 - BETA_1 ** (step + 1), 1 - BETA_2 ** (step + 1)
    for i in range(parameter.size):
        first[i] += (1 - BETA_1) * (gradient[i] - first[i])
        second[i] += (1 - BETA_2) * (gradient[i] ** 2 - second[i])
        parameter[i] -= STEP * (first[i] / a) / (np.sqrt(second[i] / b) + TINY)


@numba.njit(cache=True)
def loss_and_gradients(v, encoder, decoder, grad_encoder, grad_decoder, codes):
    """The published loss; parameters and gradients are (n * 4,), the codes (4,)."""
    n = v.size
    codes[:] = 0
    for i in range(n):
        for k in range(4):
            codes[k] += v[i] * encoder[4 * i + k]
    loss, grad_codes = 0.0, np.zeros(4)
    for i in range(n):
        reconstruction = 0.0
        for k in range(4):
            if decoder[4 * i + k] >= 0:
                reconstruction += codes[k]
        error = reconstruction - v[i]
        loss += error * error / n
        for k in range(4):
            gate = 1 / (1 + np.exp(-decoder[4 * i + k]))
            slope = 2 * error / n
            if gate >= 0.5:
                grad_codes[k] += slope
            grad_decoder[4 * i + k] = slope * codes[k] * gate * gate * (1 - gate)
    for k in range(4):
        if codes[k] < 0:
            loss += PENALTY * (np.exp(-codes[k]) - 1)
            grad_codes[k] -= PENALTY * np.exp(-codes[k])
    for i in range(n):
        for k in range(4):
            grad_encoder[4 * i + k] = v[i] * grad_codes[k]
    return loss


@numba.njit(cache=True)
def train(v, encoder, decoder):
    """Run to the published stop; return the codes and the number of steps."""
    size = encoder.size
    grad_encoder, grad_decoder, codes = np.empty(size), np.empty(size), np.empty(4)
    state = np.zeros((4, size))
    best, stalled, steps = np.inf, 0, 0
    while stalled <= PATIENCE:
        mean = 0.0
        for step in range(CHECKPOINT):
            loss = loss_and_gradients(v, encoder, decoder, grad_encoder, grad_decoder, codes)
            mean += loss / CHECKPOINT
            adam(encoder, grad_encoder, state[0], state[1], step)
            adam(decoder, grad_decoder, state[2], state[3], step)
        steps += CHECKPOINT
        if best - mean < EPS:
            stalled += 1
        else:
            best, stalled = mean, 0
    loss_and_gradients(v, encoder, decoder, grad_encoder, grad_decoder, codes)
    return codes, steps


def autoencoder(magnitudes):
    """Quantise with the published method; return bases, masks and steps."""
    rng = np.random.default_rng(SEED)
    n, scale = magnitudes.size, 1 / (np.ptp(magnitudes) + 1)
    encoder = rng.uniform(-1, 1, 4 * n) * np.sqrt(6 / n)
    decoder = rng.uniform(-1, 1, 4 * n) * np.sqrt(6 / 4)
    codes, steps = train(magnitudes * scale, encoder, decoder)
    masks = ((decoder.reshape(n, 4) >= 0) << np.arange(4)).sum(axis=1)
    return codes / scale, masks, steps


def timed(function):
    """Return result and process CPU seconds."""
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def measure(name, magnitudes, *, warm):
    """One row: prints it and returns what it misses."""
    (bases, masks, steps), slow = timed(lambda: autoencoder(magnitudes))
    levels, fast = min(
        (timed(lambda: solve_levels(magnitudes)) for _ in range(3)), key=lambda r: r[1]
    )
    many = solve_levels(magnitudes, starts=MANY_STARTS)
    coded = solve_codes(magnitudes, table=warm, i_scale=4.8e-7 / magnitudes.max())
    theirs = np.mean((sums_of_masks(bases)[masks] - magnitudes) ** 2)
    again = np.mean(
        (sums_of_masks(bases)[assign_masks(magnitudes, np.maximum(bases, 0))] - magnitudes) ** 2
    )
    gain, speed = theirs / max(levels.mse, 1e-300), slow / fast
    best = levels.error / max(many.error, 1e-300)
    ours = autoencoder_objective(magnitudes, bases=levels.bases, masks=levels.masks)
    loss = autoencoder_objective(magnitudes, bases=bases, masks=masks)
    print(
        f"{name:26} {magnitudes.size:6} {theirs:9.3g} {slow:6.2f} {steps:6} {again:9.3g} "
        f"{levels.mse:9.3g} {fast * 1e3:7.1f} {gain:7.3g}x {speed:6.0f}x {best:7.3f} "
        f"{coded.mse:9.3g} {loss:9.2e} {ours:9.2e}"
    )
    wanted = MUCH_BETTER if name.startswith("bimodal") else BETTER
    misses = []
    if gain < wanted:
        misses.append(f"{name}: gain {gain:.3g}, wanted {wanted}")
    if speed < FASTER:
        misses.append(f"{name}: {speed:.3g} times faster, wanted {FASTER}")
    if name.startswith("representable"):
        if levels.mse > ROUNDING * np.mean(magnitudes**2):
            misses.append(f"{name}: mean squared error {levels.mse:.3g}, wanted rounding only")
    elif best > NEAR_BEST:
        misses.append(f"{name}: {best:.3f} of the best error, wanted {NEAR_BEST}")
    return misses


def main():
    """Print the table; exit with what it misses."""
    table = published_table()
    quick = "--quick" in sys.argv[1:]
    solve_levels([1.0, 2.0])
    solve_codes([1.0, 2.0], table=table, i_scale=1e-8)
    train(np.full(4, 0.5), np.full(16, 0.1), np.full(16, 0.1))
    print(
        f"{'matrix':26} {'n':>6} {'theirs':>9} {'s':>6} {'steps':>6} {'reassign.':>9} {'ours':>9} "
        f"{'ms':>7} {'gain':>8} {'speed':>7} {'of best':>7} {'in codes':>9} {'loss':>9} {'ours':>9}"
    )
    misses = []
    for name, magnitudes in matrices().items():
        if not (quick and name in SLOW):
            misses += measure(name, magnitudes, warm=table)
    sys.exit("\n".join(misses) or None)


if __name__ == "__main__":
    main()
