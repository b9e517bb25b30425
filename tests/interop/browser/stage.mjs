// The page of page.js, bundled with the packages below ONE_PEER as they are, and a headless Chromium for it.
//
// ONE_BROWSER names the folder whose node_modules hold esbuild and playwright-core, ONE_CHROMIUM another program than
// "chromium".
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const tools = createRequire(path.resolve(process.env.ONE_BROWSER, 'node_modules', 'x.js'));

// Into a folder, as page.js.
export function bundle(dir) {
    mkdirSync(dir, { recursive: true });
    tools('esbuild').buildSync({ entryPoints: [path.join(import.meta.dirname, 'page.js')], outfile: path.join(dir, 'page.js'),
        bundle: true, format: 'esm', platform: 'browser', target: 'es2022', define: { global: 'globalThis' },
        logLevel: 'warning', nodePaths: [path.resolve(process.env.ONE_PEER, 'node_modules')] });
}

// On localhost; 0 is a free port. The address of the page, until the program ends.
export async function serve(dir, port) {
    const server = http.createServer((request, response) => {
        const script = request.url === '/page.js';
        response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' });
        response.end(script ? readFileSync(path.join(dir, 'page.js')) :
            '<!doctype html><script type="module" src="/page.js"></script>');
    });
    await new Promise(resolve => server.listen(port, 'localhost', resolve));
    server.unref();
    return `http://localhost:${server.address().port}`;
}

export function chromium(dir) {
    const program = process.env.ONE_CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
    return tools('playwright-core').chromium.launchPersistentContext(path.join(dir, 'profile'), {
        executablePath: program, headless: true, chromiumSandbox: false, args: ['--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}
