// The connection to the door: requests and answers, entering, and coming back after it was lost.
const AGAIN_MS = [200, 500, 1000, 2000, 5000];
const USED_UP = ['LINK-USED'];
const TOO_BIG = 1009; // codes of a WebSocket's end
const CUT_OFF = 1006;

export class Refused extends Error {
    constructor(error) {
        super(error.message);
        this.code = error.data?.code ?? String(error.code);
    }
}

export class Wire {
    #socket = null;
    #waiting = new Map();
    #next = 1;
    #tries = 0;
    #patient = []; // who waits for the next connection
    #most = Infinity; // bytes of a message, as the door says
    #pass;
    #told;

    // pass: {link} of the address bar. told(state): 'connecting', 'connected', 'away', 'ended', after which the user has to ask for
    // open(), or 'linkUsed', which is the end.
    constructor(pass, told) {
        this.#pass = pass;
        this.#told = told;
    }

    open() {
        this.#told('connecting');
        const socket = new WebSocket(`ws://${location.host}/`);
        socket.onopen = () => this.#enter(socket);
        socket.onmessage = message => this.#answered(JSON.parse(message.data));
        socket.onclose = ({ code }) => this.#lost(code);
        this.#socket = socket;
    }

    async #enter() {
        try {
            const { session, messageMax } = await this.ask('ui.enter', this.#pass);
            this.#pass = { session };
            this.#most = messageMax;
            this.#tries = 0;
            this.#told('connected');
            this.#patient.splice(0).forEach(back => back());
        } catch (error) {
            if (USED_UP.includes(error.code)) {
                this.#tries = Infinity;
                this.#told('linkUsed');
            }
        }
    }

    ask(method, params = {}) {
        if (this.#socket?.readyState !== WebSocket.OPEN) {
            return Promise.reject(new Refused({ message: 'not connected', data: { code: 'CLOSED' } }));
        }
        const id = this.#next++;
        const message = JSON.stringify({ jsonrpc: '2.0', id, method, params });
        const size = new TextEncoder().encode(message).length;
        if (size > this.#most) {
            return Promise.reject(tooBig());
        }
        this.#socket.send(message);
        return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, size }));
    }

    // For what changes something: whatever happens to the connection it is done once, and waits for the next one if need be.
    async act(method, params) {
        const same = { ...params, opId: opId() };
        for (;;) {
            try {
                return await this.ask(method, same);
            } catch (error) {
                if (error.code !== 'CLOSED' || this.#tries === Infinity) {
                    throw error;
                }
                await new Promise(back => this.#patient.push(back));
            }
        }
    }

    #answered(answer) {
        const asked = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        if (answer.error) {
            asked?.reject(new Refused(answer.error));
        } else {
            asked?.resolve(answer.result);
        }
    }

    // The door closes by itself while it lives. Cut off, it has ended, and whoever takes its place is not told the session.
    #lost(code) {
        const longest = Math.max(...[...this.#waiting.values()].map(asked => asked.size));
        for (const asked of this.#waiting.values()) {
            asked.reject(code === TOO_BIG && asked.size === longest ? tooBig()
                : new Refused({ message: 'the connection was lost', data: { code: 'CLOSED' } }));
        }
        this.#waiting.clear();
        if (this.#tries === Infinity) {
            return;
        }
        this.#told(code === CUT_OFF ? 'ended' : 'away');
        if (code === CUT_OFF) {
            return;
        }
        setTimeout(() => this.open(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
    }
}

function tooBig() {
    return new Refused({ message: 'too long', data: { code: 'TOO-BIG' } });
}

function opId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
}
