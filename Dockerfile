# One image for web, worker, beat, migrate and every manage.py command (target `portal`),
# and one with the local runner and the sample functions on top (target `demo`).
FROM python:3.13-slim-trixie AS base
ENV PATH=/opt/venv/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=portal.settings
WORKDIR /srv/countersign

# Wheels only, each held to its hash: nothing is compiled, no compiler is needed.
FROM base AS packages
RUN python -m venv /opt/venv
COPY requirements/runtime.txt requirements/
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements/runtime.txt

FROM packages AS demo-packages
COPY requirements/demo.txt requirements/
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements/demo.txt

FROM packages AS code
COPY LICENSE manage.py ./
COPY docker docker
COPY scripts/collect_static.py scripts/healthcheck.py scripts/
COPY static static
COPY locale locale
COPY templates templates
COPY portal portal
COPY approvals approvals
RUN python scripts/collect_static.py
# Readable by any user, whatever the checkout's modes were, and compiled: nothing is
# written at run time.
RUN chmod -R a+rX . && python -m compileall -q approvals portal

FROM packages AS demo-code
COPY client client
COPY examples examples
COPY scripts/seed_compose_demo.py scripts/
RUN chmod -R a+rX . && python -m compileall -q client examples

FROM base AS portal
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /srv/countersign /srv/countersign
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "scripts/healthcheck.py"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "25", "--respawn-failed-workers", "portal.wsgi:application"]

FROM portal AS demo
COPY --from=demo-packages /opt/venv /opt/venv
COPY --from=demo-code /srv/countersign /srv/countersign
USER 0
# A volume mounted here starts with this mode: writable for whichever user runs the demo.
RUN install -d -m 1777 /demo
USER 10001:10001

# What `docker build .` makes, named or not.
FROM portal
