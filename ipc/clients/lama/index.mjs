// The half of LAMA's main process that was a node: what the renderer invokes is answered from tandem, and what happens is
// sent to it under LAMA's names. Each part below is a table of channels; a handler gets the Lama and what was invoked with.
import {launch} from './client.mjs';
import {TELLS} from './events.mjs';
import {FILES} from './files.mjs';
import {INSTANCES} from './instances.mjs';
import {NODE} from './node.mjs';
import {PEOPLE} from './people.mjs';
import {SETTINGS} from './settings.mjs';
import {TALK} from './talk.mjs';

const HANDLERS = {...NODE, ...PEOPLE, ...TALK, ...FILES, ...INSTANCES, ...SETTINGS};

export const CHANNELS = Object.keys(HANDLERS);

export class Lama {
    #options;
    #opening = null;
    #send;
    tandem = null; // while somebody is logged in
    user = null; // {id, name, email}
    browserInvite = null;
    browserStorage = null;
    files = new Map(); // hash: {name, type, size} of what the renderer stored

    // send(channel, data) hands an event to the renderer; the rest is for launch().
    constructor({send = () => {}, ...options} = {}) {
        this.#send = send;
        this.#options = options;
    }

    tell(channel, data) {
        this.#send(channel, data);
    }

    // What the renderer gets: {success, …}, never an exception.
    async invoke(channel, ...args) {
        try {
            if (!Object.hasOwn(HANDLERS, channel))
                throw new Error(`nobody answers ${channel}`);
            const result = await HANDLERS[channel](this, ...args);
            return result !== null && typeof result === 'object' && 'success' in result ? result : {success: true, data: result};
        } catch (error) {
            return {success: false, error: error.message, code: error.code, hint: error.hint};
        }
    }

    // For handlers that need the node.
    node() {
        if (this.tandem === null)
            throw new Error('Node not provisioned');
        return this.tandem;
    }

    // Starts tandem for a user, who is made the first time, or checks the password when it runs.
    async login(name, password) {
        if (!name || !password)
            throw new Error('Username and password required for provisioning');
        while (this.#opening !== null)
            await this.#opening.catch(() => {}); // told to whoever began it
        this.#opening = this.#open(name, password);
        try {
            return await this.#opening;
        } finally {
            this.#opening = null;
        }
    }

    async #open(name, password) {
        if (this.tandem !== null) {
            await this.tandem.provision({user: name, secret: password});
            return this.user;
        }
        const tandem = await launch({...this.#options, user: name, secret: password});
        const {email} = await tandem.id({node: 'archive'});
        this.user = {id: tandem.provisioned.archive.personId, name, email};
        this.tandem = tandem;
        this.#follow(tandem);
        return this.user;
    }

    async #follow(tandem) {
        for await (const event of tandem.follow({from: 'run'}))
            try {
                await TELLS[event.event]?.(this, event.data);
            } catch (error) { // the next one may be told of again
                if (!tandem.closed)
                    this.tell('node-log', {level: 'warn', message: error.message, timestamp: new Date().toISOString()});
            }
    }

    // Ends tandem's processes; everything is kept.
    async close() {
        await this.#opening?.catch(() => {});
        const tandem = this.tandem;
        this.tandem = this.user = this.browserInvite = null;
        await tandem?.close();
    }
}
