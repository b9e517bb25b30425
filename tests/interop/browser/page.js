// One unmodified ONE.models instance in a page, in its browser build: what peer.mjs is in Node, driven by drive.mjs. It
// only dials, as LAMA's browser half does. Its store is the IndexedDB of the page's origin, so that a reload goes on with it.
import '@refinio/one.core/lib/system/load-browser.js';
import { initInstance, getInstanceIdHash } from '@refinio/one.core/lib/instance.js';
import { createAccess } from '@refinio/one.core/lib/access.js';
import { storeUnversionedObject } from '@refinio/one.core/lib/storage-unversioned-objects.js';
import { storeArrayBufferAsBlob } from '@refinio/one.core/lib/storage-blob.js';
import RecipesStable from '@refinio/one.models/lib/recipes/recipes-stable.js';
import RecipesExperimental from '@refinio/one.models/lib/recipes/recipes-experimental.js';
import * as stable from '@refinio/one.models/lib/recipes/reversemaps-stable.js';
import * as experimental from '@refinio/one.models/lib/recipes/reversemaps-experimental.js';
import { objectEvents } from '@refinio/one.models/lib/misc/ObjectEventDispatcher.js';
import LeuteModel from '@refinio/one.models/lib/models/Leute/LeuteModel.js';
import ChannelManager from '@refinio/one.models/lib/models/ChannelManager.js';
import TopicModel from '@refinio/one.models/lib/models/Chat/TopicModel.js';
import ConnectionsModel from '@refinio/one.models/lib/models/ConnectionsModel.js';

const SECRET = 'secret';
const ROOM_MS = 300; // a room is told of its channel a moment after it was made
const name = new URLSearchParams(location.search).get('name');
const tell = (event, more = {}) => window.tell({ t: Date.now(), event, ...more });
window.addEventListener('unhandledrejection', e => tell('unhandled', { message: String(e.reason) }));

await initInstance({ name, email: `${name}@lama.local`, secret: SECRET, directory: name, encryptStorage: false,
    initialRecipes: [...RecipesStable, ...RecipesExperimental],
    initiallyEnabledReverseMapTypes: new Map([...stable.ReverseMapsStable, ...experimental.ReverseMapsExperimental]),
    initiallyEnabledReverseMapTypesForIdObjects: new Map([...stable.ReverseMapsForIdObjectsStable,
        ...experimental.ReverseMapsForIdObjectsExperimental]) });
await objectEvents.init();
const leute = new LeuteModel(undefined, true);
await leute.init();
const channels = new ChannelManager(leute);
await channels.init();
const topics = new TopicModel(channels, leute);
await topics.init();
const connections = new ConnectionsModel(leute, { commServerUrl: '', acceptIncomingConnections: false,
    acceptUnknownInstances: true, acceptUnknownPersons: false, allowPairing: true, establishOutgoingConnections: true });
connections.pairing.onPairingSuccess((initiatedLocally, _person, _instance, remotePerson) =>
    tell('paired', { initiatedLocally, remotePerson }));
connections.onProtocolStart((_local, _person, _instance, remotePerson, _remote, protocol) =>
    tell('protocol', { remotePerson, protocol }));
objectEvents.onUnversionedObject(async r => tell('chat', { text: r.obj.text, sender: r.obj.sender,
    attachments: r.obj.attachments?.length ?? 0 }), 'page', 'ChatMessage');
let answering; // whose questions are answered the moment they arrive
objectEvents.onUnversionedObject(async r => {
    if (answering && r.status === 'new' && r.obj.text.startsWith('question')) {
        await (await room(answering)).sendMessage(`answer to ${r.obj.text}`, undefined, null);
    }
}, 'answer', 'ChatMessage');
await connections.init();
const me = await leute.myMainIdentity();

const rooms = new Map();
async function room(other) {
    if (!rooms.has(other)) {
        const topic = await topics.createOneToOneTopic(me, other);
        await topics.addPersonsToTopic([me, other], topic);
        rooms.set(other, await topics.enterTopicRoom(topic.id));
        await new Promise(resolve => setTimeout(resolve, ROOM_MS));
    }
    return rooms.get(other);
}

async function sha256(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, b => b.toString(16).padStart(2, '0')).join('');
}

async function describeFile(file) {
    const { hash } = await storeArrayBufferAsBlob(new Uint8Array(file.size).buffer);
    return (await storeUnversionedObject({ $type$: 'BlobDescriptor', data: hash, lastModified: 1700000000000,
        name: file.name, size: file.size, type: 'image/png' })).hash;
}

const commands = {
    pair: async c => {
        await connections.pairing.connectUsingInvitation(c.invitation);
        tell('pairdone');
    },
    say: async c => {
        const r = await room(c.other);
        await r.sendMessage(c.text, undefined, null);
        tell('said', { text: c.text });
    },
    answer: async c => {
        await room(c.other);
        answering = c.other;
        tell('answering');
    },
    messages: async c => {
        const found = await (await room(c.other)).retrieveAllMessages();
        tell('messages', { texts: found.map(m => m.data.text) });
    },
    attach: async c => {
        const r = await room(c.other);
        await channels.postToChannel(r.topic.id, { $type$: 'ChatMessage', text: c.text, sender: me,
            attachments: [await describeFile(c)] }, null);
        tell('said', { text: c.text });
    },
    files: async c => {
        const found = await (await room(c.other)).retrieveAllMessagesWithAttachments();
        const files = found.flatMap(m => m.data.attachments ?? []).filter(a => a.data !== undefined);
        tell('files', { list: await Promise.all(files.map(async a => [a.name, a.data.byteLength, await sha256(a.data)])) });
    },
    // Into an own channel of a topic that was shown to us, which the other may read.
    saytopic: async c => {
        await createAccess([{ id: await channels.createChannel(c.topic), person: [c.other], group: [], mode: 'add' }]);
        await (await topics.enterTopicRoom(c.topic)).sendMessage(c.text, undefined, undefined);
        tell('said', { text: c.text });
    },
    readtopic: async c => {
        const found = await (await topics.enterTopicRoom(c.topic)).retrieveAllMessages();
        tell('messages', { list: found.map(m => [m.data.text, m.author]) });
    }
};
window.run = async c => {
    try {
        await commands[c.cmd](c);
    } catch (error) {
        tell('error', { cmd: c.cmd, error: String(error?.stack ?? error).slice(0, 2000) });
    }
};
tell('ready', { person: me, instance: getInstanceIdHash() });
