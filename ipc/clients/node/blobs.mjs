// Files as streams of raw bytes past the supervisor (docs/ipc.md, "Files as raw bytes"); where there is none in pieces of at
// most 512 KiB, no more than two of them in memory.
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import net from 'node:net';
import {Readable} from 'node:stream';

import {errorOfAnswer, lost, tandemError} from './errors.mjs';

const PIECE = 512 * 1024;
const WHOLE_HASH = 64;

const WITHOUT = ['UNKNOWN-METHOD', 'BUSY', 'CLOSED']; // who is told so goes by pieces
const LINE_MAX = 4096;

// The connection of a stream, its ticket given; null: files go in pieces.
async function openStream(client, what, signal) {
    let way;
    try {
        way = await client.call('blob.stream', what, {signal});
    } catch (error) {
        if (WITHOUT.includes(error.code))
            return null;
        throw error;
    }
    const socket = net.connect({path: way.socket, allowHalfOpen: true});
    try {
        await once(socket, 'connect');
    } catch {
        return null;
    }
    socket.on('error', () => {}); // the end of what it says tells
    socket.write(`${way.ticket}\n`);
    const stop = () => socket.destroy();
    signal?.addEventListener('abort', stop, {once: true});
    socket.once('close', () => signal?.removeEventListener('abort', stop));
    return socket;
}

const broken = () => lost('the node broke the stream off');

function sizeIn(line) {
    const {size, error} = JSON.parse(line);
    if (error !== undefined)
        throw errorOfAnswer(error);
    return size;
}

function lastWord(socket) {
    return new Promise((resolve, reject) => {
        let line = '';
        socket.setEncoding('utf8');
        socket.on('data', (part) => {
            line += part;
        });
        socket.once('close', () => reject(broken()));
        socket.once('end', () => {
            try {
                resolve(line.endsWith('\n') ? sizeIn(line) : reject(broken()));
            } catch (error) {
                reject(error);
            }
        });
    });
}

// Until the node has all of it on its disk. Its word may come before all was sent: then it wants no more.
async function fill(socket, source) {
    let told = false;
    const word = lastWord(socket).finally(() => {
        told = true;
    });
    word.catch(() => {}); // told when it is its turn
    try {
        for await (const part of source instanceof Uint8Array ? [source] : source) {
            if (told)
                break;
            if (!socket.write(part))
                await Promise.race([new Promise((go) => socket.once('drain', go)), word]);
        }
        socket.end();
        await word;
    } finally {
        socket.destroy();
    }
}

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

async function writePieces(client, source, where, signal) {
    let offset = 0;
    for await (const piece of inPieces(source)) {
        await client.call('blob.chunk', {...where, offset, data: piece.toString('base64')}, {signal});
        offset += piece.length;
    }
}

export async function writeBlob(client, source, {node, signal} = {}) {
    const where = node === undefined ? {} : {node};
    const {blob} = await client.call('blob.begin', where, {signal});
    try {
        const socket = await openStream(client, {...where, blob}, signal);
        if (socket !== null)
            await fill(socket, source);
        else
            await writePieces(client, source, {...where, blob}, signal);
        return await client.call('blob.commit', {...where, blob}, {signal});
    } catch (error) {
        client.call('blob.abort', {...where, blob}).catch(() => {}); // what failed is told; the rest is forgotten anyway
        throw error;
    }
}

// The size of the whole first, then its bytes.
async function* streamed(socket) {
    let head = Buffer.alloc(0);
    for await (const part of socket) {
        if (head === null) {
            yield part;
            continue;
        }
        head = Buffer.concat([head, part]);
        const end = head.indexOf('\n');
        if (end < 0 && head.length > LINE_MAX)
            throw broken();
        if (end < 0)
            continue;
        yield sizeIn(head.subarray(0, end).toString());
        yield head.subarray(end + 1);
        head = null;
    }
    if (head !== null)
        throw broken();
}

async function* inOrder(client, hash, where, signal) {
    const read = (offset) => {
        const piece = client.call('blob.read', {...where, hash, offset, length: PIECE}, {signal});
        piece.catch(() => {}); // told when it is its turn
        return piece;
    };
    let next = read(0);
    yield (await next).size;
    for (let offset = 0; ;) {
        const {data, size} = await next;
        const piece = Buffer.from(data, 'base64');
        offset += piece.length;
        if (piece.length > 0 && offset < size)
            next = read(offset);
        yield piece;
        if (piece.length === 0 || offset >= size)
            return;
    }
}

// The last bytes are handed on when all of them are those of the hash.
async function* piecesOf(client, hash, where, signal) {
    const sum = createHash('sha256');
    const socket = await openStream(client, {...where, hash}, signal);
    let size;
    let offset = 0;
    for await (const piece of socket !== null ? streamed(socket) : inOrder(client, hash, where, signal)) {
        if (size === undefined) {
            size = piece;
            continue;
        }
        sum.update(piece);
        offset += piece.length;
        if (offset >= size && hash.length === WHOLE_HASH && sum.digest('hex') !== hash)
            throw tandemError('OBJECT-DAMAGED', `what was read is not ${hash}`);
        yield piece;
    }
    signal?.throwIfAborted();
    if (offset < size)
        throw tandemError('FAILED', `the file ends after ${offset} of ${size} bytes`);
}

export function readBlob(client, hash, {node, signal} = {}) {
    const where = node === undefined ? {} : {node};
    return Readable.from(piecesOf(client, hash, where, signal), {objectMode: false, highWaterMark: PIECE});
}
