// What the stores of both nodes hold, the biggest first.
import { bar, el, table } from '/dom.js';
import { size, text } from '/texts.js';

const ROWS = 15; // the rest is one

export class Storage {
    #model;
    #nodes = el('div', { class: 'cards' });
    node;

    constructor(model) {
        this.#model = model;
        this.node = el('div', { class: 'sheet' }, el('h2', {}, text('storage')), this.#nodes);
    }

    #name({ type, kind, state }) {
        const presence = state === 'present' ? '' : text(`presence_${state}`);
        return [kind === 'file' ? text('files') : type, kind === 'id' ? text('ids') : '', presence].filter(Boolean).join(', ');
    }

    #of(node, { objects, bytes, items }) {
        const rest = items.slice(ROWS).reduce((sum, item) => ({ objects: sum.objects + item.objects, bytes: sum.bytes + item.bytes }),
            { objects: 0, bytes: 0 });
        const most = Math.max(1, ...items.map(item => item.bytes), rest.bytes);
        const row = (name, item) => [name, item.objects, size(item.bytes), bar(item.bytes / most)];
        const rows = [...items.slice(0, ROWS).map(item => row(this.#name(item), item)), ...rest.objects ? [row(text('rest'), rest)] : []];
        return el('section', { class: 'card', 'aria-label': text(node) }, el('h3', {}, text(node)),
            el('p', {}, text('holds', objects, size(bytes))),
            table(text('byType'), ['what', 'objects', 'size', 'share'].map(head => text(head)), rows));
    }

    draw() {
        const now = JSON.stringify(this.#model.storage);
        if (this.#nodes.dataset.mark !== now) {
            this.#nodes.dataset.mark = now;
            this.#nodes.replaceChildren(...Object.entries(this.#model.storage).map(([node, found]) => this.#of(node, found)));
        }
    }
}
