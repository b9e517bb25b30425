// Files as streams: pieces of at most 512 KiB, no more than two of them in memory.
import {createHash} from 'node:crypto';
import {Readable} from 'node:stream';

import {tandemError} from './errors.mjs';

const PIECE = 512 * 1024;
const WHOLE_HASH = 64;

// The same bytes in pieces of PIECE bytes, the last one perhaps shorter.
async function* inPieces(source) {
    let held = [];
    let length = 0;
    for await (const part of source instanceof Uint8Array ? [source] : source) {
        let rest = Buffer.from(part);
        while (length + rest.length >= PIECE) {
            yield Buffer.concat([...held, rest.subarray(0, PIECE - length)]);
            rest = rest.subarray(PIECE - length);
            held = [];
            length = 0;
        }
        held.push(rest);
        length += rest.length;
    }
    if (length > 0)
        yield Buffer.concat(held);
}

export async function writeBlob(client, source, {node, signal} = {}) {
    const where = node === undefined ? {} : {node};
    const {blob} = await client.call('blob.begin', where, {signal});
    try {
        let offset = 0;
        for await (const piece of inPieces(source)) {
            await client.call('blob.chunk', {...where, blob, offset, data: piece.toString('base64')}, {signal});
            offset += piece.length;
        }
        return await client.call('blob.commit', {...where, blob}, {signal});
    } catch (error) {
        client.call('blob.abort', {...where, blob}).catch(() => {}); // what failed is told; the rest is forgotten anyway
        throw error;
    }
}

async function* piecesOf(client, hash, where, signal) {
    const sum = createHash('sha256');
    const read = (offset) => {
        const piece = client.call('blob.read', {...where, hash, offset, length: PIECE}, {signal});
        piece.catch(() => {}); // told when it is its turn
        return piece;
    };
    let next = read(0);
    for (let offset = 0; ;) {
        const {data, size} = await next;
        const piece = Buffer.from(data, 'base64');
        offset += piece.length;
        if (piece.length === 0 && offset < size)
            throw tandemError('FAILED', `the file ends after ${offset} of ${size} bytes`);
        if (offset < size)
            next = read(offset);
        sum.update(piece);
        if (offset >= size && hash.length === WHOLE_HASH && sum.digest('hex') !== hash)
            throw tandemError('OBJECT-DAMAGED', `what was read is not ${hash}`);
        yield piece;
        if (offset >= size)
            return;
    }
}

export function readBlob(client, hash, {node, signal} = {}) {
    const where = node === undefined ? {} : {node};
    return Readable.from(piecesOf(client, hash, where, signal), {objectMode: false, highWaterMark: PIECE});
}
