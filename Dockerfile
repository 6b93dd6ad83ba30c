# Two images. The service (default): no torch, no compiler, no pip; `make image`.
# The training environment: `docker build --target train --tag cvae-digits-train .`

# To pin it to the byte: --build-arg PYTHON_IMAGE=python:3.12.12-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Must be the hash of model/pretrained: rehearse.py ends the build where it is not.
ARG MODEL_HASH=2e82c3a26d740301
# binutils for strip; it stays in this stage, so its exact version is of no importance.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements/serving.txt .
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --no-compile \
        --disable-pip-version-check --require-hashes --requirement serving.txt
COPY deploy/image ./
RUN python slim.py /venv/lib/python3.12/site-packages \
    && find /venv -name '__pycache__' -prune -exec rm -rf {} + \
    && find /venv -name '*.so*' -type f -exec strip --strip-unneeded {} +
WORKDIR /srv
COPY model ./model
COPY app ./app
ENV PYTHONPYCACHEPREFIX=/srv/bytecode
# Byte code knows its source by the date in seconds, and copying between stages may round it.
RUN find /venv /srv -exec touch --no-dereference --date=2026-01-01 {} + \
    && /venv/bin/python /build/rehearse.py "${MODEL_HASH}" \
    && rm -r model/pretrained

FROM ${PYTHON_IMAGE} AS train
# Where CPU wheels of torch come from, in the locked versions; empty takes the locked wheels
# themselves, which bring CUDA along and are several GB.
ARG TORCH_INDEX=""
WORKDIR /build
COPY requirements/training.txt .
RUN python -m venv --without-pip /venv \
    && cp training.txt rest.txt \
    && if [ -n "${TORCH_INDEX}" ]; then \
        grep -oE '^(torch|torchvision)==[^ ]+' training.txt > torch.txt \
        && awk '/^[a-z]/ { keep = !/^(cuda|nvidia|torch|triton)/ } keep' training.txt > rest.txt \
        && pip --python /venv/bin/python install --no-cache-dir --no-deps \
            --index-url "${TORCH_INDEX}" --requirement torch.txt; \
    fi \
    && pip --python /venv/bin/python install --no-cache-dir --no-deps \
        --disable-pip-version-check --require-hashes --requirement rest.txt
WORKDIR /srv
COPY model ./model
COPY training ./training
# An empty volume mounted at one of these begins as theirs: owned by the user who writes.
RUN install --directory --owner 10001 --group 10001 /checkpoints /srv/data /srv/runs
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "training"]

FROM ${PYTHON_IMAGE} AS service
ARG MODEL_HASH=2e82c3a26d740301
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="cvae-digits" \
      org.opencontainers.image.description="Type a number, get it handwritten" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      cvae-digits.model-hash="${MODEL_HASH}"
# What serves needs no installer, and whoever breaks in should find none.
RUN pip uninstall --yes pip \
    && rm -rf /usr/local/lib/python3.12/ensurepip \
    && install --directory --owner 10001 --group 10001 /checkpoints
COPY --from=build /venv /venv
COPY --from=build /srv /srv
# Outside the code, so that a volume can take its place; an empty one begins as a copy of it.
COPY --chown=10001:10001 model/pretrained /checkpoints/current
WORKDIR /srv
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/srv/bytecode \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    CVAE_CHECKPOINT=/checkpoints/current \
    CVAE_LOG=json \
    CVAE_HOST=0.0.0.0 \
    CVAE_PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CVAE_PORT\"]}/readyz', timeout=2)"]
CMD ["python", "-m", "app"]
