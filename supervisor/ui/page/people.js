// Invitations and contacts.
import { el, field, svg } from '/dom.js';
import { invitationIn, linkOf } from '/invitation.js';
import { qr } from '/qr.js';
import { text } from '/texts.js';

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
    #shown = '';
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
            link.value = linkOf(await this.#model.invite());
            drawn.replaceChildren(...picture(link.value));
            said.textContent = '';
            shown.hidden = false;
            link.focus();
            link.select();
        }) }, text('makeInvitation'));
        return el('section', { class: 'card' }, el('h2', {}, text('invite')), el('p', {}, text('inviteAbout')), make, shown);
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

    #contact(contact) {
        const name = el('input', { value: contact.localName ?? '', maxlength: '100', autocomplete: 'off' });
        const save = el('button', { type: 'submit' }, text('save'));
        return el('section', { class: 'card', 'aria-label': this.#model.nameOf(contact.personId) },
            el('h3', {}, this.#model.nameOf(contact.personId)),
            el('p', { class: 'dim' }, `${contact.email ?? ''} · ${text(`level_${contact.level}`)}`),
            el('p', { class: 'dim' }, `${text('safety')}. ${text(contact.safety ? 'safetyAbout' : 'noSafety')}`),
            contact.safety ? el('p', { class: 'safety' }, contact.safety) : null,
            el('form', { class: 'row', onsubmit: event => {
                event.preventDefault();
                this.#model.attempt(save, () => this.#model.call(contact.personId, name.value));
            } }, field(text('name'), name), save));
    }

    draw() {
        const now = JSON.stringify(this.#model.others);
        const writing = this.#contacts.contains(document.activeElement) && document.activeElement.tagName === 'INPUT';
        if (now === this.#shown || writing) {
            return;
        }
        this.#shown = now;
        this.#contacts.replaceChildren(...this.#model.others.map(contact => this.#contact(contact)));
    }
}
