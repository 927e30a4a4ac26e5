"""Checks of a configuration: references, shapes, ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..targets import Limits
from .population import Population, is_whole
from .synapse import ConvSynapse, DenseSynapse, SparseSynapse

if TYPE_CHECKING:
    from .configuration import LoihiConfig

_WHOLE = (
    "decay_u",
    "decay_v",
    "threshold",
    "threshold_low",
    "bias_mant",
    "bias_exp",
    "refractory",
    "v_initial",
    "sin_decay",
    "cos_decay",
)
_DELTA = ("delta", "sigma_delta", "sigma")
_REAL = ("drive_weight", "drive_offset", "u_lsb", "v_lsb")
STATE_THRESHOLD_MAX = (1 << 23) - 1
"""Largest threshold in state units: the models other than "lif" compare without a shift."""

DELTA_BIAS_EXP_MAX = 18
"""Largest exponent of a sigma-delta neuron's bias, which Lava holds in state units."""


def network_problems(config: LoihiConfig, limits: Limits) -> list[str]:
    """Return every problem of a configuration as a sentence."""
    names = [p.name for p in config.populations]
    problems = [f"population {n!r} appears twice" for n in set(names) if names.count(n) > 1]
    problems += [
        f"{n!r} is both an input and a population" for n in names if n in config.input_shapes
    ]
    for population in config.populations:
        problems += list(_population_problems(population, config, limits))
    for synapse in config.synapses:
        problems += list(_synapse_problems(synapse, config, limits))
    for tap in config.taps:
        problems += list(_tap_problems(tap, config))
    known = {*names, *(t.name for t in config.taps)}
    problems += [
        f"output {c.output!r} shows {c.node!r}, which is neither a population nor a tap"
        for c in config.outputs
        if c.node not in known
    ]
    if config.values and set(config.values) != set(config.input_shapes):
        problems.append(
            f"inputs {sorted(config.values)} take values and the others spikes; all must be alike"
        )
    if config.chips < 1:
        problems.append(f"chips is {config.chips}, must be >= 1")
    problems += list(_placement_problems(config))
    return problems


def _population_problems(p: Population, config: LoihiConfig, limits: Limits) -> Iterator[str]:
    where = f"population {p.name!r}"
    if not p.shape or min(p.shape) < 1:
        yield f"{where}: shape {p.shape} must have sizes >= 1"
        return
    good = True
    for name in (*_WHOLE, *_REAL):
        values = np.asarray(getattr(p, name))
        if values.shape not in ((1,), (p.size,)):
            yield f"{where}: {name} has shape {values.shape}, expected (1,) or ({p.size},)"
            good = False
        elif name in _WHOLE and not is_whole(values):
            yield f"{where}: {name} is {values.dtype}, expected integers"
            good = False
        elif name in _REAL and not np.all(np.isfinite(values)):
            yield f"{where}: {name} has values that are not finite"
    if not good:
        return
    decays = (0, limits.decay_max)
    top = limits.threshold_max if p.model in ("lif", "ternary") else STATE_THRESHOLD_MAX
    low = -limits.threshold_max if p.model == "ternary" else 0
    state = (1 << (limits.state_bits - 1)) - 1
    ranges: dict[str, tuple[int, int]] = {
        "decay_u": decays,
        "decay_v": decays,
        "threshold": (0, top),
        "threshold_low": (low, 0),
        "bias_mant": (limits.bias_mant_min, limits.bias_mant_max),
        "bias_exp": (0, DELTA_BIAS_EXP_MAX if p.model in _DELTA else limits.bias_exp_max),
        "refractory": (1, limits.refractory_max),
        "v_initial": (-state, state),
        "sin_decay": (-4096, 4096),
        "cos_decay": (-4096, 4096),
    }
    for name, (least, most) in ranges.items():
        yield from _outside(f"{where}: {name}", getattr(p, name), least, most)
    if p.drive is not None and p.drive not in config.input_shapes:
        yield f"{where}: is driven by {p.drive!r}, which is no input"
    elif p.drive is not None and config.size_of(p.drive) != p.size:
        yield f"{where}: {p.size} neurons are driven by {config.size_of(p.drive)} channels"
    if p.reset_interval and p.model not in ("lif", "ternary"):
        yield f"{where}: model {p.model!r} has no periodic reset"


def _outside(where: str, values: Any, least: int, most: int) -> Iterator[str]:
    array = np.asarray(values)
    if array.size and (int(array.min()) < least or int(array.max()) > most):
        yield f"{where} is {int(array.min())}..{int(array.max())}, allowed are {least}..{most}"


def _synapse_problems(s: Any, config: LoihiConfig, limits: Limits) -> Iterator[str]:
    where = f"synapse {s.source!r} -> {s.target!r}"
    known = {p.name for p in config.populations}
    if s.source not in known and s.source not in config.input_shapes:
        yield f"{where}: the source is neither an input nor a population"
        return
    if s.target not in known:
        yield f"{where}: the target is no population"
        return
    model = config.population_of[s.target].model
    if (s.port == "in") == (model in ("rf", "rf_iz")):
        yield f"{where}: model {model!r} has no port {s.port!r}"
    if not limits.weight_exp_min <= s.weight_exp <= limits.weight_exp_max:
        yield (
            f"{where}: weight_exp {s.weight_exp} must be in "
            f"{limits.weight_exp_min}..{limits.weight_exp_max}"
        )
    n_source, n_target = config.size_of(s.source), config.size_of(s.target)
    shapes = list(_shape_problems(s, where, n_source, n_target))
    yield from shapes
    if shapes:
        return
    if not is_whole(s.weights):
        yield f"{where}: weights are {np.asarray(s.weights).dtype}, expected integers"
        return
    yield from _weight_problems(s, where)
    slowest = int(np.max(s.axon_delay, initial=0))
    if getattr(s, "delays", None) is not None:
        slowest += int(np.max(s.delays, initial=0))
    if int(np.min(s.axon_delay, initial=0)) < 0 or slowest > limits.delay_max:
        yield f"{where}: delays up to {slowest} steps, allowed are 0..{limits.delay_max}"


def _shape_problems(s: Any, where: str, n_source: int, n_target: int) -> Iterator[str]:
    if s.axon_delay.shape not in ((1,), (n_source,)):
        yield f"{where}: axon_delay has shape {s.axon_delay.shape}, expected ({n_source},)"
    delays = getattr(s, "delays", None)
    if delays is not None and delays.shape != s.weights.shape:
        yield f"{where}: delays have shape {delays.shape}, the weights {s.weights.shape}"
    if isinstance(s, DenseSynapse) and s.weights.shape != (n_target, n_source):
        yield f"{where}: weights have shape {s.weights.shape}, expected ({n_target}, {n_source})"
    if isinstance(s, ConvSynapse):
        yield from _conv_problems(s, where, n_source, n_target)
    if isinstance(s, SparseSynapse):
        yield from _sparse_problems(s, where, n_source, n_target)


def _conv_problems(s: ConvSynapse, where: str, n_source: int, n_target: int) -> Iterator[str]:
    if s.weights.ndim != 4 or s.weights.shape[1] * s.groups != s.input_shape[0]:
        yield f"{where}: kernels {s.weights.shape} do not fit {s.input_shape}, groups {s.groups}"
        return
    if int(np.prod(s.input_shape)) != n_source or int(np.prod(s.output_shape)) != n_target:
        yield (
            f"{where}: the convolution maps {s.input_shape} to {s.output_shape}, the ends have "
            f"{n_source} and {n_target}"
        )
    if s.weight_exp:
        yield f"{where}: weight_exp is {s.weight_exp}; a convolution has none"


def _sparse_problems(s: SparseSynapse, where: str, n_source: int, n_target: int) -> Iterator[str]:
    blocks = -(-n_target // s.block)
    if s.pointers.shape != (blocks, n_source + 1):
        yield f"{where}: pointers have shape {s.pointers.shape}, expected {(blocks, n_source + 1)}"
        return
    if s.targets.shape != s.weights.shape or s.targets.ndim != 1:
        yield f"{where}: targets {s.targets.shape} and weights {s.weights.shape} differ"
        return
    flat = s.pointers
    ends = flat[:, -1]
    starts = flat[:, 0]
    chained = (
        starts[0] == 0 and ends[-1] == s.targets.size and np.array_equal(starts[1:], ends[:-1])
    )
    if not chained or any(bool(np.any(row[1:] < row[:-1])) for row in flat):
        yield f"{where}: pointers do not run from 0 to {s.targets.size}"
        return
    for b in range(blocks):
        inside = s.targets[int(starts[b]) : int(ends[b])]
        width = min(s.block, n_target - b * s.block)
        if inside.size and int(inside.max()) >= width:
            yield f"{where}: block {b} has target {int(inside.max())}, it holds {width}"


def _weight_problems(s: Any, where: str) -> Iterator[str]:
    least, most, step = weight_grid(s.sign_mode, s.num_weight_bits)
    weights: NDArray[Any] = s.weights
    if not weights.size:
        return
    yield from _outside(f"{where}: weights ({s.sign_mode})", weights, least, most)
    if step > 1 and _has_remainder(weights.reshape(-1), step):
        yield (
            f"{where}: weights are not multiples of {step}, as {s.num_weight_bits} bits in mode "
            f"{s.sign_mode!r} need"
        )


def _has_remainder(flat: NDArray[Any], step: int, chunk: int = 1 << 24) -> bool:
    """Look for a weight off the grid piece by piece: there may be a thousand million."""
    return any(
        bool(np.any(flat[start : start + chunk] & (step - 1)))
        for start in range(0, flat.size, chunk)
    )


def weight_grid(sign_mode: str, num_weight_bits: int) -> tuple[int, int, int]:
    """Return the smallest and largest weight and the step between weights of a format."""
    mixed = sign_mode == "mixed"
    step = 1 << (8 - num_weight_bits + mixed)
    if mixed:
        return -256, 256 - step, step
    top = (255 >> (8 - num_weight_bits)) << (8 - num_weight_bits)
    return (0, top, step) if sign_mode == "excitatory" else (-top, 0, step)


def _tap_problems(tap: Any, config: LoihiConfig) -> Iterator[str]:
    known = {p.name for p in config.populations}
    if tap.source not in known and tap.source not in config.input_shapes:
        yield f"tap {tap.name!r}: {tap.source!r} is neither an input nor a population"
        return
    size = config.size_of(tap.source)
    if tap.delay.shape not in ((1,), (size,)) or not is_whole(tap.delay) or tap.delay.min() < 0:
        yield f"tap {tap.name!r}: delay must be integers >= 0 of shape (1,) or ({size},)"


def _placement_problems(config: LoihiConfig) -> Iterator[str]:
    place = config.placement
    sizes: dict[str, int] = {p.name: p.size for p in config.populations}
    for number, name in enumerate(place.node):
        if name not in sizes:
            yield f"placement: {name!r} is no population"
            continue
        index = place.index[place.node_id == number]
        if index.size != sizes[name] or np.unique(index).size != index.size:
            yield f"placement: {name!r} has {index.size} places for {sizes[name]} neurons"
    missing: Sequence[str] = [n for n in sizes if n not in place.node]
    if missing:
        yield f"placement: {missing} have no place"
    if len(place) and (place.chip.min() < 0 or place.chip.max() >= config.chips):
        yield f"placement: chips {place.chip.min()}..{place.chip.max()}, there are {config.chips}"
    if len(place) and (place.core.min() < 0 or place.core.max() >= config.limits.cores_per_chip):
        yield (
            f"placement: cores {place.core.min()}..{place.core.max()}, a chip has "
            f"{config.limits.cores_per_chip}"
        )
