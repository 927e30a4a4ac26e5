import pytest

from ranvier_bss2.calibration import calibrate
from ranvier_bss2.chip import VirtualChip


@pytest.fixture(scope="session")
def result():
    return calibrate(VirtualChip.of(1, "uncalibrated"), trials=16)
