// A day with two pages of 'tandem ui' in headless Chromium: the second pairs with the first by a pasted link, both chat, send files,
// make a group, lose the archive and come back. Looks at every view in both schemes and at three sizes (page_look.mjs).
//
//   page.mjs FIRST-LINK SECOND-LINK FOLDER    the names there: joe and ann; screenshots go to FOLDER
//
// What is to happen to joe's processes meanwhile is asked for in lines on stdout, each answered by one on stdin.
//
// ONE_BROWSER names the folder whose node_modules hold playwright-core, ONE_CHROMIUM another program than "chromium".
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { look, walk } from './page_look.mjs';

const [firstLink, secondLink, folder] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(process.env.ONE_BROWSER, 'node_modules', 'x.js'))('playwright-core');
const program = process.env.ONE_CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const VIEWS = ['Chats', 'People', 'Network', 'Events', 'Storage', 'Health', 'Settings'];
const TOO_LONG = 1100000;

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function happens(what) {
    console.log(what);
    await answers.next();
}

const browser = await chromium.launch({ executablePath: program, headless: true, chromiumSandbox: false,
    args: ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'] });
const complaints = [];

async function open(link) {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.setDefaultTimeout(60000);
    page.on('console', m => m.type() === 'error' && complaints.push(m.text()));
    page.on('pageerror', e => complaints.push(String(e.stack ?? e)));
    page.on('dialog', d => complaints.push(`a dialog: ${d.message()}`));
    await page.goto(link);
    await page.getByText('Connected', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).hash, '', 'the link stays in the address bar');
    assert.deepEqual(await page.context().cookies(), []);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    console.error(`first picture ${Math.round(paint)} ms after the link`);
    return page;
}

const nav = page => page.getByRole('navigation').getByRole('button');
const view = (page, name) => nav(page).filter({ hasText: name }).click();

async function invite(page) {
    await view(page, 'People');
    await page.getByRole('button', { name: 'Make an invitation' }).click();
    const field = page.getByRole('textbox', { name: 'Invitation link' });
    await field.waitFor();
    assert.ok(await page.getByRole('img', { name: 'QR code' }).isVisible());
    return field.inputValue();
}

async function pair(page, link) {
    await view(page, 'People');
    await page.getByRole('textbox', { name: 'Invitation', exact: true }).fill(`> Hello, here it is:\n${link}\n`);
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByText('Paired with').waitFor();
    return page.locator('form.card .safety').textContent();
}

const conversation = (page, name) => page.getByRole('list', { name: 'Conversations' }).getByRole('button', { name });

async function enterChat(page, name) {
    await view(page, 'Chats');
    await conversation(page, name).click();
    await page.getByRole('log').waitFor();
}

async function say(page, words) {
    await page.keyboard.type(words); // who is chosen is written to at once
    await page.keyboard.press('Enter');
}

const said = (page, words) => page.getByRole('log').getByRole('article').filter({ hasText: words });

async function lookAtAll(page) {
    for (const name of VIEWS) {
        await view(page, name);
        await look(page, folder, name.toLowerCase());
    }
}

// --- what the day has -----------------------------------------------------------------------------------------------------

const joe = await open(firstLink);
const ann = await open(secondLink);

async function meet() {
    await joe.getByText('You know nobody yet').waitFor();
    await look(joe, folder, 'nobody');
    const safety = await pair(ann, await invite(joe));
    await joe.getByText(safety).waitFor(); // both see the same
    await joe.getByText('You have not compared it yet').waitFor();
    await joe.getByRole('button', { name: 'They see the same' }).click();
    await joe.getByText('You compared it').waitFor();
    await happens('another text was compared');
    await joe.getByText('has changed since you compared it').waitFor();
    await view(joe, 'Chats');
    await conversation(joe, 'ann').click();
    await joe.locator('.title').getByText('has changed since you compared it').waitFor();
    await view(joe, 'People');
    await joe.getByRole('button', { name: 'They see the same' }).click();
    await joe.getByText('You compared it').waitFor();
    await enterChat(joe, 'ann');
    await enterChat(ann, 'joe');
}

async function chat() {
    await say(ann, 'hello from the page');
    await said(joe, 'hello from the page').waitFor();
    await say(joe, 'and <b>back</b> to you');
    await said(ann, 'and <b>back</b> to you').waitFor();
    await said(joe, 'and <b>back</b> to you').getByText('delivered').waitFor();
}

// What is unread is said alike here and on the command line, and is read when it is looked at.
async function unread() {
    await view(joe, 'Network');
    await say(ann, 'did you see this?');
    await nav(joe).filter({ hasText: 'Chats (1)' }).waitFor();
    assert.equal(await joe.title(), '(1) tandem');
    await happens('one is unread');
    await joe.setViewportSize({ width: 1280, height: 400 }); // less than there is to be seen
    await view(joe, 'Chats');
    await said(joe, 'did you see this?').waitFor();
    await nav(joe).filter({ hasText: /^Chats$/ }).waitFor();
    assert.equal(await joe.title(), 'tandem');
    await happens('nothing is unread');
}

// A picture that is big enough to have a thumbnail, and how it was made.
const photo = page => page.evaluate(async () => {
    const canvas = new OffscreenCanvas(800, 600);
    const pen = canvas.getContext('2d');
    const dots = pen.createImageData(800, 600);
    for (let at = 0; at < dots.data.length; at += 65536) {
        crypto.getRandomValues(dots.data.subarray(at, at + 65536));
    }
    pen.putImageData(dots, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return Array.from(bytes);
});

async function saved(page, article, name) {
    const [download] = await Promise.all([page.waitForEvent('download'), article.getByRole('button', { name: `Save ${name}` }).click()]);
    return { bytes: readFileSync(await download.path()), name: download.suggestedFilename() };
}

async function files() {
    const bytes = Buffer.from(await photo(ann));
    await ann.locator('input[type=file]').setInputFiles([{ name: 'dots.png', mimeType: 'image/png', buffer: bytes }]);
    await ann.getByRole('list', { name: 'Files to be sent' }).getByText('dots.png').waitFor();
    await say(ann, 'look at this');
    const image = said(joe, 'look at this').getByRole('img', { name: 'dots.png' });
    await image.waitFor();
    assert.equal(await image.evaluate(async img => (await img.decode(), img.naturalWidth)), 320, 'a thumbnail');
    assert.deepEqual((await saved(joe, said(joe, 'look at this'), 'dots.png')).bytes, bytes);
    const dropped = await joe.evaluateHandle(() => {
        const data = new DataTransfer();
        data.items.add(new File(['dropped words'], 'words.txt', { type: 'text/plain' }));
        data.items.add(new File(['not to be sent'], 'other.txt', { type: 'text/plain' }));
        return data;
    });
    await joe.dispatchEvent('.talk', 'dragover', { dataTransfer: dropped });
    await joe.dispatchEvent('.talk', 'drop', { dataTransfer: dropped });
    await joe.getByRole('textbox', { name: 'Message to ann' }).evaluate(field => {
        const data = new DataTransfer();
        data.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
    });
    await joe.getByRole('button', { name: 'Remove other.txt' }).click();
    await joe.getByRole('button', { name: 'Send' }).click();
    await said(ann, 'words.txt').waitFor();
    assert.equal(String((await saved(ann, said(ann, 'words.txt'), 'words.txt')).bytes), 'dropped words');
    await said(ann, 'pasted.txt').waitFor();
    assert.equal(await said(ann, 'other.txt').count(), 0);
}

// Of ann's own making: what is called an image and is none, or not to be shown, is offered as a file, whatever it is called.
async function hostile() {
    await happens('send what is hostile');
    const last = said(joe, 'the last of them');
    await last.waitFor();
    const bad = joe.getByRole('log').getByRole('article').filter({ hasText: 'hostile' });
    assert.equal(await bad.count(), 5);
    assert.equal(await bad.locator('img, script, iframe, object, svg:not(.bar)').count(), 0);
    await last.getByRole('img').waitFor(); // pictures that came later are there
    assert.equal(await bad.locator('img').count(), 0);
    const { name } = await saved(joe, bad.nth(0), '');
    assert.ok(!/[\u202e/\\<>]|^\./.test(name), name);
    assert.equal(await joe.evaluate(() => globalThis.hurt), undefined);
}

async function group() {
    await joe.getByText('New group').click();
    await joe.getByRole('textbox', { name: 'Name of the group' }).fill('trio');
    await joe.getByRole('checkbox', { name: 'ann' }).check();
    await joe.getByRole('button', { name: 'Make the group' }).click();
    await joe.getByRole('heading', { name: 'trio' }).waitFor();
    await say(joe, 'to all of you');
    await enterChat(ann, 'trio');
    await said(ann, 'to all of you').waitFor();
    await say(ann, 'we are here');
    await said(joe, 'we are here').waitFor();
    await joe.getByText('Members', { exact: true }).click();
    await joe.locator('.members').getByText('ann · writes').waitFor();
    await look(joe, folder, 'group');
    await ann.getByText('Members', { exact: true }).click();
    await ann.getByRole('button', { name: 'Leave the group' }).click();
    await ann.getByRole('button', { name: 'Really leave' }).click();
    await ann.getByText('You cannot write here').waitFor();
    await joe.locator('.members').getByText('ann · writes').waitFor({ state: 'detached' });
    await joe.getByRole('combobox', { name: 'Somebody else' }).selectOption('ann');
    await joe.getByRole('button', { name: 'Add' }).click();
    await ann.getByRole('textbox', { name: 'Message to trio' }).fill('back again');
    await ann.keyboard.press('Enter');
    await said(joe, 'back again').waitFor();
    await enterChat(joe, 'ann');
    await enterChat(ann, 'joe');
}

async function way() {
    const mine = said(joe, 'and <b>back</b> to you');
    await mine.getByRole('button', { name: 'show its way' }).click();
    const steps = mine.getByRole('list', { name: 'The way of this message' }).getByRole('listitem');
    await steps.filter({ hasText: 'Sparse node: written' }).waitFor();
    await steps.filter({ hasText: 'Archive: handed over' }).waitFor();
    await steps.filter({ hasText: 'ann: stored' }).waitFor();
    await look(joe, folder, 'way');
}

// Ann waits at the relay that joe runs.
async function relay() {
    await view(ann, 'Network');
    await ann.locator('.picture text').filter({ hasText: /^listening, \d.*\/s$/ }).waitFor();
    await ann.locator('.picture rect').waitFor();
    await ann.getByRole('row').filter({ hasText: 'Archive – relay' }).filter({ hasText: 'listening' }).waitFor();
    await look(ann, folder, 'relay');
    const addressIn = link => JSON.parse(decodeURIComponent(link.split('#')[1])).url;
    const direct = await invite(ann);
    await ann.getByLabel('They reach you').selectOption('through your relay');
    await ann.getByRole('button', { name: 'Make an invitation' }).click();
    await ann.waitForFunction(before => document.querySelector('textarea[readonly]').value !== before, direct);
    const relayed = await ann.getByRole('textbox', { name: 'Invitation link' }).inputValue();
    assert.notEqual(addressIn(relayed), addressIn(direct));
    await view(joe, 'People');
    assert.ok(!await joe.getByLabel('They reach you').isVisible(), 'there is one way only');
    await enterChat(ann, 'joe');
}

async function awayAndBack() {
    await happens('kill the archive');
    await enterChat(joe, 'ann');
    await say(joe, 'said to a dead archive');
    await said(ann, 'said to a dead archive').waitFor();
    await said(joe, 'said to a dead archive').getByText('delivered').waitFor();
    await happens('stop');
    await joe.getByText('Trying again').waitFor();
    await happens('start');
    await joe.getByText('Connected', { exact: true }).waitFor();
    await say(ann, 'are you back?');
    await said(joe, 'are you back?').waitFor();
    assert.equal(await said(ann, 'said to a dead archive').count(), 1);
}

async function tooLong() {
    await ann.keyboard.insertText('x'.repeat(TOO_LONG));
    await ann.keyboard.press('Enter');
    await ann.getByText('This is too long.').waitFor();
    assert.equal((await ann.getByRole('textbox', { name: 'Message to joe' }).inputValue()).length, TOO_LONG);
    assert.ok(await ann.getByText('Connected', { exact: true }).isVisible());
}

// Every view has what it is for, before it is looked at.
async function views() {
    await view(joe, 'Network');
    await joe.locator('.picture line.live').nth(1).waitFor({ state: 'attached' }); // between the own nodes, and to ann
    await joe.locator('.picture text').filter({ hasText: /active, \d+ ms, .*\/s/ }).nth(1).waitFor();
    await view(joe, 'Events');
    await joe.getByRole('combobox', { name: 'Kind' }).selectOption('chat');
    await joe.getByRole('row').filter({ hasText: 'chat.received' }).first().waitFor();
    assert.equal(await joe.getByRole('row').filter({ hasText: 'connection.' }).count(), 0);
    await view(joe, 'Storage');
    await joe.getByRole('region', { name: 'Archive' }).getByText(/\d objects, \d/).waitFor();
    await joe.getByRole('region', { name: 'Sparse node' }).getByRole('rowheader', { name: 'ChatMessage' }).first().waitFor();
    await view(joe, 'Health');
    await joe.getByText('Both nodes synchronise.').waitFor();
    await view(joe, 'Settings');
    await joe.getByRole('row').filter({ hasText: 'ui.listen' }).waitFor();
    await joe.getByRole('textbox', { name: 'Status' }).fill('at the page');
    await joe.getByRole('button', { name: 'Save' }).click();
    await joe.getByText('Saved.').waitFor();
    await happens('the status is known');
}

// By keyboard alone: the order is that of the page, and what is chosen is written to.
async function keys() {
    await view(joe, 'Chats');
    const names = await walk(joe);
    const order = [...VIEWS, 'New group', 'ann', 'Messages with ann', 'Message to ann', 'Attach', 'Send'];
    const places = order.map(name => names.findIndex((one, i) => i >= order.indexOf(name) && one.startsWith(name)));
    assert.ok(places.every((place, i) => place >= 0 && (i === 0 || place > places[i - 1])), `${names} is not in the order of ${order}`);
    await conversation(joe, 'ann').focus();
    await joe.keyboard.press('Enter');
    await say(joe, 'by keyboard alone');
    await said(ann, 'by keyboard alone').waitFor();
}

// What a peer calls itself, and what it calls a topic, is a text.
async function hostileNames() {
    await happens('the names are hostile');
    await joe.setViewportSize({ width: 1280, height: 800 });
    await view(joe, 'Chats');
    await conversation(joe, '<img src=x onerror=globalThis.hurt=1>').waitFor();
    await conversation(joe, '<b>ann</b>\ufffdnna').click();
    await joe.getByRole('heading', { name: '<b>ann</b>\ufffdnna' }).waitFor();
    for (const name of VIEWS) {
        await view(joe, name);
        await joe.locator('main').getByRole('heading').first().waitFor();
        assert.equal(await joe.locator('main img:not([src^="blob:"]), main b, script:not([src])').count(), 0, name);
    }
    assert.equal(await joe.evaluate(() => globalThis.hurt), undefined);
    await look(joe, folder, 'hostile');
}

async function end() {
    await happens('end the second page');
    await ann.getByText('was cut').waitFor();
    await ann.getByRole('button', { name: 'Connect again' }).waitFor();
    await joe.reload(); // the link is used up and the session was in the page alone
    await joe.getByText('Open the link that').waitFor();
    await joe.goto('about:blank');
    await joe.goto(firstLink);
    await joe.getByText('This link was used already').waitFor();
}

for (const part of [meet, chat, unread, files, hostile, group, way, relay, awayAndBack, tooLong]) {
    await part();
}
complaints.splice(0, Infinity, ...complaints.filter(line => !line.includes('WebSocket connection to'))); // while it was away
await views();
await keys();
await lookAtAll(joe);
await joe.setViewportSize({ width: 320, height: 800 });
await view(joe, 'Chats');
await joe.getByRole('button', { name: 'All chats' }).click();
await conversation(joe, 'ann').waitFor();
await hostileNames();
assert.deepEqual(complaints, [], 'what the browser complains of');
await end();
await browser.close();
process.exit(0);
