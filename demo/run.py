"""From recorded speech to every Xylo: train, map, quantise, simulate, deploy, compare.

``nox -s demo`` runs it; ``nox -s demo -- --quick`` trains a third as long.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from network import Recipe, decide, train
from numpy.typing import NDArray
from picture import draw
from rich.console import Console
from rich.table import Table
from speech import Encoder, Utterances, Whitener, find_recordings, read_ts

import ranvier as rv
from ranvier import nn

QUICK_EPOCHS = 30
CALIBRATION_UTTERANCES = 60


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    where: str
    accuracy: float
    agreement: float
    spikes: float
    synaptic_operations: float | None = None
    utilisation: float | None = None
    required_clock: float | None = None


def main() -> int:
    """Run the demo for one or several seeds and print the table of each."""
    options = _options()
    torch.set_num_threads(1)
    console = Console()
    folder = find_recordings()
    training = read_ts(folder / "JapaneseVowels_TRAIN.ts")
    test = read_ts(folder / "JapaneseVowels_TEST.ts")
    console.print(
        f"Japanese Vowels, speakers 1 to 8 (Xylo Audio 2 has eight outputs): "
        f"{len(training)} training and {len(test)} test utterances"
    )
    recipe = replace(Recipe(), epochs=QUICK_EPOCHS) if options.quick else Recipe()
    results = {}
    for seed in range(options.seed, options.seed + options.seeds):
        started = time.perf_counter()
        rows = run(training, test, seed=seed, recipe=recipe, output=options.output)
        results[seed] = [asdict(row) for row in rows]
        console.print(_table(rows, seed=seed, seconds=time.perf_counter() - started))
    (options.output / "results.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    console.print(f"artefacts and figure: {options.output}")
    return 0


def run(
    training: Utterances, test: Utterances, *, seed: int, recipe: Recipe, output: Path
) -> list[Row]:
    """Train with one seed and take the network to every installed Xylo."""
    output.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(Whitener.fit(training))
    network, result = train(training, encoder, seed=seed, recipe=recipe)
    result.history.to_csv(output / f"history-{seed}.csv")
    graph = nn.to_graph(network)
    rv.save(graph, output / f"speech-{seed}.rv")
    rv.write(graph, output / f"speech-{seed}.nir")

    counts = encoder(test)
    with torch.no_grad():
        spikes, record = network(torch.from_numpy(counts).float(), record=True)
    float_out = spikes.numpy().astype(np.int64)
    total = sum(float(layer.spikes.sum()) for layer in record.values())
    rows = [_row("float", float_out, float_out, test, spikes=total / len(test))]
    chips = {}
    calibration = encoder(training)[:: max(1, len(training) // CALIBRATION_UTTERANCES)]
    for target in [name for name in rv.targets() if name.startswith("xylo")]:
        config = rv.quantize(rv.map(graph, target), calibration=calibration)
        rv.save(config, output / f"speech-{seed}.{target}.rv")
        recording = rv.simulate(config, counts, record=["spikes"])
        _check_deployment(config, counts, recording)
        chips[target] = recording
        figures = rv.estimate(config, recording)
        rows.append(
            _row(
                target,
                recording.output,
                float_out,
                test,
                spikes=_spikes(recording) / len(test),
                synaptic_operations=figures["synaptic_operations"]["value"] / len(test),
                utilisation=figures["utilisation_hidden_neurons"]["value"],
                required_clock=figures["required_clock"]["value"],
            )
        )
    example = int(np.argmax([len(f) for f in test.frames]))
    chip = {name: r.output[example] for name, r in chips.items()}
    draw(counts[example], float_out[example], chip, path=output / f"speech-{seed}.png")
    return rows


def _row(
    where: str,
    spikes: NDArray[np.int64],
    reference: NDArray[np.int64],
    test: Utterances,
    /,
    **figures: Any,
) -> Row:
    decisions = decide(spikes)
    return Row(
        where,
        accuracy=float(np.mean(decisions == test.speakers)),
        agreement=float(np.mean(decisions == decide(reference))),
        **figures,
    )


def _spikes(recording: rv.Recording) -> float:
    nodes = {node for node, quantity in recording.signals if quantity == "spikes"}
    return float(sum(recording.raster(node).sum() for node in nodes))


def _check_deployment(
    config: rv.ChipConfig, counts: NDArray[np.int64], simulated: rv.Recording
) -> None:
    """Send some utterances through the driver's loopback device; the answer must be the same."""
    with rv.deploy(config, device="loopback") as chip:
        answer = chip.run(counts[:16])
    if not np.array_equal(answer.output, simulated.output[:16]):
        raise SystemExit(f"demo: {config.target}: loopback device and simulator disagree")


def _table(rows: list[Row], *, seed: int, seconds: float) -> Table:
    table = Table(title=f"seed {seed}, {seconds:.0f} s")
    for heading in ("", "accuracy", "agrees", "spikes", "syn. ops", "neurons", "clock"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for row in rows:
        table.add_row(
            row.where,
            f"{row.accuracy:.2%}",
            f"{row.agreement:.2%}",
            f"{row.spikes:.0f}",
            "" if row.synaptic_operations is None else f"{row.synaptic_operations / 1e3:.0f} k",
            "" if row.utilisation is None else f"{row.utilisation:.0%}",
            "" if row.required_clock is None else f"{row.required_clock / 1e6:.2f} MHz",
        )
    table.caption = "spikes and synaptic operations per utterance; clock for the worst case"
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="train a third as long")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
