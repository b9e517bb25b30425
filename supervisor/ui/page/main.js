// The page as a whole: the way in, what is shown, and what went wrong.
import { Board } from '/board.js';
import { Chats } from '/chats.js';
import { button, el } from '/dom.js';
import { Events } from '/events.js';
import { Model } from '/model.js';
import { Network } from '/network.js';
import { People } from '/people.js';
import { Settings } from '/settings.js';
import { Storage } from '/storage.js';
import { text } from '/texts.js';
import { Wire } from '/wire.js';

const LOOK_MS = 2000; // at what no event tells of, while it is looked at
const SLOWLY_MS = 10000;
const link = location.hash.slice(1);
history.replaceState(null, '', '/'); // the link is neither in the history nor in anybody's screenshot

const state = el('p', { class: 'state dim', role: 'status' });
const again = button(text('again'), () => wire.open(), { hidden: true });
const problem = el('p', { class: 'bad', role: 'alert' });
const main = el('main', { tabindex: '-1' });
const wire = new Wire({ link }, told);
const model = new Model(wire, draw);
const views = { chats: new Chats(model), people: new People(model), network: new Network(model), events: new Events(model),
    storage: new Storage(model), health: new Board(model), settings: new Settings(model) };
const asked = { network: ['connections', 'status'], storage: ['storage'], health: ['status'], settings: ['settings'] }; // for a view
const buttons = Object.fromEntries(Object.keys(views).map(name => [name, button(text(name), () => show(name))]));
let shown = 'chats';

function show(name) {
    shown = name;
    for (const [one, its] of Object.entries(buttons)) {
        if (one === name) {
            its.setAttribute('aria-current', 'page');
        } else {
            its.removeAttribute('aria-current');
        }
    }
    main.replaceChildren(views[name].node);
    model.refresh(...asked[name] ?? []);
    draw();
}

// What is unread is told in one way everywhere: it is the sum of what the conversations say.
function draw() {
    const { unread } = model;
    buttons.chats.textContent = unread ? text('chatsUnread', unread) : text('chats');
    document.title = unread ? text('titleUnread', unread) : text('title');
    views[shown].draw();
    if (model.problem) {
        model.tell(model.problem);
    } else if (model.status && !model.status.archive?.personId) {
        problem.textContent = text('notProvisioned');
    }
}

function told(what) {
    state.textContent = text(what);
    again.hidden = what !== 'ended';
    if (what === 'connected') {
        problem.textContent = '';
        model.follow().catch(error => error.code !== 'CLOSED' && model.tell(error));
    }
}

model.tell = error => {
    const known = { 'NOT-PROVISIONED': 'notProvisioned', 'TOO-BIG': 'tooBig' }[error.code];
    problem.textContent = known ? text(known) : text('failed', error.message, error.code ?? error.name);
};

// What a button does: not twice at a time, and what went wrong is said.
model.attempt = async (button, act) => {
    button.disabled = true;
    problem.textContent = '';
    try {
        await act();
    } catch (error) {
        model.tell(error);
    } finally {
        button.disabled = false;
    }
};

document.body.append(el('header', {}, el('h1', {}, text('title')),
    el('nav', { 'aria-label': text('views') }, Object.values(buttons)), state, again, problem), main);
show('chats');
setInterval(() => shown === 'network' && !document.hidden && model.refresh('connections'), LOOK_MS);
setInterval(() => !document.hidden && model.refresh(...asked[shown] ?? []), SLOWLY_MS);
document.addEventListener('visibilitychange', draw);
for (const kind of ['dragover', 'drop']) { // a file that is dropped beside its place would take the place of the page
    addEventListener(kind, event => event.dataTransfer.types.includes('Files') && event.preventDefault());
}
if (link === '') {
    state.textContent = text('noLink');
} else {
    wire.open();
}
