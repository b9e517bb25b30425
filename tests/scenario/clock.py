"""A wall clock that runs off for the processes of an installation (supervisor/simulate/clock_shift.c)."""
import os
import shutil
import struct
import tempfile

from control import BIN


class Clock:
    """One that can be put forward and back. Its environment is that of the processes."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-clock-")
        self.file = os.path.join(self.folder, "shift")
        self.put(0)
        library = os.path.realpath(os.path.join(BIN, os.pardir, "supervisor", "simulate", "clock-shift.so"))
        assert os.path.exists(library), library
        library = shutil.copy(library, self.folder)  # its folder is one that the nodes may read
        self.environment = {"LD_PRELOAD": library, "TANDEM_CLOCK_SHIFT": self.file}

    def put(self, seconds):
        with open(self.file, "r+b" if os.path.exists(self.file) else "wb") as file:
            file.write(struct.pack("<q", seconds))

    def clean(self):
        shutil.rmtree(self.folder)
