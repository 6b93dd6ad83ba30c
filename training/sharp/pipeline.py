"""The preset `sharp`: six stages from MNIST to a plain CVAE that is small and draws sharply.

1. teacher   a CVAE with a small KL weight: sharp, but with holes under N(0, I)
2. flow      the distribution of its latents for each label, as a flow from N(0, I)
3. distil    flow and teacher's decoder into one decoder of the article's cost
4. guide     a classifier of digits, to steer the next stage and for nothing else
5. sharpen   that decoder against two small discriminators, anchored to the teacher
6. encoder   the encoder that finds the noise of a given digit, on the negative ELBO

What comes out is a CVAE as any other: noise N(0, I) and a one-hot label in, a digit out.
"""

import logging
from typing import TypeVar

import torch
from torch import nn

from model.checkpoint import Checkpoint, Provenance
from model.cvae import CVAE, draw_weights
from training.checkpoint.export import hand_over, library_versions
from training.config import TrainingConfig
from training.data import LabelledImages
from training.evaluation.loss import evaluate_loss, loss_record
from training.interrupt import StopSwitch
from training.randomness import Purpose, keyed_generator
from training.sharp.batches import Lesson
from training.sharp.discriminator import FeatureDiscriminator, PictureDiscriminator
from training.sharp.flow import Flow
from training.sharp.guide import Guide, GuideStage
from training.sharp.recipe import Recipe
from training.sharp.sharpening import SharpenStage
from training.sharp.stage import Stage, run_stage
from training.sharp.student import DistilStage, EncoderStage
from training.sharp.teacher import FlowStage, Teacher, TeacherStage
from training.snapshot import SnapshotError

log = logging.getLogger(__name__)
STAGES = ("teacher", "flow", "distil", "guide", "sharpen", "encoder")  # in order
ALIGNMENT_NOISES = 2000  # to learn from how the teacher's styles depend on the noise
M = TypeVar("M", bound=nn.Module)


class Course:
    """One run of all stages."""

    def __init__(
        self,
        config: TrainingConfig,
        recipe: Recipe,
        train: LabelledImages,
        test: LabelledImages,
        device: torch.device,
    ) -> None:
        self.config = config
        self.recipe = recipe
        self.train = train
        self.test = test
        self.device = device
        self._folder = config.run_dir / "stages"
        if self._folder.exists() and not config.resume:
            raise SnapshotError(
                f"The folder {config.run_dir} already holds a run; continue it with "
                "--resume, choose another --run-dir, or remove the folder to begin anew."
            )

    def fit(self) -> Checkpoint:
        """Take all stages that are not done yet, and write the checkpoint.

        Raises:
            Interrupted: a stop signal came; the stages that were done are saved.
        """
        with StopSwitch() as switch:
            teacher = self._teach(switch)
            cvae = self._learn(teacher, switch)
        return self._write_checkpoint(cvae)

    def _teach(self, switch: StopSwitch) -> Teacher:
        recipe, architecture = self.recipe, self.recipe.teacher_architecture
        cvae, lesson = self._begin(1, CVAE(architecture), recipe.teacher.batch_size)
        self._run(TeacherStage(cvae, lesson, recipe.teacher), switch)
        flow = Flow(architecture.latent, architecture.classes, recipe.flow.depth, recipe.flow.width)
        flow, lesson = self._begin(2, flow, recipe.flow.batch_size)
        self._run(FlowStage(flow, cvae, lesson, recipe.flow), switch)
        teacher = Teacher(cvae, flow).to(self.device)
        generator = keyed_generator(self.config.seed, Purpose.ALIGNMENT)
        noise = torch.randn(ALIGNMENT_NOISES, architecture.latent, generator=generator)
        teacher.align(noise.to(self.device))
        return teacher

    def _learn(self, teacher: Teacher, switch: StopSwitch) -> CVAE:
        recipe = self.recipe
        cvae, lesson = self._begin(3, CVAE(recipe.architecture), recipe.distil.batch_size)
        self._run(DistilStage(cvae.decoder, teacher, lesson, recipe.distil), switch)
        classes, sharpen = recipe.architecture.classes, recipe.sharpen
        guide, lesson = self._begin(4, Guide(classes, recipe.guide.width), recipe.guide.batch_size)
        self._run(GuideStage(guide, lesson, recipe.guide), switch)
        pictures = PictureDiscriminator(classes, sharpen.discriminator_width)
        features = FeatureDiscriminator(guide.channels, classes, sharpen.feature_width)
        _, lesson = self._begin(5, nn.ModuleList([pictures, features]), sharpen.batch_size)
        rivals = pictures, features
        self._run(SharpenStage(cvae.decoder, teacher, guide, rivals, lesson, sharpen), switch)
        encoder, lesson = self._begin(6, cvae.encoder, recipe.encoder.batch_size)
        self._run(EncoderStage(encoder, cvae.decoder, lesson, recipe.encoder), switch)
        return cvae.eval()

    def _begin(self, number: int, module: M, batch_size: int) -> tuple[M, Lesson]:
        """A new module's weights and its stage's material, both keyed by the stage's number."""
        generator = keyed_generator(self.config.seed, Purpose.STAGE, number)
        draw_weights(module, generator)
        return module.to(self.device), self._lesson(batch_size, generator)

    def _run(self, stage: Stage, switch: StopSwitch) -> None:
        """Take a stage, from its file where there is one; a file knows all settings before it."""
        path = self._folder / f"{stage.name}.safetensors"
        run_stage(stage, path, self._settings_up_to(stage.name), switch)

    def _settings_up_to(self, name: str) -> dict[str, object]:
        settings = {"seed": self.config.seed, **self.recipe.model_dump(mode="json")}
        stages = [stage for stage in STAGES if STAGES.index(stage) <= STAGES.index(name)]
        return {key: value for key, value in settings.items() if key not in STAGES or key in stages}

    def _lesson(self, batch_size: int, generator: torch.Generator) -> Lesson:
        network = self.recipe.architecture
        return Lesson(
            self.train, batch_size, network.classes, network.latent, generator, self.device
        )

    def _write_checkpoint(self, cvae: CVAE) -> Checkpoint:
        first, recipe = self.recipe.teacher, self.recipe.model_dump(mode="json")
        images = sum(recipe[name]["steps"] * recipe[name]["batch_size"] for name in STAGES)
        provenance = Provenance(
            data_set="MNIST",
            train_images=len(self.train),
            test_images=len(self.test),
            seed=self.config.seed,
            epochs=images // len(self.train),
            batch_size=first.batch_size,
            optimizer="AdamW, one cycle, averaged weights",
            learning_rate=first.learning_rate,
            objective=f"six stages: {', '.join(STAGES)}",
            versions=library_versions(),
            recipe=recipe,
        )
        loss = evaluate_loss(cvae, self.test, self.config.seed, self.device)
        metrics = {
            "unit": "nats per image",
            "parameters": sum(parameter.numel() for parameter in cvae.parameters()),
            "test": loss_record(loss, len(self.test), self.config.seed),
        }
        folder = self.config.checkpoint_folder
        return hand_over(folder, cvae, provenance, metrics, self.device)
