"""The test loss of a CVAE: its negative evidence lower bound on the test images."""

from collections.abc import Mapping

import torch

from model.cvae import CVAE
from model.objective import negative_elbo
from training.data import LabelledImages
from training.randomness import Purpose, keyed_rng
from training.snapshot import LossSum

BATCH = 1000


@torch.inference_mode()
def evaluate_loss(
    cvae: CVAE, data: LabelledImages, seed: int, device: torch.device
) -> dict[str, dict[str, float]]:
    """The average loss over `data` in evaluation mode, in nats per image, in two variants.

    `bound` uses one sample of the posterior per image, as the bound requires. `at_mean` uses
    z = mean, the deterministic reconstruction, and is not a bound.

    Returns:
        {"bound": {"negative_elbo", "reconstruction_nll", "kl"}, "at_mean": {the same}}.
    """
    was_training = cvae.training
    cvae.eval()
    sums = {"bound": LossSum(), "at_mean": LossSum()}
    for start in range(0, len(data), BATCH):
        images, labels = data.batch(torch.arange(start, min(start + BATCH, len(data))), device)
        one_hot = label_one_hot(labels, cvae)
        rng = keyed_rng(seed, Purpose.EVALUATION_NOISE, start)
        epsilon = torch.randn(len(images), cvae.config.latent, generator=rng).to(device)
        for variant, noise in (("bound", epsilon), ("at_mean", None)):
            loss = negative_elbo(cvae(images, one_hot, noise), images)
            sums[variant].add(
                len(images), loss.reconstruction_nll.sum().item(), loss.kl.sum().item()
            )
    cvae.train(was_training)
    return {variant: total.mean() for variant, total in sums.items()}


def loss_record(
    loss: Mapping[str, Mapping[str, float]], images: int, seed: int
) -> dict[str, object]:
    """A loss of `evaluate_loss` as in metrics.json, with the settings that reproduce it."""
    return {
        "images": images,
        "mode": "evaluation",
        "noise_seed": seed,
        "posterior_samples_per_image": 1,
        **loss,
    }


def label_one_hot(labels: torch.Tensor, cvae: CVAE) -> torch.Tensor | None:
    """Labels (B,) int64 as one-hot vectors (B, K) float32; None for the unconditional VAE."""
    if not cvae.config.conditional:
        return None
    return torch.nn.functional.one_hot(labels, cvae.config.classes).float()
