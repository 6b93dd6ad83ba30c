"""The student: the plain CVAE that is served, taught in three stages.

Its decoder learns the whole teacher, flow included, as one function of noise and label
(`DistilStage`); then a discriminator takes away the blur (`SharpenStage`); last its encoder
learns which noise redraws a given digit (`EncoderStage`).
"""

import torch
from torch import Tensor
from torch.nn import functional

from model.cvae import Decoder, Encoder, reparametrise
from model.objective import gaussian_kl, reconstruction_nll
from training.discriminator import (
    Discriminator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from training.lesson import Lesson
from training.recipe import SharpenSettings, StageSettings
from training.stage import Descent
from training.teacher import Teacher


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


class SharpenStage:
    """Lets a discriminator sharpen the decoder, held to the teacher by an anchor.

    The anchor compares means over blocks of pixels: there the teacher's blur does not show, but
    its shapes and styles do, so these stay and the edges are free to become sharp.
    """

    name = "sharpen"

    def __init__(
        self,
        decoder: Decoder,
        teacher: Teacher,
        discriminator: Discriminator,
        lesson: Lesson,
        settings: SharpenSettings,
    ) -> None:
        self.result = decoder
        self.steps = settings.steps
        self._teacher = teacher
        self._lesson = lesson
        self._settings = settings
        self._taken = 0
        self._discriminator = discriminator
        self._generator_descent = Descent(
            decoder, settings.learning_rate, settings.steps, settings.average, betas=(0.0, 0.99)
        )
        self._discriminator_descent = Descent(
            discriminator,
            settings.discriminator_learning_rate,
            settings.steps,
            settings.average,
            betas=(0.0, 0.99),
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, real_labels = self._lesson.digits()
        noise, labels = self._lesson.noise(), self._lesson.labels()
        drawn = self.result(noise, labels)
        told = self._teach_discriminator(images, real_labels, drawn.detach(), labels)
        fooled = generator_loss(self._discriminator(drawn, labels))
        anchor = self._anchor(drawn, self._teacher.draw(noise, labels))
        self._generator_descent.descend(fooled + self._settings.anchor_weight * anchor)
        self._taken += 1
        return {"discriminator": told, "generator": fooled, "anchor": anchor}

    def _teach_discriminator(
        self, images: Tensor, real_labels: Tensor, drawn: Tensor, labels: Tensor
    ) -> Tensor:
        """One step of the discriminator; its cross-entropy in nats."""
        penalised = self._taken % self._settings.penalty_every == 0
        images.requires_grad_(penalised)
        real = self._discriminator(images, real_labels)
        told = discriminator_loss(real, self._discriminator(drawn, labels))
        loss = told
        if penalised:  # only now and then, and then more of it, because it is dear
            weight = self._settings.penalty_weight * self._settings.penalty_every / 2
            loss = told + weight * gradient_penalty(real, images)
        self._discriminator_descent.descend(loss)
        return told.detach()

    def _anchor(self, drawn: Tensor, taught: Tensor) -> Tensor:
        """Squared difference of block means, summed over an image's pixels, mean over images."""
        block = self._settings.anchor_block
        difference = functional.avg_pool2d((drawn - taught).unsqueeze(1), block)
        return difference.square().sum(dim=(1, 2, 3)).mean() * block**2

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._generator_descent.finish()


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
