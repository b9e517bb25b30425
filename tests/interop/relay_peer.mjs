// Relays, ours and the reference's: our relay client at the reference's communication server, and two live peers that
// find each other, pair and chat through our relay.
//   ONE_PEER=DIR node relay_peer.mjs RELAY-PEER-PROGRAM TANDEM-RELAY
// Exit code 77 (skipped) without ONE_PEER.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

if (!process.env.ONE_PEER) {
    console.log('SKIPPED: ONE_PEER does not name a folder with the packages of a live peer');
    process.exit(77);
}
const [, , relayPeer, tandemRelay] = process.argv;
const folder = mkdtempSync(path.join(os.tmpdir(), 'tandem-interop-'));
const children = [];

const freePort = () => new Promise(resolve => {
    const server = net.createServer().listen(0, 'localhost', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
    });
});

const opens = port => new Promise(resolve => {
    const socket = net.connect(port, 'localhost');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
});

function start(command, args) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const until = async (event, fits = () => true) => {
        for (;;) {
            const { value, done } = await lines.next();
            if (done) throw new Error(`${command} ended before ${event}`);
            const line = JSON.parse(value);
            if (line.event === 'error' || line.event === 'failed') throw new Error(value);
            if (line.event === event && fits(line)) return line;
        }
    };
    const exit = new Promise(resolve => child.on('exit', resolve));
    return { until, exit, send: object => child.stdin.write(`${JSON.stringify(object)}\n`) };
}

async function ourClientAtTheirServer() {
    const port = await freePort();
    const server = path.resolve(process.env.ONE_PEER, 'node_modules/@refinio/one.models/lib/tools/CommunicationServer.js');
    const child = spawn('node', [server, '-h', 'localhost', '-p', String(port)], { stdio: 'ignore' });
    children.push(child);
    for (let i = 0; i < 100 && !await opens(port); i++) await new Promise(r => setTimeout(r, 100));
    if (await start(relayPeer, [`ws://localhost:${port}`]).exit !== 0) throw new Error('our relay client failed');
}

async function peer(name, url) {
    const p = start('node', [new URL('peer.mjs', import.meta.url).pathname, '--name', name, '--dir',
        path.join(folder, name), '--relay', url]);
    p.person = (await p.until('ready')).person;
    return p;
}

async function theirPeersAtOurServer() {
    const { url } = await start(tandemRelay, ['--listen', 'localhost:0', '--json']).until('ready');
    const [alice, bob] = await Promise.all([peer('alice', url), peer('bob', url)]);
    alice.send({ cmd: 'invite' });
    const { invitation } = await alice.until('invitation');
    bob.send({ cmd: 'pair', invitation });
    await Promise.all([alice.until('paired'), bob.until('paired')]);
    await Promise.all([alice.until('protocol', l => l.protocol === 'chum'), bob.until('protocol', l => l.protocol === 'chum')]);
    alice.send({ cmd: 'say', other: bob.person, text: 'through the relay' });
    await bob.until('chat', l => l.text === 'through the relay');
    bob.send({ cmd: 'say', other: alice.person, text: 'and back' });
    await alice.until('chat', l => l.text === 'and back');
}

let code = 1;
try {
    for (const test of [ourClientAtTheirServer, theirPeersAtOurServer]) {
        await test();
        console.log('passed', test.name);
    }
    code = 0;
} catch (error) {
    console.log(String(error));
} finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
}
