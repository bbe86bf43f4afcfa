"""Makes the helpers beside these tests importable, and leaves out the tests of machines that PIS does not name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from machine import PIS_32, PIS_64

collect_ignore = [*([] if PIS_32 else ["test_32_bit.py"]), *([] if PIS_64 else ["test_deploy.py", "test_userland.py"])]
