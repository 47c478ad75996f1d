"""Send a video to `posetrack serve` and save its report and table: `python examples/web_client.py dance.mp4`."""

import sys
import time
from pathlib import Path

import httpx


def track(server: httpx.Client, video: Path, folder: Path) -> list[Path]:
    """Return the results of a video, saved in a folder.

    Raises:
        httpx.HTTPStatusError: the server refused the video.
        RuntimeError: the video could not be tracked.
    """
    with video.open("rb") as body:
        job = server.post("/api/jobs", params={"name": video.name}, content=body).raise_for_status().json()
    while job["state"] in ("queued", "running"):
        time.sleep(0.5)
        job = server.get(f"/api/jobs/{job['id']}").raise_for_status().json()
    if job["state"] != "done":
        raise RuntimeError(f"{video}: {job['state']}. {job['error']}")
    saved = []
    for result in job["results"]:
        if result["name"] in ("report", "csv"):
            path = folder / f"{video.stem}-{result['file']}"
            path.write_bytes(server.get(f"/api/jobs/{job['id']}/results/{result['name']}").raise_for_status().content)
            saved.append(path)
    return saved


if __name__ == "__main__":
    with httpx.Client(base_url="http://127.0.0.1:8000", timeout=600) as server:
        for argument in sys.argv[1:]:
            print(*track(server, Path(argument), Path.cwd()))
