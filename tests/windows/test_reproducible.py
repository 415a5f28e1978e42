#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Built again, from a copy of the sources in another folder and at another time, the files are the same byte for byte."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["WSMAUTHZ_BUILD"])
FILES = [Path(os.environ[name]) for name in ("WSMAUTHZ_PLUGIN", "WSMAUTHZ_CLI", "WSMAUTHZ_STANDIN")]
# What says how a build is made.
SETTINGS = ("CMAKE_BUILD_TYPE", "CMAKE_C_COMPILER", "CMAKE_SYSTEM_NAME", "CMAKE_SYSTEM_PROCESSOR", "CMAKE_FIND_ROOT_PATH",
            "CMAKE_FIND_ROOT_PATH_MODE_INCLUDE", "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY", "CMAKE_FIND_ROOT_PATH_MODE_PACKAGE")


def settings():
    found = []
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        name, _, value = line.partition("=")
        if name.partition(":")[0] in SETTINGS:
            found.append("-D%s=%s" % (name, value))
    return found


class ReproducibleTest(unittest.TestCase):
    def test_another_folder_gives_the_same_files(self):
        with tempfile.TemporaryDirectory(prefix="wsmauthz-again-") as folder:
            source, build = Path(folder, "another-source"), Path(folder, "another-build")
            source.mkdir()
            for name in ("CMakeLists.txt", "LICENSE"):
                shutil.copy(ROOT / name, source / name)
            for name in ("conf", "include", "src"):
                shutil.copytree(ROOT / name, source / name)
            subprocess.run(["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DWSMAUTHZ_TESTS=OFF"] + settings(), check=True,
                           stdout=subprocess.DEVNULL)
            subprocess.run(["cmake", "--build", build, "--target", "wsmauthz", "wsmauthz_program", "wsmauthz_wsmsvc"], check=True,
                           stdout=subprocess.DEVNULL)
            for file in FILES:
                again = build / file.relative_to(BUILD)
                self.assertEqual(again.read_bytes(), file.read_bytes(), file.name)


if __name__ == "__main__":
    unittest.main()
