"""What a conditional variational auto-encoder is, how it is stored and how it is run.

Knows nothing of HTTP and nothing of training. Importable without torch: only `model.cvae`,
`model.objective`, `model.export` and `model.torch_engine` need it.
"""
