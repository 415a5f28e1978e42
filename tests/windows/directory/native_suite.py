#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A suite of tests/integration once more, with its program built for Windows, under Wine: `native_suite.py [--network] SUITE DRIVER PROGRAM`.
--network: in a network of its own, which Wine has to be in from its start.
"""
import os
import runpy
import sys

import testbed_network
from driving import keep_awake
from testbed_wine import Wine

PROGRAM = os.path.abspath(sys.argv.pop())
DRIVER = os.path.abspath(sys.argv.pop())
SUITE = os.path.abspath(sys.argv.pop())

if sys.argv[1:] == ["--network"]:
    testbed_network.enter()
sys.path.insert(0, os.path.dirname(SUITE))
with Wine() as wine:
    sleeper = keep_awake(wine, DRIVER)
    os.environ.update(wine.environment(), WATCH_LIBRARY="wldap32")
    sys.argv = [SUITE, wine.launcher(os.path.basename(PROGRAM).split(".")[0], PROGRAM)]
    try:
        runpy.run_path(SUITE, run_name="__main__")
    finally:
        sleeper()
