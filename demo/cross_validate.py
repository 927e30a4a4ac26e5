"""How the recipe of the demo was chosen: four folds of the training set, the test set untouched.

``python demo/cross_validate.py --noise 0.25 0.3 --weight-decay 0.1 0.3`` prints the mean accuracy
of every combination.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields, replace
from itertools import product

import numpy as np
import torch
from network import Recipe, decide, train
from speech import Encoder, Utterances, Whitener, find_recordings, read_ts

FOLDS = 4


def main() -> None:
    """Print the accuracy of every combination of the options given."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Recipe):
        kind = type(field.default)
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=kind, nargs="+", default=[field.default])
    options = vars(parser.parse_args())
    torch.set_num_threads(1)
    utterances = read_ts(find_recordings() / "JapaneseVowels_TRAIN.ts")
    for values in product(*options.values()):
        recipe = replace(Recipe(), **dict(zip(options, values, strict=True)))
        scores = [fold_accuracy(utterances, recipe, fold) for fold in range(FOLDS)]
        print(f"{np.mean(scores):.2%}", np.round(scores, 4), asdict(recipe), flush=True)


def fold_accuracy(utterances: Utterances, recipe: Recipe, fold: int) -> float:
    """Train on the other folds and return the accuracy on this one."""
    index = np.arange(len(utterances))
    held_out = index % FOLDS == fold  # utterances are ordered by speaker: every fold has all
    training = utterances.take(index[~held_out])
    validation = utterances.take(index[held_out])
    encoder = Encoder(Whitener.fit(training))
    network, _ = train(training, encoder, seed=fold, recipe=recipe)
    with torch.no_grad():
        spikes = network(torch.from_numpy(encoder(validation)).float()).numpy().astype(np.int64)
    return float(np.mean(decide(spikes) == validation.speakers))


if __name__ == "__main__":
    main()
