"""Sharpening: trains the student's decoder against two discriminators, anchored to real digits.

The discriminator of pictures removes the blur. The discriminator of the guide's features makes
shapes as varied and as clear as real ones. The guide itself corrects ambiguous digits. When it is
refined, two statistics of form correct specks and strokes that end too early.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.cvae import Decoder
from training.fitting import OneCycleOptimizer
from training.sharp.batches import Batches
from training.sharp.discriminator import Discriminator, gradient_penalty, relativistic_loss
from training.sharp.form import excess, lone_ink, missing_reach
from training.sharp.guide import Guide, guide_loss
from training.sharp.recipe import RefineSettings, SharpenSettings
from training.sharp.stage import EMAOptimizer
from training.sharp.teacher import Teacher

BETAS = (0.0, 0.99)  # of AdamW, without momentum, which makes adversarial training oscillate


class Digits(NamedTuple):
    """What a discriminator sees of a batch."""

    inputs: Tensor  # (B, ...) float32, pictures or features
    noise: Tensor  # (B, Z) float32: drawn from it, or found by the teacher; 0 where it is hidden
    one_hot: Tensor  # (B, K) float32


class DiscriminatorTrainer:
    """Trains a discriminator, and computes the loss that it gives the decoder.

    Real and drawn digits are compared in pairs of the same label, so that no mode of the real ones
    can be given up for another.
    """

    def __init__(self, discriminator: Discriminator, settings: SharpenSettings) -> None:
        self._discriminator = discriminator.to(memory_format=torch.channels_last)
        self._settings = settings
        cycle = settings.cycle(betas=BETAS)
        self._optimizer = OneCycleOptimizer(
            discriminator, cycle._replace(learning_rate=settings.discriminator_learning_rate)
        )
        self._steps = 0

    def step(self, real: Digits, drawn: Digits) -> Tensor:
        """Run one step; the loss in nats, ln 2 for a discriminator that guesses."""
        self._discriminator.requires_grad_(True)
        # Lazy: every n steps, times n, because it is expensive.
        penalised = self._steps % self._settings.penalty_every == 0
        real, drawn = _detached(real, penalised), _detached(drawn, penalised)
        real_score = self._score(real, precise=penalised)
        drawn_score = self._score(drawn, precise=penalised)
        loss = relativistic_loss(real_score, drawn_score)
        objective = loss
        if penalised:
            weight = self._settings.penalty_weight * self._settings.penalty_every / 2
            at_real = gradient_penalty(real_score, real.inputs)
            objective = loss + weight * (at_real + gradient_penalty(drawn_score, drawn.inputs))
        self._optimizer.step(objective)
        self._steps += 1
        return loss.detach()

    def decoder_loss(self, real: Digits, drawn: Digits) -> Tensor:
        """The loss of the decoder, a scalar in nats, ln 2 for a discriminator that guesses."""
        self._discriminator.requires_grad_(False)  # its own gradients are not needed
        with torch.no_grad():
            real_score = self._score(real)
        return relativistic_loss(self._score(drawn), real_score)

    def _score(self, digits: Digits, precise: bool = False) -> Tensor:
        """The scores (B,); 16 bits do not suffice for the gradient of a gradient."""
        with half_precision(digits.inputs.device, self._settings.half_precision and not precise):
            return torch.as_tensor(self._discriminator(*digits))


class Sharpened(nn.Module):
    """A decoder and the two discriminators against which it is trained."""

    def __init__(self, decoder: Decoder, pictures: Discriminator, features: Discriminator) -> None:
        super().__init__()
        self.decoder = decoder
        self.pictures = pictures
        self.features = features


class SharpenStage:
    """Trains the decoder on the losses of discriminators and guide, and on an anchor.

    Half of a batch is drawn from fresh noise. The other half is redrawn: real digits, from the
    noise that the teacher finds for them. The anchor compares these with the real digits, in means
    over blocks of pixels and in the guide's features. So every handwriting keeps its place in the
    noise, and the edges are free to become sharp.
    """

    name = "sharpen"

    def __init__(
        self,
        networks: Sharpened,
        teacher: Teacher,
        guide: Guide,
        batches: Batches,
        settings: SharpenSettings,
    ) -> None:
        self.result = networks
        self.steps = settings.steps
        self._teacher = teacher
        self._guide = guide.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self._pictures, self._features = (
            DiscriminatorTrainer(discriminator, settings)
            for discriminator in (networks.pictures, networks.features)
        )
        self._batches = batches
        self._settings = settings
        self._optimizer = EMAOptimizer(
            networks.decoder, settings.cycle(betas=BETAS), settings.average
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        settings = self._settings
        images, one_hot = self._batches.digits()
        found = self._teacher.noise(images, one_hot, self._batches.noise())
        half = len(images) // 2
        noise = torch.cat([found[:half], self._batches.noise()[half:]])
        pixels = self.result.decoder(noise, one_hot)
        shown = self._batches.chosen(settings.noise_share)
        real = Digits(images, shown * found, one_hot)
        drawn = Digits(rounded(pixels), shown * noise, one_hot)
        real_features, features = (
            digits._replace(inputs=self._guide_features(digits.inputs)) for digits in (real, drawn)
        )
        redrawn = features.inputs[:half] - real_features.inputs[:half]
        parts = {
            "pictures": self._pictures.step(real, drawn),
            "features": self._features.step(real_features, features),
            "decoder": self._pictures.decoder_loss(real, drawn)
            + settings.feature_weight * self._features.decoder_loss(real_features, features),
            "guide": guide_loss(
                self._guide.scores(features.inputs), one_hot, settings.confidence_threshold
            ),
            "anchor": anchor_loss(pixels[:half], images[:half], settings.anchor_block),
            "feature anchor": redrawn.square().mean(),
        }
        further = self._further_losses(pixels, images)
        self._optimizer.step(
            parts["decoder"]
            + settings.guide_weight * parts["guide"]
            + settings.anchor_weight * parts["anchor"]
            + settings.feature_anchor_weight * parts["feature anchor"]
            + sum(further.values())
        )
        return parts | further

    def _further_losses(self, drawn: Tensor, real: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """Weighted losses of a stage that goes on from this, by name.

        Args:
            drawn: (B, H, W) float32, the batch of the step.
            real: (B, H, W) float32, of the same labels.
        """
        return {}

    def _guide_features(self, images: Tensor) -> Tensor:
        """The guide's feature maps of images (B, H, W)."""
        with half_precision(images.device, self._settings.half_precision):
            features = self._guide.features(images)
        return features.float()

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()


class RefineStage(SharpenStage):
    """Goes on with the same discriminators, and corrects the digits' form."""

    name = "refine"
    _settings: RefineSettings

    def _further_losses(self, drawn: Tensor, real: Tensor) -> dict[str, Tensor]:
        """See `SharpenStage`."""
        settings = self._settings
        found = {}
        if weight := settings.lone_ink_weight:
            found["lone ink"] = weight * excess(lone_ink(drawn), lone_ink(real))
        if weight := settings.reach_weight:
            found["missing reach"] = weight * excess(missing_reach(drawn), missing_reach(real))
        return found


def half_precision(device: torch.device, enabled: bool) -> torch.autocast:
    """A context in which convolutions and products have 16 bits (bfloat16)."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def rounded(pixels: Tensor) -> Tensor:
    """Pixels in [0, 1] rounded to 256 grey levels, with the gradient of the exact ones."""
    return pixels + ((pixels * 255).round() / 255 - pixels).detach()


def anchor_loss(drawn: Tensor, target: Tensor, block: int) -> Tensor:
    """The squared difference of block means, summed over an image's pixels, mean over the batch.

    Args:
        drawn: (B, H, W) float32.
        target: (B, H, W) float32.
        block: side of the blocks, in pixels.
    """
    difference = functional.avg_pool2d((drawn - target).unsqueeze(1), block)
    return (difference.square().sum(dim=(1, 2, 3)) * block**2).mean()


def _detached(digits: Digits, differentiable: bool) -> Digits:
    """The digits without their history, with a gradient of their inputs if that is needed."""
    return digits._replace(inputs=digits.inputs.detach().requires_grad_(differentiable))
