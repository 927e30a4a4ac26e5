import runpy
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier.artifacts import OutputChannel
from ranvier_dynapse2.config import LATCHES, Dynapse2Config

COLUMNS = ("node_id", "index", "chip", "core", "slot", "port_id")
boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config = boards["random_config"]


@pytest.fixture(scope="module")
def board():
    return random_config(chips=2, seed=3)[0]


def fields(config, **changes):
    own = {name: getattr(config, name) for name in type(config).model_fields}
    return Dynapse2Config(**{**own, **changes})


def changed(array, at, value):
    new = np.array(array)
    new[at] = value
    return new


def unused_entry(config):
    return tuple(np.argwhere(config.cam_dendrite == 0)[0])


def used_entry(config):
    return tuple(np.argwhere(config.cam_dendrite != 0)[0])


@pytest.mark.parametrize(
    ("chips", "used", "fan_in"), [(1, 2, 1), (1, 40, 64), (2, 12, 8), (3, 5, 9), (4, 7, 30)]
)
def test_generated_boards_are_valid(chips, used, fan_in):
    for seed in range(3):
        random_config(chips=chips, used=used, fan_in=fan_in, seed=seed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cam_tag", 2048, r"cam_tag is 2048 at chip 1, core 2, neuron 3, entry 4, .*0\.\.2047"),
        ("cam_mask", 16, r"cam_mask is 16 at chip 1, core 2, neuron 3, entry 4, .*0\.\.15"),
        ("cam_dendrite", 5, r"cam_dendrite is 5 at .*0\.\.4 \(1 value"),
        ("cam_flags", 8, r"cam_flags is 8 at .*0\.\.7"),
    ],
)
def test_registers_have_their_widths(board, name, value, message):
    values = changed(getattr(board, name), (1, 2, 3, 4), value)
    with pytest.raises(ValidationError, match=message):
        fields(board, **{name: values})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sram_tag", 2048, r"sram_tag is 2048 at chip 0, core 1, neuron 2, word 3, .*0\.\.2047"),
        ("sram_cores", 16, r"sram_cores is 16 at .*0\.\.15"),
        ("sram_x", 8, r"sram_x is 8 at .*-7\.\.7"),
        ("sram_y", -8, r"sram_y is -8 at .*-7\.\.7"),
    ],
)
def test_words_have_their_widths(board, name, value, message):
    values = changed(getattr(board, name), (0, 1, 2, 3), value)
    with pytest.raises(ValidationError, match=message):
        fields(board, **{name: values})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("input_tag", 2048, r"input_tag is 2048 at row 1, .*0\.\.2047"),
        ("input_cores", 16, r"input_cores is 16 at row 1"),
        ("input_x", 8, r"input_x is 8 at row 1"),
        ("input_y", -8, r"input_y is -8 at row 1"),
        (
            "input_channel",
            12,
            r"input_channel is 12 in row 1, the inputs have 12 channels, 0\.\.11",
        ),
        ("input_channel", -1, r"input_channel is -1 in row 1"),
    ],
)
def test_inputs_have_their_widths_and_channels(board, name, value, message):
    with pytest.raises(ValidationError, match=message):
        fields(board, **{name: changed(getattr(board, name), 1, value)})


def test_codes_of_biases_have_their_range(board):
    k = board.bias_names.index("SOIF_LEAK_N")
    values = changed(board.bias_coarse, (1, 3, k), 6)
    with pytest.raises(
        ValidationError, match=r"bias_coarse is 6 at chip 1, core 3, bias SOIF_LEAK_N, .*0\.\.5"
    ):
        fields(board, bias_coarse=values)
    with pytest.raises(ValidationError, match=r"chip_bias_coarse is 9 at chip 1, bias LBWR_VB_P"):
        fields(board, chip_bias_coarse=changed(board.chip_bias_coarse, (1, 0), 9))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("latches", (2, 4, 256, 13)),
        ("cam_tag", (2, 4, 256, 63)),
        ("sram_used", (1, 4, 256, 4)),
        ("bias_fine", (2, 4, 3)),
        ("i_scale", (2,)),
        ("bias_table", (2, 6, 255)),
        ("input_x", (3,)),
    ],
)
def test_shapes_are_those_of_the_board(board, name, shape):
    values = np.zeros(shape, dtype=getattr(board, name).dtype)
    with pytest.raises(ValidationError, match=rf"{name} has shape \({shape[0]}"):
        fields(board, **{name: values})


def test_types_are_those_of_the_registers(board):
    with pytest.raises(ValidationError, match="cam_tag is int64, expected uint16"):
        fields(board, cam_tag=board.cam_tag.astype(np.int64))
    with pytest.raises(ValidationError, match="latches is uint8, expected bool"):
        fields(board, latches=board.latches.astype(np.uint8))


def test_all_problems_are_named_at_once(board):
    with pytest.raises(ValidationError) as error:
        fields(
            board,
            model="five_synapse",
            cam_mask=changed(board.cam_mask, (0, 0, 0, 0), 99),
            i_scale=changed(board.i_scale, (0, 1), 0.0),
        )
    for part in ("five_synapse", "cam_mask is 99", "i_scale is 0 at chip 0, core 1"):
        assert part in str(error.value)


def test_names_of_biases_must_be_known_complete_and_unique(board):
    names = list(board.bias_names)
    with pytest.raises(ValidationError, match=r"unknown biases \['NO_BIAS'\].*are missing"):
        fields(board, bias_names=("NO_BIAS", *names[1:]))
    with pytest.raises(ValidationError, match="appear more than once"):
        fields(board, bias_names=(names[1], *names[1:]))


def test_a_mask_without_a_dendrite_is_refused(board):
    at = unused_entry(board)
    with pytest.raises(ValidationError, match="cam_mask is 3 without a dendrite"):
        fields(board, cam_mask=changed(board.cam_mask, at, 3))


@pytest.mark.parametrize("name", ["cam_tag", "cam_flags"])
def test_unused_cam_entries_are_clean(board, name):
    values = changed(getattr(board, name), unused_entry(board), 1)
    with pytest.raises(ValidationError, match=f"{name} is 1 in an unused entry"):
        fields(board, **{name: values})


@pytest.mark.parametrize("name", ["sram_tag", "sram_cores", "sram_x", "sram_y"])
def test_unused_words_are_clean(board, name):
    at = tuple(np.argwhere(~board.sram_used)[0])
    with pytest.raises(ValidationError, match=f"{name} is 1 in an unused entry"):
        fields(board, **{name: changed(getattr(board, name), at, 1)})


def test_a_word_without_cores_is_refused(board):
    at = tuple(np.argwhere(board.sram_used)[0])
    with pytest.raises(ValidationError, match="sram_cores is 0 in a word in use at chip 0"):
        fields(board, sram_cores=changed(board.sram_cores, at, 0))


def placed(config, column, row, value):
    place = config.placement
    columns = {n: np.array(getattr(place, n)) for n in COLUMNS}
    columns[column][row] = value
    return type(place)(place.node, place.port, **columns)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("chip", 2, r"placement: chip is 0\.\.2, allowed are 0\.\.1"),
        ("core", 4, r"placement: core is 0\.\.4"),
        ("slot", 256, r"placement: slot is \d+\.\.256, allowed are 0\.\.255"),
        ("node_id", 3, r"placement: node_id is 0\.\.3"),
        ("port_id", -1, r"placement: port_id is -1"),
        ("index", 1, r"placement: 'hidden' has 72 place\(s\) for 72 neuron"),
    ],
)
def test_places_exist_on_the_board(board, column, value, message):
    with pytest.raises(ValidationError, match=message):
        fields(board, placement=placed(board, column, 0, value))


def test_a_physical_neuron_holds_one_of_the_graph(board):
    second = board.placement.slot[1]
    with pytest.raises(ValidationError, match=r"1 physical neuron\(s\) hold several of the graph"):
        fields(board, placement=placed(board, "slot", 0, second))


def test_rows_of_inputs_agree_with_their_packets(board):
    row = int(np.flatnonzero(board.placement.port_id == 1)[0])
    wrong = int(board.placement.slot[row]) ^ 1
    with pytest.raises(ValidationError, match=r"1 core\(s\) that input packets reach are missing"):
        fields(board, placement=placed(board, "slot", row, wrong))


def test_nodes_and_outputs_must_be_placed(board):
    with pytest.raises(ValidationError, match="'ghost' has 0 place"):
        fields(board, node_shapes={**board.node_shapes, "ghost": (2,)})
    with pytest.raises(ValidationError, match="output 'o' shows 'ghost', which is no placed node"):
        fields(board, outputs=(OutputChannel(output="o", node="ghost"),))
    with pytest.raises(ValidationError, match="shows 'colour'; quantities"):
        fields(board, outputs=(OutputChannel(output="o", node="out", quantity="colour"),))


def test_the_summary_tells_what_is_in_use(board):
    text = board.summary()
    n = board.placement.port.index("neuron")
    neurons = int((board.placement.port_id == n).sum())
    assert "dynapse2" in text
    assert f"{neurons} on 8 of 8 cores, 2 of 2 chip(s)" in text
    assert "CAM max 8 mean 8.0 of 64" in text
    tags = np.unique(board.cam_tag[1, 2][board.cam_dendrite[1, 2] != 0]).size
    assert f"chip 1 core 2: 12 of 256 neurons, CAM max 8 mean 8.0 of 64, {tags} of 2048" in text
    assert "at its largest" not in text


def test_the_summary_names_currents_at_their_limit(board):
    k = board.bias_names.index("SYAM_W3_P")
    full = fields(
        board,
        bias_coarse=changed(board.bias_coarse, (1, 2, k), 5),
        bias_fine=changed(board.bias_fine, (1, 2, k), 255),
    )
    assert "bias SYAM_W3_P is at its largest, 4.939e-07 A, on core(s) 1.2" in full.summary()


def test_latches_are_named_in_the_order_of_their_axis(board):
    on = board.latches[..., LATCHES.index("so_dc")]
    assert int(on.sum()) == 96
    assert not board.latches[..., LATCHES.index("soif_kill")].any()
