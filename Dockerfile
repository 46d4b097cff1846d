# mmfuzz with its compiled core; every service of docker-compose.yml that is ours runs from it.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/mmfuzz/bin:$PATH
RUN python -m venv /opt/mmfuzz
WORKDIR /src
COPY constraints.txt ./
RUN pip install --constraint constraints.txt setuptools Cython
COPY . ./
# Without a compiled core the build fails: uncompiled, the workers would be two hundred times slower and not say why.
RUN MMFUZZ_BUILD=compiled pip install --constraint constraints.txt --no-build-isolation '.[service]' \
    && pip uninstall -y setuptools pip

FROM ${PYTHON}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/mmfuzz mmfuzz \
    && install -d -o mmfuzz -g mmfuzz -m 0700 /var/lib/mmfuzz/spool
COPY --from=build /opt/mmfuzz /opt/mmfuzz
ENV PATH=/opt/mmfuzz/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER mmfuzz
WORKDIR /var/lib/mmfuzz
# Only a core that this Python can load makes an image.
RUN python -c 'from simcore.core import is_compiled; assert is_compiled()'
ENTRYPOINT ["mmfuzz"]
CMD ["--help"]
