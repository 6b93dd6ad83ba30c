"""The process: uvicorn, connections, workers, signals, reloads. Knows no endpoint."""
