// What works and what does not, part by part.
import { el, table } from '/dom.js';
import { size, text } from '/texts.js';

const TONES = { working: 'good', failing: 'bad', idle: 'dim', running: 'good', failed: 'bad' };

function word(name) {
    return el('span', { class: TONES[name] ?? 'wait' }, name === 'failed' ? text('failing') : text(name));
}

export class Board {
    #model;
    node = el('div', { class: 'sheet' });

    constructor(model) {
        this.#model = model;
    }

    draw() {
        const { status, health } = this.#model;
        if (status === null) {
            return;
        }
        const parts = Object.entries(status.components ?? {}).map(([name, part]) =>
            [text(`component_${name}`), word(part.state), part.reason ?? '']);
        const nodes = ['archive', 'sparse'].map(name => [text(name), word(status[name].state), status[name].objects ?? 0,
            size(status[name].bytes ?? 0), status[name].restarts ?? 0, status[name].failure?.message ?? '']);
        const warnings = ['archive', 'sparse'].flatMap(name => status[name].warnings ?? []);
        this.node.replaceChildren(el('h2', {}, text('health')),
            el('p', {}, text(status.federated ? 'federated' : 'separated'), ' ',
                health ? text('overall', text(health.health)) : ''),
            table(text('board'), ['part', 'state', 'why'].map(head => text(head)), parts),
            table(text('nodes'), ['node', 'state', 'objects', 'size', 'restarts', 'why'].map(head => text(head)), nodes),
            ...warnings.length === 0 ? [] : [el('h3', {}, text('warnings')), el('ul', {}, warnings.map(w => el('li', {}, w)))],
            el('p', { class: 'dim' }, text('version', status.supervisor.version)));
    }
}
