"""Ask a local port whether it is well: `python -m operation.probe PORT [PATH]` ends with 0 or 1."""

import asyncio
import sys

from operation.ports import answers_ok


def main(port: str, path: str = "/readyz") -> int:
    return 0 if asyncio.run(answers_ok(int(port), path)) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
