"""One training loop: seeded, clipped, stopped in time, and resumed as if never interrupted."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

from lstmkit.data import adding
from lstmkit.training import Batch, Drawn, History, Sequences, fit, one_cycle

torch.set_num_threads(1)


class Reader(nn.Module):
    """A small recurrent net with dropout: it draws random numbers in every step."""

    def __init__(self, seed=0, width=2):
        super().__init__()
        torch.manual_seed(seed)
        self.cell = nn.GRU(width, 8)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(8, 1)

    def forward(self, x, lengths=None):
        if lengths is None:
            last = self.cell(x)[0][-1]
        else:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            last = self.cell(packed)[1][-1]
        return self.out(self.drop(last))[:, 0]


def squared(model, batch):
    return (model(batch.x, batch.lengths) - batch.y) ** 2


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def mixed(count=40, seed=1, size=8):
    """Sequences of 1 to 6 steps; the target is the sum of their first column."""
    rng = np.random.default_rng(seed)
    inputs = [rng.normal(size=(n, 2)).astype(np.float32) for n in rng.integers(1, 7, count)]
    return Sequences(inputs, np.array([x[:, 0].sum() for x in inputs], dtype=np.float32), size)


SETTINGS = {"rate": 1e-2, "seed": 4, "quiet": True}


def test_mixed_lengths_are_padded_and_told():
    source = mixed()
    seen = []
    for batch in source.epoch(np.random.default_rng(0)):
        assert batch.x.shape[0] == batch.lengths.max()
        for b, length in enumerate(batch.lengths.tolist()):
            assert not batch.x[length:, b].any()
            assert batch.x[:length, b, 0].sum() == pytest.approx(batch.y[b].item(), abs=1e-5)
            assert batch.mask[:, b].tolist() == [t < length for t in range(len(batch.x))]
        seen += batch.y.tolist()
    assert sorted(seen) == sorted(source.targets.tolist())
    assert len(source) == 5


def test_every_epoch_has_another_order_that_the_seed_settles():
    source = mixed()
    orders = [
        torch.cat([batch.y for batch in source.epoch(np.random.default_rng([seed, epoch]))])
        for seed, epoch in ((1, 0), (1, 1), (2, 0), (1, 0))
    ]
    assert torch.equal(orders[0], orders[3])
    assert not torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])


def test_fit_deals_anew_every_epoch_and_judges_on_the_same_batches():
    seen = {"train": [], "validation": []}

    def noting(kind):
        def draw(rng):
            x, y = adding(rng, 4, 6)
            seen[kind].append(y)
            return x, y

        return Drawn(draw, batches=1)

    options = {"validation": noting("validation"), "epochs": 3, **SETTINGS}
    fit(Reader(), noting("train"), squared, **options)
    first, second, third = seen["train"]
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    judged = seen["validation"]
    assert all(np.array_equal(judged[0], later) for later in judged[1:])
    assert not any(np.array_equal(judged[0], dealt) for dealt in seen["train"])


def test_time_major_arrays_and_targets_for_every_step():
    x = np.arange(24.0).reshape(4, 6, 1)
    source = Sequences(x, x[:, :, 0] * 2, size=4, per_step=True)
    sizes = []
    for batch in source.epoch(np.random.default_rng(0)):
        assert batch.lengths is None
        assert batch.mask.all()
        assert torch.equal(batch.y, batch.x[:, :, 0] * 2)
        sizes.append(batch.x.shape[1])
    assert sizes == [4, 2]
    ragged = Sequences([np.ones((2, 1)), np.ones((5, 1))], [np.zeros(2), np.ones(5)], per_step=True)
    (batch,) = ragged.epoch(np.random.default_rng(0))
    assert batch.y.sum(0).tolist() == [5.0 if n == 5 else 0.0 for n in batch.lengths.tolist()]
    with pytest.raises(ValueError, match="6 inputs and 4 targets"):
        Sequences(x, np.zeros(4))
    with pytest.raises(ValueError, match="0 inputs"):
        Sequences([], np.zeros(0))


def test_one_step_is_the_optimiser_s_with_the_clipped_gradient():
    x = np.ones((3, 2, 2), dtype=np.float32)
    y = np.array([50.0, 70.0], dtype=np.float32)
    model, twin = Reader().eval(), Reader().eval()
    model.drop.p = twin.drop.p = 0.0
    history = fit(
        model,
        Sequences(x, y),
        squared,
        epochs=1,
        rate=0.1,
        clip=0.5,
        optimiser=torch.optim.SGD,
        quiet=True,
    )
    loss = ((twin(torch.from_numpy(x)) - torch.from_numpy(y)) ** 2).mean()
    gradient = torch.autograd.grad(loss, list(twin.parameters()))
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradient))
    assert norm > 10
    assert history.norm == [pytest.approx(norm, rel=1e-5)]
    assert history.train == [pytest.approx(loss.item(), rel=1e-6)]
    for p, before, g in zip(model.parameters(), twin.parameters(), gradient, strict=True):
        torch.testing.assert_close(p, before - 0.1 * g * 0.5 / norm, rtol=1e-4, atol=1e-6)
    assert not model.training  # as it was handed over


def test_the_same_seed_gives_the_same_run_and_leaves_the_caller_s_numbers_alone():
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    random.seed(99)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    runs = []
    for seed in (4, 4, 5):
        model = Reader()
        torch.set_rng_state(states[0])
        history = fit(model, mixed(), squared, epochs=2, rate=1e-2, seed=seed, quiet=True)
        assert torch.equal(torch.get_rng_state(), states[0])
        runs.append((weights(model), history.train))
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert random.getstate() == states[2]
    assert torch.equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not torch.equal(runs[0][0], runs[2][0])


class Cut(Exception):
    pass


def interrupted_after(batches, source):
    """The same source, pulling the plug after so many batches of this process."""

    class Plug:
        left = batches

        def __len__(self):
            return len(source)

        def epoch(self, rng):
            for batch in source.epoch(rng):
                if not self.left:
                    raise Cut
                self.left -= 1
                yield batch

    return Plug()


@pytest.mark.parametrize("optimiser", [torch.optim.Adam, torch.optim.RMSprop])
@pytest.mark.parametrize("schedule", [None, one_cycle])
@pytest.mark.parametrize("kind", ["dealt", "drawn"])
def test_a_resumed_run_equals_one_without_a_break_bit_for_bit(tmp_path, kind, schedule, optimiser):
    source = (
        mixed()
        if kind == "dealt"
        else Drawn(lambda rng: adding(rng, int(rng.integers(2, 9)), 6), batches=5)
    )
    options = {**SETTINGS, "epochs": 6, "schedule": schedule, "optimiser": optimiser}
    options |= {"validation": mixed(20, seed=2)}
    whole = Reader()
    expected = fit(whole, source, squared, **options)

    path = tmp_path / "deep" / "run.pt"
    # Two breaks: in the middle of the second epoch, and in the fifth.
    for batches in (8, 17):
        torch.manual_seed(random.randrange(1000))  # the caller's numbers do not matter
        with pytest.raises(Cut):
            fit(Reader(), interrupted_after(batches, source), squared, checkpoint=path, **options)
        assert path.exists()
    resumed = Reader(seed=77)  # whatever it holds, the checkpoint replaces it
    history = fit(resumed, source, squared, checkpoint=path, **options)
    assert torch.equal(weights(resumed), weights(whole))
    assert history == expected
    assert not list(tmp_path.rglob("*.part"))

    again = Reader(seed=78)  # a run that is done already is handed back
    assert fit(again, source, squared, checkpoint=path, **options) == expected
    assert torch.equal(weights(again), weights(whole))


def test_without_a_schedule_a_run_can_be_made_longer(tmp_path):
    path = tmp_path / "run.pt"
    whole, longer = Reader(), Reader()
    expected = fit(whole, mixed(), squared, epochs=5, **SETTINGS)
    fit(longer, mixed(), squared, epochs=2, checkpoint=path, **SETTINGS)
    history = fit(longer, mixed(), squared, epochs=5, checkpoint=path, **SETTINGS)
    assert history == expected
    assert torch.equal(weights(longer), weights(whole))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"rate": 0.5}, "rate 0.01, now 0.5"),
        ({"seed": 9}, "seed 4, now 9"),
        ({"clip": None}, "clip 1.0, now None"),
        ({"schedule": one_cycle}, "scheduled epochs None, now 2"),
        ({"optimiser": torch.optim.SGD}, "optimiser 'Adam', now 'SGD'"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, changed, named):
    path = tmp_path / "run.pt"
    fit(Reader(), mixed(), squared, epochs=1, checkpoint=path, **SETTINGS)
    options = {**SETTINGS, **changed}
    with pytest.raises(ValueError, match=named):
        fit(Reader(), mixed(), squared, epochs=2, checkpoint=path, **options)
    with pytest.raises(ValueError, match="batches 5, now 10"):
        fit(Reader(), mixed(size=4), squared, epochs=2, checkpoint=path, **SETTINGS)


class Scripted(nn.Module):
    """Its weight grows by one a step; a script says what the validation loss is at each value."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))

    def loss(self, losses):
        def call(model, batch):
            if model.training:
                return -model.w[None]
            return torch.tensor([losses[round(model.w.item()) - 1]])

        return call


def one_step_an_epoch():
    return Sequences(np.zeros((1, 1, 1)), np.zeros(1))


def scripted(losses, patience, epochs=20):
    model = Scripted()
    history = fit(
        model,
        one_step_an_epoch(),
        model.loss(losses),
        validation=one_step_an_epoch(),
        epochs=epochs,
        rate=1.0,
        clip=None,
        patience=patience,
        optimiser=torch.optim.SGD,
        quiet=True,
    )
    return model, history


def test_patience_ends_a_run_and_the_best_weights_come_back():
    losses = [5.0, 3.0, 4.0, 2.0, 6.0, 2.0, 7.0, 1.0]
    model, history = scripted(losses, patience=3)
    assert history.stopped == "patience"
    assert history.validation == losses[:7]
    assert history.best == 3
    assert model.w.item() == 4
    assert history.steps == [1, 2, 3, 4, 5, 6, 7]


def test_without_patience_all_epochs_are_run_and_the_best_kept():
    model, history = scripted([5.0, 3.0, 4.0, 2.0, 6.0], patience=None, epochs=5)
    assert history.stopped == "finished"
    assert (history.best, model.w.item()) == (3, 4)


def test_a_loss_that_is_not_finite_ends_the_run():
    model, history = scripted([5.0, 3.0, math.nan, 1.0], patience=None)
    assert history.stopped == "diverged"
    assert model.w.item() == 2

    model = Scripted()

    def explode(model, batch):
        return model.w[None] / (0.0 if model.w.item() >= 2 else 1.0) - 2 * model.w[None]

    options = {"rate": 1.0, "optimiser": torch.optim.SGD, "quiet": True}
    history = fit(model, one_step_an_epoch(), explode, epochs=9, clip=None, **options)
    assert history.stopped == "diverged"
    assert model.w.item() == 2
    assert len(history.train) == 2


def test_the_schedule_s_rates_are_used():
    options = {"rate": 1.0, "optimiser": torch.optim.SGD, "quiet": True}
    model = Scripted()
    history = fit(
        model,
        one_step_an_epoch(),
        lambda m, _: -m.w[None],
        epochs=4,
        clip=None,
        schedule=lambda progress: 1 - progress,
        **options,
    )
    assert history.rate == [0.75, 0.5, 0.25, 0.0]
    assert model.w.item() == 1.5


def test_an_epoch_s_loss_is_the_mean_over_all_real_steps():
    inputs = [np.full((n, 1), float(n)) for n in (1, 2, 5)]
    source = Sequences(inputs, inputs, size=2, per_step=True)
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.zeros_(model.weight)

    def masked(model, batch):
        return ((model(batch.x) - batch.y) ** 2)[batch.mask]

    options = {"optimiser": torch.optim.SGD, "quiet": True}
    history = fit(model, source, masked, epochs=1, rate=1e-30, **options)
    assert history.train[0] == pytest.approx((1 * 1 + 2 * 4 + 5 * 25) / 8)


def test_it_learns_to_add_two_numbers():
    model = Reader()
    model.drop.p = 0.0
    train = Drawn(lambda rng: adding(rng, 4, 64), batches=100)
    test = Drawn(lambda rng: adding(rng, 4, 500), batches=1)
    history = fit(model, train, squared, validation=test, epochs=6, rate=2e-2, seed=1, quiet=True)
    assert history.validation[history.best] < 0.02 < 1 / 6


def test_the_bar_is_quiet_when_asked(capsys):
    fit(Scripted(), one_step_an_epoch(), lambda m, _: -m.w[None], epochs=2, quiet=True)
    assert capsys.readouterr() == ("", "")
    fit(Scripted(), one_step_an_epoch(), lambda m, _: -m.w[None], epochs=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "/2 [" in err


def test_a_history_plots_itself():
    _, history = scripted([5.0, 3.0, 4.0, 2.0, 6.0], patience=None, epochs=5)
    figure = history.plot(title="Losses")
    assert figure.title == "Losses"
    assert figure.alt == (
        "5 epochs; training loss from 0 to -4; lowest validation loss 2 after epoch 4."
    )
    for word in ("training", "validation", "epoch"):
        assert f">{word}</text>" in history._repr_html_()
    assert History()._repr_html_() == "No epoch was finished."


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"rate": 0.0}, {"patience": 2}])
def test_numbers_without_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="patience needs validation"):
        fit(Scripted(), one_step_an_epoch(), squared, quiet=True, **wrong)


def test_batches_move_between_devices():
    batch = Batch(torch.zeros(3, 2, 1), torch.zeros(2), torch.tensor([3, 1]))
    moved = batch.to(torch.device("cpu"))
    assert torch.equal(moved.mask, torch.tensor([[True, True], [True, False], [True, False]]))
