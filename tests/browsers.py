"""A real browser for tests of pages: Debian's Chromium without a window, driven by Selenium."""

import shutil
import time
from contextlib import contextmanager

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


@contextmanager
def chromium(folder, *arguments):
    """Start Chromium with its profile in a folder; skip where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    from selenium.webdriver.chrome.service import Service

    if not BROWSER or not DRIVER:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    words = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={folder}", *arguments)
    for word in words:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def screen(browser, *, width, dark=False):
    """Show pages at a width, in light or dark; a narrow screen is a phone with a touch screen."""
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": size["mobile"]})
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def until(condition, seconds=300):
    """Wait for a condition and return its value; the limit only ends a test that hangs."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "the page does not get ready"
        time.sleep(0.1)
    return result


def complaints(browser):
    """Return what the browser complained about since the last call."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def touch(browser, *path):
    """Put a finger on a point (x, y) of the screen, move it along the others, let it rest, and take it off."""

    def send(kind, *points):
        points = [{"x": x, "y": y} for x, y in points]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", path[0])
    for point in path[1:]:
        send("touchMove", point)
    if len(path) > 1:
        time.sleep(0.2)  # a finger that is still moving flings the page, and the next tap only stops that
        send("touchMove", path[-1])
    send("touchEnd")


def points_in(browser, selector, *shares):
    """Return points of the screen, from shares (x, y) of the size of an element; it is scrolled into view."""
    left, top, width, height = browser.execute_script(
        "const element = document.querySelector(arguments[0]); element.scrollIntoView({ block: 'nearest' });"
        "const { left, top, width, height } = element.getBoundingClientRect(); return [left, top, width, height]",
        selector,
    )
    return [(left + x * width, top + y * height) for x, y in shares]
