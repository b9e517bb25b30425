"""A small disk of its own for an installation, that can be full and have room again."""
import os
import subprocess

ROOM = 4 << 30


def can_mount(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True).returncode == 0 \
        and subprocess.run(["umount", folder], capture_output=True).returncode == 0


class Disk:
    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "none", folder], check=True)

    def resize(self, size):
        return subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], capture_output=True).returncode == 0

    def fill(self, spare):
        """Leaves this many bytes. What is written meanwhile may be in the way."""
        for _ in range(100):
            now = os.statvfs(self.folder)
            if self.resize((now.f_blocks - now.f_bfree) * now.f_frsize + spare):
                return
        raise AssertionError(f"{self.folder} cannot be filled")

    def free(self):
        assert self.resize(ROOM)

    def end(self):
        subprocess.run(["umount", "--lazy", self.folder], check=True)
