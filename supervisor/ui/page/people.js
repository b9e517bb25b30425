// Invitations and contacts.
import { arrange, button, el, field, Kept, svg } from '/dom.js';
import { invitationIn, linkOf } from '/invitation.js';
import { qr } from '/qr.js';
import { plain, text, time } from '/texts.js';

const QUIET = 4; // light modules around a QR code

// Dark on light in either scheme, as cameras want it. Nothing where the words are too long.
function picture(words) {
    const rows = qr(words);
    if (rows === null) {
        return [];
    }
    const side = rows.length + 2 * QUIET;
    const marks = rows.flatMap((row, y) => row.map((dark, x) => dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ''));
    return [svg('svg', { class: 'qr', role: 'img', 'aria-label': text('qr'), viewBox: `0 0 ${side} ${side}` },
        svg('path', { d: marks.join('') }))];
}

export class People {
    #model;
    #contacts = el('div', { class: 'cards' });
    #via = el('select', {}, ...['direct', 'relay'].map(way => el('option', { value: way }, text(`via_${way}`))));
    #ways = field(text('via'), this.#via); // where there are two
    #cards = new Kept(from => this.#contact(from));
    node;

    constructor(model) {
        this.#model = model;
        this.node = el('div', { class: 'sheet' }, this.#inviting(), this.#accepting(),
            el('h2', {}, text('contacts')), this.#contacts);
    }

    #inviting() {
        const link = el('textarea', { rows: '4', readonly: true });
        const said = el('span', { role: 'status' });
        const copy = el('button', { type: 'button', onclick: () => this.#model.attempt(copy, async () => {
            await navigator.clipboard.writeText(link.value);
            said.textContent = text('copied');
        }) }, text('copy'));
        const drawn = el('div');
        const shown = el('div', { class: 'card', hidden: true }, field(text('invitation'), link), copy, said, drawn);
        const make = el('button', { class: 'main', type: 'button', onclick: () => this.#model.attempt(make, async () => {
            link.value = linkOf(await this.#model.invite(this.#model.hasRelay ? this.#via.value : undefined));
            drawn.replaceChildren(...picture(link.value));
            said.textContent = '';
            shown.hidden = false;
            link.focus();
            link.select();
        }) }, text('makeInvitation'));
        return el('section', { class: 'card' }, el('h2', {}, text('invite')), el('p', {}, text('inviteAbout')), this.#ways, make, shown);
    }

    #accepting() {
        const pasted = el('textarea', { rows: '3', spellcheck: 'false', autocomplete: 'off' });
        const said = el('div', { role: 'status' });
        const accept = el('button', { class: 'main', type: 'submit' }, text('accept'));
        const form = el('form', { class: 'card', onsubmit: event => {
            event.preventDefault();
            this.#model.attempt(accept, () => this.#pair(pasted, said));
        } }, el('h2', {}, text('pair')), el('p', {}, text('pairAbout')), field(text('pasted'), pasted), accept, said);
        return form;
    }

    async #pair(pasted, said) {
        const invitation = invitationIn(pasted.value);
        said.replaceChildren(text(invitation ? 'accepting' : 'badInvitation'));
        if (!invitation) {
            return;
        }
        try {
            const { personId, safety } = await this.#model.accept(invitation);
            pasted.value = '';
            said.replaceChildren(text('paired', this.#model.nameOf(personId)), el('p', { class: 'safety' }, safety ?? ''));
        } catch (error) {
            said.replaceChildren();
            throw error;
        }
    }

    // Whether the safety text was compared, and what it was then, is kept with both own nodes.
    #safety(contact) {
        const found = this.#model.safetyOf(contact);
        if (found === 'none') {
            return [el('p', { class: 'dim' }, text('safety_none'))];
        }
        const before = this.#model.compared.get(contact.personId);
        const same = button(text('isSame'), () => this.#model.attempt(same, () => this.#model.compare(contact)));
        return [el('p', { class: 'dim' }, text('safetyAbout')), el('p', { class: 'safety' }, contact.safety),
            el('p', { class: { same: 'good', changed: 'bad', never: 'wait' }[found] },
                text(`safety_${found}`, before && time(before.at))),
            ...found === 'same' ? [] : [same]];
    }

    #contact({ contact, called }) {
        const name = el('input', { value: contact.localName ?? '', maxlength: '100', autocomplete: 'off' });
        const save = el('button', { type: 'submit' }, text('save'));
        const enabled = contact.enabled !== false;
        const allow = button(text(enabled ? 'disable' : 'enable'), () =>
            this.#model.attempt(allow, () => this.#model.allow(contact.personId, !enabled)));
        return el('section', { class: 'card', 'aria-label': called },
            el('h3', {}, called),
            el('p', { class: 'dim' }, `${plain(contact.email ?? '')} · ${text(enabled ? `level_${contact.level}` : 'disabled')}`),
            this.#safety(contact),
            el('form', { class: 'row', onsubmit: event => {
                event.preventDefault();
                this.#model.attempt(save, () => this.#model.call(contact.personId, name.value));
            } }, field(text('name'), name), save, allow));
    }

    // What changes all the time, and is not shown, makes nothing anew.
    draw() {
        this.#ways.hidden = !this.#model.hasRelay;
        const writing = this.#contacts.contains(document.activeElement) && document.activeElement.tagName === 'INPUT';
        if (!writing) {
            arrange(this.#contacts, this.#cards.show(this.#model.others.map(contact => {
                const { personId, localName, email, enabled, level, safety } = contact;
                const from = { personId, localName, email, enabled, level, safety };
                return [personId, { contact: from, called: this.#model.nameOf(personId), compared: this.#model.compared.get(personId) }];
            })));
        }
    }
}
