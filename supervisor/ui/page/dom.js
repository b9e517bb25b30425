// Elements. What comes from others is only ever text in them: the page has no way to make markup of a string.
const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith('on')) {
            node.addEventListener(name.slice(2), value);
        } else if (value !== undefined && value !== null && value !== false) {
            node.setAttribute(name, value === true ? '' : value);
        }
    }
    node.append(...children.flat().filter(child => child !== undefined && child !== null));
    return node;
}

export function el(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function button(label, onclick, attributes = {}) {
    return el('button', { type: 'button', onclick, ...attributes }, label);
}

let ids = 0;

// A field with its label.
export function field(label, input) {
    input.id = `field-${++ids}`;
    return el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
}

export function tick(label, attributes = {}) {
    return el('label', { class: 'tick' }, el('input', { type: 'checkbox', ...attributes }), label);
}

// Makes the children of a node these, and moves none that is in its place: what has the focus keeps it, and of a live region
// only what is new is read out.
export function arrange(parent, children) {
    const kept = new Set(children);
    [...parent.childNodes].filter(node => !kept.has(node)).forEach(node => node.remove());
    children.forEach((child, i) => parent.childNodes[i] !== child && parent.insertBefore(child, parent.childNodes[i] ?? null));
}

// Elements by key. One is made anew only when what it was made from is another.
export class Kept {
    #make;
    #made = new Map();

    constructor(make) {
        this.#make = make;
    }

    // of: [key, what it is made from] of each; the elements, in that order.
    show(of) {
        const now = new Map();
        for (const [key, from] of of) {
            const mark = JSON.stringify(from);
            const before = this.#made.get(key);
            now.set(key, before?.mark === mark ? before : { mark, node: this.#make(from) });
        }
        this.#made = now;
        return [...now.values()].map(({ node }) => node);
    }
}

// rows: arrays of cells, the first one of each is the row's heading.
export function table(caption, heads, rows) {
    return el('div', { class: 'scroll' }, el('table', {},
        el('caption', {}, caption),
        el('thead', {}, el('tr', {}, heads.map(head => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, rows.map(row => line(heads, row)))));
}

export function line(heads, [first, ...rest]) {
    return el('tr', {}, el('th', { scope: 'row' }, first), rest.map((cell, i) => el('td', { 'data-head': heads[i + 1] }, cell)));
}

// How much of the most it is, for the eye alone.
export function bar(share) {
    return svg('svg', { class: 'bar', 'aria-hidden': 'true' }, svg('rect', { width: `${Math.round(100 * share)}%`, height: '100%' }));
}
