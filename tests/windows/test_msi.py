#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The installer under Wine: a first installation, an upgrade beside a policy that is somebody's own, a downgrade, the end."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

from testbed_process import TestbedError, need
from testbed_wine import Wine

ROOT = Path(__file__).resolve().parents[2]
LIBRARY, PROGRAM, STANDIN, VERSION = (os.environ[name] for name in ("WSMAUTHZ_PLUGIN", "WSMAUTHZ_CLI", "WSMAUTHZ_STANDIN",
                                                                    "WSMAUTHZ_VERSION"))
EVENTS = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\wsmauthz"
INSTALLED = {"wsmauthz.dll", "wsmauthz.exe", "host/wsmsvc.dll", "wsmauthz.xsd", "web.config", "README.md", "LICENSE.txt",
             "PolicyDefinitions/wsmauthz.admx", "PolicyDefinitions/en-US/wsmauthz.adml"}
NEWER, OLDER = "99.0.1", "0.0.1"


def build(folder, version):
    msi = os.path.join(folder, version + ".msi")
    done = subprocess.run(["sh", str(ROOT / "conf" / "windows" / "msi.sh"), msi, version, str(ROOT), LIBRARY, PROGRAM, STANDIN],
                          capture_output=True, text=True, check=False)
    # What wixl has no words for it says, and goes on without.
    if done.returncode != 0 or done.stdout or done.stderr:
        raise TestbedError("msi.sh ended with %d:\n%s%s" % (done.returncode, done.stdout, done.stderr))
    return msi


def table(msi, name):
    """The rows of a table of the installer, without the three lines that describe it."""
    lines = subprocess.run(["msiinfo", "export", msi, name], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("\t") for line in lines[3:]]


class InstallerTest(unittest.TestCase):
    def setUp(self):
        need("wixl", "msibuild", "msiinfo")
        self.wine = Wine()
        self.addCleanup(self.wine.close)
        self.programs = Path(self.wine.drive_c, "Program Files", "wsmauthz")
        self.policy = Path(self.wine.drive_c, "ProgramData", "wsmauthz", "wsmauthz.xml")

    def msiexec(self, what, msi):
        return self.wine.run("msiexec", what, self.wine.path(msi), "/qn").returncode

    def installed(self):
        return {str(path.relative_to(self.programs)) for path in self.programs.rglob("*") if path.is_file()}

    def expect_installed(self):
        self.assertEqual(self.installed(), INSTALLED)
        self.assertEqual((self.programs / "wsmauthz.dll").read_bytes(), Path(LIBRARY).read_bytes())
        self.assertEqual((self.programs / "wsmauthz.exe").read_bytes(), Path(PROGRAM).read_bytes())
        self.assertEqual(self.wine.registry(EVENTS, "EventMessageFile"), r"C:\Program Files\wsmauthz\wsmauthz.dll")
        self.assertEqual(self.wine.registry(EVENTS, "TypesSupported"), "0x7")

    def test_from_the_first_installation_to_the_end(self):
        first, second = build(self.wine.folder, VERSION), build(self.wine.folder, NEWER)
        older = build(self.wine.folder, OLDER)

        self.assertEqual(self.msiexec("/i", first), 0)
        self.expect_installed()
        self.assertEqual(self.policy.read_bytes(), (ROOT / "conf" / "windows" / "wsmauthz.xml").read_bytes())
        said = self.wine.run(r"C:\Program Files\wsmauthz\wsmauthz.exe", "--version")
        self.assertEqual((said.returncode, said.stdout), (0, "wsmauthz %s\n" % VERSION), said)

        # An upgrade: what is ours is new, what is the administrator's stays.
        self.policy.write_text("an administrator wrote this")
        (self.programs / "web.config").write_text("changed")
        self.assertEqual(self.msiexec("/i", second), 0)
        self.expect_installed()
        self.assertNotEqual((self.programs / "web.config").read_text(), "changed")
        self.assertEqual(self.policy.read_text(), "an administrator wrote this")

        # The older one knows that there is a newer one.
        self.assertNotEqual(self.msiexec("/i", older), 0)
        self.expect_installed()

        # The end: nothing but the policy is left.
        self.assertEqual(self.msiexec("/x", second), 0)
        self.assertFalse(self.programs.exists())
        self.assertFalse(self.wine.registry(EVENTS))
        self.assertEqual(self.policy.read_text(), "an administrator wrote this")

        # Where there is none, the next installation brings the sample again.
        self.policy.unlink()
        self.assertEqual(self.msiexec("/i", first), 0)
        self.expect_installed()
        self.assertEqual(self.policy.read_bytes(), (ROOT / "conf" / "windows" / "wsmauthz.xml").read_bytes())

    def test_what_wine_does_not_do_is_in_the_tables(self):
        msi = build(self.wine.folder, VERSION)
        [[_, what, kind, permissions, condition]] = table(msi, "MsiLockPermissionsEx")
        self.assertEqual((what, kind, condition), ("POLICYDIR", "CreateFolder", ""))
        # Nothing inherited; SYSTEM and Administrators all, IIS_IUSRS (S-1-5-32-568) to read, nobody else.
        self.assertEqual(permissions, "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;IS)")
        self.assertIn(["POLICYDIR", "Policy"], table(msi, "CreateFolder"))
        attributes = {row[0]: int(row[3]) for row in table(msi, "Component")}
        never_overwritten, permanent, of_64_bits = 0x80, 0x10, 0x100
        self.assertEqual(attributes.pop("Policy"), never_overwritten | permanent | of_64_bits)
        self.assertEqual(set(attributes.values()), {of_64_bits})
        codes = {dict(table(path, "Property"))["ProductCode"] for path in (msi, build(self.wine.folder, NEWER))}
        self.assertEqual(len(codes), 2)


if __name__ == "__main__":
    if not all(os.path.exists(path) for path in (LIBRARY, PROGRAM, STANDIN)):
        sys.exit("not built: %s, %s, %s" % (LIBRARY, PROGRAM, STANDIN))
    unittest.main()
