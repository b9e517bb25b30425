// The page's QR code of a text has the same modules as that of another program, in one of the eight ways to draw it.
//
//   page_qr.mjs SVG TEXT    the picture that 'tandem invite --qr-file' made of the text
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pictures, qr } from '../../supervisor/ui/page/qr.js';

const MARGIN = 4;
const [file, text] = process.argv.slice(2);
const dark = [...readFileSync(file, 'utf8').matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(m => `${m[1] - MARGIN} ${m[2] - MARGIN}`).sort();
const marks = rows => rows.flatMap((row, y) => row.flatMap((is, x) => is ? [`${x} ${y}`] : [])).sort();
const ours = pictures(text).map(marks);

assert.ok(dark.length > 500);
assert.equal(ours.filter(one => JSON.stringify(one) === JSON.stringify(dark)).length, 1);
assert.ok(ours.some(one => JSON.stringify(one) === JSON.stringify(marks(qr(text)))));
assert.equal(qr('x'.repeat(3000)), null);
