"""Sharpening: the student's decoder against two discriminators, held to the teacher.

One discriminator looks at the pictures and takes away the blur, the other at what the guide sees
in them and makes the shapes as varied and as plain as real ones; where the guide doubts that a
digit is what was asked for, it says so itself.
"""

import torch
from torch import Tensor
from torch.nn import functional

from model.cvae import Decoder
from training.sharp.batches import Lesson
from training.sharp.discriminator import (
    Discriminator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from training.sharp.guide import Guide, doubt, surprise
from training.sharp.recipe import SharpenSettings
from training.sharp.stage import Descent
from training.sharp.teacher import Teacher

BETAS = (0.0, 0.99)  # of AdamW: momentum makes two opponents circle each other


class Rival:
    """A discriminator that learns step by step."""

    def __init__(self, discriminator: Discriminator, settings: SharpenSettings) -> None:
        self._discriminator = discriminator
        self._settings = settings
        self._descent = Descent(
            discriminator,
            settings.discriminator_learning_rate,
            settings.steps,
            settings.average,
            betas=BETAS,
        )
        self._taken = 0

    def learn(self, real: Tensor, real_labels: Tensor, drawn: Tensor, labels: Tensor) -> Tensor:
        """One step; its cross-entropy in nats, 2 ln 2 where it can only guess."""
        self._discriminator.requires_grad_(True)
        penalised = self._taken % self._settings.penalty_every == 0
        real = real.detach().requires_grad_(penalised)
        score = self._discriminator(real, real_labels)
        told = discriminator_loss(score, self._discriminator(drawn.detach(), labels))
        loss = told
        if penalised:  # only now and then, and then more of it, because it is dear
            weight = self._settings.penalty_weight * self._settings.penalty_every / 2
            loss = told + weight * gradient_penalty(score, real)
        self._descent.descend(loss)
        self._taken += 1
        return told.detach()

    def unfooled(self, drawn: Tensor, labels: Tensor) -> Tensor:
        """What the decoder minimises, a scalar in nats, ln 2 where this can only guess."""
        self._discriminator.requires_grad_(False)  # its own gradients would be for nothing
        return generator_loss(self._discriminator(drawn, labels))


class SharpenStage:
    """Lets discriminators and guide sharpen the decoder, held to the teacher by an anchor.

    The anchor compares means over blocks of pixels: there the teacher's blur does not show, but
    its shapes and styles do, so these stay and the edges are free to become sharp. Where the
    teacher itself draws something else than what it was asked for, the anchor lets go. Half as
    many real digits are redrawn from the noise that the teacher finds for them, under the same
    anchor, so that rare hands keep their places in the noise.
    """

    name = "sharpen"

    def __init__(
        self,
        decoder: Decoder,
        teacher: Teacher,
        guide: Guide,
        discriminators: tuple[Discriminator, Discriminator],
        lesson: Lesson,
        settings: SharpenSettings,
    ) -> None:
        self.result = decoder
        self.steps = settings.steps
        self._teacher = teacher
        self._guide = guide.eval().requires_grad_(False)
        self._pictures, self._features = (Rival(rival, settings) for rival in discriminators)
        self._lesson = lesson
        self._settings = settings
        self._descent = Descent(
            decoder, settings.learning_rate, settings.steps, settings.average, betas=BETAS
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        settings = self._settings
        images, real_labels = self._lesson.digits()
        noise, labels = self._lesson.noise(), self._lesson.labels()
        drawn = self.result(noise, labels)
        seen = self._guide.features(drawn)
        parts = {
            "pictures": self._pictures.learn(images, real_labels, drawn, labels),
            "features": self._features.learn(
                self._guide.features(images), real_labels, seen, labels
            ),
            "fooling": self._pictures.unfooled(drawn, labels)
            + settings.feature_weight * self._features.unfooled(seen, labels),
            "doubt": doubt(self._guide.scores(seen), labels, settings.sure_enough),
            "anchor": self._anchor(drawn, self._teacher.draw(noise, labels), labels),
            "redrawing": self._redrawing(images, real_labels),
        }
        self._descent.descend(
            parts["fooling"]
            + settings.doubt_weight * parts["doubt"]
            + settings.anchor_weight * (parts["anchor"] + parts["redrawing"])
        )
        return parts

    def _anchor(self, drawn: Tensor, taught: Tensor, labels: Tensor) -> Tensor:
        """The distance from the teacher's pictures, a scalar.

        Each image counts as much as the guide is sure of the label of the teacher's picture.
        """
        sure = torch.exp(-surprise(self._guide(taught), labels))  # (B,)
        return (sure * self._distance(drawn, taught)).mean()

    def _redrawing(self, images: Tensor, labels: Tensor) -> Tensor:
        """The distance of real digits from themselves as they are redrawn, a scalar."""
        images, labels = images[::2], labels[::2]
        noise = self._teacher.noise(images, labels, self._lesson.noise()[::2])
        return self._distance(self.result(noise, labels), images).mean() / 2

    def _distance(self, drawn: Tensor, aim: Tensor) -> Tensor:
        """Squared difference of block means, summed over an image's pixels, (B,)."""
        block = self._settings.anchor_block
        difference = functional.avg_pool2d((drawn - aim).unsqueeze(1), block)
        return difference.square().sum(dim=(1, 2, 3)) * block**2

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()
