# SPDX-License-Identifier: Apache-2.0
"""Two slapds, a provider and a copy that follows it, each with a log of its writes, and proxies before them for each application."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import testbed  # noqa: E402
from testbed import Authority, Slapd, TcpProxy, find_program  # noqa: E402
from testbed_proxy_ldap import LdapProxy  # noqa: E402

#: The policy's timeout: how long a decision may take.
TIMEOUT_MS = 1000
LOG_SUFFIX = "cn=accesslog"
PROVIDER, CONSUMER = 0, 1
#: The applications of the driver: the first is synchronous and speaks TLS, the second neither.
TLS, CLEAR = 0, 1

_LOG_DATABASE = """\
moduleload syncprov
moduleload accesslog
{server_id}
database mdb
suffix "%s"
rootdn "cn=root,%s"
directory {path}
maxsize 4294967296
dbnosync
index reqStart,entryCSN,reqResult,objectClass eq
limits * size=unlimited time=unlimited
overlay syncprov
syncprov-nopresent TRUE
syncprov-reloadhint TRUE
""" % (LOG_SUFFIX, LOG_SUFFIX)

# The copy follows the log of writes (delta-syncrepl): without it this slapd (2.5.13) loses deletions when one of the two was killed.
_LOG_OVERLAY = """\
overlay syncprov
syncprov-checkpoint 100 10
overlay accesslog
logdb %s
logops writes
logsuccess TRUE
""" % LOG_SUFFIX

_SYNCREPL = """\
syncrepl rid=001 provider={uri} type=refreshAndPersist retry="1 +" keepalive=1:3:1
  searchbase="{suffix}" bindmethod=simple binddn="{root_dn}" credentials="{password}"
  logbase="%s" logfilter="(&(objectClass=auditWriteObject)(reqResult=0))" syncdata=accesslog
updateref {uri}
""".replace("%s", LOG_SUFFIX)


class Rig:
    """
    slapds      [provider, consumer]
    proxies     [application][server]; those of CLEAR understand LDAP
    replication the proxy between the two slapds
    """

    def __init__(self, folder, ldif):
        self.folder = folder
        self.authority = Authority(folder.join("authority"))
        self.slapds, self.proxies = [], []
        data = folder.join("data.ldif")
        with open(data, "w", encoding="utf-8") as file:
            for text in ldif:
                file.write(text)
        self.slapds.append(self._make_slapd("provider", Path(data), "serverID 1", "").__enter__())
        self.replication = TcpProxy(self.slapds[PROVIDER].port).__enter__()
        self.first_content = self.content(PROVIDER)
        syncrepl = _SYNCREPL.format(uri=self.replication.uri, suffix=self.provider.suffix, root_dn=self.provider.root_dn,
                                    password=self.provider.root_password)
        copy = folder.write("copy.ldif", self.first_content)
        self.slapds.append(self._make_slapd("consumer", Path(copy), "", syncrepl).__enter__())
        self.proxies = [[TcpProxy(slapd.tls_port).__enter__() for slapd in self.slapds],
                        [LdapProxy(slapd.port).__enter__() for slapd in self.slapds]]

    @property
    def provider(self):
        return self.slapds[PROVIDER]

    def close(self):
        for proxy in [proxy for row in self.proxies for proxy in row]:
            proxy.close()
        if len(self.slapds) > 1:
            self.slapds[CONSUMER].close()
            self.replication.close()
        self.provider.close()

    def _make_slapd(self, name, data, server_id, more):
        folder = self.folder.make(name)
        log = self.folder.make(name, "accesslog")
        return Slapd(folder, data, authority=self.authority, debug="0", overlays=(), extra_database=more + _LOG_OVERLAY,
                     extra_global=_LOG_DATABASE.format(server_id=server_id, path=log))

    def content(self, server):
        return self._slapcat(server, self.provider.suffix)

    def write_log(self, server):
        return self._slapcat(server, LOG_SUFFIX)

    def _slapcat(self, server, suffix):
        config = os.path.join(self.slapds[server].directory, "slapd.conf")
        return subprocess.run([find_program("slapcat"), "-o", "ldif_wrap=no", "-f", config, "-b", suffix], check=True,
                              capture_output=True, text=True).stdout

    def uris(self, application):
        return " ".join(proxy.ldaps_uri if application == TLS else proxy.uri for proxy in self.proxies[application])

    def write_policy(self, path, application, **more):
        more.setdefault("tls", "ldaps" if application == TLS else "none")
        return testbed.write_policy(path, self.provider, uri=self.uris(application), timeout="%dms" % TIMEOUT_MS, **more)
