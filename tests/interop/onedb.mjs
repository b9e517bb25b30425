// A storage directory of the live reference peer is adopted by tandem and written back, and the peer opens the copy: same
// person, contacts, messages and documents. And an installation that imports it goes on as that peer: its contact, which
// notices nothing, synchronises with it.
//   ONE_PEER=DIR node onedb.mjs ONEDB-ADOPT-PROGRAM FOLDER-OF-TANDEM
// Exit code 77 (skipped) without ONE_PEER.
import assert from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

if (!process.env.ONE_PEER) process.exit(77);
const [program, binaries] = process.argv.slice(2);
const folder = mkdtempSync(path.join(os.tmpdir(), 'tandem-interop-'));
const children = [];
const CONVERSATIONS = 5;
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

const freePort = () => new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
    });
});

async function peer(name, dir, args) {
    const child = spawn('node', [new URL('peer.mjs', import.meta.url).pathname, '--name', name, '--dir', dir, ...args],
        { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const until = async event => {
        for (;;) {
            const { value, done } = await lines.next();
            assert(!done, `${name} ended while ${event} was expected`);
            const line = JSON.parse(value);
            if (line.event === event || line.event === 'error') {
                assert.equal(line.event, event, line.error);
                return line;
            }
        }
    };
    const send = object => child.stdin.write(`${JSON.stringify(object)}\n`);
    const ask = async (cmd, event, more = {}) => {
        send({ cmd, ...more });
        return until(event);
    };
    const quit = () => new Promise(resolve => {
        if (child.exitCode !== null) resolve();
        child.on('exit', resolve);
        send({ cmd: 'quit' });
    });
    const ready = await until('ready');
    return { person: ready.person, ask, quit };
}

// The peer writes the heads of versions in place, and sometimes reads an empty one: then it is asked again.
async function messages(p, other, count) {
    for (let i = 0; i < 40; i++) {
        const texts = await p.ask('messages', 'messages', { other }).then(answer => answer.texts, () => []);
        if (texts.length >= count) return texts;
        await pause(500);
    }
    throw new Error('the messages did not arrive');
}

function tandem(args, input = '') {
    const all = ['--json', '--state-dir', path.join(folder, 'state'), ...args];
    return JSON.parse(execFileSync(path.join(binaries, 'tandem'), all, { input, stdio: ['pipe', 'pipe', 'inherit'] }));
}

async function goOn(home, port, person, other, said) {
    const up = ['--json', '--state-dir', path.join(folder, 'state'), 'up', '--listen', `localhost:${port}`, '--stdin-lifetime'];
    const child = spawn(path.join(binaries, 'tandem'), up, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    await readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]().next(); // ready
    const imported = tandem(['import', '--one-db', home], 'secret\n');
    assert.equal(imported.archive.personId, person);
    assert(imported.federated && imported.imported.damaged + imported.imported.unknown === 0);
    const history = () => tandem(['--node', 'archive', 'chat', 'list', '--with', other]).map(m => m.text);
    assert.deepEqual(history(), said);

    const contact = await peer('browser', path.join(folder, 'other'), ['--outgoing']);
    assert.equal(contact.person, other);
    await contact.ask('say', 'said', { other: person, text: 'are you there?' });
    for (let i = 0; i < 60 && history().length < 3; i++) await pause(500);
    assert.deepEqual(history(), [...said, 'are you there?']);
    tandem(['--node', 'archive', 'chat', 'send', '--to', other, 'as always']);
    assert.deepEqual(await messages(contact, person, 4), [...said, 'are you there?', 'as always']);
    await contact.quit();
    tandem(['down']);
}

// Two peers that have spoken with each other, and have ended.
async function conversation(home, elsewhere, port) {
    const node = await peer('node', home, ['--listen', String(port)]);
    const other = await peer('browser', elsewhere, ['--outgoing']);
    try {
        const { invitation } = await node.ask('invite', 'invitation');
        await other.ask('pair', 'pairdone', { invitation });
        await pause(500);
        await node.ask('say', 'said', { other: other.person, text: 'from the node' });
        await other.ask('say', 'said', { other: node.person, text: 'from the browser <&>' });
        await node.ask('doc', 'stored', { id: 'd1', text: 'a document', tags: ['x', 'y'], blobSize: 100000 });
        const wanted = await messages(node, other.person, 2);
        return { node, other, wanted };
    } finally {
        await Promise.all([node.quit(), other.quit()]);
    }
}

// One of them can lose what the other says while a chat begins (WIRE.md 13.13): then both begin anew.
async function conversationWithoutLoss(home, elsewhere, port) {
    for (let attempt = 1;; attempt++) {
        try {
            return await conversation(home, elsewhere, port);
        } catch (error) {
            if (attempt === CONVERSATIONS) throw error;
            console.log(`attempt ${attempt}: ${error.message}`);
            [home, elsewhere].forEach(dir => rmSync(dir, { recursive: true, force: true }));
        }
    }
}

async function check() {
    const home = path.join(folder, 'home');
    const copy = path.join(folder, 'copy');
    const port = await freePort();
    const { node, other, wanted } = await conversationWithoutLoss(home, path.join(folder, 'other'), port);

    const seen = JSON.parse(execFileSync(program, [home, 'secret', copy], { stdio: ['ignore', 'pipe', 'inherit'] }));
    console.log(JSON.stringify(seen));
    assert.equal(seen.person, node.person);
    assert.equal(seen.damaged + seen.unknown, 0);
    const contact = seen.contacts.find(c => c.person === other.person);
    assert(contact.trusted);
    assert.deepEqual(contact.messages.map(m => m.text), wanted);
    assert(contact.messages.every(m => m.verification === 'verified'));

    const again = await peer('node', copy, ['--listen', String(await freePort())]);
    assert.equal(again.person, node.person);
    assert.deepEqual((await again.ask('contacts', 'contacts')).persons, [other.person]);
    assert.deepEqual(await messages(again, other.person, 2), wanted);
    const doc = await again.ask('getdoc', 'got', { id: 'd1' });
    assert.deepEqual([doc.text, doc.tags, doc.blobBytes], ['a document', ['x', 'y'], 100000]);
    await again.quit();
    await goOn(home, port, node.person, other.person, wanted);
}

let code = 1;
try {
    await check();
    code = 0;
} catch (error) {
    console.error(error);
} finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
