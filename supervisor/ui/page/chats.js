// Conversations: which there are, and how a group is made.
import { arrange, button, el, field, Kept, tick } from '/dom.js';
import { Talk } from '/talk.js';
import { text } from '/texts.js';

export class Chats {
    #model;
    #talk;
    #entries = new Kept(entry => this.#entry(entry));
    #list = el('ul', { class: 'list', 'aria-label': text('conversations') });
    #side;
    #new;
    #persons = el('div');
    #ticks = new Kept(({ personId, name }) => tick(name, { value: personId }));
    #hint = el('p', { class: 'hint' });
    node;

    constructor(model) {
        this.#model = model;
        this.#talk = new Talk(model, () => this.#choose(null));
        this.#new = this.#makingGroup();
        this.#side = el('div', { class: 'side' }, this.#new, this.#list);
        this.node = el('div', { class: 'chats' }, this.#side, this.#hint, this.#talk.node);
    }

    #makingGroup() {
        const name = el('input', { required: true, maxlength: '100', autocomplete: 'off' });
        const history = tick(text('history'));
        const make = el('button', { class: 'main', type: 'submit' }, text('makeGroup'));
        const form = el('form', { onsubmit: event => {
            event.preventDefault();
            this.#model.attempt(make, () => this.#makeGroup(name, history.firstChild));
        } }, field(text('groupName'), name), el('fieldset', {}, el('legend', {}, text('groupWho')), this.#persons), history, make);
        return el('details', {}, el('summary', {}, text('newGroup')), form);
    }

    async #makeGroup(name, history) {
        const persons = [...this.#persons.querySelectorAll('input:checked')].map(one => one.value);
        const topic = await this.#model.makeGroup(name.value, persons, history.checked);
        this.#new.firstChild.nextSibling.reset();
        this.#new.open = false;
        this.#choose(topic);
    }

    #choose(key) {
        const before = this.#model.chosen;
        this.#model.choose(key);
        if (key === null) {
            this.#list.querySelector(`[data-key="${CSS.escape(before ?? '')}"]`)?.focus();
        } else {
            this.#talk.focus();
        }
    }

    #entry({ key, name, unread, about, current }) {
        return el('li', {}, el('button', { type: 'button', 'data-key': key, 'aria-current': current ? 'true' : null,
            onclick: () => this.#choose(key) }, el('span', {}, name),
        el('span', { class: unread ? 'wait' : 'dim' }, unread ? text('unread', unread) : about)));
    }

    #drawList() {
        const level = new Map(this.#model.others.map(contact => [contact.personId, contact.level]));
        const focused = document.activeElement?.dataset.key;
        const entries = this.#model.conversations.map(conversation => {
            const { key, person, name, unread, members } = conversation;
            const about = person ? text(`level_${level.get(person) ?? 'unknown'}`) : text('groupOf', members.length);
            return [key, { key, name, unread, about, current: key === this.#model.chosen }];
        });
        arrange(this.#list, this.#entries.show(entries));
        if (focused !== undefined && document.activeElement?.dataset.key !== focused) {
            this.#list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
        }
        return entries.length;
    }

    draw() {
        const { others, conversation } = this.#model;
        const count = this.#drawList();
        arrange(this.#persons, this.#ticks.show(others.map(({ personId }) =>
            [personId, { personId, name: this.#model.nameOf(personId) }])));
        this.#side.hidden = count === 0;
        this.#hint.hidden = conversation !== null;
        this.#hint.textContent = text(count === 0 ? 'nobody' : 'choose');
        this.node.classList.toggle('open', conversation !== null);
        this.#talk.draw();
    }
}
