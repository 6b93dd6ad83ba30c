import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy
import torch
from onnx import helper, numpy_helper

from model.box import crop, place
from model.checkpoint import (
    DECODER,
    ENCODER,
    PAYLOAD,
    PRETRAINED,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
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
from model.engine import EngineError, EngineName, Precision
from model.export import save_cvae
from model.generator import Generator, open_generator
from model.noise import line_noise
from tests.conftest import ROOT

ONE_HOT = np.eye(10, dtype=np.float32)
NOISE = line_noise(0, 0, 10, 6)


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return read_checkpoint(PRETRAINED)


@pytest.fixture(scope="module")
def generator(tiny_checkpoint: Checkpoint) -> Generator:
    return open_generator(tiny_checkpoint)


@pytest.fixture
def copy(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Checkpoint:
    """A copy of the tiny checkpoint, to change."""
    return read_checkpoint(Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy")))


def grey_levels(pictures: np.ndarray) -> np.ndarray:
    """With a sign, for differences."""
    return pictures.astype(int)


def test_draw_returns_one_picture_for_each_label(generator: Generator) -> None:
    pictures = generator.draw(generator.one_hot(np.arange(10)), NOISE)
    assert pictures.shape == (10, 28, 28)
    assert pictures.dtype == np.uint8
    assert abs(pictures - generator.engine.decode(NOISE, ONE_HOT) * 255).max() <= 0.501


def test_box_is_placed_by_its_centre_of_mass(
    tiny_config: CVAEConfig, provenance: Provenance, documents: dict[str, bytes], tmp_path: Path
) -> None:
    form = {"image_height": 20, "image_width": 20, "canvas": 28, "overshoot": 0.1}
    cvae = CVAE(tiny_config.model_copy(update=form))
    checkpoint = save_cvae(tmp_path / "box", cvae, provenance, documents)
    engines: tuple[EngineName, ...] = ("onnx", "torch")
    precisions: tuple[Precision, ...] = ("float", "int8")
    for engine, precision in product(engines, precisions):
        generator = open_generator(checkpoint, engine, precision)
        pictures = generator.draw(ONE_HOT, NOISE)
        assert pictures.shape == (10, 28, 28)
        assert np.array_equal(place(crop(pictures, 20, 20), 28), pictures)
        if precision == "float":
            boxes = np.rint(generator.engine.decode(NOISE, ONE_HOT) * 255).astype(np.uint8)
            assert np.array_equal(pictures, place(boxes, 28))
        style = generator.style((pictures / 255).astype(np.float32), ONE_HOT)
        assert style.shape == (10, 6)


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_engines_draw_nearly_the_same(bundled: Checkpoint, precision: Precision) -> None:
    noise = line_noise(1, 0, 40, bundled.config.latent)
    one_hot = np.tile(ONE_HOT, (4, 1))
    onnx, torch = (
        grey_levels(open_generator(bundled, name, precision).draw(one_hot, noise))
        for name in ("onnx", "torch")
    )
    differences = abs(onnx - torch).max(axis=(1, 2))
    # With MKL_CBWR=COMPATIBLE, 8 digits of 10,000 differ by more, two of them by their place.
    assert np.count_nonzero(differences > 1) <= 2


def test_engines_agree_on_the_style_of_a_picture(tiny_checkpoint: Checkpoint) -> None:
    pixels = np.random.default_rng(0).random((10, 28, 28), dtype=np.float32)
    onnx, torch = (
        open_generator(tiny_checkpoint, name).style(pixels, ONE_HOT) for name in ("onnx", "torch")
    )
    assert onnx.shape == (10, 6)
    np.testing.assert_allclose(onnx, torch, atol=1e-5)


def test_int8_differs_by_about_a_grey_level_on_average(bundled: Checkpoint) -> None:
    noise = np.concatenate([line_noise(0, row, 10, bundled.config.latent) for row in range(20)])
    one_hot = np.tile(ONE_HOT, (20, 1))
    inputs = {"noise": noise, "one_hot": one_hot}
    exact, rounded = (  # before they are placed, which may differ by a pixel
        np.asarray(onnxruntime.InferenceSession(bundled.folder / graph).run(None, inputs)[0])
        for graph in (DECODER, ROUNDED_DECODER)
    )
    assert 0 < abs(255 * exact - rounded).mean() < 1.2  # measured: 1.07
    assert np.percentile(abs(255 * exact - rounded), 99) < 20


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_draw_picture_does_not_depend_on_the_others(
    bundled: Checkpoint, precision: Precision
) -> None:
    generator = open_generator(bundled, precision=precision)
    noise = line_noise(0, 0, 10, bundled.config.latent)
    together = grey_levels(generator.draw(ONE_HOT, noise))
    extreme = generator.draw(ONE_HOT, np.vstack([noise[:1], 10 * noise[1:]]))
    assert abs(together[0] - extreme[0]).max() <= 1
    for label in range(10):
        alone = generator.draw(ONE_HOT[label : label + 1], noise[label : label + 1])
        # Another batch size may use another matrix kernel: at most one grey level.
        assert abs(together[label] - alone[0]).max() <= 1


def test_draw_between_two_labels_is_neither(generator: Generator) -> None:
    mixed = np.stack([ONE_HOT[1], (ONE_HOT[1] + ONE_HOT[7]) / 2, ONE_HOT[7]])
    one, between, seven = generator.draw(mixed, np.zeros((3, 6), np.float32))
    assert not np.array_equal(between, one)
    assert not np.array_equal(between, seven)


def test_read_recognises_what_the_model_drew(bundled: Checkpoint) -> None:
    generator = open_generator(bundled)
    typical = generator.draw(ONE_HOT, np.zeros((10, bundled.config.latent), np.float32))
    assert [generator.read(levels.astype(np.float32) / 255) for levels in typical] == list(
        range(10)
    )


def test_open_int8_without_its_file_raises(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = {name: (tiny_checkpoint.folder / name).read_bytes() for name in PAYLOAD}
    without = write_checkpoint(
        tmp_path / "old", tiny_checkpoint.config, provenance, files, lambda _: None
    )
    with pytest.raises(CheckpointError, match=r"has no decoder.int8.onnx, which the precision"):
        open_generator(without, precision="int8")


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_unconditional_generator_draws_from_noise_alone(
    tiny_config: CVAEConfig,
    provenance: Provenance,
    documents: dict[str, bytes],
    tmp_path: Path,
    name: EngineName,
) -> None:
    vae = CVAE(tiny_config.model_copy(update={"conditional": False}))
    vae.initialise(torch.Generator().manual_seed(0))
    checkpoint = save_cvae(tmp_path / "vae", vae, provenance, documents)
    generator = open_generator(checkpoint, name)
    one_hot = generator.one_hot(np.array([0, 7]))
    assert one_hot.shape == (2, 0)
    noise = line_noise(1, 0, 2, tiny_config.latent)
    pictures = generator.draw(one_hot, noise)
    expected = vae.eval().decoder(torch.from_numpy(noise.copy())).detach().numpy()
    assert abs(pictures - expected * 255).max() <= 0.6
    assert generator.style(expected, one_hot).shape == noise.shape


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (b"not a graph", r"decoder.onnx cannot be run by ONNX Runtime 1"),
        (ENCODER, r"decoder.onnx does not fit its config.json"),
    ],
    ids=["damaged", "of the encoder"],
)
def test_open_unsuitable_graph_raises(copy: Checkpoint, graph: bytes | str, sentence: str) -> None:
    data = graph if isinstance(graph, bytes) else copy.content(graph)
    with pytest.raises(CheckpointError, match=sentence):
        open_generator(changed(copy, DECODER, data))


def test_open_torch_engine_without_torch_raises(
    tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "model.torch_engine", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it now raises
    with pytest.raises(EngineError, match="torch is not installed; run `make install`, or set"):
        open_generator(tiny_checkpoint, "torch")


def test_weights_overwritten_later_do_not_change_an_open_generator(copy: Checkpoint) -> None:
    generator = open_generator(copy)
    before = generator.draw(ONE_HOT, NOISE)
    (copy.folder / WEIGHTS).write_bytes(b"damaged")  # in place, as a careless copy does
    assert np.array_equal(generator.draw(ONE_HOT, NOISE), before)
    with pytest.raises(CheckpointError, match=r"model.safetensors cannot be used: found sha256"):
        open_generator(copy)


def test_drawing_writes_no_telemetry_of_onnx_runtime(tmp_path: Path) -> None:
    """It would write an identifier below the home folder before it sends anything."""
    script = (
        "from model.checkpoint import PRETRAINED, read_checkpoint\n"
        "from model.generator import open_generator\n"
        "open_generator(read_checkpoint(PRETRAINED))"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "ORT_DISABLE_TELEMETRY": ""}
    environment = {name: value for name, value in {**os.environ, **home}.items() if value}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []


def changed(checkpoint: Checkpoint, name: str, content: bytes) -> Checkpoint:
    """The checkpoint with another file, signed."""
    (checkpoint.folder / name).write_bytes(content)
    digests = {**checkpoint.manifest.sha256, name: sha256(content)}
    manifest = checkpoint.manifest.model_copy(update={"sha256": digests})
    return Checkpoint(checkpoint.folder, manifest, {})


def test_rounded_graph_that_ends_in_pixels_draws_the_same(copy: Checkpoint) -> None:
    """As those of older checkpoints do."""
    before = open_generator(copy, precision="int8").draw(ONE_HOT, NOISE)
    proto = onnx.load(copy.folder / ROUNDED_DECODER, load_external_data=False)
    proto.graph.node.append(
        helper.make_node("Cast", ["levels"], ["grey"], to=onnx.TensorProto.FLOAT)
    )
    proto.graph.node.append(helper.make_node("Mul", ["grey", "share"], ["pixels"]))
    proto.graph.initializer.append(numpy_helper.from_array(np.array(1 / 255, np.float32), "share"))
    output = helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, ["N", 28, 28])
    proto.graph.output.pop()
    proto.graph.output.append(output)
    older = changed(copy, ROUNDED_DECODER, proto.SerializeToString())
    assert np.array_equal(open_generator(older, precision="int8").draw(ONE_HOT, NOISE), before)


def test_rounded_weights_with_biases_in_float_draw_the_same(copy: Checkpoint) -> None:
    """As those of older checkpoints have them."""
    before = open_generator(copy, "torch", "int8").draw(ONE_HOT, NOISE)
    tensors = safetensors.numpy.load(copy.content(ROUNDED_WEIGHTS))
    rounded = [name for name in tensors if name.endswith(".bias") and "layers.0" not in name]
    assert rounded
    for name in rounded:
        layer = name.removesuffix("bias")
        unit = tensors[f"{layer}input_scale"] * tensors[f"{layer}weight_scale"]
        tensors[name] = (tensors[name] * unit).astype(np.float32)
    older = changed(copy, ROUNDED_WEIGHTS, safetensors.numpy.save(tensors))
    assert np.array_equal(open_generator(older, "torch", "int8").draw(ONE_HOT, NOISE), before)
