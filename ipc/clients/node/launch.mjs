// Starts the supervisor for an app and keeps it running: nobody needs to install a service, and nothing outlives the app.
//
// The supervisor stops when its standard input ends, which the kernel sees to however the app ends. It is no member of
// the app's terminal group, so that Ctrl-C is the app's to answer. The secret goes through the socket alone.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';

import {Client} from './client.mjs';
import {lost, tandemError} from './errors.mjs';
import {defaultStateDir, findProgram, readControl} from './place.mjs';

const BACK_OFF_MIN_MS = 250;
const BACK_OFF_MAX_MS = 30000;
const STEADY_MS = 60000; // after so long a run the next restart is at once again
const STOP_MS = 5000;
const HANDOVER_MS = 10000; // for the supervisor of an app that has just ended to stop
const STOPPING_SEEN_MS = 1000; // by when it says so, its standard input having ended
const STDERR_MAX = 4096;

class Supervisor {
    #stderr = '';

    constructor(program, args) {
        this.child = spawn(program, args, {stdio: ['pipe', 'pipe', 'pipe'], detached: true});
        this.child.stdin.on('error', () => {}); // it has ended, which 'exited' tells
        this.child.stderr.on('data', (text) => {
            this.#stderr = (this.#stderr + text).slice(-STDERR_MAX);
        });
        this.exited = new Promise((resolve) => {
            this.child.once('error', (error) => resolve({error}));
            this.child.once('exit', (status, signal) => resolve({status, signal}));
        });
        this.ready = this.#untilReady();
        this.ready.catch(() => {});
    }

    // Its first line says that both nodes answer, or why they cannot; the lines after it are not needed.
    async #untilReady() {
        const line = await new Promise((resolve) => {
            const lines = createInterface({input: this.child.stdout});
            lines.on('line', resolve);
            lines.once('close', () => resolve(null));
        });
        const said = line === null ? {} : JSON.parse(line);
        if (said.event === 'ready')
            return;
        const {error} = await this.exited;
        if (said.error)
            throw tandemError(said.error.code, said.error.message, {hint: said.error.hint});
        throw tandemError('FAILED', this.#stderr.trim() || 'the supervisor ended before it was ready', {cause: error});
    }

    async stop() {
        this.child.stdin.end();
        for (const signal of ['SIGTERM', 'SIGKILL']) {
            if (await Promise.race([this.exited, sleep(STOP_MS, null, {ref: false})]) !== null)
                return;
            this.child.kill(signal);
        }
        await this.exited;
    }
}

function gate() {
    const made = {};
    made.opened = new Promise((resolve, reject) => Object.assign(made, {resolve, reject}));
    made.opened.catch(() => {}); // told to those who wait
    return made;
}

// A client that also runs what it talks to. Events: 'state' with starting, running, restarting, stopped, failed or closed,
// and the error that led to it.
export class Tandem extends Client {
    #options;
    #supervisor = null;
    #gate = gate(); // open while the nodes are provisioned
    #stopping = new AbortController();
    #pause = BACK_OFF_MIN_MS;
    #began = 0;
    state = 'starting';

    constructor(options) {
        super(options);
        this.#options = options;
    }

    get pid() {
        return this.#supervisor?.child.pid;
    }

    async usable() {
        await this.#gate.opened;
    }

    // Once for a Tandem.
    async start() {
        try {
            await this.#startOnce();
            this.#open(await this.#provision());
        } catch (error) {
            this.#setState('failed', error);
            await this.close();
            throw error;
        }
        this.#watch();
    }

    async close() {
        this.#stopping.abort();
        await super.close();
        await this.#supervisor?.stop();
        this.#setState('closed');
    }

    #setState(state, error) {
        if (this.state === state || this.state === 'closed')
            return;
        this.state = state;
        this.emit('state', state, error);
    }

    // An app that is started again right after it was killed meets its old supervisor, which is about to stop.
    async #startOnce() {
        const {binDir, args = []} = this.#options;
        const program = await findProgram('tandem-supervisor', binDir);
        const given = ['--state-dir', this.stateDir, '--json', '--stdin-lifetime', ...args];
        for (const end = Date.now() + HANDOVER_MS; ;) {
            this.#began = Date.now();
            this.#supervisor = new Supervisor(program, given);
            try {
                return await this.#supervisor.ready;
            } catch (error) {
                if (error.code !== 'ALREADY-RUNNING' || Date.now() > end || this.#stopping.signal.aborted)
                    throw error;
                if (await this.#staysThere(error))
                    throw error;
            }
            await sleep(BACK_OFF_MIN_MS);
        }
    }

    // Whether the other one goes on, and is not about to stop; then the error says which it is, for connect().
    async #staysThere(error) {
        const other = new Client({stateDir: this.stateDir});
        const stopping = {from: 'run', type: 'supervisor.stopping', waitMs: STOPPING_SEEN_MS};
        try {
            if ((await other.events.since(stopping, {timeoutMs: HANDOVER_MS})).events.length > 0)
                return false;
            const {pid, version} = await readControl(this.stateDir);
            Object.assign(error, {pid, version});
            return true;
        } catch {
            return false;
        } finally {
            await other.close();
        }
    }

    // Given up when the supervisor ends meanwhile.
    async #provision() {
        const given = await this.#provisioning();
        const ended = new AbortController();
        this.#supervisor.exited.then(() => ended.abort(lost('the supervisor ended while it was provisioned')));
        return await this.call(...given, {signal: ended.signal});
    }

    async #provisioning() {
        const {secret, user, provision = {}, timeoutMs = 60000} = this.#options;
        if (secret === undefined) // the supervisor comes by it itself: autostart.secret
            return ['wait', {for: 'federated', timeoutMs}];
        const value = typeof secret === 'function' ? await secret() : secret;
        return ['provision', {...provision, ...(user === undefined ? {} : {user}),
            secret: Buffer.isBuffer(value) ? value.toString() : value, timeoutMs}];
    }

    #open(provisioned) {
        this.provisioned = provisioned;
        this.#gate.resolve();
        this.#setState('running');
    }

    async #watch() {
        for (let back = true; back;) {
            const {status, signal} = await this.#supervisor.exited;
            if (this.#stopping.signal.aborted)
                return;
            if (status === 0) // by 'tandem down' or SIGTERM: somebody meant it
                return this.#giveUp('stopped', tandemError('NOT-RUNNING', 'the supervisor was told to stop'));
            this.#gate = gate();
            this.#setState('restarting', lost(`the supervisor ended: ${signal ?? `status ${status}`}`));
            back = await this.#bringBack();
        }
    }

    // Until it runs again, which is true, or must not be tried.
    async #bringBack() {
        if (Date.now() - this.#began > STEADY_MS)
            this.#pause = BACK_OFF_MIN_MS;
        for (; ; this.#pause = Math.min(2 * this.#pause, BACK_OFF_MAX_MS)) {
            await sleep(this.#pause, undefined, {signal: this.#stopping.signal}).catch(() => {});
            if (this.#stopping.signal.aborted)
                return false;
            try {
                await this.#startOnce();
                this.#open(await this.#provision());
                this.#pause = Math.min(2 * this.#pause, BACK_OFF_MAX_MS);
                return true;
            } catch (error) {
                await this.#supervisor?.stop();
                if (error.code === 'BAD-SECRET') {
                    this.#giveUp('failed', error);
                    return false;
                }
                this.emit('retry', error);
            }
        }
    }

    #giveUp(state, error) {
        this.#gate = gate();
        this.#gate.reject(error);
        this.#setState(state, error);
    }
}

// Starts tandem for the app, provisions it and keeps it running until close() or the app's end. Fails with
// ALREADY-RUNNING when another program runs this installation; connect() talks to that one.
export async function launch(options = {}) {
    const tandem = new Tandem({...options, stateDir: options.stateDir ?? defaultStateDir()});
    await tandem.start();
    return tandem;
}
