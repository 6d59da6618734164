#!/usr/bin/env python3
"""A proxy in front of a registry that does to requests what a file says.

Usage: faulty_proxy.py PORT REGISTRY CONTROL. Listens on 127.0.0.1:PORT and passes everything on to REGISTRY
("127.0.0.1:5000"). Before each request it reads CONTROL: "FAULT", for every request that it fits; "FAULT N", for the first of
every N of those that read, four times, and the first that writes; nothing, for a registry as it should be. For each request
that it did something to it adds a line to CONTROL.log.

  drop           the connection ends without an answer
  delay          the answer takes half a second
  truncate       the connection ends in the middle of the answer
  401, 404, 500  that status, whatever was asked
  429            that status, with Retry-After: 1
  manifest       a manifest's last digest is another
  blob           a blob's bytes are others, as many
"""
import http.client
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, registry, control = int(sys.argv[1]), sys.argv[2], sys.argv[3]
lock, counts = threading.Lock(), {}


def fault(command, path):
    """What is to be done to this request, or nothing."""
    with open(control) as file:
        words = file.read().split()
    fits = {"truncate": "/", "manifest": "/manifests/", "blob": "/blobs/"}  # the others fit whatever is asked
    if words and words[0] in fits and not (command == "GET" and fits[words[0]] in path):
        return ""
    writes = command not in ("GET", "HEAD")
    with lock:
        if counts.get("now") != words:
            counts.clear()
            counts["now"] = words
        if len(words) < 2:
            return words[0] if words else ""
        every, most = (1, 1) if writes else (int(words[1]), 4 * int(words[1]))
        counts[writes] = counts.get(writes, -1) + 1
        return words[0] if counts[writes] < most and counts[writes] % every == 0 else ""


def altered(body):
    """As many bytes, one of them another."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def note(self, what):
        with lock, open(control + ".log", "a") as file:
            file.write(f"{what} {self.command} {self.path}\n")

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def answer(self, status, headers, body, part=None):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        length = dict((name.lower(), value) for name, value in headers).get("content-length", "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if part is None else body[:part])

    def serve(self):
        what, sent = fault(self.command, self.path), self.body()
        if what == "drop":
            self.note(what)
            self.close_connection = True
            return
        if what in ("401", "404", "429", "500"):
            self.note(what)
            extra = {"401": [("WWW-Authenticate", 'Basic realm="nobody gets in"')], "429": [("Retry-After", "1")]}
            self.answer(int(what), extra.get(what, []), b'{"errors": [{"code": "UNKNOWN", "message": "a fault"}]}')
            return
        if what == "delay":
            self.note(what)
            time.sleep(0.5)
        there = http.client.HTTPConnection(registry)
        # buildah sends its Accept header as several lines.
        headers = {name: ", ".join(self.headers.get_all(name)) for name in self.headers
                   if name.lower() not in ("connection", "transfer-encoding", "content-length", "accept-encoding")}
        there.request(self.command, self.path, sent if sent or self.command in ("POST", "PUT", "PATCH") else None, headers)
        came = there.getresponse()
        body, headers, status = came.read(), came.getheaders(), came.status
        there.close()
        is_body = self.command == "GET" and status == 200 and body
        if is_body and what == "truncate":
            self.note(what)
            self.answer(status, headers, body, len(body) // 2)
            self.close_connection = True
            return
        if is_body and what == "manifest":
            self.note(what)
            body = re.sub(rb"(?s)^(.*sha256:)[0-9a-f]{8}", rb"\g<1>0badc0de", body)
        if is_body and what == "blob":
            self.note(what)
            body = altered(body)
        self.answer(status, headers, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):  # who hangs up is no news
        pass


Server(("127.0.0.1", port), Proxy).serve_forever()
