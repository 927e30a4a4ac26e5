"""The stack is imported late, found by old and new names, and its errors become ours."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ranvier.errors import DeviceError, InputError
from ranvier_bss2.driver.hxtorch.stack import accepted
from ranvier_bss2.driver.vendor import find_name, load, speaking, stack_problem


def test_importing_the_driver_imports_no_stack_and_no_torch():
    code = (
        "import sys, ranvier_bss2.driver, ranvier_bss2.driver.session\n"
        "bad = {'torch', 'hxtorch', 'pynn_brainscales'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_looking_for_a_stack_does_not_import_it(tmp_path, monkeypatch):
    (tmp_path / "hxtorch.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()

    assert stack_problem("hxtorch") == ""
    with pytest.raises(DeviceError, match=r"cannot be imported \(imported\); check that container"):
        load("hxtorch", path="hxtorch")


def test_names_are_tried_from_new_to_old():
    space = SimpleNamespace(__name__="snn", Neuron=1, parameter=SimpleNamespace(Mixed=2))

    assert find_name(space, "LIF", "Neuron") == 1
    assert find_name(space, "Mixed", "parameter.Mixed") == 2
    with pytest.raises(DeviceError, match="snn has none of the names LI, ReadoutNeuron; this rel"):
        find_name(space, "LI", "ReadoutNeuron")


def test_keywords_that_a_release_lacks_may_only_have_their_default():
    def make(size):
        return size

    assert accepted(make, {"size": 3}, {"dram": (False, False)}) == 3
    with pytest.raises(
        DeviceError, match=r"make has no dram, which .* needs \(True\); use a newer"
    ):
        accepted(make, {"size": 3}, {"dram": (True, False)})


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (RuntimeError("No connection present."), "SLURM_FPGA_IPS or the QUIGGELDY"),
        (RuntimeError("PADI-bus(ses) with required number of synapse rows larger"), "distribute"),
        (ValueError("Cannot register ID 7"), "placement='stack'"),
        (ValueError("Requested runtime invalid."), "whole steps"),
        (type("UnsuccessfulRouting", (Exception,), {})(), "found no routes"),
        (OSError("disk full"), "then open it again"),
    ],
)
def test_errors_of_the_stack_become_device_errors_with_advice(error, advice):
    with pytest.raises(DeviceError, match=advice) as caught, speaking("hxtorch", "running"):
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value).startswith("hxtorch: running failed: ")


def test_our_own_errors_and_interrupts_pass():
    with pytest.raises(InputError, match="mine"), speaking("hxtorch", "running"):
        raise InputError("mine")
    with pytest.raises(KeyboardInterrupt), speaking("hxtorch", "running"):
        raise KeyboardInterrupt
