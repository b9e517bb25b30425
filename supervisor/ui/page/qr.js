// QR codes (ISO/IEC 18004) of a text as bytes, with the lowest error correction, L: rows of booleans, true is dark.
const CHECKS = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
    30, 30, 30, 30, 30, 30, 30, 30, 30, 30]; // check bytes of a block, by version
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20,
    21, 22, 24, 25];
const VERSIONS = 40;
const LEVEL_L = 1;
const MASKS = [
    (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, x => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
    (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => (x * y) % 2 + (x * y) % 3 === 0,
    (x, y) => ((x * y) % 2 + (x * y) % 3) % 2 === 0, (x, y) => ((x + y) % 2 + (x * y) % 3) % 2 === 0
];

// --- bytes --------------------------------------------------------------------------------------------------------------

function rawModules(version) {
    const marks = Math.floor(version / 7) + 2;
    return (16 * version + 128) * version + 64 - (version < 2 ? 0 : (25 * marks - 10) * marks - 55) - (version < 7 ? 0 : 36);
}

function room(version) {
    return Math.floor(rawModules(version) / 8) - CHECKS[version - 1] * BLOCKS[version - 1];
}

function push(bits, value, count) {
    for (let i = count - 1; i >= 0; i--) {
        bits.push(value >>> i & 1);
    }
}

function dataBytes(bytes, version) {
    const bits = [];
    push(bits, 4, 4); // bytes follow
    push(bits, bytes.length, version < 10 ? 8 : 16);
    bytes.forEach(byte => push(bits, byte, 8));
    push(bits, 0, Math.min(4, room(version) * 8 - bits.length));
    push(bits, 0, (8 - bits.length % 8) % 8);
    for (let pad = 0xec; bits.length < room(version) * 8; pad ^= 0xec ^ 0x11) {
        push(bits, pad, 8);
    }
    return Array.from({ length: bits.length / 8 }, (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((sum, bit) => sum << 1 | bit, 0));
}

function multiply(a, b) { // in GF(256)
    let product = 0;
    for (let i = 7; i >= 0; i--) {
        product = product << 1 ^ (product >>> 7) * 0x11d ^ (b >>> i & 1) * a;
    }
    return product;
}

function divisor(degree) {
    const result = new Array(degree).fill(0);
    result[degree - 1] = 1;
    for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2)) {
        result.forEach((_, j) => {
            result[j] = multiply(result[j], root) ^ (result[j + 1] ?? 0);
        });
    }
    return result;
}

function checkBytes(block, by) {
    const rest = by.map(() => 0);
    for (const byte of block) {
        const factor = byte ^ rest.shift();
        rest.push(0);
        by.forEach((value, i) => {
            rest[i] ^= multiply(value, factor);
        });
    }
    return rest;
}

// Blocks with their check bytes, column by column; the first ones may be a byte shorter.
function interleave(data, version) {
    const [count, checks] = [BLOCKS[version - 1], CHECKS[version - 1]];
    const all = Math.floor(rawModules(version) / 8);
    const short = count - all % count;
    const length = Math.floor(all / count) - checks;
    const by = divisor(checks);
    const blocks = Array.from({ length: count }, (_, i) => {
        const from = i * length + Math.max(0, i - short);
        return data.slice(from, from + length + (i < short ? 0 : 1));
    });
    const ends = blocks.map(block => checkBytes(block, by));
    const column = (of, i) => of.filter(block => i < block.length).map(block => block[i]);
    return [...Array.from({ length: length + 1 }, (_, i) => column(blocks, i)),
        ...Array.from({ length: checks }, (_, i) => column(ends, i))].flat();
}

// --- modules ------------------------------------------------------------------------------------------------------------

class Square {
    constructor(version) {
        this.version = version;
        this.size = version * 4 + 17;
        this.dark = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
        this.fixed = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
        this.#frame();
    }

    set(x, y, dark) {
        this.dark[y][x] = dark;
        this.fixed[y][x] = true;
    }

    #frame() {
        const { size } = this;
        for (let i = 0; i < size; i++) {
            this.set(6, i, i % 2 === 0);
            this.set(i, 6, i % 2 === 0);
        }
        [[3, 3], [size - 4, 3], [3, size - 4]].forEach(([x, y]) => this.#rings(x, y, 4));
        const at = this.#alignments();
        const last = at.length - 1;
        at.forEach((x, i) => at.forEach((y, j) => {
            if (!(i === 0 && j === 0 || i === 0 && j === last || i === last && j === 0)) {
                this.#rings(x, y, 2);
            }
        }));
        this.format(0);
        this.#number();
    }

    #rings(x, y, radius) { // of a corner (4, with its margin) or an alignment mark (2)
        for (let dy = -radius; dy <= radius; dy++) {
            for (let dx = -radius; dx <= radius; dx++) {
                const ring = Math.max(Math.abs(dx), Math.abs(dy));
                if (this.dark[y + dy]?.[x + dx] !== undefined) {
                    this.set(x + dx, y + dy, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
                }
            }
        }
    }

    #alignments() {
        const count = this.version === 1 ? 0 : Math.floor(this.version / 7) + 2;
        const step = this.version === 32 ? 26 : Math.ceil((this.version * 4 + 4) / (count * 2 - 2)) * 2;
        return count === 0 ? [] : [6, ...Array.from({ length: count - 1 }, (_, i) => this.size - 7 - step * (count - 2 - i))];
    }

    format(mask) {
        let rest = LEVEL_L << 3 | mask;
        for (let i = 0; i < 10; i++) {
            rest = rest << 1 ^ (rest >>> 9) * 0x537;
        }
        const bits = ((LEVEL_L << 3 | mask) << 10 | rest) ^ 0x5412;
        const bit = i => (bits >>> i & 1) !== 0;
        for (let i = 0; i < 15; i++) {
            this.set(i < 8 ? this.size - 1 - i : 8, i < 8 ? 8 : this.size - 15 + i, bit(i));
            const skip = i < 6 ? i : i < 8 ? i + 1 : 14 - i;
            this.set(i < 8 ? 8 : i === 8 ? 7 : skip, i < 8 ? skip : 8, bit(i));
        }
        this.set(8, this.size - 8, true);
    }

    #number() {
        let rest = this.version;
        for (let i = 0; i < 12; i++) {
            rest = rest << 1 ^ (rest >>> 11) * 0x1f25;
        }
        for (let i = 0; this.version >= 7 && i < 18; i++) {
            const dark = ((this.version << 12 | rest) >>> i & 1) !== 0;
            this.set(this.size - 11 + i % 3, Math.floor(i / 3), dark);
            this.set(Math.floor(i / 3), this.size - 11 + i % 3, dark);
        }
    }

    fill(bytes) { // in pairs of columns from the right, up and down in turn
        let i = 0;
        for (let right = this.size - 1; right >= 1; right -= right === 8 ? 3 : 2) {
            const up = (right + 1 & 2) === 0;
            for (let step = 0; step < this.size; step++) {
                const y = up ? this.size - 1 - step : step;
                for (const x of [right, right - 1]) {
                    if (!this.fixed[y][x] && i < bytes.length * 8) {
                        this.dark[y][x] = (bytes[i >>> 3] >>> (7 - (i & 7)) & 1) !== 0;
                        i++;
                    }
                }
            }
        }
    }

    masked(mask) {
        this.format(mask);
        return this.dark.map((row, y) => row.map((dark, x) => dark !== (!this.fixed[y][x] && MASKS[mask](x, y))));
    }
}

// --- which mask ---------------------------------------------------------------------------------------------------------

function lineCosts(line) { // long runs, and what looks like a corner
    let costs = 0;
    for (let i = 0, run = 0; i < line.length; i++) {
        run = i > 0 && line[i] === line[i - 1] ? run + 1 : 1;
        costs += run === 5 ? 3 : run > 5 ? 1 : 0;
    }
    const text = line.map(Number).join('');
    return costs + 40 * (text.split(/(?=10111010000)/).length + text.split(/(?=00001011101)/).length - 2);
}

function costs(rows) {
    const columns = rows.map((_, x) => rows.map(row => row[x]));
    let sum = [...rows, ...columns].reduce((all, line) => all + lineCosts(line), 0);
    for (let y = 1; y < rows.length; y++) {
        for (let x = 1; x < rows.length; x++) {
            sum += rows[y][x] === rows[y - 1][x] && rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x - 1] ? 3 : 0;
        }
    }
    const dark = rows.flat().filter(Boolean).length / rows.length ** 2;
    return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}

// All eight pictures of a text, which say the same; [] if it is too long.
export function pictures(text) {
    const bytes = [...new TextEncoder().encode(text)];
    let version = 1;
    while (version <= VERSIONS && room(version) * 8 < 4 + (version < 10 ? 8 : 16) + 8 * bytes.length) {
        version++;
    }
    if (version > VERSIONS) {
        return [];
    }
    const square = new Square(version);
    square.fill(interleave(dataBytes(bytes, version), version));
    return MASKS.map((_, mask) => square.masked(mask));
}

// The one that is easiest to read; null if the text is too long.
export function qr(text) {
    const all = pictures(text).map(rows => ({ rows, costs: costs(rows) }));
    return all.sort((a, b) => a.costs - b.costs)[0]?.rows ?? null;
}
