// One message: its words, its files, how far it got, and the way it went.
import { el, button, bar } from '/dom.js';
import { picture, save } from '/files.js';
import { after, plain, size, text, time } from '/texts.js';

const TONES = { delivered: 'good', failed: 'bad', pending: 'wait' };

export class Message {
    #model;
    #message;
    #files = el('div', { class: 'attachments' });
    #about = el('span');
    #state;
    #way = el('div', { class: 'way', hidden: true });
    #round = 0;
    node;

    constructor(model, message) {
        this.#model = model;
        this.#message = message;
        const own = model.isSelf(message.sender);
        this.#state = button('', () => this.#toggle(), { class: 'plain', 'aria-expanded': 'false' });
        this.node = el('article', { class: own ? 'message own' : 'message' },
            message.text === '' ? null : el('p', { dir: 'auto' }, message.text), this.#files,
            message.truncated ? el('p', { class: 'wait' }, text('truncated')) : null,
            message.verification === 'forged' ? el('p', { class: 'bad' }, text('forged')) : null,
            el('p', { class: 'dim' }, this.#about, ' · ', this.#state), this.#way);
    }

    draw(message) {
        const { sender, timestamp, state, why } = message;
        const who = this.#model.isSelf(sender) ? text('you') : this.#model.nameOf(sender);
        const said = state ? text(`state_${state}`, plain(why ?? '')) : text('received');
        this.#about.textContent = `${who}, ${time(timestamp)}`;
        if (this.#state.textContent !== said) {
            this.#state.textContent = said;
            this.#state.className = `plain ${TONES[state] ?? ''}`;
            this.#state.setAttribute('aria-label', text('way', said));
            this.#followWay();
        }
        const mark = JSON.stringify(message.attachments);
        if (this.#files.dataset.mark !== mark) {
            this.#files.dataset.mark = mark;
            this.#files.replaceChildren(...(message.attachments ?? []).map(file => this.#file(file)));
        }
    }

    #file(file) {
        const name = plain(file.name);
        const keep = button(text('save'), () => this.#model.attempt(keep, () => save(this.#model.wire, file)),
            { 'aria-label': text('saveFile', name) });
        const shown = el('div');
        const again = () => { this.#files.dataset.mark = ''; }; // it has not come yet; an event tells when
        picture(this.#model.wire, file).then(image => image && shown.append(image)).catch(again);
        return el('div', { class: 'file' }, shown, el('span', { class: 'dim' }, text('file', name, size(file.size)),
            file.present ? '' : ` · ${text('absent')}`), keep);
    }

    // --- its way ------------------------------------------------------------------------------------------------------

    #toggle() {
        this.#way.hidden = !this.#way.hidden;
        this.#state.setAttribute('aria-expanded', String(!this.#way.hidden));
        this.#followWay();
    }

    async #followWay() {
        const round = ++this.#round;
        if (this.#way.hidden) {
            return;
        }
        try {
            const known = await this.#model.trace(this.#message.id);
            if (round === this.#round) {
                this.#way.replaceChildren(...this.#steps(known));
            }
        } catch (error) {
            this.#way.replaceChildren(el('p', { class: 'bad' }, text('failed', error.message, error.code ?? error.name)));
        }
    }

    // Steps of both nodes, and when it was with whom, in their order; the bars say how long it took until then.
    #steps(known) {
        const reached = new Map(known.flatMap(({ recipients }) => recipients ?? []).filter(({ at }) => at).map(one => [one.personId, one]));
        const here = known.flatMap(({ node, steps: of }) => of.map(({ name, time: at }) =>
            ({ at, what: text(`step_${name}`), where: text(node) })));
        const there = [...reached.values()].map(({ personId, state, at }) => ({ at, what: text(`reached_${state}`),
            where: this.#model.isSelf(personId) ? text('archive') : this.#model.nameOf(personId) }));
        const steps = [...here, ...there].sort((a, b) => a.at - b.at);
        if (steps.length === 0) {
            return [el('p', { class: 'dim' }, text('noWay'))];
        }
        const [{ at: first }] = steps;
        const most = Math.max(1, steps.at(-1).at - first);
        return [el('ol', { 'aria-label': text('wayOf') }, steps.map(({ at, what, where }) => el('li', {},
            el('span', {}, `${where}: ${what}`), el('span', { class: 'dim' }, after(at - first)), bar((at - first) / most))))];
    }
}
