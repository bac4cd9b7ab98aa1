#!/usr/bin/env python3
"""Lint of the house: floors, lengths, banned words, dead files, fresh generated documents.

    tools/tidy.py                    everything that is quick (the table below is the architecture)
    tools/tidy.py --headers [BUILD]  compile headers alone as well, with the flags of that build directory
    tools/tidy.py --sizes            print the spread of file sizes

Prints one line per finding, `file:line: sentence`, and exits 1 when there is one.
"""

import argparse
import ast
import bisect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 110

# ---- the floor table --------------------------------------------------------------------------------
# folder: (floor, folders of the same floor that it may include). A folder includes any lower floor of its
# column (`common/` is elided and open to both columns; coord/ and broker/ never meet), as FLOOR_SEES allows.
FLOORS = {
    "base": (0, []),
    "bytes": (0, ["base"]),
    "conf": (0, ["base", "bytes"]),
    "metrics": (0, ["base"]),
    "logging": (0, ["base"]),
    "net": (1, []),
    "fs": (1, []),
    "jute": (2, []),
    "zksession": (2, ["jute"]),
    "coord/records": (2, ["jute"]),
    "broker/protocol": (2, []),
    "broker/record": (2, ["broker/protocol"]),
    "broker/zk": (2, ["jute"]),
    "coord/quorum": (3, []),
    "coord/tree": (3, []),
    "coord/session": (3, []),
    "coord/auth": (3, ["coord/tree"]),
    "coord/storage": (3, ["coord/tree", "coord/session"]),
    "broker/config": (3, []),
    "broker/log": (3, []),
    "coord/election": (4, []),
    "coord/zab": (4, []),
    "coord/pipeline": (4, []),
    "coord/peer": (4, ["coord/election", "coord/zab", "coord/pipeline"]),
    "broker/replica": (4, []),
    "broker/controller": (4, []),
    "broker/group": (4, []),
    "zkclient": (5, []),
    "coord/shell": (5, []),
    "broker/api": (5, ["zkclient"]),
    "broker/shell": (5, ["zkclient", "broker/api"]),
    "coord/server": (6, []),
    "broker/server": (6, []),
    "coord": (7, []),
    "broker": (7, []),
    "tools": (7, []),
}

# Which platform folders a floor may look at: cores (4) see neither files nor the network.
FLOOR_SEES = {0: (), 1: (), 2: (), 3: ("fs",), 4: (), 5: ("fs", "net"), 6: ("fs", "net"), 7: ("fs", "net")}

# Folders of floor 3 that keep state in memory only and so do not see `fs` either.
MEMORY_ONLY = ("coord/quorum", "coord/tree", "coord/session", "coord/auth")

# ---- system headers that only some folders may include ----------------------------------------------
SHELLS = ("net", "zkclient", "coord/shell", "broker/shell", "broker/api", "coord/server", "broker/server",
          "coord", "broker", "tools")
HEADER_RULES = [
    # (pattern, folders or files where it is at home, what to do instead)
    (r"boost/(asio|beast)|^asio", SHELLS, "Asio belongs to net and the shells"),
    (r"^openssl/", SHELLS + ("coord/auth", "base"), "OpenSSL belongs to net, the shells and coord/auth"),
    (r"^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|pthread\.h)$",
     SHELLS + ("logging", "metrics", "fs"), "threads and locks belong to the shells: post a value instead"),
    (r"^(fstream|filesystem|fcntl\.h|dirent\.h|sys/(file|mman|stat|statvfs|uio|sendfile|ioctl)\.h)$",
     SHELLS + ("fs", "logging"), "files are reached through fs/disk.h"),
    (r"^(sys/(socket|epoll|eventfd|timerfd)\.h|netdb\.h|poll\.h)$", SHELLS,
     "sockets belong to net and the shells"),
    (r"^(ctime|time\.h|sys/time\.h)$", SHELLS + ("base", "logging"),
     "time comes in as an argument (base/clock.h)"),
]

# ---- words ------------------------------------------------------------------------------------------
# (pattern over code without comments and strings, files where it is allowed, what to write instead)
BYTE = r"(std::)?(u?int8_t|char|byte|unsigned char)\b"
WORD_RULES = [
    (r"std::chrono::\w+_clock::now", r"^common/base/clock\.|^tests/",
     "take the time as an argument, or base/clock.h"),
    (r"\b(clock_gettime|gettimeofday)\s*\(", r"^common/base/clock\.|^tests/bench/", "base/clock.h"),
    (r"(?<![\w.>])s?rand\s*\(|std::random_device|std::mt19937", r"^common/base/random\.",
     "base/random.h, seeded by its owner"),
    (r"\b(secure_)?getenv\s*\(", r"(^|/)main\.cc$", "read the environment in main and hand the value down"),
    (r"(?<!\w)assert\s*\(", r"^$", "ENSURE (base/check.h): it stays on in release"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.])sleep\s*\(", r"^$",
     "wait for a condition with a deadline"),
    (r"\bv?sprintf\s*\(|\bstr(cpy|cat|tok)\s*\(", r"^$", "fmt::format and std::string_view"),
    (r"\bato[ilf]\s*\(|std::sto(i|l|ul|ll|ull|d)\s*\(", r"^$",
     "std::from_chars: it reports what is malformed"),
    (r"\bthrow\b(?!\s*\(\s*\))", r"^tools/|^tests/", "Result<T>: no exception crosses a module"),
    (r"std::c(out|err)\b|(?<![\w:])printf\s*\(",
     r"^tools/|^tests/|main\.cc$|^common/logging/|^common/base/check", "logging/"),
    (r"^\s*static (?!const|inline const|_assert)(?:std::|\w)[^()=;{]*(=|;|\{)", r"^tests/bench/",
     "no mutable statics: give the object an owner"),
    (rf"\breinterpret_cast<(?!(const )?({BYTE}|(struct )?(::)?sockaddr|(std::)?u?intptr_t))",
     r"^common/(net|base|fs|bytes)/|^tools/|^tests/|/shell/",
     "std::memcpy, std::bit_cast or a bytes/ cursor"),
]

# (pattern over the whole text of any tracked text file, files where it is allowed, the complaint)
TEXT_RULES = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", r"^tools/tidy\.py$|^docs/STYLE\.md$",
     "finish it, or say in docs what is not there"),
    (r"(?<![\w.])/(work|root|Users)/[\w.]|(?<![\w.])/home/(?!you\b|user\b)\w", r"^tools/tidy\.py$",
     "path of one developer's machine"),
    (r"\b(pypi|pythonhosted|npmjs|crates)\.(org|io|com)\b|\bmaven\.(org|apache)\b"
     r"|\bdeb\.debian\b|\bsonatype\b|\bproxy\.golang\b", r"^tools/tidy\.py$",
     "names the host of a package registry: leave that to the client's settings"),
    (r"[ \t]+$", r"\.md$|^tests/golden/|\.txt$", "trailing blanks"),
]
PYTHON_WORD_RULES = [
    (r"\btime\.sleep\s*\(", r"^tests/support/wait\.py$",
     "support.wait.until(condition), or wait.pause(seconds, why)"),
    (r"\bpkill\b|\bkillall\b", r"^tools/tidy\.py$", "stop a process by its pid"),
]

# (binary below a build directory, argument, document that must equal its output)
GENERATED = [
    ("coord/tandem-coord", "--describe-config", "docs/config-coord.md"),
    ("broker/tandem-broker", "--describe-config", "docs/config-broker.md"),
    ("tools/tandem", "protocol-reference", "docs/protocol.md"),
]

# Text that is kept as it came.
VERBATIM = ("LICENSE", "tests/golden/", "tests/fuzz/corpus/")

LIBRARY = "{folder}_lib"  # Meson variable of a folder's library, slashes as underscores

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
NUMBER_QUOTE = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")


class Findings:
    def __init__(self):
        self.rows = set()

    def add(self, path, line, text):
        self.rows.add((str(path), line, text))


def tracked_files():
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return sorted(p for p in out.split("\0") if p and (ROOT / p).is_file())


def blank(match):
    text = match.group(0)
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    return '"' + re.sub(r"[^\n]", "_", text[1:-1]) + '"' if len(text) > 1 else text


def strip_code(text):
    """The text with comments blanked and the insides of strings replaced; every line keeps its number."""
    return TOKEN.sub(blank, NUMBER_QUOTE.sub("_", text))


class Lines:
    def __init__(self, text):
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def at(self, offset):
        return bisect.bisect_right(self.starts, offset)


# ---- floors -----------------------------------------------------------------------------------------

def folder_of(path):
    """The row of FLOORS that a source file belongs to, or None outside the product."""
    parts = Path(path).parts
    if parts[0] == "common" and len(parts) > 2:
        return parts[1]
    if parts[0] in ("coord", "broker"):
        return "/".join(parts[:2]) if len(parts) > 2 else parts[0]
    return "tools" if parts[0] == "tools" else None


def folder_of_include(name):
    parts = name.split("/")
    if parts[0] in ("coord", "broker") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else None


def edge_error(source, target):
    """Why `source` may not include `target`, or None."""
    if source == target:
        return None
    if source not in FLOORS or target not in FLOORS:
        return f"{source if source not in FLOORS else target}/ has no row in the floor table of tools/tidy.py"
    floor, sideways = FLOORS[source]
    target_floor = FLOORS[target][0]
    columns = {c for c in (source.split("/")[0], target.split("/")[0]) if c in ("coord", "broker")}
    if len(columns) == 2:
        return "coord/ and broker/ never include each other"
    sees = () if source in MEMORY_ONLY else FLOOR_SEES[floor]
    if target in ("fs", "net") and target not in sees:
        return f"{source} (floor {floor}) does not see {target}"
    if target_floor > floor or target_floor == floor and target not in sideways:
        return f"{source} (floor {floor}) may not include {target} (floor {target_floor})"
    return None


def check_floor_table(findings):
    order = {}

    def visit(folder, trail):
        if folder in trail:
            findings.add("tools/tidy.py", 1, "cycle in the floor table: " + " -> ".join(trail + [folder]))
        elif folder not in order:
            for other in FLOORS[folder][1]:
                if FLOORS[other][0] != FLOORS[folder][0]:
                    findings.add("tools/tidy.py", 1, f"{folder} lists {other}, which is not on its floor")
                visit(other, trail + [folder])
            order[folder] = len(order)

    for folder in FLOORS:
        visit(folder, [])


def check_includes(path, text, findings):
    folder = folder_of(path)
    if folder is None:
        return
    if folder not in FLOORS:
        findings.add(path, 1, f"{folder}/ has no row in the floor table of tools/tidy.py")
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        name = match.group(2)
        if match.group(1) == '"':
            target = folder_of_include(name)
            error = f'write "{name}" with its folder' if target is None else edge_error(folder, target)
            if error:
                findings.add(path, number, error)
            continue
        for pattern, homes, advice in HEADER_RULES:
            inside = path.removeprefix("common/")
            if re.search(pattern, name) and folder not in homes and inside not in homes:
                findings.add(path, number, f"<{name}> in {folder}: {advice}")


def check_meson(path, text, findings):
    """The link lists of a folder's meson.build repeat the floor table."""
    folder = folder_of(path)
    if folder is None or folder not in FLOORS:
        return
    names = {LIBRARY.format(folder=f.replace("/", "_")): f for f in FLOORS}
    names.update({n.replace("_lib", "_dep"): f for n, f in names.items()})
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"\b\w+_(?:lib|dep)\b", line.split("#")[0]):
            error = edge_error(folder, names[word]) if word in names else None
            if error:
                findings.add(path, number, f"links {word}: {error}")


# ---- one C++ file -----------------------------------------------------------------------------------

def check_shape(path, text, findings):
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        findings.add(path, len(lines), f"{len(lines)} lines, at most {FILE_LINES_MAX}: split it")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and not re.search(r"#include|https?://", line):
            findings.add(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")


def check_header(path, text, code, findings):
    lines = text.splitlines()
    if len(lines) < 2 or not lines[0].startswith("//") or not lines[1].startswith("//"):
        findings.add(path, 1, "open with 2-6 comment lines: what it is for, who owns it, what it promises")
    if "#pragma once" not in lines:
        findings.add(path, 1, "#pragma once is missing")
    if re.search(r"^\s*using namespace\b", code, re.M):
        findings.add(path, 1, "no `using namespace` in a header")
    folder = folder_of(path)
    if folder in FLOORS:
        want = "tandem" if folder in ("coord", "broker") else "tandem::" + folder.replace("/", "::")
        spaces = re.findall(r"^namespace ([\w:]+)", code, re.M)
        if spaces and not any(s == want or s.startswith(want + "::") for s in spaces):
            findings.add(path, 1, f"one folder is one namespace: {want}, not {spaces[0]}")


def check_words(path, code, rules, findings):
    lines = Lines(code)
    for pattern, allowed, advice in rules:
        if re.search(allowed, path):
            continue
        for match in re.finditer(pattern, code, re.M):
            line = lines.at(match.start() + len(match.group(0)) - len(match.group(0).lstrip()))
            findings.add(path, line, f"`{match.group(0).strip()[:40]}`: {advice}")


def is_function_head(head):
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M).strip()
    if "(" not in head or re.match(r"(namespace|class|struct|enum|union|using)\b", head) and ")" not in head:
        return False
    before = re.sub(r"operator\s*[=!<>]+=?", "operator", head.split("(")[0])
    return "=" not in before and not head.endswith(("=", ","))


def functions_of(code):
    """(first line, last line, head) of each function body, by matching braces over stripped code.

    A brace that follows a head with parentheses, at namespace or class scope, opens a function."""
    lines = Lines(code)
    directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", re.M)
    flat = directive.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)
    stack, start, open_function = [], 0, None
    for match in re.finditer(r"[{};]", flat):
        token, at = match.group(0), match.start()
        if token == "{":
            head = flat[start:at]
            if open_function is None and is_function_head(head):
                lead = len(head) - len(head.lstrip())
                open_function = (len(stack), lines.at(start + lead), head.strip())
            stack.append(at)
        elif token == "}" and stack:
            stack.pop()
            if open_function and len(stack) == open_function[0]:
                yield open_function[1], lines.at(at), open_function[2]
                open_function = None
        start = at + 1


def check_length(path, first, last, name, findings):
    lines = last - first + 1
    if lines > FUNCTION_LINES_MAX:
        findings.add(path, first, f"{name}: {lines} lines, a function has at most {FUNCTION_LINES_MAX}")


def check_functions(path, code, findings):
    for first, last, head in functions_of(code):
        check_length(path, first, last, head.split("(")[0].split()[-1], findings)


def check_python(path, text, findings):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        findings.add(path, error.lineno or 1, f"does not parse: {error.msg}")
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            check_length(path, node.lineno, node.end_lineno, node.name, findings)
    check_words(path, text, PYTHON_WORD_RULES, findings)


# ---- the tree ---------------------------------------------------------------------------------------

def check_dead_files(paths, texts, findings):
    """A .cc file that no meson.build above it names is compiled by nobody."""
    for path in paths:
        if not path.endswith(".cc"):
            continue
        for parent in Path(path).parents:
            build = texts.get(str(parent / "meson.build"))
            name = str(Path(path).relative_to(parent))
            if build and any(f"'{n}'" in build for n in (name, name[:-3], name.removesuffix("_test.cc"))):
                break
        else:
            findings.add(path, 1, "no meson.build names this file")


# The files of a folder are compiled together (see `unity` in dev), so what they keep to themselves must not
# meet. In these folders each file is a program of its own.
SEPARATE_PROGRAMS = ("tests/bench", "tests/fuzz")
LOCAL_NAME = re.compile(
    r"^(?=\S)(?:(?:struct|class|enum|enum class) (\w+)\b(?!;)"
    r"|(?:static |inline )?const(?:expr)? [^={(]*?\b(\w+)(?:\[\])? ?[={]"
    r"|using (\w+ = [^;]+);"
    r"|(?!using|return|template)[\w:<>,*& ]+?[ &*](\w+\([^)]*\)))", re.M)


def local_names(code):
    """(name, line) of what an anonymous namespace defines; functions with their parameters."""
    for space in re.finditer(r"^namespace \{\n", code, re.M):
        depth, end = 1, space.end()
        while depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        for found in LOCAL_NAME.finditer(code, space.end(), end):
            name = next(filter(None, found.groups()))
            yield " ".join(name.split()), code.count("\n", 0, found.start()) + 1


def check_local_names(texts, findings):
    places = {}
    for path, text in texts.items():
        folder = os.path.dirname(path)
        if not path.endswith(".cc") or folder in SEPARATE_PROGRAMS:
            continue
        for name, line in local_names(strip_code(text)):
            first = places.setdefault((folder, name.split(" = ")[0]), (path, name))
            if first[0] != path and not (" = " in name and first[1] == name):
                findings.add(path, line, f"{name} is local to {first[0]} too, and a folder compiles together")


def check_generated(findings):
    for binary, argument, document in GENERATED:
        candidates = [p for p in ROOT.glob(f"build/*/{binary}") if p.is_file()]
        if not candidates:
            continue
        newest = max(candidates, key=lambda p: p.stat().st_mtime)
        result = subprocess.run([str(newest), argument], capture_output=True, timeout=20)
        if result.returncode != 0:
            continue  # a binary from before this argument: the build that follows brings a newer one
        committed = (ROOT / document).read_bytes() if (ROOT / document).is_file() else b""
        if committed != result.stdout:
            findings.add(document, 1, f"not fresh: {newest.relative_to(ROOT)} {argument} > {document}")


def check_file(path, text, findings):
    if path.endswith((".cc", ".h")):
        code = strip_code(text)
        check_shape(path, text, findings)
        check_includes(path, text, findings)
        check_words(path, code, WORD_RULES, findings)
        check_functions(path, code, findings)
        if path.endswith(".h"):
            check_header(path, text, code, findings)
    elif path.endswith(".py"):
        check_shape(path, text, findings)
        check_python(path, text, findings)
    elif path.endswith("meson.build"):
        check_meson(path, text, findings)
    elif path in ("dev", ".ci/run") or path.endswith(".sh"):
        check_shape(path, text, findings)
    if not path.startswith(VERBATIM):
        check_words(path, text, TEXT_RULES, findings)


def read_texts(paths):
    texts = {}
    for path in paths:
        data = (ROOT / path).read_bytes()
        if b"\0" not in data[:4096]:
            try:
                texts[path] = data.decode()
            except UnicodeDecodeError:
                continue
    return texts


# ---- headers alone ----------------------------------------------------------------------------------

def translation_units(build):
    """(sources that are compiled together, flags, directory) of each; Meson's unity files include them."""
    for row in json.loads((ROOT / build / "compile_commands.json").read_text()):
        words = shlex.split(row["command"])
        keep = [w for w in words if re.match(r"-(I|isystem|D|std=|m|pthread)", w)]
        file = Path(row["directory"], row["file"])
        files = re.findall("#include *<(.+)>", file.read_text()) if "-unity" in file.name else [str(file)]
        yield [os.path.relpath(os.path.normpath(name), ROOT) for name in files], keep, row["directory"]


def compile_header(path, words, cwd, scratch):
    """What is wrong with it, or None. The compiler's cache, where there is one, remembers what was not."""
    command = [*filter(None, [shutil.which("ccache")]), "g++", *words, "-O0", "-w", "-c", "-o",
               str(scratch / (path.replace("/", "_") + ".o")), "-x", "c++",
               os.path.relpath(ROOT / path, cwd)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    return next((line for line in result.stderr.splitlines() if "error" in line), "see g++")


def proven_headers(sources, texts):
    """Headers that a source file includes before anything else: its compilation proves that they stand
    alone."""
    proven = set()
    for path in sources:
        text = texts.get(path, "")
        first = re.search(r'^#include "([^"]+)"', text, re.M)
        if first and "#include" not in text[:first.start()]:
            name = first.group(1)
            proven |= {name, f"common/{name}", str(Path(path).parent / name)}
    return proven


def check_headers(paths, texts, build, findings):
    if not (ROOT / build / "compile_commands.json").is_file():
        findings.add(build, 1, "no compile_commands.json there: build first")
        return
    units = list(translation_units(build))
    flags = {str(Path(name).parent): (keep, cwd) for names, keep, cwd in units for name in names}
    proven = proven_headers([names[0] for names, _, _ in units], texts)
    headers = [p for p in paths if p.endswith(".h") and p not in proven]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        def check(path):
            words, cwd = flags.get(str(Path(path).parent)) or next(iter(flags.values()))
            return compile_header(path, words, cwd, Path(scratch))
        for path, error in zip(headers, pool.map(check, headers)):
            if error:
                findings.add(path, 1, f"does not compile alone: {error}")


def print_sizes(texts):
    sizes = sorted(len(t.splitlines()) for p, t in texts.items() if p.endswith((".cc", ".h")))
    if sizes:
        under = sum(s <= 300 for s in sizes)
        print(f"{len(sizes)} C++ files, {sum(sizes)} lines, median {sizes[len(sizes) // 2]}, "
              f"{under} ({100 * under // len(sizes)} %) of at most 300 lines, largest {sizes[-1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--headers", nargs="?", const="build/release", metavar="BUILD")
    parser.add_argument("--sizes", action="store_true")
    arguments = parser.parse_args()
    findings = Findings()
    paths = tracked_files()
    texts = read_texts(paths)
    check_floor_table(findings)
    for path, text in texts.items():
        check_file(path, text, findings)
    check_dead_files(paths, texts, findings)
    check_local_names(texts, findings)
    check_generated(findings)
    if arguments.headers:
        check_headers(paths, texts, arguments.headers, findings)
    if arguments.sizes:
        print_sizes(texts)
    for path, line, text in sorted(findings.rows):
        print(f"{path}:{line}: {text}")
    print(f"tidy: {len(texts)} files, {len(findings.rows)} findings")
    return 1 if findings.rows else 0


if __name__ == "__main__":
    sys.exit(main())
