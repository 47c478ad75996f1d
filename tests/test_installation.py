"""A machine without a system library gets a sentence, not a traceback; without libGL, only windows are missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from posetrack import installation
from posetrack.errors import PosetrackError

ROOT = Path(__file__).parents[1]
# A package in front of the real one, which fails as its extension module does.
BROKEN = "raise ImportError('{}: cannot open shared object file: No such file or directory')\n"
HEADLESS = """\
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
here = __path__[0].rsplit('/', 1)[0]
real = PathFinder.find_spec('cv2', [p for p in sys.path if p != here])
module = sys.modules['cv2'] = module_from_spec(real)
real.loader.exec_module(module)
module = sys.modules['cv2']
def absent(*_): raise module.error('The function is not implemented')
for name in ('namedWindow', 'imshow', 'waitKey', 'destroyAllWindows'): setattr(module, name, absent)
"""


def python(folder, *words, module, text):
    (folder / module).mkdir()
    (folder / module / "__init__.py").write_text(text)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


def test_opencv_without_libgl_is_a_sentence(tmp_path):
    (tmp_path / "clip.mp4").touch()
    commands = [["--source", "0"], ["demo"], ["--source", "clip.mp4", "--csv", "out.csv"]]
    code = f"from posetrack.tracker.cli import main\nfor words in {commands}: assert main(words) == 1"
    result = python(tmp_path, "-c", code, module="cv2", text=BROKEN.format("libGL.so.1"))
    assert result.returncode == 0, result.stderr
    sentences = result.stderr.splitlines()
    assert len(sentences) == len(commands)
    for part in ("no libGL.so.1", "apt-get install libgl1", "opencv-python-headless"):
        assert all(part in sentence for sentence in sentences)


def test_help_needs_no_library(tmp_path):
    result = python(tmp_path, "-m", "posetrack", "--help", module="cv2", text=BROKEN.format("libGL.so.1"))
    assert result.returncode == 0, result.stderr


def test_in_python_it_is_an_error_of_ours(tmp_path):
    code = "import posetrack"
    for call in ("load_pipeline()", "open_source('clip.mp4')"):
        code += f"\ntry: posetrack.{call}\nexcept posetrack.PosetrackError as error: print(error)"
    result = python(tmp_path, "-c", code, module="cv2", text=BROKEN.format("libGL.so.1"))
    assert result.stdout.count("apt-get install libgl1") == 2, result.stderr


@pytest.mark.slow
def test_the_main_job_runs_on_opencv_without_windows(tmp_path, walking_clip):
    words = ["--source", walking_clip, "--save", "out.mp4", "--csv", "out.csv", "--offline"]
    result = python(tmp_path, "-m", "posetrack", *map(str, words), module="cv2", text=HEADLESS)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.mp4").stat().st_size
    assert len((tmp_path / "out.csv").read_text().splitlines()) > 10


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("libgthread-2.0.so.0: cannot open shared object file: No such file", "apt-get install libglib2.0-0"),
        ("libgomp.so.1: cannot open shared object file", "apt-get install libgomp1"),
        ("libnew-3.so.7: cannot open shared object file", "no libnew-3.so.7"),
    ],
)
def test_every_shared_library_is_named(message, printed):
    for kind in (ImportError, OSError):
        assert printed in str(installation.explain(kind(message)))
    assert "opencv" not in str(installation.explain(ImportError(message)))


def test_a_package_that_is_missing_is_named_and_our_own_mistakes_are_not_hidden():
    assert "'scipy'" in str(installation.explain(ModuleNotFoundError("no", name="scipy.linalg")))
    homes = {"torch.nn": "[full]", "onnx": "[onnx]", "transformers": "[transformers]", "faster_coco_eval": "[eval]"}
    for module, extra in (homes | {"numpy": "", "unknown": ""}).items():
        why = installation.explain(ModuleNotFoundError("no", name=module))
        assert f"pip install 'posetrack{extra}'" in str(why)
    assert installation.explain(ModuleNotFoundError("no", name="posetrack.nonsense")) is None
    assert installation.explain(ImportError("cannot import name 'x' from 'y'")) is None
    assert installation.explain(FileNotFoundError(2, "No such file", "libfoo.so")) is None
    assert issubclass(installation.InstallationError, PosetrackError)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
        BlockingIOError(11, "Resource temporarily unavailable"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        ImportError("libtorch.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_memory_that_is_missing_is_a_sentence(error):
    with pytest.raises(PosetrackError, match="There is not enough memory"), installation.explained():
        raise error


def test_the_name_of_a_file_is_no_shortage():
    assert installation.explain(FileNotFoundError(2, "No such file", "out of memory.mp4")) is None


TORCH = "needs torch. Install it: pip install 'posetrack[full]'."


def test_without_torch_a_network_that_needs_it_is_named_and_a_misspelt_one_suggested(tmp_path):
    sentences = {
        "model='vitpose-b'": f"The pose network 'vitpose-b' {TORCH}",
        "detector='yolo11n.pt'": f"The detector 'yolo11n.pt' {TORCH}",
        "model='vitpos-b'": "'vitpos-b' is neither a file nor a known name. Did you mean vitpose-b?",
        "detector='bundeld'": f"The detector 'bundeld' (did you mean 'bundled'?) {TORCH}",
    }
    code = "import sys; sys.modules['torch'] = None; import posetrack"
    for options in sentences:
        code += f"\ntry: posetrack.load_pipeline({options}, offline=True)"
        code += "\nexcept posetrack.PosetrackError as error: print(error)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"POSETRACK_CACHE": str(tmp_path)},
        check=False,
    )
    said = run.stdout.splitlines()
    assert len(said) == len(sentences), run.stderr
    for line, sentence in zip(said, sentences.values()):
        assert sentence in line
