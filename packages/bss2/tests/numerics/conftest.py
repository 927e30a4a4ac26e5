import runpy
from pathlib import Path

import pytest

PLAIN = Path(__file__).with_name("plain_neuron.py")


@pytest.fixture(scope="session")
def run_plain():
    return runpy.run_path(str(PLAIN))["run_plain"]
