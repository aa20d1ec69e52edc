"""Reduce gotch to the functions that internal/torch calls, and write a go.work for the result.

gotch binds some 2,500 functions, of which glimpse calls about 60. All of them take most of a build's
time and 2.6 GB of memory, and some are rejected by libtorch after 2.1. A new call in internal/torch
is found in gotch's sources by itself. These are in Go's module cache, and are never changed.

stand_in(module, link) returns the path for GOWORK. The reduced copy is kept in the user's cache,
under a name with the hash of everything that it was made from.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import fetch
import stage

MODULE = "github.com/sugarme/gotch"

# The headers that the called functions need; gotch includes all of libtorch's. If the compiler
# rejects a function that needs another header, add it here.
HEADERS = ("torch/types.h", "torch/csrc/autograd/grad_mode.h", "torch/cuda.h", "cstring", "stdexcept", "vector")

GO_FUNCTION = re.compile(r"^func (\w+)\([^\n]*\{", re.M)
CXX_FUNCTION = re.compile(r"^(?:template\s*<[^\n]*>\s*)?[A-Za-z_][\w:<>,*&\s]*?[\s*&](\w+)\([^;{}]*\)\s*\{", re.M)
GO_TYPE = re.compile(r"^type (\w+) = C\.(\w+)$", re.M)
C_TYPE = re.compile(r"^typedef (.+?\*)(\w+);$", re.M)
PROTECT = re.compile(r"^#define PROTECT\(x\)(?:.*\\\n)*.*\n", re.M)
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|[{}]', re.S)


def functions(text, pattern):
    """The functions that are defined at the start of a line: {name: text}, in order."""
    found = {}
    for match in pattern.finditer(text):
        depth = 1
        for token in TOKEN.finditer(text, match.end()):
            depth += {"{": 1, "}": -1}.get(token.group(), 0)
            if depth == 0:
                found[match.group(1)] = text[match.start() : token.end()]
                break
    return found


def called(names, text):
    """The names that the text calls."""
    return [name for name in re.findall(r"\b(\w+)\(", text) if name in names]


def closure(names, known):
    """The names and all known functions that they call, in the order of known."""
    reached, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            body = known[name]
            waiting += called(known, body[body.index("{") :])
    return [name for name in known if name in reached]


def uses(directory):
    """Where a folder's Go files first use each name of package libtch: {name: "file:line"}."""
    found = {}
    for path in sorted(directory.glob("*.go")):
        text = path.read_text()
        imported = re.search(r'^\s*(?:import\s+)?(\w+)?\s*"%s/libtch"$' % re.escape(MODULE), text, re.M)
        if not imported:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for name in re.findall(r"\b%s\.([A-Z]\w*)" % (imported.group(1) or "libtch"), line.split("//")[0]):
                found.setdefault(name, f"{path.name}:{number}")
    return found


def cut(source, names, link):
    """The three files of the reduced package: {file: text}.

    source is gotch's folder libtch, names are the used names with their places, and link are the
    linker's flags for libtorch.
    """
    read = lambda name: (source / name).read_text()  # noqa: E731
    header, go, types = read("torch_api.h"), {}, {}
    for path in sorted(source.glob("*.go")):
        text = path.read_text()
        go.update(functions(text, GO_FUNCTION))
        types.update(GO_TYPE.findall(text))
    cxx = functions(read("torch_api.cpp"), CXX_FUNCTION)
    cxx.update(functions(read("torch_api_generated.cpp.h"), CXX_FUNCTION))
    for name, place in names.items():
        if name not in go and name not in types:
            raise fetch.Failure(f"internal/torch/{place}: gotch has no {name}")

    bodies = "\n\n".join(go[name] for name in closure([n for n in names if n in go], go))
    doors = [name for name in dict.fromkeys(re.findall(r"\bC\.(\w+)", bodies)) if name in cxx]
    definitions = "\n\n".join(cxx[name] for name in closure(doors, cxx))
    prototypes = "\n".join(cxx[name].split("{", 1)[0].strip() + ";" for name in doors)
    named = {name: c for name, c in types.items() if re.search(r"\b%s\b" % name, bodies) or name in names}
    wanted = set(named.values()) | {name for _, name in C_TYPE.findall(header) if re.search(r"\b%s\b" % name, prototypes)}
    typedefs = [(kind, name) for kind, name in C_TYPE.findall(header) if name in wanted]
    protect = PROTECT.search(header)
    if not (bodies and definitions and protect and typedefs):
        raise fetch.Failure(f"{source} does not look like gotch's package libtch")

    lines = lambda rows: "\n".join(rows)  # noqa: E731
    return {
        "libtch.go": lines([
            "// Package libtch is gotch's, cut to what glimpse calls by scripts/gotch.py.",
            "package libtch", "",
            "// #cgo CXXFLAGS: -O1 -w",
            "// #cgo LDFLAGS: " + " ".join([*link, "-ltorch_cpu", "-lc10"]),
            "// #include <stdlib.h>",
            '// #include "torch_api.h"',
            'import "C"', "",
            *(['import "unsafe"', ""] if "unsafe." in bodies else []),
            *(f"type {name} = C.{c}" for name, c in named.items()), "",
            bodies, "",
        ]),
        "torch_api.h": lines([
            "#pragma once", "#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>",
            "#ifdef __cplusplus",
            *(f"#include <{name}>" for name in HEADERS),
            "using namespace std;", 'extern "C" {',
            *(f"typedef {kind}{name};" for kind, name in typedefs if not kind.startswith("void")),
            "#else",
            *(f"typedef {kind}{name};" for kind, name in typedefs if kind.startswith("void")),
            "#endif",
            prototypes,
            "#ifdef __cplusplus", "}", "#endif", "",
        ]),
        "torch_api.cpp": lines([
            '#include "torch_api.h"',
            "thread_local char *torch_last_err = nullptr;",
            protect.group(), definitions, "",
        ]),
    }  # fmt: skip


def version_and_sum(module):
    """gotch's version in go.mod, and the hash of its content in go.sum."""
    required = re.search(r"^\s*(?:require\s+)?%s (v\S+)" % re.escape(MODULE), (module / "go.mod").read_text(), re.M)
    version = required.group(1) if required else ""
    content = re.search(r"^%s %s (h1:\S+)$" % (re.escape(MODULE), re.escape(version)), (module / "go.sum").read_text(), re.M)
    if not (required and content):
        raise fetch.Failure(f"{module}: go.mod and go.sum have no version of {MODULE}")
    return version, content.group(1)


def download(module, version):
    """gotch's folder in Go's module cache, downloaded if missing; go verifies it with go.sum."""
    command = ["go", "mod", "download", "-json", f"{MODULE}@{version}"]
    env = dict(os.environ, GOWORK="off")
    with stage.Stage(f"gotch {version}", "downloading", "downloaded", "59 MB") as shown:
        done = subprocess.run(command, cwd=module, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            answer = json.loads(done.stdout)
            shown.done += " " + stage.megabytes(Path(answer["Zip"]).stat().st_size)
        except (ValueError, KeyError, OSError):
            answer = {}
    if done.returncode or "Dir" not in answer:
        raise fetch.Failure(f"{' '.join(command)} failed: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["Dir"])


def make(module, link, source=None):
    """The folder of the reduced gotch, made if it is missing."""
    names = uses(module / "internal/torch")
    version, content = version_and_sum(module)
    made_of = [Path(__file__).read_text(), sorted(names), version, content, link]
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    cache = fetch.cache_dir()
    final = cache / f"gotch-{version[1:]}-{digest[:12]}"
    if final.exists():
        return final
    source = source or download(module, version)
    with fetch.lock(cache / "bootstrap.lock"):
        if final.exists():
            return final
        staging = Path(tempfile.mkdtemp(prefix="unpack-", dir=cache))
        staging.chmod(0o755)
        (staging / "libtch").mkdir()
        for name, text in cut(source / "libtch", names, link).items():
            (staging / "libtch" / name).write_text(text)
        shutil.copyfile(source / "go.mod", staging / "go.mod")
        staging.rename(final)
    return final


def stand_in(module, link, source=None):
    """The path of a go.work that replaces gotch with the reduced copy, for the given module.

    link are the linker's flags for libtorch; source is gotch's folder, if known.
    """
    gotch = make(module, link, source)
    language = re.search(r"^go \S+$", (module / "go.mod").read_text(), re.M).group()
    text = f"{language}\n\nuse {module}\n\nreplace {MODULE} => {gotch}\n"
    work = gotch / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.work"
    if not work.exists():
        part = work.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(work)
    return work
