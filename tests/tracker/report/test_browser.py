"""A report in a real browser: no errors, plots are drawn, a click moves the video, a phone scrolls one way only."""

import pytest

pytest.importorskip("bokeh", reason="needs the extra report")
pytest.importorskip("selenium", reason="needs selenium")

from browsers import chromium, complaints, screen, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

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
    browser.find_element(By.CSS_SELECTOR, "button.time[data-person='1']").click()
    until(
        lambda: (
            browser.execute_script("return document.getElementById('video').currentTime") == pytest.approx(1, abs=0.05)
        )
    )
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
    first = browser.find_element(By.ID, "picture").get_attribute("src")
    browser.execute_script(
        "const s = document.getElementById('slider'); s.value = 1.2; s.dispatchEvent(new Event('input'))"
    )
    until(lambda: browser.find_element(By.ID, "picture").get_attribute("src") != first)
    assert not complaints(browser)
