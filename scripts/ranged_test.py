"""Tests of ranged.py with a local server as the index, with and without ranges."""

import base64
import contextlib
import hashlib
import http.server
import io
import os
import re
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import fetch
import ranged
import stage

NOISE = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(1 << 12))  # 128 KB that does not compress
MEMBERS = {
    "torch/lib/libtorch_cuda.so": NOISE * 3,  # not wanted
    "torch/include/a.h": b"#pragma once\n" * 40,
    "torch/include/b.h": b"// b\n",
    "torch/lib/libtorch_cpu.so": NOISE[: 1 << 16],
    "torch/nn/functional.py": b"not wanted",
    "torch/version.py": NOISE * 2,  # not wanted
    "torch/lib/libc10.so": b"c10" * 1000,
}
WANTED = [n for n in MEMBERS if fetch.keep("libtorch-cpu", n)]


def make_wheel(members=MEMBERS, compression=zipfile.ZIP_DEFLATED):
    """Makes a wheel; returns it and the SHA-256 of its RECORD."""
    hashes = {n: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode() for n, data in MEMBERS.items()}
    record = "".join(f"{n},sha256={h},{len(MEMBERS[n])}\r\n" for n, h in hashes.items()) + "torch-2.15.0.dist-info/RECORD,,\r\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("torch/lib/", b"")
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("torch-2.15.0.dist-info/RECORD", record)
    return file.getvalue(), hashlib.sha256(record.encode()).hexdigest()


class Index(http.server.BaseHTTPRequestHandler):
    """Serves /simple/torch/ and the wheel, as configured on its server."""

    def do_GET(self):
        server = self.server
        if server.password and self.headers.get("Authorization") != server.password:
            return self.answer(401, b"")
        if self.path == "/simple/torch/":
            link = f'<a href="../../files/torch.whl#sha256={server.sha256}">torch</a>'
            return self.answer(200, b'<a href="../../files/old.whl#sha256=00">old</a>' + link.encode())
        asked = re.match(r"bytes=(\d*)-(\d*)$", self.headers.get("Range", ""))
        if self.path != "/files/torch.whl" or not asked:
            return self.answer(404, b"")
        server.asked += 1
        wheel, (first, last) = server.wheel, asked.groups()
        begin = int(first) if first else max(0, len(wheel) - int(last))
        end = int(last) + 1 if first else len(wheel)
        if not server.ranges:
            return self.answer(200, wheel)
        body, place = wheel[begin:end], f"bytes {begin}-{end - 1}/{len(wheel)}"
        if server.cut and len(body) > server.cut:
            self.answer(206, body, {"Content-Range": place}, body[: server.cut])
        else:
            self.answer(206, body, {"Content-Range": place})

    def answer(self, status, body, headers=None, sent=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has left
            self.wfile.write(body if sent is None else sent)

    def log_message(self, *_):
        pass


class RangedTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name) / "parts"
        proxies = mock.patch.dict(os.environ, {"no_proxy": "*", "GLIMPSE_CACHE": str(Path(temporary.name) / "cache")})
        proxies.start()
        self.addCleanup(proxies.stop)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
        self.server.daemon_threads = True
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.server.password, self.server.ranges, self.server.cut, self.server.asked = None, True, 0, 0
        self.serve(*make_wheel())
        small = mock.patch.multiple(ranged, TAIL=1 << 11, GAP=1 << 11)  # as these wheels are
        small.start()
        self.addCleanup(small.stop)

    def serve(self, wheel, record):
        self.server.wheel, self.server.sha256 = wheel, hashlib.sha256(wheel).hexdigest()
        self.wheel = {"package": "torch", "version": "2.15.0", "platform": "any", "sha256": self.server.sha256, "record": record}

    def fetch(self, user=""):
        settings = {"index-url": f"http://{user}127.0.0.1:{self.server.server_port}/simple/"}
        counts = []
        ranged.fetch(self.wheel, lambda name: fetch.keep("libtorch-cpu", name), self.directory, counts.append, settings)
        return sum(counts)

    def assert_whole(self):
        found = {p.relative_to(self.directory).as_posix(): p.read_bytes() for p in self.directory.rglob("*") if p.is_file()}
        self.assertEqual(found, {name: MEMBERS[name] for name in WANTED})

    def refused(self, why):
        with self.assertRaisesRegex(ranged.Odd, why):
            self.fetch()

    def test_fetches_what_is_wanted(self):
        received = self.fetch()
        self.assert_whole()
        self.assertLess(received, (1 << 16) + (1 << 14))
        self.assertEqual(self.server.asked, 4)  # the end, RECORD, a run of three members and one alone

    def test_members_that_are_stored(self):
        self.serve(*make_wheel(compression=zipfile.ZIP_STORED))
        self.fetch()
        self.assert_whole()

    def test_what_is_there_is_not_fetched_again(self):
        first = self.fetch()
        (self.directory / "torch/lib/libc10.so").write_bytes(b"damaged")
        (self.directory / "torch/lib/libtorch_cpu.so.part").write_bytes(b"of a run that was killed")
        second = self.fetch()
        self.assert_whole()
        self.assertLess(second, first - (1 << 16))

    def test_connection_that_breaks_goes_on_where_it_broke(self):
        self.server.cut = 1 << 14
        received = self.fetch()
        self.assert_whole()
        self.assertLess(received, (1 << 16) + (1 << 14))

    def test_connection_that_gives_nothing(self):
        self.server.cut = -1
        self.refused("while downloading|broke 5 times")

    def test_server_without_ranges(self):
        self.server.ranges = False
        self.refused("does not support ranges")

    def test_another_record(self):
        self.wheel["record"] = "0" * 64
        self.refused("RECORD does not have the pinned hash")

    def test_damaged_members(self):
        for name in WANTED:
            with self.subTest(name):
                self.serve(*make_wheel(dict(MEMBERS, **{name: MEMBERS[name][:-1] + b"?"})))
                self.refused(f"member {name} is damaged")
                self.assertFalse((self.directory / name).exists())

    def test_bytes_damaged_on_the_way(self):
        wheel = self.server.wheel
        at = wheel.index(NOISE[:64], 3 << 17) + (1 << 15)
        self.server.wheel = wheel[:at] + bytes([wheel[at] ^ 1]) + wheel[at + 1 :]
        self.refused("libtorch_cpu.so is damaged")

    def test_not_a_zip(self):
        self.server.wheel = bytes(1 << 14)
        self.refused("BadZipFile while downloading")

    def test_wheel_that_the_index_does_not_have(self):
        self.wheel["sha256"] = "1" * 64
        self.refused("does not list it")

    def test_no_server(self):
        with mock.patch.object(self.server, "server_port", 1):
            self.refused("URLError while downloading")

    def test_password_of_the_index(self):
        self.server.password = "Basic " + base64.b64encode(b"me:s3cret").decode()
        self.refused("HTTPError while downloading")
        self.fetch("me:s3cret@")
        self.assert_whole()
        self.server.ranges = False
        with self.assertRaises(ranged.Odd) as caught:
            self.fetch("me:s3cret@")
        self.assertNotIn("s3cret", repr(caught.exception))

    def test_settings_of_pip(self):
        text = "global.cert='/g.pem'\n:env:.index-url='http://e/'\nglobal.index-url='http://g/'\ninstall.proxy='p'\n"
        with mock.patch.object(ranged.subprocess, "run", return_value=mock.Mock(stdout=text)):
            self.assertEqual(ranged.pip_settings(), {"cert": "/g.pem", "index-url": "http://e/"})

    def install(self, download):
        """Runs fetch.install for the wheel, by ranges as fetch() does."""
        settings = {"index-url": f"http://127.0.0.1:{self.server.server_port}/simple"}
        ranges = lambda wheel, wanted, parts, seen: ranged.fetch(wheel, wanted, parts, seen, settings)  # noqa: E731
        with contextlib.redirect_stderr(io.StringIO()) as said, mock.patch.object(stage, "MOMENT", 0):
            found = fetch.install("libtorch-cpu", {"disk_mb": 1, "wheels": [self.wheel]}, download, ranges)
        self.assertEqual(list((fetch.cache_dir() / "downloads").iterdir()), [])
        return found, said.getvalue()

    def test_install_by_ranges_and_whole_give_the_same(self):
        def never(*_):
            raise AssertionError("the whole wheel was downloaded")

        def whole(_, into):
            (into / "torch.whl").write_bytes(self.server.wheel)

        def files(directory):
            return {p.relative_to(directory): p.read_bytes() for p in directory.rglob("*") if p.is_file()}

        directory, said = self.install(never)
        self.assertRegex(said, "(?m)^libtorch-cpu 2.15.0: downloaded [0-9]+ MB in ")
        by_ranges = files(directory)
        (directory / "torch/lib/libc10.so").unlink()
        self.server.ranges = False
        directory, said = self.install(whole)
        self.assertIn("does not support ranges; downloading all of it", said)
        self.assertEqual(files(directory), by_ranges)
        self.assertEqual(len(by_ranges), len(WANTED) + 1)


if __name__ == "__main__":
    unittest.main()
