// In the place of LAMA's main/ipc/controller.js: import ipcController from '@tandem/lama/electron'.
import path from 'node:path';

import {app, ipcMain} from 'electron';

import {CHANNELS, Lama} from './index.mjs';

class Controller {
    #lama = null;
    #window = null;

    // options as of launch(); by default tandem keeps its state in the app's folder.
    initialize(window, options = {}) {
        this.#window = window;
        if (this.#lama !== null)
            return;
        this.#lama = new Lama({stateDir: path.join(app.getPath('userData'), 'tandem'), ...options,
            send: (channel, data) => this.sendUpdate(channel, data)});
        for (const channel of CHANNELS)
            this.handle(channel, (_event, ...args) => this.#lama.invoke(channel, ...args));
    }

    // A channel of the application's own.
    handle(channel, handler) {
        ipcMain.removeHandler(channel);
        ipcMain.handle(channel, handler);
    }

    sendUpdate(channel, data) {
        if (this.#window !== null && !this.#window.isDestroyed())
            this.#window.webContents.send(channel, data);
    }

    // The node, for the application's own handlers; null while nobody is logged in.
    get tandem() {
        return this.#lama?.tandem ?? null;
    }

    async shutdown() {
        await this.#lama?.close();
    }
}

export default new Controller();
