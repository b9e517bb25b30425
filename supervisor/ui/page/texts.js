// Every word that the page shows. {0}, {1} … are filled in by text().
const TEXTS = {
    title: 'tandem',
    views: 'Views',
    chats: 'Chats', people: 'People', network: 'Network', events: 'Events', storage: 'Storage', health: 'Health', settings: 'Settings',
    chatsUnread: 'Chats ({0})',
    titleUnread: '({0}) tandem',
    connecting: 'Connecting …',
    connected: 'Connected',
    away: 'tandem does not run, or does not answer. Trying again …',
    ended: 'The line to “tandem ui” was cut. If that has ended, close this page: another program may have taken its place.',
    again: 'Connect again',
    linkUsed: 'This link was used already. Press Enter where “tandem ui” runs, and open the new one.',
    noLink: 'Open the link that “tandem ui” prints.',
    notProvisioned: 'This installation is locked: nobody has given its secret since the start. Run “tandem provision”.',
    failed: '{0} ({1})',
    tooBig: 'This is too long.',

    nobody: 'You know nobody yet. Invite somebody, or accept an invitation, under People.',
    choose: 'Choose somebody to talk to.',
    back: 'All chats',
    conversations: 'Conversations',
    messages: 'Messages with {0}',
    noMessages: 'Nothing was said yet.',
    earlier: 'Show earlier messages',
    write: 'Message to {0}',
    send: 'Send',
    you: 'You',
    unread: '{0} unread',
    received: 'received',
    truncated: 'This is only the beginning: the message is too long to be shown.',
    file: '{0} ({1})',
    absent: 'not here yet',
    saveFile: 'Save {0}',
    attach: 'Attach',
    attached: 'Files to be sent',
    remove: 'Remove',
    removeFile: 'Remove {0}',
    sending: 'Sending {0}',
    forged: 'Somebody else’s words under this name: the signature is wrong.',
    state_pending: 'waits for the archive',
    state_sent: 'sent',
    state_archived: 'at the archive',
    state_delivered: 'delivered',
    state_failed: 'failed: {0}',

    newGroup: 'New group',
    groupName: 'Name of the group',
    groupWho: 'Who is in it',
    history: 'Who joins later sees what was said before',
    makeGroup: 'Make the group',
    groupOf: 'group of {0}',
    members: 'Members',
    newMember: 'Somebody else',
    addMember: 'Add',
    leave: 'Leave the group',
    sure: 'Really leave',
    left: 'You cannot write here: you are no member, or a reader only.',
    role_owner: 'owner', role_writer: 'writes', role_reader: 'reads',

    way: '{0}: show its way',
    wayOf: 'The way of this message',
    noWay: 'Nothing is known of its way any more.',
    step_chatModelSend: 'written', step_channelManagerPost: 'stored', step_accessGrantsCreated: 'granted to its readers',
    step_chumSyncTriggered: 'offered to others', step_channelManagerUpdated: 'in the conversation', step_remoteDelivery: 'handed over',
    reached_sent: 'not there yet', reached_archived: 'stored', reached_delivered: 'stored', reached_failed: 'refused',
    after: '+{0} ms', afterLong: '+{0} s',

    invite: 'Invite somebody',
    inviteAbout: 'Hand the link over on a way you trust. It can be used once: whoever has it becomes a contact.',
    via: 'They reach you',
    via_direct: 'at your address', via_relay: 'through your relay',
    makeInvitation: 'Make an invitation',
    invitation: 'Invitation link',
    qr: 'The invitation link as a QR code',
    copy: 'Copy',
    copied: 'Copied.',
    pair: 'Accept an invitation',
    pairAbout: 'Paste the link or the text that you were given.',
    pasted: 'Invitation',
    accept: 'Accept',
    accepting: 'Pairing …',
    paired: 'Paired with {0}. Compare this text with what they see:',
    badInvitation: 'There is no invitation in this text.',
    contacts: 'Contacts',
    safetyAbout: 'Safety text. If both of you see the same, nobody stands between.',
    safety_none: 'There is no safety text: you did not pair with this person yourself.',
    safety_never: 'You have not compared it yet.',
    safety_same: 'You compared it: {0}.',
    safety_changed: 'The safety text has changed since you compared it. Compare it again before you go on.',
    isSame: 'They see the same',
    enable: 'Connect again', disable: 'Do not connect', disabled: 'no connections are made',
    name: 'Your name for them',
    save: 'Save',
    level_connected: 'connected', level_seen: 'was here before', level_paired: 'paired, not met yet', level_unknown: 'not paired',

    picture: 'Your two nodes, your contacts, and the lines between them',
    archive: 'Archive', sparse: 'Sparse node',
    lines: 'Connections',
    listeners: 'Where others reach us',
    listener_websocket: 'address', listener_relay: 'relay', 'listener_relay-server': 'relay of our own',
    line_listening: 'listening', line_connecting: 'connecting', line_waiting: 'waiting', line_inUse: 'in use',
    line_initializing: 'beginning', line_connected: 'connected', line_encrypting: 'encrypting', line_encrypted: 'encrypted',
    line_authenticating: 'authenticating', line_authenticated: 'authenticated', line_pairing: 'pairing', line_paired: 'paired',
    line_active: 'active', line_closing: 'closing', line_closed: 'closed', line_failed: 'failed',
    where: 'Where', address: 'Address', spares: 'Waiting sockets',
    who: 'Who', how: 'How', state: 'State', latency: 'Latency', rate: 'Rate', transferred: 'In / out',
    noLines: 'There are no connections.',
    own: 'own node',
    stranger: 'not known yet',
    perSecond: '{0}/s',
    milliseconds: '{0} ms',

    happened: 'What happened, the newest first',
    when: 'When', event: 'Event', details: 'Details', kind: 'Kind', everything: 'Everything', supervisor: 'Supervisor',

    holds: '{0} objects, {1}.',
    byType: 'By type',
    what: 'What', share: 'Share', files: 'Files', ids: 'ids', rest: 'All others',
    presence_remote: 'at the other node', presence_wanted: 'missing',

    profile: 'You',
    profileAbout: 'Your contacts see this.',
    ownName: 'Name', ownStatus: 'Status', saved: 'Saved.',
    inForce: 'Settings',
    inForceAbout: 'These are in force. Change one with “tandem config set NAME VALUE”.',
    setting: 'Name', value: 'Value', from: 'From',
    origin_default: 'default', origin_file: 'file', origin_environment: 'environment', origin_flag: 'option',

    board: 'Parts',
    part: 'Part', why: 'Why',
    component_webSocketServer: 'Listener', component_browserConnection: 'Browsers', component_invitationCreation: 'Invitations',
    component_cryptoRegistration: 'Keys', component_handshake: 'Handshakes', component_chum: 'Synchronising',
    working: 'working', failing: 'failing', idle: 'idle',
    nodes: 'Nodes', node: 'Node', objects: 'Objects', size: 'Size', restarts: 'Restarts',
    federated: 'Both nodes synchronise.', separated: 'The two nodes do not synchronise.',
    overall: 'Connections are {0}.', healthy: 'healthy', degraded: 'degraded', offline: 'offline',
    running: 'running', stopped: 'stopped', starting: 'starting', unprovisioned: 'locked',
    warnings: 'Warnings',
    version: 'tandem {0}'
};

export function text(name, ...values) {
    const found = TEXTS[name];
    return found === undefined ? name : found.replace(/\{(\d)\}/g, (_, n) => String(values[n]));
}

// Words of others without what would hide or turn around words beside them: controls, and marks of direction.
export function plain(words) {
    return words.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export function size(bytes) {
    let unit = 0;
    for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) {
        bytes /= 1000;
    }
    return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${UNITS[unit]}`;
}

export function time(ms) {
    const then = new Date(ms);
    const today = then.toDateString() === new Date().toDateString();
    return then.toLocaleString('en', today ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
        : { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

export function clock(ms) {
    return new Date(ms).toLocaleString('en', { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
        hourCycle: 'h23' });
}

export function after(ms) {
    return ms < 1000 ? text('after', Math.round(ms)) : text('afterLong', (ms / 1000).toFixed(1));
}
