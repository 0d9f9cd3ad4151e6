"""Run every example, and the command on its own data, and keep the pictures here.

They are in at most 256 colours, which makes small files. From the repository:

    python examples/images/remake.py            # all of them
    python examples/images/remake.py dropout    # of plot_dropout.py alone
    python examples/images/remake.py report     # part of a page, which takes Chromium
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

here = Path(__file__).resolve().parent
REPORT = ["--model", "lasso", "ridge", "--report"]
WINDOW, PART = "960,3200", (0, 1738, 960, 2920)  # the part of the best model


def photograph_report(folder):
    """Make the page of the command's own data, and a picture of its best model's part."""
    page, picture = Path(folder, "report.html"), Path(folder, "report.png")
    subprocess.run([sys.executable, "-m", "skreg", *REPORT, page], check=True)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "google-chrome"
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WINDOW}"]
    subprocess.run([browser, *options, f"--screenshot={picture}", page.as_uri()], check=True)
    image = Image.open(picture).convert("RGB").crop(PART)
    image.resize((image.width * 3 // 4, image.height * 3 // 4)).save(picture)


wanted = sys.argv[1:] or [
    "skreg",
    "report",
    *(path.stem[5:] for path in here.parent.glob("plot_*.py")),
]
with tempfile.TemporaryDirectory() as scratch:
    for name in sorted(wanted):
        if name == "report":
            photograph_report(scratch)
            continue
        script = [str(here.parent / f"plot_{name}.py"), scratch]
        run = ["-m", "skreg", "--out", scratch] if name == "skreg" else script
        subprocess.run([sys.executable, *run], check=True)
    for picture in sorted(Path(scratch).glob("*.png")):
        page = picture.name == "report.png"  # mostly white, which costs the lines their colours
        method = Image.Quantize.FASTOCTREE if page else None
        whole = Image.open(picture).convert("RGB")
        few_colours = whole.quantize(256, method=method, dither=Image.Dither.NONE)
        few_colours.save(here / picture.name, optimize=True)
