#!/usr/bin/env python3
"""Shows the stages of a set-up on standard error, a line each: what is done, how far it is, and how long it took.

usage: scripts/stage.py NAME DOING DONE EXPECTED CMD...

The command's own output is shown only if it fails. For Go modules that it downloads, it shows the size. For example:

    scripts/stage.py glimpse compiling compiled 'about a minute the first time' go build -o bin/glimpse ./cmd/glimpse

On a terminal the line is drawn anew while the stage lasts. Elsewhere a stage of more than a moment has a line when it begins and
one when it ends. A shorter one has none.
"""

import functools
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

MOMENT = 1.0  # seconds
TICK = 0.2  # seconds between two drawings of a line

DOWNLOADING = re.compile(r"go: downloading (\S+) (v\S+)$")
CLEAR = "\r\033[K"

current = None  # the stage that is being shown


class Stage:
    """A stage, as a context. `far` is called for how far it is, and `done` says what it did; whoever does the work may set both."""

    def __init__(self, name, doing, done, expected=""):
        self.name, self.doing, self.done, self.expected, self.far = name, doing, done, expected, str
        self.terminal = sys.stderr.isatty()
        self.ended = threading.Event()

    def __enter__(self):
        global current
        current, self.begun = self, time.monotonic()
        self.drawer = threading.Thread(target=self.draw, daemon=True)
        self.drawer.start()
        return self

    def __exit__(self, failure, *_):
        global current
        self.ended.set()
        self.drawer.join()
        current = None
        self.wipe()
        seconds = time.monotonic() - self.begun
        if failure is None and seconds >= MOMENT:
            write(f"{self.name}: {self.done} in {span(seconds)}\n")

    def wipe(self):
        if self.terminal:
            write(CLEAR)

    def how_far(self):
        try:
            return self.far()
        except OSError:  # a file that it looked at has gone
            return ""

    def draw(self):
        told = False
        while not self.ended.wait(TICK):
            seconds = time.monotonic() - self.begun
            expected = f" ({self.expected})" if self.expected else ""
            if self.terminal:
                line = f"{self.name}: {', '.join(filter(None, [self.doing, self.how_far(), span(seconds)]))}{expected}"
                write(CLEAR + line[: shutil.get_terminal_size().columns - 1])
            elif seconds >= MOMENT and not told:
                told = True
                write(f"{self.name}: {self.doing}{expected}\n")


def write(text):
    sys.stderr.write(text)
    sys.stderr.flush()


def say(text):
    """Writes a line above that of the stage that is being shown."""
    if current:
        current.wipe()
    write(text + "\n")


def span(seconds):
    """Seconds for people: 48s, 1m05s."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def megabytes(count):
    """Bytes for people: 145 MB."""
    return f"{round(count / 1e6)} MB"


def size_of(module, version):
    """The bytes of a Go module as they were downloaded; 0 if they are not where Go keeps them."""
    cache = subprocess.run(["go", "env", "GOMODCACHE"], stdout=subprocess.PIPE, text=True).stdout.strip()
    escaped = [re.sub("[A-Z]", lambda m: "!" + m.group().lower(), part) for part in (module, version)]
    path = Path(cache, "cache/download", escaped[0], "@v", escaped[1] + ".zip")
    return path.stat().st_size if path.is_file() else 0


def run(stage, command):
    """Runs the command in the stage and gives its exit code."""
    lines, modules = [], []
    with stage:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        for line in process.stdout:
            lines.append(line)
            module = DOWNLOADING.match(line)
            if module:
                modules.append(module.groups())
                stage.far = functools.partial(module.group, 1)
        code = process.wait()
        if modules:
            stage.done += " " + megabytes(sum(size_of(*m) for m in modules))
        if code:
            stage.wipe()
            write("".join(lines))
            stage.done = "failed"
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    try:
        sys.exit(run(Stage(*sys.argv[1:5]), sys.argv[5:]))
    except FileNotFoundError:
        sys.exit(f"bootstrap: {sys.argv[5]}: command not found")
    except KeyboardInterrupt:
        sys.exit(130)
