"""Bugs put in on purpose: the property tests have to find each of them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPIED = ("conversations", "acd", "tests/conversations", "tests/acd")
LIVES = "tests/conversations/test_life.py"
REPLIES = "tests/conversations/test_reply_life.py"
REPLY_STEPS = "tests/conversations/test_reply_steps.py"
CHANGES = "tests/conversations/test_reply_changes.py"
JOINED = "tests/conversations/test_joined_lives.py"
MATCHES = "tests/acd/test_matching_properties.py"
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider")

CONFTEST = """
from hypothesis import Phase, settings

# Found is enough: no shrinking, and the same examples every time.
settings.register_profile(
    "seeded", derandomize=True, database=None, deadline=None, phases=[Phase.generate]
)
settings.load_profile("seeded")
"""


@dataclass(frozen=True)
class Bug:
    """A line of a module, what it becomes, and the tests that have to notice."""

    name: str
    module: str
    line: str
    becomes: str
    noticed_by: str


BUGS = (
    Bug(
        "the window ends a moment too early",
        "conversations/lifecycle.py",
        "Due(conversation.affinity_until + 1, c.Lapse())",
        "Due(conversation.affinity_until, c.Lapse())",
        LIVES,
    ),
    Bug(
        "the holder forgets the wrap-up",
        "conversations/model.py",
        "case ConversationState.CONNECTED | ConversationState.HELD | ConversationState.WRAPUP:",
        "case ConversationState.CONNECTED | ConversationState.HELD:",
        LIVES,
    ),
    Bug(
        "an offer reserves nothing",
        "conversations/transitions.py",
        "Offer(offer_id, standing.agent_id, expires_at, standing.weight_percent)",
        "Offer(offer_id, standing.agent_id, expires_at, 0)",
        LIVES,
    ),
    Bug(
        "101 percent fit",
        "acd/utilization.py",
        "agent.load_percent + utilization.percent <= FULL_PERCENT",
        "agent.load_percent + utilization.percent <= FULL_PERCENT + 1",
        MATCHES,
    ),
    Bug(
        "who declined is asked again",
        "acd/eligibility.py",
        "p.agent_id == agent_id and p.until > now",
        "p.agent_id == agent_id and p.until < 0",
        LIVES,
    ),
    Bug(
        "an outage is the agent's fault",
        "conversations/system_commands.py",
        "now - offer.expires_at > BLAMELESS_AFTER_MS",
        "now - offer.expires_at > BLAMELESS_AFTER_MS * 1000",
        LIVES,
    ),
    Bug(
        "a late pick-up wins",
        "conversations/agent_commands.py",
        "command.received_at > offer.expires_at",
        "command.received_at > offer.expires_at + 60_000",
        LIVES,
    ),
    Bug(
        "a transfer makes a conversation young again",
        "conversations/agent_commands.py",
        "queued_at=conversation.queued_at if policy.keeps_age_on_transfer else now,",
        "queued_at=now,",
        LIVES,
    ),
    Bug(
        "a conversation lapses while a reply is on its way",
        "conversations/transitions.py",
        "conversation.unanswered_count <= 0 and conversation.unsettled_replies == 0",
        "conversation.unanswered_count <= 0",
        LIVES,
    ),
    Bug(
        "a match forgets what it gave away",
        "acd/matching.py",
        "self.free[agent_id] = fuller",
        "pass",
        MATCHES,
    ),
    Bug(
        "nobody is offered what waits for a preferred agent, for ever",
        "acd/matching.py",
        "return conversation.preferred_until is not None and now < conversation.preferred_until",
        "return conversation.preferred_until is not None",
        MATCHES,
    ),
    Bug(
        "a merge forgets what was answered",
        "conversations/joining.py",
        "answered_count=target.answered_count + source.answered_count,",
        "answered_count=target.answered_count,",
        JOINED,
    ),
    Bug(
        "a split counts an answer on both sides",
        "conversations/joining.py",
        "answered_count=min(conversation.answered_count, left.answered_count),",
        "answered_count=conversation.answered_count,",
        JOINED,
    ),
    Bug(
        "a split takes the key along",
        "conversations/joining.py",
        'affinity_key=f"{conversation.affinity_key}.{new_id}",',
        "affinity_key=conversation.affinity_key,",
        JOINED,
    ),
    Bug(
        "a conversation that came back stays merged",
        "conversations/joining.py",
        "merged_into=None,\n        reopened_at=now,",
        "reopened_at=now,",
        JOINED,
    ),
    Bug(
        "a merged conversation keeps its posts",
        "conversations/joining.py",
        "        post_count=0,\n        answered_count=0,",
        "        answered_count=0,",
        JOINED,
    ),
    Bug(
        "a consultation outlives its owner",
        "conversations/transitions.py",
        '        "consulted_agent_id": None,\n',
        "",
        LIVES,
    ),
    Bug(
        "an attempt's deadline is ignored",
        "conversations/replies.py",
        "if _is_in_flight(reply, now):",
        "if _is_in_flight(reply, now) and now < 0:",
        REPLIES,
    ),
    Bug(
        "absence is believed at once",
        "conversations/replies.py",
        "case Certainty.NOT_ACCEPTED if now >= _visible_at(reply, outcome):",
        "case Certainty.NOT_ACCEPTED:",
        REPLIES,
    ),
    Bug(
        "what is hidden for a while counts as absent",
        "conversations/replies.py",
        "(reply.attempt_until or reply.created_at) + outcome.visible_within_ms",
        "(reply.attempt_until or reply.created_at)",
        REPLIES,
    ),
    Bug(
        "maybe is sent again unasked",
        "conversations/replies.py",
        "if reply.state is ReplyState.ACCEPTED or read_back is",
        "if reply.state is not ReplyState.SENT or read_back is",
        REPLIES,
    ),
    Bug(
        "a refused repetition settles the doubt",
        "conversations/replies.py",
        "case Certainty.NOT_ACCEPTED if reply.is_in_doubt:",
        "case Certainty.NOT_ACCEPTED if False:",
        REPLY_STEPS,
    ),
    Bug(
        "a rejected repetition settles the doubt",
        "conversations/replies.py",
        "case Certainty.REJECTED if reply.is_in_doubt:",
        "case Certainty.REJECTED if False:",
        REPLY_STEPS,
    ),
    Bug(
        "a thread counts as sent with its first post",
        "conversations/replies.py",
        "is_last = index + 1 == len(parts)",
        "is_last = index + 1 <= len(parts)",
        REPLIES,
    ),
    Bug(
        "all posts of a reply have one key",
        "conversations/reply_parts.py",
        "return reply_id if index == 0 else",
        "return reply_id if index >= 0 else",
        REPLIES,
    ),
    Bug(
        "a later part is taken for one that was tried before",
        "conversations/replies.py",
        "return self.attempts - sum(part.attempts for part in self.parts)",
        "return self.attempts",
        REPLIES,
    ),
    Bug(
        "nothing waits for second thoughts",
        "conversations/replies.py",
        "if may_be_withdrawn(reply, now):\n        return NextStep(Step.WAIT",
        "if may_be_withdrawn(reply, now) and now < 0:\n        return NextStep(Step.WAIT",
        REPLIES,
    ),
    Bug(
        "an edit is repeated while the one before may still arrive",
        "conversations/reply_changes.py",
        "attempt_until=change.attempt_until if outcome.may_still_arrive else None,",
        "attempt_until=None,",
        CHANGES,
    ),
    Bug(
        "an edit is done with its first post",
        "conversations/reply_changes.py",
        "if done < _posts(reply, change):",
        "if done < 1:",
        CHANGES,
    ),
)


def copy_into(folder: Path) -> None:
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "tests" / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")


def run_tests(folder: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    """Run tests on the copy alone: the project itself is not on its path.

    Properties need none of pytest's plugins, which take three times as long to load as they run.
    """
    alone = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, *PYTEST, *paths],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **alone},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_found(bug: Bug, tmp_path: Path) -> None:
    copy_into(tmp_path)
    module = tmp_path / bug.module
    source = module.read_text()
    assert source.count(bug.line) == 1, f"{bug.module} has changed: seed this bug anew"
    module.write_text(source.replace(bug.line, bug.becomes))
    finished = run_tests(tmp_path, bug.noticed_by)
    assert finished.returncode == 1, finished.stdout[-2000:]
    assert "AssertionError" in finished.stdout, finished.stdout[-2000:]


def test_without_a_bug_tests_on_a_copy_pass(tmp_path: Path) -> None:
    copy_into(tmp_path)
    finished = run_tests(tmp_path, REPLIES)
    assert finished.returncode == 0, finished.stdout[-4000:]
