// Invitations as people hand them over (docs/ipc.md): {token, publicKey, url}, as JSON or percent-encoded behind the # of a link.
const LINK = 'https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#';

export function linkOf({ token, publicKey, url }) {
    return LINK + encodeURIComponent(JSON.stringify({ token, publicKey, url }));
}

function parse(json) {
    try {
        const { token, publicKey, url } = JSON.parse(json);
        return [token, publicKey, url].every(part => typeof part === 'string') ? { token, publicKey, url } : null;
    } catch {
        return null;
    }
}

function decode(encoded) {
    try {
        return decodeURIComponent(encoded);
    } catch {
        return '';
    }
}

// null: there is none in the text.
export function invitationIn(pasted) {
    const blank = pasted.replace(/\s+/g, '');
    const candidates = [pasted, blank, ...blank.split('#').slice(1)].flatMap(piece => [piece, decode(piece)]);
    for (const candidate of candidates) {
        const found = parse(candidate.slice(candidate.indexOf('{'), candidate.lastIndexOf('}') + 1));
        if (found) {
            return found;
        }
    }
    return null;
}
