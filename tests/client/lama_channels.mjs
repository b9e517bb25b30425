// What LAMA's renderer invokes, answered from tandem in the shapes it knows: a node of its own, and Bob, whom it meets.
import assert from 'node:assert/strict';
import {cp, mkdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import {CHANNELS} from '../../ipc/clients/lama/index.mjs';
import {launch} from '../../ipc/clients/node/index.mjs';
import {startLama, succeeds} from './lama_support.mjs';
import {PACKAGE, SECRET, asked, gone, inFolder, until} from './support.mjs';

const USER = {name: 'anna', password: SECRET};
const LINK = 'https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#';

const CLIENT = path.join(PACKAGE, '../lama');

const invoked = new Set();

const withLama = (body) => inFolder(async (folder, open) => {
    const top = path.dirname(folder);
    const lama = open(await startLama(top));
    const {invoke} = lama;
    lama.invoke = (channel, ...args) => {
        invoked.add(channel);
        return invoke(channel, ...args);
    };
    const bob = open(await launch({...asked(path.join(top, 'bob')), user: 'bob'}));
    await body(lama, bob);
    await lama.close();
    await gone(path.join(top, 'tandem'));
});

// Bob by an invitation link of LAMA's; the ids of both.
async function meetBob(lama, bob) {
    const {invitation} = await succeeds(lama, 'iom:createPairingInvitation');
    assert(invitation.url.startsWith(LINK));
    const given = JSON.parse(decodeURIComponent(new URL(invitation.url).hash.slice(1)));
    const {personId: anna} = await bob.pairing.accept({invitation: given});
    const {contacts} = await until('Bob with his name', async () => {
        const answer = await succeeds(lama, 'onecore:getContacts');
        return answer.contacts.some(({name}) => name === 'bob') && answer;
    });
    return {anna, bobId: contacts.find(({name}) => name === 'bob').personId};
}

// In a folder of its own for each way to lay them: as a dependency, as in Debian, and, above, as in the repository.
test('it finds the client', inFolder(async (folder) => {
    for (const [home, beside] of [['one/node_modules/@tandem/lama', 'one/node_modules/@tandem/client'],
        ['two/@tandem/lama', 'two/@tandem/client']]) {
        const place = path.join(folder, home);
        await mkdir(path.dirname(place), {recursive: true});
        await cp(CLIENT, place, {recursive: true});
        await cp(PACKAGE, path.join(folder, beside), {recursive: true});
        assert.deepEqual((await import(path.join(place, 'index.mjs'))).CHANNELS, CHANNELS);
    }
    const alone = path.join(folder, 'alone');
    await cp(CLIENT, alone, {recursive: true});
    await assert.rejects(import(path.join(alone, 'index.mjs')), {code: 'ERR_MODULE_NOT_FOUND'});
}));

test('before anybody logs in it says so, and afterwards nobody is left', withLama(async (lama) => {
    const described = (await readFile(path.join(CLIENT, 'README.md'), 'utf8')).match(/^\| .*/gm).join().match(/\w+:\w+/g);
    assert.deepEqual(described.sort(), lama.channels.sort());
    assert.deepEqual(await succeeds(lama, 'chat:getConversations'), {success: true, data: [], total: 0, hasMore: false});
    assert.deepEqual((await succeeds(lama, 'chat:getMessages', {conversationId: 'x'})).messages, []);
    assert.deepEqual((await succeeds(lama, 'auth:check')).data, {authenticated: false, user: null});
    assert.deepEqual(await succeeds(lama, 'onecore:getNodeStatus'), {success: true, initialized: false, name: '', ownerId: null});
    assert.deepEqual(await lama.invoke('onecore:getContacts'),
        {success: false, error: 'Node not provisioned', code: undefined, hint: undefined});

    const {user} = await succeeds(lama, 'auth:login', {username: USER.name, password: USER.password});
    assert.deepEqual(lama.told.find(([channel]) => channel === 'auth:loginSuccess'), ['auth:loginSuccess', user]);
    const {data} = await succeeds(lama, 'auth:check');
    assert.deepEqual([data.authenticated, data.user.name, data.user.id], [true, 'anna', user.id]);
    assert.equal((await lama.invoke('auth:login', {username: 'anna', password: 'wrong'})).code, 'BAD-SECRET');
    assert.equal((await succeeds(lama, 'onecore:initializeNode', {user: USER})).nodeId, user.id);
    await succeeds(lama, 'auth:logout');
    assert.equal((await lama.invoke('chat:sendMessage', {conversationId: 'x', text: ''})).error, 'Node not provisioned');
    assert.equal((await succeeds(lama, 'onecore:initializeNode', USER)).nodeId, user.id);
}));

test('people, conversations, messages and files', withLama(async (lama, bob) => {
    const {nodeId, endpoint} = await succeeds(lama, 'provision:node', {user: USER});
    assert.match(endpoint, /^ws:\/\/localhost:\d+$/);
    const {anna, bobId} = await meetBob(lama, bob);
    assert.equal(anna, nodeId);
    assert.equal((await succeeds(lama, 'onecore:getPeerList')).peers[0].displayName, 'bob');
    await until('LAMA to be told', () => lama.told.some(([channel]) => channel === 'contacts:updated'));

    const {topicId} = await succeeds(lama, 'onecore:getOrCreateTopicForContact', bobId);
    const {data: file} = await succeeds(lama, 'attachment:store',
        {data: Buffer.from('a picture').toString('base64'), metadata: {name: 'a.png', mimeType: 'image/png'}});
    const {data: said} = await succeeds(lama, 'chat:sendMessage', {conversationId: topicId, text: 'Hello!', attachments: [file]});
    const heard = await until('Bob to hear', async () => (await bob.chat.list({with: anna})).items[0]);
    assert.deepEqual([heard.id, heard.text, heard.attachments[0].name], [said.id, 'Hello!', 'a.png']);
    await bob.chat.send({to: anna, text: 'Hello, too!'});
    const [, news] = await until('LAMA to be told', () => lama.told.find(([channel]) => channel === 'chat:newMessages'));
    assert.deepEqual([news.conversationId, news.messages[0].text, news.messages[0].sender], [topicId, 'Hello, too!', bobId]);

    const {messages, hasMore} = await succeeds(lama, 'chat:getMessages', {conversationId: topicId});
    assert.deepEqual(messages.map(({text, senderName}) => [text, senderName]), [['Hello!', 'anna'], ['Hello, too!', 'bob']]);
    assert.deepEqual([hasMore, messages[0].sender, messages[0].attachments], [false, nodeId, [file]]);
    const page = await succeeds(lama, 'query:getMessages', {conversationId: topicId, limit: 1, offset: 1});
    assert.deepEqual([page.messages.map(({text}) => text), page.hasMore], [['Hello!'], false]);
    const {data: bytes} = await succeeds(lama, 'attachment:get', {hash: file.hash});
    assert.equal(Buffer.from(bytes.data, 'base64').toString(), 'a picture');
    assert.deepEqual((await succeeds(lama, 'attachment:getMetadata', file)).data, {name: 'a.png', type: 'image/png', size: 9});
    const {data: files} = await succeeds(lama, 'attachment:storeMultiple',
        {attachments: [{data: 'YWI=', metadata: {name: 'b'}}, {data: null, metadata: {name: 'c'}}]});
    assert.deepEqual([files[0].size, files[1].name, typeof files[1].error], [2, 'c', 'string']);

    const {data: [conversation], total} = await succeeds(lama, 'chat:getConversations');
    assert.deepEqual([total, conversation.id, conversation.name, conversation.type, conversation.lastMessage.text],
        [1, topicId, 'bob', 'direct', 'Hello, too!']);
    assert.deepEqual(conversation.participants, [nodeId, bobId]);
    await succeeds(lama, 'chat:deleteMessage', {messageId: said.id});
    assert.deepEqual((await succeeds(lama, 'chat:getMessages', {conversationId: topicId})).messages.map(({text}) => text),
        ['Hello, too!']);
    await succeeds(lama, 'chat:clearConversation', {conversationId: topicId});
    assert.deepEqual((await succeeds(lama, 'chat:getMessages', {conversationId: topicId})).messages, []);
}));

test('groups', withLama(async (lama, bob) => {
    await succeeds(lama, 'onecore:initializeNode', USER);
    const {bobId} = await meetBob(lama, bob);
    const {data: group} = await succeeds(lama, 'chat:createConversation', {type: 'group', name: 'Team', participants: []});
    assert(lama.told.some(([channel, data]) => channel === 'chat:conversationCreated' && data.id === group.id));
    await succeeds(lama, 'chat:addParticipants', {conversationId: group.id, participantIds: [bobId]});
    await succeeds(lama, 'chat:sendMessage', {conversationId: group.id, text: 'Welcome'});
    await until('Bob to hear', async () => (await bob.topic.list()).items.some(({name}) => name === 'Team') &&
        (await bob.topic.read({topic: 'Team'})).items.some(({text}) => text === 'Welcome'));
    const {data} = await succeeds(lama, 'query:getConversation', {conversationId: group.id});
    assert.deepEqual([data.name, data.isGroup, data.participants.includes(bobId)], ['Team', true, true]);
    const {topicId} = await succeeds(lama, 'onecore:getOrCreateTopicForContact', bobId);
    const {newConversationId} = await succeeds(lama, 'chat:addParticipants', {conversationId: topicId, participantIds: []});
    assert.notEqual(newConversationId, topicId);
}));

test('invitations, settings, instances and keys', withLama(async (lama, bob) => {
    const {nodeId, pairingInvite} = await succeeds(lama, 'onecore:initializeNode', {user: USER});
    assert.deepEqual((await succeeds(lama, 'onecore:getBrowserPairingInvite')).invitation, pairingInvite);
    const {invites: [{id}]} = await succeeds(lama, 'onecore:listInvites');
    assert(pairingInvite.token.startsWith(id));
    await succeeds(lama, 'onecore:revokeInvite', {inviteId: id});
    assert.equal((await lama.invoke('onecore:getBrowserPairingInvite')).success, false);
    assert.equal((await succeeds(lama, 'onecore:createLocalInvite')).invite.publicKey, pairingInvite.publicKey);
    assert.equal((await succeeds(lama, 'onecore:createNetworkInvite')).invite.publicKey, pairingInvite.publicKey);
    const link = `${LINK}${encodeURIComponent(JSON.stringify(await bob.pairing.invite()))}`;
    assert.equal((await succeeds(lama, 'iom:acceptPairingInvitation', link)).personId, bob.provisioned.archive.personId);
    assert.equal((await lama.invoke('iom:acceptPairingInvitation', LINK)).success, false);

    await succeeds(lama, 'settings:set', {key: 'ui.theme', value: {dark: true}});
    assert.deepEqual((await succeeds(lama, 'settings:get', 'ui.theme')).data, {dark: true});
    assert.deepEqual((await succeeds(lama, 'settings:getAll', 'ui.')).data, {'ui.theme': {dark: true}});
    await succeeds(lama, 'onecore:setNodeState', {key: 'panel', value: 'left'});
    assert.equal((await succeeds(lama, 'onecore:getNodeState', {key: 'panel'})).value, 'left');
    assert.deepEqual((await succeeds(lama, 'state:get')).data, {panel: 'left'});

    await succeeds(lama, 'iom:updateBrowserStorage', {used: 5, total: 10, percentage: 50});
    const {data: instances} = await succeeds(lama, 'iom:getInstances');
    assert.deepEqual(instances.map(({role, status}) => [role, status]),
        [['archive', 'online'], ['sparse', 'online'], ['cache', 'online']]);
    assert.deepEqual([instances[0].id, instances[2].storage.used], [nodeId, 5]);
    const {data: events} = await succeeds(lama, 'iom:getReplicationEvents');
    assert(events.some(({type}) => type === 'pairing-accepted'));
    assert.equal((await succeeds(lama, 'iom:getDataStats')).data.contacts, 1);
    const {data: [owner]} = await succeeds(lama, 'crypto:getKeys');
    assert.equal(owner.fingerprint, nodeId);
    assert.equal((await succeeds(lama, 'crypto:export', {type: 'key', id: 'owner'})).data.data, owner.pemData);
    assert((await succeeds(lama, 'crypto:getCertificates')).data.every(({issuer}) => /^[0-9a-f]{64}$/.test(issuer)));
    await succeeds(lama, 'onecore:restartNode');
    await until('the archive to be back', async () =>
        (await succeeds(lama, 'iom:getInstances')).data[0].status === 'online');
}));

test('what else there is', withLama(async (lama) => {
    const dataOf = async (channel, ...args) => (await succeeds(lama, channel, ...args)).data;
    assert.equal((await lama.invoke('chat:getCurrentUser')).success, false);
    assert.deepEqual(await dataOf('query:getState'), {});
    const {user} = await succeeds(lama, 'auth:register', {username: USER.name, password: USER.password});
    assert(lama.told.some(([channel]) => channel === 'auth:registerSuccess'));
    assert.equal((await succeeds(lama, 'action:login', {username: USER.name, password: USER.password})).user.id, user.id);
    assert.deepEqual((await succeeds(lama, 'chat:getCurrentUser')).user, {id: user.id, name: 'anna'});
    assert.deepEqual(await dataOf('action:init'), {initialized: true, platform: 'electron'});
    for (const channel of ['chat:initializeDefaultChats', 'chat:uiReady', 'iom:updateDataStats'])
        assert.deepEqual(await lama.invoke(channel), {success: true});
    assert.deepEqual((await succeeds(lama, 'contacts:list')).contacts, []);
    const {invitation} = await succeeds(lama, 'onecore:createBrowserPairingInvite');
    assert.deepEqual((await succeeds(lama, 'onecore:getBrowserPairingInvite')).invitation, invitation);

    assert.match((await succeeds(lama, 'onecore:getNodeConfig')).config['listen.address'], /^localhost:/);
    const {instanceId, ownCredentials} = await succeeds(lama, 'onecore:getCredentialsStatus');
    assert.deepEqual([instanceId.length, typeof ownCredentials], [64, 'number']);
    await succeeds(lama, 'state:set', {key: 'tab', value: 2});
    assert.equal(await dataOf('query:getState', {path: 'tab'}), 2);
    assert.deepEqual(await dataOf('state:subscribe', {paths: ['tab']}), {subscribed: true, paths: ['tab']});
    assert.deepEqual(await dataOf('settings:subscribe'), {subscribed: true});
    assert.deepEqual(await dataOf('settings:syncIoM', {'iom.browser.size': 3, other: 4}), {'iom.browser.size': 3});
    assert.equal((await succeeds(lama, 'onecore:syncConnectionSettings', {relay: 'x'})).settingsId, 'connections');
    assert.equal((await dataOf('settings:getConfig')).node.initialized, true);

    const {data: group} = await succeeds(lama, 'chat:createConversation', {type: 'group', name: 'Notes', participants: []});
    const {data: said} = await succeeds(lama, 'action:sendMessage', {conversationId: group.id, text: 'a note'});
    const found = await until('it to be found', async () =>
        (await lama.controller.tandem.chat.search({text: 'a note'})).items[0]);
    assert.equal(found.id, said.id);
    assert.equal(typeof (await dataOf('chat:verifyMessageAssertion', {messageHash: said.id})).valid, 'boolean');
    await succeeds(lama, 'action:logout');
    assert.equal((await dataOf('auth:check')).authenticated, false);
}));

test('every channel was tried', () => {
    assert.deepEqual(CHANNELS.filter((channel) => !invoked.has(channel)), []);
});
