# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Real speech, from recording to chip
#
# Which of eight speakers said it? The recordings are the *Japanese Vowels* (12 channels of LPC
# cepstrum, 7 to 29 frames; Kudo, Toyama and Shimbo, 1999). A network is trained on 240 utterances,
# mapped and quantised for every installed Xylo, run on their simulators and on the loopback device,
# and judged on 341 utterances that it has never seen.
#
# The program is `demo/run.py`; `nox -s demo` runs it in full. Here it trains a third as long. The
# ninth speaker is left out, because Xylo Audio 2 has eight outputs.

# %%
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import ranvier as rv

here = Path(globals().get("__file__", "notebook")).resolve()
root = next(folder for folder in here.parents if (folder / "demo" / "run.py").is_file())
output = Path(tempfile.mkdtemp())
command = [sys.executable, str(root / "demo" / "run.py"), "--quick", "--output", str(output)]
wide = {**os.environ, "COLUMNS": "110"}
done = subprocess.run(command, capture_output=True, text=True, check=False, env=wide)
if done.returncode:
    raise RuntimeError(done.stderr)
print(done.stdout)

# %% [markdown]
# ## What happens
#
# 1. The frames are whitened with statistics of the training set: eight principal components. Their
#    positive and negative parts go to 16 channels, as counts spread over eight steps per frame.
# 2. A network with synapses of 2, 4 and 8 steps, 60-60-8 neurons, is trained with bit-shift decays
#    and the chip's hops, with noise on the raw frames as augmentation. The decision is the output
#    neuron that fires most: the same read-out as on the chip.
# 3. `rv.map` and `rv.quantize` with training utterances as calibration, for each Xylo.
# 4. `rv.simulate` on all test utterances at once, and `rv.deploy` to the loopback.
#
# One utterance, from input spikes to the output of the float network and of the chips:

# %%
picture = plt.imread(next(output.glob("*.png")))
height, width = picture.shape[:2]
figure = plt.figure(figsize=(10, 10 * height / width), dpi=120)
ax = figure.add_axes((0, 0, 1, 1))
ax.imshow(picture)
ax.set_axis_off()

# %% [markdown]
# ## What is left behind
#
# Every artefact is a file: the network (`.rv` and `.nir`), a configuration for each chip, the
# learning curve, and the figures of the table as JSON.

# %%
print(*sorted(path.name for path in output.iterdir()), sep="\n")
print()
print(rv.load(output / "speech-0.xylo-audio3.rv"))

# %%
rows = {row["where"]: row for row in json.loads((output / "results.json").read_text())["0"]}
chips = [row for where, row in rows.items() if where.startswith("xylo")]
assert rows["float"]["accuracy"] > 0.9
assert chips
assert all(row["agreement"] > 0.95 for row in chips)
