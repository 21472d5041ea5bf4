"""The page in a real browser; each test says what a reader does and sees."""

import itertools
import json
import os
from pathlib import Path

import pytest

WAIT_SECONDS = 60


@pytest.fixture
def toys(trial, gather):
    """Three methods on two folds, two of them with an early and a late point."""
    early, late = (0.5, 0.4, 0.1, 0.1), (0.7, 0.6, 2.0, 3.0)
    return gather(
        *(trial("none", fold, [early, late]) for fold in range(2)),
        *(trial("augnet", fold, [(0.5, 0.45, 0.2, 0.2), (0.8, 0.7, 1.0, 1.0)]) for fold in (0, 1)),
        *(trial("<b>mine</b>", fold, [(0.6, 0.5, 4.0, 4.0)]) for fold in range(2)),
    )


@pytest.fixture
def opened(browser, make_page, toys):
    """The page, opened, its figure drawn."""
    resize(browser, 1280)
    browser.get(make_page(toys).as_uri())
    drawn(browser)
    return browser


def resize(browser, width, *, dark=False):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def find(browser, selector):
    return browser.find_element("css selector", selector)


def wait(browser, condition):
    """Wait until a script's expression is true."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, WAIT_SECONDS).until(
        lambda found: found.execute_script(f"return Boolean({condition})")
    )


def drawn(browser):
    browser.execute_script("document.querySelector('figure').scrollIntoView()")
    wait(browser, "document.querySelector('.plot .scatterlayer .trace')")


def click(browser, selector):
    element = find(browser, selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def n_lines(browser):
    return browser.execute_script("return document.querySelectorAll('.js-line').length")


def column(browser, number):
    return browser.execute_script(
        "return [...document.querySelectorAll('#scores tbody tr')].filter((row) => !row.hidden)"
        ".map((row) => row.cells[arguments[0]].textContent.trim())",
        number,
    )


def colour(browser):
    return browser.execute_script("return getComputedStyle(document.body).backgroundColor")


def choose(browser, choice, value):
    from selenium.webdriver.support.ui import Select

    Select(find(browser, f'[data-choice="{choice}"]')).select_by_value(value)


def title(browser):
    return browser.execute_script("return document.querySelector('.plot').layout.xaxis.title.text")


def test_nothing_goes_wrong_and_nothing_is_asked_of_any_other_machine(opened):
    wait(opened, "[...document.images].every((image) => image.complete && image.naturalWidth)")
    assert opened.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    urls = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    kinds = {url.partition(":")[0] for url in urls}
    assert "file" in kinds
    assert kinds <= {"file", "data", "blob", "chrome"}  # chrome: the page that it starts with


def test_a_request_would_be_refused(opened):
    refused = opened.execute_async_script(
        "const done = arguments[0];"
        "fetch('https://example.org/').then(() => done('sent'), () => done('refused'))"
    )
    assert refused == "refused"
    assert any("Content Security Policy" in entry["message"] for entry in opened.get_log("browser"))


def test_a_table_sorts_by_pointer_and_by_key(opened):
    from selenium.webdriver.common.keys import Keys

    assert column(opened, 0) == ["<b>mine</b>", "augnet", "none"]
    click(opened, "#scores th:nth-child(2) button")
    assert column(opened, 0) == ["augnet", "none", "<b>mine</b>"]
    find(opened, "#scores th:nth-child(2) button").send_keys(Keys.ENTER)
    assert column(opened, 0) == ["<b>mine</b>", "none", "augnet"]
    assert find(opened, "#scores th:nth-child(2)").get_attribute("aria-sort") == "ascending"
    click(opened, "#scores th:nth-child(4) button")  # gain over none, which none has not
    assert column(opened, 0)[-1] == "none"
    click(opened, "#scores th:nth-child(4) button")
    assert column(opened, 0)[-1] == "none"


def test_a_table_filters(opened):
    find(opened, "#scores input").send_keys("AUG")
    assert column(opened, 0) == ["augnet"]
    assert find(opened, "#scores .filter span").text == "1 of 3 rows"


def test_the_legend_hides_a_method(opened):
    before = n_lines(opened)
    click(opened, '[data-method="0"]')
    wait(opened, f"document.querySelectorAll('.js-line').length < {before}")
    click(opened, '[data-action="none"]')
    wait(opened, "!document.querySelectorAll('.js-line').length")
    click(opened, '[data-action="all"]')
    wait(opened, f"document.querySelectorAll('.js-line').length === {before}")
    assert n_lines(opened) == before > 1


@pytest.mark.parametrize("width", [1280, 400])
def test_labels_of_a_logarithmic_axis_do_not_overlap(browser, make_page, trial, gather, width):
    resize(browser, width)
    scores = [(0.5, 0.4, hours, hours) for hours in (0.011, 0.04, 0.1, 0.13)]
    browser.get(make_page(gather(trial("none", 0, scores))).as_uri())
    drawn(browser)
    choose(browser, "scale", "log")
    for low, high in ((0.011, 0.13), (0.03, 0.11), (0.0001, 100)):
        browser.execute_async_script(
            "const [low, high, done] = arguments;"
            "const range = [Math.log10(low), Math.log10(high)];"
            "Plotly.relayout(document.querySelector('.plot'), { 'xaxis.range': range })"
            ".then(() => setTimeout(done, 500))",
            low,
            high,
        )
        boxes = browser.execute_script(
            "return [...document.querySelectorAll('.plot .xtick text')]"
            ".map((label) => label.getBoundingClientRect()).map((box) => [box.left, box.right])"
        )
        assert len(boxes) >= 3
        boxes.sort()
        assert all(left[1] < right[0] for left, right in itertools.pairwise(boxes))


def test_axis_reading_and_scale_can_be_chosen(opened):
    assert title(opened) == "device hours (cpu)"
    kind = "return document.querySelector('.plot').layout.xaxis.type"
    assert opened.execute_script(kind) == "log"
    choose(opened, "scale", "linear")
    assert opened.execute_script(kind) == "linear"
    choose(opened, "axis", "forward")
    assert title(opened) == "thousand samples forward"
    ends = "return Math.max(...document.querySelector('.plot').data.flatMap((trace) => trace.x))"
    assert opened.execute_script(ends) == 4.0
    choose(opened, "axis", "step")
    assert title(opened) == "epochs"
    assert not find(opened, '[data-choice="reading"]').is_enabled()


def test_the_reading_is_no_choice_where_both_are_the_same(browser, make_page, trial, gather):
    run = gather(trial("none", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 2)]))
    resize(browser, 1280)
    browser.get(make_page(run).as_uri())
    drawn(browser)
    note = '[data-note="reading"]'
    assert find(browser, note).text == "both readings are the same"
    assert not find(browser, '[data-choice="reading"]').is_displayed()
    choose(browser, "axis", "hours_wall")
    assert title(browser) == "wall-clock hours (cpu)"
    assert not find(browser, note).is_displayed()  # it has no readings
    assert not find(browser, '[data-choice="reading"]').is_displayed()
    choose(browser, "axis", "backward")
    assert find(browser, note).is_displayed()


def test_a_label_is_text_in_the_figure_too(opened):
    script = "return document.querySelector('.plot').data.map((trace) => trace.hovertemplate || '')"
    assert any("&lt;b&gt;mine" in text for text in opened.execute_script(script))
    assert "<b>mine</b>" in find(opened, ".legend").text


def test_colours_are_the_systems_until_the_button_is_pressed(browser, make_page, toys):
    resize(browser, 1280, dark=True)
    browser.get(make_page(toys).as_uri())
    drawn(browser)
    assert colour(browser) == "rgb(22, 24, 29)"
    font = "return document.querySelector('.plot').layout.font.color"
    assert browser.execute_script(font) == "rgb(230, 232, 236)"
    click(browser, "#theme")
    assert colour(browser) == "rgb(255, 255, 255)"
    assert browser.execute_script(font) == "rgb(28, 30, 34)"
    assert find(browser, "#theme").text == "dark colours"


def test_a_figure_without_points_says_so(browser, make_page, trial, gather):
    shared = trial("none", 0, [(0.5, 0.4, 1, 1)], shared=True)
    resize(browser, 1280)
    browser.get(make_page(gather(shared, trial("none", 0, [], task="waves"))).as_uri())
    text = "[...document.querySelectorAll('.plot')].map((plot) => plot.textContent)"
    for number in (0, 1):
        script = f"document.querySelectorAll('figure')[{number}].scrollIntoView()"
        browser.execute_script(script)
        wait(browser, f"{text}[{number}].includes('no point on this axis')")
    choose(browser, "axis", "forward")
    drawn(browser)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", [320, 375, 768])
def test_a_narrow_window_does_not_scroll_sideways(browser, make_page, toys, trial, gather, width):
    long = gather(trial("x" * 300, 0, [(0.5, 0.4, 1, 1)], task="y" * 300, reason="z" * 300))
    for results in (toys, long):
        resize(browser, width)
        browser.get(make_page(results).as_uri())
        drawn(browser)
        browser.execute_script(
            "document.querySelectorAll('details').forEach((each) => (each.open = true))"
        )
        wide = "return document.documentElement.scrollWidth"
        assert browser.execute_script(wide) <= width


def test_the_table_that_it_saves_draws_the_figure_again(opened, toys, tmp_path):
    from io import StringIO

    import pandas as pd

    from augbench.analysis.figures.accuracy import FIGURES, accuracy_figure

    opened.execute_script(
        "URL.createObjectURL = (blob) => {blob.text().then((text) => {window.saved = text}); "
        "return '#'}"
    )
    click(opened, '[data-action="csv"]')
    wait(opened, "window.saved")
    saved = pd.read_csv(StringIO(opened.execute_script("return window.saved")))
    saved = saved.fillna({"own_device": ""})  # an empty cell
    table = FIGURES["hours"].table(toys, "toy")
    order = ["axis", "method", "x"]
    saved, table = (each.sort_values(order, ignore_index=True) for each in (saved, table))
    pd.testing.assert_frame_equal(saved, table, check_dtype=False, rtol=1e-4)
    assert accuracy_figure(saved).axes


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(browser, make_page, toys, width, dark):
    """AUGBENCH_AXE names axe.min.js, which `npm pack axe-core` brings: PyPI has none by itself."""
    axe = os.environ.get("AUGBENCH_AXE")
    if axe is None:
        pytest.skip("AUGBENCH_AXE does not name axe.min.js")
    resize(browser, width, dark=dark)
    browser.get(make_page(toys).as_uri())
    drawn(browser)
    browser.execute_script(
        "document.querySelectorAll('details').forEach((each) => (each.open = true))"
    )
    browser.execute_script(Path(axe).read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[0])")
    assert found["passes"]
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in serious]
