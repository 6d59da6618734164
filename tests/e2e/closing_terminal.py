#!/usr/bin/env python3
"""usage: closing_terminal.py COMMAND…: runs it on a terminal, waits until the shell there answers, and closes the terminal."""
import os
import pty
import select
import sys
import time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

heard = b""
asked = 0.0
end = time.monotonic() + 60
while b"answer=42" not in heard:
    if time.monotonic() > end:
        sys.exit(f"no shell answers: {heard!r}")
    if time.monotonic() - asked > 1:  # what comes before the shell may throw input away
        os.write(terminal, b"echo answer=$((40+2))\n")
        asked = time.monotonic()
    if select.select([terminal], [], [], 0.2)[0]:
        heard += os.read(terminal, 4096)

os.close(terminal)
while time.monotonic() < end:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        print(f"ended with {os.waitstatus_to_exitcode(status)}")
        sys.exit(0)
    time.sleep(0.1)
sys.exit("it goes on without its terminal")
