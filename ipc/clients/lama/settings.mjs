// Settings and small state of the application, which both own nodes keep: values as JSON text.
import {all} from './people.mjs';

const SETTINGS_STORE = 'lama';
const STATE_STORE = 'lama.state';

async function put(lama, store, key, value) {
    await lama.node().settings.set({store, key, value: JSON.stringify(value ?? null)});
}

async function get(lama, store, key) {
    const list = await all(lama.node().settings.list, {store});
    const found = list.find((setting) => setting.key === key);
    return found === undefined ? undefined : JSON.parse(found.value);
}

async function getAll(lama, store, prefix = '') {
    const list = (await all(lama.node().settings.list, {store})).filter(({key}) => key.startsWith(prefix));
    return Object.fromEntries(list.map(({key, value}) => [key, JSON.parse(value)]));
}

async function set(lama, {key, value}) {
    await put(lama, SETTINGS_STORE, key, value);
    lama.tell('settings:changed', {key, value});
    return {success: true};
}

async function setState(lama, {key, value}) {
    await put(lama, STATE_STORE, key, value);
    lama.tell('state:changed', {path: key, newValue: value});
    return {success: true, key, value};
}

async function state(lama, {path} = {}) {
    if (lama.tandem === null)
        return path ? null : {};
    return (path ? await get(lama, STATE_STORE, path) : await getAll(lama, STATE_STORE)) ?? null;
}

async function syncBrowser(lama, given = {}) {
    for (const [key, value] of Object.entries(given ?? {}))
        if (key.startsWith('iom.browser.'))
            await put(lama, SETTINGS_STORE, key, value);
    return await getAll(lama, SETTINGS_STORE, 'iom.');
}

async function syncConnections(lama, given) {
    await put(lama, SETTINGS_STORE, 'connections', given);
    return {success: true, settingsId: 'connections', replicatedAt: new Date().toISOString()};
}

export const SETTINGS = {
    'settings:get': async (lama, key) => await get(lama, SETTINGS_STORE, key) ?? null,
    'settings:set': set,
    'settings:getAll': (lama, prefix) => getAll(lama, SETTINGS_STORE, prefix),
    'settings:syncIoM': syncBrowser,
    'settings:subscribe': () => ({subscribed: true}),
    'settings:getConfig': (lama) => ({node: {initialized: lama.tandem !== null, hasSettings: true, hasIoMSettings: true}}),
    'onecore:syncConnectionSettings': syncConnections,
    'onecore:setNodeState': setState,
    'onecore:getNodeState': async (lama, {key}) => ({success: true, value: await state(lama, {path: key})}),
    'state:set': setState,
    'state:get': state,
    'query:getState': state,
    'state:subscribe': (lama, {paths = []} = {}) => ({subscribed: true, paths}),
};
