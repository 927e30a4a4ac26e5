import base64
import json
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from ranvier.errors import FileError, InputError
from ranvier.events import ContinuousSeries, EventSeries

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(params=["raster", "camera", "traces"])
def series(request):
    rng = np.random.default_rng(0)
    if request.param == "traces":
        return ContinuousSeries.from_clocked(rng.normal(size=(30, 2)), 1e-3, unit="V")
    shape = (30, 5) if request.param == "raster" else (30, 2, 4, 5)
    return EventSeries.from_raster(rng.poisson(0.5, shape), 1e-3, name="</script><b>")


def data_of(html):
    return json.loads(re.search(r"const d = (.*);\n", html).group(1))


def test_gif_has_its_frames_and_they_differ(tmp_path, series):
    series.anim(tmp_path / "a.gif", duration=0.4, frame_rate=10)

    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 4
        frames = []
        for frame in range(4):
            image.seek(frame)
            frames.append(np.asarray(image.convert("RGB")))
    assert all((a != b).any() for a, b in pairwise(frames))


def test_page_holds_the_data_and_loads_nothing(tmp_path, series):
    series.anim(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")

    assert "default-src 'none'" in page
    assert not re.search(r"(https?:)?//[a-z]|src=|@import|url\(", page)
    times = np.frombuffer(base64.b64decode(data_of(page)["times"]), "<f4")
    np.testing.assert_allclose(times, series.times, rtol=1e-6)  # float32 in the page


def test_names_cannot_break_out_of_the_page():
    series = EventSeries([0.0], [0], name="</script><img onerror=x>")
    animation = series.anim()

    assert "<img" not in animation.html
    assert animation.html.count("</script>") == 1
    assert 'sandbox="allow-scripts"' in animation._repr_html_()


def test_units_cannot_break_out_of_the_script():
    series = ContinuousSeries([0.0], [1.0], t_stop=1.0, unit="</script><img onerror=x>")

    html = series.anim().html

    assert html.count("</script>") == 1
    assert data_of(html)["unit"] == series.unit


def test_other_endings_and_empty_durations_are_refused(tmp_path):
    series = EventSeries([0.0], [0])

    with pytest.raises(FileError, match=r"use \.gif or \.html"):
        series.anim(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="give t_stop"):
        EventSeries([], [], t_stop=0.0).anim()
    with pytest.raises(InputError, match="must be above 0"):
        series.anim(frame_rate=0)


def test_gif_into_a_missing_folder_is_one_clear_error(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        EventSeries([0.0], [0]).anim(tmp_path / "none" / "a.gif", duration=0.1)


def test_events_and_encoding_load_no_heavy_module():
    code = (
        "import sys, ranvier.events, ranvier.encoding, ranvier.plotting;"
        "heavy = ('torch', 'numba', 'scipy', 'matplotlib', 'h5py');"
        "print([name for name in heavy if name in sys.modules])"
    )

    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert output.stdout.strip() == "[]"
