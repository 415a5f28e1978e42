# SPDX-License-Identifier: Apache-2.0
"""The sample company of docker/, on a server of its own, as docker/demo.sh starts it."""
import subprocess
from pathlib import Path

import testbed
from testbed import Folder, free_port, need, wait_until

ROOT = Path(__file__).resolve().parents[2]
COMPANY = ROOT / "docker" / "company"
OPENLDAP = ROOT / "docker" / "openldap" / "run-openldap.sh"


class Company:
    """
    run-openldap.sh on free ports of the loopback, in a folder of its own.

    takes_clear  passwords are taken in the clear too, on the loopback: Wine's wldap32 has no other bind on a bare connection.
    """

    def __init__(self, takes_clear=False):
        need("slapd", "slapadd", "ldapsearch", "openssl")
        self.folder = Folder(prefix="wsmauthz-company-")
        self.state = self.folder.make("state")
        self.port, self.tls_port = free_port(), free_port()
        self.log = open(self.folder.join("server.log"), "wb")
        self.server = subprocess.Popen(
            self._take_clear() if takes_clear else
            ["sh", str(OPENLDAP), self.state, "ldap://127.0.0.1:%d" % self.port, "ldaps://127.0.0.1:%d" % self.tls_port],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait_until(self._answers, 60, "the sample company's server answers")
        except Exception:
            print(Path(self.folder.join("server.log")).read_text()[-4000:])
            self.close()
            raise

    def _take_clear(self):
        """The command of the server."""
        subprocess.run(["sh", str(OPENLDAP), "--prepare", self.state], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        configuration = Path(self.state, "slapd.conf")
        lines = configuration.read_text(encoding="utf-8").splitlines(True)
        configuration.write_text("".join(line for line in lines if not line.startswith("security ")), encoding="utf-8")
        uris = ["ldap://127.0.0.1:%d" % self.port, "ldaps://127.0.0.1:%d" % self.tls_port]
        # What --health looks at.
        Path(self.state, "run", "listen").write_text("\n".join(uris) + "\n", encoding="utf-8")
        return [need("slapd"), "-h", " ".join(uris), "-f", str(configuration), "-d", "stats"]

    def _answers(self):
        if self.server.poll() is not None:
            raise testbed.TestbedError("the server ended with status %d" % self.server.returncode)
        return subprocess.run(["sh", str(OPENLDAP), "--health", self.state], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def close(self):
        self.server.terminate()
        self.server.wait(timeout=20)
        self.log.close()
        self.folder.remove()

    def policy(self, name, uri, tls, bind=None, directory="", cache=""):
        """policy.xml.in for another transport, bind, strategy."""
        text = (COMPANY / "policy.xml.in").read_text().replace("@URI@", uri)
        text = text.replace('<tls mode="ldaps" ca-file="ca.pem"/>', tls + directory)
        if bind is not None:
            before, rest = text.split("<bind", 1)
            text = before + bind + rest.split("/>", 1)[1]
        text = text.replace("<deny", cache + "<deny", 1)
        folder = Path(self.folder.make(name))
        for file in ("ca.pem", "authorizer.secret"):
            testbed.write_file(str(folder / file), Path(self.state, file).read_text(), 0o600)
        testbed.write_file(str(folder / "policy.xml"), text, 0o600)
        return str(folder / "policy.xml")
