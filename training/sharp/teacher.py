"""The teacher: a CVAE with a small KL weight, and a flow that is the prior of its latents.

A small KL weight makes the pictures sharp, but the latents are no longer distributed as N(0, I).
The flow maps N(0, I) to their distribution, for each label. The teacher is too slow to be served.
"""

import torch
from torch import Tensor, nn

from model.cvae import CVAE, reparametrise
from model.objective import negative_elbo
from training.sharp.alignment import aligning_rotations, rotate
from training.sharp.batches import Batches
from training.sharp.flow import Flow
from training.sharp.recipe import FlowSettings, TeacherSettings
from training.sharp.stage import EMAOptimizer


class Teacher(nn.Module):
    """Noise and label -> flow -> latent -> decoder -> pixels, and back."""

    def __init__(self, cvae: CVAE, flow: Flow) -> None:
        super().__init__()
        self.cvae = cvae
        self.flow = flow
        config = cvae.config
        self.rotations: Tensor
        self.register_buffer("rotations", torch.eye(config.latent).repeat(config.classes, 1, 1))

    @torch.no_grad()
    def align(self, noise: Tensor) -> None:
        """Rotate the noise of each label by `aligning_rotations`.

        Args:
            noise: (N, Z) float32 from N(0, I), from which the styles are estimated.
        """
        self.rotations.copy_(aligning_rotations(self.draw, noise, self.cvae.config.classes))

    @torch.no_grad()
    def draw(self, noise: Tensor, one_hot: Tensor) -> Tensor:
        """Pixels (B, H, W) float32 in [0, 1] from noise (B, Z) and labels (B, K)."""
        latent = self.flow.inverse(rotate(noise, self.rotations, one_hot), one_hot)
        return torch.as_tensor(self.cvae.decoder(latent, one_hot))

    @torch.no_grad()
    def noise(self, images: Tensor, one_hot: Tensor, epsilon: Tensor) -> Tensor:
        """A sample of the noise (B, Z) that draws images (B, H, W), by epsilon (B, Z)."""
        mean, log_variance = self.cvae.encoder(images, one_hot)
        latent = reparametrise(mean, log_variance, epsilon)
        return rotate(self.flow(latent, one_hot)[0], self.rotations.transpose(1, 2), one_hot)


class TeacherStage:
    """Trains the teacher's CVAE on reconstruction + kl_weight * KL."""

    name = "teacher"

    def __init__(self, cvae: CVAE, batches: Batches, settings: TeacherSettings) -> None:
        self.result = cvae.train()
        self.steps = settings.steps
        self._kl_weight = settings.kl_weight
        self._batches = batches
        self._optimizer = EMAOptimizer(cvae, settings.cycle(weight_decay=0.01), settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._batches.digits()
        loss = negative_elbo(self.result(images, one_hot, self._batches.noise()), images)
        nll, kl = loss.reconstruction_nll.mean(), loss.kl.mean()
        self._optimizer.step(nll + self._kl_weight * kl)
        return {"reconstruction": nll, "KL": kl}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()
        self.result.eval()


class FlowStage:
    """Trains the flow on samples of the encoder's posteriors, by maximum likelihood."""

    name = "flow"

    def __init__(self, flow: Flow, cvae: CVAE, batches: Batches, settings: FlowSettings) -> None:
        self.result = flow
        self.steps = settings.steps
        self._batches = batches
        self._optimizer = EMAOptimizer(flow, settings.cycle(), settings.average)
        self._mean, self._log_variance, self._one_hot = _posteriors(cvae, batches)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        indices = self._batches.indices().to(self._mean.device)
        latent = reparametrise(
            self._mean[indices], self._log_variance[indices], self._batches.noise()
        )
        loss = self.result.negative_log_density(latent, self._one_hot[indices]).mean()
        self._optimizer.step(loss)
        return {"nats": loss}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()


@torch.no_grad()
def _posteriors(cvae: CVAE, batches: Batches) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (N, Z), log-variance (N, Z) and one-hot label (N, K) of all images."""
    cvae.eval()
    parts = []
    for indices in torch.split(torch.arange(len(batches.data)), 1000):
        images, labels = batches.data.batch(indices, batches.device)
        one_hot = batches.one_hot(labels)
        parts.append((*cvae.encoder(images, one_hot), one_hot))
    mean, log_variance, one_hot = (torch.cat(column) for column in zip(*parts, strict=True))
    return mean, log_variance, one_hot
