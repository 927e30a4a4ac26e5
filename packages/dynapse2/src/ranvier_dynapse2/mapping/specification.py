"""What *map* decided, as a table: one block per core with its parameters and its use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork

from ..network import DpiNetwork
from ..nodes import CURRENTS
from ..translation import FILTERS, PULSES, times_from_currents

TIMES = (*(f"tau_{n}" for n in FILTERS), *PULSES)
"""Times of a core in a specification, in s."""
GAINS = tuple(f"r_gain_{n}" for n in FILTERS)
"""Gain ratios of a core in a specification."""
USE = ("synapses", "synapses_max", "synapses_usable", "tags", "monitored")
"""What a core holds, in a specification."""


def specification_rows(mapped: MappedNetwork) -> list[dict[str, Any]]:
    """Return one row per core in use, ordered by chip and core.

    Parameters
    ----------
    mapped : MappedNetwork
        What *map* returned for this chip.

    Returns
    -------
    list of dict
        ``chip``, ``core``, ``cluster`` (cores of equal parameters have equal numbers), ``nodes``
        (neurons by graph node), ``neurons``; the 19 currents and ``i_scale`` in A; `TIMES` in s and
        `GAINS` as ratios, both with currents no smaller than the dark current, as on the chip;
        ``synapses`` (CAM entries), ``synapses_max`` (most of one neuron), ``synapses_usable`` (of
        the neurons in use), ``tags`` (different tags that reach the core) and ``monitored``
        (neurons that report their spikes).
    """
    network = DpiNetwork.from_parts(dict(mapped.arrays), mapped.settings["network"])
    place = network.chip * 4 + network.core
    entries = np.bincount(network.synapse_target, minlength=network.n_neurons)
    known: dict[bytes, int] = {}
    rows = []
    for number in np.unique(place):
        own = np.flatnonzero(place == number)
        first = int(own[0])
        currents = {n: float(network.currents[n][first]) for n in CURRENTS}
        currents["i_scale"] = float(network.i_scale[first])
        key = np.array(list(currents.values())).tobytes()
        chip, core = divmod(int(number), 4)
        rows.append(
            {
                "chip": chip,
                "core": core,
                "cluster": known.setdefault(key, len(known)),
                "nodes": _nodes(network, own),
                "neurons": int(own.size),
                **currents,
                **_times(network, currents),
                "synapses": int(entries[own].sum()),
                "synapses_max": int(entries[own].max()),
                "synapses_usable": int(network.cam_usable[chip, core, network.slot[own]].sum()),
                "tags": _tags(network, chip, core),
                "monitored": int(network.monitored[own].sum()),
            }
        )
    return rows


def _nodes(network: DpiNetwork, neurons: NDArray[np.int64]) -> dict[str, int]:
    counts = {
        p.name: int(np.sum((neurons >= p.start) & (neurons < p.start + p.size)))
        for p in network.populations
    }
    return {name: count for name, count in counts.items() if count}


def _times(network: DpiNetwork, currents: dict[str, float]) -> dict[str, float]:
    """Return times and gain ratios with every current at least the dark current."""
    kept = {n: max(v, network.layout.i_o) for n, v in currents.items()}
    found = times_from_currents(kept, layout=network.layout)
    return {n: float(found[n]) for n in (*TIMES, *GAINS)}


def _tags(network: DpiNetwork, chip: int, core: int) -> int:
    here = (network.route_chip == chip) & ((network.route_cores >> core) & 1 == 1)
    return int(np.unique(network.route_tag[here]).size)


def specification(mapped: MappedNetwork) -> str:
    """Return the decisions of *map* as text: a line per quantity, a column per core.

    Parameters
    ----------
    mapped : MappedNetwork
        What *map* returned for this chip.

    Examples
    --------
    ``print(specification(ranvier.map(graph, "dynapse2")))`` shows what every core is set to::

        DYNAP-SE2: 2 neurons on 1 core(s) of 1 chip(s), merged_synapse
        core                    0.0
        ...
        i_tau_mem         5.319e-12 A
    """
    rows = specification_rows(mapped)
    document = mapped.settings["network"]
    neurons = sum(row["neurons"] for row in rows)
    heading = (
        f"DYNAP-SE2: {neurons} neurons on {len(rows)} core(s) of {document['chips']} chip(s), "
        f"{document['model']}"
    )
    lines = [("core", [f"{row['chip']}.{row['core']}" for row in rows], "")]
    lines += [(name, [str(row[name]) for row in rows], "") for name in ("cluster", "neurons")]
    for node in dict.fromkeys(n for row in rows for n in row["nodes"]):
        lines.append((f"  {node}", [str(row["nodes"].get(node, 0)) for row in rows], ""))
    for names, unit in (((*CURRENTS, "i_scale"), "A"), (TIMES, "s"), (GAINS, "")):
        lines += [(name, [f"{row[name]:.4g}" for row in rows], unit) for name in names]
    lines += [(name, [str(row[name]) for row in rows], "") for name in USE]
    return "\n".join([heading, *_table(lines)])


def _table(lines: list[tuple[str, list[str], str]]) -> list[str]:
    width = max(len(name) for name, _, _ in lines)
    cell = max(len(value) for _, values, _ in lines for value in values)
    return [
        f"{name:<{width}}  {'  '.join(f'{v:>{cell}}' for v in values)} {unit}".rstrip()
        for name, values, unit in lines
    ]
