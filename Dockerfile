# The service alone: no torch, no compiler, no pip cache. Build with `make image`.

FROM python:3.12-slim-bookworm AS build
WORKDIR /build
COPY requirements/serving.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement serving.txt \
    && /venv/bin/pip uninstall --yes pip

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="cvae-digits" \
      org.opencontainers.image.description="Type a number, get it handwritten" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /venv /venv
WORKDIR /srv
COPY model ./model
COPY app ./app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CVAE_HOST=0.0.0.0 \
    CVAE_PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CVAE_PORT\"]}/readyz', timeout=2)"]
CMD ["python", "-m", "app"]
