# SPDX-License-Identifier: Apache-2.0
"""A private MIT Kerberos KDC on loopback, for GSSAPI and GSS-SPNEGO binds."""
import os
import signal
import socket

import testbed_process as process
from testbed_process import LOOPBACK, Folder, PortTaken, Server, TestbedError

REALM = "CORP.EXAMPLE.TEST"

_KRB5_CONF = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 ignore_acceptor_hostname = true
[realms]
 {realm} = {{
  kdc = {host}:{port}
 }}
[domain_realm]
 localhost = {realm}
 {machine} = {realm}
"""

_KDC_CONF = """\
[kdcdefaults]
 kdc_listen = {host}:{port}
 kdc_tcp_listen = {host}:{port}
[realms]
 {realm} = {{
  database_name = {path}/principal
  key_stash_file = {path}/stash
  acl_file = {path}/kadm5.acl
  max_life = 10h
 }}
[logging]
 kdc = STDERR
"""


class Kdc:
    """
    One KDC with the principals it is told, for the servers of this machine's loopback.

        with Kdc(principals=("wsmauthz",)) as kdc, Slapd(kdc=kdc) as slapd:
            kdc.login("wsmauthz")                       a ticket, as kinit gets it
            ... run the client with env=kdc.client_environment()

    Each principal's key is in `client_keytab` too, so that a client without a ticket gets one by itself
    (KRB5_CLIENT_KTNAME). The ldap service of localhost, of this machine's name and of 127.0.0.1 is in
    `server_keytab`.
    """

    realm = REALM

    def __init__(self, directory=None, principals=("wsmauthz",)):
        self._krb5kdc, self._kdb5_util, self._kadmin, self._kinit = process.need("krb5kdc", "kdb5_util", "kadmin.local",
                                                                                 "kinit")
        self._folder = Folder(directory, "wsmauthz-kdc-")
        self.directory = self._folder.path
        self.client_keytab = self._folder.join("client.keytab")
        self.server_keytab = self._folder.join("server.keytab")
        self.port = None
        self._server = Server(self._folder.join("kdc.log"))
        try:
            self._choose_port()
            self._create(principals)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """End the process, remove the folder. May be called twice."""
        self._server.end(signal.SIGKILL)
        self._folder.remove()

    def start(self):
        process.start_with_retry(self._start_once)

    def stop(self):
        self._server.end(signal.SIGTERM)

    def is_running(self):
        return self._server.is_running()

    def suspend(self):
        self._server.suspend()

    def resume(self):
        self._server.resume()

    def login(self, principal):
        """Get a ticket into the cache of client_environment()."""
        process.run(self._kinit, "-k", "-t", self.client_keytab, principal, env=self.client_environment())

    def administer(self, *commands):
        """Commands of kadmin.local(1), as its prompt takes them."""
        process.run(self._kadmin, "-r", REALM, env=self._environment(), text="\n".join(commands) + "\n")

    def client_environment(self):
        """The environment of a client: this one, this KDC, and a ticket cache of its own."""
        return dict(os.environ, KRB5_CONFIG=self._folder.join("krb5.conf"), KRB5_CLIENT_KTNAME=self.client_keytab,
                    KRB5CCNAME="FILE:" + self._folder.join("tickets"))

    def server_environment(self):
        """What a server's environment gets on top."""
        return {"KRB5_CONFIG": self._folder.join("krb5.conf"), "KRB5_KTNAME": self.server_keytab,
                "KRB5RCACHETYPE": "none"}

    def log(self):
        return self._server.log()

    def _choose_port(self):
        self.port = process.free_port((socket.SOCK_STREAM, socket.SOCK_DGRAM))
        names = {"realm": REALM, "host": LOOPBACK, "port": self.port, "machine": socket.gethostname(),
                 "path": self.directory}
        self._folder.write("krb5.conf", _KRB5_CONF.format(**names))
        self._folder.write("kdc.conf", _KDC_CONF.format(**names))

    def _create(self, principals):
        process.run(self._kdb5_util, "create", "-r", REALM, "-s", "-P", "master password", env=self._environment())
        services = ["ldap/" + host for host in dict.fromkeys(("localhost", socket.gethostname(), LOOPBACK))]
        commands = ["addprinc -randkey " + name for name in list(principals) + services]
        commands += ["ktadd -k %s %s" % (self.client_keytab, name) for name in principals]
        commands += ["ktadd -k %s %s" % (self.server_keytab, name) for name in services]
        self.administer(*commands)
        for keytab in (self.client_keytab, self.server_keytab):
            if not os.path.exists(keytab):
                raise TestbedError("kadmin.local did not write " + keytab)

    def _environment(self):
        return dict(os.environ, KRB5_CONFIG=self._folder.join("krb5.conf"),
                    KRB5_KDC_PROFILE=self._folder.join("kdc.conf"))

    def _start_once(self, attempt):
        if attempt > 0:
            self._choose_port()
        self._server.launch([self._krb5kdc, "-n", "-P", self._folder.join("kdc.pid")], self._environment())
        try:
            process.wait_until(self._has_started, process.START_TIMEOUT_S, "the start of krb5kdc")
        except BaseException:
            self._server.end(signal.SIGKILL)
            raise

    def _has_started(self):
        if not self._server.is_running():
            kind = PortTaken if "in use" in self.log() else TestbedError
            raise kind("krb5kdc ended at once:\n" + self.log()[-2000:])
        if "commencing operation" not in self.log():
            return False
        return True
