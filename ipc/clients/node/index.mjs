export {Client, connect} from './client.mjs';
export {Tandem, launch} from './launch.mjs';
export {ConnectionLostError, NotRunningError, RefusedError, TandemError, TimedOutError, UsageError} from './errors.mjs';
export {ERRORS, EVENTS, METHODS} from './tables.mjs';
