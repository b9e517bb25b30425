// Every word that the page shows. {0}, {1} … are filled in by text().
const TEXTS = {
    title: 'tandem',
    views: 'Views',
    chats: 'Chats', people: 'People', network: 'Network', health: 'Health',
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
    news: 'new',
    file: 'File: {0} ({1})',
    forged: 'Somebody else’s words under this name: the signature is wrong.',
    state_pending: 'waits for the archive',
    state_sent: 'sent',
    state_archived: 'at the archive',
    state_delivered: 'delivered',
    state_failed: 'failed: {0}',

    invite: 'Invite somebody',
    inviteAbout: 'Hand the link over on a way you trust. It can be used once: whoever has it becomes a contact.',
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
    safety: 'Safety text',
    safetyAbout: 'If both of you see the same, nobody stands between.',
    noSafety: 'None yet: you did not pair with this person yourself.',
    name: 'Your name for them',
    save: 'Save',
    level_connected: 'connected', level_seen: 'was here before', level_paired: 'paired, not met yet', level_unknown: 'not paired',

    picture: 'Your two nodes, your contacts, and the lines between them',
    archive: 'Archive', sparse: 'Sparse node',
    lines: 'Connections',
    who: 'Who', how: 'How', state: 'State', latency: 'Latency', rate: 'Rate', transferred: 'In / out',
    noLines: 'There are no connections.',
    own: 'own node',
    stranger: 'not known yet',
    perSecond: '{0}/s',
    milliseconds: '{0} ms',

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
