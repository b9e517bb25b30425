#!/usr/bin/env bash
# Runs in the machine of boot.sh when it has started: what systemd does with the units.
set -uo pipefail
state=/var/lib/tandem/home
ok() { # WHAT COMMAND…
    local what=$1 out
    shift
    if out=$("$@" 2>&1); then
        echo "ok   $what"
    else
        echo "FAILED: $what"
        echo "$out"
        systemctl status --no-pager --full -n 40 'tandem*' user@1000.service
        exit 1
    fi
}
until_true() { # COMMAND…: within 2 minutes
    for _ in $(seq 240); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.5
    done
    "$@"
}
is() { [ "$(systemctl show -P "$2" "$1")" = "$3" ]; }
says() { systemctl show -P StatusText "$1" | grep -e "$2"; }
main_of() { systemctl show -P MainPID "$1"; }
none_failed() { [ "$(systemctl show -P NFailedUnits)" = 0 ]; }
another_runs() { [ "$(main_of "$1")" != "$2" ] && [ "$(main_of "$1")" != 0 ] && is "$1" ActiveState active; }

# --- The relay ---------------------------------------------------------------------------------------------------------

relay_answers() {
    exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3 && grep -q -m1 "200 OK" <&3
}
comes_back() { # UNIT SIGNAL
    local pid
    pid=$(main_of "$1")
    kill -"$2" "$pid"
    until_true another_runs "$1" "$pid"
}
try_relay() {
    ok "the relay starts" systemctl enable --now tandem-relay
    ok "it answers at once" relay_answers
    ok "killed, it is started again" comes_back tandem-relay KILL
    ok "it answers again" until_true relay_answers
    ok "standing still, it is started again by the watchdog" comes_back tandem-relay STOP
    ok "the watchdog was it" grep -q 'Watchdog timeout' <(journalctl -u tandem-relay --no-pager)
    ok "it stops" systemctl stop tandem-relay
}

# --- An installation of the system -------------------------------------------------------------------------------------

as_tandem() { runuser -u tandem -- "$@"; }
provision_home() { echo "secret of home" | as_tandem tandem --state-dir "$state" --timeout 100 provision --user home; }
make_credential() {
    systemd-creds setup && echo -n "secret of home" | systemd-creds encrypt --name=tandem.secret - /etc/tandem-home.secret &&
        mkdir -p /etc/systemd/system/tandem@home.service.d &&
        printf '[Service]\nLoadCredentialEncrypted=tandem.secret:/etc/tandem-home.secret\nEnvironment=TANDEM_AUTOSTART_SECRET=credential\n' \
            >/etc/systemd/system/tandem@home.service.d/secret.conf && systemctl daemon-reload
}
try_home() {
    ok "tandem@home starts" systemctl enable --now tandem@home
    ok "it says that it waits for its secret" says tandem@home 'waits for .tandem provision'
    ok "it is provisioned" provision_home
    ok "it says that it is federated" until_true says tandem@home Federated
    ok "killed, it is started again" comes_back tandem@home KILL
    ok "without a credential it waits for its secret" until_true says tandem@home 'waits for .tandem provision'
    ok "a credential is made" make_credential
    ok "with it, it is ready" systemctl restart tandem@home
    ok "which means federated" says tandem@home Federated
    ok "standing still, it is started again by the watchdog" comes_back tandem@home STOP
    ok "and federated" until_true says tandem@home Federated
    ok "its settings are read again" systemctl reload tandem@home
}

# --- One person's ------------------------------------------------------------------------------------------------------

as_anna() { runuser -u anna -- env XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus HOME=/home/anna "$@"; }
linger() { loginctl enable-linger anna && until_true test -S /run/user/1000/bus; }
provision_anna() { echo "secret of anna" | as_anna tandem --timeout 100 provision --user anna; }
anna_says() { as_anna systemctl --user show -P StatusText tandem | grep -e "$1"; }
try_anna() {
    ok "anna's services start without her" linger
    ok "her tandem starts" as_anna systemctl --user enable --now tandem
    ok "it says that it waits for its secret" anna_says 'waits for .tandem provision'
    ok "it is provisioned beside the other one" provision_anna
    ok "it says that it is federated" until_true anna_says Federated
    ok "its board has nothing broken" as_anna tandem health
    ok "it stops" as_anna systemctl --user stop tandem
}

echo # behind what the firmware left on this line
if [ ! -e /etc/started-once ]; then
    touch /etc/started-once
    try_relay
    try_home
    try_anna
    echo "all of the first start"
else
    ok "after the start of the machine tandem@home is federated by itself" until_true says tandem@home Federated
    ok "the relay is there as well" relay_answers
    ok "anna's waits for her secret" until_true anna_says 'waits for .tandem provision'
    ok "it opens with it" provision_anna
    ok "nothing failed" none_failed
    echo "all of the second start"
fi
