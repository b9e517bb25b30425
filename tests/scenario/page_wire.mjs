// The page's connection, with a WebSocket of the test's own: what was asked and not answered when it was lost is asked again as the
// same, unless it was too long, the session is not told to whoever took the door's place, and a link that is used up is not tried
// again.
import assert from 'node:assert/strict';
import { Wire } from '../../supervisor/ui/page/wire.js';

const opened = [];

class Fake {
    static OPEN = 1;
    readyState = 1;
    sent = [];

    constructor(url) {
        assert.equal(url, 'ws://127.0.0.1:7/');
        opened.push(this);
    }

    send(text) {
        this.sent.push(JSON.parse(text));
    }

    answer(index, more) {
        this.onmessage({ data: JSON.stringify({ jsonrpc: '2.0', id: this.sent[index].id, ...more }) });
    }

    lose(code = 1000) {
        this.readyState = 3;
        this.onclose({ code });
    }
}

globalThis.WebSocket = Fake;
globalThis.location = { host: '127.0.0.1:7' };

async function until(condition) {
    for (const end = Date.now() + 10000; !condition();) {
        assert.ok(Date.now() < end, 'it never happened');
        await new Promise(resolve => setTimeout(resolve, 5));
    }
}

async function next(count, pass) { // another connection, which asks to come in
    await until(() => opened.length === count);
    const socket = opened[count - 1];
    socket.onopen();
    assert.deepEqual([socket.sent[0].method, socket.sent[0].params], ['ui.enter', pass]);
    return socket;
}

const told = [];
const wire = new Wire({ link: 'L' }, what => told.push(what));
wire.open();
const first = await next(1, { link: 'L' });
first.answer(0, { result: { session: 'S' } });
await until(() => told.includes('connected'));
const question = wire.ask('status');
const sending = wire.act('chat.send', { to: 'ann', text: 'once' });
first.lose();
await assert.rejects(question, { code: 'CLOSED' });
const second = await next(2, { session: 'S' }); // the link is not needed any more
second.answer(0, { result: { session: 'S' } });
await until(() => second.sent.length === 2);
assert.deepEqual(second.sent[1].params, first.sent[2].params);
assert.match(second.sent[1].params.opId, /^[0-9a-f]{32}$/);
second.answer(1, { result: { id: 'M' } });
assert.deepEqual(await sending, { id: 'M' });
second.lose();
let third = await next(3, { session: 'S' });
third.answer(0, { result: { session: 'S', messageMax: 200 } });
await until(() => told.at(-1) === 'connected');
await assert.rejects(wire.act('chat.send', { text: 'ä'.repeat(90) }), { code: 'TOO-BIG' }); // of two bytes each
assert.equal(third.sent.length, 1);
const longest = wire.act('chat.send', { text: 'y'.repeat(60) });
const short = wire.act('chat.send', { text: 'y' });
await until(() => third.sent.length === 3);
third.lose(1009);
await assert.rejects(longest, { code: 'TOO-BIG' });
third = await next(4, { session: 'S' });
third.answer(0, { result: { session: 'S', messageMax: 200 } });
await until(() => third.sent.length === 2);
assert.equal(third.sent[1].params.text, 'y');
const later = globalThis.setTimeout;
globalThis.setTimeout = () => assert.fail('it would come back by itself');
third.lose(1006);
globalThis.setTimeout = later;
assert.deepEqual([told.at(-1), opened.length], ['ended', 4]);
wire.open(); // the user wants it so
third = await next(5, { session: 'S' });
third.answer(0, { result: { session: 'S', messageMax: 200 } });
await until(() => third.sent.length === 2);
third.answer(1, { result: { id: 'N' } });
assert.deepEqual(await short, { id: 'N' });
third.lose();
third = await next(6, { session: 'S' });
third.answer(0, { error: { code: 429, message: 'used', data: { code: 'LINK-USED' } } });
await until(() => told.at(-1) === 'linkUsed');
third.lose();
await assert.rejects(wire.act('chat.send', {}), { code: 'CLOSED' });
const lost = ['away', 'away', 'away', 'ended', 'away'].flatMap(how => ['connecting', 'connected', how]);
assert.deepEqual(told, [...lost, 'connecting', 'linkUsed']);
assert.equal(opened.length, 6);
