// Connections against a live reference peer, both ways round: pairing, then chum until the peer asks its first question.
//   ONE_PEER=DIR node conn_peer.mjs CONN-PEER-PROGRAM
// Exit code 77 (skipped) without ONE_PEER.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

if (!process.env.ONE_PEER) process.exit(77);
const program = process.argv[2];
const folder = mkdtempSync(path.join(os.tmpdir(), 'tandem-interop-'));
const children = [];

const freePort = () => new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
    });
});

function start(command, args) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const until = async event => {
        for (;;) {
            const line = await next();
            if (line.event === event) return line;
        }
    };
    const exit = new Promise(resolve => child.on('exit', resolve));
    return { next, until, exit, send: object => child.stdin.write(`${JSON.stringify(object)}\n`) };
}

async function peer(name, args) {
    const p = start('node', [new URL('peer.mjs', import.meta.url).pathname, '--name', name, '--dir',
        path.join(folder, name), ...args]);
    await p.until('ready');
    return p;
}

async function invitedByThePeer() {
    const p = await peer('node', ['--listen', String(await freePort())]);
    p.send({ cmd: 'invite' });
    const { invitation } = await p.until('invitation');
    return start(program, ['invited', JSON.stringify(invitation)]).exit;
}

async function invitingThePeer() {
    const p = await peer('browser', ['--outgoing']);
    const ours = start(program, ['inviting', String(await freePort())]);
    p.send({ cmd: 'pair', invitation: await ours.next() });
    return ours.exit;
}

let code = 1;
try {
    const codes = [await invitedByThePeer(), await invitingThePeer()];
    console.log('exit codes', codes);
    code = codes.every(c => c === 0) ? 0 : 1;
} finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
}
