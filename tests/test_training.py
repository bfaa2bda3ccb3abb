"""Members train as if each were alone."""

import math

import pytest
import torch

from lstmkit.training import one_cycle, train_members

TARGETS = torch.tensor([[3.0, -1.0], [0.5, 2.0], [-4.0, 0.0]], dtype=torch.float64)


def start() -> torch.Tensor:
    return torch.zeros(3, 2, dtype=torch.float64)


def losses(w: torch.Tensor) -> torch.Tensor:
    return (w - TARGETS).pow(4).sum(1)


def test_one_member_follows_torch_s_adam():
    w, rates = start(), torch.tensor([0.1, 0.02, 0.3], dtype=torch.float64)
    history = train_members([w], lambda _: losses(w), 40, rates, clip=1.0)
    for member, peak in enumerate(rates.tolist()):
        v = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([v], lr=peak)
        expected = []
        for step in range(40):
            progress = (step + 1) / 40
            if progress < 0.3:
                share = 0.5 - 0.5 * math.cos(math.pi * progress / 0.3)
            else:
                share = 0.5 + 0.5 * math.cos(math.pi * (progress - 0.3) / 0.7)
            adam.param_groups[0]["lr"] = peak * share
            adam.zero_grad()
            loss = (v - TARGETS[member]).pow(4).sum()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([v], 1.0)
            adam.step()
            expected.append(loss.item())
        # clip_grad_norm_ divides by norm + 1e-6
        torch.testing.assert_close(w[member].detach(), v.detach(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(
            history[:, member], torch.tensor(expected, dtype=torch.float64), rtol=1e-4, atol=1e-6
        )


def test_a_member_that_explodes_leaves_the_others_alone():
    def both(scale: float) -> torch.Tensor:
        w = start()
        weight = torch.tensor([1.0, 1.0, scale], dtype=torch.float64)
        train_members([w], lambda _: losses(w) * weight, 25, 0.1)
        return w.detach()

    calm, wild = both(1.0), both(1e12)
    assert torch.equal(calm[:2], wild[:2])
    assert torch.isfinite(wild).all()


def test_the_rate_rises_to_its_peak_and_ends_at_zero():
    shares = [one_cycle(k / 100) for k in range(101)]
    assert shares[0] == 0
    assert max(shares) == shares[30] == pytest.approx(1)
    assert shares[100] == pytest.approx(0)


def test_a_loss_without_a_number_a_member_is_refused():
    w = start()
    with pytest.raises(ValueError, match=r"expected \(3,\)"):
        train_members([w], lambda _: losses(w).sum(), 1, 0.1)
