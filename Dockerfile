# One image for every process of Parley: the API, the workers, the migration, the simulated network.

FROM python:3.11.14-slim-bookworm AS dependencies
RUN python -m venv /venv
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --requirement /tmp/runtime.txt

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 parley \
    && useradd --uid 10001 --gid parley --no-create-home --shell /usr/sbin/nologin parley \
    && install --directory --owner parley --group parley --mode 0700 /data
COPY --from=dependencies /venv /venv
COPY . /app
WORKDIR /app
# The root is read-only when it runs: compile now.
RUN /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PARLEY_DATA_DIR=/data \
    PARLEY_API__HOST=0.0.0.0 \
    PARLEY_WORKER__HOST=0.0.0.0
USER parley
VOLUME /data
EXPOSE 8000 8001
CMD ["python", "parley.py", "--help"]
