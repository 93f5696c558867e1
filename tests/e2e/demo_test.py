#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo page in headless Chromium: it calls itself, and every packet goes through the relay.

    one host: eth0 198.51.100.10, where the relay and both ends of the call are; the page on loopback

With FAIRLEAD_SCREENSHOTS=FOLDER in the environment, pictures of the page are left there.
"""
import base64
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conform"))
# pylint: disable=wrong-import-position
import case
import sandbox
from browser import Browser
from daemon import free_tcp_port
from relay import Relay

ADDRESS = "198.51.100.10"
FRAMES = 30
# Chromium binds ports at random for its own, and so does the relay, at the same address.
MET = "^the system refuses a relayed port; trying another"
NAMES = {"state": "document.body.dataset.state", "words": "document.body.innerText",
         "trouble": "document.getElementById('trouble').textContent"}


class Demo(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.host, router = sandbox.Host("demo"), sandbox.Host("router")
        sandbox.cable(cls.host, "eth0", router, "to_demo")
        cls.host.run(f"ip address add {ADDRESS}/24 dev eth0")
        cls.host.run("ip route add default via 198.51.100.1")

    def setUp(self):
        super().setUp()
        with self.host.inside():
            self.port = free_tcp_port()
            self.one = Relay("--demo-addr", f"127.0.0.1:{self.port}", hosts=(ADDRESS,), user=None,
                             announced=[MET], prefix=self.host.prefix)
        self.relays.append(self.one)

    def open_page(self, *options):
        browser = Browser(self.host, *options)
        self.addCleanup(browser.close)
        browser.open(f"http://localhost:{self.port}/")
        browser.evaluate("var refused = [];"  # by the page's own policy
                         "addEventListener('securitypolicyviolation',"
                         "                 (event) => refused.push(event.blockedURI))")
        return browser

    def until(self, browser, condition, seconds=90):
        end = time.monotonic() + seconds
        while not browser.evaluate(condition):
            if time.monotonic() > end:
                found = {name: browser.evaluate(words) for name, words in NAMES.items()}
                self.fail(f"{condition}: never; {found}")
            time.sleep(0.1)

    def picture(self, browser, name, width=1280, height=1000, scheme="light"):
        folder = os.environ.get("FAIRLEAD_SCREENSHOTS")
        if folder is None:
            return
        browser.tell("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])
        browser.tell("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=False)
        time.sleep(1.5)
        shot = browser.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(os.path.join(folder, f"{name}.png"), "wb") as file:
            file.write(base64.b64decode(shot))

    def assert_call(self, browser):
        """Pictures flow, and the relay has carried them."""
        self.until(browser, "document.body.dataset.state === 'live'")
        self.until(browser, "measure().then((now) => now !== null && now.frames > 0)")
        before, carried = browser.evaluate("Promise.all([measure(), relayFigures()])")
        self.until(browser, f"measure().then((now) => now.frames > {before['frames'] + FRAMES})")
        after, figures = browser.evaluate("Promise.all([measure(), relayFigures()])")
        for candidate in (after["local"], after["remote"]):
            self.assertEqual((candidate["candidateType"], candidate["address"]),
                             ("relay", ADDRESS))
        self.assertGreater(figures["sockets"]["bytes"] - carried["sockets"]["bytes"],
                           (after["bytes"] - before["bytes"]) / 2)
        self.assertEqual((figures["allocations"], figures["kernel"]["packets"]), (2, 0))
        self.assertEqual(after["width"] / after["height"], 16 / 9)

    def assert_shown(self, browser):
        """What the page shows is what there is."""
        self.until(browser, "Number(document.getElementById('sockets').textContent) > 0")
        self.until(browser, "Number(document.getElementById('rate').textContent) > 0")
        texts = browser.evaluate("Object.fromEntries(['pair', 'way', 'server', 'state', 'lost']"
                                 ".map((id) => [id, document.getElementById(id).textContent]))")
        self.assertEqual(texts, {"pair": "relay → relay", "way": "relays by its sockets",
                                 "server": f"{ADDRESS}:{self.one.port}", "state": "In a call",
                                 "lost": "0"})
        self.assertEqual(browser.evaluate("refused"), [])
        self.assertEqual(browser.evaluate("document.compatMode"), "CSS1Compat")

    def test_a_call_with_a_drawn_picture(self):
        browser = self.open_page()
        self.picture(browser, "idle")
        browser.click("call-drawn")
        self.assert_call(browser)
        self.assert_shown(browser)
        if "FAIRLEAD_SCREENSHOTS" in os.environ:
            time.sleep(20)
        self.picture(browser, "call")
        self.picture(browser, "call-dark", scheme="dark")
        self.picture(browser, "call-narrow", width=390, height=1500)
        browser.click("sound")
        self.assertFalse(browser.evaluate("document.getElementById('far').muted"))
        browser.click("end")
        self.one.wait_for_log(r"(allocation (deleted|ended)[\s\S]*){2}")
        self.until(browser, "relayFigures().then((figures) => figures.allocations === 0)")
        browser.click("call-drawn")  # and once more
        self.assert_call(browser)
        browser.close()

    def test_a_call_with_a_camera(self):
        browser = self.open_page("--use-fake-device-for-media-stream",
                                 "--use-fake-ui-for-media-stream")
        browser.click("call-camera")
        self.assert_call(browser)
        self.assertEqual(browser.evaluate("call.media.stream.getTracks().map((one) => one.kind)"
                                          ".sort().join()"), "audio,video")
        browser.close()

    def test_without_a_camera_a_picture_is_drawn(self):
        browser = self.open_page()
        browser.click("call-camera")
        self.assert_call(browser)
        browser.close()

    def test_without_a_relay_the_page_says_so(self):
        browser = self.open_page()
        self.one.stop()
        browser.click("call-drawn")
        self.until(browser, "document.body.dataset.state === 'trouble'")
        self.assertTrue(browser.evaluate("document.getElementById('trouble').checkVisibility()"))
        self.assertEqual(browser.evaluate(NAMES["trouble"]),
                         "The relay does not answer. Is it still running?")
        self.picture(browser, "trouble")
        browser.close()


if __name__ == "__main__":
    case.main("chromium", is_root=True)
