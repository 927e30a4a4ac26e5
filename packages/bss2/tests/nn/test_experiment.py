import copy

import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn


def test_an_experiment_is_numeric_unless_it_says_otherwise():
    assert nn.Experiment().backend == "numeric"
    assert nn.Experiment(mock=True).backend == "numeric"
    assert nn.Experiment(mock=False).backend == "hardware"
    assert nn.Experiment("emulator").mock is False


def test_two_ways_to_name_the_backend_must_agree():
    with pytest.raises(InputError, match="leave mock out"):
        nn.Experiment(backend="emulator", mock=True)


def test_modules_have_names_of_their_own():
    experiment = nn.Experiment()

    names = [nn.LIF(1, experiment).name, nn.LI(1, experiment).name, nn.LIF(1, experiment).name]

    assert names == ["lif", "li", "lif_1"]


def test_the_default_instance_is_made_once():
    experiment = nn.Experiment()
    other = nn.ExecutionInstance()

    assert nn.LIF(1, experiment).execution_instance is experiment.default_execution_instance
    assert nn.LIF(1, experiment, execution_instance=other).execution_instance is other


def test_clearing_forgets_calls():
    experiment = nn.Experiment()
    nn.LI(1, experiment)(nn.Synapse(2, 1, experiment)(torch.ones(1, 3, 2)))
    experiment.clear()

    with pytest.raises(InputError, match="no neurons were called"):
        nn.run(experiment)


def test_counts_are_graded_in_the_model():
    peaks = []
    for count in (1.0, 2.0):
        experiment = nn.Experiment()
        x = torch.zeros(1, 20, 1)
        x[0, 2] = count
        synapse = nn.Synapse(1, 1, experiment)
        synapse.weight.data.fill_(1.0)
        y = nn.LI(1, experiment, leak=0.0)(synapse(x))
        nn.run(experiment)
        peaks.append(float(y.membrane_cadc.detach().max()))

    assert peaks[1] == pytest.approx(2 * peaks[0])


def test_a_network_can_be_copied_with_its_experiment():
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.experiment = nn.Experiment()
            self.synapse = nn.Synapse(2, 1, self.experiment)
            self.li = nn.LI(1, self.experiment)

        def forward(self, x):
            y = self.li(self.synapse(x))
            nn.run(self.experiment)
            return y.membrane_cadc

    network = Network()
    x = torch.ones(1, 10, 2)
    before = network(x).detach()

    twin = copy.deepcopy(network)
    twin.synapse.weight.data.zero_()

    assert float(twin(x).detach().std()) == 0.0
    torch.testing.assert_close(network(x).detach(), before)


def test_weights_and_parameters_are_part_of_the_saved_state():
    experiment = nn.Experiment()
    lif = nn.LIF(3, experiment, leak=nn.MixedHXModelParameter(0.0, 80.0))

    state = lif.state_dict()
    other = nn.LIF(3, nn.Experiment(), leak=nn.MixedHXModelParameter(0.5, 90.0))
    other.load_state_dict(state)

    leak = other.parameter("leak")
    assert (float(leak.model_value), float(leak.hardware_value)) == (0.0, 80.0)
