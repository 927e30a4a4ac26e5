import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.records import (
    CadcRecord,
    MadcRecord,
    PopulationRecords,
    RawRecords,
    SpikeRecord,
)


def records():
    times = np.array([0, 212, 425], dtype=np.int64)
    own = PopulationRecords(
        SpikeRecord(*(np.array(v, dtype=np.int64) for v in ([0], [130], [1]))),
        CadcRecord(times, np.full((2, 3, 4), 80, dtype=np.uint8)),
        MadcRecord(1, np.array([0, 4, 8]), np.zeros((2, 3), dtype=np.uint16), 4.25),
    )
    return RawRecords({"lif": own}, n_samples=2, duration=1250, identifier="virtual chip 3")


def test_records_print_what_they_hold_and_no_arrays():
    text = str(records())

    assert text == repr(records())
    assert "virtual chip 3: 2 sample(s) of 10 us" in text
    assert "lif: 1 spikes, CADC (2, 3, 4), MADC of neuron 1 (2, 3)" in text
    assert "array" not in text


def test_the_interval_is_the_period_or_the_mean_distance_of_the_samples():
    own = records().populations["lif"]

    assert own.cadc.interval == pytest.approx(212.5)
    assert own.madc.interval == 4.25


def test_a_layer_that_was_not_sampled_is_refused_by_name():
    with pytest.raises(InputError, match=r"'lif' was not sampled.*cadc = 'sram'"):
        PopulationRecords(SpikeRecord.empty()).sampled("lif")
