// @tandem/lama as it is installed in an Electron app: a copy beside @tandem/client and beside 'electron', of which it uses what
// stands here.
import {cp, mkdir, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';

import {PACKAGE} from './support.mjs';

const ELECTRON = `
const handlers = new Map();
export const app = {getPath: () => process.env.LAMA_DATA};
export const ipcMain = {
    handlers,
    removeHandler: (channel) => handlers.delete(channel),
    handle(channel, handler) {
        if (handlers.has(channel))
            throw new Error('a second handler for ' + channel);
        handlers.set(channel, handler);
    },
};
`;

// The app in a folder, with its state below it: {controller, invoke(channel, …), told: [[channel, data], …]}.
export async function startLama(folder) {
    const modules = path.join(folder, 'node_modules');
    await mkdir(path.join(modules, '@tandem'), {recursive: true});
    await mkdir(path.join(modules, 'electron'));
    await cp(path.join(PACKAGE, '../lama'), path.join(modules, '@tandem/lama'), {recursive: true});
    await symlink(PACKAGE, path.join(modules, '@tandem/client'));
    await writeFile(path.join(modules, 'electron/package.json'), '{"type": "module", "exports": "./index.js"}');
    await writeFile(path.join(modules, 'electron/index.js'), ELECTRON);
    process.env.LAMA_DATA = folder;
    const {ipcMain} = await import(path.join(modules, 'electron/index.js'));
    const {default: controller} = await import(path.join(modules, '@tandem/lama/electron.mjs'));
    const told = [];
    const window = {isDestroyed: () => false, webContents: {send: (...what) => told.push(what)}};
    controller.initialize(window, {args: ['--listen', 'localhost:0']});
    return {controller, told, window, invoke: (channel, ...args) => ipcMain.handlers.get(channel)({}, ...args),
        channels: [...ipcMain.handlers.keys()], close: () => controller.shutdown()};
}

export async function succeeds(lama, channel, ...args) {
    const answer = await lama.invoke(channel, ...args);
    if (!answer.success)
        throw new Error(`${channel}: ${answer.error}`);
    return answer;
}
