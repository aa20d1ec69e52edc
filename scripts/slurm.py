#!/usr/bin/env python3
"""Runs a command beside a Slurm of two nodes on this machine alone, and takes it down again.

    scripts/slurm.py COMMAND...
    scripts/slurm.py --install COMMAND...

It takes Debian's packages slurm-wlm and munge, which --install fetches as root, and must run as root. Where that
cannot be, it says so and ends with 0: there is nothing to test. The daemons listen on 127.0.0.1, keep everything in a temporary folder and are
started again when they die, as a service manager does, so that tests may kill them. COMMAND finds SLURM_CONF set and
GLIMPSE_TEST_SLURM, the folder that has a file NAME.pid for each daemon (slurmctld, slurmd-n1, slurmd-n2).
"""

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

NODES = ["n1", "n2"]
PACKAGES = ["slurm-wlm", "munge"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

CONFIGURATION = """\
ClusterName=glimpse
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A credential's life is also how long a job that was put back into the queue waits.
AuthInfo=socket={base}/munge.sock,cred_expire=3
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool-%n
SlurmctldPidFile={base}/slurmctld.own
SlurmdPidFile={base}/slurmd-%n.own
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobRequeue=1
KillWait=5
SlurmdTimeout=10
SlurmctldTimeout=10
SlurmdParameters=config_overrides
"""


def free_ports(count):
    """Finds ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def configuration(base, host, ports, cpus):
    """Gives slurm.conf for the nodes, whose daemons listen on the ports behind the controller's."""
    lines = [CONFIGURATION.format(base=base, host=host, port=ports[0])]
    for node, port in zip(NODES, ports[1:], strict=True):
        lines.append(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=1000 State=UNKNOWN\n")
    lines.append("PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n")
    return "".join(lines)


class Daemon(threading.Thread):
    """A daemon in the foreground, which is started again when it dies."""

    def __init__(self, base, name, command, environment):
        super().__init__(name=name, daemon=True)
        self.pid_file, self.log = base / f"{name}.pid", base / f"{name}.out"
        self.command, self.environment = command, environment
        self.ending = threading.Event()
        self.process = None
        self.lock = threading.Lock()
        self.start()

    def run(self):
        while True:
            with self.lock:
                if self.ending.is_set():
                    return
                with open(self.log, "ab") as log:
                    self.process = subprocess.Popen(
                        self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
                self.pid_file.write_text(f"{self.process.pid}\n")
            self.process.wait()
            if self.ending.wait(1):
                return

    def end(self):
        with self.lock:
            self.ending.set()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def missing():
    """Says what keeps Slurm from running here, or gives ""."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root"
    absent = [name for name in ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol"] if not shutil.which(name, path=PATH)]
    return f"there is no {', '.join(absent)} (Debian: {' '.join(PACKAGES)}, which --install fetches)" if absent else ""


class DoesNotStart(Exception):
    """A daemon of Slurm that does not come up, as in containers that keep from it what it needs."""


def wait_for(what, command, environment, wanted):
    """Waits until a command prints what is wanted."""
    for _ in range(300):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and wanted(done.stdout):
            return
        time.sleep(0.1)
    raise DoesNotStart(f"{what} does not come up: {done.stdout}{done.stderr}")


def beside_slurm(command):
    """Runs the command beside Slurm and gives its exit code."""
    with contextlib.ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="glimpse-slurm-", ignore_cleanup_errors=True)))
        base.chmod(0o755)
        for name in ["state"] + [f"spool-{node}" for node in NODES]:
            (base / name).mkdir()
        (base / "munge.key").write_bytes(os.urandom(1024))
        (base / "munge.key").chmod(0o400)
        configured = base / "slurm.conf"
        configured.write_text(configuration(base, socket.gethostname().split(".")[0], free_ports(1 + len(NODES)), max(2, os.cpu_count() or 2)))
        environment = dict(os.environ, PATH=PATH, SLURM_CONF=str(configured), GLIMPSE_TEST_SLURM=str(base))

        def start(name, *arguments):
            stack.callback(Daemon(base, name, arguments, environment).end)

        start("munged", "munged", "-F", f"--socket={base}/munge.sock", f"--key-file={base}/munge.key", f"--pid-file={base}/munged.own",
              f"--log-file={base}/munged.log", f"--seed-file={base}/munge.seed", "--num-threads=2")
        wait_for("munged", ["munge", "-n", "-S", f"{base}/munge.sock"], environment, bool)
        start("slurmctld", "slurmctld", "-D", "-i")
        wait_for("slurmctld", ["scontrol", "ping"], environment, lambda said: "is UP" in said)
        for node in NODES:
            start(f"slurmd-{node}", "slurmd", "-D", "-N", node)
        wait_for("a node", ["sinfo", "-h", "-N", "-o", "%t"], environment, lambda said: said.split() == ["idle"] * len(NODES))
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        finally:  # their processes outlive the daemons
            subprocess.run(["scancel", "--user=root"], env=environment, check=False)
            for _ in range(100):
                left = subprocess.run(["squeue", "-h"], env=environment, capture_output=True, text=True, check=False)
                if not left.stdout.strip():
                    break
                time.sleep(0.1)


def install():
    """Fetches Debian's packages, with a list that is brought up to date where that is needed. Whether that worked, missing tells."""
    command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *PACKAGES]
    for step in [command, ["apt-get", "-qq", "update"], command]:
        if not missing():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(step, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, timeout=60, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--install", action="store_true", help="fetch Debian's packages where they are missing, as root")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("no command")
    if options.install and missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
    why = missing()
    if why:
        print(f"slurm.py: no Slurm is tested here: {why}", file=sys.stderr)
        return 0
    try:
        return beside_slurm(options.command)
    except DoesNotStart as e:
        print(f"slurm.py: no Slurm is tested here: {e}", file=sys.stderr)
        return 0 if options.install else 1  # where it had to be fetched first, nobody promised that it runs


if __name__ == "__main__":
    sys.exit(main())
