// Logging in and out, and the life of the node.

async function provision(lama, {user, name, password} = {}) {
    const given = user ?? {name, password};
    const {id} = await lama.login(given.name, given.password);
    lama.browserInvite = await lama.node().pairing.invite();
    return {success: true, nodeId: id, endpoint: lama.browserInvite.url, pairingInvite: lama.browserInvite};
}

async function login(lama, {username, password}, event) {
    const user = await lama.login(username, password);
    lama.tell(event, user);
    return {success: true, user};
}

async function logout(lama) {
    await lama.close();
    lama.tell('auth:logoutSuccess');
    return {success: true};
}

function status(lama) {
    return {success: true, initialized: lama.tandem !== null, name: lama.user?.name ?? '', ownerId: lama.user?.id ?? null};
}

async function config(lama) {
    const {items} = await lama.node().config.show();
    return {success: true, config: Object.fromEntries(items.map(({key, value}) => [key, value]))};
}

async function restart(lama) {
    await lama.node().restart({node: 'archive'});
    return {message: 'The node was restarted; nobody has to log in again'};
}

async function credentials(lama) {
    const {instanceId} = await lama.node().id({node: 'archive'});
    const {items} = await lama.node().trust.list({person: lama.user.id, node: 'archive'});
    return {success: true, instanceId, ownCredentials: items.flatMap(({certificates}) => certificates).length,
        trustedIssuers: items.filter(({trusted}) => trusted).length};
}

export const NODE = {
    'auth:login': (lama, params) => login(lama, params, 'auth:loginSuccess'),
    'auth:register': (lama, params) => login(lama, params, 'auth:registerSuccess'),
    'auth:logout': logout,
    'auth:check': (lama) => ({authenticated: lama.user !== null, user: lama.user}),
    'action:init': () => ({initialized: true, platform: 'electron'}),
    'action:login': (lama, params) => login(lama, params, 'auth:loginSuccess'),
    'action:logout': logout,
    'provision:node': provision,
    'onecore:initializeNode': provision,
    'onecore:restartNode': restart,
    'onecore:getNodeStatus': status,
    'onecore:getNodeConfig': config,
    'onecore:getCredentialsStatus': credentials,
};
