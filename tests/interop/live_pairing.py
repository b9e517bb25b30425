"""Every pairing direction and every way to the other side (points 1 and 4) with a live peer. Each case makes its own stage;
role "browser": the peer accepts our archive's invitation, "node": our sparse node accepts the peer's."""
from live import NOT_TRIED, Proxy, RpcError, Stage, free_port, now_ms, slack, until
from live_servers import Certificate, EmbeddedRelay, Relay, ReferenceRelay, TlsRelay

CHUM_LIMIT_MS = 1500


def meet(s, **options):
    """Pairs, and talks both ways; CHUM has to run soon."""
    ms = s.pair_up(**options)
    assert ms <= slack() * CHUM_LIMIT_MS, f"CHUM {ms:.0f} ms after the pairing"
    s.talk(first="we" if s.role == "browser" else "they")
    return f"CHUM after {max(ms, 0):.0f} ms"


def on_stage(role, play, *peer_options, **options):
    s = Stage(role, *peer_options, **options)
    try:
        return play(s)
    except BaseException as failure:
        failure.add_note(s.report())
        raise
    finally:
        s.clean()


def over_address(role, host):
    shown = f"[{host}]" if ":" in host else host
    if role == "browser":
        return on_stage(role, meet, up=("--listen", f"{shown}:0"))
    return on_stage(role, meet, "--listen", str(free_port()), "--host", host)


def over_localhost(role):
    return over_address(role, "localhost")


def over_ipv4(role):
    return over_address(role, "127.0.0.1")


def over_ipv6(role):
    return over_address(role, "::1")


def registered(s, url):
    return any(x["url"] == url and x["state"] == "listening" for x in s.t.call("status")["archive"]["listeners"])


def at_relay(role, relay, play, **options):
    """play on a stage where the side that does not dial is registered at the relay."""
    def play_when_registered(s):
        if role == "browser":
            until(lambda: registered(s, relay.url), "our archive is registered")
        return play(s)

    if role == "browser":
        options["up"] = ("--relay", relay.url)
    try:
        return on_stage(role, play_when_registered, "--relay", relay.url, relay=relay, **options)
    finally:
        relay.stop()


def meet_at(role, relay, **options):
    return at_relay(role, relay, lambda s: meet(s, via="relay"), **options)


def through_our_relay(role):
    return meet_at(role, Relay())


def through_their_relay(role):
    return meet_at(role, ReferenceRelay())


def through_an_embedded_relay(role):
    return meet_at(role, EmbeddedRelay())


def through_a_relay_with_tls(role):
    """The relay is behind a proxy that ends TLS; both sides know the certificate."""
    certificate = Certificate()
    try:
        return meet_at(role, TlsRelay(certificate), environment={"TANDEM_TLS_CA_FILE": certificate.file},
                       peer_environment={"NODE_EXTRA_CA_CERTS": certificate.file})
    finally:
        certificate.clean()


def meet_again(proxy, url):
    """The network is cut; all that the peer knows of us is the endpoint in our profile, and the proxy is there."""
    def play(s):
        met = meet(s)
        known = s.peer.ask("urls", "urls", person=s.ours)["urls"]
        assert set(known) == {url}, known
        proxy.cut()
        until(lambda: not s.connected(), "we notice")
        proxy.mend()
        s.chum_after(now_ms())
        s.talk()
        assert proxy.pairs
        return met
    return play


def over_tls(role):
    """wss:// through a proxy that ends TLS; the dialling side knows the certificate."""
    certificate = Certificate()
    port = free_port()
    proxy = Proxy(port, certificate.wrap)
    url = f"wss://localhost:{proxy.port}"
    try:
        if role == "browser":
            return on_stage(role, meet_again(proxy, url), up=("--listen", f"localhost:{port}", "--public-url", url),
                            peer_environment={"NODE_EXTRA_CA_CERTS": certificate.file})
        return on_stage(role, meet, "--listen", str(port), "--url", url, environment={"TANDEM_TLS_CA_FILE": certificate.file})
    finally:
        proxy.close()
        certificate.clean()


def over_tls_with_unknown_certificate(role):
    if role == "browser":
        return NOT_TRIED  # the peer's own business
    certificate = Certificate()
    port = free_port()
    proxy = Proxy(port, certificate.wrap)

    def play(s):
        try:
            s.call("pairing.accept", invitation=s.peer.ask("invite", "invitation")["invitation"])
        except RpcError as refused:
            return refused.code
        raise AssertionError("an unknown certificate was accepted")

    try:
        return on_stage(role, play, "--listen", str(port), "--url", f"wss://localhost:{proxy.port}")
    finally:
        proxy.close()
        certificate.clean()


CASES = [
    ("1", "pairing, CHUM, chat over ws://localhost", over_localhost),
    ("1", "the same over 127.0.0.1", over_ipv4),
    ("1", "the same over [::1]", over_ipv6),
    ("1", "the same over wss:// with an own CA", over_tls),
    ("1", "wss:// with an unknown certificate is refused", over_tls_with_unknown_certificate),
    ("4", "pairing, CHUM, chat through tandem-relay", through_our_relay),
    ("4", "the same through the reference's communication server", through_their_relay),
    ("4", "the same through the relay of an archive", through_an_embedded_relay),
    ("4", "the same through a relay at wss://", through_a_relay_with_tls),
]
