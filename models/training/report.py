"""Progress of a training run: terminal, log file and TensorBoard."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVERY = 20  # steps between lines of the log


class Report:
    """Writes `log.jsonl` and TensorBoard's files to a folder, and prints progress.

    Args:
        out: the folder.
        steps: of the whole run.
        start: steps done before; later lines are removed from the log.
        show: whether to print progress.
    """

    def __init__(self, out: Path, *, steps: int, start: int, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from torch.utils.tensorboard import SummaryWriter

        self._log = out / "log.jsonl"
        self._truncate_log(start)
        self._writer = SummaryWriter(str(out), purge_step=start)
        columns = (
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[speed]:.0f} images/s  left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not show)
        self._bar = self._progress.add_task("", total=steps, completed=start, epoch=0, loss=0.0, speed=0.0)
        self._losses: list[float] = []
        self._images, self._since = 0, time.monotonic()

    def __enter__(self) -> Report:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        self._writer.close()

    def step(self, step: int, *, epoch: int, loss: float, lr: float, images: int) -> None:
        """Report one step, counted from 1."""
        self._losses.append(loss)
        self._images += images
        speed = self._images / max(time.monotonic() - self._since, 1e-9)
        self._progress.update(self._bar, completed=step, epoch=epoch, loss=loss, speed=speed)
        if step == 1 or step % EVERY == 0:
            line = {"step": step, "epoch": epoch, "loss": float(np.mean(self._losses)), "lr": lr}
            self._write(line | {"images_per_s": round(speed, 1)})
            for name, value in {"train/loss": line["loss"], "train/lr": lr, "train/images_per_s": speed}.items():
                self._writer.add_scalar(name, value, step)
            self._losses = []
            self.restart_clock()

    def restart_clock(self) -> None:
        """Exclude the time since the last step, spent on validation, from the speed."""
        self._images, self._since = 0, time.monotonic()

    def epoch(self, step: int, *, epoch: int, metrics: dict[str, float], preview: NDArray[np.uint8]) -> None:
        """Report a validation; `preview` is (H, W, 3) BGR."""
        for name, value in metrics.items():
            self._writer.add_scalar(f"val/{name}", value, step)
        self._writer.add_image("val/predictions", preview[..., ::-1].copy(), step, dataformats="HWC")
        self._writer.flush()
        self._write({"step": step, "epoch": epoch} | {f"val_{name}": value for name, value in metrics.items()})
        summary = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._progress.console.print(f"epoch {epoch}, held out: {summary}", highlight=False)

    def _write(self, line: dict[str, Any]) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def _truncate_log(self, step: int) -> None:
        """Remove the lines after a step, which an interrupted run wrote and this one will write again."""
        if self._log.exists():
            lines = self._log.read_text(encoding="utf-8").splitlines()
            self._log.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= step))
