#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The page of `wsmauthz report --html` in a real browser (headless Chromium): its numbers are those of the CSV, hostile names stay text,
the table is searched, filtered and sorted, all of it by the keyboard too, the contrast of every text is enough in light
and dark, nothing else may run, and without a script everything is still there.
"""
import csv
import os
import re
import subprocess
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Slapd, entry, group, need  # noqa: E402

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select
except ImportError:
    webdriver = None

COUNT = 260
HOSTILE = ["<script>document.title='hacked'</script>", "\"><img src=x onerror=\"document.title='hacked'\">", "a\u202egnp.exe",
           "\u05d0\u05dc\u05d9\u05e1", "&lt;b&gt;", "'x'", "\u5c71\u7530", "</td></table>", "{{7*7}}", "two\nlines"]
SITES = ("EMEA", "APAC")

# Every element that shows text of its own: its colour against what lies behind it, by WCAG 2.2 (1.4.3).
CONTRAST = """
function channels(css) {
  var found = css.match(/[\\d.]+/g).map(Number);
  return { r: found[0], g: found[1], b: found[2], a: found.length > 3 ? found[3] : 1 };
}
function luminance(c) {
  var parts = [c.r, c.g, c.b].map(function (v) {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}
function behind(element) {
  for (var at = element; at; at = at.parentElement) {
    var c = channels(getComputedStyle(at).backgroundColor);
    if (c.a === 1)
      return c;
    if (c.a > 0)
      throw new Error("half transparent: " + at.tagName);
  }
  return { r: 255, g: 255, b: 255 };
}
var worst = {};
var looked = 0;
document.querySelectorAll("body *").forEach(function (element) {
  var own = Array.prototype.some.call(element.childNodes, function (node) {
    return node.nodeType === 3 && node.data.trim() !== "";
  });
  if (!own || ["SCRIPT", "STYLE", "TITLE", "title", "OPTION"].indexOf(element.tagName) >= 0 || !element.getClientRects().length)
    return;
  var style = getComputedStyle(element);
  var svg = element instanceof SVGElement;
  var front = luminance(channels(svg ? style.fill : style.color));
  var back = luminance(behind(svg ? element.closest("svg").parentElement : element));
  var ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  var size = parseFloat(style.fontSize);
  var large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  var disabled = element.closest(":disabled");
  looked++;
  if (!disabled && ratio < (large ? 3 : 4.5))
    worst[element.tagName + "." + element.className + " " + element.textContent.slice(0, 30)] = ratio;
});
return { worst: worst, looked: looked, page: luminance(behind(document.body)) };
"""


def people():
    """Hostile ones first, then many; every third is in a group; sites, states, administrators."""
    lines, ops, nested, tier0 = [], [], [], []
    for i in range(COUNT):
        uid = HOSTILE[i] if i < len(HOSTILE) else "user%03d" % i
        dn = "cn=p%03d,ou=people,%s" % (i, testbed.DEFAULT_SUFFIX)
        more = {"l": (SITES + ("AMER", "Moon"))[i % 4]} if i % 5 else {}
        if i % 9 == 0:
            more["pwdEndTime"] = "20200101000000Z"
        lines.append(entry(dn, objectClass="inetOrgPerson", uid=uid, cn="p%03d" % i, sn="x", mail="p%03d@corp.example.test" % i, **more))
        (ops if i % 3 == 0 or i < len(HOSTILE) else nested if i % 3 == 1 else []).append(dn)
        if i % 28 == 0:
            tier0.append(dn)
    return ("".join(lines) + group("ops", ops + [testbed.group_dn("<b>nested</b>")]) + group("<b>nested</b>", nested) +
            group("tier0", tier0))


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = testbed.wsmauthz()
        browser, driver = need("chromium", "chromedriver")
        if webdriver is None:
            testbed.skip("python3-selenium is not installed")
        slapd = Slapd(ldif=people(), overlays=("syncprov", "ppolicy"))
        cls.slapd = slapd.__enter__()
        cls.addClassCleanup(slapd.__exit__, None, None, None)
        policy = testbed.write_policy(
            slapd.directory + "/p.xml", slapd, account={"expired": "allow"}, users={"upn-attribute": "mail"},
            allow=[slapd.group_dn("ops"), {"group": slapd.group_dn("tier0"), "administrator": "true"}],
            redirect={"attribute": "l", "here": "AMER", "sites": [
                {"name": site, "uri": "https://winrm-%s.corp.example:5986/wsman" % site.lower()} for site in SITES]})
        cls.csv, cls.html = slapd.directory + "/r.csv", slapd.directory + "/r.html"
        done = subprocess.run([program, "report", "--config", policy, "--csv", cls.csv, "--html", cls.html, "--all"],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        with open(cls.csv, newline="", encoding="utf-8") as file:
            cls.rows = list(csv.DictReader(file, strict=True))
        cls.driver = cls.start(browser, driver)
        cls.addClassCleanup(cls.driver.quit)

    @classmethod
    def start(cls, browser, driver):
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        # As root there is no sandbox, and /dev/shm is small in a container.
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1000",
                         "--user-data-dir=" + cls.slapd.directory + "/browser"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.chrome.service.Service(driver, env={**os.environ, "HOME": cls.slapd.directory})
        return webdriver.Chrome(service=service, options=options)

    def setUp(self):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        self.open()

    def open(self, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.get("file://" + self.html)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def names(self):
        """The senders on the page that is shown."""
        return self.driver.execute_script(
            "return Array.from(document.querySelectorAll('#users tbody tr[data-verdict] .name')).map(c => c.firstChild.textContent)")

    def shown(self):
        """How many match."""
        text = self.find("#status").text
        return 0 if text == "Nobody matches." else int(re.search(r"of ([\d,]+)", text).group(1).replace(",", ""))

    def active(self):
        return self.driver.switch_to.active_element

    # What it says

    def test_numbers_are_those_of_the_csv(self):
        counts = Counter(row["verdict"] for row in self.rows)
        numbers = self.driver.execute_script(
            "return Object.fromEntries(Array.from(document.querySelectorAll('.numbers div')).map(d => "
            "[d.querySelector('dt').textContent, Number(d.querySelector('dd').firstChild.textContent.replaceAll(',', ''))]))")
        self.assertEqual(numbers["Users looked at"], COUNT)
        self.assertEqual(len(self.rows), COUNT)
        self.assertEqual(numbers["Let in"], counts["authorize"] + counts["redirect"])
        self.assertEqual((numbers["Served here"], numbers["Redirected"], numbers["Denied"], numbers["Not known"]),
                         (counts["authorize"], counts["redirect"], counts["deny"], counts["error"]))
        self.assertEqual(self.shown(), COUNT)
        places = self.driver.execute_script(
            "return Array.from(document.querySelectorAll('.places tbody tr')).map(r => Array.from(r.cells).map(c => c.textContent))")
        for name, here, elsewhere, _ in places:
            if name in SITES:
                of_site = Counter(row["verdict"] for row in self.rows if row["site"] == name)
                self.assertEqual((int(here), int(elsewhere)), (of_site["authorize"], of_site["redirect"]))
        self.assertEqual(sum(int(place[1]) for place in places), counts["authorize"])
        self.assertEqual(sum(int(place[2]) for place in places), counts["redirect"])

    def test_every_row_of_the_csv_is_there_as_text(self):
        names = []
        for _ in range(COUNT // 100 + 1):
            names += self.names()
            if self.find("#after").is_enabled():
                self.find("#after").click()
        expected = [re.sub("[\u202e\n]", lambda m: "[U+%04X]" % ord(m.group()), row["sender"]) for row in self.rows]
        self.assertEqual(names, expected)
        self.assertEqual(self.driver.title, "Who can use WinRM")
        found = self.driver.execute_script("return [document.scripts.length, document.images.length, "
                                           "document.querySelectorAll('table').length, document.querySelectorAll('main b:not(.verdict *)').length]")
        self.assertEqual(found, [1, 0, 2, 0])
        # A DN as the server writes it.
        self.assertIn("\\3Cb\\3Enested\\3C/b\\3E", self.find(".tree").text)

    def test_nothing_is_fetched_and_nothing_complains(self):
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.open()
        self.find("#search").send_keys("user")
        self.find("thead button").click()
        self.assertEqual(self.driver.get_log("browser"), [])
        asked = re.findall(r'"documentURL":"[^"]*".*?"url":"([^"]*)"', "\n".join(
            line["message"] for line in self.driver.get_log("performance") if "Network.requestWillBeSent\"" in line["message"]))
        self.assertEqual({url for url in asked if not url.startswith(("file://" + self.html, "data:"))}, set())

    def test_nothing_else_may_run(self):
        self.driver.execute_script(
            "var s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.appendChild(s);"
            "var d = document.createElement('div'); d.innerHTML = '<img src=\"data:,\" onerror=\"window.hacked = 2\">'; document.body.appendChild(d);")
        self.assertIsNone(self.driver.execute_async_script("setTimeout(() => arguments[0](window.hacked), 50)"))
        self.driver.get_log("browser")

    # The table

    def test_filters(self):
        for selector, value, wanted in (("#by-verdict", "redirect", lambda row: row["verdict"] == "redirect"),
                                        ("#by-verdict", "deny", lambda row: row["verdict"] == "deny"),
                                        ("#by-site", "site-0", lambda row: row["site"] == SITES[0])):
            self.open()
            Select(self.find(selector)).select_by_value(value)
            self.assertEqual(self.shown(), sum(map(wanted, self.rows)), (selector, value))
        Select(self.find("#by-note")).select_by_value("administrator")
        both = self.driver.execute_script(
            "return Array.from(document.querySelectorAll('#users tbody tr')).map(r => [r.dataset.site, r.dataset.notes])")
        self.assertGreater(len(both), 0)
        for site, notes in both:
            self.assertEqual((site, "administrator" in notes.split()), ("site-0", True))
        self.find("#filters button[type=reset]").click()
        self.driver.execute_async_script("setTimeout(arguments[0], 20)")
        self.assertEqual(self.shown(), COUNT)

    def test_search(self):
        search = self.find("#search")
        for words, wanted in (("user1", lambda row: "user1" in row["sender"]),
                              ("nested ops", lambda row: "nested" in row["path"] and "ops" in row["path"]),
                              ("WINRM-EMEA", lambda row: "winrm-emea" in row["target"])):
            search.clear()
            search.send_keys(words)
            self.assertEqual(self.shown(), sum(map(wanted, self.rows)), words)
        search.clear()
        search.send_keys("nobody-has-this-name")
        self.assertEqual((self.shown(), self.names()), (0, []))

    def test_sorting(self):
        self.find("#search").send_keys("user")
        head = self.find("thead th.name")
        head.find_element(By.TAG_NAME, "button").click()
        self.assertEqual(head.get_attribute("aria-sort"), "ascending")
        rising = self.names()
        self.assertEqual(rising, sorted(rising))
        head.find_element(By.TAG_NAME, "button").click()
        self.assertEqual(head.get_attribute("aria-sort"), "descending")
        falling = self.names()
        self.assertEqual(falling, sorted(falling, reverse=True))
        self.assertNotEqual(rising[0], falling[0])
        self.find("thead th.verdict button").click()
        self.assertIsNone(head.get_attribute("aria-sort"))

    def test_finding_leads_to_its_rows(self):
        self.find(".finding summary").click()
        link = self.find(".finding[open] a[data-note]")
        note = link.get_attribute("data-note")
        count = int(self.find(".finding[open] .how-many").text.replace(",", ""))
        link.click()
        self.driver.execute_async_script("setTimeout(arguments[0], 20)")
        self.assertEqual(Select(self.find("#by-note")).first_selected_option.get_attribute("value"), note)
        self.assertEqual(self.shown(), count)

    def test_keyboard(self):
        body = self.find("body")
        body.send_keys("/")
        self.assertEqual(self.active().get_attribute("id"), "search")
        self.active().send_keys("p001")
        self.assertEqual(self.shown(), 1)
        self.active().send_keys(Keys.ESCAPE)
        self.assertEqual(self.shown(), COUNT)
        reached = []
        for _ in range(16):
            self.active().send_keys(Keys.TAB)
            element = self.active()
            reached.append(element.get_attribute("id") or element.text)
            style = self.driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", element)
            self.assertNotEqual(style, "none", reached)
            if element.text == "in full":
                break
        self.assertEqual(reached[:3], ["by-verdict", "by-site", "by-note"])
        self.assertEqual(reached[-1], "in full")
        for name in ("User", "Verdict", "Why", "Site", "Goes to", "Notes"):
            self.assertIn(name, reached)
        button = self.active()
        button.send_keys(Keys.ENTER)
        self.assertEqual(button.get_attribute("aria-expanded"), "true")
        self.assertEqual([line.text for line in self.driver.find_elements(By.CSS_SELECTOR, ".more li")], self.rows[0]["path"].split(" -> "))
        button.send_keys(Keys.ENTER)
        self.assertEqual(button.get_attribute("aria-expanded"), "false")
        self.assertEqual(self.driver.find_elements(By.CSS_SELECTOR, ".more"), [])

    def test_everything_that_is_used_has_a_name(self):
        nameless = self.driver.execute_script(
            "return Array.from(document.querySelectorAll('input,select,button,a')).filter(e => "
            "!(e.textContent.trim() || (e.labels && e.labels[0] && e.labels[0].textContent.trim()))).map(e => e.outerHTML)")
        self.assertEqual(nameless, [])

    # How it looks

    def test_contrast_in_light_and_dark(self):
        lightness = []
        for scheme in ("light", "dark"):
            self.open(scheme)
            self.driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; });"
                                       "document.querySelector('td.why button').click();")
            result = self.driver.execute_script(CONTRAST)
            self.assertEqual(result["worst"], {}, scheme)
            self.assertGreater(result["looked"], 300)
            lightness.append(result["page"])
        self.assertGreater(lightness[0], 0.9)
        self.assertLess(lightness[1], 0.05)

    def test_narrow_window_does_not_scroll_sideways(self):
        size = self.driver.get_window_size()
        self.addCleanup(self.driver.set_window_size, size["width"], size["height"])
        for width in (500, 800, 1600):
            self.driver.set_window_size(width, 900)
            wide, inner = self.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(wide, inner, width)

    def test_paper_has_all_that_matches(self):
        self.find("#search").send_keys("user1")
        self.driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(len(self.names()), self.shown())
        self.driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
        self.find("#search").clear()
        self.find("#search").send_keys(" ")
        self.driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(len(self.names()), COUNT)

    def test_without_a_script_everything_is_there(self):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        self.open()
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, "#users tbody tr")), COUNT)
        self.assertFalse(self.find("#filters").is_displayed())
        self.assertTrue(self.find("#users tbody tr:last-child .name").is_displayed())


if __name__ == "__main__":
    testbed.main()
