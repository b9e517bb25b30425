// A live peer in headless Chromium, with the face of peer.mjs: commands are JSON lines on stdin, events are JSON lines on
// stdout, what page and browser log goes to stderr.
//
//   ONE_PEER=DIR ONE_BROWSER=DIR node drive.mjs --name NAME --dir DIR --port PORT
//
// stage.mjs says where the page comes from. Commands of its own: reload, open and close of a further tab; whatever else comes
// goes to the page, or to the further tab if "tab" says so, whose events say so as well.
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { bundle, chromium, serve } from './stage.mjs';

const { values: opt } = parseArgs({ options: { name: { type: 'string' }, dir: { type: 'string' }, port: { type: 'string' } } });
const say = event => process.stdout.write(JSON.stringify(event) + '\n');

bundle(opt.dir);
const url = `${await serve(opt.dir, Number(opt.port))}/?name=${opt.name}`;
const browser = await chromium(opt.dir);
const tabs = new Map();

async function open(tab) {
    const page = await browser.newPage();
    tabs.set(tab, page);
    page.on('console', m => console.error(m.text()));
    page.on('pageerror', e => say({ t: Date.now(), event: 'error', cmd: 'page', error: String(e.stack ?? e) }));
    await page.exposeFunction('tell', event => say(tab === undefined ? event : { ...event, tab }));
    await page.goto(url);
}

const own = {
    open: c => open(c.tab),
    close: c => tabs.get(c.tab).close(),
    reload: c => tabs.get(c.tab).reload(),
    quit: () => browser.close().then(() => process.exit(0))
};
browser.on('close', () => process.exit(0));
await open();
for await (const line of readline.createInterface({ input: process.stdin })) {
    const c = JSON.parse(line);
    try {
        await (Object.hasOwn(own, c.cmd) ? own[c.cmd](c) : tabs.get(c.tab).evaluate(x => window.run(x), c));
    } catch (error) {
        say({ t: Date.now(), event: 'error', cmd: c.cmd, error: String(error) });
    }
}
await browser.close();
process.exit(0);
