"""`posetrack serve`: the web app."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = commands.add_parser(
        "serve",
        help="serve a web app: live webcam, cameras, uploads, API",
        description="Serve a web app that works offline: the browser's webcam, cameras of this machine, uploads of "
        "videos, and an HTTP API. docs/serve.md describes it.",
    )
    parser.add_argument(
        "--source", action="append", default=[], metavar="X", help="webcam, file or stream to show; may be repeated"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; other machines need a token (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--history",
        metavar="DIR",
        default="posetrack-history",
        help="folder of uploads and their results (default: %(default)s)",
    )
    parser.add_argument(
        "--max-upload", type=float, default=4.0, metavar="GB", help="largest upload (default: %(default)s)"
    )
    parser.add_argument("--certificate", metavar="FILE", help="PEM certificate; serves https")
    parser.add_argument("--key", metavar="FILE", help="PEM key of the certificate, if it is a separate file")
    parser.add_argument("--config", metavar="RECIPE", help="realtime, accurate, cpu, or your TOML file")
    for name, text in (("model", "pose network"), ("detector", "person detector"), ("device", "where networks run")):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"{text}, as in posetrack --help")
    parser.add_argument("--offline", action="store_true", help="never download weights")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the request, load the networks, and serve."""
    from ...errors import UsageError
    from ...installation import library
    from ..config.recipe import read_recipe
    from ..config.run import RunConfig

    for name in ("fastapi", "uvicorn", "websockets", "prometheus_client"):
        library(name, "posetrack serve", extra="serve")
    from ..serve.server import serve
    from ..serve.settings import Settings, is_loopback, new_token

    options: dict[str, Any] = read_recipe(args.config) if args.config else {}
    options |= {name: value for name in ("model", "detector", "device") if (value := getattr(args, name))}
    options |= {"offline": True} if args.offline else {}
    if not 0 < args.max_upload < float("inf"):
        raise UsageError(f"--max-upload is {args.max_upload} GB. Give a number above 0.")
    logging.getLogger("posetrack").setLevel(logging.ERROR)  # the page shows each camera's dropped and lost frames
    settings = Settings(
        history=Path(args.history),
        host=args.host,
        port=args.port,
        token=None if is_loopback(args.host) else new_token(),
        max_upload=round(args.max_upload * 1e9),
        sources=tuple(args.source),
        certificate=Path(args.certificate) if args.certificate else None,
        key=Path(args.key) if args.key else None,
        run=RunConfig.of(**options),
    )
    serve(settings, _say)
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
