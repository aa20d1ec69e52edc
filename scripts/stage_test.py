"""Tests of stage.py with small commands, in a pipe and on a pseudo-terminal."""

import os
import pty
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import stage

STAGE = Path(stage.__file__)


def shown(*command):
    """Runs the command as a stage, in a pipe; returns the exit code and standard error."""
    arguments = [sys.executable, "-B", STAGE, "tool", "working", "worked", "a second or two", *command]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


class StageTest(unittest.TestCase):
    def test_a_moment_is_not_worth_a_line(self):
        self.assertEqual(shown("sh", "-c", "echo noise; echo noise >&2"), (0, ""))

    def test_begins_and_ends_with_a_line(self):
        code, said = shown("sh", "-c", f"echo noise; sleep {stage.MOMENT + 1}")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"^tool: working \(a second or two\)\ntool: worked in [23]s\n$")

    def test_failure_shows_the_output(self):
        self.assertEqual(shown("sh", "-c", "echo broken >&2; exit 3"), (3, "broken\n"))
        self.assertEqual(shown("sh", "-c", "kill -9 $$")[0], 137)
        self.assertEqual(shown("/no/such"), (1, "bootstrap: /no/such: command not found\n"))

    def test_modules_are_weighed(self):
        with tempfile.TemporaryDirectory() as cache:
            path = Path(cache, "cache/download/example.org/!big/thing/@v/v1.2.3.zip")
            path.parent.mkdir(parents=True)
            path.write_bytes(bytes(3_400_000))
            with mock.patch.dict(os.environ, {"GOMODCACHE": cache}):
                code, said = shown("sh", "-c", f"echo 'go: downloading example.org/Big/thing v1.2.3'; sleep {stage.MOMENT + 1}")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"\ntool: worked 3 MB in [23]s\n$")

    def test_a_terminal_has_one_line(self):
        process, terminal = pty.fork()
        if process == 0:
            os.execv(sys.executable, [sys.executable, "-B", STAGE, "tool", "working", "worked", "soon", "sleep", str(stage.MOMENT + 0.5)])
        said = b""
        while True:
            try:
                chunk = os.read(terminal, 1024)
            except OSError:  # Linux's way of saying that the other end is closed
                break
            if not chunk:
                break
            said += chunk
        os.waitpid(process, 0)
        lines = said.decode().split(stage.CLEAR)
        self.assertRegex(lines[1], r"^tool: working, 0s \(soon\)$")
        self.assertRegex(lines[-1], r"^tool: worked in [12]s\r\n$")
        self.assertNotIn("\n", "".join(lines[:-1]))

    def test_spans(self):
        self.assertEqual([stage.span(s) for s in (0, 59.4, 59.6, 605)], ["0s", "59s", "1m00s", "10m05s"])


if __name__ == "__main__":
    unittest.main()
