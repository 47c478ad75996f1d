"""The web app in a real browser, whose camera plays images of ours."""

import itertools

import av
import cv2
import numpy as np
import pytest

pytest.importorskip("selenium", reason="needs selenium")

import motions
from browsers import chromium, complaints, points_in, screen, touch, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers import LiveServer, multipart

from posetrack import load_pipeline
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.pipeline import Pipeline
from posetrack.tracker.types import Detections
from posetrack.tracker.video.sample import make_crowd

pytestmark = pytest.mark.slow
PAGES = ("live", "cameras", "videos", "api")
DRAWN = """
const canvas = document.querySelector(arguments[0])
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
const [xs, ys] = [[], []]
for (let i = 3; i < data.length; i += 4) if (data[i] > 128) {
  xs.push(((i - 3) / 4) % canvas.width / canvas.width)
  ys.push(Math.floor((i - 3) / 4 / canvas.width) / canvas.height)
}
const of = (values, choose) => values.reduce((a, b) => choose(a, b), values[0] ?? 0)
const range = (values) => [of(values, Math.min), of(values, Math.max)]
return [xs.length, range(xs), range(ys)]
"""


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """An image (H, W, 3) of one person, and their box in shares of its size."""
    path = tmp_path_factory.mktemp("person") / "crowd.mp4"
    boxes = make_crowd(path, people=1, seconds=0.1)
    with av.open(str(path)) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    height, width = image.shape[:2]
    return image, boxes[0, 0] / [width, height, width, height]


@pytest.fixture(scope="module")
def browser(person, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    image = cv2.imencode(".jpg", cv2.resize(person[0], (640, 360)))[1].tobytes()
    (folder / "camera.mjpeg").write_bytes(image * 2)
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(
        folder / "profile", *camera, f"--use-file-for-fake-video-capture={folder / 'camera.mjpeg'}"
    ) as driver:
        yield driver


@pytest.fixture(scope="module")
def networks():
    return load_pipeline(device="cpu", offline=True)


@pytest.fixture
def opened(browser):
    """Opens a page of a running app."""

    def open_page(app, page, *, width=1400, dark=False):
        screen(browser, width=width, dark=dark)
        browser.get("about:blank")
        complaints(browser)  # of the page before, whose server has ended
        browser.get(f"{app.url}/#{page}")
        until(lambda: browser.execute_script("return document.documentElement.dataset.page") == page)
        return browser

    return open_page


def text(browser, name):
    return browser.find_element(By.ID, name).text


def uncheck(browser, *names):
    for name in names:
        box = browser.find_element(By.CSS_SELECTOR, name)
        if box.is_selected():
            box.click()


def test_the_skeleton_is_drawn_on_the_person(opened, serving, networks, person):
    with serving(networks) as app:
        browser = opened(app, "live")
        uncheck(browser, "#live-mirror", "#live [name=boxes]", "#live [name=knee]")
        browser.find_element(By.ID, "live-start").send_keys(Keys.ENTER)
        until(lambda: text(browser, "live-count") == "1")
        until(lambda: browser.execute_script(DRAWN, "#live-canvas")[0] > 500)
        _, xs, ys = browser.execute_script(DRAWN, "#live-canvas")
        left, top, right, bottom = person[1]
        width, height = right - left, bottom - top
        assert left - 0.2 * width < xs[0] < xs[1] < right + 0.2 * width
        assert xs[1] - xs[0] > 0.4 * width
        assert top - 0.15 * height < ys[0] < ys[1] < bottom + 0.05 * height
        assert ys[1] - ys[0] > 0.7 * height

        ids = set()
        for _ in range(20):
            rows = browser.find_elements(By.CSS_SELECTOR, "#live-people li")
            ids |= {row.get_attribute("data-id") for row in rows}
        assert len(ids) == 1

        browser.find_element(By.CSS_SELECTOR, "#live-mirror").click()
        until(lambda: browser.execute_script(DRAWN, "#live-canvas")[1][1] < 1 - left + 0.2 * width)

        stage = browser.find_element(By.ID, "live-canvas")
        follow = browser.find_element(By.CSS_SELECTOR, "#live-people button")
        assert follow.get_attribute("aria-pressed") == "false"
        middle = 1 - (left + right) / 2
        offset = round((middle - 0.5) * stage.size["width"])
        ActionChains(browser).move_to_element_with_offset(stage, offset, 0).click().perform()
        until(lambda: follow.get_attribute("aria-pressed") == "true")
        follow.click()
        until(lambda: follow.get_attribute("aria-pressed") == "false")

        assert text(browser, "live-median").endswith(" ms")
        assert text(browser, "live-p95").endswith(" ms")
        with app.client() as client:
            assert "posetrack_live_latency_seconds_count" in client.get("/metrics").text
            browser.find_element(By.ID, "live-stop").click()
            until(lambda: "posetrack_live_clients 0.0" in client.get("/metrics").text)
        assert browser.execute_script(DRAWN, "#live-canvas")[0] == 0
        assert [line for line in complaints(browser) if "getImageData" not in line] == []  # which only this test reads


def test_a_line_and_a_region_are_drawn_and_count(opened, app):
    """Of a still person in pixels (10, 5) to (60, 95) of the image that is sent, as `Brightness` says."""
    browser = opened(app, "live")
    uncheck(browser, "#live-mirror")
    browser.find_element(By.ID, "live-start").click()
    until(lambda: text(browser, "live-count") == "1")
    canvas = browser.find_element(By.ID, "live-canvas")
    width, height = canvas.size["width"], canvas.size["height"]

    def click(x, y):
        place = ActionChains(browser).move_to_element_with_offset(canvas, (x - 0.5) * width, (y - 0.5) * height)
        place.click().perform()

    def begin(kind):
        browser.find_element(By.CSS_SELECTOR, f"#live-marks [data-kind={kind}]").click()

    begin("zones")
    for corner in ((0.01, 0.01), (0.5, 0.01), (0.5, 0.9), (0.01, 0.9), (0.01, 0.01)):
        click(*corner)
    until(lambda: "1 inside · 1 in · 0 out" in text(browser, "live-marks"))
    begin("lines")
    canvas.send_keys(Keys.ARROW_LEFT, Keys.SPACE, Keys.ARROW_DOWN * 3, Keys.SPACE)  # without a mouse
    until(lambda: "0 in · 0 out" in text(browser, "live-marks"))
    begin("known_length")
    click(0.1, 0.5)
    canvas.send_keys(Keys.ESCAPE)
    assert "Known length," not in text(browser, "live-marks")
    begin("known_length")
    click(0.1, 0.5)
    click(0.6, 0.5)
    until(lambda: browser.find_element(By.ID, "ask-dialog").is_displayed())
    browser.switch_to.active_element.send_keys("2.5" + Keys.ENTER)
    until(lambda: "Known length, 2.5 m" in text(browser, "live-marks"))
    until(lambda: " m/s" in text(browser, "live-people"))
    name = browser.find_element(By.CSS_SELECTOR, "#live-marks li[data-name='region 1'] input")
    name.send_keys(Keys.CONTROL + "a" + Keys.NULL + "court" + Keys.TAB)
    rows = "#live-marks li[data-name=court]"
    until(lambda: ["1 inside · 1 in" in row.text for row in browser.find_elements(By.CSS_SELECTOR, rows)] == [True])
    assert text(browser, "live-message") == ""
    assert not complaints(browser)


def test_on_a_phone_fingers_draw_and_choose(opened, app):
    """A person as above."""
    browser = opened(app, "live", width=390)
    uncheck(browser, "#live-mirror")

    def tap(selector):
        touch(browser, *points_in(browser, selector, (0.5, 0.5)))

    def marked():
        names = browser.find_elements(By.CSS_SELECTOR, "#live-marks .places input")
        return [name.get_attribute("value") for name in names]

    tap("#live-start")
    until(lambda: text(browser, "live-count") == "1")
    assert browser.execute_script("return innerWidth") == 390  # a long name of a camera makes the page no wider
    tap("#live-marks [data-kind=lines]")
    touch(browser, *points_in(browser, "#live-canvas", (0.2, 0.8), (0.4, 0.6), (0.6, 0.4)))  # a line is dragged
    until(lambda: marked() == ["line 1"])
    tap("#live-marks [data-kind=zones]")
    for corner in points_in(browser, "#live-canvas", (0.01, 0.01), (0.5, 0.01), (0.5, 0.9), (0.7, 0.9), (0.01, 0.9)):
        touch(browser, corner)
    tap("#live-marks [data-draft=undo]")
    touch(browser, *points_in(browser, "#live-canvas", (0.01, 0.9)))
    tap("#live-marks [data-draft=done]")
    until(lambda: marked() == ["line 1", "region 1"])
    tap("#live-marks [data-kind=known_length]")
    touch(browser, *points_in(browser, "#live-canvas", (0.1, 0.5), (0.6, 0.5)))
    browser.switch_to.active_element.send_keys("2.5" + Keys.ENTER)  # which has the focus, and with it the keyboard
    until(lambda: "Known length, 2.5 m" in text(browser, "live-marks"))

    followed = "#live-people [aria-pressed=true]"
    touch(browser, *points_in(browser, "#live-canvas", (0.05, 0.15)))
    until(lambda: browser.find_elements(By.CSS_SELECTOR, followed))
    touch(browser, *points_in(browser, "#live-canvas", (0.9, 0.5)))
    until(lambda: not browser.find_elements(By.CSS_SELECTOR, followed))

    browser = opened(app, "live", width=390)
    assert marked() == []
    tap("#live-start")
    until(lambda: marked() == ["line 1", "region 1"])
    assert "Known length, 2.5 m" in text(browser, "live-marks")
    assert not complaints(browser)


def test_a_video_is_marked_before_its_upload(opened, app, walking_clip):
    browser = opened(app, "videos")
    browser.find_element(By.ID, "videos-mark").click()
    browser.find_element(By.ID, "videos-files").send_keys(str(walking_clip))
    dialog = browser.find_element(By.ID, "mark-dialog")
    until(dialog.is_displayed)
    dialog.find_element(By.CSS_SELECTOR, "[data-kind=lines]").click()
    browser.switch_to.active_element.send_keys(" ", Keys.ARROW_RIGHT * 5, " ")
    until(lambda: dialog.find_elements(By.CSS_SELECTOR, ".places li"))
    height = dialog.find_element(By.NAME, "height")
    height.send_keys("1.8" + Keys.ENTER)
    dialog.find_element(By.CSS_SELECTOR, "[data-do=ok]").click()
    with app.client() as client:
        job = until(lambda: client.get("/api/jobs").json())[0]
        assert job["options"]["person_height"] == 1.8
        assert len(job["options"]["lines"]["line 1"]["points"]) == 2
        client.delete(f"/api/jobs/{job['id']}")
    assert not complaints(browser)


def test_repetitions_are_counted(opened, serving):
    """Of a stick figure, whose poses stand in for those of the camera's image."""
    parts = [motions.stand(2), motions.squats(2, seconds=4), motions.stand(1)]
    frames = list(motions.perform(parts, synthetic.regular(11, 30)).frames())

    class Figure:
        name, sha256, skeleton, network = "figure", "", COCO, None

        def __call__(self, frame, detections):
            return frames[int(30 * frame.time) % len(frames)][2]

    def found(frame):
        poses = frames[int(30 * frame.time) % len(frames)][2]
        return Detections(poses.boxes, np.ones(len(poses)))

    with serving(Pipeline(found, Figure())) as app:
        browser = opened(app, "live")
        browser.find_element(By.ID, "live-start").click()
        until(lambda: "squat 2" in text(browser, "live-people"), seconds=180)
        assert "standing" in until(lambda: "standing" in text(browser, "live-people") and text(browser, "live-people"))
        assert not complaints(browser)


def test_a_video_becomes_a_report(opened, app, walking_clip):
    browser = opened(app, "videos")
    browser.find_element(By.ID, "videos-files").send_keys(f"{walking_clip}\n{__file__}")
    assert "not a video file" in until(lambda: text(browser, "videos-message"))
    until(lambda: "Report" in text(browser, "videos-jobs"), seconds=400)
    assert "Annotated video" in text(browser, "videos-jobs")
    browser.find_element(By.LINK_TEXT, "Report").click()
    until(lambda: len(browser.window_handles) == 2)
    page, report = browser.window_handles
    browser.switch_to.window(report)
    try:
        until(lambda: browser.execute_script("return document.documentElement.dataset.ready"))
        assert browser.execute_script("return origin") == "null"
        assert browser.execute_script("return document.getElementById('video').readyState") > 0
    finally:
        browser.close()
        browser.switch_to.window(page)
    browser.find_element(By.CSS_SELECTOR, "#videos-jobs .actions button").click()
    until(lambda: not browser.find_elements(By.CSS_SELECTOR, "#videos-jobs li"))
    assert [line for line in complaints(browser) if "415" not in line] == []


def test_one_lost_camera_of_two_is_shown_as_lost(opened, app, grey):
    def camera(level):
        kind = "multipart/x-mixed-replace; boundary=image"
        return LiveServer(lambda: multipart(itertools.repeat(grey(level))), kind=kind)

    browser = opened(app, "cameras")
    source, name = (
        browser.find_element(By.CSS_SELECTOR, f"#cameras-form [name={field}]") for field in ("source", "name")
    )
    with camera(60) as one:
        other = camera(180)
        for title, server in (("Hall", one), ("Door", other)):
            source.send_keys(f"http://127.0.0.1:{server.port}/live")
            name.send_keys(title + Keys.ENTER)
            until(lambda title=title: title in text(browser, "cameras-tiles"))

        def tile(title):
            tiles = browser.find_elements(By.CSS_SELECTOR, ".tile")
            return next((each for each in tiles if each.find_element(By.TAG_NAME, "strong").text == title), None)

        for title in ("Hall", "Door"):
            until(lambda title=title: "fps" in tile(title).text)
        until(lambda: browser.execute_script(DRAWN, ".tile canvas")[0] > 1000)
        other.kill()
        until(lambda: "lost" in tile("Door").text)
        assert "fps" in until(lambda: "fps" in tile("Hall").text and tile("Hall").text)

        tile("Hall").find_element(By.CSS_SELECTOR, "[data-do=enlarge]").send_keys(Keys.ENTER)
        until(lambda: "large" in tile("Hall").get_attribute("class"))
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        until(lambda: "large" not in tile("Hall").get_attribute("class"))

        tile("Hall").find_element(By.CSS_SELECTOR, "[data-do=rename]").click()
        field = browser.find_element(By.CSS_SELECTOR, "#ask-dialog input")
        field.clear()
        field.send_keys("Court" + Keys.ENTER)
        until(lambda: tile("Court"))
        tile("Court").find_element(By.CSS_SELECTOR, "[data-do=stop]").click()
        until(lambda: tile("Court") is None)

        source.send_keys("/etc/passwd" + Keys.ENTER)
        assert "index of a webcam" in until(lambda: text(browser, "cameras-message"))
    assert [line for line in complaints(browser) if "422" not in line] == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_fit_their_screen_in_light_and_dark(opened, app, page):
    for width, dark in itertools.product((1400, 390), (False, True)):
        browser = opened(app, page, width=width, dark=dark)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        paper = "rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)"
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == paper
        assert [each.text for each in browser.find_elements(By.TAG_NAME, "h1") if each.is_displayed()] != []
        small = browser.execute_script(
            "return [...document.querySelectorAll('main button, main select, main input')].filter((element) => {"
            "const { width, height } = element.getBoundingClientRect(); return width && (width < 17 || height < 17) })"
            ".map((element) => element.outerHTML)"
        )
        assert small == []
        unnamed = browser.execute_script(
            "return [...document.querySelectorAll('button, input, select')].filter((element) => !(element.innerText"
            " || element.labels?.length || element.ariaLabel || element.getAttribute('aria-labelledby')))"
            ".map((element) => element.outerHTML)"
        )
        assert unnamed == []
        assert not complaints(browser)


def test_the_pages_can_be_used_by_keyboard(opened, serving, walking_clip):
    """Each control that is shown is reached by the Tab key, and shows that it is."""
    with serving(sources=(str(walking_clip),)) as app:
        browser = opened(app, "live")
        browser.get("about:blank")
        browser.get(f"{app.url}/")
        reached = []
        for _ in range(5):
            browser.switch_to.active_element.send_keys(Keys.TAB)
            reached.append(browser.switch_to.active_element.text)
        assert reached == ["posetrack", "Live", "Cameras", "Videos", "API"]
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        until(lambda: browser.execute_script("return document.documentElement.dataset.page") == "api")
        assert browser.switch_to.active_element.get_attribute("id") == "main"
        assert "GET /api/jobs" in until(lambda: text(browser, "api-routes"))

        for page in PAGES:
            opened(app, page)
            until(lambda page=page: page != "cameras" or text(browser, "cameras-tiles"))
            expected = browser.execute_script(
                "window.controls = [...document.querySelectorAll('a, button, input, select, summary')].filter((one) =>"
                " one.checkVisibility() && !one.disabled); return controls.length"
            )
            found = set()
            for _ in range(expected + 6):  # also texts that scroll, and the ends of the page
                browser.switch_to.active_element.send_keys(Keys.TAB)
                number, outlined = browser.execute_script(
                    "const { activeElement: one } = document;"
                    "return [controls.indexOf(one), getComputedStyle(one).outlineStyle !== 'none']"
                )
                assert outlined or number < 0
                found.add(number)
            assert found >= set(range(expected)), page
