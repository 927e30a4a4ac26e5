import matplotlib as mpl
import numpy as np
import pytest

from ranvier.errors import FileError
from ranvier_loihi.nn import Statistics

mpl.use("Agg")


def filled(loss, n=1):
    stats = Statistics()
    stats.training.loss_sum, stats.training.num_samples = loss * n, n
    return stats


def test_the_line_before_the_first_update():
    line = str(filled(104423.515625))

    assert line == "Train loss = 104423.51562                          accuracy = 0.00000 "


def test_the_line_with_the_best_so_far():
    stats = filled(104423.515625)
    stats.update()
    stats.training.loss_sum, stats.training.num_samples = 96842.25, 1

    assert str(stats) == (
        "Train loss = 96842.25000 (min = 104423.51562)     accuracy = 0.00000 (max = 0.00000) "
    )


def test_validation_and_test_are_appended_where_they_have_samples():
    stats = filled(1.0)
    stats.validation.num_samples = stats.testing.num_samples = 2

    line = str(stats)

    assert " | Valid loss =     0.00000" in line
    assert " | Test  loss =     0.00000" in line


def test_between_two_epochs_the_line_is_that_of_the_last():
    stats = filled(2.0)

    stats.update()

    assert str(stats) == (
        "Train loss =     2.00000 (min =     2.00000)     accuracy = 0.00000 (max = 0.00000) "
    )


def test_the_mean_is_over_samples_and_none_without():
    stats = filled(3.0, n=4)

    assert stats.training.loss == 3.0
    assert stats.testing.loss is None
    assert stats.testing.accuracy is None
    assert str(stats.testing) == "no sample yet"


def test_the_first_of_equals_is_the_best():
    stats = Statistics()
    best = []
    for loss in (2.0, 2.0, 1.0, 3.0):
        stats.training.loss_sum, stats.training.num_samples = loss, 1
        stats.update()
        best.append(stats.training.best_loss)

    assert best == [True, False, True, False]
    assert stats.training.min_loss == 1.0
    assert stats.training.loss_log == [2.0, 2.0, 1.0, 3.0]
    assert stats.training.num_samples == 0


def test_files_have_a_column_per_used_data_set_and_crlf(tmp_path):
    stats = filled(104423.515625)
    stats.testing.num_samples, stats.testing.correct_samples = 4, 1
    stats.update()

    loss, accuracy = stats.save(tmp_path / "logs")

    assert loss.read_bytes() == b"# Train        Test        \r\n104423.515625     0.000000 \r\n"
    assert accuracy.read_bytes() == b"# Train        Test        \r\n    0.000000     0.250000 \r\n"


def test_files_can_be_read_back(tmp_path):
    stats = filled(2.5)
    stats.validation.num_samples = 1
    stats.update()
    stats.training.num_samples = 1
    stats.update()
    stats.save(tmp_path)

    again = Statistics.load(tmp_path)

    assert again.training.loss_log == [2.5, 0.0]
    assert again.validation.loss_log == [0.0, None]
    assert again.testing.loss_log == []
    assert again.training.min_loss == 0.0


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "loss.txt").write_text("# Train\n1.0 2.0\n")

    with pytest.raises(FileError, match="not the 1 columns"):
        Statistics.load(tmp_path)


def test_printing_again_moves_up_over_the_last_lines(capsys):
    stats = filled(1.5)

    stats.print(3, iteration=1, total=9, time_elapsed=2e-3, header="a network")
    stats.print(3)
    stats.new_line()
    stats.print(4)

    text = capsys.readouterr().out
    assert "[Epoch  3, batch 1/9] 2.00 ms per sample" in text
    assert text.count("\033[3A") == 1
    assert text.count("Train loss =     1.50000") == 3


def test_learning_curves_are_drawn_and_saved(tmp_path):
    stats = filled(1.5)
    stats.update()

    axes = stats.plot(path=tmp_path / "curves.png")

    assert [np.ravel(ax.lines[0].get_ydata())[0] for ax in axes] == [1.5, 0.0]
    assert (tmp_path / "curves.png").stat().st_size > 1000
