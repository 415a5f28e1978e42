# SPDX-License-Identifier: Apache-2.0
"""The sample company of docker/ on a slapd that programs under Wine can bind to, and what is to be answered."""
import subprocess
from pathlib import Path

from testbed_process import Folder, free_port, need, wait_until, write_file

ROOT = Path(__file__).resolve().parents[2]
COMPANY = ROOT / "docker" / "company"


def expected_answers():
    """[(sender, verdict, reason, {targets})] in the order of the file."""
    rows = []
    for line in (COMPANY / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            sender, verdict, reason, target = line.split("\t")
            rows.append((sender, verdict, reason, {None if t == "-" else t for t in target.split("|")}))
    return rows


class Company:
    """What run-openldap.sh prepares, but simple binds in the clear are taken: Wine's wldap32 has no other on a bare connection."""

    def __init__(self):
        slapd = need("slapd")
        need("slapadd", "openssl")
        self.folder = Folder(prefix="wsmauthz-company-")
        self.state = self.folder.make("state")
        subprocess.run(["sh", str(ROOT / "docker/openldap/run-openldap.sh"), "--prepare", self.state], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        configuration = Path(self.state, "slapd.conf")
        configuration.write_text("".join(line for line in configuration.read_text().splitlines(True)
                                         if not line.startswith("security ")))
        self.port, self.tls_port = free_port(), free_port()
        self.log = open(self.folder.join("slapd.log"), "wb")
        self.server = subprocess.Popen(
            [slapd, "-h", "ldap://127.0.0.1:%d ldaps://127.0.0.1:%d" % (self.port, self.tls_port), "-f", str(configuration),
             "-d", "stats"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self._listens, 30, "the sample company's server listens")

    def _listens(self):
        return b"slapd starting" in Path(self.folder.join("slapd.log")).read_bytes()

    def close(self):
        self.server.terminate()
        self.server.wait(timeout=20)
        self.log.close()
        self.folder.remove()

    def policy(self, name, uri, tls, audit='<audit to="file" file="audit.log"/>'):
        text = (COMPANY / "policy.xml.in").read_text().replace("@URI@", uri)
        text = text.replace('<tls mode="ldaps" ca-file="ca.pem"/>', tls)
        text = text.replace('<audit to="file" file="audit.log"/>', audit)
        folder = Path(self.folder.make(name))
        for file in ("ca.pem", "authorizer.secret"):
            write_file(str(folder / file), Path(self.state, file).read_text(), 0o600)
        write_file(str(folder / "policy.xml"), text, 0o600)
        return str(folder / "policy.xml")
