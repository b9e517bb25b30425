// The federation as a picture: both nodes, relays, who they are connected with, and how the lines are; below it the same in words.
import { el, svg, table } from '/dom.js';
import { plain, size, text } from '/texts.js';

const HEIGHT = 420;
const RADIUS = 26;
const AROUND = 24; // are drawn; the table has all
const NARROW = 600; // pixels below which lines say less
const LETTER = 3.4; // half of one's width

export class Network {
    #model;
    #picture = el('div', { class: 'card picture' });
    #words = el('div');
    #before = new Map(); // of each connection: when it was looked at, and its bytes then
    node;

    constructor(model) {
        this.#model = model;
        this.node = el('div', { class: 'sheet' }, el('h2', {}, text('network')), this.#picture, this.#words);
        new ResizeObserver(() => this.draw()).observe(this.#picture);
    }

    #rate({ id, node, bytesSent, bytesReceived }) {
        const now = performance.now();
        const bytes = bytesSent + bytesReceived;
        const key = `${node} ${id}`;
        const before = this.#before.get(key) ?? { at: now, bytes, rate: 0 };
        const due = now - before.at > 500;
        const rate = due ? (bytes - before.bytes) * 1000 / (now - before.at) : before.rate;
        this.#before.set(key, due ? { at: now, bytes, rate } : before);
        return rate;
    }

    #lines() {
        const { connections } = this.#model;
        return ['archive', 'sparse'].flatMap(node => connections[node].map(c => ({ ...c, node, rate: this.#rate({ ...c, node }),
            own: this.#model.isSelf(c.remotePersonId), relay: c.transport === 'relay' ? this.#relayOf(c.url) : null })));
    }

    // The key of a place: a relay is at its address.
    #relayOf(url) {
        try {
            return `relay ${new URL(url).host}`;
        } catch {
            return 'relay';
        }
    }

    // Where we wait at relays, also while nobody comes that way; their rate is that of all who do.
    #relays(lines) {
        const found = new Map();
        for (const node of ['archive', 'sparse']) {
            for (const { type, url, state } of this.#model.status?.[node]?.listeners ?? []) {
                if (type === 'relay') {
                    found.set(this.#relayOf(url), { node, state, live: state === 'listening', rate: 0 });
                }
            }
        }
        for (const { relay, live, node, rate } of lines.filter(line => line.relay && line.live)) {
            const before = found.get(relay) ?? { node, state: 'inUse', live, rate: 0 };
            found.set(relay, { ...before, rate: before.rate + rate });
        }
        return found;
    }

    #places(width, relays) {
        const around = [...this.#model.others.map(contact => contact.personId).slice(0, AROUND), ...relays.keys()];
        const places = new Map([['archive', [width / 2 - 60, HEIGHT / 2]], ['sparse', [width / 2 + 60, HEIGHT / 2]]]);
        around.forEach((key, i) => {
            const angle = 2 * Math.PI * i / around.length - Math.PI / 2;
            places.set(key, [width / 2 + Math.cos(angle) * (width / 2 - 70), HEIGHT / 2 + Math.sin(angle) * (HEIGHT / 2 - 60)]);
        });
        return places;
    }

    #said(line, width) {
        const latency = typeof line.latencyMs === 'number' ? text('milliseconds', Math.round(line.latencyMs)) : null;
        const state = width < NARROW ? null : text(`line_${line.state}`);
        return [state, latency, text('perSecond', size(line.rate))].filter(part => part !== null).join(', ');
    }

    #line(from, to, line, width) {
        const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
        const said = line ? this.#said(line, width) : '';
        const half = LETTER * said.length;
        const shift = from[1] === to[1] ? -40 : -8;
        return [svg('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: line?.live ? 'live' : '' }),
            svg('text', { x: Math.min(Math.max(x, half), width - half), y: y + shift, class: 'dim' }, said)];
    }

    #node([x, y], name, kind) {
        return [kind === 'relay' ? svg('rect', { x: x - RADIUS, y: y - RADIUS * 0.7, width: 2 * RADIUS, height: RADIUS * 1.4, rx: 6 })
            : svg('circle', { cx: x, cy: y, r: RADIUS, class: kind }),
        svg('text', { x, y: y < HEIGHT / 2 - RADIUS ? y - RADIUS - 8 : y + RADIUS + 16 },
            name.length > 16 ? `${name.slice(0, 15)}…` : name)];
    }

    #draw(lines, width) {
        const relays = this.#relays(lines);
        const places = this.#places(width, relays);
        const drawn = [this.#line(places.get('archive'), places.get('sparse'), lines.find(line => line.own), width)];
        for (const [key, relay] of relays) {
            drawn.push(this.#line(places.get(relay.node), places.get(key), relay, width));
        }
        for (const { personId, pairedWith } of this.#model.others.slice(0, AROUND)) {
            const line = lines.find(l => l.remotePersonId === personId && l.live) ?? lines.find(l => l.remotePersonId === personId);
            const from = line?.live && line.relay ? line.relay : line?.node ?? (pairedWith?.includes('sparse') ? 'sparse' : 'archive');
            drawn.push(this.#line(places.get(from), places.get(personId), line, width));
        }
        for (const [key, place] of places) {
            const own = key === 'archive' || key === 'sparse';
            const kind = own ? 'own' : relays.has(key) ? 'relay' : '';
            const name = own ? text(key) : kind === 'relay' ? key.replace('relay ', '') : this.#model.nameOf(key);
            drawn.push(this.#node(place, name, kind));
        }
        return svg('svg', { role: 'img', 'aria-label': text('picture'), width, height: HEIGHT,
            viewBox: `0 0 ${width} ${HEIGHT}` }, drawn.flat());
    }

    #who({ own, remotePersonId }) {
        return own ? text('own') : remotePersonId ? this.#model.nameOf(remotePersonId) : text('stranger');
    }

    #connections(lines) {
        const heads = ['who', 'how', 'state', 'latency', 'rate', 'transferred'].map(head => text(head));
        return table(text('lines'), heads, lines.map(line => [`${text(line.node)} – ${this.#who(line)}`,
            [line.transport, line.protocol].filter(Boolean).join(', '), text(`line_${line.state}`),
            typeof line.latencyMs === 'number' ? text('milliseconds', Math.round(line.latencyMs)) : '–',
            text('perSecond', size(line.rate)), `${size(line.bytesReceived)} / ${size(line.bytesSent)}`]));
    }

    #listeners() {
        const row = (node, { type, url, state, spares }) =>
            [`${text(node)} – ${text(`listener_${type}`)}`, plain(url ?? ''), text(`line_${state}`), spares ?? '–'];
        const rows = ['archive', 'sparse'].flatMap(node => (this.#model.status?.[node]?.listeners ?? []).map(one => row(node, one)));
        return rows.length === 0 ? [] : [table(text('listeners'), ['where', 'address', 'state', 'spares'].map(head => text(head)), rows)];
    }

    draw() {
        const lines = this.#lines();
        const width = Math.max(this.#picture.clientWidth - 32, 240);
        this.#picture.replaceChildren(this.#draw(lines, width));
        this.#words.replaceChildren(lines.length === 0 ? el('p', { class: 'hint' }, text('noLines')) : this.#connections(lines),
            ...this.#listeners());
    }
}
