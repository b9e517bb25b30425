// One conversation: what was said, and who takes part.
import { Compose } from '/compose.js';
import { arrange, button, el, field, Kept } from '/dom.js';
import { Message } from '/message.js';
import { text } from '/texts.js';

const NEAR = 80; // pixels to the end in which new messages are followed

export class Talk {
    #model;
    #title = el('h2', { tabindex: '-1' });
    #about = el('p', { class: 'dim' });
    #members = el('div', { class: 'members' });
    #people;
    #more;
    #nothing = el('p', { class: 'dim' }, text('noMessages'));
    #log = el('div', { class: 'log', role: 'log', 'aria-relevant': 'additions', tabindex: '0' });
    #pinned = true; // its end is what is looked at, and stays so whatever comes
    #messages = new Map();
    #compose;
    #left = el('p', { class: 'hint', hidden: true }, text('left'));
    #shown = null; // the key of the conversation
    node;

    constructor(model, leave) {
        this.#model = model;
        this.#more = button(text('earlier'), () => model.showEarlier());
        this.#compose = new Compose(model);
        this.#log.addEventListener('scroll', () => this.#scrolled());
        this.#log.addEventListener('load', () => this.#stay(), true); // of a picture
        new ResizeObserver(() => this.#stay()).observe(this.#log);
        this.#people = el('details', {}, el('summary', {}, text('members')), this.#members);
        const back = button(text('back'), leave, { class: 'narrow' });
        this.node = el('section', { class: 'talk', hidden: true, ...this.#dropping() }, el('div', { class: 'title' }, back, this.#title,
            this.#about, this.#people), this.#log, this.#left, this.#compose.node);
    }

    // Files only; words that are dropped are the field's.
    #dropping() {
        const over = yes => this.node.classList.toggle('dropping', yes);
        return {
            ondragover: event => over(event.dataTransfer.types.includes('Files')),
            ondragleave: event => this.node.contains(event.relatedTarget) || over(false),
            ondrop: event => {
                over(false);
                this.#compose.add(event.dataTransfer.files);
            }
        };
    }

    focus() {
        this.#compose.focus();
    }

    #member({ personId, role }) {
        return el('li', {}, `${this.#model.isSelf(personId) ? text('you') : this.#model.nameOf(personId)} · ${text(`role_${role}`)}`);
    }

    #drawMembers({ topic, members }) {
        const now = JSON.stringify([topic, members, this.#model.others.map(({ personId }) => this.#model.nameOf(personId))]);
        if (this.#members.dataset.mark === now) {
            return;
        }
        this.#members.dataset.mark = now;
        const here = members.map(({ personId }) => personId);
        const away = this.#model.others.filter(({ personId }) => !here.includes(personId));
        const who = el('select', {}, away.map(({ personId }) => el('option', { value: personId }, this.#model.nameOf(personId))));
        const add = button(text('addMember'), () => this.#model.attempt(add, () => this.#model.addTo(topic, who.value)));
        const leave = button(text('leave'), () => this.#sure(leave, () => this.#model.leave(topic)));
        this.#members.replaceChildren(el('ul', {}, members.map(member => this.#member(member))),
            ...away.length === 0 ? [] : [el('div', { class: 'row' }, field(text('newMember'), who), add)], leave);
    }

    // Asks once more by what the button says.
    #sure(one, act) {
        if (one.dataset.sure) {
            this.#model.attempt(one, act);
        } else {
            one.dataset.sure = 'yes';
            one.textContent = text('sure');
        }
    }

    #scrolled() {
        this.#pinned = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR;
        this.#look();
    }

    #stay() {
        if (this.#pinned) {
            this.#log.scrollTop = this.#log.scrollHeight;
        }
    }

    #drawLog(names) {
        const { messages, earlier } = this.#model;
        const before = this.#messages;
        this.#messages = new Map(messages.map(message => [message.id, before.get(message.id) ?? new Message(this.#model, message)]));
        messages.forEach(message => this.#messages.get(message.id).draw(message));
        arrange(this.#log, [...earlier ? [this.#more] : [], ...messages.length === 0 ? [this.#nothing] : [],
            ...[...this.#messages.values()].map(({ node }) => node)]);
        this.#log.setAttribute('aria-label', names);
        this.#stay();
    }

    // Whoever reads what was said before has not seen the end.
    #look() {
        if (!document.hidden && this.node.isConnected && this.#pinned) {
            this.#model.looked().catch(error => error.code !== 'CLOSED' && this.#model.tell(error));
        }
    }

    draw() {
        const conversation = this.#model.conversation;
        this.node.hidden = conversation === null;
        if (conversation === null) {
            return;
        }
        const { key, person, name, members } = conversation;
        if (key !== this.#shown) {
            this.#shown = key;
            this.#people.open = false;
            this.#pinned = true;
            this.#messages.clear();
        }
        const changed = this.#model.others.some(one => one.personId === person && this.#model.safetyOf(one) === 'changed');
        this.#title.textContent = name;
        this.#about.className = changed ? 'bad' : 'dim';
        this.#about.textContent = changed ? text('safety_changed') : person ? '' : text('groupOf', members.length);
        this.#people.hidden = Boolean(person);
        this.#drawMembers(conversation);
        const outside = members.length !== 0 && !members.some(({ personId, role }) => this.#model.isSelf(personId) && role !== 'reader');
        this.#left.hidden = !outside;
        this.#compose.node.hidden = outside;
        this.#compose.draw(conversation);
        this.#drawLog(text('messages', name));
        this.#look();
    }
}
