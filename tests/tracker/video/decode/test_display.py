"""Frames come out as they are displayed: square pixels, upright, whole, with the colours of BT.709."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from posetrack.tracker.video.open import open_source

TIMES = [i / 10 for i in range(4)]
FORMATS = [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("ts", "libx264"), ("avi", "mpeg4")]


def oblong(ratio):
    def tune(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(ratio)

    return tune


@pytest.mark.parametrize(("suffix", "codec"), FORMATS)
@pytest.mark.parametrize(("ratio", "size"), [("64/45", (91, 48)), ("8/9", (64, 54)), ("1/1", (64, 48))])
def test_pixels_come_out_square(make, tmp_path, suffix, codec, ratio, size):
    path = make.encode(tmp_path / f"clip.{suffix}", TIMES, codec=codec, tune=oblong(ratio))
    with open_source(path) as frames:
        images = [frame.image for frame in frames]
    assert frames.size == size
    assert {image.shape for image in images} == {(size[1], size[0], 3)}
    for index, image in enumerate(images):
        expected = make.bar(make.image(index, count=len(TIMES))) + 0.5
        assert make.bar(image) + 0.5 == pytest.approx(expected * size[0] / 64, abs=1.5)


@pytest.mark.parametrize(("ratio", "size"), [("2/1", (48, 128)), ("1/2", (96, 64))])
def test_oblong_pixels_are_those_of_the_stored_image_which_is_turned_afterwards(make, tmp_path, ratio, size):
    path = make.encode(tmp_path / "clip.mp4", TIMES, tune=oblong(ratio), rotation=90)
    with open_source(path) as frames:
        assert next(frames).image.shape[:2] == (size[1], size[0])


def test_the_shape_of_pixels_may_change_on_the_way(make, tmp_path):
    parts = [make.encode(tmp_path / f"{i}.ts", TIMES, tune=oblong(r)) for i, r in enumerate(("1/1", "4/3"))]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_source(path) as frames:
        widths = [frame.image.shape[1] for frame in frames]
    assert (widths[0], widths[-1]) == (64, 85)
    assert [change.width for change in frames.size_changes] == [85]


@pytest.mark.parametrize("ratio", ["1000/999", "999/1000"])
def test_pixels_that_are_oblong_by_rounding_alone_stay_as_they_are(make, tmp_path, ratio):
    path = make.encode(tmp_path / "clip.mp4", TIMES, tune=oblong(ratio))
    with open_source(path) as frames:
        assert frames.size == (64, 48)


def test_a_shape_that_no_pixel_has_is_announced_and_left_out(make, tmp_path, caplog):
    path = make.encode(tmp_path / "clip.mp4", TIMES, tune=oblong("1/20"))
    with open_source(path) as frames:
        assert frames.size == (64, 48)
        list(frames)
    assert caplog.text.count("treated as square") == 1


# Bars of black, grey, white, red, green, blue and skin in BT.709, R'G'B' in [0, 1].
COLOURS = np.array(
    [[0, 0, 0], [0.25] * 3, [0.5] * 3, [0.9] * 3, [0.8, 0.2, 0.2], [0.2, 0.7, 0.2], [0.2, 0.2, 0.8], [0.8, 0.6, 0.5]]
)
KR_KB = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 5: (0.299, 0.114)}


def bars(path, colours, *, primaries, transfer, matrix, full=False, bits=10):
    """Write three lossless frames of upright bars, 16 pixels wide each, in Y'CbCr 4:4:4 with these tags."""
    kr, kb = KR_KB[matrix]
    red, green, blue = np.asarray(colours).T
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = np.stack([(blue - luma) / (1 - kb), (red - luma) / (1 - kr)]) / 2
    unit = 1 << (bits - 8)
    if full:
        planes = [luma * (256 * unit - 1), *(chroma * (256 * unit - 1) + 128 * unit)]
    else:
        planes = [(16 + 219 * luma) * unit, *((128 + 224 * chroma) * unit)]
    dtype, layout = (np.uint16, "yuv444p10le") if bits == 10 else (np.uint8, "yuv444p")
    width, height = 16 * len(luma), 32
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, layout
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
        context.color_range = 2 if full else 1
        for index in range(3):
            frame = av.VideoFrame(width, height, layout)
            for plane, values in zip(frame.planes, planes):
                row = np.repeat(np.rint(values), 16).astype(dtype)
                rows = np.frombuffer(plane, dtype).reshape(height, -1)
                rows[:, :width] = row
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def seen(path):
    """Return the colours (N, 3) R'G'B' in [0, 1] in the middle of the bars of the second frame."""
    with open_source(path) as frames:
        image = list(frames)[1].image
    return image[16, 8::16, ::-1] / 255


def pq(nits):
    power = (np.asarray(nits) / 1e4) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(nits):
    """Return the signal of a display of 1000 nits for (N, 3) nits of BT.2020."""
    light = np.asarray(nits) / 1000
    luminance = (light @ [0.2627, 0.6780, 0.0593])[:, None]
    scene = light * np.where(luminance > 0, luminance, 1) ** (1 / 1.2 - 1)
    low = np.sqrt(3 * scene)
    return np.where(scene <= 1 / 12, low, 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073)


TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # BT.2087
TO_P3 = np.array([[0.8225, 0.1774, 0], [0.0332, 0.9669, 0], [0.0171, 0.0724, 0.9108]])


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5])
@pytest.mark.parametrize("bits", [8, 10])
def test_sdr_is_shown_as_it_is_in_either_range_and_by_its_own_matrix(tmp_path, full, matrix, bits):
    path = bars(tmp_path / "clip.mp4", COLOURS, primaries=1, transfer=1, matrix=matrix, full=full, bits=bits)
    assert np.abs(seen(path) - COLOURS).max() < 0.012


@pytest.mark.parametrize(("primaries", "matrix", "transform"), [(9, 9, TO_2020), (12, 1, TO_P3)])
def test_a_wide_gamut_in_sdr_is_mapped_to_that_of_bt709(tmp_path, caplog, primaries, matrix, transform):
    caplog.set_level("INFO")
    coded = np.clip(COLOURS**2.4 @ transform.T, 0, 1) ** (1 / 2.4)
    path = bars(tmp_path / "clip.mp4", coded, primaries=primaries, transfer=1, matrix=matrix)
    assert np.abs(seen(path) - COLOURS).max() < 0.03
    assert caplog.text.count("mapped to BT.709") == 1


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(("transfer", "code"), [(16, pq), (18, hlg)], ids=["pq", "hlg"])
def test_hdr_of_an_sdr_image_resembles_it(tmp_path, caplog, transfer, code, full):
    caplog.set_level("INFO")
    coded = code(100 * COLOURS**2.4 @ TO_2020.T)
    path = bars(tmp_path / "clip.mov", coded, primaries=9, transfer=transfer, matrix=9, full=full)
    shown = seen(path)
    dark = COLOURS.max(1) <= 0.5
    assert np.abs(shown - COLOURS)[dark].max() < 0.03  # as it is
    assert np.abs(shown - COLOURS).max() < 0.12  # bright colours make room for brighter ones
    assert caplog.text.count("is HDR") == 1


@pytest.mark.parametrize(("transfer", "code"), [(16, pq), (18, hlg)], ids=["pq", "hlg"])
def test_highlights_keep_their_order_up_to_a_thousand_nits(tmp_path, transfer, code):
    greys = np.array([0, 1, 10, 50, 100, 203, 500, 1000.0])[:, None].repeat(3, 1)
    shown = seen(bars(tmp_path / "clip.mov", code(greys), primaries=9, transfer=transfer, matrix=9))
    assert np.ptp(shown, axis=1).max() < 0.01  # grey
    assert (np.diff(shown[:6, 1]) > 0.05).all()
    assert (np.diff(shown[5:, 1]) >= 0).all()
    assert shown[0, 1] < 0.01
    assert 0.8 < shown[4, 1] < 0.9
    assert shown[5, 1] > 0.93  # diffuse white
    assert shown[7, 1] > 0.99


def test_hdr_of_oblong_pixels_is_square_too(tmp_path):
    path = bars(tmp_path / "plain.mov", hlg(100 * COLOURS), primaries=9, transfer=18, matrix=9)
    turned = tmp_path / "clip.mov"
    with av.open(str(path)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.sample_aspect_ratio = Fraction(1, 2)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with open_source(turned) as frames:
        assert frames.size == (128, 64)
        assert next(frames).image.shape == (64, 128, 3)


def moving(index):
    """A white square that moves 6 pixels a field over grey."""
    image = np.full((96, 160, 3), 90, np.uint8)
    cv2.rectangle(image, (6 * index, 30), (6 * index + 30, 70), (230, 230, 230), -1)
    return image


def interlace(path, *, fields=24, flagged=True, tune=None, codec="mpeg2video"):
    """Write the fields 2 k and 2 k + 1 as the upper and lower lines of frame k."""
    with av.open(str(path), "w") as container:
        options = {"flags": "+ildct+ilme"} if flagged else {}
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 160, 96, "yuv420p", 4_000_000
        if tune is not None:
            tune(stream)
        for k in range(fields // 2):
            image = moving(2 * k)
            image[1::2] = moving(2 * k + 1)[1::2]
            frame: av.VideoFrame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            if flagged:
                graph = av.filter.Graph()
                nodes = [
                    graph.add_buffer(width=160, height=96, format=frame.format, time_base=Fraction(1, 25)),
                    graph.add("setfield", mode="tff"),
                    graph.add("buffersink"),
                ]
                graph.link_nodes(*nodes).configure()
                graph.push(frame)
                frame = graph.pull()
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def combed(image):
    """Mean difference of a line from the mean of its neighbours, in levels."""
    lines = image[..., 1].astype(float)
    return np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean()


@pytest.mark.parametrize("suffix", ["mpg", "mkv", "ts", "mov"])
def test_interlaced_frames_come_out_whole_at_the_rate_and_times_of_the_source(tmp_path, caplog, suffix):
    caplog.set_level("INFO")
    path = interlace(tmp_path / f"clip.{suffix}")
    with open_source(path) as frames:
        shown = [(frame.time, frame.image) for frame in frames]
    assert [round(time * 25) for time, _ in shown] == list(range(12))
    for k, (_, image) in enumerate(shown):
        assert combed(image) < combed(moving(2 * k)) + 1.5
        assert np.abs(image.astype(int) - moving(2 * k)).mean() < 4
    assert caplog.text.count("deinterlaced") == 1


def test_frames_that_are_not_flagged_stay_as_they_are(tmp_path, caplog):
    caplog.set_level("INFO")
    path = interlace(tmp_path / "clip.mpg", flagged=False)
    with open_source(path) as frames:
        assert combed(list(frames)[5].image) > 2 * combed(moving(10))
    assert "interlaced" not in caplog.text


def test_progressive_frames_among_interlaced_ones_stay_as_they_are(tmp_path):
    plain = interlace(tmp_path / "plain.ts", flagged=False)
    mixed = tmp_path / "mixed.ts"
    mixed.write_bytes(interlace(tmp_path / "fields.ts").read_bytes() + plain.read_bytes())
    with open_source(plain) as frames:
        alone = [frame.image for frame in frames]
    with open_source(mixed) as frames:
        last = [frame.image for frame in frames][-len(alone) :]
    assert all(np.array_equal(a, b) for a, b in zip(alone, last, strict=True))


def test_interlaced_frames_of_oblong_pixels_are_turned_too(tmp_path):
    def tune(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        stream.set_display_rotation(90)

    path = interlace(tmp_path / "clip.mov", tune=tune)
    with open_source(path, start=0.2) as frames:
        shown = list(frames)
    assert len(shown) == 7
    assert {frame.image.shape for frame in shown} == {(320, 96, 3)}
    assert all(combed(np.rot90(frame.image)[:, ::2]) < combed(moving(10)) + 1.5 for frame in shown)
