"""From events of a board to the graph's names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, Signal, SpikeTrain
from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError

from ..diagnostics import DOUBLE_EVENTS, OUTPUT_UNHEARD, OUTSIDE_OF_RUN, UNKNOWN_EVENTS
from .events import Packets
from .monitors import Ints, Monitors, neurons_of, places_of, tags_of

if TYPE_CHECKING:
    from ..config import Dynapse2Config
    from .options import DeployOptions

ECHO_TAG = 1024
"""Tag with which the echo of input channel 0 returns: the first above those of neurons."""
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of one run by neuron of the board or input channel.

    Parameters
    ----------
    tick, source : array of int, (n,)
        Ticks since the first step, and the neuron ``(chip * 4 + core) * 256 + slot`` or channel.
    """

    tick: Ints
    source: Ints


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the events of one sample turned out to be.

    Parameters
    ----------
    neurons : Spikes
        Of monitored neurons, within the run.
    inputs : Spikes
        Input spikes that came back.
    unknown : structured array
        Events, fields of `EVENT`, that nothing stands behind.
    doubled, outside : int
        Events dropped because they repeat another, or lie before or after the run.
    """

    neurons: Spikes
    inputs: Spikes
    unknown: Packets
    doubled: int = 0
    outside: int = 0


class Decoder:
    """Sorts the events of a board.

    Parameters
    ----------
    config : Dynapse2Config
        What runs.
    options : DeployOptions
        Rules for hops, repeated events and echoes.

    Raises
    ------
    DeviceError
        Echoes of inputs cannot be told from events of neurons.
    """

    def __init__(self, config: Dynapse2Config, options: DeployOptions) -> None:
        self.config, self.options, self.monitors = config, options, Monitors(config)
        self.echo = np.full(config.limits.tags, -1, dtype=np.int64)
        if options.echo_inputs:
            self._learn_echoes()

    def _learn_echoes(self) -> None:
        """Give every channel the tag under which its spikes come back."""
        n, control = self.config.n_channels, self.options.control_tag
        tags = ECHO_TAG + np.arange(n)
        room = (control if control > ECHO_TAG else self.echo.size) - ECHO_TAG
        if n > room:
            raise DeviceError(
                f"dynapse2: echo_inputs: {n} input channels, there are tags for {room} echoes "
                f"({ECHO_TAG}..{ECHO_TAG + room - 1}); leave echo_inputs out"
            )
        clash = tags[self.monitors.neuron[0, tags] >= 0]
        if clash.size:
            raise DeviceError(
                f"dynapse2: echo_inputs: {clash.size} tag(s), {clash[:_SHOWN].tolist()}, are also "
                "those of monitored neurons of chip 0, so that echoes would look like their "
                "spikes; leave echo_inputs out"
            )
        self.echo[tags] = np.arange(n)

    def decode(self, events: Packets, *, steps: int) -> Decoded:
        """Return what events of a run are.

        Parameters
        ----------
        events : structured array
            Fields of `EVENT`; time in ticks since the first step, control packets left out.
        steps : int
            Length of the run.
        """
        chip = self.monitors.chips_of(events["x"])
        tag = events["tag"]
        valid = (chip >= 0) & (tag >= 0) & (tag < self.echo.size)
        at = (np.where(valid, chip, 0), np.where(valid, tag, 0))
        neuron = np.where(valid & self._expected_y(events["y"], at), self.monitors.neuron[at], -1)
        echo = np.where(valid & (chip == 0) & (neuron < 0), self.echo[at[1]], -1)
        inside = (events["time"] >= 0) & (events["time"] < ticks_of(self.config, steps, self.tick))
        spiked = inside & (neuron >= 0)
        kept = Spikes(events["time"][spiked], neuron[spiked])
        single = self._first_ones(kept)
        echoed = inside & (echo >= 0)
        return Decoded(
            neurons=single,
            inputs=Spikes(events["time"][echoed], echo[echoed]),
            unknown=events[(neuron < 0) & (echo < 0)],
            doubled=kept.tick.size - single.tick.size,
            outside=int(np.sum(~inside & (neuron >= 0))),
        )

    @property
    def tick(self) -> float:
        """Tick of the board's clock, in s."""
        return self.options.dt_fpga

    def _expected_y(self, y: Ints, at: tuple[Ints, Ints]) -> NDArray[np.bool_]:
        rule = self.options.monitor_y
        if rule == "any":
            return np.ones(y.shape, dtype=bool)
        return np.asarray(y == (self.monitors.y[at] if rule == "written" else rule))

    def _first_ones(self, spikes: Spikes) -> Spikes:
        """Drop events that follow their neuron's last too closely."""
        order = np.lexsort((spikes.tick, spikes.source))
        tick, source = spikes.tick[order], spikes.source[order]
        window = self.options.double_window / self.tick
        repeats = np.zeros(tick.size, dtype=bool)
        repeats[1:] = (np.diff(source) == 0) & (np.diff(tick) < window - 1e-9)
        return Spikes(tick[~repeats], source[~repeats])

    def recording(
        self,
        samples: Sequence[Decoded],
        *,
        steps: int,
        record: Mapping[str, tuple[str, ...]],
        on_grid: bool = False,
        diagnostics: tuple[Diagnostic, ...] = (),
        provenance: Mapping[str, Any] | None = None,
    ) -> Recording:
        """Build a recording keyed by the graph's nodes.

        Parameters
        ----------
        samples : sequence of Decoded
            One per sample.
        steps : int
            Length of the run.
        record : mapping of str to tuple of str
            What is wanted besides the outputs.
        on_grid : bool
            Keep the step of a spike instead of its tick.
        diagnostics, provenance
            Added to those of the configuration.
        """
        config = self.config
        nodes = [c.node for c in config.outputs if c.quantity == "spikes"]
        nodes += [node for node, quantities in record.items() if "spikes" in quantities]
        signals: dict[tuple[str, str], Signal] = {}
        for node in dict.fromkeys(nodes):
            parts = [s.neurons for s in samples]
            signals[node, "spikes"] = self._train(
                parts, neurons_of(config, node), config.node_shapes[node], steps, on_grid
            )
        if self.options.echo_inputs:
            signals |= self._echoes(samples, steps, on_grid)
        return Recording(
            signals=signals,
            dt=config.dt,
            outputs={c.output: (c.node, c.quantity) for c in config.outputs},
            latency=dict(config.latency),
            labels=labels_of(config),
            diagnostics=(
                *config.diagnostics,
                *self._unheard(),
                *self.findings(samples),
                *diagnostics,
            ),
            provenance={
                "target": config.target,
                "config": config.content_hash,
                **dict(provenance or {}),
            },
        )

    def _echoes(
        self, samples: Sequence[Decoded], steps: int, on_grid: bool
    ) -> dict[tuple[str, str], Signal]:
        found: dict[tuple[str, str], Signal] = {}
        start = 0
        for name, shape in self.config.input_shapes.items():
            channels = np.arange(start, start + math.prod(shape))
            parts = [s.inputs for s in samples]
            found[name, "spikes"] = self._train(parts, channels, shape, steps, on_grid)
            start += channels.size
        return found

    def _train(
        self,
        parts: Sequence[Spikes],
        sources: Ints,
        shape: tuple[int, ...],
        steps: int,
        on_grid: bool,
    ) -> SpikeTrain:
        """Return the spikes of some sources, which become indices in their order."""
        size = max([int(sources.max(initial=-1)), *(int(p.source.max(initial=-1)) for p in parts)])
        index_of = np.full(size + 1, -1, dtype=np.int64)
        index_of[sources] = np.arange(sources.size)
        sample = np.repeat(np.arange(len(parts)), [p.tick.size for p in parts])
        tick = np.concatenate([p.tick for p in parts]) if parts else np.zeros(0, np.int64)
        source = np.concatenate([p.source for p in parts]) if parts else np.zeros(0, np.int64)
        index, when = index_of[source], self._step_of(tick) if on_grid else tick
        n_ticks = steps if on_grid else ticks_of(self.config, steps, self.tick)
        mine = index >= 0
        space = (max(len(parts), 1), max(n_ticks, 1), max(sources.size, 1))
        keys = np.ravel_multi_index((sample[mine], when[mine], index[mine]), space)
        unique, count = np.unique(keys, return_counts=True)
        rows = [part.astype(np.int64) for part in np.unravel_index(unique, space)]
        return SpikeTrain(
            sample=rows[0],
            tick=rows[1],
            index=rows[2],
            count=count.astype(np.int64),
            n_samples=len(parts),
            n_ticks=n_ticks,
            shape=tuple(shape),
            tick_duration=self.config.dt if on_grid else self.tick,
        )

    def _step_of(self, tick: Ints) -> Ints:
        return np.floor(tick / (self.config.dt / self.tick) + 1e-9).astype(np.int64)

    def findings(self, samples: Sequence[Decoded]) -> list[Diagnostic]:
        """Return what was odd about the events of a run, with number."""
        found = []
        counts = {
            DOUBLE_EVENTS: (
                sum(s.doubled for s in samples),
                f"event(s) repeat another within {self.options.double_window:g} s and were dropped",
            ),
            OUTSIDE_OF_RUN: (sum(s.outside for s in samples), "spike(s) outside of the run"),
            UNKNOWN_EVENTS: (
                sum(s.unknown.size for s in samples),
                f"event(s) {self._odd(samples)}",
            ),
        }
        for code, (count, text) in counts.items():
            if count:
                found.append(code.at(None, f"{count} {text}", value=count, limit=0))
        return found

    @staticmethod
    def _odd(samples: Sequence[Decoded]) -> str:
        unknown = [e for s in samples for e in s.unknown[:_SHOWN]][:_SHOWN]
        shown = [f"tag {e['tag']} hops ({e['x']}, {e['y']})" for e in unknown]
        return "match nothing: " + ", ".join(shown)

    def _unheard(self) -> list[Diagnostic]:
        found = []
        for c in self.config.outputs:
            if c.quantity != "spikes":
                continue
            seen = self.monitors.is_monitored(self.config, c.node)
            if not seen.all():
                silent = int(np.sum(~seen))
                text = f"{silent} of {seen.size} neurons of output {c.output!r} report no spikes"
                found.append(OUTPUT_UNHEARD.at(c.node, text, value=silent, limit=0))
        return found


def ticks_of(config: Dynapse2Config, steps: int, tick: float) -> int:
    """Return the whole ticks of a run."""
    return int(np.floor(steps * config.dt / tick + 1e-6))


def labels_of(config: Dynapse2Config) -> dict[str, list[str]]:
    """Return the names of channels: the tags of an input, the place and tag of an output neuron."""
    labels: dict[str, list[str]] = {}
    start = 0
    for name, shape in config.input_shapes.items():
        tags: list[list[int]] = [[] for _ in range(math.prod(shape))]
        own = (config.input_channel >= start) & (config.input_channel < start + len(tags))
        for channel, tag in zip(
            config.input_channel[own].tolist(), config.input_tag[own].tolist(), strict=True
        ):
            if tag not in tags[channel - start]:
                tags[channel - start].append(tag)
        labels[name] = ["tag " + "+".join(map(str, t)) if t else "no tag" for t in tags]
        start += len(tags)
    for c in config.outputs:
        if c.node not in config.node_shapes:
            continue
        chip, core, slot = places_of(config, c.node)
        names = [f"tag {tag}" if tag >= 0 else "not monitored" for tag in tags_of(config, c.node)]
        rows = zip(chip, core, slot, names, strict=True)
        labels[c.output] = [f"chip {h} core {k} neuron {n} ({tag})" for h, k, n, tag in rows]
    return labels
