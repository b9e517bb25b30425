// The program of the README, as it stands there: a person says something in its window, reads the answer and closes it.
// ONE_BROWSER names the folder whose node_modules hold playwright-core.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import {launch} from '../../ipc/clients/node/index.mjs';
import {HERE, PACKAGE, SECRET, asked, gone, inFolder, runNode, until} from './support.mjs';

const LINES_MAX = 30;
const chromium = process.env.ONE_CHROMIUM ?? '/usr/bin/chromium';
const playwright = path.join(process.env.ONE_BROWSER ?? '/nowhere', 'node_modules', 'playwright-core');
const lacking = [playwright, chromium].filter((file) => !existsSync(file));
if (lacking.length > 0) {
    console.log(`SKIP: the README's program was not tried: there is no ${lacking.join(' and no ')}`);
    process.exit(77);
}

async function write(folder) {
    const readme = await readFile(path.join(HERE, '../../README.md'), 'utf8');
    const [, program] = /```js\n(.*?)```/s.exec(readme);
    assert(program.trim().split('\n').length <= LINES_MAX);
    await mkdir(path.join(folder, 'node_modules/@tandem'), {recursive: true});
    await symlink(PACKAGE, path.join(folder, 'node_modules/@tandem/client'));
    await symlink(playwright, path.join(folder, 'node_modules/playwright-core'));
    await writeFile(path.join(folder, 'secret'), `${SECRET}\n`, {mode: 0o600});
    await writeFile(path.join(folder, 'main.mjs'), program);
}

async function answers(bob, from) {
    for await (const {data} of bob.follow({after: from, node: 'archive', type: 'chat.received'}))
        return await bob.chat.send({to: data.sender, text: 'Hello, Anna!'});
}

// Says something in the window, until what Bob said stands there; then the window is closed.
async function use(folder, says, ...invitation) {
    Object.assign(process.env, {PERSON_SAYS: says, PERSON_READS: 'Hello, Anna!', TANDEM_LISTEN_ADDRESS: 'localhost:0'});
    const app = path.join(path.dirname(folder), 'app');
    const program = runNode('--import', path.join(HERE, 'person.mjs'), path.join(app, 'main.mjs'), folder,
        path.join(app, 'secret'), ...invitation);
    assert.deepEqual(await program.ended, {status: 0, signal: null});
    await gone(folder);
}

test('the README\'s program launches, provisions, chats and stops, and goes on when it is started again',
    inFolder(async (folder, open) => {
        const [home, app] = ['bob', 'app'].map((name) => path.join(path.dirname(folder), name));
        const bob = open(await launch({...asked(home), user: 'bob'}));
        await write(app);
        const answered = answers(bob, await bob.position());
        await use(folder, 'Hello, Bob!', JSON.stringify(await bob.pairing.invite()));
        const {channel} = await answered;
        await use(folder, 'Again.');
        await until('Bob to hear it all', async () => {
            const {items} = await bob.topic.read({topic: channel, node: 'archive'});
            return items.map(({text}) => text).join() === 'Hello, Bob!,Hello, Anna!,Again.';
        });
    }));
