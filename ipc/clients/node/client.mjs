// Calls of the control protocol with what callers would otherwise do themselves: finding the socket again after the
// supervisor was restarted, an opId for whatever changes something, repeats with the same one, events without a gap.
import {randomUUID} from 'node:crypto';
import {EventEmitter} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';

import {readBlob, writeBlob} from './blobs.mjs';
import {Connection} from './connection.mjs';
import {ConnectionLostError, NotRunningError, TandemError, lost, tandemError} from './errors.mjs';
import {defaultStateDir, readControl} from './place.mjs';
import {METHODS} from './tables.mjs';

const IN_FLIGHT_MAX = 56; // of one connection; the supervisor takes 64
const CONNECTIONS_MAX = 16;
const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 2000;
const PATIENCE_MS = 30000; // of a call, on top of what it waits for by itself
const EVENTS_WAIT_MS = 20000;

const camel = (word) => word.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

// What a node does with an opId it does once, whatever happens to the connection or to the node. The supervisor's own
// changes it remembers only while it runs.
function mayRepeat(row, method, sent) {
    return !sent || row.site === 'node' || method === 'provision' || (!row.mutates && method !== 'down');
}

export class Client extends EventEmitter {
    #connections = [];
    #opening = null;
    #met = false; // a supervisor has answered once: that there is none now may pass
    #closed = new AbortController();

    constructor({stateDir = defaultStateDir()} = {}) {
        super();
        this.stateDir = stateDir;
        this.#addCalls();
    }

    // The result of a method of docs/ipc.md. Goes on trying for timeoutMs, whatever happens to the supervisor meanwhile.
    async call(method, params = {}, {timeoutMs, signal} = {}) {
        const row = METHODS[method];
        if (row === undefined)
            throw tandemError('UNKNOWN-METHOD', `there is no method ${method}`);
        const request = row.mutates ? {...params, opId: params.opId ?? randomUUID()} : params;
        const limit = AbortSignal.timeout(timeoutMs ?? patienceWith(row, method, params));
        const stop = anyOf([limit, this.#closed.signal, signal]);
        try {
            return await this.#repeat(row, method, request, stop.signal);
        } catch (error) {
            if (limit.aborted && !(error instanceof TandemError))
                throw tandemError('TIMEOUT', `no answer to ${method} in time`, {cause: error});
            throw error;
        } finally {
            stop.release();
        }
    }

    // Where the events are now: what follows from here is told to follow({after: position}).
    async position() {
        const {bootId, next} = await this.call('events.since', {from: 'now'});
        return {bootId, seq: next};
    }

    // Every event once, in order, across restarts of the supervisor, until the loop is left or the client closed. Where some
    // were overwritten before they could be read, an event stream.gap stands for them.
    async *follow({after, from = 'now', node, type, signal} = {}) {
        const only = Object.fromEntries(Object.entries({node, type}).filter(([, value]) => value !== undefined));
        let place = after ?? {from};
        while (!this.#closed.signal.aborted && !signal?.aborted) {
            const page = await this.#nextEvents({...only, ...place, waitMs: EVENTS_WAIT_MS}, signal);
            if (page === null)
                continue;
            place = {bootId: page.bootId, seq: page.next};
            if (page.gap)
                yield {node: 'supervisor', event: 'stream.gap', time: Date.now(), data: {}, position: place};
            for (const event of page.events)
                yield {...event, bootId: page.bootId, position: {bootId: page.bootId, seq: event.seq + 1}};
        }
    }

    // source: a Buffer, a stream or anything that yields pieces. The file's {hash, size}, durable.
    putBlob(source, options) {
        return writeBlob(this, source, options);
    }

    // A stream of the file's bytes; it fails when they are not those of the hash.
    getBlob(hash, options) {
        return readBlob(this, hash, options);
    }

    // Ends the connections, and the calls and iterators that wait. The supervisor goes on.
    async close() {
        this.#closed.abort(lost('the client was closed'));
        for (const connection of this.#connections)
            connection.close();
        this.#connections = [];
    }

    get closed() {
        return this.#closed.signal.aborted;
    }

    // For those who know when nodes can be asked: Tandem waits here until they are provisioned.
    async usable() {}

    #addCalls() {
        for (const method of Object.keys(METHODS)) {
            const [group, name] = method.includes('.') ? method.split('.') : [null, method];
            const home = group === null ? this : this[group] ??= {};
            home[camel(name)] = (params, options) => this.call(method, params, options);
        }
    }

    async #repeat(row, method, params, signal) {
        for (let pause = PAUSE_MIN_MS; ; pause = Math.min(2 * pause, PAUSE_MAX_MS)) {
            signal.throwIfAborted();
            let sent = false;
            if (row.site === 'node')
                await untilAborted(this.usable(), signal); // what it fails with is final
            try {
                const connection = await untilAborted(this.#connection(), signal);
                signal.throwIfAborted();
                sent = true;
                const result = await connection.ask(method, params, signal);
                this.#met = true;
                return result;
            } catch (error) {
                signal.throwIfAborted();
                if (!this.#passes(row, error) || !mayRepeat(row, method, sent))
                    throw error;
            }
            await sleep(pause, undefined, {signal}).catch(() => {});
        }
    }

    #passes(row, error) {
        if (error instanceof ConnectionLostError)
            return true;
        if (error instanceof NotRunningError)
            return this.#met;
        return row.site === 'node' && (error.code === 'NODE-DOWN' || error.code === 'BUSY');
    }

    // null: ask again.
    async #nextEvents(params, signal) {
        try {
            return await this.call('events.since', params, {signal});
        } catch (error) {
            if (this.closed || signal?.aborted || error.code === 'TIMEOUT')
                return null;
            throw error;
        }
    }

    async #connection() {
        this.#connections = this.#connections.filter((connection) => !connection.closed);
        const free = this.#connections.find((connection) => connection.inFlight < IN_FLIGHT_MAX);
        if (free)
            return free;
        if (this.#connections.length === CONNECTIONS_MAX)
            throw tandemError('BUSY', 'too many calls wait for their answers');
        this.#opening ??= this.#open().finally(() => {
            this.#opening = null;
        });
        return await this.#opening;
    }

    async #open() {
        const {control} = await readControl(this.stateDir);
        try {
            const connection = await Connection.open(control);
            if (this.closed)
                connection.close();
            this.#connections.push(connection);
            return connection;
        } catch (cause) {
            if (cause instanceof TandemError)
                throw cause;
            throw tandemError('NOT-RUNNING', `nobody listens at ${control}`, {cause});
        }
    }
}

function patienceWith(row, method, params) {
    const own = params.waitMs ?? params.timeoutMs ?? (method === 'provision' ? 60000 : 0);
    return PATIENCE_MS + Math.max(own, row.timeoutMs);
}

// AbortSignal.any is not in Node 18.
function anyOf(signals) {
    const all = new AbortController();
    const given = signals.filter((signal) => signal !== undefined);
    const stop = (event) => all.abort(event.target.reason);
    for (const signal of given) {
        if (signal.aborted)
            all.abort(signal.reason);
        signal.addEventListener('abort', stop, {once: true});
    }
    return {signal: all.signal, release: () => given.forEach((signal) => signal.removeEventListener('abort', stop))};
}

async function untilAborted(promise, signal) {
    let stop;
    const aborted = new Promise((_, reject) => {
        stop = () => reject(signal.reason);
        signal.addEventListener('abort', stop, {once: true});
    });
    try {
        return await Promise.race([promise, aborted]);
    } finally {
        signal.removeEventListener('abort', stop);
    }
}

// A client of the supervisor that runs for stateDir, whoever started it; NOT-RUNNING when none does.
export async function connect(options) {
    const client = new Client(options);
    await client.call('events.since', {from: 'now'});
    return client;
}
