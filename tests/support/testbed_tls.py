# SPDX-License-Identifier: Apache-2.0
"""A throw-away certificate authority (EC keys, by openssl), and the certificates that a server should not have."""
import os
import socket

from testbed_process import Folder, need, run

# What a server on this machine's loopback is called. libldap puts the machine's own name in the place of
# "localhost" before it compares, so that name has to be there too.
SERVER_NAMES = ("DNS:localhost", "DNS:" + socket.gethostname(), "IP:127.0.0.1")

_CONFIGURATION = """\
[ca]
default_ca = authority
[authority]
dir = {path}
database = $dir/index.txt
new_certs_dir = $dir/issued
serial = $dir/serial
crlnumber = $dir/crlnumber
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
"""


class Certificate:
    """PEM files: `certificate` and its private `key`."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key


class Authority:
    """
    One certificate authority in a folder of its own.

        ca = Authority(folder)
        good = ca.issue("server")
        late = ca.issue("late", expired=True)
        other = ca.issue("other", names=("DNS:elsewhere.example",))
        stranger = Authority(another_folder).issue("server")          an unknown authority
    """

    def __init__(self, path, name="wsmauthz throw-away CA"):
        self._openssl = need("openssl")
        self._folder = Folder(path)
        self._folder.make("issued")
        self._configuration = self._folder.write("openssl.cnf", _CONFIGURATION.format(path=self._folder.path))
        self._folder.write("index.txt", "")
        self._folder.write("serial", "1000\n")
        self._folder.write("crlnumber", "1000\n")
        self.ca_file = self._folder.join("ca.pem")
        key = self._make_key("ca")
        self._run("req", "-x509", "-new", "-key", key, "-sha256", "-days", "30", "-subj", "/CN=" + name,
                  "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                  "-out", self.ca_file)

    def issue(self, name, names=SERVER_NAMES, expired=False, usage="serverAuth", days=30):
        """A certificate with these subject alternative names, for some days; `expired`: it ended long ago."""
        key = self._make_key(name)
        request = self._folder.join(name + ".csr")
        certificate = self._folder.join(name + ".pem")
        self._run("req", "-new", "-key", key, "-subj", "/CN=" + name, "-out", request)
        extensions = self._folder.write(name + ".ext", "basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n"
                                        "subjectAltName=%s\n" % (usage, ",".join(names)))
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z") if expired else ("-days", str(days))
        self._run("ca", "-batch", "-notext", "-in", request, "-out", certificate, "-extfile", extensions, *dates)
        return Certificate(certificate, key)

    def revoke(self, certificate):
        """Put a certificate on the revocation list; crl() writes the list."""
        self._run("ca", "-batch", "-revoke", certificate.certificate)

    def crl(self):
        """Write the revocation list and return its path."""
        path = self._folder.join("crl.pem")
        self._run("ca", "-batch", "-gencrl", "-out", path)
        return path

    def _make_key(self, name):
        path = self._folder.join(name + ".key")
        self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        os.chmod(path, 0o600)
        return path

    def _run(self, *arguments):
        env = dict(os.environ, OPENSSL_CONF=self._configuration)
        run(self._openssl, *arguments, env=env)
