import runpy
from pathlib import Path

import ranvier

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))


def test_a_full_board_comes_back_from_a_small_file(tmp_path):
    config, _ = boards["full_board"]()
    assert (config.cam_dendrite != 0).all()
    ranvier.save(config, tmp_path / "board.rv")
    assert (tmp_path / "board.rv").stat().st_size <= 5_000_000
    assert ranvier.load(tmp_path / "board.rv") == config
