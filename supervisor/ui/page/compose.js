// What is to be said, with files: chosen, dropped or pasted. Each conversation has a draft of its own.
import { arrange, button, el, field, Kept } from '/dom.js';
import { attach } from '/files.js';
import { plain, size, text } from '/texts.js';

const FILES_MAX = 64;

export class Compose {
    #model;
    #words = el('textarea', { rows: '2' });
    #send = el('button', { class: 'main', type: 'submit' }, text('send'));
    #choose = el('input', { type: 'file', multiple: true, hidden: true, onchange: () => this.#chosen() });
    #attach = button(text('attach'), () => this.#choose.click());
    #files = el('ul', { class: 'files', 'aria-label': text('attached') });
    #label;
    #drafts = new Map(); // what is written and attached, by the key of the conversation
    #key = null;
    node;

    constructor(model) {
        this.#model = model;
        const written = field('', this.#words);
        this.#label = written.firstChild;
        this.node = el('form', { class: 'compose', onsubmit: event => this.#submit(event) }, this.#files, written, this.#choose,
            this.#attach, this.#send);
        this.#words.addEventListener('keydown', event => this.#typed(event));
        this.#words.addEventListener('paste', event => this.add(event.clipboardData.files));
    }

    get #draft() {
        return this.#drafts.get(this.#key);
    }

    focus() {
        this.#words.focus();
    }

    #typed(event) {
        if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            this.node.requestSubmit();
        }
    }

    #chosen() {
        this.add(this.#choose.files);
        this.#choose.value = '';
        this.focus();
    }

    add(files) {
        const draft = this.#draft;
        draft.files = [...draft.files, ...[...files].map(file => this.#row(draft, file))].slice(0, FILES_MAX);
        this.#drawFiles();
    }

    #row(draft, file) {
        const row = { file, done: el('progress', { max: '1', value: '0', hidden: true, 'aria-label': text('sending', plain(file.name)) }) };
        const remove = button(text('remove'), () => {
            draft.files = draft.files.filter(one => one !== row);
            this.#drawFiles();
            this.focus();
        }, { 'aria-label': text('removeFile', plain(file.name)) });
        row.node = el('li', {}, el('span', {}, text('file', plain(file.name), size(file.size))), row.done, remove);
        return row;
    }

    #drawFiles() {
        arrange(this.#files, this.#draft.files.map(({ node }) => node));
        this.#files.hidden = this.#draft.files.length === 0;
    }

    async #attached(files) {
        const attachments = [];
        for (const { file, done } of files) {
            done.hidden = false;
            attachments.push(await attach(this.#model.wire, file, share => {
                done.value = share;
            }));
        }
        return attachments;
    }

    // What is sent goes at once from where it was written, and comes back if it could not be sent: nothing is lost.
    async #submit(event) {
        event.preventDefault();
        const draft = this.#draft;
        const key = this.#key;
        const words = this.#words.value;
        if (draft.busy || (words.trim() === '' && draft.files.length === 0)) {
            return;
        }
        const { files } = draft;
        draft.busy = files.length !== 0;
        draft.words = this.#words.value = '';
        try {
            await this.#model.send(key, words, await this.#attached(files));
            draft.files = draft.files.filter(row => !files.includes(row));
        } catch (error) {
            draft.words = (key === this.#key ? this.#words.value : draft.words) || words;
            this.#words.value = this.#draft.words;
            files.forEach(({ done }) => done.hidden = true);
            this.#model.tell(error);
        } finally {
            draft.busy = false;
            this.#drawFiles();
        }
    }

    draw({ key, name }) {
        this.#label.textContent = text('write', name);
        if (key === this.#key) {
            return;
        }
        if (this.#key !== null) {
            this.#draft.words = this.#words.value;
        }
        this.#key = key;
        if (!this.#drafts.has(key)) {
            this.#drafts.set(key, { words: '', files: [], busy: false });
        }
        this.#words.value = this.#draft.words;
        this.#drawFiles();
    }
}
