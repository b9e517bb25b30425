// One connection to the control socket: requests of the SP protocol (REQ) over a Unix socket, as docs/ipc.md gives the
// bytes. A connection that waits for no answer does not keep the program running.
import net from 'node:net';
import {stat} from 'node:fs/promises';

import {errorOfAnswer, lost, tandemError} from './errors.mjs';

const GREETING = Buffer.from([0, 0x53, 0x50, 0, 0, 0x30, 0, 0]);
const EXPECTED = Buffer.from([0, 0x53, 0x50, 0, 0, 0x31, 0, 0]);
const HEAD = 9; // 1, and the length of the payload
const ID = 4;
const MESSAGE_MAX = 8 * 1024 * 1024;
const FIRST_ID = 0x80000000;

export class Connection {
    #socket;
    #pending = new Map(); // request id: {resolve, reject}
    #pieces = []; // what was received and is no whole message yet
    #received = 0;
    #greeted = false;
    #next = 0;
    closed = false;

    // The file has to be the user's own: somebody else's could be anybody's program. Root may ask anybody's.
    static async open(path) {
        const {uid} = await stat(path);
        const own = process.geteuid();
        if (own !== 0 && uid !== own && uid !== 0)
            throw tandemError('NO-PERMISSION', `${path} belongs to another user`);
        return await new Promise((resolve, reject) => {
            const socket = net.connect(path);
            socket.once('error', reject);
            socket.once('connect', () => {
                socket.off('error', reject);
                resolve(new Connection(socket));
            });
        });
    }

    constructor(socket) {
        this.#socket = socket;
        socket.on('data', (piece) => this.#take(piece));
        socket.on('error', (error) => this.#end(lost('the connection to the supervisor broke', error)));
        socket.on('close', () => this.#end(lost('the supervisor closed the connection')));
        socket.write(GREETING);
        socket.unref();
    }

    get inFlight() {
        return this.#pending.size;
    }

    // Resolves with the result; signal only stops waiting for it.
    ask(method, params, signal) {
        const id = this.#next++ % FIRST_ID;
        const body = Buffer.from(JSON.stringify({jsonrpc: '2.0', id, method, params}));
        if (body.length > MESSAGE_MAX)
            return Promise.reject(tandemError('TOO-BIG', `a request of ${body.length} bytes; at most ${MESSAGE_MAX} go`));
        const answer = new Promise((resolve, reject) => {
            const stop = () => this.#settle(id)?.reject(signal.reason);
            this.#pending.set(id, {resolve, reject, forget: () => signal?.removeEventListener('abort', stop)});
            signal?.addEventListener('abort', stop, {once: true});
        });
        const head = Buffer.alloc(HEAD + ID);
        head[0] = 1;
        head.writeBigUInt64BE(BigInt(body.length + ID), 1);
        head.writeUInt32BE(FIRST_ID + id, HEAD);
        this.#socket.ref();
        this.#socket.write(Buffer.concat([head, body]));
        return answer;
    }

    close(error = lost('the client was closed')) {
        this.#end(error);
    }

    #settle(id) {
        const waiting = this.#pending.get(id);
        this.#pending.delete(id);
        waiting?.forget();
        if (this.#pending.size === 0)
            this.#socket.unref();
        return waiting;
    }

    #end(error) {
        this.closed = true;
        this.#socket.destroy();
        for (const id of [...this.#pending.keys()])
            this.#settle(id).reject(error);
    }

    #take(piece) {
        this.#pieces.push(piece);
        this.#received += piece.length;
        try {
            while (!this.closed && this.#takeOne());
        } catch (error) {
            this.#end(lost('the other end of the socket is no supervisor', error));
        }
    }

    // Of length bytes the first ones, without taking them; undefined when so many are not there.
    #peek(length) {
        if (this.#received < length)
            return undefined;
        if (this.#pieces[0].length < length)
            this.#pieces = [Buffer.concat(this.#pieces)];
        return this.#pieces[0].subarray(0, length);
    }

    #drop(length) {
        this.#pieces[0] = this.#pieces[0].subarray(length);
        this.#received -= length;
        if (this.#pieces[0].length === 0 && this.#pieces.length > 1)
            this.#pieces.shift();
    }

    #takeOne() {
        if (!this.#greeted) {
            const greeting = this.#peek(EXPECTED.length);
            if (greeting === undefined)
                return false;
            if (!greeting.equals(EXPECTED))
                throw new Error('wrong greeting');
            this.#greeted = true;
            this.#drop(EXPECTED.length);
            return true;
        }
        return this.#takeMessage();
    }

    #takeMessage() {
        const head = this.#peek(HEAD);
        if (head === undefined)
            return false;
        const length = Number(head.readBigUInt64BE(1));
        if (head[0] !== 1 || length < ID || length > MESSAGE_MAX + ID)
            throw new Error('no message');
        const message = this.#peek(HEAD + length);
        if (message === undefined)
            return false;
        const id = message.readUInt32BE(HEAD) - FIRST_ID;
        const answer = JSON.parse(message.toString('utf8', HEAD + ID));
        this.#drop(HEAD + length);
        const waiting = this.#settle(id); // none: nobody waits for it any more
        if (answer.error)
            waiting?.reject(errorOfAnswer(answer.error));
        else
            waiting?.resolve(answer.result);
        return true;
    }
}
