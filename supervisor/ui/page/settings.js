// What others see of the user, and what the installation goes by.
import { el, field, table } from '/dom.js';
import { text } from '/texts.js';

export class Settings {
    #model;
    #name = el('input', { maxlength: '100', autocomplete: 'off' });
    #status = el('input', { maxlength: '200', autocomplete: 'off' });
    #said = el('span', { role: 'status' });
    #inForce = el('div');
    node;

    constructor(model) {
        this.#model = model;
        const save = el('button', { class: 'main', type: 'submit' }, text('save'));
        const form = el('form', { class: 'card', onsubmit: event => {
            event.preventDefault();
            this.#model.attempt(save, () => this.#save());
        } }, el('h2', {}, text('profile')), el('p', {}, text('profileAbout')), field(text('ownName'), this.#name),
        field(text('ownStatus'), this.#status), save, this.#said);
        this.node = el('div', { class: 'sheet' }, form, el('section', { class: 'card' }, el('h2', {}, text('inForce')),
            el('p', {}, text('inForceAbout')), this.#inForce));
    }

    async #save() {
        this.#said.textContent = '';
        await this.#model.introduce(this.#name.value, this.#status.value);
        this.#said.textContent = text('saved');
    }

    draw() {
        const { profile, config } = this.#model;
        const mark = JSON.stringify([profile, config]);
        if (this.node.dataset.mark === mark || this.node.contains(document.activeElement) && document.activeElement.tagName === 'INPUT') {
            return;
        }
        this.node.dataset.mark = mark;
        this.#name.value = profile?.name ?? '';
        this.#status.value = profile?.descriptions.find(({ type }) => type === 'PersonStatus')?.value ?? '';
        this.#inForce.replaceChildren(table(text('settings'), ['setting', 'value', 'from'].map(head => text(head)),
            config.map(({ key, value, origin }) => [key, value === '' ? '–' : value, text(`origin_${origin}`)])));
    }
}
