// Files: in and out in pieces, and pictures of those that are some.
import { el } from '/dom.js';
import { imageOf, IMAGES } from '/image.js';
import { plain } from '/texts.js';

const PIECE = 512 * 1024;
const SHOWN_MAX = 4 * 1024 * 1024; // bytes that are fetched unasked
const SMALL = 64 * 1024; // of an image that needs no thumbnail
const SIDE = 320; // of a thumbnail
const SAVED_MS = 60000;

function base64(blob) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
    });
}

// told(share) of it is there. {hash, size}.
async function put(wire, file, told) {
    const { blob } = await wire.act('blob.begin', {});
    try {
        for (let offset = 0; offset < file.size; offset += PIECE) {
            const data = await base64(file.slice(offset, offset + PIECE));
            await wire.act('blob.chunk', { blob, offset, data });
            told(Math.min(offset + PIECE, file.size) / file.size);
        }
        return await wire.act('blob.commit', { blob });
    } catch (error) {
        wire.ask('blob.abort', { blob }).catch(() => {}); // or it is forgotten in ten minutes
        throw error;
    }
}

// The bytes; null: there are more than that.
async function get(wire, hash, most) {
    const pieces = [];
    for (let offset = 0, size = 1; offset < size;) {
        const piece = await wire.ask('blob.read', { hash, offset });
        size = piece.size;
        if (size > most) {
            return null;
        }
        const bytes = Uint8Array.from(atob(piece.data), c => c.charCodeAt(0));
        if (bytes.length === 0) {
            break;
        }
        pieces.push(bytes);
        offset += bytes.length;
    }
    return pieces;
}

async function joined(pieces) {
    return pieces && new Uint8Array(await new Blob(pieces).arrayBuffer());
}

// On white, as a JPEG has no holes. null: it needs none, or is no picture.
async function thumbnail(file) {
    if (!IMAGES.includes(file.type) || file.size <= SMALL || imageOf(await joined([await file.slice(0, PIECE).arrayBuffer()])) === null) {
        return null;
    }
    try {
        const whole = await createImageBitmap(file);
        const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
        const canvas = new OffscreenCanvas(Math.ceil(whole.width * scale), Math.ceil(whole.height * scale));
        const pen = canvas.getContext('2d');
        pen.fillStyle = '#ffffff';
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
        return await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
    } catch {
        return null; // no browser's picture; it goes as it is
    }
}

// What chat.send takes.
export async function attach(wire, file, told) {
    const small = await thumbnail(file);
    const type = file.type || 'application/octet-stream';
    const { hash } = await put(wire, file, told);
    if (small === null) {
        return { hash, name: file.name, type };
    }
    const kept = await put(wire, small, () => {});
    return { hash, name: file.name, type, thumbnail: { hash: kept.hash, type: small.type } };
}

// A picture of an attachment; null where there is none to show.
export async function picture(wire, { hash, name, type, size, present, thumbnail: small }) {
    const from = small && IMAGES.includes(small.type) ? small.hash : IMAGES.includes(type) && present && size <= SHOWN_MAX ? hash : null;
    const bytes = from && await joined(await get(wire, from, SHOWN_MAX));
    const image = bytes && imageOf(bytes);
    if (!image) {
        return null;
    }
    const url = URL.createObjectURL(new Blob([bytes], { type: image.type }));
    const done = () => URL.revokeObjectURL(url);
    return el('img', { src: url, alt: plain(name), width: image.width, height: image.height, onload: done, onerror: done });
}

// Into the browser's folder, under a name that is none of a path and hides nothing.
export async function save(wire, { hash, name }) {
    const url = URL.createObjectURL(new Blob(await get(wire, hash, Infinity), { type: 'application/octet-stream' }));
    el('a', { href: url, download: plain(name).replace(/[\\/:*?"<>|]/g, '_').replace(/^\.+/, '').slice(-120) || 'file' }).click();
    setTimeout(() => URL.revokeObjectURL(url), SAVED_MS);
}
