"""Sharpening: trains the student's decoder against two discriminators, anchored to the teacher.

The discriminator of pictures removes the blur. The discriminator of the guide's features makes
shapes as varied and as clear as real ones. The guide itself corrects ambiguous digits.
"""

import torch
from torch import Tensor
from torch.nn import functional

from model.cvae import Decoder
from training.sharp.batches import Batches
from training.sharp.discriminator import (
    Discriminator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from training.sharp.guide import Guide, cross_entropy, guide_loss
from training.sharp.recipe import SharpenSettings
from training.sharp.stage import EMAOptimizer
from training.sharp.teacher import Teacher

BETAS = (0.0, 0.99)  # of AdamW, without momentum, which makes adversarial training oscillate


class DiscriminatorTrainer:
    """Trains a discriminator, and computes the loss that it gives the decoder."""

    def __init__(self, discriminator: Discriminator, settings: SharpenSettings) -> None:
        self._discriminator = discriminator
        self._settings = settings
        self._optimizer = EMAOptimizer(
            discriminator,
            settings.discriminator_learning_rate,
            settings.steps,
            settings.average,
            betas=BETAS,
        )
        self._steps = 0

    def step(self, real: Tensor, real_labels: Tensor, drawn: Tensor, labels: Tensor) -> Tensor:
        """Run one step; the loss in nats, 2 ln 2 for a discriminator that guesses."""
        self._discriminator.requires_grad_(True)
        penalised = self._steps % self._settings.penalty_every == 0
        real = real.detach().requires_grad_(penalised)
        score = self._discriminator(real, real_labels)
        loss = discriminator_loss(score, self._discriminator(drawn.detach(), labels))
        objective = loss
        if penalised:  # lazy: every n steps, times n, because it is expensive
            weight = self._settings.penalty_weight * self._settings.penalty_every / 2
            objective = loss + weight * gradient_penalty(score, real)
        self._optimizer.step(objective)
        self._steps += 1
        return loss.detach()

    def generator_loss(self, drawn: Tensor, labels: Tensor) -> Tensor:
        """The loss of the decoder, a scalar in nats, ln 2 for a discriminator that guesses."""
        self._discriminator.requires_grad_(False)  # its own gradients are not needed
        return generator_loss(self._discriminator(drawn, labels))


class SharpenStage:
    """Trains the decoder on the losses of discriminators and guide, and on an anchor.

    The anchor compares means over blocks of pixels with the teacher's pictures. It keeps shapes and
    styles, and leaves the edges free to become sharp. Its weight is lower where the teacher's own
    picture is ambiguous. The decoder also reconstructs real digits, half a batch per step, from the
    noise that the teacher finds for them, so that rare handwritings keep their place in the noise.
    """

    name = "sharpen"

    def __init__(
        self,
        decoder: Decoder,
        teacher: Teacher,
        guide: Guide,
        discriminators: tuple[Discriminator, Discriminator],
        batches: Batches,
        settings: SharpenSettings,
    ) -> None:
        self.result = decoder
        self.steps = settings.steps
        self._teacher = teacher
        self._guide = guide.eval().requires_grad_(False)
        self._pictures, self._features = (
            DiscriminatorTrainer(discriminator, settings) for discriminator in discriminators
        )
        self._batches = batches
        self._settings = settings
        self._optimizer = EMAOptimizer(
            decoder, settings.learning_rate, settings.steps, settings.average, betas=BETAS
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        settings = self._settings
        images, real_labels = self._batches.digits()
        noise, labels = self._batches.noise(), self._batches.labels()
        drawn = self.result(noise, labels)
        features = self._guide.features(drawn)
        parts = {
            "pictures": self._pictures.step(images, real_labels, drawn, labels),
            "features": self._features.step(
                self._guide.features(images), real_labels, features, labels
            ),
            "generator": self._pictures.generator_loss(drawn, labels)
            + settings.feature_weight * self._features.generator_loss(features, labels),
            "guide": guide_loss(
                self._guide.scores(features), labels, settings.confidence_threshold
            ),
            "anchor": self._anchor(drawn, noise, labels),
            "reconstruction": self._reconstruction(images, real_labels),
        }
        self._optimizer.step(
            parts["generator"]
            + settings.guide_weight * parts["guide"]
            + settings.anchor_weight * (parts["anchor"] + parts["reconstruction"])
        )
        return parts

    def _anchor(self, drawn: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        """The distance from the teacher's pictures of the same noise, a scalar."""
        taught = self._teacher.draw(noise, labels)
        confidence = torch.exp(-cross_entropy(self._guide(taught), labels))  # (B,)
        return anchor_loss(drawn, taught, confidence, self._settings.anchor_block)

    def _reconstruction(self, images: Tensor, labels: Tensor) -> Tensor:
        """The distance of real digits from their reconstructions, a scalar."""
        images, labels = images[::2], labels[::2]
        noise = self._teacher.noise(images, labels, self._batches.noise()[::2])
        redrawn, certain = self.result(noise, labels), torch.ones(len(images), device=noise.device)
        return anchor_loss(redrawn, images, certain, self._settings.anchor_block) / 2

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()


def anchor_loss(drawn: Tensor, target: Tensor, confidence: Tensor, block: int) -> Tensor:
    """The squared difference of block means, summed over an image's pixels, mean over the batch.

    Args:
        drawn: (B, H, W) float32.
        target: (B, H, W) float32.
        confidence: (B,) float32, the weight of each image, in [0, 1].
        block: side of the blocks, in pixels.
    """
    difference = functional.avg_pool2d((drawn - target).unsqueeze(1), block)
    return (confidence * difference.square().sum(dim=(1, 2, 3)) * block**2).mean()
