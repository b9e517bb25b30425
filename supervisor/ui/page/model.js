// What the page knows, and how it stays true: each event says what has to be asked for again.
import { plain } from '/texts.js';

const QUIET_MS = 60;
const WAIT_MS = 20000;
const PAGE = 50;
const EVENTS = 200;
const STORE = 'tandem.ui'; // of settings that both own nodes keep: safety texts that were compared
const TOLD = [ // the beginning of an event's name, and what it touches
    ['chat.', ['messages', 'topics']], ['message.', ['messages']], ['blob.', ['messages']],
    ['topic.', ['topics']], ['channel.', ['topics']],
    ['contact.', ['contacts']], ['pairing.', ['contacts']], ['safety.', ['contacts']], ['person.', ['contacts']],
    ['connection.', ['connections', 'contacts']], ['chum.', ['connections', 'contacts', 'status']],
    ['node', ['status', 'contacts']], ['listener.', ['status']], ['alert.', ['status']], ['store.', ['status']],
    ['stream.gap', ['messages', 'topics', 'contacts', 'connections', 'status']]
];
const BY_TYPE = { // of a new object or version: what was read or compared, what people call themselves, who takes part
    Settings: ['topics', 'contacts'], Profile: ['topics', 'contacts'], ChatMessage: ['topics'], Access: ['topics'], Group: ['topics']
};
const ALL = ['status', 'contacts', 'topics', 'connections', 'messages'];

export class Model {
    contacts = [];
    compared = new Map(); // of a person: when which safety text was compared
    topics = [];
    storage = {}; // of the nodes that told
    profile = null;
    config = [];
    status = null;
    health = null;
    connections = { archive: [], sparse: [] };
    events = []; // the last ones, newest first
    messages = [];
    earlier = null; // what the page of messages before is asked with; null: there is none
    chosen = null; // the key of the conversation whose messages these are
    problem = null;
    wire;
    #changed;
    #due = new Set();
    #timer = null;
    #round = 0;
    #shown = PAGE;
    #readUpTo = '';

    // changed(): something is new.
    constructor(wire, changed) {
        this.wire = wire;
        this.#changed = changed;
    }

    // After the wire was opened, again after it was lost.
    async follow() {
        const round = ++this.#round;
        this.refresh(...ALL);
        const now = await this.wire.ask('events.since', { from: 'now' });
        let { bootId } = now;
        let next = Math.max(1, now.next - EVENTS);
        this.events = [];
        while (round === this.#round) {
            const answer = await this.wire.ask('events.since', { bootId, seq: next, waitMs: WAIT_MS });
            ({ bootId, next } = answer);
            this.#take(answer.events);
            if (answer.gap) {
                this.refresh(...ALL);
            }
        }
    }

    #take(events) {
        this.events = [...[...events].reverse(), ...this.events].slice(0, EVENTS);
        for (const { event, data } of events) {
            this.refresh(...TOLD.filter(([beginning]) => event.startsWith(beginning)).flatMap(([, what]) => what),
                ...BY_TYPE[data?.type] ?? []);
        }
        this.#changed();
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
        this.status = await this.wire.ask('status');
        this.health = await this.wire.ask('health');
    }

    async _contacts() {
        const { items } = await this.wire.ask('contacts.list', { limit: 1000 });
        const kept = await this.wire.ask('settings.list', { store: STORE, limit: 1000 });
        this.contacts = items;
        this.compared = new Map(kept.items.map(({ key, value }) => [key, { at: parseInt(value, 10), safety: value.replace(/^\d+ /, '') }]));
    }

    async _storage() {
        for (const node of ['archive', 'sparse']) {
            this.storage[node] = await this.wire.ask('storage', { node });
        }
    }

    async _settings() {
        this.profile = await this.wire.ask('profile.get');
        this.config = (await this.wire.ask('config.show')).items;
    }

    async _topics() {
        const { items } = await this.wire.ask('topic.list', { limit: 1000 });
        this.topics = items;
    }

    async _connections() {
        for (const node of ['archive', 'sparse']) {
            const { items } = await this.wire.ask('connections.list', { node, limit: 200 });
            this.connections[node] = items;
        }
    }

    async _messages() {
        const key = this.chosen;
        if (key === null) {
            return;
        }
        const limit = Math.min(this.#shown, 1000);
        const { person, topic } = JSON.parse(key);
        const { items, next } = person ? await this.wire.ask('chat.list', { with: person, limit })
            : await this.wire.ask('topic.read', { topic, limit });
        if (key === this.chosen) {
            this.messages = items;
            this.earlier = next;
        }
    }

    // --- conversations ------------------------------------------------------------------------------------------------

    // Of a conversation: {person} or {topic} as text, as peers choose the ids of topics and could choose those of persons.
    keyOf(whose) {
        return JSON.stringify(whose);
    }

    // With each contact, whether something was said or not, and of each topic; whoever said something last comes first.
    get conversations() {
        const pairs = new Map(this.topics.filter(topic => topic.with).map(topic => [topic.with, topic]));
        const others = this.others.map(contact => contact.personId);
        const persons = new Set([...others, ...[...pairs.keys()].filter(person => !this.isSelf(person))]);
        const of = (whose, name, { unread = 0, lastAt = 0, members = [] } = {}) =>
            ({ ...whose, key: this.keyOf(whose), name, unread, lastAt, members });
        return [...[...persons].map(person => of({ person }, this.nameOf(person), pairs.get(person))),
            ...this.topics.filter(topic => !topic.with).map(topic => of({ topic: topic.topicId }, plain(topic.name), topic))]
            .sort((a, b) => b.lastAt - a.lastAt || a.name.localeCompare(b.name, 'en'));
    }

    get conversation() {
        return this.conversations.find(({ key }) => key === this.chosen) ?? null;
    }

    get unread() {
        return this.conversations.reduce((sum, { unread }) => sum + unread, 0);
    }

    choose(key) {
        this.chosen = key;
        this.messages = [];
        this.earlier = null;
        this.#shown = PAGE;
        this.#readUpTo = '';
        this.refresh('messages');
        this.#changed();
    }

    showEarlier() {
        this.#shown *= 2;
        this.refresh('messages');
    }

    // What is shown was looked at. Each message says so once, whatever else stays unread.
    async looked() {
        const last = this.messages.at(-1)?.id;
        if (!last || last === this.#readUpTo || !this.conversation?.unread) {
            return;
        }
        this.#readUpTo = last;
        const { person, topic } = JSON.parse(this.chosen);
        await this.wire.act('topic.read-up-to', { with: person, topic, message: last });
        this.refresh('topics');
    }

    async send(key, words, attachments) {
        const { person, topic } = JSON.parse(key);
        await (person ? this.wire.act('chat.send', { to: person, text: words, attachments })
            : this.wire.act('topic.send', { topic, text: words, attachments }));
        this.refresh('messages', 'topics');
    }

    async makeGroup(name, persons, history) {
        const { topicId } = await this.wire.act('topic.create', { name, persons, history });
        await this._topics();
        return this.keyOf({ topic: topicId });
    }

    async addTo(topic, person) {
        await this.wire.act('topic.add', { topic, persons: [person] });
        await this._topics();
        this.#changed();
    }

    async leave(topic) {
        await this.wire.act('topic.leave', { topic });
        await this._topics();
        this.#changed();
    }

    // What both own nodes know of a message's way.
    async trace(message) {
        const asked = await Promise.allSettled(['sparse', 'archive'].map(async node =>
            ({ ...await this.wire.ask('trace', { message, node }), node })));
        const known = asked.filter(one => one.status === 'fulfilled').map(one => one.value);
        if (known.length === 0) {
            throw asked[0].reason;
        }
        return known;
    }

    // --- people -------------------------------------------------------------------------------------------------------

    get hasRelay() {
        return (this.status?.archive?.listeners ?? []).some(({ type }) => type === 'relay');
    }

    invite(via) {
        return this.wire.act('pairing.invite', via === undefined ? {} : { via });
    }

    async accept(invitation) {
        const done = await this.wire.act('pairing.accept', { invitation });
        this.refresh('contacts', 'connections');
        return done;
    }

    async call(person, name) {
        await this.wire.act('contact.name', { person, name });
        this.refresh('contacts', 'topics');
    }

    async allow(person, yes) {
        await (yes ? this.wire.act('contact.enable', { person }) : this.wire.act('contact.disable', { person }));
        this.refresh('contacts');
    }

    async compare({ personId, safety }) {
        await this.wire.act('settings.set', { store: STORE, key: personId, value: `${Date.now()} ${safety}` });
        this.refresh('contacts');
    }

    // 'same' as when it was compared, 'changed' since, 'never' compared, 'none' to compare.
    safetyOf({ personId, safety }) {
        const before = this.compared.get(personId);
        return !safety ? 'none' : !before ? 'never' : before.safety === safety ? 'same' : 'changed';
    }

    async introduce(name, status) {
        await this.wire.act('profile.set', { name, status });
        this.refresh('settings');
    }

    get others() {
        return this.contacts.filter(contact => !contact.own);
    }

    nameOf(personId) {
        const contact = this.contacts.find(c => c.personId === personId);
        return plain(contact?.localName || contact?.name || contact?.email || personId?.slice(0, 8) || '');
    }

    isSelf(personId) {
        return personId === this.status?.archive?.personId || personId === this.status?.sparse?.personId;
    }
}
