"""The process: uvicorn, its connections, workers, signals. Knows no endpoint."""
