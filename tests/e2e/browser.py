# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium with one empty page, in which a test runs what it likes.

It is driven through a pair of pipes (--remote-debugging-pipe: JSON messages, each ended by NUL), so
that no port, no driver and no network lies between the test and the browser.
"""
import json
import os
import select
import subprocess
import tempfile
import time

from daemon import end_with_parent

PATIENCE_S = 90  # it takes its time to start, and several at once more

# Chromium's own sandbox is not for root. The others keep it from looking for Google's hosts, and
# for a GPU, shared memory and a key ring that a test machine may lack.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-dev-shm-usage", "--password-store=basic")
# The browser reads at 3 and writes at 4; the shell makes these of the pipes that it is given.
PIPES = 'exec "$@" 3<&0 4>&1 </dev/null >&2'


class Browser:
    """Its processes are in the network of a host, its files in the /run of the sandbox."""

    def __init__(self, host, *options):
        self.folder = tempfile.TemporaryDirectory(dir="/run", ignore_cleanup_errors=True)
        self.error_file = tempfile.TemporaryFile("w+")
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name}
        self.process = subprocess.Popen(
            [*host.prefix, "sh", "-c", PIPES, "sh", "chromium", *OPTIONS, *options,
             "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "about:blank"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.error_file,
            env=environment, cwd="/", preexec_fn=end_with_parent)
        self.count = 0
        self.unread = b""
        try:
            self.page = self.attach()
        except BaseException:
            self.close()
            raise

    def attach(self):
        """The session of the page that is open from the start."""
        page, = (target for target in self.call("Target.getTargets")["targetInfos"]
                 if target["type"] == "page")
        return self.call("Target.attachToTarget", targetId=page["targetId"],
                         flatten=True)["sessionId"]

    def tell(self, method, **parameters):
        """A command to the page."""
        return self.call(method, session=self.page, **parameters)

    def open(self, url):
        """Has the page show this, and waits until it does."""
        self.tell("Page.enable")
        found = self.tell("Page.navigate", url=url)
        if "errorText" in found:
            raise AssertionError(f"{url}: {found['errorText']}")
        end = time.monotonic() + PATIENCE_S
        while self.evaluate("location.href + document.readyState") != url + "complete":
            if time.monotonic() > end:
                raise TimeoutError(f"{url} is not there")
            time.sleep(0.05)

    def click(self, name):
        """On the element of this id, as a user does."""
        self.tell("Runtime.evaluate", expression=f"document.getElementById('{name}').click()",
                  userGesture=True)

    def evaluate(self, expression, timeout_s=PATIENCE_S):
        """The value of a JavaScript expression; of a promise, what it comes to."""
        done = self.call("Runtime.evaluate", timeout_s, self.page, expression=expression,
                         awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            thrown = done["exceptionDetails"]
            raise AssertionError(f"{expression[:100]}: " + thrown.get("exception", {}).get(
                "description", thrown["text"]))
        return done["result"].get("value")

    def apply(self, function, *arguments, timeout_s=PATIENCE_S):
        """What a function of the page returns; arguments and result are plain data."""
        words = ", ".join(json.dumps(argument) for argument in arguments)
        return self.evaluate(f"{function}({words})", timeout_s)

    def call(self, method, timeout_s=PATIENCE_S, session=None, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        self.process.stdin.flush()
        end = time.monotonic() + timeout_s
        while (answer := self.read(end)).get("id") != self.count:
            pass  # an event
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}\n{self.errors()}")
        return answer["result"]

    def read(self, end):
        pipe = self.process.stdout.fileno()
        while b"\0" not in self.unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError(f"chromium does not answer\n{self.errors()}")
            chunk = os.read(pipe, 65536)
            if not chunk:
                raise AssertionError(f"chromium has ended\n{self.errors()}")
            self.unread += chunk
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def errors(self):
        self.error_file.seek(0)
        return self.error_file.read()

    def close(self):
        """All its processes end when the pipes do; the one that we started is waited for. Closing
        twice does nothing."""
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.error_file.close()
        self.folder.cleanup()
