// Attachments: the bytes come and go as base64, as a renderer can hand them over.

async function store(lama, {data, metadata}) {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : Buffer.from(data);
    const {hash, size} = await lama.node().putBlob(bytes);
    const file = {name: metadata.name, type: metadata.mimeType ?? metadata.type, size};
    lama.files.set(hash, file);
    return {hash, ...file};
}

// One that fails does not keep the others out.
async function storeAll(lama, {attachments}) {
    const results = [];
    for (const one of attachments)
        results.push(await store(lama, one).catch((error) => ({error: error.message, name: one.metadata.name})));
    return results;
}

async function get(lama, {hash}) {
    const pieces = [];
    for await (const piece of lama.node().getBlob(hash))
        pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const unknown = {name: 'attachment', type: 'application/octet-stream', size: bytes.length};
    return {data: bytes.toString('base64'), metadata: lama.files.get(hash) ?? unknown};
}

export const FILES = {
    'attachment:store': store,
    'attachment:storeMultiple': storeAll,
    'attachment:get': get,
    'attachment:getMetadata': (lama, {hash}) => ({success: true, data: lama.files.get(hash)}),
};
