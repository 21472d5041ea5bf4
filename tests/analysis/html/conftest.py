"""`make_page(results)` gives the page of a hand-made run, `browser` a Chromium that reads it.

Their pictures are blank, since matplotlib takes longer than all the rest.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.html.history import History
from augbench.analysis.html.page import page
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.tables.frame import Results
from augbench.analysis.text import file_stem

MakePage = Callable[[Results], Path]
BLANK = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>'
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    "--disable-dev-shm-usage",  # of which containers have little
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def report_data(results: Results) -> ReportData:
    figures = [
        DrawnFigure(task, name, f"{file_stem(task)}-{name}", drawing.table(results, task), BLANK)
        for task in results.trials["task"].unique()
        for name, drawing in FIGURES.items()
    ]
    return ReportData(results, History(), tuple(figures))


@pytest.fixture
def report_of() -> Callable[[Results], ReportData]:
    return report_data


@pytest.fixture
def make_page(tmp_path: Path) -> MakePage:
    def make(results: Results) -> Path:
        file = tmp_path / "report.html"
        file.write_bytes(page(report_data(results)))
        return file

    return make


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One for all tests of a process: its start takes longer than most of them."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chrome = pytest.importorskip("selenium.webdriver.chrome.service")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no browser: Debian's packages chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = chrome.Service(driver, popen_kw={"start_new_session": True})
    from selenium.common.exceptions import WebDriverException

    try:
        started = webdriver.Chrome(options=options, service=service)
    except WebDriverException as error:
        pytest.skip(f"Chromium does not start on this machine: {str(error).splitlines()[0]}")
    try:
        yield started
    finally:  # `quit` waits for a minute now and then
        os.killpg(service.process.pid, signal.SIGKILL)


@pytest.fixture
def browser(_chromium: Any) -> Any:
    """A headless Chromium on an empty page, with empty logs of its console and its requests."""
    _chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    _chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    _chromium.get("about:blank")
    for kind in ("browser", "performance"):
        _chromium.get_log(kind)
    return _chromium
