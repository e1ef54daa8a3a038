# The daemon in a container. Named by tag, so that a rebuild takes the base's security updates; to
# build the same image twice, replace both tags by digests (python:3.12-slim@sha256:…).
FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
WORKDIR /build

# What it needs changes less often than what it is, so it has a layer of its own.
COPY locks/build.txt locks/runtime.txt locks/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps -r locks/build.txt \
    && python -m venv /opt/eventwatch \
    && /opt/eventwatch/bin/pip install --no-cache-dir --require-hashes --no-deps -r locks/runtime.txt

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/eventwatch/bin/pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.12-slim

COPY --from=build /opt/eventwatch /opt/eventwatch

# Everything that is written goes below one folder, temporary files and the caches of libraries
# included, so the root may be read-only.
ENV PATH=/opt/eventwatch/bin:$PATH \
    HOME=/var/lib/eventwatch \
    TMPDIR=/var/lib/eventwatch \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN install -d -o 10001 -g 10001 -m 0750 /var/lib/eventwatch
VOLUME /var/lib/eventwatch

# config.yaml, checks/ and contracts/ are mounted here; nothing is written to it.
WORKDIR /etc/eventwatch

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001

HEALTHCHECK --interval=60s --timeout=30s --start-period=120s --retries=3 \
    CMD ["eventwatch", "health"]

# Exec form: the daemon is process 1, hears SIGTERM itself and waits for its own children.
ENTRYPOINT ["eventwatch"]
CMD ["run"]
