// The examples do what they say.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import {launch} from '../../ipc/clients/node/index.mjs';
import {PACKAGE, asked, gone, inFolder, runNode} from './support.mjs';

test('desktop.mjs launches, chats and stops', inFolder(async (folder) => {
    const example = runNode(path.join(PACKAGE, 'examples/desktop.mjs'), folder);
    assert.equal((await example.ended).status, 0);
    assert.equal(example.output(), 'chat.received: Hello!\ntandem is closed\n');
    await gone(folder);
}));

test('files.mjs keeps a file and gives it back', inFolder(async (folder, open) => {
    open(await launch(asked(folder)));
    const [file, copy] = [`${folder}.file`, `${folder}.copy`];
    const bytes = randomBytes(1500000);
    await writeFile(file, bytes);
    const example = runNode(path.join(PACKAGE, 'examples/files.mjs'), folder, file, copy);
    assert.equal((await example.ended).status, 0);
    assert.match(example.output(), /^[0-9a-f]{64} 1500000\n$/);
    assert((await readFile(copy)).equals(bytes));
}));
