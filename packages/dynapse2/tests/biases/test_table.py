import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import QuantizationError
from ranvier_dynapse2.biases import (
    CORE_BIASES,
    SCALE_FACTORS,
    BiasCode,
    BiasTable,
    published_table,
    transistor,
)

PUBLISHED_CORNERS = {
    ("N", 0): (4.936e-13, 6.568e-13, 3.543e-11, 7.177e-11),
    ("N", 5): (1.081e-12, 1.076e-8, 1.140e-6, 2.276e-6),
    ("P", 0): (3.728e-13, 5.280e-13, 3.300e-11, 6.691e-11),
    ("P", 3): (7.588e-13, 1.602e-10, 1.674e-8, 3.445e-8),
}
CEILINGS = {
    "SYAM_W0_P": 4.939e-7,
    "DEAM_ETAU_P": 4.490e-7,
    "DEAM_EGAIN_P": 1.527e-6,
    "SOIF_SPKTHR_P": 8.530e-7,
    "SOIF_LEAK_N": 1.388e-6,
    "SYPD_EXT_N": 2.094e-6,
    "SOIF_REFR_N": 2.390e-6,
}


def searched(name, current):
    """Return the code by a plain search in the order of the rule."""
    row = published_table().row(name)
    best, error = (0, 0), np.inf
    for coarse in range(6):
        for fine in range(256):
            distance = abs(row[coarse, fine] - current)
            if distance < error:
                best, error = (coarse, fine), distance
    return best


@pytest.mark.parametrize(("kind", "coarse"), PUBLISHED_CORNERS)
def test_the_table_holds_the_published_currents(kind, coarse):
    row = published_table().currents["NP".index(kind), coarse, [0, 1, 128, 255]]

    np.testing.assert_allclose(row, PUBLISHED_CORNERS[kind, coarse], rtol=1e-3)


@pytest.mark.parametrize("name", CEILINGS)
def test_the_largest_current_of_a_bias_is_the_published_one(name):
    assert published_table().largest(name) == pytest.approx(CEILINGS[name], rel=1e-3)


def test_currents_step_down_at_the_seven_known_fine_codes_only():
    falls = np.diff(published_table().currents, axis=2) < 0

    for kind, coarse in np.ndindex(2, 6):
        found = np.flatnonzero(falls[kind, coarse]) + 1
        assert found.tolist() == [32, 64, 96, 128, 160, 192, 224]


@pytest.mark.parametrize("name", CORE_BIASES)
def test_every_current_of_the_table_finds_a_code_with_that_current(name):
    table = published_table()
    row = table.row(name)

    for coarse, fine in np.ndindex(6, 256):
        code = table.code(name, float(row[coarse, fine]))
        assert row[code] == row[coarse, fine]


@given(st.floats(-13.0, -5.0), st.sampled_from(sorted(SCALE_FACTORS)))
@settings(max_examples=60, deadline=None)
def test_the_code_of_a_current_is_the_first_closest_one(exponent, name):
    current = 10.0**exponent

    assert published_table().code(name, current) == searched(name, current)


def test_too_large_a_current_saturates_and_zero_is_the_lowest_code():
    table = published_table()

    assert table.code("SYAM_W0_P", 1e-3) == BiasCode(5, 255)
    assert table.code("SYAM_W0_P", 0.0) == BiasCode(0, 0)
    assert table.smallest("SYAM_W0_P") > 0


@pytest.mark.parametrize("current", [-1e-12, np.nan, np.inf])
def test_a_current_that_cannot_be_is_refused(current):
    with pytest.raises(QuantizationError, match="finite and >= 0"):
        published_table().code("SYAM_W0_P", current)


def test_an_unknown_bias_is_refused_with_names_that_are_close():
    with pytest.raises(QuantizationError, match="SYPD_DLY0_P"):
        published_table().current("SYPD_DYL0_P", 0, 0)


def test_a_code_out_of_range_is_refused():
    with pytest.raises(QuantizationError, match=r"\(6, 0\) is out of range"):
        published_table().current("SOIF_DC_P", 6, 0)


def test_the_last_letter_of_a_name_is_its_transistor():
    assert transistor("SOIF_LEAK_N") == "N"
    assert transistor("SOIF_DC_P") == "P"
    assert transistor("R2R_BUFFER_CCB") == "P"


def rows(changed=None):
    lines = ["type,coarse,fine,current_A"]
    for kind, coarse, fine in np.ndindex(2, 6, 256):
        lines.append(f"{'NP'[kind]},{coarse},{fine},{1e-12 * (1 + kind + coarse + fine)}")
    return "\n".join(changed(lines) if changed else lines)


def test_a_user_replaces_the_table_by_a_file_in_any_order(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(rows(lambda lines: [lines[0], *reversed(lines[1:])]))

    table = BiasTable.from_csv(path)

    assert table.currents[1, 5, 255] == pytest.approx(1e-12 * 262)
    assert table != published_table()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "1 of 3072 codes are missing"),
        (lambda lines: [*lines, lines[5]], "is repeated"),
        (lambda lines: [*lines, "N,6,0,1e-9"], "not a bias table"),
        (lambda lines: [*lines[:-1], "P,5,255,-1e-9"], "negative"),
        (lambda lines: ["a,b", *lines[1:]], "needs the columns"),
        (lambda lines: [*lines[:-1], "P,5,255,much"], "not a bias table"),
    ],
)
def test_a_malformed_table_is_refused_with_what_is_wrong(tmp_path, change, message):
    path = tmp_path / "mine.csv"
    path.write_text(rows(change))

    with pytest.raises(QuantizationError, match=message):
        BiasTable.from_csv(path)


def test_a_table_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(QuantizationError, match=r"nowhere\.csv"):
        BiasTable.from_csv(tmp_path / "nowhere.csv")


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(QuantizationError, match=r"\(2, 6, 256\)"):
        BiasTable(np.ones((6, 256)))
