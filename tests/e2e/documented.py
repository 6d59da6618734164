#!/usr/bin/env python3
"""The examples of a Markdown file: which commands it shows, and whether they print what it shows.

    documented.py FILE commands          prints a shell line `step NUMBER COMMAND` for each line of code with a `$`
    documented.py FILE compare NUMBER    compares standard input with what the file shows of that command
    documented.py FILE compare TEXT      compares with the block of code without a `$` that contains the text

Standard input must have all lines that are shown (after a `$`: and no others), in that order. A line `…` stands for any
number of lines, `…` in a line for any text. Durations, blanks between columns and the user's state folder may differ.
Exits with 1 and both texts if they do not agree.
"""
import os
import re
import shlex
import sys

DURATION = re.compile(r"\b\d+(\.\d+)? (s|min|h)\b( \d+ (s|min)\b)?")
STATE = re.compile(r"/home/me/\.local/state/stagemake/[a-z]+-[0-9]+")


def blocks(text):
    """The blocks of code, as lists of lines."""
    found, block = [], []
    for line in text.splitlines() + ["end"]:
        if line.startswith("    "):
            block.append(line[4:])
        elif block:
            found.append(block)
            block = []
    return found


def steps(text):
    """The commands, and the lines shown of each, in order."""
    found = []
    for block in blocks(text):
        if not block[0].startswith("$ "):
            continue
        for line in block:
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def normal(line):
    line = STATE.sub("STATE", line)
    if os.environ.get("STAGEMAKE_STATE"):
        line = re.sub(re.escape(os.environ["STAGEMAKE_STATE"]) + r"/[a-z]+-[0-9a-f]+", "STATE", line)
    return " ".join(DURATION.sub("TIME", line).split())


def pattern(shown, whole):
    """A regular expression for the lines."""
    parts = []
    for line in shown:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*".join(re.escape(part) for part in normal(line).split("…")) + r" ?\n")
    return ("\\A" if whole else "^") + "".join(parts) + ("\\Z" if whole else "")


def compare(shown, printed, whole):
    text = "".join(normal(line) + "\n" for line in printed.splitlines())
    if not shown or re.search(pattern(shown, whole), text, re.MULTILINE):
        return 0
    print("--- shown:\n" + "\n".join(shown) + "\n--- printed:\n" + printed)
    return 1


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    if sys.argv[2] == "commands":
        for number, (command, _) in enumerate(steps(text)):
            print("step", number, shlex.quote(command))
        return 0
    which = sys.argv[3]
    if which.isdigit():
        return compare(steps(text)[int(which)][1], sys.stdin.read(), True)
    for block in blocks(text):
        if not block[0].startswith("$ ") and which in "\n".join(block):
            return compare(block, sys.stdin.read(), False)
    print(f"no block of {sys.argv[1]} shows {which}")
    return 1


sys.exit(main())
