#!/usr/bin/env python3
"""Counts, from outside, the compilers that run at once in the containers of one driver.

Usage: count_compilers.py SLOTS_FOLDER|all OUTPUT: until it gets SIGTERM; then it writes the most at once and how often it
looked. A compiler is a process `cc1` in whose root the pipe of job slots is one of those in the folder: so those of
other tests on the machine are not counted. With `all`, any `cc1` of the machine is one."""
import os
import signal
import sys
import time

folder, output = sys.argv[1:]
most = looks = 0


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


while True:
    ours = pipes()
    count = sum(is_compiler(name, ours) for name in os.listdir("/proc") if name.isdigit())
    most = max(most, count)
    looks += 1
    time.sleep(0.002)
