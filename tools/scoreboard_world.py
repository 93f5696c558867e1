# SPDX-License-Identifier: Apache-2.0
"""The world of tools/scoreboard: a network of its own in which each server has addresses of the
Internet, as a relay has, and the servers in it, in the configurations that are compared."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import rivals  # noqa: E402

MARK = "FAIRLEAD_SCOREBOARD"
# Nobody outside sees these; what is not of the Internet is denied by a server that is set up well.
SERVER, RELAYED, PEER = "20.0.0.1", "20.0.0.2", "20.0.0.3"
SERVER6, RELAYED6, PEER6 = "2a00::1", "2a00::2", "2a00::3"
HARDENED = ROOT / "docs" / "coturn-hardened.conf"
# All that /etc/turnserver.conf of Debian 12 says.
DEBIAN = "no-rfc5780\nno-stun-backward-compatibility\nresponse-origin-only-with-rfc5780\n"
PATIENCE_S = 30


def enter():
    """Starts the program anew in a network of its own."""
    if MARK not in os.environ:
        if shutil.which("unshare") is None or shutil.which("ip") is None:
            sys.exit("scoreboard: needs unshare and ip")
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.execvpe("unshare", ["unshare", *as_root, "--net", "--fork", "--kill-child",
                               sys.executable, *sys.argv], os.environ | {MARK: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (SERVER, RELAYED, PEER):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    for address in (SERVER6, RELAYED6, PEER6):
        subprocess.run(["ip", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)


def answers(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.5)
        one.connect((SERVER, port))
        with contextlib.suppress(OSError):
            one.send(b"\0\x01\0\0\x21\x12\xa4\x42" + os.urandom(12))
            return one.recv(2048)[:2] == b"\x01\x01"
    return False


class World:
    """Commands of servers, each with users alice and bob and both families; pion has one of each."""

    def __init__(self, relay, probe, folder, port=3478):
        self.relay, self.probe, self.folder, self.port = relay, probe, folder, port
        self.pion_program = rivals.build_pion(folder)
        if self.pion_program is None:
            sys.exit("pion cannot be built: apt-get install golang-go golang-github-pion-turn.v2-dev")

    def fairlead(self):
        """Peers are at this host, which the relay denies."""
        return [self.relay, "--listen-port", self.port, "--bind-ip4-addr", SERVER, "--bind-ip6-addr",
                SERVER6, "--user", "alice:wonder", "--user", "bob:builder", "--allow-peer", PEER,
                "--allow-peer", PEER6]

    def coturn(self, *options, configuration="", relayed=(SERVER, SERVER6)):
        path = self.folder / "turnserver.conf"
        path.write_text(configuration, encoding="utf-8")
        return ["turnserver", "-c", path, "--no-cli", "--no-tls", "--no-dtls", "--listening-ip",
                SERVER, "--listening-ip", SERVER6, "--listening-port", self.port, "--relay-ip",
                relayed[0], "--relay-ip", relayed[1], "--lt-cred-mech", "--realm", "north.gov", "--user", "alice:wonder",
                "--user", "bob:builder", "--log-file", "stdout", "--simple-log", "--userdb",
                self.folder / "userdb", "--pidfile", self.folder / "pid", *options]

    def coturn_hardened(self, has_quota=True):
        """It relays from addresses of its own, so that the others can be denied as peers."""
        text = HARDENED.read_text(encoding="utf-8")
        if not has_quota:
            text = text.replace("\nuser-quota=", "\n# user-quota=")
        return self.coturn("--denied-peer-ip", SERVER, "--denied-peer-ip", SERVER6,
                           configuration=text, relayed=(RELAYED, RELAYED6))

    def pion(self, *options):
        return [self.pion_program, "-address", SERVER, "-port", self.port, *options]

    @contextlib.contextmanager
    def running(self, command):
        with open(self.folder / "log", "wb") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, cwd=self.folder,
                                       env=os.environ | {"FAIRLEAD_DRAIN_TIMEOUT": "0",
                                                         "FAIRLEAD_CONTROL_SOCKET": "none"})
            try:
                end = time.monotonic() + PATIENCE_S
                while not answers(self.port):
                    if time.monotonic() > end or process.poll() is not None:
                        sys.exit(f"no answer: {(self.folder / 'log').read_text()[-500:]}")
                yield
            finally:
                process.kill()
                process.wait()

    def ask(self, command, what, *options):
        """What the probe says of a server that is started so."""
        others = [] if command[0] == self.pion_program else ["--other-user", "bob", "--other-pass",
                                                             "builder"]
        with self.running(command):
            done = subprocess.run(
                [self.probe, what, f"{SERVER}:{self.port}", "--user", "alice", "--pass", "wonder",
                 *others, "--peer-address", PEER, "--peer-address", PEER6, "--format", "json",
                 *map(str, options)], text=True, capture_output=True, check=False)
        if done.returncode not in (0, 1, 5):
            sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
        return {one["id"]: one for one in json.loads(done.stdout)["results"]}


def version(name):
    packages = {"coturn": "coturn", "pion": "golang-github-pion-turn.v2-dev"}
    if name not in packages:
        return ""
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", packages[name]], text=True,
                           capture_output=True, check=True).stdout
    return " " + shown.split("-")[0].split("+")[0]
