#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tests/integration/watch/controller.py once more, with the watcher for Windows, under Wine: `watch_controller.py DRIVER WATCHER`."""
import os
import runpy
import sys

import watching
from driving import keep_awake
from testbed_wine import Wine

PROGRAM = os.path.abspath(sys.argv.pop())
DRIVER = os.path.abspath(sys.argv.pop())
SUITE = os.path.join(os.path.dirname(os.path.abspath(watching.__file__)), "controller.py")

with Wine() as wine:
    sleeper = keep_awake(wine, DRIVER)
    os.environ.update(wine.environment(), WATCH_LIBRARY="wldap32")
    sys.argv[1:] = [wine.launcher("watcher", PROGRAM)]
    try:
        runpy.run_path(SUITE, run_name="__main__")
    finally:
        sleeper()
