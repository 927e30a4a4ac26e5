import numpy as np

from ranvier_dynapse2.quantization import QuantizeOptions
from ranvier_dynapse2.quantization._network import _task
from ranvier_dynapse2.quantization._refinement import Drive, refined_masks
from ranvier_dynapse2.quantization._weights import weights_of


def test_spikes_of_neurons_arrive_a_step_after_those_of_inputs(map_by_hand):
    mapped = map_by_hand(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[0.0, 3.0], [0.0, 0.0]]))
    task = _task(mapped, QuantizeOptions())
    counts = np.zeros((2, 3, 2), dtype=int)
    counts[0, 0] = [1, 2]
    counts[1, 2, 0] = 4
    spikes = np.zeros((2, 3, 2), dtype=int)
    spikes[0, 1, 0] = 5
    spikes[0, 2, 0] = 7

    raster = Drive.of(counts, spikes, task).raster

    shared, own = task.network.group[0], task.network.group[2]
    assert raster[:, shared].tolist() == [3, 0, 0, 0, 0, 4]
    assert raster[:, own].tolist() == [0, 0, 5, 0, 0, 0]


def test_refined_masks_bring_the_rectified_drive_closer(map_by_hand):
    rng = np.random.default_rng(3)
    mapped = map_by_hand(rng.normal(0, 4, (40, 2)))
    task = _task(mapped, QuantizeOptions())
    made = weights_of(0, task)
    counts = rng.poisson(0.1, (1, 400, 40))
    drive = Drive.of(counts, np.zeros((1, 400, 2), dtype=int), task)

    masks = refined_masks(made, drive, penalty=0.0, task=task)

    network = task.network
    sign = np.where(network.synapse_port == 1, -1.0, 1.0)
    bits = (np.stack([made.masks, masks])[..., None] >> np.arange(4)) & 1
    weights = [network.synapse_weight, *(bits @ made.bases / made.i_scale)]
    drives = np.zeros((3, 400, 2))
    for k, values in enumerate(weights):
        for s in range(values.size):
            arriving = drive.raster[:, network.synapse_group[s]]
            drives[k, :, network.synapse_target[s]] += sign[s] * values[s] * arriving
    wanted, before, after = np.maximum(drives, 0)
    assert np.sum((after - wanted) ** 2) < 0.9 * np.sum((before - wanted) ** 2)
