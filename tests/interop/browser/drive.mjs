// A live peer in headless Chromium, with the face of peer.mjs: commands are JSON lines on stdin, events are JSON lines on
// stdout, what page and browser log goes to stderr.
//
//   ONE_PEER=DIR ONE_BROWSER=DIR node drive.mjs --name NAME --dir DIR --port PORT
//
// The page is bundled here, from page.js and the packages below ONE_PEER as they are, into DIR, and served on localhost:PORT.
// ONE_BROWSER names the folder whose node_modules hold esbuild and playwright-core, ONE_CHROMIUM another program than
// "chromium". Commands of its own: reload, open and close of a further tab; whatever else comes goes to the page, or to the
// further tab if "tab" says so, whose events say so as well.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';

const { values: opt } = parseArgs({ options: { name: { type: 'string' }, dir: { type: 'string' }, port: { type: 'string' } } });
const here = import.meta.dirname;
const tools = createRequire(path.resolve(process.env.ONE_BROWSER, 'node_modules', 'x.js'));
const say = event => process.stdout.write(JSON.stringify(event) + '\n');
const bundle = path.join(opt.dir, 'page.js');

function build() {
    mkdirSync(opt.dir, { recursive: true });
    tools('esbuild').buildSync({ entryPoints: [path.join(here, 'page.js')], outfile: bundle, bundle: true, format: 'esm',
        platform: 'browser', target: 'es2022', define: { global: 'globalThis' }, logLevel: 'warning',
        nodePaths: [path.resolve(process.env.ONE_PEER, 'node_modules')] });
}

async function serve() {
    const server = http.createServer((request, response) => {
        const script = request.url === '/page.js';
        response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' });
        response.end(script ? readFileSync(bundle) : '<!doctype html><script type="module" src="/page.js"></script>');
    });
    await new Promise(resolve => server.listen(Number(opt.port), 'localhost', resolve));
    return `http://localhost:${opt.port}/?name=${opt.name}`;
}

function chromium() {
    const program = process.env.ONE_CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
    return tools('playwright-core').chromium.launchPersistentContext(path.join(opt.dir, 'profile'), {
        executablePath: program, headless: true, chromiumSandbox: false, args: ['--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}

build();
const url = await serve();
const browser = await chromium();
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
