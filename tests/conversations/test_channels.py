import pytest

from conversations.channels import belongs
from conversations.model import Author, Post

ANNA = Author("c-1", handle="customer_1")


def post(text: str, *mentions: str) -> Post:
    return Post("p-1", ANNA, text, 0, mentions=mentions)


def test_a_channel_without_handles_and_keywords_takes_everything() -> None:
    assert belongs(post("anything"), handles=[], keywords=[])


@pytest.mark.parametrize("text", ["@Acme hello", "hello (@ACME)", "hello .@acme, where"])
def test_a_post_that_names_a_handle_belongs_in_any_case(text: str) -> None:
    assert belongs(post(text), handles=["@acme"], keywords=[])
    assert belongs(post(text), handles=["aCme"], keywords=["else"])


@pytest.mark.parametrize("text", ["@acmecare hello", "mail me@acme", "acme is bad", "@acme.care"])
def test_a_similar_handle_is_another_one(text: str) -> None:
    assert not belongs(post(text), handles=["acme"], keywords=[])


def test_an_answer_names_its_handle_beside_the_text() -> None:
    assert belongs(post("and now?", "Acme"), handles=["acme"], keywords=[])
    assert not belongs(post("and now?", "other"), handles=["acme"], keywords=[])


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("My PARCEL is late", "parcel"),
        ("the #acme one", "#acme"),
        ("Straße gesperrt", "STRASSE"),
        ("lost   my\nparcel", "my parcel"),
        ("注文が届かない", "注文"),
        ("C++ is hard", "c++"),
        ("parcel", " parcel "),
        ("nos colis, vos colis", "colis"),
        ("今parcel", "parcel"),
        ("parcel届かない", "parcel"),
        ("a", "a"),
    ],
)
def test_a_keyword_is_found_in_any_case_and_script(text: str, keyword: str) -> None:
    assert belongs(post(text), handles=["acme"], keywords=["nothing", keyword])


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("parcels", "parcel"),
        ("a snapparcel", "parcel"),
        ("anything", "  "),
        ("axb", "a.b"),
        ("_parcel", "parcel"),
        ("parcel_1", "parcel"),
        ("x_lamp_", "_lamp_"),
        ("_lamp_x", "_lamp_"),
        ("xc++", "c++"),
    ],
)
def test_a_part_of_a_word_is_another_word(text: str, keyword: str) -> None:
    assert not belongs(post(text), handles=[], keywords=[keyword])
