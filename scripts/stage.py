#!/usr/bin/env python3
"""Show a stage of a set-up in one line on standard error: the work, its progress and its duration.

usage: scripts/stage.py NAME DOING DONE EXPECTED CMD...

The command's own output is shown only if it fails. If it downloads Go modules, their size is shown.
For example:

    scripts/stage.py glimpse compiling compiled 'about a minute the first time' \\
        go build -o bin/glimpse ./cmd/glimpse

On a terminal the line is redrawn until the stage ends. Otherwise, a stage longer than a moment
prints a line when it starts and one when it ends; a shorter stage prints none.
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
TICK = 0.2  # seconds between redraws

DOWNLOADING = re.compile(r"go: downloading (\S+) (v\S+)$")
CLEAR = "\r\033[K"

current = None  # the stage that is shown


class Stage:
    """A stage, as a context manager.

    far() returns the progress, and done is what the last line says. The work may set both.
    """

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
        except OSError:  # a file that far looked at is gone
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
    """Writes a line above the stage that is shown."""
    if current:
        current.wipe()
    write(text + "\n")


def span(seconds):
    """Formats seconds: 48s, 1m05s."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def megabytes(count):
    """Formats bytes: 145 MB."""
    return f"{round(count / 1e6)} MB"


def size_of(module, version):
    """The download size of a Go module in bytes; 0 if it is not in the module cache."""
    cache = subprocess.run(["go", "env", "GOMODCACHE"], stdout=subprocess.PIPE, text=True).stdout.strip()
    escaped = [re.sub("[A-Z]", lambda m: "!" + m.group().lower(), part) for part in (module, version)]
    path = Path(cache, "cache/download", escaped[0], "@v", escaped[1] + ".zip")
    return path.stat().st_size if path.is_file() else 0


def run(stage, command):
    """Runs the command as the stage, and returns its exit code."""
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
