# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl tool: P-256, good for two days."""
import subprocess


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certify(name, certificate, key, *options):
    """A new key and its certificate, signed by itself unless the options say by whom."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate, *options)


class Authority:
    """A CA, whose certificate and key lie at `stem`.crt.pem and `stem`.key.pem."""

    def __init__(self, name, stem):
        self.certificate, self.key = f"{stem}.crt.pem", f"{stem}.key.pem"
        certify(name, self.certificate, self.key)

    def issue(self, name, stem, *options):
        """A certificate and its key, at `stem`.crt.pem and `stem`.key.pem."""
        certify(name, f"{stem}.crt.pem", f"{stem}.key.pem", "-CA", self.certificate, "-CAkey",
                self.key, "-addext", "basicConstraints=critical,CA:FALSE", *options)
