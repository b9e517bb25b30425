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

let ids = 0;

// A field with its label.
export function field(label, input) {
    input.id = `field-${++ids}`;
    return el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
}

// rows: arrays of cells, the first one of each is the row's heading.
export function table(caption, heads, rows) {
    return el('div', { class: 'scroll' }, el('table', {},
        el('caption', {}, caption),
        el('thead', {}, el('tr', {}, heads.map(head => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, rows.map(([first, ...rest]) => el('tr', {},
            el('th', { scope: 'row' }, first), rest.map((cell, i) => el('td', { 'data-head': heads[i + 1] }, cell)))))));
}
