"""Run every example and keep its picture here, in at most 256 colours, which makes a small file.

From the repository: python examples/images/remake.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

here = Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as scratch:
    for example in sorted(here.parent.glob("plot_*.py")):
        subprocess.run([sys.executable, str(example), scratch], check=True)
    for picture in sorted(Path(scratch).glob("*.png")):
        few_colours = Image.open(picture).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few_colours.save(here / picture.name, optimize=True)
