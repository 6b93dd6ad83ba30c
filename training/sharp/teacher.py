"""The teacher: a CVAE with a small KL weight, and a flow that learns where its latents lie.

Less KL makes the pictures sharp but leaves holes under N(0, I); the flow turns N(0, I) into the
distribution that the latents really have, label by label. Too slow in serving: it only teaches.
"""

import torch
from torch import Tensor, nn

from model.cvae import CVAE, reparametrise
from model.objective import negative_elbo
from training.sharp.alignment import aligning_rotations, rotate
from training.sharp.batches import Lesson
from training.sharp.flow import Flow
from training.sharp.recipe import FlowSettings, TeacherSettings
from training.sharp.stage import Descent


class Teacher(nn.Module):
    """noise N(0, I), label -> flow -> latent -> decoder -> pixels; and back."""

    def __init__(self, cvae: CVAE, flow: Flow) -> None:
        super().__init__()
        self.cvae = cvae
        self.flow = flow
        config = cvae.config
        self.rotations: Tensor
        self.register_buffer("rotations", torch.eye(config.latent).repeat(config.classes, 1, 1))

    @torch.no_grad()
    def align(self, noise: Tensor) -> None:
        """Turn the noise label by label so that one noise is one hand, see `aligning_rotations`.

        Args:
            noise: (N, Z) float32 from N(0, I), to learn the styles from.
        """
        self.rotations.copy_(aligning_rotations(self.draw, noise, self.cvae.config.classes))

    @torch.no_grad()
    def draw(self, noise: Tensor, one_hot: Tensor) -> Tensor:
        """Pixels (B, H, W) float32 in [0, 1] from noise (B, Z) and labels (B, K)."""
        latent = self.flow.inverse(rotate(noise, self.rotations, one_hot), one_hot)
        return torch.as_tensor(self.cvae.decoder(latent, one_hot))

    @torch.no_grad()
    def noise(self, images: Tensor, one_hot: Tensor, epsilon: Tensor) -> Tensor:
        """The noise (B, Z) that redraws images (B, H, W): a sample, by epsilon (B, Z)."""
        mean, log_variance = self.cvae.encoder(images, one_hot)
        latent = reparametrise(mean, log_variance, epsilon)
        return rotate(self.flow(latent, one_hot)[0], self.rotations.transpose(1, 2), one_hot)


class TeacherStage:
    """Trains the teacher's CVAE on reconstruction + weight * KL."""

    name = "teacher"

    def __init__(self, cvae: CVAE, lesson: Lesson, settings: TeacherSettings) -> None:
        self.result = cvae.train()
        self.steps = settings.steps
        self._kl_weight = settings.kl_weight
        self._lesson = lesson
        self._descent = Descent(
            cvae, settings.learning_rate, settings.steps, settings.average, weight_decay=0.01
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._lesson.digits()
        loss = negative_elbo(self.result(images, one_hot, self._lesson.noise()), images)
        nll, kl = loss.reconstruction_nll.mean(), loss.kl.mean()
        self._descent.descend(nll + self._kl_weight * kl)
        return {"reconstruction": nll, "KL": kl}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()
        self.result.eval()


class FlowStage:
    """Trains the flow on samples of the frozen encoder's posteriors, by maximum likelihood."""

    name = "flow"

    def __init__(self, flow: Flow, cvae: CVAE, lesson: Lesson, settings: FlowSettings) -> None:
        self.result = flow
        self.steps = settings.steps
        self._lesson = lesson
        self._descent = Descent(flow, settings.learning_rate, settings.steps, settings.average)
        self._mean, self._log_variance, self._one_hot = _posteriors(cvae, lesson)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        indices = self._lesson.indices().to(self._mean.device)
        latent = reparametrise(
            self._mean[indices], self._log_variance[indices], self._lesson.noise()
        )
        loss = self.result.negative_log_density(latent, self._one_hot[indices]).mean()
        self._descent.descend(loss)
        return {"nats": loss}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()


@torch.no_grad()
def _posteriors(cvae: CVAE, lesson: Lesson) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (N, Z), log-variance (N, Z) and one-hot label (N, K) of every image."""
    cvae.eval()
    parts = []
    for indices in torch.split(torch.arange(len(lesson.data)), 1000):
        images, labels = lesson.data.batch(indices, lesson.device)
        one_hot = nn.functional.one_hot(labels, lesson.classes).float()
        parts.append((*cvae.encoder(images, one_hot), one_hot))
    mean, log_variance, one_hot = (torch.cat(column) for column in zip(*parts, strict=True))
    return mean, log_variance, one_hot
