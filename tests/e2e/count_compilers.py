#!/usr/bin/env python3
"""Counts, from outside, the compilers that run at once in the containers of one driver.

Usage: count_compilers.py SLOTS_FOLDER|all OUTPUT [JOBS_FOLDER]: until it gets SIGTERM; then it writes the most at once and how often it
looked. It ends, too, when its script has ended. A compiler is a process `cc1` in whose root the pipe of job slots is one of those in the folder: so those of
other tests on the machine are not counted. With `all`, any `cc1` of the machine is one. Files in JOBS_FOLDER count
as jobs beside them. Counted is what was there in two looks, one after the other: so all of it was there between them."""
import os
import signal
import sys
import time

folder, output = sys.argv[1:3]
jobs_folder = sys.argv[3] if len(sys.argv) > 3 else None
most = looks = 0
script = os.getppid()


def end(*_):
    with open(output, "w") as file:
        file.write(f"{most} {looks}\n")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)


def pipes():
    found = set()
    try:
        for entry in os.scandir(folder):
            found.add(entry.inode())
    except OSError:
        pass
    return found


def is_compiler(process, ours):
    try:
        with open(f"/proc/{process}/comm") as file:
            if file.read() != "cc1\n":
                return False
        return folder == "all" or os.stat(f"/proc/{process}/root/.stagemake/slots").st_ino in ours
    except OSError:
        return False  # it has ended


def jobs():
    return set(os.listdir(jobs_folder)) if jobs_folder else set()


def compilers(among):
    ours = pipes()
    return {name for name in among if name.isdigit() and is_compiler(name, ours)}


while os.getppid() == script:
    jobs_before = jobs()
    found = compilers(compilers(os.listdir("/proc")))
    most = max(most, len(found) + len(jobs_before & jobs()))
    looks += 1
    time.sleep(0.02)
