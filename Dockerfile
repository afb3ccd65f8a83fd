# A server for CPUs with the embedded model inside: docker build -t got-ocr2 .
# PyTorch comes from its own wheels for CPUs; with --build-arg TORCH_INDEX= from PyPI, whose wheel brings gigabytes for
# graphics cards.
FROM python:3.12-slim-bookworm AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY LICENSE README.md pyproject.toml setup.py ./
COPY src src
RUN python -m venv /opt/got-ocr2 \
    && /opt/got-ocr2/bin/pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ".[serve,render]"

FROM python:3.12-slim-bookworm
# What WeasyPrint and RDKit draw with.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core libexpat1 libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 libxext6 libxrender1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home got && install --directory --owner=got /data
COPY --from=build /opt/got-ocr2 /opt/got-ocr2
ENV PATH=/opt/got-ocr2/bin:$PATH GOT_OCR2_HOST=0.0.0.0 GOT_OCR2_PORT=8000 GOT_OCR2_DATA=/data
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"GOT_OCR2_PORT\"]}/health', timeout=4)"]
ENTRYPOINT ["got-ocr2"]
# Reached from outside its container, it asks for API keys: GOT_OCR2_API_KEYS or GOT_OCR2_API_KEYS_FILE.
CMD ["serve"]
