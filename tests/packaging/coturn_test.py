#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/migrate-from-coturn.md names every option that coturn has, and here only what there is; and
packaging/coturn-to-fairlead makes configurations that the relay takes.

Usage: coturn_test.py SOURCE RELAY
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, RELAY = pathlib.Path(sys.argv[1]), sys.argv[2]
PAGE = (SOURCE / "docs" / "migrate-from-coturn.md").read_text(encoding="utf-8")
ALIASES = {"db": "userdb", "sql-userdb": "psql-userdb"}  # second names of one option
ENVIRONMENT = {name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}


def run(*words):
    return subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, env=ENVIRONMENT).stdout


def spans(text):
    return re.findall(r"`([^`\n]+)`", text)


def rows():
    """(coturn's cell, our cell) of every row under such a head."""
    for table in re.findall(r"(?m)^\| coturn \| here \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE):
        for line in table.splitlines():
            yield [cell.strip() for cell in line.strip("|").split("|")]


def offered():
    """What coturn's help and the configuration file of its package name."""
    text = run("turnserver", "-h")
    names = {name for line in re.findall(r"(?m)^ +(-.*)$", text)
             for name in re.findall(r"--([A-Za-z][A-Za-z0-9_-]*)", line.split("\t")[0])}
    with open("/etc/turnserver.conf", encoding="utf-8") as file:
        names |= set(re.findall(r"(?m)^#?([A-Za-z][A-Za-z0-9_-]+)(?:=|$)", file.read()))
    return names


class Coturn(unittest.TestCase):
    def test_every_option_of_coturn_is_on_the_page(self):
        names = offered()
        self.assertGreater(len(names), 100)
        told = set(spans(PAGE))
        self.assertEqual({name for name in names if ALIASES.get(name, name) not in told}, set())

    def test_every_option_that_takes_its_place_is_one_of_the_relay(self):
        known = set(re.findall(r"--([a-z0-9-]+)", run(RELAY, "--help")))
        self.assertGreater(len(known), 20)
        count = 0
        for _, here in rows():
            for span in spans(here):
                # An option as a line of the file, or with its dashes, and perhaps a value.
                found = re.fullmatch(r"(?:--)?([a-z][a-z0-9-]*)(?: = .*)?", span)
                if found:
                    self.assertIn(found[1], known)
                    count += 1
        self.assertGreater(count, 20)

    def test_the_whole_file_is_good(self):
        example = re.search(r"(?s)## A whole file\n\n(.*?)\n\n", PAGE)[1]
        lines = [line[47:].strip() for line in example.splitlines()]
        self.assertGreater(len([line for line in lines if "=" in line]), 8)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            self.assertRegex(run(RELAY, "--config", file.name, "--check-config"), "is good$")


class Script(unittest.TestCase):
    def make(self, text):
        """The lines that are made, without comments."""
        with tempfile.NamedTemporaryFile("w") as source, tempfile.NamedTemporaryFile("w") as made:
            source.write(text)
            source.flush()
            made.write(run(SOURCE / "packaging" / "coturn-to-fairlead", source.name))
            made.flush()
            self.assertRegex(run(RELAY, "--config", made.name, "--check-config"), "is good$")
            with open(made.name, encoding="utf-8") as file:
                self.comments, lines = "", []
                for line in file.read().splitlines():
                    if line.startswith("#"):
                        self.comments += line + "\n"
                    else:
                        lines.append(line)
                return lines

    def test_the_whole_file_of_the_page_becomes_what_stands_beside_it(self):
        example = re.search(r"(?s)## A whole file\n\n(.*?)\n\n", PAGE)[1].splitlines()[1:]
        wanted = [line[47:].strip() for line in example if line[47:].strip()]
        made = self.make("\n".join(line[:47].strip() for line in example))
        # Which is denied from the start, so that the page does not say it.
        self.assertIn("deny-peer = 10.0.0.0/8", made)
        made.remove("deny-peer = 10.0.0.0/8")
        self.assertEqual(sorted(made), sorted(wanted))

    def test_a_range_becomes_the_fewest_prefixes(self):
        for text, prefixes in (
                ("10.0.0.1-10.0.0.6", ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]),
                ("0.0.0.0-255.255.255.255", ["0.0.0.0/0"]),
                ("192.0.2.0-192.0.3.255", ["192.0.2.0/23"]),
                ("224.0.0.0-255.255.255.255", ["224.0.0.0/3"]),
                ("192.0.2.1-192.0.2.1", ["192.0.2.1"]),
                ("2001:db8::1", ["2001:db8::1"]),
                ("2001:db8::1-2001:db8::9", [])):
            with self.subTest(text):
                self.assertEqual(self.make(f"denied-peer-ip={text}\n"),
                                 [f"deny-peer = {prefix}" for prefix in prefixes])

    def test_what_has_no_equivalent_is_told(self):
        self.assertEqual(self.make("# a comment\n\nmobility\ncert=/etc/x.pem\nuser=a:0xdead\n"
                                   "  user = b:c=d e\r\nexternal-ip=192.0.2.1\n"
                                   "external-ip=192.0.2.2\nno-cli\n"),
                         ["user = b:c=d e", "public-ip4-addr = 192.0.2.1"])
        for name in ("mobility", "cert", "a:0xdead", "192.0.2.2"):
            self.assertIn(name, self.comments)
        self.assertNotIn("no-cli", self.comments)

    def test_loopback_is_served_only_where_there_is_nothing_else(self):
        for text, addresses, others in (
                (("127.0.0.1", "192.0.2.1"), ["bind-ip4-addr = 192.0.2.1"], ["127.0.0.1"]),
                (("192.0.2.1", "127.0.0.1"), ["bind-ip4-addr = 192.0.2.1"], ["127.0.0.1"]),
                (("127.0.0.1", "192.0.2.1", "192.0.2.2"), ["bind-ip4-addr = 192.0.2.1"],
                 ["127.0.0.1", "192.0.2.2"]),
                (("127.0.0.1",), ["bind-ip4-addr = 127.0.0.1"], []),
                (("::1", "2001:db8::1", "127.0.0.1"),
                 ["bind-ip6-addr = 2001:db8::1", "bind-ip4-addr = 127.0.0.1"], ["::1"])):
            with self.subTest(text):
                self.assertEqual(self.make("".join(f"listening-ip={ip}\n" for ip in text)),
                                 addresses)
                self.assertEqual([line.split(" = ")[1] for line in self.comments.splitlines()
                                  if "one more" in line], others)

    def test_what_is_without_a_limit_there_is_taken_here(self):
        self.assertEqual(self.make("user-quota=0\ntotal-quota=0\nrelay-threads=0\nmax-bps=0\n"),
                         ["user-quota = 65536", "num-worker-threads = 1", "max-bps = 0"])
        self.assertIn("max-allocations", self.comments)
        self.assertEqual(self.make("user-quota=1\ntotal-quota=10\nrelay-threads=2\n"),
                         ["user-quota = 1", "max-allocations = 10", "num-worker-threads = 2"])

    def test_metrics_go_on_for_this_host(self):
        self.assertEqual(self.make("prometheus\nprometheus-port=9642\n"),
                         ["metrics-addr = 127.0.0.1:9642"])
        self.assertIn("metrics-addr = 0.0.0.0:9641", self.comments)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
