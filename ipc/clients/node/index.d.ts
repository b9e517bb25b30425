/// <reference types="node" />
import {EventEmitter} from 'node:events';
import {Readable} from 'node:stream';

import {CallOptions, Calls, ErrorCode, EventData, EventName, MethodName, NodeName, Params, Results} from './tables.js';

export * from './tables.js';

/** A place among the events; keep it to go on from there, also in another run. */
export interface Position { bootId: string; seq: number; }

export type TandemEvent = { [Name in EventName]: {
    event: Name;
    node: NodeName | 'supervisor';
    /** Milliseconds since 1970. */
    time: number;
    data: EventData[Name];
    seq?: number;
    bootId?: string;
    /** What follows this event is told to follow({after: position}). */
    position: Position;
} }[EventName];

export interface FollowOptions {
    after?: Position;
    /** Where to begin without after: now (default), with this run of the supervisor, or with the oldest that is kept. */
    from?: 'now' | 'run' | 'oldest';
    node?: NodeName | 'supervisor';
    /** An event's name, or its kind: chat for chat.sent and chat.received. */
    type?: string;
    signal?: AbortSignal;
}

export interface BlobOptions { node?: NodeName; signal?: AbortSignal; }

export interface ClientOptions {
    /** By default as for the command line: TANDEM_STATE_DIR, or tandem in XDG_STATE_HOME or ~/.local/state. */
    stateDir?: string;
}

/** Every method of docs/ipc.md is one of the client: client.chat.send({to, text}). */
export interface Client extends Calls {}
export class Client extends EventEmitter {
    constructor(options?: ClientOptions);
    readonly stateDir: string;
    readonly closed: boolean;
    call<M extends MethodName>(method: M, params?: Params[M], options?: CallOptions): Promise<Results[M]>;
    position(): Promise<Position>;
    follow(options?: FollowOptions): AsyncGenerator<TandemEvent, void, void>;
    putBlob(source: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options?: BlobOptions):
        Promise<{ hash: string; size: number }>;
    getBlob(hash: string, options?: BlobOptions): Readable;
    close(): Promise<void>;
}

export function connect(options?: ClientOptions): Promise<Client>;

export type Secret = string | Buffer;
export type State = 'starting' | 'running' | 'restarting' | 'stopped' | 'failed' | 'closed';

export interface LaunchOptions extends ClientOptions {
    /** Needed the first time. */
    user?: string;
    /** Asked for at every start, also after a crash; left out where the supervisor comes by it itself (autostart.secret). */
    secret?: Secret | (() => Secret | Promise<Secret>);
    /** Where the programs are; by default TANDEM_BIN, resources/tandem of an Electron app, and PATH. */
    binDir?: string;
    /** More options of tandem-supervisor, such as '--listen', 'localhost:0'. */
    args?: string[];
    /** More parameters of provision, such as archiveEmail. */
    provision?: Omit<Params['provision'], 'user' | 'secret' | 'timeoutMs'>;
    /** Of provisioning, default 60000. */
    timeoutMs?: number;
}

export class Tandem extends Client {
    readonly state: State;
    readonly provisioned: Results['provision'];
    /** Of the supervisor. */
    readonly pid: number | undefined;
    on(event: 'state', listener: (state: State, error?: Error) => void): this;
    /** An attempt to start it again failed; the next one follows. */
    on(event: 'retry', listener: (error: Error) => void): this;
}

/** Fails with ALREADY-RUNNING, and the pid of the other one, when another program runs this installation. */
export function launch(options?: LaunchOptions): Promise<Tandem>;

export class TandemError extends Error {
    /** One of ErrorCode, or the reference's own. */
    readonly code: ErrorCode | (string & {});
    readonly number: number;
    /** What the user can do. */
    readonly hint: string;
}
export class UsageError extends TandemError {}
export class NotRunningError extends TandemError {}
export class RefusedError extends TandemError {}
export class TimedOutError extends TandemError {}
export class ConnectionLostError extends TandemError {}
