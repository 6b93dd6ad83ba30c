"""The student: the plain CVAE that is served, decoder first, encoder last.

Its decoder learns the whole teacher, flow included, as one function of noise and label
(`DistilStage`); when that is sharpened (training/sharpening.py), its encoder learns which noise
redraws a given digit (`EncoderStage`).
"""

import torch
from torch import Tensor

from model.cvae import Decoder, Encoder, reparametrise
from model.objective import gaussian_kl, reconstruction_nll
from training.sharp.batches import Lesson
from training.sharp.recipe import StageSettings
from training.sharp.stage import Descent
from training.sharp.teacher import Teacher


class DistilStage:
    """Teaches the decoder the teacher's pictures of the same noise, and the digits behind them.

    Half of each batch is noise from N(0, I) and what the teacher draws from it; the other half
    is real digits and the noise that the teacher finds for them.
    """

    name = "distil"

    def __init__(
        self, decoder: Decoder, teacher: Teacher, lesson: Lesson, settings: StageSettings
    ) -> None:
        self.result = decoder
        self.steps = settings.steps
        self._teacher = teacher
        self._lesson = lesson
        self._descent = Descent(decoder, settings.learning_rate, settings.steps, settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, real_labels = self._lesson.digits()
        real_noise = self._teacher.noise(images, real_labels, self._lesson.noise())
        noise, labels = self._lesson.noise(), self._lesson.labels()
        targets = torch.cat([self._teacher.draw(noise, labels), images])
        logits = self.result.logits(
            torch.cat([noise, real_noise]), torch.cat([labels, real_labels])
        )
        loss = reconstruction_nll(logits, targets)
        self._descent.descend(loss.mean())
        taught, real = loss.chunk(2)
        return {"teacher": taught.mean(), "digits": real.mean()}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()


class EncoderStage:
    """Trains the encoder against the finished decoder on the negative ELBO."""

    name = "encoder"

    def __init__(
        self, encoder: Encoder, decoder: Decoder, lesson: Lesson, settings: StageSettings
    ) -> None:
        self.result = encoder
        self.steps = settings.steps
        self._decoder = decoder.requires_grad_(False)
        self._lesson = lesson
        self._descent = Descent(encoder, settings.learning_rate, settings.steps, settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._lesson.digits()
        mean, log_variance = self.result(images, one_hot)
        noise = reparametrise(mean, log_variance, self._lesson.noise())
        nll = reconstruction_nll(self._decoder.logits(noise, one_hot), images).mean()
        kl = gaussian_kl(mean, log_variance).mean()
        self._descent.descend(nll + kl)
        return {"reconstruction": nll, "KL": kl}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()
        self._decoder.requires_grad_(True)
