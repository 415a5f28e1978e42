# SPDX-License-Identifier: Apache-2.0
"""
A network of the test's own, for servers whose ports cannot be chosen (a domain controller's are fixed).

enter() moves this process, and whatever it starts from then on, into new network and mount namespaces: a loopback
that nobody else sees, with addresses to give away, and an /etc/hosts and /etc/resolv.conf that are the test's. Works as
root, and as an ordinary user where the kernel lets users make namespaces; elsewhere the test is skipped. The namespaces
end with the last process in them: there is nothing to clean up.
"""
import atexit
import ctypes
import os
import threading

import testbed_process as process
from testbed_process import Folder

# <linux/sched.h>
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

_network = None


def enter():
    """The private network of this process; made by the first call. Call it before a thread is started."""
    global _network
    if _network is None:
        _network = Network()
    return _network


class Network:
    """Made by enter()."""

    def __init__(self):
        self._ip, self._mount = process.need("ip", "mount")
        if threading.active_count() > 1:
            raise process.TestbedError("testbed_network.enter() comes too late: this process has threads already")
        self._unshare()
        self._folder = Folder(prefix="wsmauthz-network-")
        self._owner = os.getpid()
        atexit.register(self._close)
        self._hosts = self._folder.write("hosts", "127.0.0.1 localhost\n")
        self._resolvers = self._folder.write("resolv.conf", "")
        process.run(self._mount, "--make-rprivate", "/")
        process.run(self._mount, "--bind", self._hosts, "/etc/hosts")
        process.run(self._mount, "--bind", self._resolvers, "/etc/resolv.conf")
        process.run(self._ip, "link", "set", "lo", "up")
        # Programs that have an opinion about where their sockets belong; theirs are the test's as well.
        for path in ("/run/samba", "/var/lib/samba", "/var/cache/samba"):
            if os.path.isdir(path):
                process.run(self._mount, "-t", "tmpfs", "tmpfs", path)

    def add_address(self, address, *names):
        """Give the loopback one more address, and the address names (in /etc/hosts). More than once does no harm."""
        have = process.run(self._ip, "-o", "addr", "show", "dev", "lo").stdout
        if " %s/" % address not in have:
            process.run(self._ip, "addr", "add", address + "/32", "dev", "lo")
        line = "%s %s\n" % (address, " ".join(names))
        with open(self._hosts, "r+", encoding="ascii") as file:
            if names and line not in file.read():
                file.write(line)

    def set_resolvers(self, addresses, search):
        """What /etc/resolv.conf says."""
        lines = ["nameserver " + address for address in addresses]
        lines += ["search " + search, "options timeout:1 attempts:1"]
        with open(self._resolvers, "w", encoding="ascii") as file:  # in place: the mount shows this very file
            file.write("\n".join(lines) + "\n")

    @staticmethod
    def _unshare():
        uid, gid = os.geteuid(), os.getegid()
        flags = _CLONE_NEWNET | _CLONE_NEWNS | (0 if uid == 0 else _CLONE_NEWUSER)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(flags) != 0:
            process.skip("this system gives no namespaces: " + os.strerror(ctypes.get_errno()))
        if flags & _CLONE_NEWUSER:
            try:
                for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid), ("gid_map", "0 %d 1" % gid)):
                    with open("/proc/self/" + name, "w", encoding="ascii") as file:
                        file.write(text)
            except OSError as error:
                process.skip("this system gives ordinary users no namespaces: %s" % error)

    def _close(self):
        if os.getpid() == self._owner:
            self._folder.remove()
