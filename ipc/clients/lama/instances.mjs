// The user's own instances, what went between them, how much there is, and the public keys.
import {others} from './people.mjs';
import {topics} from './talk.mjs';

const EVENTS_MAX = 100;
const REPLICATION = {'chum.started': 'sync-started', 'chum.stopped': 'sync-completed', 'sync.completed': 'sync-completed',
    'sync.failed': 'sync-failed', 'object.received': 'object-received', 'objects.received': 'object-received',
    'pairing.accepted': 'pairing-accepted', 'pairing.failed': 'pairing-failed'};
const FAILED = new Set(['sync.failed', 'pairing.failed']);

function nodeOf(name, state, endpoint) {
    return {id: state.personId, name, type: 'node', role: name, status: state.state === 'running' ? 'online' : 'offline', endpoint,
        storage: {used: state.bytes, total: 0, percentage: 0}, lastSync: null};
}

async function instances(lama) {
    const {archive, sparse} = await lama.node().status();
    const {url} = lama.node().provisioned.archive;
    const storage = lama.browserStorage ?? {used: 0, total: 0, percentage: 0};
    return [nodeOf('archive', archive, url), nodeOf('sparse', sparse, null),
        {id: 'browser', name: 'Browser Instance', type: 'browser', role: 'cache', status: 'online',
            endpoint: 'indexeddb://local', storage, lastSync: null}];
}

async function replication(lama) {
    const {events} = await lama.node().events.since({from: 'run', limit: 1000});
    return events.filter(({event}) => event in REPLICATION).slice(-EVENTS_MAX).reverse().map(({seq, node, event, time, data}) =>
        ({id: `evt-${seq}`, timestamp: new Date(time), type: REPLICATION[event], source: node, target: data.personId ?? 'all',
            details: data.reason ?? event, status: FAILED.has(event) ? 'error' : 'success'}));
}

async function stats(lama) {
    const {items, objects, bytes} = await lama.node().storage({node: 'archive'});
    const count = (wanted) => items.filter(wanted).reduce((sum, item) => sum + item.objects, 0);
    const [people, conversations] = [await others(lama), await topics(lama)];
    return {totalObjects: objects, totalSize: bytes, messages: count(({type}) => type === 'ChatMessage'),
        files: count(({kind}) => kind === 'file'), versions: count(({kind}) => kind === 'id'), contacts: people.length,
        conversations: conversations.length, recentActivity: (await replication(lama)).length};
}

async function keys(lama) {
    const {personId, instanceId, email, instanceName, personKeys, instanceKeys} = await lama.node().id({node: 'archive'});
    const one = (id, type, name, owner, publicKey) => ({id, type, filename: `${id}.pub`, algorithm: 'X25519', size: 256,
        fingerprint: owner, name, isPrivate: false, pemData: publicKey});
    return [one('owner', 'Person', email, personId, personKeys.publicKey),
        one('instance', 'Instance', instanceName, instanceId, instanceKeys.publicKey)];
}

async function certificates(lama) {
    const {items} = await lama.node().trust.list({person: lama.user.id, node: 'archive'});
    return items.flatMap(({key, certificates: about}) => about.map(({type, hash, issuer}) =>
        ({id: hash, type, filename: `${hash}.crt`, subject: key, issuer, fingerprint: hash})));
}

async function exportKey(lama, {type, id, format = 'txt'}) {
    const found = (await keys(lama)).find((key) => key.id === id);
    if (found === undefined)
        throw new Error(`There is no public key ${id}`);
    return {type, id, format, data: found.pemData, filename: `${id}.${format}`};
}

export const INSTANCES = {
    'iom:getInstances': instances,
    'iom:getReplicationEvents': replication,
    'iom:getDataStats': stats,
    'iom:updateBrowserStorage': (lama, storage) => {
        lama.browserStorage = storage;
        return {success: true};
    },
    'iom:updateDataStats': () => ({success: true}),
    'crypto:getKeys': keys,
    'crypto:getCertificates': certificates,
    'crypto:export': exportKey,
};
