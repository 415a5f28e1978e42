#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""wsmauthz as a part of another CMake project: configured, built and run from nothing."""
import os
import shutil
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))
import testbed  # noqa: E402
from testbed import Folder  # noqa: E402

# All of it is built: on a busy machine that may take a while.
TIMEOUT_S = 240


class Embedding(unittest.TestCase):

    def setUp(self):
        folder = Folder(prefix="wsmauthz-embed-")
        self.addCleanup(folder.remove)
        self.folder = Path(folder.path)
        shutil.copytree(HERE / "parent", self.folder / "parent")
        self.build = self.folder / "build"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        # Options that somebody has set for the build of wsmauthz alone are not those of this project.
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("CMAKE_") and name not in ("CFLAGS", "LDFLAGS")}
        testbed.run("cmake", *generator, "-S", str(self.folder / "parent"), "-B", str(self.build),
                    "-DWSMAUTHZ_SOURCE=%s" % TREE, env=environment, timeout=TIMEOUT_S)

    def test_add_subdirectory__gives_a_target_that_is_enough(self):
        testbed.run("cmake", "--build", str(self.build), "--parallel", "2", timeout=TIMEOUT_S)
        missing = self.folder / "no-such-policy.xml"
        done = testbed.run(str(self.build / "embedder"), str(missing))
        self.assertIn("policy-unusable: ", done.stdout)
        self.assertIn(str(missing), done.stdout)

    def test_add_subdirectory__brings_no_tests_and_no_files_of_its_own_to_the_parent(self):
        listed = testbed.run("ctest", "--test-dir", str(self.build), "-N").stdout
        self.assertIn("Total Tests: 0", listed)
        self.assertFalse((self.build / "view").exists())
        self.assertFalse((self.build / "compile_commands.json").exists())


if __name__ == "__main__":
    testbed.main()
