// What goes wrong, as errors with the code, the message and the hint that the supervisor gave.
import {ERRORS} from './tables.mjs';

export class TandemError extends Error {
    constructor(code, message, {number, hint, cause} = {}) {
        super(message, cause === undefined ? undefined : {cause});
        this.name = new.target.name;
        this.code = code;
        this.number = number ?? ERRORS[code]?.number ?? ERRORS.FAILED.number;
        this.hint = hint ?? ERRORS[code]?.hint ?? '';
    }
}

export class UsageError extends TandemError {} // the call is wrong
export class NotRunningError extends TandemError {} // there is no supervisor
export class RefusedError extends TandemError {} // bad input, secret, invitation, permission; nothing was changed
export class TimedOutError extends TandemError {} // it may still happen
export class ConnectionLostError extends TandemError {} // the connection ended before the answer came

const KINDS = {2: UsageError, 3: NotRunningError, 4: RefusedError, 5: TimedOutError};

function kindOf(code, number) {
    return KINDS[ERRORS[code]?.exit ?? Math.floor(number / 100)] ?? TandemError;
}

export function tandemError(code, message, details = {}) {
    const number = details.number ?? ERRORS[code]?.number ?? ERRORS.FAILED.number;
    return new (kindOf(code, number))(code, message, {...details, number});
}

// The member "error" of a JSON-RPC answer.
export function errorOfAnswer(error) {
    const {code = 'FAILED', hint} = error.data ?? {};
    return tandemError(code, error.message, {number: error.code, hint});
}

export const lost = (why, cause) => new ConnectionLostError('CLOSED', why, {cause});
