import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from capi_relay import normalize
from capi_relay.hashing import sha256_hex
from capi_relay.personal import protect

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
# The digests that Meta's documentation prints for its own examples.
PUBLISHED = {
    "john_smith@gmail.com": "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
    "16505551212": "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    "mary": "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
    "정": "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14",
    "valéry": "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
    "19970216": "01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c",
    "f": "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111",
    "newyork": "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5",
    "ca": "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126",
    "94035": "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e",
    "m11ae": "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5",
    "us": "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",
}


def named(vector: dict[str, Any]) -> str:
    return ascii(f"{vector['field']} {vector['input']} {vector.get('default_country', '')}")


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_value_has_its_documented_normal_form(vector: dict[str, Any]) -> None:
    if vector["field"] == "ph":
        normal = normalize.ph(vector["input"], vector.get("default_country"))
    else:
        normal = normalize.NORMALIZERS[vector["field"]](vector["input"])

    assert normal == vector["normal"]


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_an_event_carries_the_digest_of_the_normal_form_or_nothing(vector: dict[str, Any]) -> None:
    event, _ = protect({"user_data": {vector["field"]: vector["input"]}}, vector.get("default_country"))

    assert event["user_data"].get(vector["field"]) == vector["sha256"]


def test_the_vectors_cover_every_hashed_field() -> None:
    assert {vector["field"] for vector in VECTORS} == normalize.NORMALIZERS.keys()


def test_the_vectors_hold_the_digests_of_metas_documentation() -> None:
    ours = {vector["normal"]: vector["sha256"] for vector in VECTORS}

    assert PUBLISHED.items() <= ours.items()


def test_a_digest_is_the_sha256_of_the_utf8_text() -> None:
    assert sha256_hex("정") == sha256("정".encode()).hexdigest()
