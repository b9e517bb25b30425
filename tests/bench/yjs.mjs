// One Yjs document from this process to another, over TCP, which writes it to a file durably: prints the milliseconds.
//   yjs.mjs PACKAGES FOLDER COUNT
import {fork} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import net from 'node:net';

const [packages, folder, count] = process.argv.slice(2);
const Y = createRequire(`${packages}/`)('yjs');

function far() {
    const server = net.createServer({allowHalfOpen: true}, socket => {
        const pieces = [];
        socket.on('data', piece => pieces.push(piece));
        socket.on('end', () => {
            const update = Buffer.concat(pieces), doc = new Y.Doc();
            Y.applyUpdate(doc, update);
            const file = fs.openSync(`${folder}/yjs`, 'w');
            fs.writeSync(file, update);
            fs.fsyncSync(file);
            socket.end(String(doc.getArray('records').length));
            server.close();
        });
    });
    server.listen(0, '127.0.0.1', () => process.send(server.address().port));
    process.on('disconnect', () => process.exit());
}

function near() {
    const doc = new Y.Doc();
    for (let i = 0; i < Number(count); i++)
        doc.getArray('records').push([`record ${i} `.padEnd(300, 'x')]);
    const child = fork(process.argv[1], process.argv.slice(2), {env: {...process.env, YJS_FAR: '1'}});
    child.once('message', port => {
        const began = performance.now();
        const socket = net.connect(port, '127.0.0.1', () => socket.end(Y.encodeStateAsUpdate(doc)));
        socket.on('data', got => {
            if (String(got) !== count)
                throw new Error(`${got} of ${count} records`);
            console.log(performance.now() - began);
            child.disconnect();
        });
    });
}

(process.env.YJS_FAR ? far : near)();
