"""From our registers to the configuration object of the vendor's SDK."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier.errors import DeviceError

from .boards import Board, board_of
from .vendor import load_sdk, speaking

if TYPE_CHECKING:
    from ..config import XyloConfig

MODES = {"accelerated": "AcceleratedTime", "real-time": "RealTime", "manual": "Manual"}


def vendor_configuration(config: XyloConfig, *, hibernation: bool = False) -> Any:
    """Return the SDK's own configuration object, filled and validated.

    Parameters
    ----------
    config : XyloConfig
        Its target must have a board.
    hibernation : bool
        Value of ``enable_hibernation_mode``.

    Raises
    ------
    DeviceError
        The target has no board, or the SDK rejects the configuration; its message is quoted.
    MissingDependencyError
        The SDK is not installed.
    """
    board, sdk = board_of(config.target), load_sdk()
    with speaking(config.target, "building the vendor's configuration"):
        vendor = build_configuration(sdk, board, config)
        vendor.enable_hibernation_mode = hibernation
    validate(sdk, board, vendor)
    return vendor


def build_configuration(sdk: Any, board: Board, config: XyloConfig) -> Any:
    """Fill a new configuration object with the network, not yet validated.

    References
    ----------
    Field names: SynSense rockpool 3.1.0, the three ``config_from_specification``.
    """
    space = getattr(sdk, board.namespace).configuration
    vendor = space.XyloConfiguration()
    hidden = getattr(vendor, board.hidden)
    vendor.input.weight_bit_shift = config.weight_shift_in
    hidden.weight_bit_shift = config.weight_shift_rec
    vendor.readout.weight_bit_shift = config.weight_shift_out
    hidden.aliasing = config.aliases_enabled
    vendor.bias_enable = config.bias_enabled
    _set_weights(board, config, vendor)
    hidden.neurons = [_hidden_neuron(space, board, config, i) for i in range(config.n_hid)]
    vendor.readout.neurons = [_output_neuron(space, config, o) for o in range(config.n_out)]
    if board.target == "xylo-audio2":
        _switch_on(config, vendor)
    return vendor


def uses_second_synapse(config: XyloConfig) -> bool:
    """Whether any weight reaches a second synapse."""
    return config.n_synapses == 2 and bool(
        np.any(config.weights_in[:, :, 1]) or np.any(config.weights_rec[:, :, 1])
    )


def _set_weights(board: Board, config: XyloConfig, vendor: Any) -> None:
    hidden = getattr(vendor, board.hidden)
    weights_in, weights_out = np.asarray(config.weights_in), np.asarray(config.weights_out)
    if board.target == "xylo-audio2":  # every hidden neuron is in the matrices
        weights_in = np.pad(weights_in, ((0, 0), (0, config.n_hid - config.n_ien), (0, 0)))
        weights_out = np.pad(weights_out, ((config.n_hid - config.n_oen, 0), (0, 0)))
    vendor.input.weights = weights_in[:, :, 0].tolist()
    hidden.weights = config.weights_rec[:, :, 0].tolist()
    vendor.readout.weights = weights_out.tolist()
    if not uses_second_synapse(config):
        return
    if not hasattr(vendor.input, "syn2_weights"):
        raise DeviceError(
            f"{config.target}: the network uses two synapses per neuron, the vendor's "
            "configuration has fields for one; give the synapses of a neuron equal time constants"
        )
    vendor.input.syn2_weights = weights_in[:, :, 1].tolist()
    hidden.syn2_weights = config.weights_rec[:, :, 1].tolist()
    vendor.synapse2_enable = True


def _hidden_neuron(space: Any, board: Board, config: XyloConfig, i: int) -> Any:
    neuron = getattr(space, board.hidden_neuron)()
    neuron.i_syn_decay = int(config.dash_syn[i, 0])
    if config.n_synapses == 2 and hasattr(neuron, "i_syn2_decay"):
        neuron.i_syn2_decay = int(config.dash_syn[i, 1])
    neuron.v_mem_decay = int(config.dash_mem[i])
    neuron.threshold = int(config.threshold[i])
    neuron.v_mem_bias = int(config.bias[i])
    target = int(config.aliases[i])
    neuron.alias_target = target if target >= 0 else None
    return neuron


def _output_neuron(space: Any, config: XyloConfig, o: int) -> Any:
    neuron = space.OutputNeuron()
    neuron.i_syn_decay = int(config.dash_syn_out[o])
    neuron.v_mem_decay = int(config.dash_mem_out[o])
    neuron.threshold = int(config.threshold_out[o])
    neuron.v_mem_bias = int(config.bias_out[o])
    return neuron


def _switch_on(config: XyloConfig, vendor: Any) -> None:
    """Audio 2 gates the clocks of its memories; those of unused features stay off."""
    vendor.debug.isyn_clock_enable = True
    vendor.debug.isyn2_clock_enable = uses_second_synapse(config)
    vendor.debug.ra_clock_enable = True
    vendor.debug.bias_clock_enable = config.bias_enabled
    vendor.debug.hm_clock_enable = True
    vendor.debug.ram_power_enable = True


def set_mode(sdk: Any, board: Board, vendor: Any, mode: str) -> None:
    """Set the operation mode, by our name of it."""
    modes = getattr(sdk, board.namespace).OperationMode
    vendor.operation_mode = getattr(modes, MODES[mode])


def set_monitors(
    sdk: Any, board: Board, vendor: Any, config: XyloConfig, traces: Collection[str]
) -> None:
    """Choose the neurons whose states the chip reports.

    Parameters
    ----------
    traces : collection of str
        Names as in `ranvier_xylo.decoding.ChipSignals`.
    """
    space, n_all = getattr(sdk, board.namespace).configuration, config.n_hid + config.n_out
    starts = {name: monitor_start(config, traces, name) for name in ("i_syn", "v_mem")}
    ranges = {f"monitor_neuron_{name}": (start, n_all) for name, start in starts.items()}
    ranges["monitor_neuron_spike"] = (0, config.n_hid if "spikes" in traces else 0)
    if hasattr(vendor.debug, "monitor_neuron_i_syn2"):
        ranges["monitor_neuron_i_syn2"] = (0, config.n_hid if "i_syn2" in traces else 0)
    for name, (start, stop) in ranges.items():
        chosen = list(range(start, stop)) if board.id_monitors else space.NeuronRange(start, stop)
        setattr(vendor.debug, name, chosen)


def monitor_start(config: XyloConfig, traces: Collection[str], name: str) -> int:
    """Return the first monitored neuron of ``i_syn`` or ``v_mem``; the last is always an output."""
    if name in traces:
        return 0
    return config.n_hid if f"{name}_out" in traces else config.n_hid + config.n_out


def validate(sdk: Any, board: Board, vendor: Any) -> None:
    """Raise `DeviceError` with the SDK's message if it rejects a configuration."""
    with speaking(board.target, "validating the configuration"):
        valid, message = getattr(sdk, board.namespace).validate_configuration(vendor)
    if not valid:
        raise DeviceError(
            f"{board.target}: the vendor's SDK rejects the configuration: {message or 'no reason'}"
        )
