// What the page knows, and how it stays true: each event says what has to be asked for again.
const QUIET_MS = 60;
const WAIT_MS = 20000;
const PAGE = 50;
const TOLD = [ // the beginning of an event's name, and what it touches
    ['chat.', ['messages']], ['message.', ['messages']],
    ['contact.', ['contacts']], ['pairing.', ['contacts']], ['safety.', ['contacts']], ['person.', ['contacts']],
    ['connection.', ['connections', 'contacts']], ['chum.', ['connections', 'contacts', 'status']],
    ['node', ['status', 'contacts']], ['listener.', ['status']], ['alert.', ['status']], ['store.', ['status']],
    ['stream.gap', ['messages', 'contacts', 'connections', 'status']]
];
export const ALL = ['status', 'contacts', 'connections', 'messages'];

export class Model {
    contacts = [];
    status = null;
    health = null;
    connections = { archive: [], sparse: [] };
    messages = [];
    earlier = null; // what the page of messages before is asked with; null: there is none
    person = null; // whose messages these are
    news = new Set(); // persons of whom there is something unseen
    problem = null;
    #wire;
    #changed;
    #due = new Set();
    #timer = null;
    #round = 0;
    #shown = PAGE;

    // changed(): something is new.
    constructor(wire, changed) {
        this.#wire = wire;
        this.#changed = changed;
    }

    // After the wire was opened, again after it was lost.
    async follow() {
        const round = ++this.#round;
        this.refresh(...ALL);
        let { bootId, next } = await this.#wire.ask('events.since', { from: 'now' });
        while (round === this.#round) {
            const answer = await this.#wire.ask('events.since', { bootId, seq: next, waitMs: WAIT_MS });
            ({ bootId, next } = answer);
            answer.events.forEach(event => this.#take(event));
            if (answer.gap) {
                this.refresh(...ALL);
            }
        }
    }

    #take({ event, data }) {
        if (event === 'chat.received' && data.sender !== this.person) {
            this.news.add(data.sender);
        }
        this.refresh(...TOLD.filter(([beginning]) => event.startsWith(beginning)).flatMap(([, what]) => what));
    }

    refresh(...what) {
        what.forEach(one => this.#due.add(one));
        if (this.#due.size !== 0) {
            this.#timer ??= setTimeout(() => this.#catchUp(), QUIET_MS);
        }
    }

    async #catchUp() {
        const due = [...this.#due];
        this.#due.clear();
        const results = await Promise.allSettled(due.map(one => this[`_${one}`]()));
        this.problem = results.find(r => r.status === 'rejected' && r.reason.code !== 'CLOSED')?.reason ?? null;
        this.#timer = null;
        this.#changed();
        this.refresh();
    }

    async _status() {
        this.status = await this.#wire.ask('status');
        this.health = await this.#wire.ask('health');
    }

    async _contacts() {
        const { items } = await this.#wire.ask('contacts.list', { limit: 1000 });
        this.contacts = items;
    }

    async _connections() {
        for (const node of ['archive', 'sparse']) {
            const { items } = await this.#wire.ask('connections.list', { node, limit: 200 });
            this.connections[node] = items;
        }
    }

    async _messages() {
        const person = this.person;
        if (person === null) {
            return;
        }
        const { items, next } = await this.#wire.ask('chat.list', { with: person, limit: Math.min(this.#shown, 1000) });
        if (person === this.person) {
            this.messages = items;
            this.earlier = next;
        }
    }

    choose(person) {
        this.person = person;
        this.messages = [];
        this.earlier = null;
        this.#shown = PAGE;
        this.news.delete(person);
        this.refresh('messages');
        this.#changed();
    }

    showEarlier() {
        this.#shown *= 2;
        this.refresh('messages');
    }

    async send(words) {
        await this.#wire.act('chat.send', { to: this.person, text: words });
        this.refresh('messages');
    }

    invite() {
        return this.#wire.act('pairing.invite', {});
    }

    async accept(invitation) {
        const done = await this.#wire.act('pairing.accept', { invitation });
        this.refresh('contacts', 'connections');
        return done;
    }

    async call(person, name) {
        await this.#wire.act('contact.name', { person, name });
        this.refresh('contacts');
    }

    get others() {
        return this.contacts.filter(contact => !contact.own);
    }

    nameOf(personId) {
        const contact = this.contacts.find(c => c.personId === personId);
        return contact ? contact.localName || contact.name || contact.email || personId.slice(0, 8) : personId?.slice(0, 8) ?? '';
    }

    get ownPersons() {
        return [this.status?.archive?.personId, this.status?.sparse?.personId];
    }
}
