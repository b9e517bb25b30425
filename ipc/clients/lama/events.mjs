// What the renderer is told, under LAMA's names.
import {others} from './people.mjs';
import {messageOf, selves, topics} from './talk.mjs';

const LOOK_BACK = 50;
const REMEMBERED = 1000;
const told = new WeakMap(); // of each Lama: the ids of messages the renderer was told of, as either node tells of each

function isNew(lama, id) {
    const ids = told.get(lama) ?? new Set();
    told.set(lama, ids);
    if (ids.has(id))
        return false;
    ids.add(id);
    if (ids.size > REMEMBERED)
        ids.delete(ids.values().next().value);
    return true;
}

async function received(lama, {id, channel, sender}) {
    if (selves(lama).has(sender)) // one own node to the other
        return;
    const found = await topics(lama);
    const topic = found.find((one) => one.channel === channel) ?? found.find((one) => one.with === sender);
    if (topic === undefined)
        return;
    const {items} = await lama.node().topic.read({topic: topic.topicId, limit: LOOK_BACK});
    const item = items.find((one) => one.id === id);
    if (item === undefined || !isNew(lama, id)) // the other node tells of it, too
        return;
    const message = messageOf(lama, topic.topicId, new Map([[sender, topic.name]]), item);
    lama.tell('chat:newMessages', {conversationId: topic.topicId, messages: [message]});
}

async function contacts(lama) {
    lama.tell('contacts:updated', {count: (await others(lama)).length});
}

async function added(lama, {personId}) {
    lama.tell('contact:added', {personId});
    await contacts(lama);
}

export const TELLS = {
    'chat.received': received,
    'contact.added': added,
    'contact.changed': contacts,
    'contact.forgotten': contacts,
};
