// Calls, events and files, also while the supervisor is killed.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import path from 'node:path';
import test from 'node:test';

import {readBlob, writeBlob} from '../../ipc/clients/node/blobs.mjs';
import {ERRORS, METHODS, NotRunningError, UsageError, connect, launch} from '../../ipc/clients/node/index.mjs';
import {asked, inFolder, until} from './support.mjs';

const BLOB_SIZE = 5 * 1000 * 1000;

async function textsOf(tandem) {
    const {items} = await tandem.chat.list({with: tandem.provisioned.sparse.personId, node: 'archive', limit: 1000});
    return items.map((item) => item.text);
}

test('both nodes say something to the other', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const {archive, sparse} = tandem.provisioned;
    const after = await tandem.position();
    await tandem.chat.send({to: archive.personId, text: 'from the sparse node', node: 'sparse'});
    await tandem.chat.send({to: sparse.personId, text: 'from the archive', node: 'archive'});
    const heard = new Set();
    for await (const {node} of tandem.follow({after, type: 'chat.received'})) {
        heard.add(node);
        if (heard.size === 2)
            break;
    }
    assert.deepEqual((await textsOf(tandem)).sort(), ['from the archive', 'from the sparse node']);
}));

test('events and calls go on across kill -9 of the supervisor', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const to = tandem.provisioned.archive.personId;
    const after = await tandem.position();
    const events = tandem.follow({after});
    await tandem.chat.send({to, text: 'before', node: 'sparse'});
    const boots = new Set();
    const ids = [];
    const sent = [];
    for await (const {event, data, node, bootId} of events) {
        assert.notEqual(event, 'stream.gap');
        boots.add(bootId);
        if (event !== 'chat.received' || node !== 'archive')
            continue;
        ids.push(data.id);
        if (ids.length === 2)
            break;
        process.kill(tandem.pid, 'SIGKILL');
        sent.push(tandem.chat.send({to, text: 'after', node: 'sparse'}));
    }
    assert.equal(boots.size, 2);
    assert.equal(new Set(ids).size, 2);
    assert.equal((await sent[0]).id, ids[1]);
    assert.deepEqual(await textsOf(tandem), ['before', 'after']);
}));

test('what a crash cuts off is done once', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const to = tandem.provisioned.archive.personId;
    const texts = Array.from({length: 40}, (_, n) => `message ${n}`);
    const sending = texts.map((text) => tandem.chat.send({to, text, node: 'sparse'}));
    await Promise.race(sending);
    process.kill(tandem.pid, 'SIGKILL');
    const ids = (await Promise.all(sending)).map(({id}) => id);
    assert.equal(new Set(ids).size, texts.length);
    await until('all at the archive', async () => (await textsOf(tandem)).length >= texts.length);
    assert.deepEqual((await textsOf(tandem)).sort(), [...texts].sort());
}));

test('a file of 5 MB comes back as it was', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const bytes = randomBytes(BLOB_SIZE);
    const {hash, size} = await tandem.putBlob(bytes);
    assert.equal(size, BLOB_SIZE);
    const pieces = [];
    for await (const piece of tandem.getBlob(hash))
        pieces.push(piece);
    assert(Buffer.concat(pieces).equals(bytes));
    async function* breaking() {
        yield bytes.subarray(0, 10);
        throw new Error('the disk of the sender');
    }
    await assert.rejects(tandem.putBlob(breaking()), /disk of the sender/);
    await assert.rejects(tandem.getBlob('0'.repeat(64)).toArray(), {code: 'NOT-FOUND'});
}));

test('files go in pieces only where there is no stream', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const bytes = randomBytes(BLOB_SIZE / 4);
    let called = [];
    const between = (stream) => ({call: async (method, ...rest) => {
        called.push(method);
        return method === 'blob.stream' ? stream() : tandem.call(method, ...rest);
    }});
    const fails = (code) => () => {
        throw Object.assign(new Error('no'), {code});
    };
    const nowhere = () => ({socket: path.join(folder, 'nowhere'), ticket: '0'.repeat(64)});
    let hash;
    for (const stream of [fails('UNKNOWN-METHOD'), fails('BUSY'), fails('CLOSED'), nowhere]) {
        called = [];
        ({hash} = await writeBlob(between(stream), bytes));
        const pieces = await readBlob(between(stream), hash).toArray();
        assert(Buffer.concat(pieces).equals(bytes));
        assert(called.includes('blob.chunk') && called.includes('blob.read'), String(called));
    }
    called = [];
    const gone = between(fails('NOT-FOUND'));
    await assert.rejects(writeBlob(gone, bytes), {code: 'NOT-FOUND'});
    await assert.rejects(readBlob(gone, hash).toArray(), {code: 'NOT-FOUND'});
    assert(!called.includes('blob.chunk') && !called.includes('blob.read'), String(called));
}));

test('errors have a class, a code and a hint', inFolder(async (folder, open) => {
    await assert.rejects(connect({stateDir: folder}), (error) => error instanceof NotRunningError && error.hint !== '');
    const tandem = open(await launch(asked(folder)));
    await assert.rejects(tandem.chat.send({text: 'to nobody'}), (error) => {
        assert(error instanceof UsageError);
        assert.equal(error.code, 'BAD-PARAMS');
        assert.equal(error.number, ERRORS['BAD-PARAMS'].number);
        return true;
    });
    await assert.rejects(tandem.call('no.such'), {code: 'UNKNOWN-METHOD'});
    const stop = new AbortController();
    const waiting = tandem.wait({for: 'idle', timeoutMs: 30000}, {signal: stop.signal});
    stop.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    assert.equal(typeof tandem.topic.readUpTo, 'function');
    assert('topic.read-up-to' in METHODS);
}));

test('more calls at once than one connection takes', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const answers = await Promise.all(Array.from({length: 300}, () => tandem.id({node: 'archive'})));
    assert(answers.every(({personId}) => personId === tandem.provisioned.archive.personId));
}));

test('close ends what waits', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const events = tandem.follow().next();
    const call = tandem.events.since({...await tandem.position(), type: 'job', waitMs: 30000});
    await Promise.all([tandem.close(), assert.rejects(call, {code: 'CLOSED'})]);
    assert.deepEqual(await events, {value: undefined, done: true});
}));
