"""Training: reproducible, resumable, safe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranvier.errors import FileError, InputError  # noqa: E402
from ranvier.files import load  # noqa: E402
from ranvier.train import Checkpoint, History, TensorBatches, fit  # noqa: E402


def make_problem(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 4, generator=generator)
    y = (x @ torch.tensor([1.0, -2.0, 0.5, 1.5]) > 0).long()
    return x, y


def make_network(seed=1):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 2)
    )


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean()


def train(network, epochs, **options):
    x, y = make_problem()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=6 * 3)
    options = {"scheduler": scheduler, "schedule_per_batch": True} | options
    return fit(
        network,
        TensorBatches(x, y, batch_size=20, shuffle=True),
        loss=torch.nn.functional.cross_entropy,
        metrics={"accuracy": accuracy},
        epochs=epochs,
        optimizer=optimizer,
        **options,
    )


def weights(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_the_loss_falls_and_every_epoch_has_a_row():
    result = train(make_network(), 6)

    assert result.history.names == ("epoch", "train.loss", "train.accuracy")
    assert result.history["train.loss"][-1] < 0.8 * result.history["train.loss"][0]
    assert len(result.history) == 6


def test_an_interrupted_run_resumes_to_the_same_weights(tmp_path):
    whole, parts = make_network(), make_network()
    expected = train(whole, 6)

    def interrupt(history):
        if len(history) == 3:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        train(parts, 6, directory=tmp_path, stop=interrupt)
    fresh = make_network(seed=99)
    resumed = train(fresh, 6, directory=tmp_path)

    assert torch.equal(weights(fresh), weights(whole))
    assert resumed.history.rows == expected.history.rows


def test_the_best_epoch_is_kept_as_a_safe_file(tmp_path):
    x, y = make_problem()
    network = make_network()

    result = train(
        network,
        5,
        directory=tmp_path,
        validation=TensorBatches(x, y),
        monitor="validation.accuracy",
        mode="max",
    )

    saved = load(tmp_path / "best.rv", kind="checkpoint")
    assert isinstance(saved, Checkpoint)
    assert saved.content_hash == result.best.content_hash
    best = result.history.best("validation.accuracy", mode="max")
    assert saved.epoch == best["epoch"] + 1
    fresh = make_network(seed=5)
    fresh.load_state_dict(dict(saved.network))
    fresh.eval()
    assert float(accuracy(fresh(x), y)) == pytest.approx(best["validation.accuracy"])


def test_the_best_state_does_not_change_while_training_goes_on(tmp_path):
    hashes = []

    def remember(history):
        hashes.append(load(tmp_path / "best.rv", kind="checkpoint").content_hash)
        return False

    x, y = make_problem()
    result = train(
        make_network(), 6, directory=tmp_path, validation=TensorBatches(x, -y + 1), stop=remember
    )

    assert result.best.epoch < 6
    assert result.best.content_hash == hashes[-1]


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    network = make_network()
    torch.manual_seed(7)

    train(network, 1)

    assert torch.equal(torch.rand(3), expected)


def test_data_may_be_a_function_of_the_epoch():
    seen = []
    x, y = make_problem()

    def data(epoch):
        seen.append(epoch)
        return TensorBatches(x, y)

    fit(make_network(), data, loss=torch.nn.functional.cross_entropy, epochs=3)

    assert seen == [0, 1, 2]


def test_stop_ends_the_run_early():
    result = train(make_network(), 6, stop=lambda history: len(history) == 2)

    assert result.stopped
    assert len(result.history) == 2


def test_a_checkpoint_of_another_network_is_refused_with_advice(tmp_path):
    train(make_network(), 1, directory=tmp_path)
    other = torch.nn.Linear(4, 2)

    with pytest.raises(FileError, match=r"another network.*choose another directory"):
        train(other, 2, directory=tmp_path, scheduler=None)


def test_a_checkpoint_of_another_seed_is_refused_with_advice(tmp_path):
    train(make_network(), 1, directory=tmp_path)

    with pytest.raises(FileError, match="seed 0, this one has 3; choose another directory"):
        train(make_network(), 2, directory=tmp_path, seed=3)


def test_a_loss_that_is_not_finite_says_what_to_do():
    x, y = make_problem()

    with pytest.raises(InputError, match="loss is nan; lower the learning rate"):
        fit(
            make_network(),
            TensorBatches(x * float("nan"), y),
            loss=torch.nn.functional.cross_entropy,
            epochs=1,
        )


def test_empty_data_is_refused():
    with pytest.raises(InputError, match="no batch"):
        fit(make_network(), [], loss=torch.nn.functional.cross_entropy, epochs=1)


def test_an_optimizer_state_without_safe_form_is_refused():
    checkpoint = Checkpoint(epoch=1, network={}, optimizer={"hook": object()})

    with pytest.raises(FileError, match="no safe representation"):
        checkpoint.to_payload()


def test_history_round_trips_through_csv(tmp_path):
    history = History([{"epoch": 0.0, "train.loss": 0.1 + 0.2}, {"epoch": 1.0, "train.loss": 1e-9}])

    assert History.from_csv(history.to_csv(tmp_path / "h.csv")).rows == history.rows


def test_history_names_what_it_has():
    with pytest.raises(InputError, match=r"no column 'loss'; columns: epoch, train.loss"):
        History([{"epoch": 0.0, "train.loss": 1.0}])["loss"]


def test_history_draws_its_losses():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    history = History([{"epoch": float(i), "train.loss": 1.0 / (i + 1)} for i in range(4)])

    ax = history.plot()

    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1.0, 0.5, 1 / 3, 0.25])


def test_two_processes_train_as_one_with_batches_twice_as_large(tmp_path):
    script = Path(__file__).with_name("two_processes.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank{n}.json").read_text()) for n in (0, 1))

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 4, generator=generator)
    torch.manual_seed(1)
    network = torch.nn.Linear(4, 1)
    alone = fit(
        network,
        TensorBatches(x, x.sum(1, keepdim=True), batch_size=10),
        loss=torch.nn.functional.mse_loss,
        epochs=3,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
    )

    assert first == second
    np.testing.assert_allclose(first["weights"], weights(network).numpy(), rtol=1e-5)
    np.testing.assert_allclose(first["loss"], alone.history["train.loss"], rtol=1e-5)
