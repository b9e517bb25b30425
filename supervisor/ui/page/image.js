// What an image is, by its bytes: what others say of its type and name counts for nothing. Only these kinds are shown, which the
// browser decodes as mere pictures; an SVG is none of them.
const PIXELS_MAX = 50e6; // more costs too much memory to be looked at
const HEADS = {
    'image/png': [[0, '\x89PNG\r\n\x1a\n']],
    'image/gif': [[0, 'GIF8']],
    'image/jpeg': [[0, '\xff\xd8\xff']],
    'image/webp': [[0, 'RIFF'], [8, 'WEBP']]
};
export const IMAGES = Object.keys(HEADS);

function sizeOfJpeg(view) {
    for (let at = 2; at + 9 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
        const mark = view.getUint8(at + 1);
        if (view.getUint8(at) !== 0xff) {
            return null;
        }
        if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) {
            return [view.getUint16(at + 7), view.getUint16(at + 5)];
        }
    }
    return null;
}

function sizeOfWebp(view) {
    const bits = at => view.getUint16(at, true) | view.getUint8(at + 2) << 16;
    switch (view.getUint8(15)) { // of "VP8 ", "VP8L" and "VP8X"
    case 0x20:
        return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
    case 0x4c:
        return [1 + (view.getUint32(21, true) & 0x3fff), 1 + (view.getUint32(21, true) >>> 14 & 0x3fff)];
    default:
        return [1 + bits(24), 1 + bits(27)];
    }
}

const SIZES = {
    'image/png': view => [view.getUint32(16), view.getUint32(20)],
    'image/gif': view => [view.getUint16(6, true), view.getUint16(8, true)],
    'image/jpeg': sizeOfJpeg,
    'image/webp': sizeOfWebp
};

// {type, width, height}; null: nothing to be shown.
export function imageOf(bytes) {
    const is = ([at, head]) => [...head].every((c, i) => bytes[at + i] === c.charCodeAt(0));
    const type = IMAGES.find(one => HEADS[one].every(is));
    if (type === undefined || bytes.length < 32) {
        return null;
    }
    try {
        const size = SIZES[type](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        return size && size[0] > 0 && size[1] > 0 && size[0] * size[1] <= PIXELS_MAX
            ? { type, width: size[0], height: size[1] } : null;
    } catch {
        return null; // it is cut off
    }
}
