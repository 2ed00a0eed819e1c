"""Pictures of the real pages for docs/images: `python -m tests.screenshots [NAME …]`."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.running import Running
from tests.screenshots.morning import play
from tests.screenshots.pictures import PICTURES, Studio
from tests.screenshots.stage import Stage
from tests.simulated_network.network import Network

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
LARGEST_BYTES = 300_000


def take(names: list[str]) -> None:
    """Play the morning on a Parley of its own, then take these pictures of it."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "network").mkdir()
        network = Network(Path(temporary) / "network")
        network.start()
        running = Running(Path(temporary)).start()
        try:
            stage = Stage(running, network)
            play(stage)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
                )
                studio = Studio(browser, stage, folder)
                for name in names:
                    PICTURES[name](studio)
                browser.close()
        finally:
            running.stop()
            network.stop()


def main() -> None:
    names = sys.argv[1:] or list(PICTURES)
    if unknown := set(names) - set(PICTURES):
        sys.exit(f"No such picture: {', '.join(sorted(unknown))}. There are: {', '.join(PICTURES)}")
    if CHROMIUM is None:
        sys.exit("There is no Chromium here: scripts/setup-tests installs it.")
    take(names)
    for path in sorted((ROOT / "docs" / "images").glob("*.png")):
        size = path.stat().st_size
        sys.stdout.write(f"{path.relative_to(ROOT)}  {size // 1000} kB\n")
        if size > LARGEST_BYTES:
            sys.exit(f"{path.name} is too large for the repository: {size} bytes")


if __name__ == "__main__":
    main()
