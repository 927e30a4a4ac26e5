import numpy as np
import pytest
import torch

from ranvier.errors import InputError
from ranvier.nn import Rate
from ranvier.train import TensorBatches
from ranvier_loihi.nn import Network, Statistics, Trainer, cuba

CUBA = {"threshold": 0.3, "current_decay": 0.5, "voltage_decay": 0.2, "requires_grad": True}


def rate_error(output, target):
    wanted = torch.nn.functional.one_hot(target, output.shape[2]).to(output.dtype)
    return (output.mean(1) - 0.3 * wanted).square().sum()


def make(**options):
    torch.manual_seed(0)
    net = Network(cuba.Dense(CUBA, 8, 3, weight_scale=3, count_log=options.get("count_log", False)))
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    return Trainer(net, rate_error, adam, classifier=Rate(), **options)


def data(n=12):
    """Class c drives the channels of c."""
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, n)
    drive = 0.05 + 0.6 * (np.arange(8)[None] % 3 == target[:, None])
    x = generator.random((n, 40, 8)) < drive[:, None]
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(target)


def test_training_takes_steps_and_counts():
    trainer = make()
    x, target = data()
    before = trainer.net.blocks[0].synapse.weight.detach().clone()

    output = trainer.train(x, target)

    stats = trainer.stats.training
    assert output.shape == (12, 40, 3)
    assert stats.num_samples == 12
    assert stats.loss == pytest.approx(float(rate_error(output.detach(), target)))
    assert stats.correct_samples == int((output.detach().mean(1).argmax(1) == target).sum())
    assert not torch.equal(trainer.net.blocks[0].synapse.weight, before)


@pytest.mark.parametrize(("method", "place"), [("test", "testing"), ("valid", "validation")])
def test_measuring_changes_nothing_but_its_statistics(method, place):
    trainer = make()
    x, target = data()
    before = trainer.net.blocks[0].synapse.weight.detach().clone()

    output = getattr(trainer, method)(x, target)

    assert not output.requires_grad
    assert getattr(trainer.stats, place).num_samples == 12
    assert trainer.stats.training.num_samples == 0
    assert torch.equal(trainer.net.blocks[0].synapse.weight, before)


def test_event_rates_are_handed_on():
    trainer = make(count_log=True)

    output, count = trainer.train(*data())

    assert output.shape == (12, 40, 3)
    assert count.shape == (1,)


def test_a_loss_of_the_network_is_added_but_not_logged():
    class WithLoss(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x), self.inner.blocks[0].synapse.weight.square().sum()

    torch.manual_seed(0)
    net = WithLoss(Network(cuba.Dense(CUBA, 8, 3, weight_scale=3)))
    trainer = Trainer(net, rate_error, torch.optim.SGD(net.parameters(), lr=0.1), lam=1.0)
    x, target = data()
    size = float(net.inner.blocks[0].synapse.weight.detach().norm())

    output = trainer.train(x, target)

    assert trainer.stats.training.loss == pytest.approx(float(rate_error(output.detach(), target)))
    assert float(net.inner.blocks[0].synapse.weight.detach().norm()) < 0.9 * size


def test_a_network_that_gives_something_else_is_refused_with_advice():
    trainer = make()
    trainer.lam = 0.1

    with pytest.raises(InputError, match=r"gives 1 values, 2 are expected.*change these"):
        trainer.train(*data())


def test_the_learning_rate_can_be_reduced():
    trainer = make()

    trainer.reduce_lr()
    trainer.reduce_lr(2.0)

    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(0.02 * 0.3 / 2)
    with pytest.raises(InputError, match="must be > 0"):
        trainer.reduce_lr(0.0)


def test_fit_trains_logs_keeps_the_best_and_writes_files(tmp_path):
    trainer = make()
    batches = TensorBatches(*data(), batch_size=6, shuffle=True)

    result = trainer.fit(batches, 8, validation=batches, directory=tmp_path, show_progress=False)

    losses = trainer.stats.validation.loss_log
    np.testing.assert_allclose(losses, result.history["validation.loss"])
    assert trainer.stats.validation.accuracy_log[-1] > 0.6
    assert losses[-1] < losses[0]
    best = result.best.network["blocks.0.synapse.weight"]
    assert torch.equal(trainer.net.blocks[0].synapse.weight, torch.as_tensor(best))
    assert {"loss.txt", "accuracy.txt", "best.rv", "last.rv"} <= {
        p.name for p in tmp_path.iterdir()
    }
    assert Statistics.load(tmp_path).training.loss_log == pytest.approx(
        trainer.stats.training.loss_log, abs=1e-6
    )


def test_fit_equals_epochs_by_hand():
    trainer, by_hand = make(), make()
    batches = TensorBatches(*data(), batch_size=6)

    trainer.fit(batches, 3, keep_best=False, show_progress=False)
    for _ in range(3):
        for x, target in batches:
            by_hand.train(x, target)
        by_hand.stats.update()

    assert trainer.stats.training.loss_log == pytest.approx(by_hand.stats.training.loss_log)
    assert trainer.stats.training.accuracy_log == pytest.approx(by_hand.stats.training.accuracy_log)


def test_fit_with_event_rates_and_a_stop():
    trainer = make(count_log=True)
    batches = TensorBatches(*data(), batch_size=6)

    result = trainer.fit(batches, 9, stop=lambda h: len(h.rows) == 2, show_progress=False)

    assert result.stopped
    assert len(trainer.stats.training.loss_log) == 2


def test_a_resumed_fit_logs_all_epochs(tmp_path):
    batches = TensorBatches(*data(), batch_size=6)
    first, second = make(), make()

    first.fit(batches, 2, directory=tmp_path, show_progress=False)
    second.fit(batches, 4, directory=tmp_path, show_progress=False)

    assert len(second.stats.training.loss_log) == 4
    assert second.stats.training.loss_log[:2] == first.stats.training.loss_log
