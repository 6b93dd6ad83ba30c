import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import (
    DECODER,
    PAYLOAD,
    PRETRAINED,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    Provenance,
    read_checkpoint,
    sha256,
    write_checkpoint,
)
from model.config import CVAEConfig
from model.cvae import CVAE
from model.engine import EngineError, Precision
from model.export import save_cvae
from model.generator import open_generator
from model.noise import line_noise
from model.onnx_engine import OnnxEngine
from tests.conftest import ROOT

ONE_HOT = np.eye(10, dtype=np.float32)


def test_draw_gives_one_picture_for_each_label(tiny_checkpoint: Checkpoint) -> None:
    pictures = open_generator(tiny_checkpoint).draw(ONE_HOT, line_noise(0, 0, 10, 6))
    assert pictures.shape == (10, 28, 28)
    assert pictures.dtype == np.uint8


def test_draw_picture_does_not_depend_on_the_others(tiny_checkpoint: Checkpoint) -> None:
    generator, noise = open_generator(tiny_checkpoint), line_noise(0, 0, 10, 6)
    together = generator.draw(ONE_HOT, noise).astype(int)
    for label in range(10):
        alone = generator.draw(ONE_HOT[label : label + 1], noise[label : label + 1])
        # Another batch size may take another matrix kernel: at most one grey level.
        assert abs(together[label] - alone[0]).max() <= 1


def test_draw_rounds_to_the_nearest_grey_level(tiny_checkpoint: Checkpoint) -> None:
    generator, noise = open_generator(tiny_checkpoint), line_noise(0, 0, 10, 6)
    pixels = OnnxEngine(tiny_checkpoint).decode(noise, ONE_HOT)
    assert abs(generator.draw(ONE_HOT, noise) - pixels * 255).max() <= 0.501


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_engines_agree_to_one_grey_level(precision: Precision) -> None:
    """With the checkpoint that ships."""
    checkpoint = read_checkpoint(PRETRAINED)
    noise = line_noise(1, 0, 40, checkpoint.config.latent)
    one_hot = np.tile(ONE_HOT, (4, 1))
    drawn = [
        open_generator(checkpoint, name, precision).draw(one_hot, noise).astype(int)
        for name in ("onnx", "torch")
    ]
    assert abs(drawn[0] - drawn[1]).max() <= 1


def test_engines_agree_on_the_style_of_a_picture(tiny_checkpoint: Checkpoint) -> None:
    pixels = np.random.default_rng(0).random((10, 28, 28), dtype=np.float32)
    styles = [
        open_generator(tiny_checkpoint, name).style(pixels, ONE_HOT) for name in ("onnx", "torch")
    ]
    assert styles[0].shape == (10, 6)
    np.testing.assert_allclose(styles[0], styles[1], atol=1e-5)


def test_int8_draws_nearly_the_same() -> None:
    """With the checkpoint that ships: less than a grey level apart on average."""
    checkpoint = read_checkpoint(PRETRAINED)
    noise = np.concatenate([line_noise(0, row, 10, checkpoint.config.latent) for row in range(20)])
    one_hot = np.tile(ONE_HOT, (20, 1))
    exact, rounded = (
        open_generator(checkpoint, "onnx", precision).draw(one_hot, noise).astype(int)
        for precision in ("float", "int8")
    )
    assert 0 < abs(exact - rounded).mean() < 1
    assert np.percentile(abs(exact - rounded), 99) < 20


def test_int8_draws_a_digit_the_same_among_any_others() -> None:
    checkpoint = read_checkpoint(PRETRAINED)
    generator, size = open_generator(checkpoint, precision="int8"), checkpoint.config.latent
    noise = line_noise(0, 0, 10, size)
    together = generator.draw(ONE_HOT, noise)
    wild = generator.draw(ONE_HOT, np.vstack([noise[:1], 10 * noise[1:]]))
    assert abs(together[0].astype(int) - wild[0]).max() <= 1
    alone = generator.draw(ONE_HOT[:1], noise[:1])
    assert abs(together[0].astype(int) - alone[0]).max() <= 1


def test_int8_without_its_file_raises(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = {name: (tiny_checkpoint.folder / name).read_bytes() for name in PAYLOAD}
    without = write_checkpoint(
        tmp_path / "old", tiny_checkpoint.config, provenance, files, lambda _: None
    )
    with pytest.raises(CheckpointError, match=r"has no decoder.int8.onnx, which the precision"):
        open_generator(without, precision="int8")


def test_one_hot_is_1_at_the_label(tiny_checkpoint: Checkpoint) -> None:
    found = open_generator(tiny_checkpoint).one_hot(np.array([3, 0]))
    assert found.tolist() == [ONE_HOT[3].tolist(), ONE_HOT[0].tolist()]


def test_draw_between_two_labels_is_neither(tiny_checkpoint: Checkpoint) -> None:
    generator, noise = open_generator(tiny_checkpoint), np.zeros((3, 6), np.float32)
    mixed = np.stack([ONE_HOT[1], (ONE_HOT[1] + ONE_HOT[7]) / 2, ONE_HOT[7]])
    one, between, seven = generator.draw(mixed, noise)
    assert not np.array_equal(between, one)
    assert not np.array_equal(between, seven)


def test_read_recognises_what_the_model_itself_drew() -> None:
    generator = open_generator(read_checkpoint(PRETRAINED))
    typical = generator.engine.decode(np.zeros((10, generator.config.latent), np.float32), ONE_HOT)
    assert [generator.read(pixels) for pixels in typical] == list(range(10))


def test_open_unconditional_checkpoint_raises(
    tiny_config: CVAEConfig, provenance: Provenance, documents: dict[str, bytes], tmp_path: Path
) -> None:
    vae = CVAE(tiny_config.model_copy(update={"conditional": False}))
    checkpoint = save_cvae(tmp_path / "vae", vae, provenance, documents)
    with pytest.raises(CheckpointError, match="is an unconditional VAE and cannot draw the digit"):
        open_generator(checkpoint)


def test_open_graph_that_is_none_raises(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy"))
    (folder / DECODER).write_bytes(b"no graph")
    digests = {**tiny_checkpoint.manifest.sha256, DECODER: sha256(b"no graph")}
    broken = Checkpoint(folder, tiny_checkpoint.manifest.model_copy(update={"sha256": digests}), {})
    with pytest.raises(CheckpointError, match=r"decoder.onnx cannot be run by ONNX Runtime 1"):
        open_generator(broken)


def test_open_graph_of_another_architecture_raises(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy"))
    shutil.copy(folder / "encoder.onnx", folder / DECODER)
    digests = dict(tiny_checkpoint.manifest.sha256)
    digests[DECODER] = digests["encoder.onnx"]
    manifest = tiny_checkpoint.manifest.model_copy(update={"sha256": digests})
    swapped = Checkpoint(folder, manifest, {})
    with pytest.raises(CheckpointError, match=r"decoder.onnx does not fit its config.json"):
        open_generator(swapped)


def test_open_torch_engine_without_torch_raises(
    tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "model.torch_engine", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)  # what an import of it then finds
    with pytest.raises(EngineError, match="torch is not installed; run `make install`, or set"):
        open_generator(tiny_checkpoint, "torch")


def test_open_generator_weights_changed_since_they_were_read_raises(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))
    checkpoint = read_checkpoint(folder)
    generator = open_generator(checkpoint)
    drawn = generator.draw(generator.one_hot(np.array([1])), line_noise(7, 0, 1, 6))
    (folder / WEIGHTS).write_bytes(b"damaged")  # in place, as a careless copy does
    again = generator.draw(generator.one_hot(np.array([1])), line_noise(7, 0, 1, 6))
    assert (drawn == again).all()
    with pytest.raises(CheckpointError, match=r"model.safetensors cannot be used: found sha256"):
        open_generator(checkpoint)


def test_drawing_leaves_and_sends_nothing_about_its_use(tmp_path: Path) -> None:
    """ONNX Runtime's telemetry would write below the home folder before it sends."""
    script = (
        "from model.checkpoint import PRETRAINED, read_checkpoint;"
        "from model.engine import open_generator; open_generatorread_checkpointPRETRAINED"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "ORT_DISABLE_TELEMETRY": ""}
    environment = {name: value for name, value in {**os.environ, **home}.items() if value}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
