// Where an installation is, where its supervisor listens, and where the programs are.
import {access, constants, readFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import {tandemError} from './errors.mjs';

export function defaultStateDir(env = process.env) {
    if (env.TANDEM_STATE_DIR)
        return env.TANDEM_STATE_DIR;
    return path.join(env.XDG_STATE_HOME || path.join(os.homedir(), '.local', 'state'), 'tandem');
}

// {control: path, pid, version, bootId} of the supervisor that runs, or said to; NOT-RUNNING when none does.
export async function readControl(stateDir) {
    const file = path.join(stateDir, 'run', 'control.json');
    try {
        const found = JSON.parse(await readFile(file, 'utf8'));
        return {...found, control: found.control.replace(/^ipc:\/\//, '')};
    } catch (cause) {
        throw tandemError('NOT-RUNNING', `no supervisor runs for ${stateDir}`, {cause});
    }
}

// What is given counts alone; else the environment's TANDEM_BIN, what an Electron app brings along, and PATH.
export async function findProgram(name, binDir) {
    const folders = binDir ? [binDir] : [
        process.env.TANDEM_BIN,
        process.resourcesPath && path.join(process.resourcesPath, 'tandem'),
        ...(process.env.PATH ?? '').split(path.delimiter),
        '/usr/local/bin', '/usr/bin'];
    for (const folder of folders.filter(Boolean)) {
        const program = path.resolve(folder, name);
        try {
            await access(program, constants.X_OK);
            return program;
        } catch {
            // the next one
        }
    }
    throw tandemError('NOT-FOUND', `there is no program ${name} in ${binDir ?? 'TANDEM_BIN or PATH'}`,
        {hint: 'Install tandem, or give binDir.'});
}
