"""The pipeline of the preset `sharp`: seven stages from MNIST to a small CVAE with sharp samples.

1. teacher   a CVAE with a small KL weight: sharp, but its latents are not distributed as N(0, I)
2. flow      a normalising flow from N(0, I) to the teacher's latents, for each label
3. distil    flow and teacher's decoder into one decoder with the cost of the article's
4. guide     a classifier of digits that steers the next stage
5. sharpen   trains the decoder against two small discriminators, anchored to the teacher
6. refine    goes on briefly, with more weight on clear shapes, and corrects specks and ink that
             ends too early
7. encoder   an encoder that finds the noise of a given digit, on the negative ELBO

The result is an ordinary CVAE: noise N(0, I) and a one-hot label in, a digit out.
"""

import logging
from typing import TypeVar

import torch
from torch import nn

from model.checkpoint import Checkpoint, Provenance
from model.cvae import CVAE, draw_weights
from training.boxes import as_network_sees
from training.checkpoint.export import export_checkpoint, library_versions
from training.config import TrainingConfig
from training.data import DataSet
from training.evaluation.loss import evaluate_loss, loss_record
from training.interrupt import StopSwitch
from training.randomness import Purpose, keyed_rng
from training.sharp.batches import Batches
from training.sharp.discriminator import Discriminator, FeatureDiscriminator, PictureDiscriminator
from training.sharp.flow import Flow
from training.sharp.guide import Guide, GuideStage
from training.sharp.recipe import Recipe, SharpenSettings
from training.sharp.sharpening import RefineStage, Sharpened, SharpenStage
from training.sharp.stage import Stage, run_stage
from training.sharp.student import DistilStage, EncoderStage
from training.sharp.subpixels import FieldDecoder
from training.sharp.teacher import FlowStage, Teacher, TeacherStage
from training.snapshot import run_exists

log = logging.getLogger(__name__)
STAGES = ("teacher", "flow", "distil", "guide", "sharpen", "refine", "encoder")  # in order
ALIGNMENT_NOISES = 2000  # to estimate how the teacher's style depends on the noise
M = TypeVar("M", bound=nn.Module)


def aligned_teacher(cvae: CVAE, flow: Flow, seed: int) -> Teacher:
    """The teacher of a run with this seed, from its first two stages, on their device."""
    teacher = Teacher(cvae, flow)
    rng = keyed_rng(seed, Purpose.ALIGNMENT)
    noise = torch.randn(ALIGNMENT_NOISES, cvae.config.latent, generator=rng)
    teacher.align(noise.to(teacher.rotations.device))
    return teacher


class Pipeline:
    """One run of all stages."""

    def __init__(
        self,
        config: TrainingConfig,
        recipe: Recipe,
        data: DataSet,
        device: torch.device,
    ) -> None:
        self.config = config
        self.recipe = recipe.fitted(data)
        self.data = data
        self.train = as_network_sees(data.train, self.recipe.architecture)
        self.test = as_network_sees(data.test, self.recipe.architecture)
        log.info("%s", self._form())
        self.device = device
        self._folder = config.stages
        if self._folder.exists() and not config.resume:
            raise run_exists(config.run_dir)

    def fit(self) -> Checkpoint:
        """Run the stages that are not complete, and write the checkpoint.

        Raises:
            Interrupted: a stop signal came; completed stages are saved.
        """
        with StopSwitch() as switch:
            teacher = self._train_teacher(switch)
            cvae = self._train_student(teacher, switch)
        return self._write_checkpoint(cvae)

    def _train_teacher(self, switch: StopSwitch) -> Teacher:
        recipe, architecture = self.recipe, self.recipe.teacher_architecture
        cvae, batches = self._begin(1, CVAE(architecture), recipe.teacher.batch_size)
        self._run(TeacherStage(cvae, batches, recipe.teacher), switch)
        flow = Flow(architecture.latent, architecture.classes, recipe.flow.depth, recipe.flow.width)
        flow, batches = self._begin(2, flow, recipe.flow.batch_size)
        self._run(FlowStage(flow, cvae, batches, recipe.flow), switch)
        return aligned_teacher(cvae, flow.to(self.device), self.config.seed)

    def _train_student(self, teacher: Teacher, switch: StopSwitch) -> CVAE:
        recipe = self.recipe
        decoder, batches = self._begin(
            3, FieldDecoder(recipe.architecture), recipe.distil.batch_size
        )
        self._run(DistilStage(decoder, teacher, batches, recipe.distil), switch)
        network = recipe.architecture
        guide = Guide(network.image_height, network.classes, recipe.guide.width)
        guide, batches = self._begin(4, guide, recipe.guide.batch_size)
        self._run(GuideStage(guide, batches, recipe.guide), switch)
        discriminators, batches = self._discriminators(guide.channels, recipe.sharpen)
        networks = Sharpened(decoder, *discriminators)
        self._run(SharpenStage(networks, teacher, guide, batches, recipe.sharpen), switch)
        rng = keyed_rng(self.config.seed, Purpose.STAGE, 6)
        batches = self._batches(recipe.refine.batch_size, rng)
        self._run(RefineStage(networks, teacher, guide, batches, recipe.refine), switch)
        cvae = CVAE(network).to(self.device)
        cvae.decoder.load_state_dict(decoder.weights())
        encoder, batches = self._begin(7, cvae.encoder, recipe.encoder.batch_size)
        self._run(EncoderStage(encoder, cvae.decoder, batches, recipe.encoder), switch)
        return cvae.eval()

    def _discriminators(
        self, channels: int, settings: SharpenSettings
    ) -> tuple[tuple[Discriminator, Discriminator], Batches]:
        """The discriminators of pictures and of the guide's features, and the stage's batches."""
        network = self.recipe.architecture
        side, sizes = network.image_height, (network.classes, network.latent)
        pictures = PictureDiscriminator(side, *sizes, settings.discriminator_width)
        features = FeatureDiscriminator(side, channels, *sizes, settings.feature_width)
        _, batches = self._begin(5, nn.ModuleList([pictures, features]), settings.batch_size)
        return (pictures, features), batches

    def _begin(self, number: int, module: M, batch_size: int) -> tuple[M, Batches]:
        """Initialise a module and make the batches of its stage, both by the stage's number."""
        rng = keyed_rng(self.config.seed, Purpose.STAGE, number)
        draw_weights(module, rng)
        return module.to(self.device), self._batches(batch_size, rng)

    def _batches(self, batch_size: int, rng: torch.Generator) -> Batches:
        network = self.recipe.architecture
        return Batches(self.train, batch_size, network.classes, network.latent, rng, self.device)

    def _run(self, stage: Stage, switch: StopSwitch) -> None:
        """Run a stage, or load its file, which also has the settings of the stages before it."""
        path = self._folder / f"{stage.name}.safetensors"
        run_stage(stage, path, self._settings_up_to(stage.name), switch)

    def _settings_up_to(self, name: str) -> dict[str, object]:
        settings = {"seed": self.config.seed, **self.recipe.model_dump(mode="json")}
        stages = [stage for stage in STAGES if STAGES.index(stage) <= STAGES.index(name)]
        return {key: value for key, value in settings.items() if key not in STAGES or key in stages}

    def _form(self) -> str:
        network = self.recipe.architecture
        height, width = network.image_height, network.image_width
        if network.canvas is None:
            return f"the network draws whole pictures of {height} x {width} pixels"
        return (
            f"the training images are boxes of {height} x {width} pixels, placed by their centre "
            "of mass; the network draws the box"
        )

    def _write_checkpoint(self, cvae: CVAE) -> Checkpoint:
        first, recipe = self.recipe.teacher, self.recipe.model_dump(mode="json")
        images = sum(recipe[name]["steps"] * recipe[name]["batch_size"] for name in STAGES)
        provenance = Provenance(
            data_set=self.data.name,
            data_subject=self.data.subject,
            data_about=self.data.about,
            train_images=len(self.train),
            test_images=len(self.test),
            seed=self.config.seed,
            epochs=images // len(self.train),
            batch_size=first.batch_size,
            optimizer="AdamW, one cycle, averaged weights",
            learning_rate=first.learning_rate,
            objective=f"seven stages: {', '.join(STAGES)}",
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
        names = self.data.label_names
        return export_checkpoint(folder, cvae, provenance, metrics, self.device, names)
