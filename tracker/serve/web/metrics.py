"""Figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The figures of one app."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.frames = Counter("posetrack_frames", "Frames tracked.", ["kind"], registry=own)
        self.dropped = Counter("posetrack_frames_dropped", "Frames replaced by a newer one.", ["kind"], registry=own)
        self.track = Histogram(
            "posetrack_track_seconds", "From arrival to answer.", ["kind"], registry=own, buckets=_SECONDS
        )
        self.latency = Histogram(
            "posetrack_live_latency_seconds",
            "From a browser's capture to its drawing, as browsers report it.",
            registry=own,
            buckets=_SECONDS,
        )
        self.clients = Gauge("posetrack_live_clients", "Browsers on the live page.", registry=own)
        self.cameras = Gauge("posetrack_cameras", "Server cameras by state.", ["state"], registry=own)
        self.jobs = Gauge("posetrack_jobs", "Uploads by state.", ["state"], registry=own)
        self.uploaded = Counter("posetrack_uploaded_bytes", "Bytes of uploads.", registry=own)


def routes(metrics: Metrics) -> APIRouter:
    """Return the route of the figures."""
    router = APIRouter()

    @router.get("/metrics", tags=["server"], response_class=PlainTextResponse)
    def prometheus() -> Response:
        """Return all figures in the text format of Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
