"""The training loop: a data set in, a checkpoint folder out; resumable at every step.

All random numbers are keyed by (seed, epoch, step), so a run that was interrupted, or that is
divided among several processes, takes the same steps.
"""

import logging
import time
from collections.abc import Mapping
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from model.checkpoint import Checkpoint, Provenance
from model.cvae import CVAE
from model.objective import negative_elbo
from training.checkpoint.export import export_checkpoint, library_versions
from training.checkpoint.sheet import sample_sheet
from training.config import TrainingConfig
from training.console import LossBar, loss_text
from training.data import DataSet
from training.evaluation.loss import evaluate_loss, label_one_hot, loss_record
from training.interrupt import Interrupted, StopSwitch
from training.randomness import Purpose, keyed_rng
from training.snapshot import LossSum, Progress, load_snapshot, run_exists, save_snapshot

log = logging.getLogger(__name__)
SHEETS = 20  # of samples at most, evenly over the epochs


class DivergenceError(Exception):
    """The loss is not finite; the message is one full sentence."""


class Trainer:
    """One run: the network, its optimizer and its progress."""

    def __init__(self, config: TrainingConfig, fabric: Fabric, data: DataSet) -> None:
        self.config = config
        self.fabric = fabric
        self.data = data
        self.train = data.train
        self.test = data.test
        self.epochs = config.epochs_on(len(data.train))
        self.progress = Progress()
        self.cvae = CVAE(config.architecture(data.classes))
        self.cvae.initialise(keyed_rng(config.seed, Purpose.WEIGHTS))
        self.optimizer = torch.optim.Adam(self.cvae.parameters(), lr=config.learning_rate)
        # Training calls the wrapped network, which averages gradients over processes; self.cvae is
        # the network itself, with the same weights.
        step = cast(nn.Module, torch.compile(self.cvae)) if config.compile else self.cvae
        self.wrapped, self.wrapped_optimizer = fabric.setup(step, self.optimizer)
        self._resume_or_refuse()

    def fit(self) -> Checkpoint | None:
        """Train to the last epoch; the checkpoint, or None in a process other than the first.

        Raises:
            Interrupted: a stop signal came; a snapshot was saved.
            DivergenceError: the loss is not finite.
        """
        with StopSwitch() as switch:
            while self.progress.epoch < self.epochs:
                self._fit_epoch(switch)
                self._end_epoch()
        return self._write_checkpoint() if self.fabric.is_global_zero else None

    def _fit_epoch(self, switch: StopSwitch) -> None:
        order = torch.randperm(
            len(self.train),
            generator=keyed_rng(self.config.seed, Purpose.ORDER, self.progress.epoch),
        )
        batches = torch.split(order, self.config.batch_size)
        started = time.monotonic() - self.progress.epoch_seconds
        saved = time.monotonic()
        with self._bar(len(batches)) as bar:
            for indices in batches[self.progress.step :]:
                stop = self._step(indices, switch.requested)
                self.progress.epoch_seconds = time.monotonic() - started
                bar.update(self.progress.step, loss_text(self.progress.loss.mean()))
                if stop:
                    self._save()
                    raise Interrupted(
                        f"Stopped in epoch {self.progress.epoch + 1} after step "
                        f"{self.progress.step}; everything is saved, continue with --resume."
                    )
                if time.monotonic() - saved > self.config.snapshot_every_s:
                    self._save()
                    saved = time.monotonic()

    def _bar(self, steps: int) -> LossBar:
        name = f"epoch {self.progress.epoch + 1}/{self.epochs}"
        return LossBar(name, steps, enabled=self.fabric.is_global_zero)

    def _step(self, indices: torch.Tensor, stop: bool) -> bool:
        """Run one step on the images at `indices`; whether any process was asked to stop."""
        fabric, progress = self.fabric, self.progress
        noise = torch.randn(
            len(indices),
            self.cvae.config.latent,
            generator=keyed_rng(
                self.config.seed, Purpose.TRAINING_NOISE, progress.epoch, progress.step
            ),
        )
        share = slice(fabric.global_rank, None, fabric.world_size)  # of the batch, for this process
        images, labels = self.train.batch(indices[share], fabric.device)
        output = self.wrapped(
            images, label_one_hot(labels, self.cvae), noise[share].to(fabric.device)
        )
        loss = negative_elbo(output, images)
        # Gradients are averaged over processes. This makes them the mean over the whole batch, even
        # if the processes' shares differ by one image.
        mean = loss.total.sum() * (fabric.world_size / len(indices))
        self.wrapped_optimizer.zero_grad()
        fabric.backward(mean)
        self.wrapped_optimizer.step()
        parts = torch.stack([loss.reconstruction_nll.sum(), loss.kl.sum()]).detach().double()
        flag = torch.tensor([float(stop)], dtype=torch.float64, device=fabric.device)
        sums = fabric.all_reduce(torch.cat([parts, flag]), reduce_op="sum")
        nll, kl, stops = torch.as_tensor(sums).tolist()
        if not abs(nll + kl) < float("inf"):
            raise DivergenceError(
                f"The loss became {nll + kl} in epoch {progress.epoch + 1}, step "
                f"{progress.step + 1}; start again with a lower --learning-rate than "
                f"{self.config.learning_rate:g}. The last snapshot is kept."
            )
        progress.loss.add(len(indices), nll, kl)
        progress.step += 1
        return bool(stops)

    def _end_epoch(self) -> None:
        progress = self.progress
        started = time.monotonic()
        test = evaluate_loss(self.cvae, self.test, self.config.seed, self.fabric.device)
        progress.epoch_seconds += time.monotonic() - started
        losses = {
            "train": progress.loss.mean(),
            "test": test["bound"],
            "test_at_mean": test["at_mean"],
        }
        seconds = round(progress.epoch_seconds, 2)
        progress.history.append({"epoch": progress.epoch + 1, **losses, "seconds": seconds})
        progress.epoch += 1
        progress.step, progress.loss, progress.epoch_seconds = 0, LossSum(), 0.0
        if not self.fabric.is_global_zero:
            return
        log.info(
            "epoch %d/%d  train %s  test %s  nats  %.1f s",
            *(progress.epoch, self.epochs),
            *(loss_text(losses["train"]), loss_text(losses["test"]), seconds),
        )
        if progress.epoch % -(-self.epochs // SHEETS) == 0:
            self._write_samples()
        self._write_scalars(losses)
        self._save()

    def _write_samples(self) -> None:
        path = self.config.run_dir / "samples" / f"epoch-{self.progress.epoch:03d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sample_sheet(self.cvae, self.config.seed, self.fabric.device))

    def _write_scalars(self, losses: Mapping[str, Mapping[str, float]]) -> None:
        with SummaryWriter(str(self.config.run_dir / "tensorboard")) as writer:
            for split, loss in losses.items():
                for part, nats in loss.items():
                    writer.add_scalar(f"{part}/{split}", nats, self.progress.epoch)

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            save_snapshot(
                self.config.snapshot, self.config.recipe(), self.progress, self.cvae, self.optimizer
            )

    def _resume_or_refuse(self) -> None:
        if self.config.resume:
            self.progress = load_snapshot(
                self.config.snapshot, self.config.recipe(), self.cvae, self.optimizer
            )
            log.info(
                "resumed in epoch %d after step %d", self.progress.epoch + 1, self.progress.step
            )
        elif self.config.snapshot.exists():
            raise run_exists(self.config.run_dir)

    def _write_checkpoint(self) -> Checkpoint:
        config = self.config
        provenance = Provenance(
            data_set=self.data.name,
            data_subject=self.data.subject,
            data_about=self.data.about,
            train_images=len(self.train),
            test_images=len(self.test),
            seed=config.seed,
            epochs=self.progress.epoch,
            batch_size=config.batch_size,
            optimizer="Adam",
            learning_rate=config.learning_rate,
            objective="binary cross-entropy + KL, the negative evidence lower bound",
            versions=library_versions(),
        )
        folder = config.checkpoint_folder
        return export_checkpoint(
            folder,
            self.cvae,
            provenance,
            self._metrics(),
            self.fabric.device,
            self.data.label_names,
        )

    def _metrics(self) -> dict[str, object]:
        last, config = self.progress.history[-1], self.config
        return {
            "unit": "nats per image",
            "parameters": sum(parameter.numel() for parameter in self.cvae.parameters()),
            "test": loss_record(
                {"bound": last["test"], "at_mean": last["test_at_mean"]},
                len(self.test),
                config.seed,
            ),
            "training": {
                "images": len(self.train),
                "epochs": self.progress.epoch,
                "batch_size": config.batch_size,
                "optimizer": "Adam",
                "learning_rate": config.learning_rate,
                "seed": config.seed,
                "last_epoch": last["train"],
            },
            "history": self.progress.history,
        }
