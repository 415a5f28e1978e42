#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
libwsmauthz as it is installed: a program of somebody else's is built against it, by find_package and by pkg-config, from C and
C++, and asks a real directory.
"""
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))
import testbed  # noqa: E402
from testbed import Folder, Slapd, group, group_dn, person  # noqa: E402

BUILD = os.path.abspath(sys.argv.pop())
TIMEOUT_S = 120
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("CMAKE_") and name not in ("CFLAGS", "LDFLAGS", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH")}
# Of a build with sanitizers, who uses the library has to bring their runtime.
SANITIZE = re.search(r"^WSMAUTHZ_SANITIZE:\w+=(.+)$", (Path(BUILD) / "CMakeCache.txt").read_text(), re.M)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if SANITIZE:
            raise unittest.SkipTest("the build has sanitizers")
        cls.folder = Folder(prefix="wsmauthz-installed-")
        cls.addClassCleanup(cls.folder.remove)
        cls.prefix = Path(cls.folder.path) / "prefix"
        for component in ("library", "development"):
            cls.run_("cmake", "--install", BUILD, "--prefix", str(cls.prefix), "--component", component)
        cls.library = next(cls.prefix.rglob("libwsmauthz.so"))

    @staticmethod
    def run_(*command, **environment):
        return testbed.run(*command, env={**ENVIRONMENT, **environment}, timeout=TIMEOUT_S).stdout

    def use(self, program):
        """It decides as the policy says, against a real directory."""
        people = person("alice") + person("bob")
        with Slapd(ldif=people + group("admins", ["alice"])) as slapd:
            policy = testbed.write_policy(Path(slapd.directory) / "policy.xml", slapd, allow=[group_dn("admins")],
                                          extra='<audit to="file" file="audit.log"/>')
            done = subprocess.run([str(program), str(policy), "alice", "bob", "alice"], capture_output=True, text=True,
                                  env={**ENVIRONMENT, "LD_LIBRARY_PATH": str(self.library.parent)}, timeout=TIMEOUT_S)
            self.assertEqual(done.stdout.splitlines(),
                             ["alice authorize member", "bob deny not-a-member", "alice authorize member"], done.stderr)
            self.assertEqual(done.returncode, 1)

    def test_find_package(self):
        build = Path(self.folder.path) / "by-cmake"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        self.run_("cmake", *generator, "-S", str(HERE / "installed"), "-B", str(build), "-DCMAKE_PREFIX_PATH=%s" % self.prefix)
        self.run_("cmake", "--build", str(build))
        self.use(build / "gatekeeper")

    def test_pkg_config(self):
        config = next(self.prefix.rglob("wsmauthz.pc"))
        # The file names the prefix that the build was configured for: here it is another one.
        text = config.read_text().replace("prefix=" + re.search("^prefix=(.*)$", config.read_text(), re.M)[1],
                                          "prefix=%s" % self.prefix)
        text = re.sub("^libdir=.*$", "libdir=%s" % self.library.parent, text, flags=re.M)
        text = re.sub("^includedir=.*$", "includedir=%s" % (self.prefix / "include"), text, flags=re.M)
        config.write_text(text)
        flags = self.run_("pkg-config", "--cflags", "--libs", "wsmauthz", PKG_CONFIG_PATH=str(config.parent)).split()
        program = Path(self.folder.path) / "gatekeeper"
        self.run_("cc", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", str(program),
                  str(HERE / "installed" / "gatekeeper.c"), *flags)
        self.use(program)

    def test_headers__are_those_of_cplusplus_too(self):
        for header in (self.prefix / "include" / "wsmauthz").glob("*.h"):
            self.run_("cc", "-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                      "-I", str(self.prefix / "include"), "-include", str(header), "-x", "c++", os.devnull)

    def test_soname__has_the_number_of_the_interface(self):
        self.assertEqual(self.library.resolve().name, "libwsmauthz.so.0.1.0")
        self.assertTrue((self.library.parent / "libwsmauthz.so.0").is_symlink())


if __name__ == "__main__":
    testbed.main()
