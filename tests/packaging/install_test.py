#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts where, and that it leaves the operator's configuration alone.

Usage: install_test.py SOURCE BUILD
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import links

SOURCE, BUILD = (pathlib.Path(name) for name in sys.argv[1:])
# Below the prefix.
WANTED = {
    "bin/fairlead-relay", "bin/fairlead-probe", "bin/fairlead-tunnel",
    "lib/systemd/system/fairlead-relay.service", "lib/systemd/system/fairlead-tunnel.service",
    "lib/sysusers.d/fairlead.conf",
    "share/fairlead/systemd/kernel.conf", "share/fairlead/systemd/token.conf",
    "share/fairlead/coturn-to-fairlead",
    "share/man/man8/fairlead-relay.8", "share/man/man8/fairlead-probe.8",
    "share/man/man8/fairlead-tunnel.8",
    "share/doc/fairlead-relay/README.md", "share/doc/fairlead-relay/CHANGELOG.md",
    "share/doc/fairlead-relay/examples/webrtc.conf",
    "share/doc/fairlead-relay/grafana/fairlead-relay.json",
    "share/doc/fairlead-relay/prometheus/fairlead-relay.rules.yml",
    "share/doc/fairlead-relay/docs/probe-in-ci.md", "share/doc/fairlead-probe/examples/coturn-4.6.1.attack",
    "share/doc/fairlead-tunnel/tunnel.md", "share/doc/fairlead-tunnel/tunnel-protocol.md",
    "share/doc/fairlead-tunnel/grafana/fairlead-tunnel.json",
    "share/doc/fairlead-tunnel/prometheus/fairlead-tunnel.rules.yml",
}
CONFIGS = {"relay.conf", "tunnel.conf"}


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def run_quietly(self, *words):
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")
                       if name in os.environ}
        run = subprocess.run([str(word) for word in words], text=True, env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(run.returncode, 0, run.stdout)
        return run.stdout

    def install(self):
        return self.run_quietly("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir",
                                self.root)

    def test_all_is_there_and_a_changed_configuration_stays(self):
        self.install()
        prefix = self.root / "usr" / "local"
        self.assertEqual({name for name in WANTED if not (prefix / name).is_file()}, set())
        for name in CONFIGS:
            config = self.root / "etc" / "fairlead" / name
            self.assertEqual(config.stat().st_mode & 0o777, 0o640)
            self.assertEqual(config.read_bytes(), (SOURCE / "packaging" / name).read_bytes())
        for app, command in ("relay", "relay"), ("tunnel", "tunnel relay"):
            unit = prefix / f"lib/systemd/system/fairlead-{app}.service"
            self.assertIn(f"ExecStart=/usr/local/bin/fairlead-{command} "
                          f"--config /etc/fairlead/{app}.conf\n", unit.read_text(encoding="utf-8"))
        for name in WANTED:
            if "." in name:
                self.assertNotRegex((prefix / name).read_text(encoding="utf-8"), "@[a-z]+dir@")
        for name in CONFIGS:
            (self.root / "etc/fairlead" / name).write_text("realm = mine\n", encoding="utf-8")
        self.install()
        for name in CONFIGS:
            self.assertEqual((self.root / "etc/fairlead" / name).read_text(encoding="utf-8"),
                             "realm = mine\n")

    def test_each_name_that_the_tunnel_answers_to_is_a_link_with_a_man_page(self):
        self.install()
        text = (SOURCE / "src/tunnel/tunnel_main.c").read_text(encoding="utf-8")
        table = re.search(r"(?s)commands\[\] = \{(.*?)\n\};", text)[1]
        names = re.findall(r'\{\s*"\w+",\s*"(\w+)"', table)
        self.assertIn("tx_tlsrelay", names)
        self.assertEqual(len(names) + len(re.findall(r'\{\s*"\w+",\s*NULL', table)),
                         table.count("{"))
        for name in names:
            for folder, end in ("bin", ""), ("share/man/man8", ".8"):
                link = self.root / "usr/local" / folder / (name + end)
                self.assertEqual(os.readlink(link), "fairlead-tunnel" + end)

    def test_uninstalling_leaves_the_configuration_alone(self):
        self.install()
        self.run_quietly("ninja", "-C", BUILD, "uninstall")
        left = {str(file.relative_to(self.root)) for file in self.root.rglob("*")
                if file.is_file() or file.is_symlink()}
        self.assertEqual(left, {f"etc/fairlead/{name}" for name in CONFIGS})

    def test_each_document_and_example_is_installed(self):
        self.install()
        for kind, place in (("docs", "fairlead-relay/docs"),
                            ("packaging/examples", "fairlead-relay/examples"),
                            ("packaging/examples/tunnel", "fairlead-tunnel/examples")):
            folder = self.root / "usr/local/share/doc" / place
            wanted = {file.name for file in (SOURCE / kind).iterdir() if not file.is_dir()}
            there = {file.name for file in folder.iterdir()}
            self.assertEqual(there, wanted)

    def test_links_of_pages_lead_to_what_is_installed(self):
        self.install()
        doc = self.root / "usr/local/share/doc"
        for package in ("fairlead-relay", "fairlead-tunnel"):
            self.assertEqual(links.dangling(doc / package), [])
        page = doc / "fairlead-tunnel" / "tunnel.md"
        former = page.read_text(encoding="utf-8")
        self.assertGreater(len(re.findall(r"\]\([a-z]+[^:)]*\)", former)), 3)
        for link in ("../bench/TUNNEL.md", "telemetri.md#x", "../fairlead-relay/README.md"):
            page.write_text(f"{former}[more]({link})", encoding="utf-8")
            self.assertEqual(links.dangling(doc / "fairlead-tunnel"), [("tunnel.md", link)])

    def test_prefix_and_folder_of_units_are_honoured(self):
        self.run_quietly("meson", "setup", self.root / "build", SOURCE, "-Dtests=false",
                         "-Dprefix=/opt/fairlead", "-Dsystemd_unit_dir=/lib/systemd/system")
        plan = json.loads(self.run_quietly("meson", "introspect", "--installed",
                                           self.root / "build"))
        self.assertIn("/opt/fairlead/bin/fairlead-relay", plan.values())
        self.assertIn("/lib/systemd/system/fairlead-relay.service", plan.values())
        for place in plan.values():
            self.assertRegex(place, "^(/opt/fairlead/|/lib/systemd/system/)")
        unit = (self.root / "build/packaging/fairlead-relay.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/opt/fairlead/bin/fairlead-relay --config /etc/fairlead/relay.conf",
                      unit)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
