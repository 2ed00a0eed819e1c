"""A reply that waits a moment before it leaves is taken back with one press."""

from playwright.sync_api import expect

from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row, said


def test_a_reply_is_taken_back_while_it_waits(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    world.undo_window_s = 20
    connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("too hasty")
    page.get_by_role("button", name="Send").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_contain_text("s left")

    undo.click()

    expect(said(page)).to_contain_text("It was taken back before it left.")
    expect(undo).to_have_count(0)
    page.get_by_role("button", name="Edit and try again").click()
    expect(page.get_by_label("Your reply")).to_have_value("too hasty")
