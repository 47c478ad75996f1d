"""Show poses in a web page: `pip install gradio`, then `python examples/gradio_app.py`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import posetrack

Image = NDArray[np.uint8]


def make_function() -> Callable[[Image], tuple[Image, dict[str, Any]]]:
    """Return the app's function: an RGB image (H, W, 3) to the annotated RGB image and the people as JSON."""
    pipeline = posetrack.load_pipeline()

    def find_people(image: Image) -> tuple[Image, dict[str, Any]]:
        tracks = pipeline.session()(image[..., ::-1])  # a new session, since an image continues no other one
        return posetrack.draw(image[..., ::-1], tracks)[..., ::-1], tracks.to_dict()

    return find_people


if __name__ == "__main__":
    import gradio

    gradio.Interface(make_function(), gradio.Image(), [gradio.Image(), gradio.JSON()], title="posetrack").launch()
