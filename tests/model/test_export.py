import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

from model.checkpoint import (
    DECODER,
    ENCODER,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    Provenance,
    read_checkpoint,
)
from model.config import CVAEConfig
from model.cvae import CVAE
from model.export import check_parity, save_cvae, with_facts_in_order
from model.torch_engine import load_cvae


@pytest.mark.parametrize("graph", [DECODER, ENCODER])
def test_graphs_contain_neither_weights_nor_paths(tiny_checkpoint: Checkpoint, graph: str) -> None:
    path = tiny_checkpoint.folder / graph
    proto = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(path, full_check=True)
    weights = [tensor for tensor in proto.graph.initializer if tensor.external_data]
    assert {entry.value for tensor in weights for entry in tensor.external_data[:1]} == {WEIGHTS}
    assert all(len(tensor.raw_data) <= 64 for tensor in proto.graph.initializer)
    assert path.stat().st_size < 10_000
    assert "/" not in str(proto)


def test_graphs_refer_to_the_right_weights(tiny_checkpoint: Checkpoint, tiny_cvae: CVAE) -> None:
    proto = onnx.load(tiny_checkpoint.folder / DECODER)  # with external data
    for tensor in proto.graph.initializer:
        if tensor.name in tiny_cvae.state_dict():
            expected = tiny_cvae.state_dict()[tensor.name].numpy()
            assert np.array_equal(onnx.numpy_helper.to_array(tensor), expected)


def test_rounded_decoder_is_small_self_contained_and_close(
    tiny_checkpoint: Checkpoint, tiny_cvae: CVAE, tmp_path: Path
) -> None:
    for name in (ROUNDED_DECODER, ROUNDED_WEIGHTS):  # without model.safetensors
        (tmp_path / name).write_bytes((tiny_checkpoint.folder / name).read_bytes())
    alone = tmp_path / ROUNDED_DECODER
    assert alone.stat().st_size < 10_000
    assert "/" not in str(onnx.load(alone, load_external_data=False))
    decoder_bytes = 4 * sum(weight.numel() for weight in tiny_cvae.decoder.parameters())
    assert (tmp_path / ROUNDED_WEIGHTS).stat().st_size < 0.5 * decoder_bytes
    noise, one_hot = torch.randn(10, 6), torch.eye(10)
    inputs = {"noise": noise.numpy(), "one_hot": one_hot.numpy()}
    (found,) = onnxruntime.InferenceSession(alone).run(["levels"], inputs)
    expected = tiny_cvae.decoder(noise, one_hot).detach().numpy()
    assert abs(found - 255 * expected).max() <= 5  # grey levels


def test_facts_in_order_give_equal_bytes_and_keep_everything() -> None:
    tensors: dict[str, NDArray[Any]] = {
        "b": np.ones((2, 3), np.float16),
        "a": np.arange(4, dtype=np.float32),
    }
    facts = {f"fact {number}": f'"{number}" \u2013 \\n\n' for number in range(8)}
    made = {with_facts_in_order(safetensors.numpy.save(tensors, facts)) for _ in range(8)}
    assert len(made) == 1
    (content,) = made
    found = safetensors.numpy.load(content)
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"] == facts
    assert list(header["__metadata__"]) == sorted(facts)
    bare = safetensors.numpy.save(tensors)
    assert with_facts_in_order(bare) == bare


def test_unconditional_graphs_have_no_label(
    tiny_config: CVAEConfig, provenance: Provenance, documents: dict[str, bytes], tmp_path: Path
) -> None:
    vae = CVAE(tiny_config.model_copy(update={"conditional": False}))
    checkpoint = save_cvae(tmp_path / "vae", vae, provenance, documents)
    for graph, name in ((DECODER, "noise"), (ENCODER, "pixels")):
        session = onnxruntime.InferenceSession(checkpoint.folder / graph)
        assert [node.name for node in session.get_inputs()] == [name]


def test_check_parity_other_weights_raises(
    tiny_checkpoint: Checkpoint, tiny_config: CVAEConfig
) -> None:
    other = CVAE(tiny_config)
    other.initialise(torch.Generator().manual_seed(1))
    with pytest.raises(CheckpointError, match=r"exported decoder.onnx differs from torch by"):
        check_parity(other.eval(), tiny_checkpoint)


def test_save_cvae_with_nan_weight_raises_and_keeps_the_old_checkpoint(
    tiny_config: CVAEConfig, provenance: Provenance, documents: dict[str, bytes], tmp_path: Path
) -> None:
    cvae = CVAE(tiny_config).train()
    old = save_cvae(tmp_path / "checkpoint", cvae, provenance, documents)
    assert cvae.training
    torch.nn.init.constant_(cvae.encoder.mean.bias, float("nan"))
    with pytest.raises(CheckpointError, match=r"NaN or infinity in encoder.mean.bias"):
        save_cvae(tmp_path / "checkpoint", cvae, provenance, documents)
    assert read_checkpoint(tmp_path / "checkpoint").model_hash == old.model_hash


def test_load_cvae_returns_the_saved_network(tiny_checkpoint: Checkpoint, tiny_cvae: CVAE) -> None:
    loaded = load_cvae(tiny_checkpoint)
    assert not loaded.training
    for name, weight in tiny_cvae.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name]), name
