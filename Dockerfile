# syntax=docker/dockerfile:1
# CPU, with the bundled networks:
#   docker build -t posetrack . && docker run --rm -v "$PWD:/data" posetrack video.mp4 --csv out.csv
# GPU, and other networks (torch brings CUDA's libraries; the host needs NVIDIA's driver and container toolkit):
#   docker build -t posetrack-gpu --build-arg EXTRAS='[full]' .
#   docker run --rm --gpus all -v "$PWD:/data" posetrack-gpu video.mp4 --csv out.csv --model vitpose-b
FROM python:3.12-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG EXTRAS=
RUN --mount=type=bind,target=/src,rw pip install --no-cache-dir -c /src/constraints.txt "/src${EXTRAS}"

# The group "video" may read cameras.
RUN useradd --create-home --uid 1000 --groups video posetrack && mkdir /data && chown posetrack /data
USER 1000

# Checks the image, and keeps the compiled code of the tracker in it.
RUN posetrack demo --out /tmp/demo && rm -r /tmp/demo

WORKDIR /data
ENTRYPOINT ["posetrack"]
CMD ["--help"]
