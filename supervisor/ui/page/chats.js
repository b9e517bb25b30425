// Conversations: who there is, what was said, how far each word got, and what is to be said.
import { el, field } from '/dom.js';
import { size, text, time } from '/texts.js';

const TONES = { delivered: 'good', failed: 'bad', pending: 'wait' };

export class Chats {
    #model;
    #list = el('ul', { class: 'list', 'aria-label': text('conversations') });
    #title = el('h2', { tabindex: '-1' });
    #log = el('div', { class: 'log', role: 'log', tabindex: '0' });
    #words = el('textarea', { rows: '2' });
    #send = el('button', { class: 'main', type: 'submit' }, text('send'));
    #label;
    #talk;
    #hint = el('p', { class: 'hint' });
    #shown = ''; // what the log was last drawn from
    node;

    constructor(model) {
        this.#model = model;
        const written = field('', this.#words);
        this.#label = written.firstChild;
        const form = el('form', { class: 'compose', onsubmit: event => this.#submit(event) }, written, this.#send);
        this.#words.addEventListener('keydown', event => this.#typed(event, form));
        const back = el('button', { class: 'narrow', type: 'button', onclick: () => this.#choose(null) }, text('back'));
        this.#talk = el('section', { class: 'talk', hidden: true }, el('div', {}, back, this.#title), this.#log, form);
        this.node = el('div', { class: 'chats' }, this.#list, this.#hint, this.#talk);
    }

    #typed(event, form) {
        if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            form.requestSubmit();
        }
    }

    async #submit(event) {
        event.preventDefault();
        const words = this.#words.value;
        if (words.trim() === '') {
            return;
        }
        this.#words.value = '';
        try {
            await this.#model.send(words);
        } catch (error) {
            this.#words.value ||= words; // nothing that was typed is lost
            this.#model.tell(error);
        }
    }

    #choose(person) {
        this.#model.choose(person);
        (person === null ? this.#list.querySelector('button') : this.#words)?.focus();
    }

    #entry(contact) {
        const { personId } = contact;
        const current = personId === this.#model.person;
        return el('li', {}, el('button', { type: 'button', 'data-key': personId, 'aria-current': current ? 'true' : null,
            onclick: () => this.#choose(personId) }, this.#model.nameOf(personId),
        el('span', { class: this.#model.news.has(personId) ? 'wait' : 'dim' },
            this.#model.news.has(personId) ? text('news') : text(`level_${contact.level}`))));
    }

    #message(message) {
        const own = this.#model.ownPersons.includes(message.sender);
        const state = message.state && el('span', { class: TONES[message.state] },
            text(`state_${message.state}`, message.why ?? ''));
        return el('article', { class: own ? 'message own' : 'message' },
            el('p', {}, message.text),
            (message.attachments ?? []).map(file => el('p', { class: 'dim' }, text('file', file.name, size(file.size)))),
            message.verification === 'forged' ? el('p', { class: 'bad' }, text('forged')) : null,
            el('p', { class: 'dim' }, `${own ? text('you') : this.#model.nameOf(message.sender)}, ${time(message.timestamp)}`,
                state ? ', ' : '', state || ''));
    }

    #drawLog() {
        const { messages, earlier } = this.#model;
        const now = JSON.stringify([messages, earlier, this.#model.person]);
        if (now === this.#shown) {
            return;
        }
        this.#shown = now;
        const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
        const more = earlier && el('button', { type: 'button', onclick: () => this.#model.showEarlier() }, text('earlier'));
        this.#log.replaceChildren(...more ? [more] : [], ...messages.length !== 0 ? messages.map(m => this.#message(m))
            : [el('p', { class: 'dim' }, text('noMessages'))]);
        if (atEnd) {
            this.#log.scrollTop = this.#log.scrollHeight;
        }
    }

    draw() {
        const { others, person } = this.#model;
        const focused = document.activeElement?.dataset.key;
        this.#list.replaceChildren(...others.map(contact => this.#entry(contact)));
        this.#list.querySelector(`[data-key="${focused}"]`)?.focus();
        this.#list.hidden = others.length === 0;
        this.#hint.hidden = person !== null;
        this.#hint.textContent = text(others.length === 0 ? 'nobody' : 'choose');
        this.#talk.hidden = person === null;
        this.node.classList.toggle('open', person !== null);
        if (person !== null) {
            const name = this.#model.nameOf(person);
            this.#title.textContent = name;
            this.#label.textContent = text('write', name);
            this.#log.setAttribute('aria-label', text('messages', name));
            this.#drawLog();
        }
    }
}
