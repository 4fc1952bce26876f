#!/usr/bin/env python3
"""Checks a proof bundle of `dokstamp-ledger audit prove` without the ledger or its program.

    python verify_proof.py BUNDLE.json --key 'dokstamp-ledger/…+…+…'

It needs Python 3.11 and the package `cryptography`, and was written from the texts of the standards
alone: RFC 6962 section 2.1 (the tree), C2SP signed-note and tlog-checkpoint (the signature).
It ends with 0 if everything in the bundle is proven, else with 1 and the first thing that is not.

What a bundle says:
  key         the log's public key. Compare it with the one you were given, or pass that as --key:
              a bundle by a forger fits the forger's own key.
  checkpoint  the log's size and root hash, signed with that key
  record      the one record that everything here is about
  events      each with its bytes (`envelope`), its place in the log (`position`) and the hashes
              that lead from it to the root (`proof`); what is private is `sealed` or `disclosed`

What it cannot say: that there are no other events. Only who reads the whole log can tell that.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "dokstamp-ledger proof 1"
Json = Any  # whatever a JSON text holds
Key = tuple[str, bytes, bytes]  # name, key hash, public key


class RefusedError(Exception):
    """Something in the bundle is not what it claims to be."""


def demand(condition: object, what: str) -> None:
    """Go on only if something holds."""
    if not condition:
        raise RefusedError(what)


def from_base64(text: Json, what: str) -> bytes:
    """Return the bytes behind a text that is exactly their base64."""
    demand(isinstance(text, str), f"{what} is not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    demand(base64.b64encode(data).decode() == text, f"{what} is not base64")
    return data


def only_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return a JSON object whose names all differ: readers would disagree about any other."""
    demand(len(dict(pairs)) == len(pairs), "a JSON object names something twice")
    return dict(pairs)


def fields(value: Json, needed: AbstractSet[str], allowed: AbstractSet[str] = frozenset()) -> Json:
    """Return an object that has these fields and no unknown one."""
    demand(isinstance(value, dict), "an object is expected")
    demand(
        set(needed) <= set(value) <= {*needed, *allowed}, f"fields are not as expected: {needed}"
    )
    return value


# The signature: C2SP signed-note, with a key of the type 0x01 (Ed25519).


def read_key(text: Json) -> Key:
    """Return name, key hash and public key of `name+hash+base64(0x01 || public key)`."""
    demand(isinstance(text, str) and text.count("+") >= 2, "the key is malformed")
    name, hash_hex, encoded = text.split("+", 2)
    material = from_base64(encoded, "the key")
    demand(len(material) == 33 and material[0] == 1, "the key is not an Ed25519 key")
    key_hash = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    demand(key_hash.hex() == hash_hex, "the key does not match its own hash")
    return name, key_hash, material[1:]


def open_note(note: Json, key: Key) -> str:
    """Return the signed text of a note, once the key's signature of it holds."""
    name, key_hash, public = key
    demand(isinstance(note, str) and note.endswith("\n"), "the checkpoint is not a signed note")
    body, blank, lines = note.rpartition("\n\n")
    demand(blank, "the checkpoint is not a signed note")
    found = 0
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        demand(dash == "\N{EM DASH}" and signer, "the checkpoint has a malformed signature")
        blob = from_base64(encoded, "a signature")
        if signer == name and blob[:4] == key_hash:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], (body + "\n").encode())
            except InvalidSignature:
                raise RefusedError("the checkpoint's signature is wrong") from None
            found += 1
    demand(found, "the checkpoint is not signed by this key")
    return f"{body}\n"


def read_checkpoint(note: Json, key: Key) -> tuple[int, bytes]:
    """Return the size and the root hash that the key's owner signed for the log of its name."""
    lines = open_note(note, key).split("\n")
    demand(len(lines) == 4, "the checkpoint's text is not origin, size and root")
    demand(lines[0] == key[0], "the checkpoint is of another log than the key")
    demand(lines[1].isascii() and lines[1].isdigit(), "the checkpoint's size is no number")
    demand(str(int(lines[1])) == lines[1], "the checkpoint's size is no plain number")
    return int(lines[1]), from_base64(lines[2], "the root")


# The tree: RFC 6962, section 2.1.


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a leaf at this index of a tree of this size leads to."""
    if size == 1:
        demand(not path, "a proof is too long")
        return leaf
    demand(path, "a proof is too short")
    half = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    if index < half:
        left, right = root_from_path(leaf, index, half, path[:-1]), path[-1]
    else:
        left, right = path[-1], root_from_path(leaf, index - half, size - half, path[:-1])
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(event: Json, size: int, root: bytes) -> None:
    """Check that the event's bytes stand at its position of the signed tree."""
    position, path = event["position"], event["proof"]
    demand(type(position) is int and 0 <= position < size, "a position is outside of the log")
    demand(isinstance(path, list) and len(path) < 64, f"event {position}: the proof is malformed")
    hashes = [from_base64(item, f"event {position}: the proof") for item in path]
    demand(all(len(item) == 32 for item in hashes), f"event {position}: the proof is malformed")
    leaf = hashlib.sha256(b"\x00" + event["envelope"].encode()).digest()
    demand(
        root_from_path(leaf, position, size, hashes) == root,
        f"event {position}: its bytes and proof do not lead to the signed root",
    )


# The events: what an envelope says of its private part, and whom it is about.


def check_private(event: Json, envelope: Json) -> None:
    """Check sealed bytes and a disclosed payload against the hashes in the envelope."""
    where = f"event {event['position']}"
    demand(("sealed" in event) == ("sealed_hash" in envelope), f"{where}: sealed bytes are missing")
    if "sealed" in event:
        digest = hashlib.sha256(from_base64(event["sealed"], f"{where}: sealed")).hexdigest()
        demand(digest == envelope["sealed_hash"], f"{where}: the sealed bytes were changed")
    shown = event.get("disclosed")
    if shown is None or shown == "[erased]":
        demand("disclosed" not in event or "sealed" in event, f"{where}: nothing was sealed")
        return
    salt = from_base64(fields(shown, {"salt", "payload"})["salt"], f"{where}: the salt")
    demand(len(salt) == 32, f"{where}: the salt is malformed")
    digest = hashlib.sha256(salt + shown["payload"].encode()).hexdigest()
    demand(digest == envelope.get("payload_hash"), f"{where}: the disclosed payload was changed")


def check_subject(event: Json, envelope: Json, record: Json, operations: set[str]) -> None:
    """Check that an event is about the record, or about operations known to be on it."""
    subject = (envelope.get("entity"), envelope.get("subject"))
    public = envelope.get("public", {})
    if subject == (None, None):
        named = public.get("operations")
        is_about = isinstance(named, list) and named and set(named) <= operations
    else:
        is_about = subject == (record["entity"], record["source_id"])
        if "operation" in public:
            operations.add(public["operation"])
    demand(is_about, f"event {event['position']} is about another record")


def verify(bundle: Json, trusted_key: str | None) -> tuple[int, list[Json]]:
    """Check a whole bundle; return its size and what its events say."""
    fields(bundle, {"format", "key", "checkpoint", "record", "events"})
    demand(bundle["format"] == FORMAT, f"the format is not {FORMAT!r}")
    demand(trusted_key in (None, bundle["key"]), "the bundle's key is not the one you trust")
    key = read_key(bundle["key"])
    size, root = read_checkpoint(bundle["checkpoint"], key)
    record = fields(bundle["record"], {"entity", "source_id"})
    demand(isinstance(bundle["events"], list) and bundle["events"], "there are no events")
    told, last = [], -1
    operations: set[str] = set()
    for event in bundle["events"]:
        fields(event, {"position", "envelope", "proof"}, {"sealed", "disclosed"})
        check_inclusion(event, size, root)
        demand(event["position"] > last, "events are not in the order of the log")
        last = event["position"]
        envelope = json.loads(event["envelope"], object_pairs_hook=only_once)
        demand(key[0] == f"dokstamp-ledger/{envelope['ledger']}", "an event is of another ledger")
        check_private(event, envelope)
        told.append((event, envelope))
    for event, envelope in sorted(told, key=lambda each: "entity" not in each[1]):
        check_subject(event, envelope, record, operations)
    return size, told


def tell(bundle: Json, size: int, told: list[Json]) -> None:
    """Print in plain words what is proven."""
    record = bundle["record"]
    for event, envelope in told:
        shown = event.get("disclosed")
        private = "" if "sealed" not in event else ", private part sealed"
        if shown is not None:
            is_erased = shown == "[erased]"
            private = ", said to be erased" if is_erased else f", {shown['payload']}"
        print(f"  {event['position']}  {envelope['recorded_at']}  {envelope['type']}{private}")
    print(
        f"PROVEN: these {len(told)} events about {record['entity']} {record['source_id']} stand at "
        f"these positions in the log of {size} events that was signed with the key\n"
        f"  {bundle['key']}"
    )


def answer() -> int:
    """Check the bundle that the command line names."""
    parser = argparse.ArgumentParser(description="Check a proof bundle, without the ledger.")
    parser.add_argument("bundle", type=Path, help="the file that `audit prove` wrote")
    parser.add_argument("--key", help="the log's key, as you were given it (`audit key`)")
    given = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    try:
        text = given.bundle.read_text(encoding="utf-8")
        bundle = json.loads(text, object_pairs_hook=only_once)
        size, told = verify(bundle, given.key)
    except RefusedError as refused:
        print(f"NOT PROVEN: {refused}")
        return 1
    except OSError as error:
        print(f"NOT PROVEN: {given.bundle} cannot be read ({error.strerror})")
        return 1
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        print(f"NOT PROVEN: the bundle is malformed ({type(error).__name__})")
        return 1
    tell(bundle, size, told)
    if given.key is None:
        print("No --key was given: compare this key with the one that you trust.")
    return 0


def main() -> int:
    """Answer, and never with success where the answer could not be written."""
    try:
        code = answer()
        sys.stdout.flush()
    except OSError as error:
        print(f"the answer could not be written ({error.strerror})", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left would fail again at the exit
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
