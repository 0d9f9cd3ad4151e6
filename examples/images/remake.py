"""Run every example, and the command on its own data, and keep the pictures here.

They are in at most 256 colours, which makes small files. From the repository:

    python examples/images/remake.py            # all of them
    python examples/images/remake.py dropout    # of plot_dropout.py alone
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

here = Path(__file__).resolve().parent
wanted = sys.argv[1:] or ["skreg", *(path.stem[5:] for path in here.parent.glob("plot_*.py"))]
with tempfile.TemporaryDirectory() as scratch:
    for name in sorted(wanted):
        script = [str(here.parent / f"plot_{name}.py"), scratch]
        run = ["-m", "skreg", "--out", scratch] if name == "skreg" else script
        subprocess.run([sys.executable, *run], check=True)
    for picture in sorted(Path(scratch).glob("*.png")):
        few_colours = Image.open(picture).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few_colours.save(here / picture.name, optimize=True)
