// Contacts and invitations.

const PAGE = 1000;
const INVITE_PAGE = 'https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#';

// All pages of a list.
export async function all(list, params = {}) {
    const items = [];
    for (let after; ;) {
        const page = await list({...params, limit: PAGE, ...(after ? {after} : {})});
        items.push(...page.items);
        after = page.next;
        if (!after)
            return items;
    }
}

export const nameOf = ({personId, localName, name, email}) =>
    localName || name || email || `Contact ${personId.slice(0, 8)}`;

// Everybody but our own other node.
export async function others(lama) {
    return (await all(lama.node().contacts.list)).filter(({own}) => !own);
}

function contactOf(person) {
    const name = nameOf(person);
    return {id: person.personId, personId: person.personId, name, displayName: name, email: person.email ?? '', isAI: false,
        role: 'contact', platform: 'external', status: person.connected ? 'online' : 'offline', isConnected: person.connected,
        trusted: person.trusted, lastSeen: person.lastSeenAt ? new Date(person.lastSeenAt).toISOString() : null};
}

async function contacts(lama) {
    return {success: true, contacts: (await others(lama)).map(contactOf)};
}

async function peers(lama) {
    return {success: true, peers: (await others(lama)).map(contactOf)};
}

async function topicOf(lama, contact) {
    const {topicId} = await lama.node().topic.create({persons: [contact]});
    return {success: true, topicId};
}

// For the renderer's own instance, which comes to the listener of this machine.
async function invite(lama) {
    lama.browserInvite = await lama.node().pairing.invite();
    return lama.browserInvite;
}

async function browserInvite(lama) {
    const token = lama.browserInvite?.token ?? '';
    const open = await all(lama.node().pairing.invitations, {node: 'archive'});
    if (!open.some(({invitation}) => token.startsWith(invitation)))
        return {success: false, error: 'No browser invitation available'};
    return {success: true, invitation: lama.browserInvite};
}

// Through a relay where there is one.
async function inviteOthers(lama) {
    const {archive} = await lama.node().status();
    const relay = archive.listeners.some(({type, state}) => type === 'relay' && state === 'listening');
    return await lama.node().pairing.invite({via: relay ? 'relay' : 'direct'});
}

async function linkForOthers(lama) {
    const token = encodeURIComponent(JSON.stringify(await inviteOthers(lama)));
    return {success: true, invitation: {url: INVITE_PAGE + token, token}};
}

async function accept(lama, link) {
    const [, given] = String(link).split('#');
    if (!given)
        throw new Error('Invalid invitation URL: no fragment found');
    const {token, publicKey, url} = JSON.parse(decodeURIComponent(given));
    const {personId} = await lama.node().pairing.accept({invitation: {token, publicKey, url}});
    return {success: true, message: 'Invitation accepted successfully', personId};
}

async function invitations(lama) {
    const open = await all(lama.node().pairing.invitations, {node: 'archive'});
    return {success: true, invites: open.map(({invitation, expiresAt}) =>
        ({id: invitation, expiresAt: new Date(expiresAt).toISOString()}))};
}

async function revoke(lama, {inviteId}) {
    await lama.node().pairing.revoke({invitation: inviteId});
    return {success: true};
}

export const PEOPLE = {
    'contacts:list': contacts,
    'onecore:getContacts': contacts,
    'onecore:getPeerList': peers,
    'onecore:getOrCreateTopicForContact': topicOf,
    'onecore:createLocalInvite': async (lama) => ({success: true, invite: await invite(lama)}),
    'onecore:createBrowserPairingInvite': async (lama) => ({success: true, invitation: await invite(lama)}),
    'onecore:getBrowserPairingInvite': browserInvite,
    'onecore:createNetworkInvite': async (lama) => ({success: true, invite: await inviteOthers(lama)}),
    'onecore:listInvites': invitations,
    'onecore:revokeInvite': revoke,
    'iom:createPairingInvitation': linkForOthers,
    'iom:acceptPairingInvitation': accept,
};
