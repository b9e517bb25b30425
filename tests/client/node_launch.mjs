// What an app may rely on: it starts, nothing outlives it, the second one is told, a crash is mended.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import test from 'node:test';

import {NotRunningError, RefusedError, connect, launch} from '../../ipc/clients/node/index.mjs';
import {HERE, SECRET, asked, gone, inFolder, processesOf, runNode, until} from './support.mjs';

async function startApp(folder) {
    const app = runNode(path.join(HERE, 'app.mjs'), folder);
    await until('the app', () => app.output().includes('pid '));
    return app;
}

test('an app that is killed leaves no process behind, and the next one starts at once', inFolder(async (folder, open) => {
    const app = await startApp(folder);
    assert.equal((await processesOf(folder)).length, 3);
    app.child.kill('SIGKILL');
    await app.ended;
    const tandem = open(await launch(asked(folder)));
    assert.equal(tandem.provisioned.created, false);
    await tandem.close();
    await gone(folder);
}));

test('a second instance is told of the first, and may talk to it', inFolder(async (folder, open) => {
    const first = open(await launch(asked(folder)));
    await assert.rejects(launch(asked(folder)), (error) => {
        assert.equal(error.code, 'ALREADY-RUNNING');
        assert.equal(error.pid, first.pid);
        assert.match(error.hint, /\S/);
        return true;
    });
    const second = open(await connect({stateDir: folder}));
    assert.equal((await second.status()).supervisor.pid, first.pid);
    assert.equal(first.state, 'running');
}));

test('a wrong secret is refused, and nothing is left running', inFolder(async (folder, open) => {
    await open(await launch(asked(folder))).close();
    await assert.rejects(launch({...asked(folder), secret: 'another'}), (error) => {
        assert(error instanceof RefusedError);
        assert.equal(error.code, 'BAD-SECRET');
        return true;
    });
    await gone(folder);
}));

test('the secret is in nobody\'s arguments or environment', inFolder(async (folder, open) => {
    open(await launch(asked(folder)));
    const processes = await processesOf(folder);
    assert.equal(processes.length, 3);
    for (const {cmdline, environ} of processes)
        assert(!(cmdline + environ).includes(SECRET));
}));

test('after a crash it comes back, and the secret is asked for again', inFolder(async (folder, open) => {
    let times = 0;
    const secret = async () => {
        times++;
        return Buffer.from(SECRET);
    };
    const tandem = open(await launch({...asked(folder), secret}));
    const states = [];
    tandem.on('state', (state) => states.push(state));
    for (const n of [2, 3]) {
        const before = tandem.pid;
        process.kill(before, 'SIGKILL');
        await until('a restart', () => times === n && tandem.state === 'running');
        assert.notEqual(tandem.pid, before);
        assert.equal((await tandem.status()).archive.state, 'running');
    }
    assert.deepEqual(states, ['restarting', 'running', 'restarting', 'running']);
}));

test('who stops it with the command line means it', inFolder(async (folder, open) => {
    const tandem = open(await launch(asked(folder)));
    const down = spawnSync(path.join(process.env.TANDEM_BIN, 'tandem'), ['--state-dir', folder, 'down']);
    assert.equal(down.status, 0);
    await until('the end', () => tandem.state === 'stopped');
    await assert.rejects(tandem.chat.list({with: 'me'}), NotRunningError);
    await gone(folder);
}));

test('without the programs it says so', inFolder(async (folder) => {
    await assert.rejects(launch({...asked(folder), binDir: folder}), {code: 'NOT-FOUND'});
}));
