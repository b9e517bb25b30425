// The federation as a picture: both nodes, who they are connected with, and how the lines are; below it the same in words.
import { el, svg, table } from '/dom.js';
import { size, text } from '/texts.js';

const HEIGHT = 360;
const RADIUS = 26;

export class Network {
    #model;
    #picture = el('div', { class: 'card picture' });
    #words = el('div');
    #before = new Map(); // of each connection: when it was looked at, and its bytes then
    node;

    constructor(model) {
        this.#model = model;
        this.node = el('div', { class: 'sheet' }, this.#picture, this.#words);
        new ResizeObserver(() => this.draw()).observe(this.#picture);
    }

    #rate({ id, bytesSent, bytesReceived }) {
        const now = performance.now();
        const bytes = bytesSent + bytesReceived;
        const before = this.#before.get(id) ?? { at: now, bytes, rate: 0 };
        const rate = now - before.at > 500 ? (bytes - before.bytes) * 1000 / (now - before.at) : before.rate;
        this.#before.set(id, now - before.at > 500 ? { at: now, bytes, rate } : before);
        return rate;
    }

    #lines() {
        const { connections, ownPersons } = this.#model;
        return ['archive', 'sparse'].flatMap(node => connections[node].map(c => ({ ...c, node, rate: this.#rate(c),
            own: ownPersons.includes(c.remotePersonId) })));
    }

    #places(width) {
        const people = this.#model.others;
        const places = new Map([['archive', [width / 2 - 60, HEIGHT / 2]], ['sparse', [width / 2 + 60, HEIGHT / 2]]]);
        people.slice(0, 24).forEach((contact, i) => {
            const angle = 2 * Math.PI * i / Math.min(people.length, 24) - Math.PI / 2;
            places.set(contact.personId, [width / 2 + Math.cos(angle) * (width / 2 - 70),
                HEIGHT / 2 + Math.sin(angle) * (HEIGHT / 2 - 50)]);
        });
        return places;
    }

    #line(from, to, line) {
        const said = line?.live && line.latencyMs !== null && line.latencyMs !== undefined
            ? text('milliseconds', Math.round(line.latencyMs)) : '';
        return [svg('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: line?.live ? 'live' : '' }),
            svg('text', { x: (from[0] + to[0]) / 2, y: (from[1] + to[1]) / 2 - 8, dx: from[1] === to[1] ? 0 : 28, class: 'dim' }, said)];
    }

    #node([x, y], name, own) {
        return [svg('circle', { cx: x, cy: y, r: RADIUS, class: own ? 'own' : '' }),
            svg('text', { x, y: y < HEIGHT / 2 - RADIUS ? y - RADIUS - 8 : y + RADIUS + 16 }, name.length > 16 ? `${name.slice(0, 15)}…` : name)];
    }

    #draw(lines, width) {
        const places = this.#places(width);
        const own = lines.find(line => line.own);
        const drawn = [this.#line(places.get('archive'), places.get('sparse'), own)];
        for (const contact of this.#model.others.slice(0, 24)) {
            const line = lines.find(l => l.remotePersonId === contact.personId && l.live);
            const node = line?.node ?? (contact.pairedWith?.includes('sparse') ? 'sparse' : 'archive');
            drawn.push(this.#line(places.get(node), places.get(contact.personId), line));
        }
        for (const [id, place] of places) {
            const isOwn = id === 'archive' || id === 'sparse';
            drawn.push(this.#node(place, isOwn ? text(id) : this.#model.nameOf(id), isOwn));
        }
        return svg('svg', { role: 'img', 'aria-label': text('picture'), width, height: HEIGHT,
            viewBox: `0 0 ${width} ${HEIGHT}` }, drawn.flat());
    }

    draw() {
        const lines = this.#lines();
        const width = Math.max(this.#picture.clientWidth - 32, 240);
        this.#picture.replaceChildren(this.#draw(lines, width));
        const rows = lines.map(line => [
            `${text(line.node)} – ${line.own ? text('own') : line.remotePersonId ? this.#model.nameOf(line.remotePersonId) : text('stranger')}`,
            `${line.transport}, ${line.protocol ?? ''}`, line.state,
            typeof line.latencyMs === 'number' ? text('milliseconds', Math.round(line.latencyMs)) : '–',
            text('perSecond', size(line.rate)), `${size(line.bytesReceived)} / ${size(line.bytesSent)}`]);
        this.#words.replaceChildren(rows.length === 0 ? el('p', { class: 'hint' }, text('noLines'))
            : table(text('lines'), ['who', 'how', 'state', 'latency', 'rate', 'transferred'].map(head => text(head)), rows));
    }
}
