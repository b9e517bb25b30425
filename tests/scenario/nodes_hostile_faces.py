"""A contact of one identity that looks for the others of the same node (docs/security.md)."""
from control import main, until
from hostile import Crawl, Peer, Victim, id_of, link, text

WORK, CLUB = "joe@work.example", "joe@club.example"
NAMES = ("Joseph Main", "Joe at work", "Joe at the club")


class Faces(Victim):
    """A node with three identities. marks: what would give each away, ours shown or not."""

    def __init__(self, t):
        super().__init__(t)
        self.work = self.ok("identity", "add", WORK, "--name", NAMES[1])["personId"]
        self.club = self.ok("identity", "add", CLUB, "--name", NAMES[2])["personId"]
        self.ok("--node", "archive", "profile", "set", "--name", NAMES[0])
        self.marks = {i["personId"]: {i["personId"], i["instanceId"], i["email"]} for i in
                      self.ask("identity.list")["items"]}
        for person, name in zip((self.archive, self.work, self.club), NAMES):
            self.marks[person].add(name)
        self.marks[self.archive].add(self.sparse)
        self.profiles = {person: id_of("Profile", text("profileId", "default"), link("personId", "id", person),
                                       link("owner", "id", person)) for person in self.marks}

    def meet(self, peer, identity):
        invitation = self.invitation(**{"as": identity})
        assert peer.pair(invitation)["event"] == "paired"
        return invitation

    def shows(self, peer, identity, invitation):
        """Nothing but of this identity, as which the peer is connected with it."""
        peer.chum(invitation)
        shown = lambda crawl: crawl if self.profiles[identity] in crawl.texts else None
        crawl = until(lambda: shown(Crawl(peer)), "its profile is shown")
        seen = crawl.everything()
        assert identity in seen
        for other, marks in self.marks.items():
            leaked = [mark for mark in marks if other != identity and mark in seen]
            assert not leaked, (other, leaked, crawl.roots)
            for known in (other, self.profiles[other]):
                for service in (4, 5, 6, 7, 8):
                    assert other == identity or crawl.ask(service, known)["type"] == "error", (service, known)
        peer.close()
        return crawl


def test_a_contact_of_one_identity_learns_of_no_other(t):
    faces = Faces(t)
    with Peer("eve@example.org") as eve:
        invitation = faces.meet(eve, faces.work)
        faces.ok("chat", "send", "--as", WORK, "--to", eve.person, "from work")
        for mistake in (("topic", "create", "--with", eve.person), ("topic", "create", "--name", "x", "--with", eve.person),
                        ("share", "grant", "--id", faces.profiles[faces.archive], "--with", eve.person),
                        ("share", "grant", "--id", faces.profiles[faces.club], "--with", eve.person)):
            faces.cli("--node", "archive", *mistake)  # whether it is refused or not
        until(lambda: "from work" in faces.shows(eve, faces.work, invitation).everything(), "the message comes")
        offered = str(faces.ask("roots.list", **{"for": eve.person})["items"])
        assert faces.profiles[faces.work] in offered and not any(
            faces.profiles[other] in offered for other in (faces.archive, faces.club)), offered
        eve.do("chum", invitation=faces.invitation())  # the key of the main one
        assert eve.wait("ready", "closed")["event"] == "closed"
    faces.is_well()


def test_a_contact_of_two_sees_two(t):
    faces = Faces(t)
    with Peer("eve@example.org") as eve:
        met = {person: faces.meet(eve, person) for person in (faces.archive, faces.club)}
        shared = faces.ask("object.put", object={"$type$": "PersonName", "name": "shared with her"})["hash"]
        faces.ask("share.grant", object=shared, **{"with": eve.person})
        crawls = {person: faces.shows(eve, person, invitation) for person, invitation in met.items()}
        assert shared in crawls[faces.archive].texts and shared not in crawls[faces.club].texts
        assert crawls[faces.archive].texts.keys() & crawls[faces.club].texts.keys() <= {eve.person}
    faces.is_well()


if __name__ == "__main__":
    main(globals())
