"""What a conditional variational auto-encoder is, how it is stored and how it is run.

Knows nothing of HTTP and nothing of training. Importable without torch: only `model.cvae`,
`model.objective`, `model.export` and `model.torch_engine` need it.
"""

import os

# ONNX Runtime would write an identifier below the home folder and send its maker how it is used.
# It decides when it is imported, so this is said before anything here can import it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
