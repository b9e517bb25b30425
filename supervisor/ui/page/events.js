// What happened, as both nodes and the supervisor tell it, the newest first.
import { arrange, el, field, Kept, line, table } from '/dom.js';
import { clock, plain, text } from '/texts.js';

const KINDS = ['chat', 'message', 'connection', 'chum', 'contact', 'pairing', 'node', 'object', 'version', 'sync', 'blob'];
const SHORT = 12; // digits of an id

export class Events {
    #model;
    #heads = ['when', 'where', 'event', 'details'].map(head => text(head));
    #kind = el('select', { onchange: () => this.draw() }, el('option', { value: '' }, text('everything')),
        KINDS.map(kind => el('option', {}, kind)));
    #rows = new Kept(event => this.#row(event));
    #body;
    node;

    constructor(model) {
        this.#model = model;
        const shown = table(text('happened'), this.#heads, []);
        this.#body = shown.querySelector('tbody');
        this.node = el('div', { class: 'sheet' }, el('h2', {}, text('events')), field(text('kind'), this.#kind), shown);
    }

    #value(value) {
        const words = typeof value === 'string' ? plain(value) : JSON.stringify(value);
        return /^[0-9a-f]{64}$/.test(words) ? this.#model.contacts.some(c => c.personId === words) ? this.#model.nameOf(words)
            : `${words.slice(0, SHORT)}…` : words;
    }

    #row({ node, event, time: at, data }) {
        return line(this.#heads, [clock(at), text(node), event,
            Object.entries(data ?? {}).map(([name, value]) => `${name} ${this.#value(value)}`).join(', ')]);
    }

    draw() {
        const kind = this.#kind.value;
        const wanted = this.#model.events.filter(({ event }) => kind === '' || event.startsWith(`${kind}.`));
        arrange(this.#body, this.#rows.show(wanted.map(event => [`${event.time} ${event.seq}`, event])));
    }
}
