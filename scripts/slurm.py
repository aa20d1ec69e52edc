#!/usr/bin/env python3
"""Start a Slurm cluster of two nodes on this machine, run a command, and stop the cluster.

    scripts/slurm.py COMMAND...
    scripts/slurm.py --install COMMAND...

It must run as root, and needs Debian's packages slurm-wlm and munge, which --install installs. If
this is impossible, it says so and exits with 0: there is nothing to test. The daemons listen on
127.0.0.1 and keep everything in a temporary folder. If they die they are restarted, as by a service
manager, so tests may kill them. COMMAND gets SLURM_CONF, and GLIMPSE_TEST_SLURM: the folder with a
file NAME.pid for each daemon (slurmctld, slurmd-n1, slurmd-n2).
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
# The lifetime of a credential is also how long a requeued job waits.
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
    """Finds free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def configuration(base, host, ports, cpus):
    """The text of slurm.conf. ports are the controller's, and then one for each node."""
    lines = [CONFIGURATION.format(base=base, host=host, port=ports[0])]
    for node, port in zip(NODES, ports[1:], strict=True):
        lines.append(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=1000 State=UNKNOWN\n")
    lines.append("PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n")
    return "".join(lines)


class Daemon(threading.Thread):
    """A daemon that runs in the foreground, and is restarted when it dies."""

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
    """Why Slurm cannot run here; "" if it can."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root"
    absent = [name for name in ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol"] if not shutil.which(name, path=PATH)]
    return f"missing: {', '.join(absent)} (Debian: {' '.join(PACKAGES)}, which --install installs)" if absent else ""


class DoesNotStart(Exception):
    """A Slurm daemon did not start, as in containers that deny it what it needs."""


def wait_for(what, command, environment, wanted):
    """Waits until wanted(output of the command) is true."""
    for _ in range(300):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and wanted(done.stdout):
            return
        time.sleep(0.1)
    raise DoesNotStart(f"{what} does not start: {done.stdout}{done.stderr}")


def beside_slurm(command):
    """Runs the command while Slurm runs, and returns its exit code."""
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
        finally:  # the jobs' processes outlive the daemons
            subprocess.run(["scancel", "--user=root"], env=environment, check=False)
            for _ in range(100):
                left = subprocess.run(["squeue", "-h"], env=environment, capture_output=True, text=True, check=False)
                if not left.stdout.strip():
                    break
                time.sleep(0.1)


def install():
    """Installs Debian's packages; updates their list if needed. missing() shows if it worked."""
    command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *PACKAGES]
    for step in [command, ["apt-get", "-qq", "update"], command]:
        if not missing():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(step, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, timeout=60, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--install", action="store_true", help="install missing Debian packages, as root")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("no command")
    if options.install and missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
    why = missing()
    if why:
        print(f"slurm.py: Slurm is not tested here: {why}", file=sys.stderr)
        return 0
    try:
        return beside_slurm(options.command)
    except DoesNotStart as e:
        print(f"slurm.py: Slurm is not tested here: {e}", file=sys.stderr)
        return 0 if options.install else 1  # after --install, a Slurm that does not run is no failure


if __name__ == "__main__":
    sys.exit(main())
