# SPDX-License-Identifier: Apache-2.0
"""The original's folder of keys as Twisted's options: who trusts one CA, and asks for no name."""
import pathlib

from twisted.internet import ssl


def options_of(folder, role):
    """role: "server" or "client", which is to say whose certificate is shown."""
    def pem(name):
        return (pathlib.Path(folder) / f"{name}.pem").read_text(encoding="ascii")
    own = ssl.PrivateCertificate.loadPEM(pem(f"{role}.crt") + pem(f"{role}.key"))
    return own.options(ssl.Certificate.loadPEM(pem("ca.crt")))
