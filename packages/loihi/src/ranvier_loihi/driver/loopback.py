"""The simulator behind the driver's interface: ring buffers in, ring buffers back, no hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain, Trace
from ranvier.errors import DeviceError

from ..config import LoihiConfig
from ..simulator import LoihiSession
from .decoding import Decoder, needed_probes, signals_from_rings
from .description import VARIABLES
from .layout import layouts_of
from .options import DeployOptions


class LoopbackSession(LoihiSession):
    """A chip without a chip.

    Everything of the way to Lava that needs no SDK is done: inputs become ring buffers in Lava's
    order (width, height, channel; time last) and come back from there, results too. In between is
    the bit-exact simulator. Other than a chip it holds one state per sample.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    options : DeployOptions
        Profiling and hosts need a board.

    Raises
    ------
    DeviceError
        An option needs a board.
    """

    def __init__(self, config: LoihiConfig, options: DeployOptions) -> None:
        needs_board = {
            "profile=True": options.profile,
            "host": options.host is not None,
            "partition": options.partition is not None,
            "board": options.board is not None,
        }
        asked = [name for name, is_asked in needs_board.items() if is_asked]
        if asked:
            raise DeviceError(
                f"{config.target}: the loopback has no board: leave out {', '.join(asked)}, or "
                "open a board"
            )
        super().__init__(config)
        self._layouts, self._decoder = layouts_of(config), Decoder(config)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        config = self._config
        batch, steps = next(iter(inputs.values())).shape[:2]
        if not batch or not steps:
            return super()._run(inputs, record=record, trial_seed=trial_seed)
        sent = {name: self._through_rings(name, x) for name, x in inputs.items()}
        probes = needed_probes(config, record)
        everything = {
            p.name: (*probes.get(p.name, ()), *self._emitted(p.name)) for p in config.populations
        }
        found = super()._run(sent, record=everything, trial_seed=trial_seed)
        parts = [
            signals_from_rings(self._rings(found, b, everything), self._layouts)
            for b in range(batch)
        ]
        decoded = self._decoder.recording(
            {key: np.stack([part[key] for part in parts]) for key in parts[0]},
            inputs=sent,
            record=record,
        )
        return dataclasses.replace(
            decoded,
            diagnostics=found.diagnostics,
            provenance={**found.provenance, "session": "loopback"},
        )

    def _emitted(self, name: str) -> tuple[str, ...]:
        return tuple(q for q in self.recordable()[name] if q in ("spikes", "value"))

    def _through_rings(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Return an input as it comes back from the ring buffers; values go as they are."""
        if name in self._config.values or not values.size:
            return values
        layout, flat = self._layouts[name], values.reshape(*values.shape[:2], -1)
        back = np.stack([layout.from_ring(layout.to_ring(sample)) for sample in flat])
        return back.reshape(values.shape)

    def _rings(
        self, found: Recording, b: int, wanted: Mapping[str, tuple[str, ...]]
    ) -> dict[str, NDArray[Any]]:
        """Return the signals of one sample as Lava's sinks and probes hold them."""
        rings = {}
        for p in self._config.populations:
            for quantity in wanted[p.name]:
                signal = found[p.name, quantity]
                whole = signal.raster() if isinstance(signal, SpikeTrain) else _values(signal)
                ring = self._layouts[p.name].to_ring(whole[b].reshape(whole.shape[1], -1))
                emits = quantity in ("spikes", "value")
                variable = "" if emits else f"/{VARIABLES[p.model][quantity]}"
                rings[f"{'sink' if emits else 'probe'}/{p.name}{variable}"] = ring
        return rings

    def reset(self) -> None:
        """Return to the state before the first step."""
        super().reset()
        self._decoder.reset()

    def update(self, config: Any) -> None:
        """Replace the configuration; see `LoihiSession.update`."""
        super().update(config)
        self._layouts, self._decoder = layouts_of(self._config), Decoder(self._config)


def _values(signal: Trace) -> NDArray[Any]:
    return signal.values
