// LAMA's two halves with tandem as the one of them: a renderer in headless Chromium that runs the unmodified ONE.models browser
// build (IndexedDB) provisions its node through the adapter, pairs with it over ws://localhost, chats and gets files, and goes on
// after a reload and a killed archive.
//
// ONE_PEER and ONE_BROWSER as in tests/interop/browser/stage.mjs.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {startLama, succeeds} from './lama_support.mjs';
import {SECRET, gone, inFolder, until} from './support.mjs';

const {ONE_PEER, ONE_BROWSER, ONE_CHROMIUM} = process.env;
const wanted = [[ONE_PEER ?? '/nowhere', 'node_modules/@refinio/one.models'], [ONE_BROWSER ?? '/nowhere', 'node_modules/esbuild'],
    [ONE_BROWSER ?? '/nowhere', 'node_modules/playwright-core'], [ONE_CHROMIUM ?? '/usr/bin/chromium', '']];
const lacking = wanted.map((parts) => path.join(...parts)).filter((file) => !existsSync(file));
if (lacking.length > 0) {
    console.log(`SKIP: no renderer was tried: there is no ${lacking.join(' and no ')}`);
    process.exit(77);
}
const {bundle, chromium, serve} = await import('../interop/browser/stage.mjs');

// The window: its page finds electronAPI as LAMA's preload makes it, and page.js what it needs.
class Renderer {
    events = [];

    async open(lama, folder) {
        bundle(folder);
        this.browser = await chromium(folder);
        this.page = await this.browser.newPage();
        this.page.on('pageerror', (error) => this.events.push({event: 'error', error: String(error)}));
        await this.page.exposeFunction('tell', (event) => this.events.push(event));
        await this.page.exposeFunction('invoke', lama.invoke);
        await this.page.addInitScript(() => {
            window.electronAPI = {isElectron: true, invoke: window.invoke};
            window.told = [];
        });
        lama.window.webContents.send = (...what) => this.page.evaluate((one) => window.told.push(one), what).catch(() => {});
        await this.page.goto(`${await serve(folder, 0)}/?name=anna-window`);
        this.person = (await this.hears('ready')).person;
    }

    // The next event of this name that matches.
    async hears(event, matches = () => true) {
        const find = () => this.events.findIndex((one) => one.event === event && matches(one));
        await until(`${event} in the page`, () => {
            const failed = this.events.find((one) => one.event === 'error');
            assert.equal(failed, undefined, JSON.stringify(failed));
            return find() >= 0;
        });
        return this.events.splice(find(), 1)[0];
    }

    run(command) {
        return this.page.evaluate((one) => window.run(one), command);
    }

    invoke(...what) {
        return this.page.evaluate((given) => window.electronAPI.invoke(...given), what);
    }

    async reload() {
        await this.page.reload();
        assert.equal((await this.hears('ready')).person, this.person);
    }

    texts(node) {
        this.run({cmd: 'messages', other: node});
        return this.hears('messages').then(({texts}) => texts);
    }
}

// Says something each way, and looks whether both have it.
async function chat(lama, renderer, node, topic, round) {
    const [ours, theirs] = [`from the node ${round}`, `from the page ${round}`];
    await renderer.run({cmd: 'say', other: node, text: theirs});
    await succeeds(lama, 'chat:sendMessage', {conversationId: topic, text: ours});
    await renderer.hears('chat', ({text}) => text === ours);
    await until('the renderer to be told', () => renderer.page.evaluate((text) =>
        window.told.some(([channel, data]) => channel === 'chat:newMessages' && data.messages[0].text === text), theirs));
    const listed = async () => (await renderer.invoke('chat:getMessages', {conversationId: topic})).messages
        .map(({text}) => text);
    await until('both to list the same', async () => {
        const [here, there] = [await listed(), await renderer.texts(node)];
        return [ours, theirs].every((text) => here.includes(text)) && here.join() === there.join();
    });
}

async function file(lama, renderer, node, topic) {
    const bytes = randomBytes(300000);
    const {data} = await succeeds(lama, 'attachment:store',
        {data: bytes.toString('base64'), metadata: {name: 'a.bin', mimeType: 'application/octet-stream'}});
    await succeeds(lama, 'chat:sendMessage', {conversationId: topic, text: 'a file', attachments: [data]});
    const wanted = JSON.stringify(['a.bin', bytes.length, createHash('sha256').update(bytes).digest('hex')]);
    await until('the page to have the file', async () => {
        await renderer.run({cmd: 'files', other: node});
        return (await renderer.hears('files')).list.some((one) => JSON.stringify(one) === wanted);
    });
}

test('a renderer with the unmodified browser build lives with tandem', inFolder(async (folder, open) => {
    const top = path.dirname(folder);
    const lama = open(await startLama(top));
    const renderer = new Renderer();
    open({close: () => renderer.browser?.close()});
    await renderer.open(lama, path.join(top, 'page'));
    const made = await renderer.invoke('onecore:initializeNode', {user: {name: 'anna', password: SECRET}});
    assert.equal(made.success, true, made.error);
    const {nodeId: node, pairingInvite: invitation} = made;
    assert.match(invitation.url, /^ws:\/\/localhost:\d+$/);
    renderer.run({cmd: 'pair', invitation});
    assert.equal((await renderer.hears('paired')).remotePerson, node);
    const {topicId: topic} = await succeeds(lama, 'onecore:getOrCreateTopicForContact', renderer.person);

    await chat(lama, renderer, node, topic, 1);
    await file(lama, renderer, node, topic);
    await renderer.reload();
    await chat(lama, renderer, node, topic, 2);
    process.kill((await lama.controller.tandem.status()).archive.pid, 'SIGKILL');
    await chat(lama, renderer, node, topic, 3);
    await renderer.browser.close();
    await lama.close();
    await gone(path.join(top, 'tandem'));
}));
