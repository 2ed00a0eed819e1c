import re
from urllib.parse import unquote

import pytest

from connectors.x.oauth import Keys, authorization, base_string, signature

PROTOCOL = {
    "oauth_consumer_key": "9djdj82h48djs9d2",
    "oauth_token": "kkk9d7dh3k39sjv7",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "137131201",
    "oauth_nonce": "7d8f3e4a",
}
KEYS = Keys("a key", "a secret", "a token", "another secret")


def test_the_base_string_is_that_of_rfc_5849_section_3_4_1() -> None:
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    form = [("c2", ""), ("a3", "2 q")]

    base = base_string("post", url, [*form, *PROTOCOL.items()])

    assert base == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D"
        "%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e"
        "4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9"
        "d7dh3k39sjv7"
    )


def test_a_signature_is_that_of_rfc_5849_section_1_2() -> None:
    protocol = {
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131202",
        "oauth_nonce": "chapoH",
    }
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"

    made = signature(
        base_string("GET", url, protocol.items()), "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"
    )

    assert made == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.x.com/2/tweets", "https://api.x.com/2/tweets"),
        ("https://api.x.com:443/2/tweets", "https://api.x.com/2/tweets"),
        ("http://127.0.0.1:18080/2/tweets", "http://127.0.0.1:18080/2/tweets"),
        ("http://[::1]:80/2/tweets", "http://[::1]/2/tweets"),
        ("https://api.x.com", "https://api.x.com/"),
    ],
)
def test_the_address_is_signed_without_its_usual_port(url: str, address: str) -> None:
    assert unquote(base_string("GET", url, []).split("&")[1]) == address


def test_a_header_names_all_but_the_secrets_and_is_never_the_same() -> None:
    one = authorization("POST", "https://api.x.com/2/tweets", KEYS)
    other = authorization("POST", "https://api.x.com/2/tweets", KEYS)

    names = re.findall(r'(oauth_\w+)="', one)
    assert names == [
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_token",
        "oauth_version",
    ]
    assert one != other
    assert "secret" not in one + repr(KEYS)
