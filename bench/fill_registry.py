#!/usr/bin/env python3
"""Puts many images into a registry that are what a real snapshot could have been at other times.

Usage: docker inspect IMAGE… | fill_registry.py REGISTRY COUNT [ENVIRONMENTS]. Each image has the labels of one of those given (and that
one's name below the registry), but for its revision, its key and the fingerprints of some of its packages, which are made
up; and a layer of a few bytes. So stagemake takes each for one that a build could go on in. ENVIRONMENTS is a file of
names, one per line: then the images are of these environments in turn.
"""
import hashlib
import http.client
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local

registry, count = sys.argv[1], int(sys.argv[2])
environments = open(sys.argv[3]).read().split() if len(sys.argv) > 3 else []
models = list({image["Id"]: image for image in json.load(sys.stdin)}.values())
kept = local()
LAYER = b"a layer"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def ask(method, path, body=b"", kind="application/octet-stream"):
    if not hasattr(kept, "connection"):
        kept.connection = http.client.HTTPConnection(registry)
    kept.connection.request(method, path, body, {"Content-Type": kind})
    answer = kept.connection.getresponse()
    answer.read()
    if answer.status not in (201, 202):
        sys.exit(f"{method} {path}: {answer.status}")
    return answer.getheader("Location") or ""


def put_blob(repository, content):
    place = ask("POST", f"/v2/{repository}/blobs/uploads/")
    place = place[place.index("/v2/"):]
    ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest(content)}", content)


def varied(labels, number):
    """Labels of the same stage, made from other sources."""
    made_up = random.Random(number)
    labels = {name: text for name, text in labels.items() if name.startswith("org.stagemake.")}
    lineage = json.loads(labels["org.stagemake.lineage"])
    packages = json.loads(labels["org.stagemake.packages"])
    old_key, key = labels["org.stagemake.key"], "%064x" % made_up.getrandbits(256)
    lineage = json.loads(json.dumps(lineage).replace(old_key, key[:len(old_key)]))
    for name in made_up.sample(sorted(packages), k=min(len(packages), 3)):
        packages[name][1] = ("%064x" % made_up.getrandbits(256))[:len(packages[name][1])]
    labels.update({"org.stagemake.key": key[:len(old_key)], "org.stagemake.lineage": json.dumps(lineage),
                   "org.stagemake.packages": json.dumps(packages), "org.stagemake.revision": f"v1.0-{number}"})
    return labels


def descriptor(kind, content):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(content), "size": len(content)}


def repository_of(model):
    """An image that holds several stages has the names of all: its own stage's is the one."""
    own = "-" + model["Config"]["Labels"]["org.stagemake.stage"]
    names = [tag.rsplit(":", 1)[0] for tag in model["RepoTags"]]
    return "many/" + next(name for name in names if name.endswith(own)).split("/")[-1]


def put(number):
    model = models[(number // max(len(environments), 1)) % len(models) if environments else number % len(models)]
    repository = repository_of(model)
    labels = varied(model["Config"]["Labels"], number)
    if environments:
        own, name = labels["org.stagemake.environment"], environments[number % len(environments)]
        repository = repository.replace(own, name)
        labels = {label: text.replace(own, name) for label, text in labels.items()}
    config = json.dumps({
        "architecture": model["Architecture"], "os": "linux",
        "created": f"2026-10-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00Z",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [digest(LAYER)]}}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", config), "layers": [descriptor("layer.v1.tar+gzip", LAYER)]}).encode()
    if environments:
        put_blob(repository, LAYER)
    put_blob(repository, config)
    ask("PUT", f"/v2/{repository}/manifests/v1.0-{number}", manifest, "application/vnd.oci.image.manifest.v1+json")


for one in models:
    put_blob(repository_of(one), LAYER)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(put, range(count)))
