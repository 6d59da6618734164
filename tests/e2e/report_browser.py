#!/usr/bin/env python3
"""Looks at a report of `stagemake report --html` in a headless Chromium: whether it fits a phone, can be read in the
dark and without scripts, loads nothing, and whether table and boxes do what they are for.

Usage: report_browser.py REPORT.html [FOLDER]: with FOLDER, screenshots go there. Ends with 0 where all is well, with 1
and a line for each thing that is not, with 77 where there is no chromium or chromedriver."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

PHONE = (360, 740)
DESK = (1280, 900)
LEAST_CONTRAST = 4.5

# The lowest contrast of any visible text, and that text: [ratio, text, colors].
CONTRAST = r"""
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const known = new Map();
function rgba(color) {
  if (!known.has(color)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
  }
  return known.get(color);
}
function luminance(color) {
  const [r, g, b] = rgba(color).slice(0, 3).map(x => x / 255).map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function background(element) {
  const bar = element.closest('.bars g');
  if (bar) return getComputedStyle(bar.querySelector('rect')).fill;
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (rgba(color)[3] === 255) return color;
  }
  return 'white';
}
let worst = [99, '', ''];
for (const element of document.body.querySelectorAll('*')) {
  if (!element.checkVisibility() || ['STYLE', 'TITLE', 'DESC'].includes(element.tagName.toUpperCase())) continue;
  const own = [...element.childNodes].filter(x => x.nodeType === 3).map(x => x.data.trim()).join('');
  if (!own) continue;
  const style = getComputedStyle(element);
  const front = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [luminance(front), luminance(background(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, own.slice(0, 40), front + ' on ' + background(element)];
}
return worst;
"""


class Browser:
    def __init__(self, folder):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0", f"--log-path={folder}/driver.log"], stdout=subprocess.PIPE, text=True)
        self.address = None
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.address = f"http://127.0.0.1:{found[1]}"
                break
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync",
                   "--hide-scrollbars", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile"]
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": options}}}})
        self.session = "/session/" + answer["sessionId"]

    def ask(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self.opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"FAILED: the browser refuses {path}: {error.read().decode(errors='replace')[:600]}")

    def run(self, script, *arguments):
        return self.ask("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def command(self, name, **parameters):
        return self.ask("POST", self.session + "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, page):
        self.ask("POST", self.session + "/url", {"url": page})

    def size(self, width, height):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=2 if width < 600 else 1, mobile=width < 600)

    def scheme(self, value):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def press(self, key):
        self.command("Input.dispatchKeyEvent", type="keyDown", key=key[0], code=key[0], windowsVirtualKeyCode=key[1],
                     **({"text": key[2]} if len(key) > 2 else {}))
        self.command("Input.dispatchKeyEvent", type="keyUp", key=key[0], code=key[0], windowsVirtualKeyCode=key[1])

    def picture(self, file, whole=False):
        answer = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(file).write_bytes(base64.b64decode(answer["data"]))

    def end(self):
        try:
            self.ask("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()


problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def check_fits(browser, width):
    wide = browser.run("return Math.max(document.scrollingElement.scrollWidth, document.body.scrollWidth)")
    check(wide <= width, f"at {width} px the page is {wide} px wide")
    cut = browser.run("""
        const scrolls = x => x.closest('.scroll, pre, [popover], svg');
        return [...document.body.querySelectorAll('*')].filter(x => x.checkVisibility() && !scrolls(x) &&
          x.getBoundingClientRect().right > arguments[0] + 1).map(x => x.outerHTML.slice(0, 80)).slice(0, 3)""", width)
    check(not cut, f"at {width} px this is cut off: {cut}")


def check_contrast(browser, scheme):
    browser.run("for (const x of document.querySelectorAll('details')) x.open = true")
    ratio, text, colors = browser.run(CONTRAST)
    check(ratio >= LEAST_CONTRAST, f"{scheme}: contrast {ratio:.2f} of \"{text}\", {colors}")


def check_dark(browser):
    light = browser.run("""
        const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
        return (r + g + b) / 3""")
    check(light < 64, f"in the dark the page's background is {light:.0f} of 255")


def check_boxes(browser):
    """A cell opens its box by the keyboard, Escape closes it, and the box is as wide as the window at most."""
    cell = browser.run("""
        const cell = document.querySelector('.matrix td.failed button') || document.querySelector('.matrix td button');
        if (cell) cell.focus();
        return cell && cell.getAttribute('popovertarget')""")
    if not cell:
        return
    shown = "const r = document.getElementById(arguments[0]).getBoundingClientRect(); return [r.left, r.right, r.height]"
    browser.press(("Enter", 13, "\r"))
    left, right, height = browser.run(shown, cell)
    check(height > 40 and left >= 0 and right <= browser.run("return innerWidth"),
          f"the box of a cell stands at {left}…{right}, {height} high")
    browser.press(("Escape", 27))
    check(browser.run(shown, cell)[2] == 0, "Escape does not close a box")


def check_matrix(browser):
    """Names stay in sight while the table scrolls in its box; the filter leaves only what is not well."""
    moved = browser.run("""
        const box = document.querySelector('.matrix');
        if (!box) return null;
        const row = [...box.querySelectorAll('tbody th')].pop(), head = box.querySelector('thead th:last-child');
        box.scrollTop = 1e6; box.scrollLeft = 1e6;
        const at = box.getBoundingClientRect();
        const gaps = [row.getBoundingClientRect().left - at.left, head.getBoundingClientRect().top - at.top];
        box.scrollTop = box.scrollLeft = 0;
        return gaps""")
    check(moved is not None, "there is no table")
    check(moved is None or max(map(abs, moved)) <= 2, f"names do not stay in sight: {moved}")
    rows = browser.run("""
        const filter = document.querySelector('.only input');
        if (!filter) return null;
        filter.click();
        const shown = [...document.querySelectorAll('.matrix tbody tr')].filter(x => x.checkVisibility());
        filter.click();
        return [shown.length, shown.filter(x => !x.querySelector('.failed, .interrupted, .skipped')).length]""")
    check(rows is None or (rows[0] > 0 and rows[1] == 0), f"the filter leaves rows: {rows}")


def check_structure(browser):
    check(browser.run("return document.scripts.length + performance.getEntriesByType('resource').length") == 0,
          "the page holds scripts or loads something")
    missing = browser.run("""
        const lacks = [];
        for (const what of ['html[lang]', 'header h1', 'main', 'nav[aria-label]', 'footer', '#failures h2', '#environments table',
                            'meta[name=viewport]'])
          if (!document.querySelector(what)) lacks.push(what);
        if ([...document.querySelectorAll('th')].some(x => !x.scope)) lacks.push('scope of th');
        if (document.querySelectorAll('h1').length !== 1) lacks.push('one h1');
        const ids = [...document.querySelectorAll('[id]')].map(x => x.id);
        if (new Set(ids).size !== ids.length) lacks.push('different ids');
        for (const x of document.querySelectorAll('[popovertarget]'))
          if (!document.getElementById(x.getAttribute('popovertarget'))) { lacks.push('a box'); break; }
        return lacks""")
    check(not missing, f"missing: {missing}")


def check_without_scripts(browser, page):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    # The text that is laid out, without any script of the page or of this test.
    shown = browser.command("DOMSnapshot.captureSnapshot", computedStyles=[])
    document, strings = shown["documents"][0], shown["strings"]
    laid_out = dict(zip(document["layout"]["nodeIndex"], document["layout"]["text"]))
    nodes, text_of = document["nodes"], {}
    for node, text in laid_out.items():
        if text < 0:
            continue
        at = node
        while at >= 0:
            attributes = [strings[i] for i in nodes["attributes"][at]]
            name = dict(zip(attributes[::2], attributes[1::2])).get("id")
            if strings[nodes["nodeName"][at]] == "TABLE":
                name = "tables"
            if name:
                text_of[name] = text_of.get(name, "") + strings[text] + "\n"
            at = nodes["parentIndex"][at]
    check("fails" in text_of.get("failures", "") or "Nothing failed" in text_of.get("failures", ""),
          "without scripts no failures are shown")
    states = {"built", "reused", "failed", "interrupted", "skipped", "waiting", "running"}
    check(states & set(text_of.get("tables", "").split()), "without scripts no stage's state is shown")
    browser.command("Emulation.setScriptExecutionDisabled", value=False)


def look(browser, page, pictures):
    def picture(name, whole=False):
        if pictures:
            browser.picture(pictures / name, whole)

    browser.size(*DESK)
    browser.scheme("light")
    browser.open(page)
    picture("desktop.png")
    picture("whole.png", whole=True)
    check_structure(browser)
    check_fits(browser, DESK[0])
    check_matrix(browser)
    check_boxes(browser)
    check_contrast(browser, "light")
    browser.scheme("dark")
    browser.open(page)
    picture("dark.png")
    check_dark(browser)
    check_contrast(browser, "dark")
    browser.scheme("light")
    browser.size(*PHONE)
    browser.open(page)
    picture("phone.png")
    picture("phone_whole.png", whole=True)
    check_fits(browser, PHONE[0])
    check_boxes(browser)
    browser.run("for (const x of document.querySelectorAll('details')) x.open = true")
    check_fits(browser, PHONE[0])
    check_without_scripts(browser, page)


def main():
    page = pathlib.Path(sys.argv[1]).resolve().as_uri()
    pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            must = os.environ.get("STAGEMAKE_BROWSER_MUST_WORK") == "1"
            print(f"{'FAILED' if must else 'SKIPPED'}: there is no {program}")
            sys.exit(1 if must else 77)
    with tempfile.TemporaryDirectory(prefix="stagemake-browser.", ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            look(browser, page, pictures)
        finally:
            browser.end()
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
