import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.placement import errata_tags
from ranvier_dynapse2.targets import limits_of

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, mapped_network, refused = (graphs[n] for n in ("chain", "mapped_network", "refused"))
CORE = (4, 256, 64)


def used_tags(network):
    for chip, cores, tag in zip(
        network.route_chip, network.route_cores, network.route_tag, strict=True
    ):
        yield from ((chip, core, tag) for core in range(4) if cores >> core & 1)


def test_the_published_pool_holds_for_every_core():
    network = mapped_network(graphs["recurrent"](0), tag_pool="published")
    pool = errata_tags(limits_of())
    assert all(pool[core, tag] for _, core, tag in used_tags(network))


@pytest.mark.parametrize("shape", [(4, 2048), (16, 2048)])
def test_a_pool_of_tags_can_be_a_file(tmp_path, shape):
    pool = np.zeros(shape, dtype=bool)
    pool[:, 1900:1950] = True
    np.save(tmp_path / "pool.npy", pool)
    network = mapped_network(graphs["recurrent"](0), tag_pool=str(tmp_path / "pool.npy"))
    assert {tag for *_, tag in used_tags(network)} <= set(range(1900, 1950))


def test_too_small_a_pool_of_tags_is_refused(tmp_path):
    pool = np.zeros((4, 2048), dtype=bool)
    pool[:, :3] = True
    np.save(tmp_path / "pool.npy", pool)
    found = refused(graphs["recurrent"](0), tag_pool=str(tmp_path / "pool.npy"))
    assert {d.code for d in found} <= {codes.TAGS_EXHAUSTED.code, codes.TAGS_NOT_COMMON.code}


@pytest.mark.parametrize("shape", [CORE, (1, *CORE)])
def test_only_good_entries_of_a_profile_are_used(tmp_path, shape):
    profile = np.full(shape, 0.5)
    profile[..., 10:30, :6] = 0.001
    np.save(tmp_path / "cam.npy", profile)
    network = mapped_network(
        chain(weight=np.ones((20, 2))), cam_profile=str(tmp_path / "cam.npy"), cam_error_max=0.01
    )
    assert network.cam_usable.shape == (1, *CORE)
    assert network.cam_usable.sum() == 4 * 20 * 6
    assert set(network.slot) <= set(range(10, 30))


@pytest.mark.parametrize(
    ("option", "array", "code"),
    [
        ("tag_pool", np.ones((4, 100), dtype=bool), codes.BAD_TAG_POOL),
        ("tag_pool", np.ones((4, 2048)), codes.BAD_TAG_POOL),
        ("cam_profile", np.zeros((4, 256, 63)), codes.BAD_CAM_PROFILE),
        ("cam_profile", np.zeros((5, *CORE), dtype=np.float32), codes.BAD_CAM_PROFILE),
        ("cam_profile", np.full(CORE, 2.0), codes.BAD_CAM_PROFILE),
        ("cam_profile", np.full(CORE, np.nan), codes.BAD_CAM_PROFILE),
        ("cam_profile", np.zeros(()), codes.BAD_CAM_PROFILE),
    ],
)
def test_arrays_of_another_shape_type_or_range_are_refused(tmp_path, option, array, code):
    np.save(tmp_path / "array.npy", array)
    [error] = refused(chain(), **{option: str(tmp_path / "array.npy")})
    assert error.code == code.code
    assert ".npy" in error.hint


def test_files_that_are_not_arrays_are_refused(tmp_path):
    (tmp_path / "text.npy").write_text("no array")
    np.savez(tmp_path / "archive.npz", a=np.zeros(3))
    for name in ("text.npy", "archive.npz", "missing.npy"):
        [error] = refused(chain(), cam_profile=str(tmp_path / name))
        assert error.code == codes.BAD_CAM_PROFILE.code
        assert name in error.message
