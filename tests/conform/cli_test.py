#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration as a user meets it: --help, and what is said of each mistake and its place."""
import os
import re
import subprocess
import tempfile

import case
import relay

SECRET = "hushhush4711"
# Option: environment, default as --help has it, a good value, bad ones.
OTLP_SENDING = {"protocol": "grpc", "headers": "key=value", "timeout": "200", "compression": "gzip",
                "certificate": "/x.pem"}
OPTIONS = {
    "public-ip4-addr": ("PUBLIC_IP4_ADDR", "the address of the default route, if no address is "
                        "given", "192.0.2.1", ["::1", "x", "", "192.0.2", "0.0.0.0", "1.2.3.4:5"]),
    "public-ip6-addr": ("PUBLIC_IP6_ADDR", "the address of the default route, if no address is "
                        "given", "2001:db8::1", ["192.0.2.1", "x", "", "::", "[::1]", "fe80::1%1"]),
    "bind-ip4-addr": ("BIND_IP4_ADDR", "0.0.0.0", "127.0.0.1", ["::", "x", "", "localhost"]),
    "bind-ip6-addr": ("BIND_IP6_ADDR", "::", "::1", ["0.0.0.0", "x", "", ":::"]),
    "listen-port": ("LISTEN_PORT", "3478", "3479", ["0", "65536", "-1", "x", "", "3478x", "0x10"]),
    "lowest-port": ("LOWEST_PORT", "49152", "50000", ["0", "65536", "x", ""]),
    "highest-port": ("HIGHEST_PORT", "65535", "60000", ["0", "65536", "x", ""]),
    "realm": ("FAIRLEAD_REALM", "fairlead", "example.org", ["r" * 128, ""]),
    "user": ("FAIRLEAD_USER", "without any credential, one user with a random password, which is "
             "printed", "bob:builder", [SECRET, f":{SECRET}", "bob:", ""]),
    "auth-secret": ("FAIRLEAD_AUTH_SECRET", None, "north", ["s" * 129, ""]),
    "stamp-secret": ("FAIRLEAD_STAMP_SECRET", None, "4c98bf59", ["s" * 129, ""]),
    "allow-peer": ("FAIRLEAD_ALLOW_PEER", None, "10.1.0.0/16",
                   ["x", "", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/"]),
    "deny-peer": ("FAIRLEAD_DENY_PEER", None, "2001:db8::/32", ["x", "", "2001:db8::1/32"]),
    "token": ("FIREZONE_TOKEN", None, None, []),  # they need one another, see below
    "name": ("FIREZONE_NAME", None, None, []),
    "api-url": ("FIREZONE_API_URL", None, None, []),
    "portal-ca": ("FAIRLEAD_PORTAL_CA", "the system's", None, []),
    "max-allocations": ("FAIRLEAD_MAX_ALLOCATIONS", "16384", "1", ["0", "65537", "x", "", "-1"]),
    "max-permissions": ("FAIRLEAD_MAX_PERMISSIONS", "65536", "1", ["0", "16777217", "x", ""]),
    "max-channels": ("FAIRLEAD_MAX_CHANNELS", "65536", "1", ["0", "16777217", "x", ""]),
    "user-quota": ("FAIRLEAD_USER_QUOTA", "64", "65536", ["0", "65537", "x", ""]),
    "permissions-per-allocation": ("FAIRLEAD_PERMISSIONS_PER_ALLOCATION", "64", "65535",
                                   ["0", "65536", "x", ""]),
    "channels-per-allocation": ("FAIRLEAD_CHANNELS_PER_ALLOCATION", "64", "65535",
                                ["0", "65536", "x", ""]),
    "min-lifetime": ("FAIRLEAD_MIN_LIFETIME", "600", "5", ["0", "3601", "x", "", "5s"]),
    "max-pps": ("FAIRLEAD_MAX_PPS", "0", "1000", ["-1", "100000001", "x", "", "1k"]),
    "max-bps": ("FAIRLEAD_MAX_BPS", "0", "125000", ["-1", "100000000001", "x", "", "1M"]),
    "unauthenticated-rate": ("FAIRLEAD_UNAUTHENTICATED_RATE", "20000", "0",
                             ["-1", "100000001", "x", "", "1k"]),
    "strict-amplification": ("FAIRLEAD_STRICT_AMPLIFICATION", None, None, []),
    "ebpf-offloading": ("EBPF_OFFLOADING", None, "eth0", ["a123456789012345", ""]),
    "ebpf-attach-mode": ("EBPF_ATTACH_MODE", "auto", "driver", ["native", "", "AUTO"]),
    "ebpf-int4-addr": ("EBPF_INT4_ADDR", "the address that the relay's sockets use", "10.0.0.4",
                       ["::1", "x", "", "224.0.0.1"]),
    "ebpf-int6-addr": ("EBPF_INT6_ADDR", "the address that the relay's sockets use", "fd00::4",
                       ["10.0.0.4", "x", "", "ff02::1"]),
    "metrics-addr": ("METRICS_ADDR", "127.0.0.1:9641", "off",
                     ["x", "", "127.0.0.1", "127.0.0.1:0", "localhost:80", "::1:80"]),
    "health-check-addr": ("HEALTH_CHECK_ADDR", "with a token 0.0.0.0:8080, otherwise it is "
                          "not served", "0.0.0.0:8080",
                          ["x", "", "8080", ":8080"]),
    "control-endpoint": ("CONTROL_ENDPOINT", "with a token 127.0.0.1:9999, otherwise it is not "
                         "served", "[::1]:9999", ["x", "", "on"]),
    "demo-addr": ("FAIRLEAD_DEMO_ADDR", "it is not served", "127.0.0.1:8088",
                  ["x", "", "0.0.0.0:8088", "192.0.2.1:8088"]),
    "otlp-grpc-endpoint": ("OTLP_GRPC_ENDPOINT", None, "collector:4317", ["x", "", "c:0", "c:1/x"]),
    "otlp-endpoint": ("OTEL_EXPORTER_OTLP_ENDPOINT", None, "http://c:4318/x", ["c:4318", "", "x"]),
    "otlp-metrics-endpoint": ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", None, "https://c/x", ["x", ""]),
    "otlp-traces-endpoint": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", None, "https://c/x", ["x", ""]),
    # What follows is not read without an endpoint; tests/unit/daemon/daemon_otlp_config_test.c.
    "otlp-protocol": ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "grpc", []),
    "otlp-headers": ("OTEL_EXPORTER_OTLP_HEADERS", None, "key=value", []),
    "otlp-timeout": ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "200", []),
    "otlp-compression": ("OTEL_EXPORTER_OTLP_COMPRESSION", "none", "gzip", []),
    "otlp-certificate": ("OTEL_EXPORTER_OTLP_CERTIFICATE", "the system's", "/x.pem", []),
    **{f"otlp-{signal}-{what}": (f"OTEL_EXPORTER_OTLP_{signal}_{what}".upper(),
                                 f"that of --otlp-{what}", value, [])
       for signal in ("metrics", "traces") for what, value in OTLP_SENDING.items()},
    "otlp-temporality": ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory", "delta",
                         []),
    "otlp-interval": ("OTEL_METRIC_EXPORT_INTERVAL", "60000", "5000", []),
    "otlp-traces-sampler": ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "always_on", []),
    "otlp-traces-sampler-arg": ("OTEL_TRACES_SAMPLER_ARG", "0.01", "0.5", []),
    "otel-service-name": ("OTEL_SERVICE_NAME", "relay", "name", []),
    "otel-resource-attributes": ("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=firezone, and what "
                                 "tells the version", "key=value", []),
    "otel-sdk-disabled": ("OTEL_SDK_DISABLED", None, None, []),
    "num-worker-threads": ("NUM_WORKER_THREADS", "as many as CPUs that it may run on", "2",
                           ["0", "257", "x", "", "auto"]),
    "drain-timeout": ("FAIRLEAD_DRAIN_TIMEOUT", "60", "0", ["-1", "604801", "x", ""]),
    "config": ("FAIRLEAD_CONFIG", None, None, []),
    "check-config": (None, None, None, []),
    "log-format": ("LOG_FORMAT", "human", "google-cloud", ["xml", "", "JSON", "google"]),
    "log-filter": ("RUST_LOG", "info", "debug,wire=trace", ["relay=loud", "a b", "x[y"]),
    "control-socket": ("FAIRLEAD_CONTROL_SOCKET", "relay.sock in $RUNTIME_DIRECTORY, /run/fairlead "
                       "for root, or $XDG_RUNTIME_DIR/fairlead", "/run/relay.sock",
                       ["s" * 108, ""]),
    "software": ("FAIRLEAD_SOFTWARE", "none is sent", "text", ["s" * 128]),
    "version": (None, None, None, []),
    "help": (None, None, None, []),
    "rng-seed": ("RNG_SEED", None, "18446744073709551615",
                 ["18446744073709551616", "-1", "x", ""]),
    "telemetry": ("TELEMETRY", None, None, []),
}
GOOD = "fairlead-relay: the configuration is good\n"
# Without what the other tests tell every relay.
ENVIRONMENT = {name: value for name, value in relay.ENVIRONMENT.items()
               if not name.startswith("FAIRLEAD_")}


class Cli(case.Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "relay.conf")

    def ask(self, *options, environment=None, file=None):
        """Runs --check-config, or what the options say; returns (exit code, output, errors)."""
        if file is not None:
            with open(self.path, "w", encoding="utf-8", newline="") as config:
                config.write(file)
            options = (*options, "--config", self.path)
        run = subprocess.run([relay.program(), *options, "--check-config"], text=True,
                             capture_output=True, timeout=20, check=False,
                             env=ENVIRONMENT | (environment or {}))
        self.assertNotIn(SECRET, run.stdout + run.stderr)
        return run.returncode, run.stdout, run.stderr

    def assert_good(self, *options, **more):
        self.assertEqual(self.ask(*options, **more), (0, GOOD, ""))

    def assert_wrong(self, pattern, *options, **more):
        """One line names the mistake, and the exit code is 2."""
        code, output, errors = self.ask(*options, **more)
        self.assertEqual((code, output), (2, ""))
        self.assertRegex(errors, rf"\A(?:fairlead-relay: .*\n)*fairlead-relay: {pattern}\n")

    def test_help_tells_every_option_with_environment_and_default_in_80_columns(self):
        code, text, errors = self.ask("--help")
        self.assertEqual((code, errors), (0, ""))
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        told = re.split(r"\n  (?=-)", text)[1:]
        names = [re.match(r"(?:-\w, )?--([a-z0-9-]+)", one)[1] for one in told]
        self.assertEqual(names, list(OPTIONS))
        for one, (name, (environment, default, _, _)) in zip(told, OPTIONS.items()):
            words = " ".join(one.split())
            with self.subTest(name):
                self.assertEqual(re.findall(r"\[environment: (\w+)\]", words),
                                 [environment] if environment else [])
                self.assertEqual(re.findall(r"\[default: (.*?)\]", words),
                                 [default] if default else [])
        self.assertEqual(self.ask("-h")[1], text)

    def test_version_is_that_of_the_project(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "meson.build"),
                  encoding="utf-8") as file:
            version = re.search(r"version: '([0-9.]+)'", file.read())[1]
        for option in ("--version", "-V"):
            self.assertEqual(self.ask(option), (0, f"fairlead-relay {version}\n", ""))

    def test_help_and_version_are_given_whatever_else_is_wrong(self):
        self.assertEqual(self.ask("--help", "--nonsense", environment={"LISTEN_PORT": "x"})[0], 0)
        self.assertEqual(self.ask("--nonsense", "--version")[0], 0)

    def test_good_values_are_good_from_everywhere(self):
        self.assert_good()
        for name, (environment, _, good, _) in OPTIONS.items():
            if good is not None:
                self.assert_good("--" + name, good)
                self.assert_good(f"--{name}={good}")
                self.assert_good(environment={environment: good})
                self.assert_good(file=f"# a comment\n\n  {name} = {good}  \n")

    def test_bad_values_are_named_with_their_place(self):
        for name, (environment, _, _, bad) in OPTIONS.items():
            for value in bad:
                with self.subTest(name=name, value=value):
                    self.assert_wrong(rf"--{name}: .*\(command line, argument 1\)",
                                      f"--{name}={value}")
                    self.assert_wrong(rf"--{name}: .*\(.*relay\.conf, line 2\)",
                                      file=f"\n{name} = {value}\n")
                    if value:  # an empty variable may be one that is not set
                        self.assert_wrong(rf"--{name}: .*\(environment, {environment}.*\)",
                                          environment={environment: value})

    def test_a_stronger_source_hides_a_weaker_one(self):
        for name, (environment, _, good, bad) in OPTIONS.items():
            if not bad:
                continue
            with self.subTest(name):
                flags = {True: f"--{name}={good}", False: f"--{name}={bad[0]}"}
                variables = {True: {environment: good}, False: {environment: bad[0]}}
                files = {True: f"{name} = {good}\n", False: f"{name} = {bad[0]}\n"}
                self.assert_good(flags[True], environment=variables[False], file=files[False])
                self.assert_good(environment=variables[True], file=files[False])
                self.assert_wrong(f"--{name}: .*command line.*", flags[False],
                                  environment=variables[True], file=files[True])
                self.assert_wrong(f"--{name}: .*environment.*", environment=variables[False],
                                  file=files[True])

    def test_repeated_options_take_many_values_and_others_one(self):
        self.assert_good("--user", "a:b", "--user", "c:d", "--allow-peer", "::1",
                         "--allow-peer", "127.0.0.1")
        self.assert_good(environment={"FAIRLEAD_USER": "a:b,c:d\\,e"})
        self.assert_wrong(rf"--user: .*\(environment, FAIRLEAD_USER, value 2\)",
                          environment={"FAIRLEAD_USER": f"a:b,{SECRET}"})
        self.assert_good(file="user = a:b\nuser = c:d\n")
        self.assert_wrong(r"--realm: given twice.*argument 2.*", "--realm=a", "--realm=b")
        self.assert_wrong(r"--realm: given twice.*line 1 \(.*line 3\)", file="realm=a\n\nrealm=b\n")

    def test_a_flag_is_given_by_its_name_alone_or_with_a_truth(self):
        self.assert_good("--strict-amplification")
        self.assert_good("--strict-amplification=no", file="strict-amplification = yes\n")
        self.assert_good(environment={"FAIRLEAD_STRICT_AMPLIFICATION": "true"})
        self.assert_wrong("--strict-amplification: .*line 1.*", file="strict-amplification = x\n")

    def test_firezones_realm_belongs_to_its_stamp_secret(self):
        self.assert_good("--realm=firezone")
        self.assert_wrong(r"--stamp-secret: the value cannot be used beside --realm firezone "
                          r"\(command line, argument 2\)", "--realm=firezone",
                          f"--stamp-secret={SECRET}")

    def test_a_portal_needs_a_token_and_a_url(self):
        url = "https://api.example.org"
        self.assert_good(".token", "name", f"--api-url={url}", "--realm=firezone")
        self.assert_good(environment={"FIREZONE_TOKEN": ".token", "FIREZONE_API_URL": url})
        self.assert_good(environment={"FIREZONE_TOKEN": ""})
        self.assert_wrong("--api-url: must be given: .*", ".token")
        self.assert_wrong("--token: the value is taken for a portal's token; commands .*\n"
                          "fairlead-relay: --api-url: must be given: .*", "statu")
        for name, value in (("api-url", url), ("name", "x"), ("portal-ca", "/x")):
            self.assert_wrong(rf"--{name}: '.*' has no use without a token \(FIREZONE_TOKEN\) .*",
                              f"--{name}={value}")
        for bad in ("", "api.example.org", "ftp://x", "https://u:p@x", "https://x:0", "wss://[::1]"):
            self.assert_wrong("--api-url: .* is not a URL such as https://.*", ".token",
                              f"--api-url={bad}")
        self.assert_wrong("--token: the value is longer than 4096 bytes .*\n.*", "t" * 4097,
                          f"--api-url={url}")
        self.assert_wrong("--token: the value names a file that cannot be read: No such file .*",
                          "/nonexistent", f"--api-url={url}")
        self.assert_wrong("--name: .*", ".token", "n" * 256, f"--api-url={url}")
        self.assert_wrong("--realm: 'firezone' is the portal's, and leaves none for other users .*",
                          ".token", f"--api-url={url}", "--realm=firezone", "--user=a:b")
        self.assert_wrong("--stamp-secret: the value has a character that the portal is not sent .*",
                          ".token", f"--api-url={url}", '--stamp-secret="')

    def test_a_misspelt_name_gets_a_suggestion(self):
        self.assert_wrong(r"unknown option '--listen-prot'; did you mean '--listen-port'\? .*",
                          "--listen-prot", "1")
        self.assert_wrong(r"unknown key 'alow-peer'; did you mean 'allow-peer'\? "
                          r"\(.*relay\.conf, line 3\)", file="\n\nalow-peer = ::1\n")
        self.assert_wrong(r"unknown option '--frobnicate'; --help lists all options .*",
                          "--frobnicate")

    def test_what_is_asked_for_and_cannot_be_printed_is_a_failure(self):
        for options in (["--help"], ["--version"], ["--check-config"], ["credential", "--help"],
                        ["credential", "--auth-secret", "north", "--user", "alice"]):
            with self.subTest(options), open("/dev/full", "wb") as full:
                run = subprocess.run([relay.program(), *options], stdout=full, check=False,
                                     stderr=subprocess.PIPE, timeout=20, env=relay.ENVIRONMENT)
                self.assertEqual((run.returncode, run.stderr), (1, b""))

    def test_every_mistake_is_told_at_once(self):
        _, _, errors = self.ask("--realm=", "--listen-port=x", file="user = x\nnonsense\n")
        for part in ("--realm", "--listen-port", "line 1", "line 2"):
            self.assertIn(part, errors)

    def test_a_secret_is_never_shown(self):  # ask() looks for it in all output
        for options in (["--user", SECRET], [f"--user={SECRET}"], ["--users", SECRET],
                        [f"--uesr={SECRET}"], [f"--pass={SECRET}"], ["--user", "a:b", SECRET],
                        ["--user", "a", f"b:{SECRET}"], [f"--auth-secret={SECRET * 20}"],
                        [f"--stamp-secret={SECRET * 20}"], ["--auth-secrets", SECRET],
                        [f"--{SECRET}"], [f"--{SECRET}="], [f"-{SECRET}"]):
            self.assertEqual(self.ask(*options)[0], 2)
        for file in (f"user = {SECRET}\n", f"usr = a:{SECRET}\n", f"user a:{SECRET}\n",
                     f'user = "a:{SECRET}\n', f"a:{SECRET}\n", f"user: a:{SECRET}\n",
                     f"{SECRET}=\n", f"{SECRET}=={SECRET}\n"):
            self.assertEqual(self.ask(file=file)[0], 2)
        self.assertEqual(self.ask(environment={"FAIRLEAD_USER": f"a:{SECRET}\\b"})[0], 2)
        self.assertEqual(self.ask("--user", f"a:{SECRET}")[0], 0)

    def test_files_that_cannot_be_read(self):
        missing = self.path + ".missing"
        why = f"--config: '{re.escape(missing)}' cannot be read: No such file or directory "
        self.assert_wrong(why + r"\(command line, argument 1\)", "--config", missing)
        self.assert_wrong(why + r"\(environment, FAIRLEAD_CONFIG\)",
                          environment={"FAIRLEAD_CONFIG": missing})
        self.assert_wrong("--config: '/' cannot be read: Is a directory .*", "--config", "/")
        self.assert_wrong("--config: '/dev/zero' cannot be read: File too large .*",
                          "--config", "/dev/zero")
        self.assert_wrong("--config: '' .*", "--config=")
        self.assert_wrong("--realm: .*", "--config", missing, "--realm=")  # one of two mistakes

    def test_files_that_are_odd(self):
        self.assert_good(file="")
        self.assert_good(file="realm = a")  # no end of line
        self.assert_good(file="realm = a\r\nlisten-port = 4000\r\n")
        self.assert_good(file='realm = "a b # c"\n')
        self.assert_wrong(r".* NUL byte.*line 2\)", file="\nrealm = a\0b\n")
        self.assert_wrong(r".*line 1\)", file="realm\n")
        self.assert_wrong(r"--config: is no key for the file.*line 1\)", file="config = /x\n")
        self.assert_wrong(r".*too long.*line 1\)", file="realm = " + "r" * 100000 + "\n")

    def test_ports_must_make_a_range(self):
        self.assert_wrong("--lowest-port: '60000' is above --highest-port .*",
                          "--lowest-port=60000", "--highest-port=50000")
        self.assert_good("--lowest-port=50000", "--highest-port=50000")


if __name__ == "__main__":
    case.main()
