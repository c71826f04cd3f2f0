# syntax=docker/dockerfile:1
# The image of every process: API (the default command), relay, and the three worker classes.
# The base is pinned by tag; pin it by digest when a release is built: FROM python:3.11-slim-bookworm@sha256:...
FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY requirements/base.txt /build/base.txt
# The environment gets no pip of its own; every package comes from the lock, by hash, as a wheel.
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes -r /build/base.txt

FROM python:3.11-slim-bookworm AS source
WORKDIR /app
COPY manage.py pyproject.toml LICENSE ./
COPY core ./core
COPY api ./api
COPY ml ./ml
COPY workers ./workers
COPY migrations ./migrations
RUN python -m compileall -q .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="backorder-manager" \
      org.opencontainers.image.description="An order-promising engine with a realtime GraphQL API" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    ENV=production \
    DATA_DIR=/data
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=packages /opt/venv /opt/venv
COPY --from=source /app /app
WORKDIR /app
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a database that is away must not get the API restarted. Ask /readyz before sending traffic.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["uvicorn", "api.app:create_app", "--factory", "--host", "0.0.0.0", "--port", "8000", "--loop", "uvloop", \
     "--http", "api.transport.reading:HttpProtocol", "--ws", "api.transport.reading:WebSocketProtocol", \
     "--no-access-log", "--timeout-graceful-shutdown", "5"]
