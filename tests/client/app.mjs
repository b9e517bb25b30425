// An app that runs until it is killed; prints the pid of its supervisor.  node app.mjs FOLDER
import {launch} from '../../ipc/clients/node/index.mjs';
import {asked} from './support.mjs';

const tandem = await launch(asked(process.argv[2]));
console.log(`pid ${tandem.pid}`);
