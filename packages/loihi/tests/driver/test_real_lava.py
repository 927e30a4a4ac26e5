"""The vendor's own Lava gives the simulator's signals; needs a configured interpreter."""

import os

import numpy as np
import pytest

from ranvier_loihi import LoihiSession
from ranvier_loihi.driver import DeployOptions, open_device

PYTHON = os.environ.get("RANVIER_LAVA_PYTHON")  # read before the fixtures clear it


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="RANVIER_LAVA_PYTHON names no interpreter with Lava")
@pytest.mark.parametrize("name", ["dense", "sparse", "conv", "ternary", "rf", "rf_iz", "delta"])
def test_lava_itself_gives_the_signals_of_the_simulator(name, networks, rng):
    config = networks[name](rng)
    (shape,) = config.input_shapes.values()
    batch = rng.integers(0, 2, (1, 12, *shape))

    with open_device(config, "lava-worker", DeployOptions(python=PYTHON, timeout=120)) as session:
        found = session.run(batch, record=True)

    expected = LoihiSession(config).run(batch, record=True)
    for key in expected.signals:
        np.testing.assert_array_equal(found.raw(*key), expected.raw(*key), str(key))
