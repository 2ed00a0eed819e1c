"""What has happened by the time the pictures are taken."""

from tests.e2e.running import eventually
from tests.screenshots.stage import Stage


def play(stage: Stage) -> None:
    """Bring the floor into the state that the pictures show."""
    others_are_busy(stage)
    stage.on_queue("agent-7")
    the_middle(stage)
    what_an_agent_has_besides(stage)
    some_wait(stage)


def others_are_busy(stage: Stage) -> None:
    """Leave agent-9 some room for the talk in the middle, and agent-8 none."""
    stage.on_queue("agent-8")
    stage.says("brass_arm", "the arm of the reading lamp sinks.", to="lamp_repairs")
    path = stage.takes("agent-8", "brass_arm")
    stage.replies("agent-8", path, "Which model is it? The number is under the foot.")
    for handle, text in {
        "cord_9": "the cord came without a plug",
        "spark_2": "it smells of dust when it is new, is that right?",
        "tall_shade": "how do I get the shade off?",
    }.items():
        stage.says(handle, text, to="lamp_repairs")
        stage.takes("agent-8", handle)
    stage.on_queue("agent-9")
    stage.says("two_bills", "charged twice for one lamp!", to="lamp_billing")
    path = stage.takes("agent-9", "two_bills")
    stage.replies("agent-9", path, "We see both charges. One goes back today.")
    stage.agents["agent-9"].ok("POST", f"{path}/hold", {})
    stage.says("refund_31", "when does the money come?", to="lamp_billing")
    stage.takes("agent-9", "refund_31")
    for name, reason in {
        "agent-10": "Lunch",
        "agent-11": "Training",
        "agent-12": "Meeting",
    }.items():
        stage.on_queue(name)
        stage.status(name, "off_queue", reason)


def what_an_agent_has_besides(stage: Stage) -> None:
    """One is private, one held, one parked, one offered."""
    me = stage.agents["agent-7"]
    stage.says("attic_7", "My number is in the mail, please do not post it.", privately=True)
    path = stage.takes("agent-7", "attic_7")
    stage.replies("agent-7", path, "We have it, thank you. Nobody else sees this.")
    stage.says("night_owl_88", "does the dimmer hum with every lamp?", ago_s=120)
    path = stage.takes("agent-7", "night_owl_88")
    me.ok("POST", f"{path}/hold", {})
    stage.says("porch_light", "can I change the address of order 4712?", ago_s=180)
    path = stage.takes("agent-7", "porch_light")
    stage.replies("agent-7", path, "Yes, until it leaves us on Friday. Which address is it?")
    me.ok("POST", f"{path}/park", {"reason": "waits for the customer"})
    stage.says("green_lamp_21", "my order 4711 should be here since Monday. Where is it?")
    stage.conversation("green_lamp_21")


def the_middle(stage: Stage) -> None:
    stage.says("ferry42", "the new lamp flickers at 50 %. Known?", ago_s=240)
    path = stage.takes("agent-7", "ferry42")
    stage.status("agent-9", "draining")
    stage.says("ferry42", "It is the one with the brass foot, bought in May", ago_s=200)
    stage.replies("agent-7", path, "It is, with some dimmers. Which one is in the wall?")
    note = "Second one this week: repairs asks for the dimmer's make."
    stage.agents["agent-7"].ok("POST", f"{path}/notes", {"text": note})
    stage.says("ferry42", "An old one, I do not know. A picture: https://pictures.example/dimmer")

    def heard() -> bool:
        return bool(stage.admin.ok("GET", path)["post_count"] == 3)

    eventually(heard, "all is heard", 20)


def some_wait(stage: Stage) -> None:
    waiting = {
        "lamp_repairs": {"hinge_3": "the hinge squeaks", "shade_a": "my shade came torn."},
        "lamp_billing": {"paper_bill": "can I have the bill on paper?", "vat_55": "VAT number?"},
    }
    for to, said in waiting.items():
        for handle, text in said.items():
            stage.says(handle, text, to=to)
            stage.conversation(handle, state="queued")
