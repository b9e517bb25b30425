// The main process of a desktop app in short: start tandem, chat, stop.  node desktop.mjs FOLDER
import {randomBytes} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';

import {launch} from '@tandem/client';

const folder = process.argv[2];

// Of an Electron app: safeStorage.decryptString(await readFile(…)).
async function secret() {
    const file = `${folder}.secret`;
    await writeFile(file, randomBytes(24).toString('base64'), {flag: 'wx', mode: 0o600}).catch(() => {});
    return await readFile(file, 'utf8');
}

const tandem = await launch({stateDir: folder, user: 'anna', secret, args: ['--listen', 'localhost:0']});
tandem.on('state', (state, error) => console.log(`tandem is ${state}${error ? `: ${error.message}` : ''}`));

const from = await tandem.position();
await tandem.chat.send({to: tandem.provisioned.archive.personId, text: 'Hello!', node: 'sparse'});
for await (const {event, data} of tandem.follow({after: from, node: 'archive', type: 'chat.received'})) {
    const {items} = await tandem.chat.list({with: data.sender, node: 'archive'});
    console.log(`${event}: ${items.at(-1).text}`);
    break;
}
await tandem.close();
