"""A conditional variational auto-encoder: its network, its checkpoints and the engines that run it.

Knows neither HTTP nor training. Only `model.cvae`, `model.objective`, `model.export` and
`model.torch_engine` need torch; only `model.export` and `model.quantization` need onnx.
"""

import os

# ONNX Runtime's telemetry writes an identifier below the home folder and sends usage data. It reads
# this variable when it is imported, so the variable must be set before anything here imports it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
