// A folder for an installation, and what runs for it.
import {spawn} from 'node:child_process';
import {mkdtemp, readFile, readdir, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const SECRET = 'correct horse battery';
export const HERE = path.dirname(fileURLToPath(import.meta.url));
export const PACKAGE = path.join(HERE, '../../ipc/clients/node');
const PATIENCE_MS = 60000;

export async function until(what, ask) {
    for (const end = Date.now() + PATIENCE_MS; ;) {
        const found = await ask();
        if (found)
            return found;
        if (Date.now() > end)
            throw new Error(`it never came: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

async function textOf(pid, name) {
    return await readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
}

// {pid, cmdline, environ} of tandem's processes for a folder: the supervisor and the nodes name it.
export async function processesOf(folder) {
    const found = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const cmdline = await textOf(pid, 'cmdline');
        const cwd = /\/tandem-[a-z]+\0/.test(cmdline) && (cmdline + await textOf(pid, 'environ'));
        if (cwd && cwd.includes(folder))
            found.push({pid: Number(pid), cmdline, environ: await textOf(pid, 'environ')});
    }
    return found;
}

export const gone = (folder) => until('an end of all processes', async () => (await processesOf(folder)).length === 0);

// A test with a folder of its own, in which nothing may run at its end.
export function inFolder(body) {
    return async () => {
        const top = await mkdtemp(path.join(os.tmpdir(), 'tandem-client-'));
        const folder = path.join(top, 'state');
        const opened = [];
        try {
            await body(folder, (client) => opened[opened.push(client) - 1]);
        } finally {
            for (const client of opened)
                await client.close();
            await gone(folder);
            await rm(top, {recursive: true, force: true});
        }
    };
}

export const asked = (folder) => ({stateDir: folder, user: 'anna', secret: SECRET, args: ['--listen', 'localhost:0']});

// Runs a program of Node: {child, output(), ended}.
export function runNode(...args) {
    const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
    let text = '';
    child.stdout.on('data', (piece) => {
        text += piece;
    });
    const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({status, signal})));
    return {child, output: () => text, ended};
}
