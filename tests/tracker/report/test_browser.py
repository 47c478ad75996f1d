"""A report in a real browser: no errors, plots are drawn, a click moves the video, a phone scrolls one way only."""

import csv
import re
from base64 import b64decode

import cv2
import numpy as np
import pytest

pytest.importorskip("bokeh", reason="needs the extra report")
pytest.importorskip("selenium", reason="needs selenium")

from browsers import chromium, complaints, screen, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.report.data import SIDES
from posetrack.tracker.report.page import render

pytestmark = pytest.mark.slow
PIXELS = """
const canvases = []
const walk = (node) => {
  if (node.tagName === "CANVAS") canvases.push(node)
  for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) walk(child)
}
walk(document.getElementById(arguments[0]))
return Math.max(...canvases.map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  return data.filter((value, i) => i % 4 === 3 && value > 128).length
}))
"""

BRIGHTNESS = """
const canvas = document.createElement("canvas")
const context = canvas.getContext("2d")
context.drawImage(document.getElementById("video"), 0, 0, 1, 1)
return context.getImageData(0, 0, 1, 1).data[0]
"""

PRINTED = """
addEventListener("beforeprint", () => {
  const plots = [...document.querySelectorAll(".vector svg")]
  const text = plots.map((plot) => plot.outerHTML).join("")
  window.printed = [plots.length, text, document.getElementById("snapshot").width]
})
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page at a width, in light or dark."""

    def open_page(page, *, width=1280, dark=False):
        browser.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        screen(browser, width=width, dark=dark)
        path = tmp_path / "report.html"
        path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        until(lambda: browser.execute_script("return document.documentElement.dataset.ready"))
        return browser

    return open_page


def click(browser, place, *, x):
    """Click in a plot, at a share of its width."""
    element = browser.find_element(By.ID, place)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    offset = round((x - 0.5) * element.size["width"])
    ActionChains(browser).move_to_element_with_offset(element, offset, 0).click().perform()


@pytest.fixture
def saved(browser, tmp_path):
    """Clicks a button that saves a file, and returns the file's path."""
    folder = tmp_path / "saved"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})

    def click_on(selector):
        before = set(folder.iterdir())
        element = browser.find_element(By.CSS_SELECTOR, selector)
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return until(lambda: {path for path in folder.iterdir() if path.suffix != ".crdownload"} - before).pop()

    return click_on


def shown_frame(browser):
    """Return the number of the frame that the video shows, which is half of its brightness."""
    return round(browser.execute_script(BRIGHTNESS) / 2)


def test_frames_are_stepped_one_by_one(opened, two_people, clip):
    browser = opened(render(two_people, facts={}, clip=clip(2.0)))
    assert browser.execute_script("return document.getElementById('rate').value") == "1"
    for number in range(1, 6):
        browser.find_element(By.ID, "forward").click()
        until(lambda number=number: f"frame {number}" in browser.find_element(By.ID, "clock").text)
        until(lambda number=number: shown_frame(browser) == number)
    ActionChains(browser).send_keys(",").perform()
    until(lambda: shown_frame(browser) == 4)
    assert "frame 4" in browser.find_element(By.ID, "clock").text
    Select(browser.find_element(By.ID, "rate")).select_by_value("0.25")
    assert browser.execute_script("return document.getElementById('video').playbackRate") == 0.25


def test_a_report_begins_when_its_person_does(opened, collect, clip):
    late = collect(synthetic.walking(1.5 + synthetic.regular(2, 30)))
    browser = opened(render(late, facts={}, clip=clip(4.0)))
    until(lambda: shown_frame(browser) == 45)
    assert browser.find_element(By.ID, "clock").text.startswith("1.50 s")


@pytest.mark.parametrize("dark", [False, True])
def test_tables_and_plots_are_saved(opened, saved, two_people, dark):
    browser = opened(render(two_people, facts={"source": "walk.mp4"}), dark=dark)
    with saved("[data-csv='events']").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(two_people.events)
    assert ("1.00", "1", "left hand raised") in [(row["time (s)"], row["person"], row["event"]) for row in rows]
    chosen = int(browser.find_element(By.ID, "who").text)
    with saved("#series").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = two_people.series.table(chosen)
    knee = 1 + two_people.columns.index("left_knee_deg")
    np.testing.assert_allclose([float(row["time_s"]) for row in rows], table[:, 0], atol=1e-4)
    np.testing.assert_allclose([float(row["left_knee_deg"] or "nan") for row in rows], table[:, knee], rtol=1e-4)
    file = saved("[data-png='knee']")
    assert file.name == f"walk-mp4-person-{chosen}-knee.png"
    image = cv2.imread(str(file))
    width, height = (browser.find_element(By.ID, "plot-knee").size[name] for name in ("width", "height"))
    assert image.shape[0] > 3 * height
    assert image.shape[1] == pytest.approx(3 * width, abs=3)
    assert (image == 255).all(-1).mean() > 0.9  # white paper
    for side in SIDES.values():
        red, green, blue = (int(side["light"][i : i + 2], 16) for i in (1, 3, 5))
        assert (abs(image.astype(int) - (blue, green, red)).max(-1) < 8).sum() > 100
    assert not complaints(browser)


def test_tables_and_curves_are_those_of_the_person(opened, saved, two_people):
    page = render(two_people, facts={"source": "walk.mp4"})
    browser = opened(page)
    for identity in ("2", "1"):
        browser.find_element(By.CSS_SELECTOR, f".chip[data-person='{identity}']").click()
        rows = browser.find_elements(By.CSS_SELECTOR, "#table-range-of-motion tbody tr")
        shown = {row.get_attribute("data-of") for row in rows if row.is_displayed()}
        assert shown == {identity}
    with saved("[data-csv='range-of-motion']").open(newline="", encoding="utf-8") as file:
        assert {row["person"] for row in csv.DictReader(file)} == {"1", "2"}  # the file has all people
    until(lambda: browser.execute_script(PIXELS, "plot-asymmetry") > 200)
    assert saved("[data-png='asymmetry']").name == "walk-mp4-person-1-asymmetry.png"
    assert not complaints(browser)


@pytest.mark.parametrize("dark", [False, True])
def test_paper_shows_every_plot_and_the_moment(opened, two_people, clip, dark):
    browser = opened(render(two_people, facts={}, clip=clip()), dark=dark, width=390)
    browser.execute_script(PRINTED)
    data = b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    count, plots, width = browser.execute_script("return window.printed")
    assert count == len(browser.find_elements(By.CLASS_NAME, "plot"))
    assert all(side["light"] in plots for side in SIDES.values())
    assert not any(side["dark"] in plots for side in SIDES.values())
    assert width == 320
    assert 2 <= len(re.findall(rb"/Type /Page\b", data)) <= 5
    assert b"[0 0 594" in data  # A4
    assert not browser.find_elements(By.CLASS_NAME, "vector")
    assert not complaints(browser)


def test_a_report_works(opened, two_people, clip):
    browser = opened(render(two_people, facts={"source": "walk.mp4"}, clip=clip()))
    plots = [element.get_attribute("id") for element in browser.find_elements(By.CLASS_NAME, "plot")]
    assert {"plot-timeline", "plot-speed", "plot-path", "plot-knee", "plot-com_speed"} <= set(plots)
    for plot in plots:
        assert until(lambda plot=plot: browser.execute_script(PIXELS, plot)) > 200, plot

    click(browser, "plot-speed", x=0.75)
    moved = until(lambda: browser.execute_script("return document.getElementById('video').currentTime"))
    assert 2.5 < moved < 3.5
    until(lambda: abs(float(browser.execute_script("return document.documentElement.dataset.now")) - moved) < 0.1)
    assert f"frame {round(30 * moved)}" in browser.find_element(By.ID, "clock").text
    assert browser.find_element(By.ID, "at-knee").text.startswith("L ")

    click(browser, "plot-timeline", x=0.3)  # between the rows of two people
    browser.find_element(By.CSS_SELECTOR, ".chip[data-person='2']").click()
    assert browser.find_element(By.ID, "who").text == "2"
    button = browser.find_element(By.CSS_SELECTOR, "button.time[data-person='1']")
    moment = pytest.approx(float(button.text), abs=0.05)
    button.click()
    until(lambda: browser.execute_script("return document.getElementById('video').currentTime") == moment)
    assert browser.find_element(By.ID, "who").text == "1"

    span = "const r = Bokeh.documents[0].get_model_by_name('time'); return r.end - r.start"
    before = browser.execute_script(span)
    browser.find_element(By.ID, "closer").click()
    assert browser.execute_script(span) == pytest.approx(before / 2)
    browser.find_element(By.ID, "whole").click()
    assert browser.execute_script(span) == pytest.approx(before)

    browser.execute_script("const v = document.getElementById('video'); v.currentTime = 0; v.play()")
    until(lambda: 0.3 < browser.execute_script("return Bokeh.documents[0].get_model_by_name('cursor').location") < 4)
    assert not complaints(browser)


@pytest.mark.parametrize("width", [1400, 700])
def test_two_clicks_in_the_image_name_the_option_that_calibrates(opened, two_people, clip, width):
    facts = {"source": "walk.mp4", "size": {"width": 640, "height": 480}}
    browser = opened(render(two_people, facts=facts, clip=clip()), width=width)
    browser.find_element(By.ID, "measure").click()
    status = browser.find_element(By.ID, "measured")
    assert status.text == "Click the first of two points."
    video = browser.find_element(By.ID, "video")
    for share in (-0.25, 0.25):  # of the width, from the middle
        ActionChains(browser).move_to_element_with_offset(video, share * video.size["width"], 0).click().perform()
    x1, y1, x2, y2 = map(int, status.text.partition("--floor ")[2].split(","))
    assert (x1, y1, x2, y2) == pytest.approx((160, 240, 480, 240), abs=5)  # of the source, 640 pixels wide
    assert f"--known-length {x1},{y1},{x2},{y2},METRES" in status.text
    assert browser.execute_script("return document.getElementById('video').paused")
    browser.find_element(By.ID, "measure").click()
    assert not status.is_displayed()
    assert not complaints(browser)


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_needs_no_sideways_scroll(opened, two_people, clip, dark):
    page = render(
        two_people, facts={"source": "a-very-long-name-without-any-gap-in-it-" * 4}, clip=clip(2.0, max_bytes=9)
    )
    browser = opened(page, width=390, dark=dark)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 390
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)"
    )
    first = browser.find_element(By.ID, "image").get_attribute("src")
    browser.execute_script(
        "const s = document.getElementById('slider'); s.value = 1.2; s.dispatchEvent(new Event('input'))"
    )
    until(lambda: browser.find_element(By.ID, "image").get_attribute("src") != first)
    assert not complaints(browser)
