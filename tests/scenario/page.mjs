// Two pages of 'tandem ui' in headless Chromium: the second pairs with the first by a pasted link, and both chat. Looks at every
// view in both schemes and widths for what sticks out and for words that are hard to read.
//
//   page.mjs FIRST-LINK SECOND-LINK FOLDER    the names there: joe and ann; screenshots go to FOLDER
//
// What is to happen to joe's processes meanwhile is asked for in lines on stdout, each answered by one on stdin.
//
// ONE_BROWSER names the folder whose node_modules hold playwright-core, ONE_CHROMIUM another program than "chromium".
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const [firstLink, secondLink, folder] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(process.env.ONE_BROWSER, 'node_modules', 'x.js'))('playwright-core');
const program = process.env.ONE_CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const WIDTHS = [320, 1280];
const VIEWS = ['Chats', 'People', 'Network', 'Health'];
const CONTRAST = 4.5;
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
    await page.goto(link);
    await page.getByText('Connected', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).hash, '', 'the link stays in the address bar');
    assert.deepEqual(await page.context().cookies(), []);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
    return page;
}

const view = (page, name) => page.getByRole('navigation').getByRole('button', { name }).click();

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

async function enterChat(page, name) {
    await view(page, 'Chats');
    await page.getByRole('list', { name: 'Conversations' }).getByRole('button', { name }).click();
    await page.getByRole('log').waitFor();
}

async function say(page, words) {
    await page.keyboard.type(words); // who is chosen is written to at once
    await page.keyboard.press('Enter');
}

const said = (page, words) => page.getByRole('log').getByRole('article').filter({ hasText: words });

// In the page: what is wider than the window, and words whose colour is too near to what is behind them.
function faults(least) {
    const parts = colour => colour.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = node => {
        for (let at = node; at; at = at.parentElement) {
            const back = parts(getComputedStyle(at).backgroundColor);
            if (back[3] !== 0) {
                return back;
            }
        }
        return [255, 255, 255];
    };
    const found = [];
    if (document.scrollingElement.scrollWidth > innerWidth) {
        found.push(`the page is ${document.scrollingElement.scrollWidth} wide, the window ${innerWidth}`);
    }
    for (const node of document.body.querySelectorAll('*')) {
        const box = node.getBoundingClientRect();
        const words = [...node.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
        if (box.width === 0 || (!words && !node.matches('input, textarea, svg'))) {
            continue;
        }
        const name = `${node.tagName} "${node.textContent.slice(0, 30)}"`;
        if (box.right > innerWidth + 1 || box.left < -1 || (words && !node.matches('textarea') && node.scrollWidth > node.clientWidth + 1
            && getComputedStyle(node).display !== 'inline' && !(node instanceof SVGElement))) {
            found.push(`${name} sticks out: ${box.left} to ${box.right}`);
        }
        const style = getComputedStyle(node);
        const front = light(parts(node instanceof SVGElement ? style.fill : style.color));
        const back = light(behind(node));
        const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        if (words && contrast < least) {
            found.push(`${name} has a contrast of ${contrast.toFixed(2)}`);
        }
    }
    return found;
}

async function look(page, what) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 800 });
            await page.screenshot({ path: path.join(folder, `${what}-${colorScheme}-${width}.png`) });
            assert.deepEqual(await page.evaluate(faults, CONTRAST), [], `${what}, ${colorScheme}, ${width} px`);
        }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
}

async function lookAtAll(page) {
    for (const name of VIEWS) {
        await view(page, name);
        await page.waitForTimeout(0);
        await look(page, name.toLowerCase());
    }
}

const joe = await open(firstLink);
const ann = await open(secondLink);
await joe.getByText('You know nobody yet').waitFor();
await look(joe, 'nobody');
const safety = await pair(ann, await invite(joe));
await joe.getByText(safety).waitFor(); // both see the same
await enterChat(joe, 'ann');
await enterChat(ann, 'joe');
await say(ann, 'hello from the page');
await said(joe, 'hello from the page').waitFor();
await say(joe, 'and <b>back</b> to you');
await said(ann, 'and <b>back</b> to you').waitFor();
await said(joe, 'and <b>back</b> to you').getByText('delivered').waitFor();
await happens('kill the archive');
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
await ann.keyboard.insertText('x'.repeat(TOO_LONG));
await ann.keyboard.press('Enter');
await ann.getByText('This is too long.').waitFor();
assert.equal((await ann.getByRole('textbox', { name: 'Message to joe' }).inputValue()).length, TOO_LONG);
assert.ok(await ann.getByText('Connected', { exact: true }).isVisible());
complaints.splice(0, Infinity, ...complaints.filter(line => !line.includes('WebSocket connection to'))); // while it was away
await view(joe, 'Network');
await joe.locator('.picture line.live').nth(1).waitFor({ state: 'attached' }); // between the own nodes, and to ann
await view(joe, 'Health');
await joe.getByText('Both nodes synchronise.').waitFor();
await lookAtAll(joe);
await joe.setViewportSize({ width: 320, height: 800 });
await view(joe, 'Chats');
await joe.getByRole('button', { name: 'All chats' }).click();
await joe.getByRole('list', { name: 'Conversations' }).getByRole('button', { name: 'ann' }).waitFor();
assert.deepEqual(complaints, [], 'what the browser complains of');
await happens('end the second page');
await ann.getByText('was cut').waitFor();
await ann.getByRole('button', { name: 'Connect again' }).waitFor();
await joe.reload(); // the link is used up and the session was in the page alone
await joe.getByText('Open the link that').waitFor();
await joe.goto('about:blank');
await joe.goto(firstLink);
await joe.getByText('This link was used already').waitFor();
await browser.close();
process.exit(0);
