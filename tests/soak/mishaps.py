"""What happens to three of the members while all go on: kills, freezes, full disks, and restores of backups."""
import json
import os
import shutil
import signal

from checks import held_by_others
from control import SECRET, until
from crew import CALM, NAMES, NODES, kill

GENERATIONS = 5  # of one folder of backups


class Mishaps:
    def __init__(self, random, model, crew, work, settle):
        self.random, self.model, self.crew, self.work, self.settle = random, model, crew, work, settle

    def victim(self):
        return self.crew[self.random.choice([name for name in NAMES if name != CALM])]

    def some_work(self, most, member=None):
        for _ in range(self.random.randint(1, most)):
            self.work.say(member if self.random.random() < 0.5 else None)

    # --- processes ---

    def kill_node(self):
        kill(self.victim().pids()[self.random.choice(NODES)])

    def kill_both_nodes(self):
        for pid in self.victim().pids().values():
            kill(pid)

    def freeze_node(self):
        member = self.victim()
        pid = member.pids()[self.random.choice(NODES)]
        if not pid:
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            self.some_work(4, member)
        finally:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # it was found not to answer, and started anew

    def restart_node(self):
        self.work.do(self.victim(), None, "restart", self.random.choice(NODES))

    def stop_and_start(self):
        member = self.victim()
        member.t.stop()
        member.start()

    def kill_supervisor(self):
        member = self.victim()
        kill(member.t.process.pid)
        member.t.wait_exit()
        member.start()

    def kill_installation(self):
        member = self.victim()
        member.kill_all()
        member.start()

    def go_away(self):
        member = self.victim()
        self.random.choice((member.t.stop, member.kill_all))()
        for _ in range(self.random.randint(3, 10)):
            self.work.say(self.crew[self.random.choice([name for name in NAMES if name != member.name])])
        member.start()

    # --- disks ---

    def fill_disk(self):
        """Work goes on while there is no room, and a node may have to start then."""
        member = self.victim()
        if not member.disk:
            return
        member.disk.fill(self.random.choice((0, 20_000, 200_000)))
        try:
            self.some_work(10, member)
            if self.random.random() < 0.3:
                kill(member.pids()[self.random.choice(NODES)])
                self.some_work(5, member)
        finally:
            member.disk.free()
        if self.random.random() < 0.5:
            until(lambda: member.cli(None, "chat", "list", "--with", member.persons["archive"])[0] == 0, "it has room again")
        member.open()

    # --- backups ---

    def backup(self):
        self.copy(self.victim())

    def copy(self, member):
        """A backup of what goes on working meanwhile."""
        folder = os.path.join(member.backups.top, "backup")
        if len(member.generations) >= GENERATIONS:
            shutil.rmtree(folder)
            member.generations = []
        at = self.model.now()
        copying = member.begin("backup", folder)
        self.some_work(4, member)
        answer = json.loads(copying.communicate()[0])
        if copying.returncode != 0:
            assert "error" in answer, (member.name, answer)  # else it says what the store lacks
            self.work.refused["backup " + answer["error"]["code"]] += 1
            return
        member.generations.append((answer["generation"], at))
        if self.random.random() < 0.3:
            status, answer = member.cli(None, "backup", "verify", folder)
            assert status == 0, (member.name, answer)

    def restore(self):
        """The machine is gone, or what lies there is put aside; an older backup may be all there is."""
        member = self.victim()
        until(lambda: member.generations or self.copy(member), "a backup is made")
        self.some_work(20, member)
        generation, since = self.random.choice((member.generations[-1],) * 3 + (self.random.choice(member.generations),))
        self.random.choice((member.t.stop, member.kill_all))()
        held = held_by_others(self.model, member)
        options = ("--generation", str(generation))
        if self.random.random() < 0.5:
            shutil.rmtree(member.t.dir)
        else:
            options += ("--replace",)
        folder = os.path.join(member.backups.top, "backup")
        status, answer = member.cli(None, "restore", folder, *options, stdin=SECRET + "\n")
        assert status == 0, (member.name, answer)
        for name in os.listdir(member.t.dir):
            if name.startswith("replaced-"):
                path = member.t.path(name)
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        self.model.restored(member.name, since, held)
        member.start()
        self.settle()
        status, answer = member.cli(None, "verify")
        assert status == 0, (member.name, answer)
