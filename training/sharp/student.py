"""The student: the ordinary CVAE that is served.

First its decoder learns the teacher, flow included, as one function of noise and label
(`DistilStage`). After sharpening (training/sharp/sharpening.py) its encoder learns the noise that
draws a given digit (`EncoderStage`).
"""

import torch
from torch import Tensor

from model.cvae import Decoder, Encoder, reparametrise
from model.objective import gaussian_kl, reconstruction_nll
from training.sharp.batches import Batches
from training.sharp.recipe import StageSettings
from training.sharp.stage import EMAOptimizer
from training.sharp.teacher import Teacher


class DistilStage:
    """Trains the decoder on pictures of the teacher and on real digits.

    Half of each batch is noise from N(0, I) with the teacher's pictures of it; the other half is
    real digits with the noise that the teacher finds for them.
    """

    name = "distil"

    def __init__(
        self, decoder: Decoder, teacher: Teacher, batches: Batches, settings: StageSettings
    ) -> None:
        self.result = decoder
        self.steps = settings.steps
        self._teacher = teacher
        self._batches = batches
        self._optimizer = EMAOptimizer(decoder, settings.cycle(), settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, real_labels = self._batches.digits()
        real_noise = self._teacher.noise(images, real_labels, self._batches.noise())
        noise, labels = self._batches.noise(), self._batches.labels()
        targets = torch.cat([self._teacher.draw(noise, labels), images])
        # What the sigmoid must give, so that it is the target when it is stretched.
        reach = self.result.config.overshoot
        targets = (targets + reach) / (1 + 2 * reach)
        logits = self.result.logits(
            torch.cat([noise, real_noise]), torch.cat([labels, real_labels])
        )
        loss = reconstruction_nll(logits, targets)
        self._optimizer.step(loss.mean())
        taught, real = loss.chunk(2)
        return {"teacher": taught.mean(), "digits": real.mean()}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()


class EncoderStage:
    """Trains the encoder against the finished decoder on the negative ELBO."""

    name = "encoder"

    def __init__(
        self, encoder: Encoder, decoder: Decoder, batches: Batches, settings: StageSettings
    ) -> None:
        self.result = encoder
        self.steps = settings.steps
        self._decoder = decoder.requires_grad_(False)
        self._batches = batches
        self._optimizer = EMAOptimizer(encoder, settings.cycle(), settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._batches.digits()
        mean, log_variance = self.result(images, one_hot)
        noise = reparametrise(mean, log_variance, self._batches.noise())
        nll = reconstruction_nll(self._decoder.logits(noise, one_hot), images).mean()
        kl = gaussian_kl(mean, log_variance).mean()
        self._optimizer.step(nll + kl)
        return {"reconstruction": nll, "KL": kl}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()
        self._decoder.requires_grad_(True)
