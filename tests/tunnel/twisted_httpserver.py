#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Serves the folder that it is started in."""
from twisted.web import server, static

import twisted_server

twisted_server.main(server.Site(static.File(".")))
