# The identity provider as an image: hash-checked packages, no compiler, no package manager's cache, no root.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/idp
COPY requirements.lock /src/
RUN /opt/idp/bin/pip install --require-hashes --requirement /src/requirements.lock
COPY . /src
RUN /opt/idp/bin/pip install --no-deps --no-build-isolation /src && /opt/idp/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/idp --create-home --shell /usr/sbin/nologin idp \
    && install --directory --owner=idp --group=idp --mode=0700 /var/lib/idp/keys /var/lib/idp/var
COPY --from=build /opt/idp /opt/idp
ENV PATH=/opt/idp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    IDP_KEYS_DIR=/var/lib/idp/keys \
    IDP_SERVER_BIND=0.0.0.0:8000
USER idp
WORKDIR /var/lib/idp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["idp"]
CMD ["serve"]
