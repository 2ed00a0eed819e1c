import json
import subprocess
import sys

from bench import machine

BUSY = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"


def test_the_work_of_our_own_children_is_not_the_neighbours() -> None:
    before_s = machine._own_s()
    subprocess.run([sys.executable, "-c", BUSY], check=True)

    assert machine._own_s() - before_s >= 0.5


def test_neighbours_have_a_share_of_the_machine() -> None:
    neighbours = machine.Neighbours()
    subprocess.run([sys.executable, "-c", BUSY], check=True)

    assert 0 <= neighbours.percent() <= 100


def test_the_machine_is_written_plainly() -> None:
    described = machine.this_machine("PostgreSQL 15.18").as_json()

    assert json.loads(json.dumps(described)) == described
    assert described["cores"]
