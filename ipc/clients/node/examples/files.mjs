// Keeps a file and gives it back, with whatever supervisor runs.  node files.mjs STATE-FOLDER FILE COPY
import {createReadStream, createWriteStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';

import {connect} from '@tandem/client';

const [stateDir, file, copy] = process.argv.slice(2);
const client = await connect({stateDir});
const {hash, size} = await client.putBlob(createReadStream(file));
console.log(`${hash} ${size}`);
await pipeline(client.getBlob(hash), createWriteStream(copy));
await client.close();
