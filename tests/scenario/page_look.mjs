// What can be seen of a page at once: nothing sticks out of the window, words can be read, and whatever is used has a name.
import assert from 'node:assert/strict';
import path from 'node:path';

const SIZES = [[320, 800], [1280, 800], [3840, 2160]];
const CONTRAST = 4.5;

// In the page: what is wider than the window, and words whose colour is too near to what is behind them.
function faults(least) {
    const parts = colour => colour.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = node => {
        for (let at = node; at; at = at.parentElement) {
            const back = parts(getComputedStyle(at).backgroundColor);
            if (back[3] !== 0) {
                return back;
            }
        }
        return [255, 255, 255];
    };
    const found = [];
    if (document.scrollingElement.scrollWidth > innerWidth) {
        found.push(`the page is ${document.scrollingElement.scrollWidth} wide, the window ${innerWidth}`);
    }
    for (const node of document.body.querySelectorAll('*')) {
        const box = node.getBoundingClientRect();
        const words = [...node.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
        if (box.width === 0 || (!words && !node.matches('input, textarea, svg'))) {
            continue;
        }
        const name = `${node.tagName} "${node.textContent.slice(0, 30)}"`;
        if (box.right > innerWidth + 1 || box.left < -1 || (words && !node.matches('textarea') && node.scrollWidth > node.clientWidth + 1
            && getComputedStyle(node).display !== 'inline' && !(node instanceof SVGElement))) {
            found.push(`${name} sticks out: ${box.left} to ${box.right}`);
        }
        const style = getComputedStyle(node);
        const front = light(parts(node instanceof SVGElement ? style.fill : style.color));
        const back = light(behind(node));
        const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        if (words && contrast < least) {
            found.push(`${name} has a contrast of ${contrast.toFixed(2)}`);
        }
    }
    return found;
}

// In the page: what a screen reader could not name, and ids that are there twice.
function nameless() {
    const name = node => node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.getAttribute('alt') ?? node.textContent;
    const used = 'button, input, textarea, select, img, progress, summary, [role=img], [role=log]';
    const found = [...document.querySelectorAll(used)].filter(node => node.checkVisibility() && (name(node) ?? '').trim() === '')
        .map(node => `${node.outerHTML.slice(0, 80)} has no name`);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    const heading = document.querySelector('main h2, main p.hint') ? [] : ['the view has no heading'];
    return [...found, ...ids.filter((id, i) => ids.indexOf(id) !== i).map(id => `${id} is there twice`), ...heading];
}

// In both schemes and all sizes; the screenshots stay in the folder.
export async function look(page, folder, what) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        for (const [width, height] of SIZES) {
            await page.setViewportSize({ width, height });
            await page.screenshot({ path: path.join(folder, `${what}-${colorScheme}-${width}.png`) });
            assert.deepEqual(await page.evaluate(faults, CONTRAST), [], `${what}, ${colorScheme}, ${width} px`);
        }
    }
    assert.deepEqual(await page.evaluate(nameless), [], what);
    await page.setViewportSize({ width: 1280, height: 800 });
}

// What Tab comes to, from the first button on, once around; all of it shows that it has the focus.
export async function walk(page) {
    const names = [];
    for (let around = 0; around < 2;) {
        await page.keyboard.press('Tab');
        const { name, first, seen } = await page.evaluate(() => {
            const node = document.activeElement;
            const { outlineStyle, outlineWidth } = getComputedStyle(node);
            return { name: node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent,
                first: node === document.querySelector('button'),
                seen: node === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) };
        });
        assert.ok(seen && names.length < 200, `one cannot see that "${name}" has the focus, or gets no further`);
        around += first;
        if (around === 1) {
            names.push(name);
        }
    }
    return names;
}
