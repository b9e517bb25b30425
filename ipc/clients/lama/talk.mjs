// Conversations and what is said in them. A conversation's id is the topic's id; the id of a person will do as well.
import {all, nameOf, others} from './people.mjs';

const PAGE = 1000;

const isoOf = (ms) => new Date(ms).toISOString();

// Both own nodes are the user.
export function selves(lama) {
    const {archive, sparse} = lama.node().provisioned;
    return new Set([archive.personId, sparse.personId]);
}

async function namesOf(lama) {
    const names = new Map((await others(lama)).map((person) => [person.personId, nameOf(person)]));
    for (const self of selves(lama))
        names.set(self, lama.user.name);
    return names;
}

export function messageOf(lama, conversationId, names, item) {
    const mine = selves(lama).has(item.sender);
    return {id: item.id, conversationId, text: item.text, sender: mine ? lama.user.id : item.sender,
        senderName: names.get(item.sender) ?? 'Unknown', timestamp: isoOf(item.timestamp),
        status: mine ? item.state : 'received', verification: item.verification,
        attachments: item.attachments.map(({hash, name, type, size}) => ({hash, name, type, size})),
        isAI: false, isFromAI: false, format: 'markdown'};
}

// The newest so many of a conversation, oldest first.
async function newest(lama, topic, count) {
    let items = [];
    for (let before; items.length < count;) {
        const limit = Math.min(count - items.length, PAGE);
        const page = await lama.node().topic.read({topic, limit, ...(before ? {before} : {})});
        items = [...page.items, ...items];
        before = page.next;
        if (!before)
            break;
    }
    return items;
}

// offset counts from the newest message.
async function messages(lama, {conversationId, limit = 50, offset = 0}) {
    if (lama.tandem === null)
        return {success: true, messages: [], total: 0, hasMore: false};
    const items = await newest(lama, conversationId, offset + limit + 1);
    const end = Math.max(items.length - offset, 0);
    const names = await namesOf(lama);
    return {success: true, messages: items.slice(Math.max(end - limit, 0), end).map(
        (item) => messageOf(lama, conversationId, names, item)), hasMore: end > limit};
}

function attachmentOf(lama, given) {
    const hash = typeof given === 'string' ? given : given.hash ?? given.id;
    const {name = 'attachment', type = given.mimeType ?? 'application/octet-stream'} = lama.files.get(hash) ?? given;
    return {hash, name, type};
}

async function send(lama, {conversationId, text = '', attachments = []}) {
    const files = attachments.map((given) => attachmentOf(lama, given));
    const {id, state} = await lama.node().topic.send({topic: conversationId, text,
        ...(files.length > 0 ? {attachments: files} : {})});
    return {id, conversationId, text, attachments, sender: lama.user.id, timestamp: isoOf(Date.now()), status: state,
        isRetracted: false, editedAt: null};
}

function conversationOf(lama, topic) {
    const persons = topic.members.length > 0 ? topic.members.map(({personId}) => personId) : topic.persons;
    const participants = topic.with ? [lama.user.id, topic.with] : persons ?? [];
    return {id: topic.topicId, name: topic.name || topic.topicId, type: topic.with ? 'direct' : 'group', isGroup: !topic.with,
        members: participants, participants, participantCount: participants.length, unreadCount: topic.unread,
        lastMessage: null, lastMessageAt: topic.lastAt ? isoOf(topic.lastAt) : null,
        isAITopic: false, hasAIParticipant: false, modelName: null};
}

// Those with others, not what the own nodes say to each other.
export async function topics(lama) {
    const own = selves(lama);
    return (await all(lama.node().topic.list)).filter((topic) => !own.has(topic.with));
}

async function withLast(lama, topic) {
    const [last] = await newest(lama, topic.topicId, 1);
    const lastMessage = last && {text: last.text, senderId: last.sender, timestamp: isoOf(last.timestamp)};
    return {...conversationOf(lama, topic), lastMessage: lastMessage ?? null};
}

async function conversations(lama, {limit = 20, offset = 0} = {}) {
    if (lama.tandem === null)
        return {success: true, data: [], total: 0, hasMore: false};
    const found = (await topics(lama)).sort((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0));
    const data = await Promise.all(found.slice(offset, offset + limit).map((topic) => withLast(lama, topic)));
    return {success: true, data, total: found.length, hasMore: offset + limit < found.length};
}

async function topicOf(lama, conversationId) {
    const found = (await topics(lama)).find((topic) => topic.topicId === conversationId || topic.with === conversationId);
    if (found === undefined)
        throw new Error(`Conversation not found: ${conversationId}`);
    return found;
}

async function create(lama, {type = 'direct', participants = [], name = null}) {
    const persons = participants.map((one) => one.id ?? one);
    const direct = type === 'direct' && persons.length === 1;
    const {topicId} = await lama.node().topic.create(direct ? {persons} :
        {persons, name: name || `Conversation ${new Date().toLocaleDateString()}`});
    const conversation = conversationOf(lama, await topicOf(lama, topicId));
    lama.tell('chat:conversationCreated', conversation);
    return conversation;
}

// A conversation of two stays one: with more people a new group begins.
async function add(lama, {conversationId, participantIds}) {
    const topic = await topicOf(lama, conversationId);
    if (topic.with) {
        const {id} = await create(lama, {type: 'group', participants: [topic.with, ...participantIds]});
        return {success: true, newConversationId: id};
    }
    await lama.node().topic.add({topic: conversationId, persons: participantIds});
    lama.tell('chat:participantsAdded', {conversationId, participantIds});
    return {success: true};
}

async function clear(lama, {conversationId}) {
    for (let before; ;) {
        const {more, next} = await lama.node().chat.delete({topic: conversationId, ...(before ? {before} : {})});
        before = next;
        if (!more)
            return {success: true, message: 'Conversation cleared'};
    }
}

async function remove(lama, {messageId}) {
    await lama.node().chat.delete({message: messageId});
    return {success: true, data: null};
}

async function verify(lama, {messageHash}) {
    const {items} = await lama.node().trust.verify({data: messageHash});
    return {valid: items.some(({trusted}) => trusted), certificates: items};
}

function currentUser(lama) {
    if (lama.user === null)
        return {success: false, error: 'User not authenticated'};
    return {success: true, user: {id: lama.user.id, name: lama.user.name}};
}

export const TALK = {
    'chat:initializeDefaultChats': () => ({success: true}),
    'chat:uiReady': () => ({success: true}),
    'chat:getCurrentUser': currentUser,
    'chat:getConversations': conversations,
    'chat:getMessages': messages,
    'chat:sendMessage': send,
    'chat:createConversation': create,
    'chat:addParticipants': add,
    'chat:clearConversation': clear,
    'chat:deleteMessage': remove,
    'chat:verifyMessageAssertion': verify,
    'action:sendMessage': send,
    'query:getMessages': messages,
    'query:getConversation': async (lama, {conversationId}) => conversationOf(lama, await topicOf(lama, conversationId)),
};
