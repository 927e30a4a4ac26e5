"""RAM images against those of xylosim.tools, the vendor's writer: every file, every line."""

import contextlib
import importlib
import io
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_xylo.export import activity_images, ram_images, write_files

pytest.importorskip("xylosim", reason="xylosim is not installed; it is a peer, not a dependency")
pytest.importorskip("yaml", reason="xylosim.tools imports yaml, which is not installed")
tools = pytest.importorskip("xylosim.tools", reason="this xylosim has no RAM image writer")

HERE = Path(__file__).parent
NETWORKS = HERE.parents[1] / "packages" / "xylo" / "tests" / "random_networks.py"
random_network = runpy.run_path(str(NETWORKS))["random_network"]
peer_layer = runpy.run_path(str(HERE / "xylosim_layer.py"))["peer_layer"]
N_NETWORKS = 60


def images(folder):
    """Return the files below a folder: JSON parsed, text as stripped lines."""
    return {
        str(path.relative_to(folder)): json.loads(path.read_text())
        if path.suffix == ".json"
        else [line.strip() for line in path.read_text().splitlines()]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("version", [1, 2])
def test_ram_images_of_generated_networks_equal_those_of_the_vendors_writer(version, tmp_path):
    compared = 0
    for index in range(N_NETWORKS):
        rng = np.random.default_rng([version, index])
        arrays = random_network(rng, version=version)
        counts = (rng.random((6, arrays.n_in)) < 0.4) * rng.integers(1, 18, (6, arrays.n_in))
        if not all(w.any() for w in (arrays.weights_in, arrays.weights_rec, arrays.weights_out)):
            continue  # the vendor's writer fails on empty matrices
        layer, keep_alive = peer_layer(importlib.import_module(f"xylosim.v{version}"), arrays)
        layer.evolve(counts.tolist())
        theirs, ours = tmp_path / f"theirs{index}", tmp_path / f"ours{index}"
        theirs.mkdir()
        with contextlib.redirect_stdout(io.StringIO()):
            writer = getattr(tools, f"save_to_RAM_files_V{version}")
            writer(f"{theirs}/", layer, counts, 1e-3)
        del layer, keep_alive
        write_files(ours, ram_images(arrays, dt=1e-3) | activity_images(arrays, counts))

        found, expected = images(ours), images(theirs)
        # Their count of outputs leaves out the last ones if no synapse reaches them.
        assert found["basic_config.json"].pop("ON") == arrays.n_out
        assert expected["basic_config.json"].pop("ON") <= arrays.n_out
        assert found == expected
        compared += 1

    assert compared > N_NETWORKS // 2
