// Made from the tables of ipc/ by ipc/clients/generate.py build/tests/ipc_tables --write

export type NodeName = 'archive' | 'sparse';
export type Answer = { [more: string]: any };
/** How long to go on trying, and a signal that gives the call up. */
export interface CallOptions { timeoutMs?: number; signal?: AbortSignal; }

export interface Params {
    'status': {
    };
    'config.show': {
    };
    'provision': {
        /** needed the first time; both profiles have this name at first; of an address what stands before the @ */
        user?: string;
        /** of this installation */
        secret: string;
        /** default node-USER-XXXXXXXX@lama.local, with 8 random characters */
        archiveEmail?: string;
        /** default USER-XXXXXXXX@lama.local, with the same characters */
        sparseEmail?: string;
        /** until federated; default true */
        wait?: boolean;
        /** of the whole call, default 60000; work goes on behind it */
        timeoutMs?: number;
        /** makes a lost store anew, with its keys if they were kept; the other node gives everything back */
        recreate?: 'archive' | 'sparse';
        /** first time only: a reference storage directory to adopt, lying as NODE/import/NAME in the state directory */
        importName?: string;
        /** of that directory */
        importSecret?: string;
        /** which node adopts it, default archive */
        importNode?: 'archive' | 'sparse';
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'deprovision': {
        /** also deletes both stores and the keys, for ever */
        wipe?: boolean;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'secret.change': {
        /** of this installation until now */
        secret: string;
        /** from now on */
        newSecret: string;
        /** default 30000; nothing was changed when it ends with TIMEOUT */
        timeoutMs?: number;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'backup.begin': {
        /** whoever began one before has gone; default false */
        takeOver?: boolean;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'backup.key': {
        /** hex, as answered when the backup was begun */
        sealed?: string;
    };
    'backup.progress': {
        /** of backup.begin */
        backup: string;
        /** bytes looked at */
        done: number;
        /** bytes in all */
        total: number;
    };
    'backup.end': {
        /** of backup.begin */
        backup: string;
        /** in the backup */
        objects?: number;
        /** of content */
        bytes?: number;
        /** of it that was copied */
        newBytes?: number;
        /** why it failed */
        code?: string;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'restart': {
        /** which */
        node: 'archive' | 'sparse';
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'store.repair': {
        /** which */
        node: 'archive' | 'sparse';
        /** gives up what nobody has, so that nothing waits for it any more; it is told in lost for the last time */
        forget?: boolean;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'listener.stop': {
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'listener.start': {
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'discovery.on': {
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'discovery.off': {
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'discovery.list': {
    };
    'down': {
    };
    'wait': {
        /** ready: both nodes answer; federated: CHUM runs both ways; idle: and nothing is left to transfer */
        for: 'ready' | 'federated' | 'idle';
        /** default 30000 */
        timeoutMs?: number;
    };
    'events.since': {
        /** of the answer before */
        bootId?: string;
        /** first wanted number, default 0 */
        seq?: number;
        /** where seq 0 begins, default run: with the first since the supervisor was started; now: answers at once, without events */
        from?: 'run' | 'oldest' | 'now';
        /** only what happened there */
        node?: 'archive' | 'sparse' | 'supervisor';
        /** only events of this name, or of this kind: chat for chat.sent and chat.received; NOT-FOUND when there is none */
        type?: string;
        /** default 500 */
        limit?: number;
        /** when there is nothing: answer at the latest after this */
        waitMs?: number;
    };
    'pairing.invite': {
        /** default direct; relay when there is no listener */
        via?: 'direct' | 'relay';
        /** seconds it stays valid, by default those of peers.invitation_s */
        ttl?: number;
        /** it survives a restart of the node; by default it does when it is valid for more than an hour */
        keep?: boolean;
        /** only this person may use it, and, being a contact, may come with a new device */
        for?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'pairing.invitations': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
    };
    'pairing.revoke': {
        /** its token, or the beginning as pairing.invitations tells it */
        invitation: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'pairing.accept': {
        /** {token, publicKey, url} as pairing.invite gives it */
        invitation: Record<string, any>;
        /** it is this person's invitation; being a contact, it may have it made on a new device */
        for?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** when the peer cannot be reached, answer {state:"waiting", waiting, until} and go on trying, also after restarts; events pairing.waiting, pairing.done, pairing.failed */
        wait?: boolean;
        /** seconds to go on trying, default seven days */
        waitS?: number;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'pairing.waiting': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
    };
    'pairing.cancel': {
        /** its token, or the beginning as pairing.waiting tells it */
        waiting: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'contacts.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** count what is unread, which takes longer; default false */
        unread?: boolean;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'contact.name': {
        /** who */
        person: string;
        /** what to call it; "" takes it back */
        name: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'contact.forget': {
        /** who */
        person: string;
        /** also deletes what was said with the person until now, and the files and objects that only it gave; the person keeps its copies */
        wipe?: boolean;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'contact.enable': {
        /** who */
        person: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'contact.disable': {
        /** who */
        person: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'endpoints.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'connection.try': {
        /** ws:// or wss:// */
        url: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'connections.list': {
        /** also the last 100 that have ended or could not be dialled; default false */
        ended?: boolean;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'chat.send': {
        /** who */
        to: string;
        /** the message */
        text: string;
        /** [{hash,name,type,thumbnail:{hash,type}}] of blobs stored before with blob.commit; thumbnail is optional */
        attachments?: any[];
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'chat.list': {
        /** who */
        with: string;
        /** default 50 */
        limit?: number;
        /** message id: only older ones */
        before?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'chat.since': {
        /** who */
        with: string;
        /** "next" of the answer before */
        cursor?: string;
        /** default 100 */
        limit?: number;
        /** when there is nothing: answer at the latest after this */
        waitMs?: number;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'chat.state': {
        /** message id */
        message: string;
        /** the state that is known: with waitMs, answer when it is another one */
        known?: string;
        /** when there is nothing: answer at the latest after this */
        waitMs?: number;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'chat.search': {
        /** case does not matter */
        text: string;
        /** default 20 */
        limit?: number;
        /** message id: only older ones */
        before?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'chat.delete': {
        /** message id; or */
        message?: string;
        /** the conversation with this person; or */
        with?: string;
        /** as in topic.read */
        topic?: string;
        /** of a conversation the newest that are older than this message */
        before?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'object.get': {
        /** of the object */
        hash: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'object.current': {
        /** of the versioned object */
        idHash: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'object.versions': {
        /** of the versioned object */
        idHash: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'object.put': {
        /** JSON form with $type$; {"$map":…}, {"$set":…} and so on for what JSON lacks */
        object: Record<string, any>;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'object.delete': {
        /** of the object or file, or the idHash */
        hash: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'recipe.add': {
        /** a Recipe object in JSON form */
        recipe: Record<string, any>;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'recipe.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'blob.begin': {
        /** forget it as soon as this connection is closed; without it the pieces may come on any */
        tied?: boolean;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'blob.chunk': {
        /** of blob.begin */
        blob: string;
        /** where the piece begins; pieces follow each other */
        offset: number;
        /** base64 of at most 512 KiB */
        data: string;
        /** may be given and says nothing: a piece that comes again changes nothing */
        opId?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'blob.commit': {
        /** of blob.begin */
        blob: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'blob.abort': {
        /** of blob.begin */
        blob: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'blob.stat': {
        /** of the file */
        hash: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'blob.read': {
        /** of the file */
        hash: string;
        /** default 0 */
        offset?: number;
        /** default 512 KiB */
        length?: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'blob.stream': {
        /** of blob.begin: what comes is added to it */
        blob?: string;
        /** or of the file to be read */
        hash?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'share.grant': {
        /** of a versioned object */
        id?: string;
        /** hash of an object or file */
        object?: string;
        /** who */
        with?: string;
        /** name, or id or its first 8 or more digits */
        group?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'share.revoke': {
        /** of a versioned object */
        id?: string;
        /** hash of an object or file */
        object?: string;
        /** who */
        with?: string;
        /** name, or id or its first 8 or more digits */
        group?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'share.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'roots.list': {
        /** who */
        for: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'profile.get': {
        /** who */
        person?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'profile.set': {
        /** display name; "" removes it */
        name?: string;
        /** status text; "" removes it */
        status?: string;
        /** hash of a stored file; "" removes it */
        image?: string;
        /** mail address to show; "" removes it */
        mail?: string;
        /** phone number; "" removes it */
        phone?: string;
        /** organisation; "" removes it */
        organisation?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'identity.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
    };
    'identity.add': {
        /** of the person; nobody else's */
        email: string;
        /** default: the e-mail */
        instanceName?: string;
        /** what its profile calls it; by default others see its e-mail */
        name?: string;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'settings.set': {
        /** name of the application's settings */
        store: string;
        /** which */
        key: string;
        /** any text */
        value: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'settings.get': {
        /** name of the application's settings */
        store: string;
        /** which */
        key: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'settings.list': {
        /** name of the application's settings */
        store: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'group.create': {
        /** unique */
        name: string;
        /** who is in it */
        persons?: string[];
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'group.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'group.add': {
        /** name, or id or its first 8 or more digits */
        group: string;
        /** who */
        person: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'group.remove': {
        /** name, or id or its first 8 or more digits */
        group: string;
        /** who */
        person: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'channel.create': {
        /** channel id */
        id: string;
        /** who, as id, e-mail or name, or "none"; default: the own person */
        owner?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'channel.post': {
        /** channel id */
        id: string;
        /** who, as id, e-mail or name, or "none"; default: the own person */
        owner?: string;
        /** JSON form as in object.put */
        object: Record<string, any>;
        /** milliseconds since 1970, at most 8640000000000000 to either side; 0 or left out: now */
        timestamp?: number;
        /** the identity that signs, by e-mail or id, default the main one; it is also the default owner */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'channel.read': {
        /** channel id */
        id: string;
        /** who, as id, e-mail or name, or "none" */
        owner?: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'channel.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'topic.create': {
        /** of a group topic */
        name?: string;
        /** of a group topic, nothing that means a person: no "me", no 8 or more hex digits alone; default: made of the name and random characters */
        id?: string;
        /** who is in it */
        persons?: string[];
        /** name or id of a group: whoever is in it now takes part */
        group?: string;
        /** who joins later sees what was said before */
        history?: boolean;
        /** the one topic of everyone; alone */
        everyone?: boolean;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'topic.members': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'topic.add': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** who */
        persons: string[];
        /** default writer */
        role?: 'writer' | 'reader' | 'owner';
        /** they see what was said before, whatever the topic was made with */
        history?: boolean;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.remove': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** who */
        persons: string[];
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.rename': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** the new one */
        name: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.leave': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** also deletes what was said in it until now; the others keep their copies */
        wipe?: boolean;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.read-up-to': {
        /** as in topic.read; or */
        topic?: string;
        /** the conversation with this person */
        with?: string;
        /** the last one that was read; default: the newest */
        message?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.send': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** the message */
        text: string;
        /** as in chat.send */
        attachments?: any[];
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'topic.read': {
        /** id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if both */
        topic: string;
        /** default 50 */
        limit?: number;
        /** message id: only older ones */
        before?: string;
        /** the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default the main one; without node it is one of the archive's, by default that whose contact or topic is meant */
        as?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'trust.list': {
        /** who */
        person?: string;
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'trust.certify': {
        /** AffirmationCertificate, TrustKeysCertificate (of a profile version), RightToDeclareTrustedKeysForEverybodyCertificate or …ForSelfCertificate (of a person), RelationCertificate (of person2), AccessUnversionedObjectCertificate or AccessVersionedObjectCertificate */
        certificate: string;
        /** hash or id hash of what it is about */
        data: string;
        /** further properties: {app, relation, person1} of a relation, {person} of an access */
        fields?: Record<string, any>;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'trust.verify': {
        /** hash of the object */
        data: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'id': {
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'storage': {
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'rule.quota': {
        /** from now on; by default sparse.quota_mb counts */
        bytes?: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'rule.add': {
        /** files up to so many bytes come by themselves, the others when they are read */
        size?: number;
        /** objects of this type of an application stay at the archive */
        type?: string;
        /** only topics with such a rule come; as in topic.read */
        topic?: string;
        /** files that were not used for so long go, if the archive has them */
        days?: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'rule.list': {
        /** members of one page, default 100 */
        limit?: number;
        /** "next" of the page before */
        after?: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'rule.remove': {
        /** of rule.list */
        id: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'stats': {
        /** what happened in each of the last so many minutes */
        history?: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'report': {
        /** only errors of this type */
        errors?: 'connection' | 'auth' | 'encryption' | 'pairing' | 'sync';
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'health': {
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'trace': {
        /** message id */
        message: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'metrics': {
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'onedb.export': {
        /** of the folder, no path */
        name: string;
        /** for that storage */
        secret: string;
        /** cancel it as soon as this connection is closed */
        tied?: boolean;
        /** which node; without it the installation answers, by way of the archive one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
    'store.verify': {
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'job.wait': {
        /** as answered */
        jobId: string;
        /** when there is nothing: answer at the latest after this */
        waitMs?: number;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
    };
    'job.cancel': {
        /** as answered */
        jobId: string;
        /** which node; without it the installation answers, by way of the sparse one */
        node?: NodeName;
        /** made for you; a repeat with the same one acts no second time */
        opId?: string;
    };
}

export interface Results {
    'status': { supervisor: { pid: any; uptimeMs: any; version: any; walls: { seccomp: any; landlock: any; [more: string]: any }; autostart: { from: any; failure: { code: any; message: any; hint: any; [more: string]: any }; [more: string]: any }; [more: string]: any }; archive: { state: any; pid: any; restarts: any; personId: any; instanceId: any; listeners: { type: any; url: any; state: any; [more: string]: any }[]; objects: any; bytes: any; failure: { code: any; message: any; hint: any; at: any; [more: string]: any }; lastEnd: { reason: any; at: any; [more: string]: any }; warnings: any[]; walls: any; budgets: { stranger: { connections: any; bytesHeld: { use: any; limit: any; refused: any; [more: string]: any }; [more: string]: any }; contact: { [more: string]: any }; own: { [more: string]: any }; top: { personId: any; class: any; [more: string]: any }[]; [more: string]: any }; [more: string]: any }; sparse: { [more: string]: any }; federated: any; components: { webSocketServer: { state: any; reason: any; [more: string]: any }; browserConnection: any; invitationCreation: any; cryptoRegistration: any; handshake: any; chum: any; [more: string]: any }; [more: string]: any };
    'config.show': { file: any; items: { key: any; value: any; origin: any; line: any; [more: string]: any }[]; [more: string]: any };
    'provision': { archive: { personId: any; instanceId: any; url: any; listening: any; pid: any; [more: string]: any }; sparse: { personId: any; instanceId: any; pid: any; [more: string]: any }; created: any; paired: any; federated: any; milliseconds: any; [more: string]: any };
    'deprovision': { wiped: any; [more: string]: any };
    'secret.change': Answer;
    'backup.begin': { backup: any; at: any; keys: any; installation: any; archive: { objects: any; files: any; fileBytes: any; bytes: any; [more: string]: any }; sparse: { [more: string]: any }; [more: string]: any };
    'backup.key': { key: any; sealed: any; [more: string]: any };
    'backup.progress': Answer;
    'backup.end': Answer;
    'restart': Answer;
    'store.repair': { jobId: any; [more: string]: any };
    'listener.stop': Answer;
    'listener.start': Answer;
    'discovery.on': { state: any; name: any; port: any; reason: any; code: any; [more: string]: any };
    'discovery.off': Results['discovery.on'];
    'discovery.list': { state: any; name: any; port: any; reason: any; code: any; items: { name: any; host: any; addresses: any; port: any; url: any; own: any; seenAt: any; txt: { [more: string]: any }; [more: string]: any }[]; leftOut: any; [more: string]: any };
    'down': Answer;
    'wait': Answer;
    'events.since': { bootId: any; events: { seq: any; node: any; event: any; time: any; data: any; [more: string]: any }[]; next: any; gap: any; [more: string]: any };
    'pairing.invite': { token: any; publicKey: any; url: any; [more: string]: any };
    'pairing.invitations': { items: { invitation: any; expiresAt: any; kept: any; inUse: any; [more: string]: any }[]; next: any; [more: string]: any };
    'pairing.revoke': Answer;
    'pairing.accept': { personId: any; instanceId: any; safety: any; [more: string]: any };
    'pairing.waiting': { items: { waiting: any; url: any; identity: any; since: any; until: any; nextAt: any; tries: any; code: any; reason: any; [more: string]: any }[]; next: any; [more: string]: any };
    'pairing.cancel': Answer;
    'contacts.list': { items: { personId: any; identity: any; name: any; localName: any; email: any; own: any; level: any; lastSeenAt: any; pairedWith: any[]; trusted: any; enabled: any; safety: any; instances: { instanceId: any; url: any; safety: any; [more: string]: any }[]; connected: any; [more: string]: any }[]; next: any; [more: string]: any };
    'contact.name': { others: any[]; ambiguous: any; [more: string]: any };
    'contact.forget': Answer;
    'contact.enable': Answer;
    'contact.disable': Answer;
    'endpoints.list': { items: { personId: any; instanceId: any; publicKey: any; url: any; state: any; failures: any; nextAt: any; connectionId: any; [more: string]: any }[]; next: any; [more: string]: any };
    'connection.try': { milliseconds: any; [more: string]: any };
    'connections.list': { items: { id: any; remotePersonId: any; remoteInstanceId: any; protocol: any; state: any; direction: any; transport: any; url: any; live: any; bytesSent: any; bytesReceived: any; messagesSent: any; messagesReceived: any; latencyMs: any; createdAt: any; openedAt: any; closedAt: any; steps: { state: any; ms: any; messages: any; [more: string]: any }[]; closeEvent: { type: any; status: any; code: any; reason: any; origin: any; [more: string]: any }; plugins: { name: any; addedAt: any; sent: any; received: any; [more: string]: any }[]; [more: string]: any }[]; next: any; [more: string]: any };
    'chat.send': { id: any; channel: any; state: any; disabledContact: any; [more: string]: any };
    'chat.list': { items: { id: any; text: any; sender: any; author: any; verification: any; timestamp: any; attachments: { name: any; type: any; size: any; hash: any; present: any; thumbnail: { hash: any; type: any; [more: string]: any }; [more: string]: any }[]; state: any; deliveredTo: any[]; why: any; [more: string]: any }[]; next: any; [more: string]: any };
    'chat.since': { items: Results['chat.list']['items']; next: any; [more: string]: any };
    'chat.state': { id: any; state: any; deliveredTo: any; why: any; [more: string]: any };
    'chat.search': { items: Results['chat.list']['items']; next: any; [more: string]: any };
    'chat.delete': { deleted: any; more: any; next: any; [more: string]: any };
    'object.get': { hash: any; idHash: any; type: any; microdata: any; object: any; [more: string]: any };
    'object.current': Results['object.get'];
    'object.versions': { items: { hash: any; node: any; nodeType: any; depth: any; createdAt: any; [more: string]: any }[]; next: any; [more: string]: any };
    'object.put': { hash: any; idHash: any; status: any; [more: string]: any };
    'object.delete': Answer;
    'recipe.add': { name: any; hash: any; status: any; [more: string]: any };
    'recipe.list': { items: { name: any; hash: any; [more: string]: any }[]; next: any; [more: string]: any };
    'blob.begin': { blob: any; [more: string]: any };
    'blob.chunk': { size: any; [more: string]: any };
    'blob.commit': { hash: any; size: any; [more: string]: any };
    'blob.abort': Answer;
    'blob.stat': { hash: any; size: any; presence: any; [more: string]: any };
    'blob.read': { data: any; size: any; [more: string]: any };
    'blob.stream': { socket: any; ticket: any; size: any; [more: string]: any };
    'share.grant': Answer;
    'share.revoke': Answer;
    'share.list': { items: { kind: any; hash: any; type: any; file: any; persons: any; groups: any; [more: string]: any }[]; next: any; [more: string]: any };
    'roots.list': any;
    'profile.get': { personId: any; profileId: any; profile: any; name: any; email: any; owner: any; descriptions: { type: any; [more: string]: any }[]; endpoints: { type: any; url: any; instanceId: any; [more: string]: any }[]; [more: string]: any };
    'profile.set': Results['profile.get'];
    'identity.list': { items: { personId: any; instanceId: any; email: any; instanceName: any; main: any; [more: string]: any }[]; next: any; [more: string]: any };
    'identity.add': { personId: any; instanceId: any; email: any; instanceName: any; main: any; [more: string]: any };
    'settings.set': Answer;
    'settings.get': { value: any; [more: string]: any };
    'settings.list': { items: { key: any; value: any; [more: string]: any }[]; next: any; [more: string]: any };
    'group.create': { groupId: any; [more: string]: any };
    'group.list': { items: { groupId: any; name: any; persons: any; [more: string]: any }[]; next: any; [more: string]: any };
    'group.add': Answer;
    'group.remove': Answer;
    'channel.create': { channel: any; [more: string]: any };
    'channel.post': { hash: any; channel: any; [more: string]: any };
    'channel.read': { items: { hash: any; author: any; owner: any; timestamp: any; object: any; truncated: any; [more: string]: any }[]; next: any; [more: string]: any };
    'channel.list': { items: { id: any; owner: any; channel: any; [more: string]: any }[]; next: any; [more: string]: any };
    'topic.create': { topicId: any; channel: any; [more: string]: any };
    'topic.list': { items: { topicId: any; identity: any; name: any; with: any; channel: any; persons: any; members: { personId: any; role: any; [more: string]: any }[]; unread: any; lastAt: any; [more: string]: any }[]; next: any; [more: string]: any };
    'topic.members': { items: { personId: any; role: any; [more: string]: any }[]; next: any; [more: string]: any };
    'topic.add': any;
    'topic.remove': any;
    'topic.rename': any;
    'topic.leave': any;
    'topic.read-up-to': Answer;
    'topic.send': { id: any; channel: any; state: any; [more: string]: any };
    'topic.read': Results['chat.list'];
    'trust.list': { items: { personId: any; key: any; trusted: any; reason: any; certificates: { type: any; hash: any; issuer: any; [more: string]: any }[]; [more: string]: any }[]; next: any; [more: string]: any };
    'trust.certify': { certificate: any; signature: any; [more: string]: any };
    'trust.verify': { items: { issuer: any; certificate: any; trusted: any; reason: any; key: any; keyReason: any; certificates: { type: any; hash: any; issuer: any; [more: string]: any }[]; [more: string]: any }[]; next: any; [more: string]: any };
    'id': { personId: any; email: any; instanceId: any; instanceName: any; url: any; personKeys: { hash: any; publicKey: any; signKey: any; [more: string]: any }; instanceKeys: { [more: string]: any }; [more: string]: any };
    'storage': { role: any; objects: any; bytes: any; items: { type: any; kind: any; state: any; objects: any; bytes: any; [more: string]: any }[]; [more: string]: any };
    'rule.quota': { quota: any; bytes: any; files: any; [more: string]: any };
    'rule.add': { id: any; [more: string]: any };
    'rule.list': any;
    'rule.remove': Answer;
    'stats': any;
    'report': { text: any; recentErrors: any; [more: string]: any };
    'health': { totalConnections: any; activeConnections: any; connectionRatio: any; avgLatency: any; lastSync: any; stuck: any; twice: any; contacts: any; reached: any; unreached: any[]; health: any; [more: string]: any };
    'trace': { messageId: any; content: any; channelId: any; direction: any; startTime: any; totalTime: any; completedSteps: any; totalSteps: any; failurePoint: any; success: any; steps: { name: any; time: any; [more: string]: any }[]; [more: string]: any };
    'metrics': { items: { name: any; type: any; help: any; samples: { labels: Answer; value: any; [more: string]: any }[]; [more: string]: any }[]; [more: string]: any };
    'onedb.export': { jobId: any; [more: string]: any };
    'store.verify': { jobId: any; [more: string]: any };
    'job.wait': { done: any; progress: { done: any; total: any; [more: string]: any }; result: any; [more: string]: any };
    'job.cancel': Answer;
}

export interface Calls {
    /** Everything at a glance, as the nodes report it now. One that does not answer within 0.3 s shows its last report. Result: {supervisor:{pid,uptimeMs,version,walls:{seccomp,landlock},autostart:{from,failure:{code,message,hint}}}, archive:{state,pid,restarts,personId,instanceId,listeners:[{type,url,state}],objects,bytes,failure:{code,message,hint,at},lastEnd:{reason,at},warnings:[…],walls,budgets:{stranger:{connections,bytesHeld:{use,limit,refused},…},contact:{…},own:{…},top:[{personId,class,…}]}}, sparse:{…}, federated, components:{webSocketServer:{state,reason}, browserConnection, invitationCreation, cryptoRegistration, handshake, chum}}; the state of a component is working, failing or idle; that of a node is stopped, starting, unprovisioned, running or failed; a listener of type relay also has spares, the sockets waiting there; one of type websocket has publicUrl where listen.public_url is set, and how many WebSockets are open, were accepted and refused, with lastRefusal for what; walls say whether system calls are filtered and which version of Landlock limits files, 0 for none (null until the node is provisioned); failure is what keeps the node from opening or running, null when nothing does; lastEnd is how its process ended the last time that it was not told to, or null; autostart is null where nobody chose autostart.secret */
    status(params?: Params['status'], options?: CallOptions): Promise<Results['status']>;
    /** Opens or creates both nodes, pairs them if they are not, waits until CHUM runs both ways. Result: {archive:{personId,instanceId,url,listening,pid}, sparse:{personId,instanceId,pid}, created, paired, federated, milliseconds}; with importName also imported:{objects,files,heads,damaged,unknown}; with recreate, where the lost keys were not kept, also pairAnew:[{personId,name}], contacts that know the node by its old keys */
    provision(params: Params['provision'], options?: CallOptions): Promise<Results['provision']>;
    /** Ends the node processes, forgets their keys and starts fresh unprovisioned ones. Result: {wiped} */
    deprovision(params?: Params['deprovision'], options?: CallOptions): Promise<Results['deprovision']>;
    /** Restarts one node and provisions it again; also brings back a failed one. Result: {}, when the node answers */
    restart(params: Params['restart'], options?: CallOptions): Promise<Results['restart']>;
    /** Stops both nodes, then the supervisor. Result: {}, before it stops */
    down(params?: Params['down'], options?: CallOptions): Promise<Results['down']>;
    /** Answers when it is so, or TIMEOUT. Result: {} */
    wait(params: Params['wait'], options?: CallOptions): Promise<Results['wait']>;
    /** Who this node is. Result: {personId, email, instanceId, instanceName, url, personKeys:{hash,publicKey,signKey}, instanceKeys:{…}}; url: where others reach it, or null; hash: of the Keys object; invitations and connections show the public key of the instance */
    id(params?: Params['id'], options?: CallOptions): Promise<Results['id']>;
    /** What the store of this node holds. Result: {role, objects, bytes, items:[{type,kind,state,objects,bytes}]}; role is archive or sparse; kind is object, id or file; state is present, remote (the other node has the bytes) or wanted (known by name, missing); the biggest first; objects and bytes count what is present */
    storage(params?: Params['storage'], options?: CallOptions): Promise<Results['storage']>;
    /** Counters since the start of the node; rates are means since then. Result: {global:{totalConnections,activeConnections,failedConnections,successRate,connectionRate,totalMessages,totalBytes,averageMessageSize,messageRate,throughputMbps,averageLatency,objectsSent,objectsReceived,bytesSent,bytesReceived,passes,failedRoots,skippedRoots,totalErrors,errorRate,uptimeMs,cpuMs,rssBytes,maxRssBytes}, and the members of global once more, but activeConnections, the list of those connections; transports:{websocket:{connections,active,failures,messages,bytes}, relay:{…}}; connections: as connections.list; recentErrors:[{type,error,code,severity,timestamp,connectionId,count}]; delivery:{count,delivered,avgMs,successRate}; alerts:[{rule,value,limit}] that are raised; with history also history:{samples:[{time,totalMessages,…}], summary:{totalMessages:{min,mean,max},…}}} */
    stats(params?: Params['stats'], options?: CallOptions): Promise<Results['stats']>;
    /** The same for people, with the last connections. Result: {text, recentErrors} */
    report(params?: Params['report'], options?: CallOptions): Promise<Results['report']>;
    /** One word on the connections; without "node" those of both nodes. Result: {totalConnections, activeConnections, connectionRatio, avgLatency, lastSync, stuck, twice, contacts, reached, unreached:[personId], health}; a connection that should be there counts, too: contacts are those a node itself is paired with and that are not disabled, reached those connected now; stuck is how much cannot be taken over from peers again and again (event sync.stuck); twice: instances that run twice, of contacts or this node itself (event instance.twice); health is healthy, degraded or offline */
    health(params?: Params['health'], options?: CallOptions): Promise<Results['health']>;
    /** A message's way: step by step, of the last 20,000 messages; and how far it got, of every message of ours, for good. Result: {messageId, content, channelId, direction, startTime, totalTime, completedSteps, totalSteps, failurePoint, success, steps:[{name,time}]}; direction is out or in; steps: chatModelSend, channelManagerPost, accessGrantsCreated, chumSyncTriggered, channelManagerUpdated, remoteDelivery, of those that happened; failurePoint: the first that did not; of our own messages also state, deliveredTo, why as chat.list has them, and recipients:[{personId,state,at}]; state is sent, delivered or failed, and the own archive is among the recipients of what this node posted itself */
    trace(params: Params['trace'], options?: CallOptions): Promise<Results['trace']>;
    /** Numbers for Prometheus. Result: {items:[{name,type,help,samples:[{labels:{},value}]}]} */
    metrics(params?: Params['metrics'], options?: CallOptions): Promise<Results['metrics']>;
    config: {
        /** The settings that are in force, and where each comes from. Result: {file, items:[{key,value,origin,line}]}; origin is default, file, environment or flag; line is that of the file. Nodes take what concerns them when they are started */
        show(params?: Params['config.show'], options?: CallOptions): Promise<Results['config.show']>;
    };
    secret: {
        /** Seals the keys of both nodes for another secret, in one step that either happens or does not: a failure or a crash leaves the old secret in force. Nodes may be provisioned or not; connections stay open. BAD-SECRET: it is not the old one. Result: {}, when only the new secret opens the installation */
        change(params: Params['secret.change'], options?: CallOptions): Promise<Results['secret.change']>;
    };
    backup: {
        /** Names one moment and has both nodes copy their databases as they are then, while they go on: into backup/ of the nodes' folders, as store.db, files (a line "HASH SIZE" for each file of store/objects it needs) and keys (sealed). 'tandem backup' copies them from there. Only one at a time: BUSY. Who leaves before the answer ends it. Result: {backup, at, keys, installation, archive:{objects,files,fileBytes,bytes}, sparse:{…}}; keys and installation: the text of keys.json and installation.json at that moment */
        begin(params?: Params['backup.begin'], options?: CallOptions): Promise<Results['backup.begin']>;
        /** A key to seal a backup with, which the secret of this installation opens, or with sealed the key of an earlier one. It opens content, not the keys of identities, which are sealed besides. BAD-SECRET: another secret opens it. Result: {key, sealed}; key: hex of 32 bytes, wipe it after use; sealed, if it is new: to be kept with the backup */
        key(params?: Params['backup.key'], options?: CallOptions): Promise<Results['backup.key']>;
        /** Whoever copies says how far it is, at least every two minutes; else the nodes drop what they copied. NOT-FOUND: they have. Result: {} */
        progress(params: Params['backup.progress'], options?: CallOptions): Promise<Results['backup.progress']>;
        /** Everything was copied, or code says why not; the nodes drop their copies. Result: {} */
        end(params: Params['backup.end'], options?: CallOptions): Promise<Results['backup.end']>;
    };
    store: {
        /** Verifies the store of a node and fetches what is damaged or missing from the other own node, then from any peer that may have it. A node that does not open tries again, and makes its database anew from what is left: STORE-MISSING, STORE-CORRUPT when that is not enough. Result: {jobId}, for job.wait with the same node; its result: {repaired, lost:[{hash,type,conversation}], restart}; restart: the node has to be restarted, which then makes its database anew or comes by what it needed; then call again. Of a node that did not open: {opened:true}, when it does; then call again */
        repair(params: Params['store.repair'], options?: CallOptions): Promise<Results['store.repair']>;
        /** Compares every stored byte with its hash and every row of the index with the bytes. Other work goes on meanwhile. A node whose store does not open looks at its folder. Result: {jobId}; its result: {objects, damaged:[{hash,type}], missing:[{hash,type}], more, indexFaults, unindexed, databaseDamaged, open, sound, why}; more: how many further findings were left out; indexFaults: rows that say something else than the bytes; unindexed: files that the index does not know; open: the store is in use; sound: all is well */
        verify(params?: Params['store.verify'], options?: CallOptions): Promise<Results['store.verify']>;
    };
    listener: {
        /** Shuts the archive's listener: nobody dials it but our sparse node, at a port of this machine that nobody is told. It dials others and is met at relays as before. It stays so, also after restarts, until listener.start. The archive is restarted for it, so that its connections end. Result: {}, when the archive answers; at once if it is so already */
        stop(params?: Params['listener.stop'], options?: CallOptions): Promise<Results['listener.stop']>;
        /** Opens the archive's listener again, at the address it had. NOT-LISTENING: the setting listen.address is none. Result: {}, when the archive answers; at once if it is so already */
        start(params?: Params['listener.start'], options?: CallOptions): Promise<Results['listener.start']>;
    };
    discovery: {
        /** Announces the archive's listener in the local network (mDNS, _one._tcp) and looks which others there are. It stays so, also after restarts, as the setting discovery.on. Nobody may do more than before: a connection still wants an invitation. DISCOVERY-NOT-BUILT: this tandem cannot. Result: {state, name, port, reason, code}: when the network has answered, or after 6 s. state is announced, with the name and the port that others are told; looking, where there is nothing to announce, not yet, or Avahi refuses it, and reason says why; waiting, where Avahi is away, and code and reason say so; off. What is not there is null */
        on(params?: Params['discovery.on'], options?: CallOptions): Promise<Results['discovery.on']>;
        /** Withdraws what is announced, at once, and looks no more. Result: as discovery.on */
        off(params?: Params['discovery.off'], options?: CallOptions): Promise<Results['discovery.off']>;
        /** The listeners in the local network, as they say themselves: nobody has proved anything. After discovery.on it answers when the network has, or after 6 s. Result: {state, name, port, reason, code, items:[{name,host,addresses,port,url,own,seenAt,txt:{…}}], leftOut}; the first five as discovery.on; at most 256 items, and leftOut says how often there was no room; own: it is ours; host and url may be null */
        list(params?: Params['discovery.list'], options?: CallOptions): Promise<Results['discovery.list']>;
    };
    events: {
        /** Reads the last 10,000 events, also those of before the supervisor was started. Start with seq 0; go on with "next" and the "bootId" of the answer, also when the supervisor was started again meanwhile. Result: {bootId, events:[{seq,node,event,time,data}], next, gap}; gap: events between were overwritten, or that bootId is not remembered */
        since(params?: Params['events.since'], options?: CallOptions): Promise<Results['events.since']>;
    };
    pairing: {
        /** Makes an invitation that another ONE node can accept once. Result: {token, publicKey, url} */
        invite(params?: Params['pairing.invite'], options?: CallOptions): Promise<Results['pairing.invite']>;
        /** The invitations nobody has used yet. Result: {items:[{invitation,expiresAt,kept,inUse}], next}; invitation is the beginning of its token; kept: it survives a restart; inUse: a pairing with it is under way */
        invitations(params?: Params['pairing.invitations'], options?: CallOptions): Promise<Results['pairing.invitations']>;
        /** Takes back an invitation. A pairing under way with it is not stopped. Result: {} */
        revoke(params: Params['pairing.revoke'], options?: CallOptions): Promise<Results['pairing.revoke']>;
        /** Accepts an invitation; answers when the contact is stored on this side. Result: {personId, instanceId, safety}; safety: the text that the other side sees too, if nobody stands between */
        accept(params: Params['pairing.accept'], options?: CallOptions): Promise<Results['pairing.accept']>;
        /** The invitations that were accepted and wait for their peers. Result: {items:[{waiting,url,identity,since,until,nextAt,tries,code,reason}], next}; waiting is the beginning of the token; code and reason are those of the last attempt */
        waiting(params?: Params['pairing.waiting'], options?: CallOptions): Promise<Results['pairing.waiting']>;
        /** Waits for the peer of an invitation no more. Result: {} */
        cancel(params: Params['pairing.cancel'], options?: CallOptions): Promise<Results['pairing.cancel']>;
    };
    contacts: {
        /** The people this node knows; without "node" those of the installation, with what either node says of them, or the sparse node alone while the archive is away. Result: {items:[{personId,identity,name,localName,email,own,level,lastSeenAt,pairedWith:[archive,sparse],trusted,enabled,safety,instances:[{instanceId,url,safety}],connected}], next}; identity: the identity of ours whose contact it is: of the node asked those of all, unless one is named; localName is the user's own name for it; own: it is the other own node; level is connected, seen (was connected before), paired, or unknown (nobody of us is paired with it); safety: the text to be compared with what the contact sees for us, null where no pairing of ours stands behind the keys; with unread also unread: how much of the newest 100 messages */
        list(params?: Params['contacts.list'], options?: CallOptions): Promise<Results['contacts.list']>;
    };
    contact: {
        /** Gives a person a name of the user's own, which both own nodes keep and nobody else is told. Result: {others:[person], ambiguous}: who else is called so, by e-mail or by itself, and from now on has to be named otherwise; ambiguous: the user calls more than one person so, and none can be named by it */
        name(params: Params['contact.name'], options?: CallOptions): Promise<Results['contact.name']>;
        /** Forgets a contact's keys and endpoints and closes its connections; without "node" at whichever own node is paired with it. A contact of several identities is forgotten for all of them, with "as" for that one alone. OWN-NODE: an own node is no contact to be forgotten. Result: {} */
        forget(params: Params['contact.forget'], options?: CallOptions): Promise<Results['contact.forget']>;
        /** Allows connections with a person again, of all identities. REFUSED: with "as", and the person is a contact of the main and of a further identity. Result: {} */
        enable(params: Params['contact.enable'], options?: CallOptions): Promise<Results['contact.enable']>;
        /** Closes and refuses connections with a person, of all identities. REFUSED: with "as", and the person is a contact of the main and of a further identity. OWN-NODE: the own nodes are one; with "node" it cuts them apart. Result: {} */
        disable(params: Params['contact.disable'], options?: CallOptions): Promise<Results['contact.disable']>;
    };
    endpoints: {
        /** Every instance of every contact: how it is reached, and what is being done about it. Result: {items:[{personId,instanceId,publicKey,url,state,failures,nextAt,connectionId}], next}; state is disabled, incoming (it has to come: there is no address, or dialling is switched off), waiting (until nextAt), dialling or active; failures: attempts in a row that failed */
        list(params?: Params['endpoints.list'], options?: CallOptions): Promise<Results['endpoints.list']>;
    };
    connection: {
        /** Opens a WebSocket at an address and closes it again. UNREACHABLE, TLS-FAILED, NOT-A-NODE, TIMEOUT. Result: {milliseconds} */
        try(params: Params['connection.try'], options?: CallOptions): Promise<Results['connection.try']>;
    };
    connections: {
        /** Connections, newest first: those being dialled and the open ones. Result: {items:[{id,remotePersonId,remoteInstanceId,protocol,state,direction,transport,url,live,bytesSent,bytesReceived,messagesSent,messagesReceived,latencyMs,createdAt,openedAt,closedAt,steps:[{state,ms,messages}],closeEvent:{type,status,code,reason,origin},plugins:[{name,addedAt,sent,received}]}], next}; state is initializing, connecting, connected, encrypting, encrypted, authenticating, authenticated, pairing, paired, active, closing, closed or failed; steps are the states it has left, with the messages of both sides meanwhile; status is the code of the WebSocket. What other programs look for once more: internalId and connectionId (id), currentState (state), startTime (createdAt), messageCount (of both directions) */
        list(params?: Params['connections.list'], options?: CallOptions): Promise<Results['connections.list']>;
    };
    chat: {
        /** Sends a message to a person; it is durable on this node when it answers. Without "node": by the node that is paired with the person; what the archive has to post waits durably until it has. NO-WAY: neither node is paired with the person. Result: {id, channel, state, disabledContact}; state is sent, or pending: it waits for the archive. The id stays the same. disabledContact: the person's id, where contact.disable was called, which gets the message after contact.enable; otherwise left out */
        send(params: Params['chat.send'], options?: CallOptions): Promise<Results['chat.send']>;
        /** The latest messages with a person, oldest first. Without "node" with both own persons, as one conversation. Result: {items:[{id,text,sender,author,verification,timestamp,attachments:[{name,type,size,hash,present,thumbnail:{hash,type}}],state,deliveredTo:[personId],why}], next}; verification is verified, unsigned or forged; of a text above 1 MiB the beginning and truncated:true; own messages have a state: pending (waits for the archive), sent (durable here), archived (at the archive too; so it stays while a node of those it is for cannot take it over, event share.withheld, and what is for everyone stays sent or archived), delivered (stored by all it is for; deliveredTo has those who did), failed, with why; next is the "before" of the page before */
        list(params: Params['chat.list'], options?: CallOptions): Promise<Results['chat.list']>;
        /** Messages stored behind a cursor, for followers. Without a cursor it answers the current one and no message. Result: {items:[as chat.list], next}; next is the next cursor */
        since(params: Params['chat.since'], options?: CallOptions): Promise<Results['chat.since']>;
        /** How far one of our messages got. Result: {id, state, deliveredTo, why}, as chat.list has them */
        state(params: Params['chat.state'], options?: CallOptions): Promise<Results['chat.state']>;
        /** Messages that hold a text, of all conversations, newest first. A bounded number of messages is looked at: as long as there is a next, there may be more, also when items is empty. Result: {items:[as chat.list, with {topic,name}], next}; topic can be given wherever a topic is wanted; next is the "before" of the page before; with "as" only what is said in the conversations of that identity */
        search(params: Params['chat.search'], options?: CallOptions): Promise<Results['chat.search']>;
        /** Deletes one message, or the newest 200 of a conversation, with the files that nothing else refers to: on both own nodes, also on one that is away now, and for good, whoever offers them again. The bytes leave the disk once everybody the message is for has it. Others keep their copies. Result: {deleted, more, next}; how many; more: the conversation has others, ask again, with next as before */
        delete(params?: Params['chat.delete'], options?: CallOptions): Promise<Results['chat.delete']>;
    };
    object: {
        /** One object by its hash. Result: {hash, idHash, type, microdata, object}; idHash is null for unversioned objects */
        get(params: Params['object.get'], options?: CallOptions): Promise<Results['object.get']>;
        /** The current version of a versioned object. Result: as object.get */
        current(params: Params['object.current'], options?: CallOptions): Promise<Results['object.current']>;
        /** The versions of a versioned object, newest first. Result: {items:[{hash,node,nodeType,depth,createdAt}], next} */
        versions(params: Params['object.versions'], options?: CallOptions): Promise<Results['object.versions']>;
        /** Stores an object; a versioned one becomes a new version. Result: {hash, idHash, status}; status is new or exists */
        put(params: Params['object.put'], options?: CallOptions): Promise<Results['object.put']>;
        /** Deletes a file, an object of an application, or a versioned one with all its versions by its idHash: on both own nodes and for good, until it is stored here again. REFUSED: something refers to it. Others keep their copies. Result: {} */
        delete(params: Params['object.delete'], options?: CallOptions): Promise<Results['object.delete']>;
    };
    recipe: {
        /** Registers a recipe on one node. Result: {name, hash, status}; status is new or exists */
        add(params: Params['recipe.add'], options?: CallOptions): Promise<Results['recipe.add']>;
        /** The registered recipes. Result: {items:[{name,hash}], next} */
        list(params?: Params['recipe.list'], options?: CallOptions): Promise<Results['recipe.list']>;
    };
    blob: {
        /** Begins a file. It is forgotten when no piece comes for 10 minutes, and when a piece could not be written. Result: {blob} */
        begin(params?: Params['blob.begin'], options?: CallOptions): Promise<Results['blob.begin']>;
        /** Adds a piece; the same piece at the same offset may come again. Result: {size}, so far */
        chunk(params: Params['blob.chunk'], options?: CallOptions): Promise<Results['blob.chunk']>;
        /** Ends the file: durable when it answers. Result: {hash, size} */
        commit(params: Params['blob.commit'], options?: CallOptions): Promise<Results['blob.commit']>;
        /** Gives the file up: its bytes are freed. Result: {} */
        abort(params: Params['blob.abort'], options?: CallOptions): Promise<Results['blob.abort']>;
        /** Size of a stored file. Result: {hash, size, presence}; presence is present, or remote: the archive has it, and blob.read fetches it */
        stat(params: Params['blob.stat'], options?: CallOptions): Promise<Results['blob.stat']>;
        /** A piece of a stored file. One that lies at the archive is fetched first: STILL-FETCHING means to ask again. Result: {data, size}: base64 of the piece, size of the whole file */
        read(params: Params['blob.read'], options?: CallOptions): Promise<Results['blob.read']>;
        /** A way in or out as raw bytes, past the supervisor, as "Files as raw bytes" tells. One that lies at the archive is fetched first: STILL-FETCHING means to ask again. CLOSED, or BUSY when there are 8 streams: go by pieces. Result: {socket, ticket, size}: path of a Unix socket; good once, within 30 s; size so far, or of the file */
        stream(params?: Params['blob.stream'], options?: CallOptions): Promise<Results['blob.stream']>;
    };
    share: {
        /** Lets a person, or whoever is in a group at the time, read an object, or every version of a versioned object. Give either id or object, and either with or group. Result: {} */
        grant(params?: Params['share.grant'], options?: CallOptions): Promise<Results['share.grant']>;
        /** Takes back what share.grant gave; what the person has already, stays there. Result: {} */
        revoke(params?: Params['share.revoke'], options?: CallOptions): Promise<Results['share.revoke']>;
        /** What is shared with whom. Result: {items:[{kind,hash,type,file,persons,groups}], next}; kind is id or object; file: which one, of an object that was granted for a file, else null */
        list(params?: Params['share.list'], options?: CallOptions): Promise<Results['share.list']>;
    };
    roots: {
        /** What CHUM would offer a person. Result: {items:[as WIRE.md 10.4], next} */
        list(params: Params['roots.list'], options?: CallOptions): Promise<Results['roots.list']>;
    };
    profile: {
        /** A person's main profile, by default the own. Result: {personId, profileId, profile, name, email, owner, descriptions:[{type,…}], endpoints:[{type,url,instanceId}]} */
        get(params?: Params['profile.get'], options?: CallOptions): Promise<Results['profile.get']>;
        /** Changes the own main profile; without "node" that of both own nodes, the archive's as soon as it can. Result: as profile.get */
        set(params?: Params['profile.set'], options?: CallOptions): Promise<Results['profile.set']>;
    };
    identity: {
        /** The identities of a node; the main one is the one it connects as. Where "as" is taken, they speak. Result: {items:[{personId,instanceId,email,instanceName,main}], next} */
        list(params?: Params['identity.list'], options?: CallOptions): Promise<Results['identity.list']>;
        /** Makes a further identity: a person and an instance with keys of their own, certified by the main one. One that is there already is found. Result: {personId, instanceId, email, instanceName, main} */
        add(params: Params['identity.add'], options?: CallOptions): Promise<Results['identity.add']>;
    };
    settings: {
        /** Sets one setting of an application. The own nodes share settings; nobody else gets them. Result: {} */
        set(params: Params['settings.set'], options?: CallOptions): Promise<Results['settings.set']>;
        /** One setting. Result: {value} */
        get(params: Params['settings.get'], options?: CallOptions): Promise<Results['settings.get']>;
        /** All settings of an application. Result: {items:[{key,value}], next} */
        list(params: Params['settings.list'], options?: CallOptions): Promise<Results['settings.list']>;
    };
    group: {
        /** Creates a group of persons. EXISTS: there is one of this name. Result: {groupId} */
        create(params: Params['group.create'], options?: CallOptions): Promise<Results['group.create']>;
        /** The groups with their members. Result: {items:[{groupId,name,persons}], next} */
        list(params?: Params['group.list'], options?: CallOptions): Promise<Results['group.list']>;
        /** Adds a person to a group. Result: {} */
        add(params: Params['group.add'], options?: CallOptions): Promise<Results['group.add']>;
        /** Removes a person from a group. Result: {} */
        remove(params: Params['group.remove'], options?: CallOptions): Promise<Results['group.remove']>;
    };
    channel: {
        /** Creates a channel. Result: {channel}: its id hash */
        create(params: Params['channel.create'], options?: CallOptions): Promise<Results['channel.create']>;
        /** Posts an object to a channel. Result: {hash, channel} */
        post(params: Params['channel.post'], options?: CallOptions): Promise<Results['channel.post']>;
        /** The entries of a channel, newest first; without owner those of all owners merged. Result: {items:[{hash,author,owner,timestamp,object,truncated}], next}; truncated: object is null, as no answer could hold it */
        read(params: Params['channel.read'], options?: CallOptions): Promise<Results['channel.read']>;
        /** The known channels. Result: {items:[{id,owner,channel}], next}; channel is its id hash */
        list(params?: Params['channel.list'], options?: CallOptions): Promise<Results['channel.list']>;
    };
    topic: {
        /** Creates a group topic, or finds the one-to-one topic with one person or the one with every contact. Result: {topicId, channel} */
        create(params?: Params['topic.create'], options?: CallOptions): Promise<Results['topic.create']>;
        /** The topics. Result: {items:[{topicId,identity,name,with,channel,persons,members:[{personId,role}],unread,lastAt}], next}; role is owner, writer or reader; without "node" what both own nodes say with a person is one; topics of which nobody has said who takes part have no members; unread counts among the newest 100 messages; lastAt is the time of the newest; with: in a conversation of two the other person, whose name is its name; identity: the identity of ours that takes part, of those that can be named with "as" or the main one */
        list(params?: Params['topic.list'], options?: CallOptions): Promise<Results['topic.list']>;
        /** Who takes part in a topic. Result: {items:[{personId,role}], next} */
        members(params: Params['topic.members'], options?: CallOptions): Promise<Results['topic.members']>;
        /** Takes persons into a group topic, or gives members another role. For its owners. Result: as an item of topic.list */
        add(params: Params['topic.add'], options?: CallOptions): Promise<Results['topic.add']>;
        /** Takes members out of a group topic: they get nothing new. For its owners. Result: as an item of topic.list */
        remove(params: Params['topic.remove'], options?: CallOptions): Promise<Results['topic.remove']>;
        /** Gives a group topic another name, for all members. For its owners. Result: as an item of topic.list */
        rename(params: Params['topic.rename'], options?: CallOptions): Promise<Results['topic.rename']>;
        /** Leaves a group topic; what was said stays here, unless wipe. If no owner is left, whoever may write and is in it longest becomes one, or else who reads. Result: as an item of topic.list, with newOwner: the person who became owner by it, or null */
        leave(params: Params['topic.leave'], options?: CallOptions): Promise<Results['topic.leave']>;
        /** Notes what was read of a conversation, for both own nodes. Nothing becomes unread by it. Result: {} */
        readUpTo(params?: Params['topic.read-up-to'], options?: CallOptions): Promise<Results['topic.read-up-to']>;
        /** Sends a message to a topic. Result: {id, channel, state}; state as of chat.send */
        send(params: Params['topic.send'], options?: CallOptions): Promise<Results['topic.send']>;
        /** The latest messages of a topic, oldest first. Result: as chat.list */
        read(params: Params['topic.read'], options?: CallOptions): Promise<Results['topic.read']>;
    };
    trust: {
        /** Keys and certificates of a person, or of everyone, with the decision about each key. Result: {items:[{personId,key,trusted,reason,certificates:[{type,hash,issuer}]}], next} */
        list(params?: Params['trust.list'], options?: CallOptions): Promise<Results['trust.list']>;
        /** Signs a certificate about an object or a person. Result: {certificate, signature} */
        certify(params: Params['trust.certify'], options?: CallOptions): Promise<Results['trust.certify']>;
        /** Who signed an object, or a certificate about it, and whether that is trusted. keyReason and certificates say why the key counts or does not, as trust.list has them; they and key are missing where no known key fits. Result: {items:[{issuer,certificate,trusted,reason,key,keyReason,certificates:[{type,hash,issuer}]}], next} */
        verify(params: Params['trust.verify'], options?: CallOptions): Promise<Results['trust.verify']>;
    };
    rule: {
        /** How many bytes of files the sparse node keeps, of those that the archive has too. Without bytes it only says so. Result: {quota, bytes, files}; bytes and files are here now */
        quota(params?: Params['rule.quota'], options?: CallOptions): Promise<Results['rule.quota']>;
        /** A rule about what the sparse node takes and keeps: one of the four. What is here stays here. Result: {id} */
        add(params?: Params['rule.add'], options?: CallOptions): Promise<Results['rule.add']>;
        /** The rules. Result: {items:[{id, kind, size|type|topic|days}], next}; kind is size, type, topic or age */
        list(params?: Params['rule.list'], options?: CallOptions): Promise<Results['rule.list']>;
        /** Takes a rule back: what stayed away for it comes. Result: {} */
        remove(params: Params['rule.remove'], options?: CallOptions): Promise<Results['rule.remove']>;
    };
    onedb: {
        /** Writes a reference storage directory as export/NAME into the node's own directory. Result: {jobId} */
        export(params: Params['onedb.export'], options?: CallOptions): Promise<Results['onedb.export']>;
    };
    job: {
        /** Waits for long work. Result: {done, progress:{done,total}, result}; progress in bytes or objects, where it is known; a failed job answers its error */
        wait(params: Params['job.wait'], options?: CallOptions): Promise<Results['job.wait']>;
        /** Gives long work up. What it has written is removed, also when it was done before. Result: {} */
        cancel(params: Params['job.cancel'], options?: CallOptions): Promise<Results['job.cancel']>;
    };
}

/** The data of each event. */
export interface EventData {
    /** A node process was started. */
    'node.started': { pid?: any; [more: string]: any };
    /** It answers. */
    'node.ready': { pid?: any; [more: string]: any };
    /** It opened its store and is running. */
    'node.provisioned': { personId?: any; instanceId?: any; url?: any; [more: string]: any };
    /** Its store was made anew; the other own node has given everything back. */
    'node.restored': { [more: string]: any };
    /** It ended because it was told to. */
    'node.stopped': { pid?: any; [more: string]: any };
    /** It ended without being told to; it is started again. */
    'node.died': { pid?: any; status?: any; signal?: any; reason?: any; [more: string]: any };
    /** It died too often; 'tandem restart NODE' tries again. */
    'node.failed': { deaths?: any; [more: string]: any };
    /** Another secret opens the installation from now on. */
    'secret.changed': { [more: string]: any };
    /** Both nodes copy their databases for a backup. */
    'backup.started': { backup?: any; [more: string]: any };
    /** It goes on; bytes. */
    'backup.progress': { backup?: any; done?: any; total?: any; [more: string]: any };
    /** It is complete. */
    'backup.done': { backup?: any; objects?: any; bytes?: any; newBytes?: any; [more: string]: any };
    /** It was given up; the one before is as good as it was. */
    'backup.failed': { backup?: any; code?: any; [more: string]: any };
    /** CHUM runs both ways between our two nodes. */
    'nodes.federated': { milliseconds?: any; [more: string]: any };
    /** It no longer does. */
    'nodes.separated': { [more: string]: any };
    /** Everything is being stopped. */
    'supervisor.stopping': { reason?: any; [more: string]: any };
    /** This many events were lost before this one. */
    'stream.gap': { lost?: any; [more: string]: any };
    /** A socket is open. */
    'connection.opened': { id?: any; url?: any; direction?: any; transport?: any; [more: string]: any };
    /** A connection went on to another state. */
    'connection.state': { id?: any; state?: any; from?: any; ms?: any; [more: string]: any };
    /** A connection is closed; state is closed, or failed for an error. */
    'connection.closed': { id?: any; reason?: any; origin?: any; code?: any; state?: any; protocol?: any; personId?: any; bytesSent?: any; bytesReceived?: any; [more: string]: any };
    /** Somebody was turned away before a connection existed. */
    'connection.refused': { address?: any; reason?: any; count?: any; [more: string]: any };
    /** Peers were refused more than their budget has, so many times since the last such event about them; without personId they are strangers. */
    'budget.exceeded': { personId?: any; class?: any; kind?: any; count?: any; [more: string]: any };
    /** A peer proved who it is. */
    'person.verified': { id?: any; personId?: any; instanceId?: any; [more: string]: any };
    /** A peer showed another key than we know for it. */
    'key.mismatch': { id?: any; personId?: any; [more: string]: any };
    /** Two copies of one instance run with the same keys: of this node (own), as seenBy says, or of another one that we met. Told again after ten quiet minutes. */
    'instance.twice': { personId?: any; instanceId?: any; own?: any; code?: any; seenBy?: any; [more: string]: any };
    /** A new contact by pairing; compare the safety text. */
    'pairing.accepted': { personId?: any; instanceId?: any; safety?: any; [more: string]: any };
    /** A contact has other keys, or a device that is new here: compare the text. */
    'safety.changed': { personId?: any; instanceId?: any; safety?: any; [more: string]: any };
    /** An invitation was accepted whose peer cannot be reached; it is tried again until then. */
    'pairing.waiting': { waiting?: any; url?: any; until?: any; code?: any; reason?: any; [more: string]: any };
    /** An invitation that waited has made its contact. */
    'pairing.done': { waiting?: any; personId?: any; [more: string]: any };
    /** A pairing failed: with whom the other side said to be. EP-KEYMISSMATCH and UNKNOWN-INSTANCE: a contact with other keys or on a device that is new here. OWN-PERSON: somebody with the e-mail of one of our own nodes. */
    'pairing.failed': { reason?: any; code?: any; personId?: any; id?: any; [more: string]: any };
    /** An invitation was not used in time. */
    'invitation.expired': { [more: string]: any };
    /** A contact was stored. */
    'contact.added': { personId?: any; [more: string]: any };
    /** What is kept here of a contact changed: its name, or whether it is enabled. Its own profile is version.changed, type Profile. */
    'contact.changed': { personId?: any; [more: string]: any };
    /** A contact was removed. */
    'contact.forgotten': { personId?: any; [more: string]: any };
    /** Synchronising with a person runs in this direction (in or out). */
    'chum.started': { id?: any; personId?: any; direction?: any; [more: string]: any };
    /** It no longer does. */
    'chum.stopped': { id?: any; personId?: any; direction?: any; [more: string]: any };
    /** A pass over a person's roots found everything stored. */
    'sync.completed': { id?: any; personId?: any; objects?: any; bytes?: any; ms?: any; [more: string]: any };
    /** One root could not be taken over; the others go on. */
    'sync.failed': { id?: any; personId?: any; code?: any; reason?: any; hash?: any; [more: string]: any };
    /** The versions of something fail again and again, the last one with this code; they are tried again, every five minutes in the end. */
    'sync.stuck': { id?: any; personId?: any; code?: any; reason?: any; idHash?: any; [more: string]: any };
    /** An object from a peer was stored; not told of what posts and versions bring along. */
    'object.received': { hash?: any; type?: any; personId?: any; [more: string]: any };
    /** So many objects were stored together: told instead of each. */
    'objects.received': { count?: any; personId?: any; [more: string]: any };
    /** A local object was stored; likewise. The type of files is empty. */
    'object.stored': { hash?: any; type?: any; [more: string]: any };
    /** So many local objects were stored together: told instead of each. */
    'objects.stored': { count?: any; [more: string]: any };
    /** A versioned object has a new current version; of several stored together, the last. */
    'version.changed': { idHash?: any; hash?: any; type?: any; [more: string]: any };
    /** Two sides wrote the same at the same time, and one value is not current: JSON, its beginning if cut; null: it had been removed. hash is the version that holds it. */
    'version.overwritten': { idHash?: any; type?: any; property?: any; value?: any; cut?: any; hash?: any; [more: string]: any };
    /** A chat message of somebody else appeared in a channel. */
    'chat.received': { id?: any; sender?: any; channel?: any; [more: string]: any };
    /** A local chat message was stored. */
    'chat.sent': { id?: any; channel?: any; [more: string]: any };
    /** The user deleted so many messages, or the one with this id. */
    'chat.deleted': { deleted?: any; id?: any; [more: string]: any };
    /** The bytes of so many deleted messages were taken away so far; done: of all that may go now. */
    'deletion.progress': { freed?: any; done?: any; [more: string]: any };
    /** The user deleted an object or a file. */
    'object.deleted': { hash?: any; [more: string]: any };
    /** A message of ours got further: pending, archived, delivered (to the person) or failed, with why. Each node tells of what it knows; the sparse node of what its archive delivered, too. */
    'message.state': { id?: any; state?: any; personId?: any; why?: any; [more: string]: any };
    /** What the archive was left to do, and is no message, was refused there. */
    'intent.failed': { opId?: any; code?: any; why?: any; [more: string]: any };
    /** A person's node brought an entry that is of a time more than a day from now, and the later ones are put below it: its clock may be wrong. Told once of each person until the node is restarted. */
    'clock.ahead': { personId?: any; channel?: any; timestamp?: any; [more: string]: any };
    /** A channel has new entries. */
    'channel.changed': { channel?: any; [more: string]: any };
    /** A Topic object was stored. */
    'topic.added': { hash?: any; [more: string]: any };
    /** A file from a peer was stored. */
    'blob.received': { hash?: any; size?: any; personId?: any; [more: string]: any };
    /** Access was given or taken. */
    'share.changed': { hash?: any; personId?: any; groupId?: any; [more: string]: any };
    /** A person's node cannot take over objects of this type, or with no type this one; it is offered again later. */
    'share.withheld': { personId?: any; type?: any; hash?: any; [more: string]: any };
    /** Damage was found and repaired as far as possible. */
    'store.repaired': { lost?: any; rebuilt?: any; [more: string]: any };
    /** The disk is full, read-only or failing. */
    'store.failed': { code?: any; [more: string]: any };
    /** A listener or relay registration went up or down. */
    'listener.changed': { type?: any; url?: any; state?: any; [more: string]: any };
    /** An error that nobody waits for. */
    'error.reported': { kind?: any; code?: any; severity?: any; id?: any; [more: string]: any };
    /** A limit of the settings alert.* is passed; rule is noSync or errors. */
    'alert.raised': { rule?: any; value?: any; limit?: any; [more: string]: any };
    /** It is kept again. */
    'alert.cleared': { rule?: any; value?: any; limit?: any; [more: string]: any };
    /** Long work goes on. */
    'job.progress': { jobId?: any; done?: any; total?: any; [more: string]: any };
}

export type MethodName = keyof Params;
export type EventName = keyof EventData;
export type ErrorCode =
    | 'BAD-JSON'
    | 'BAD-REQUEST'
    | 'UNKNOWN-METHOD'
    | 'BAD-PARAMS'
    | 'INTERNAL'
    | 'FAILED'
    | 'IO'
    | 'NOT-FOUND'
    | 'EXISTS'
    | 'ALREADY-RUNNING'
    | 'BUSY'
    | 'PORT-TAKEN'
    | 'STORE-MISSING'
    | 'STORE-CORRUPT'
    | 'STORE-LOCKED'
    | 'STATE-TOO-NEW'
    | 'DISK-FULL'
    | 'DISK-READ-ONLY'
    | 'NOT-PROVISIONED'
    | 'NODE-DOWN'
    | 'NOT-A-NODE'
    | 'UNREACHABLE'
    | 'TOO-BIG'
    | 'BAD-KEY-FILE'
    | 'BAD-CONFIG'
    | 'CLOSED'
    | 'NOT-LISTENING'
    | 'NO-RELAY'
    | 'HOSTS-MISSING'
    | 'BAD-ADDRESS'
    | 'TLS-FAILED'
    | 'CONNECTION-LOST'
    | 'PEER-CLOSED'
    | 'BLOB-UNAVAILABLE'
    | 'STORE-FAILED'
    | 'OUT-OF-MEMORY'
    | 'OBJECT-DAMAGED'
    | 'FILE-LIMIT'
    | 'RELAY-LOST'
    | 'LOCKED'
    | 'SANDBOX'
    | 'OR-GR1'
    | 'DISCOVERY-NOT-BUILT'
    | 'DISCOVERY-UNAVAILABLE'
    | 'BACKUP-DAMAGED'
    | 'INSTANCE-TWICE'
    | 'RESTORE-UNFINISHED'
    | 'USAGE'
    | 'SECRET-MISSING'
    | 'NOT-RUNNING'
    | 'REFUSED'
    | 'BAD-SECRET'
    | 'NO-PERMISSION'
    | 'ALREADY-PROVISIONED'
    | 'EMAILS-EQUAL'
    | 'BAD-TEXT'
    | 'BAD-ID'
    | 'AMBIGUOUS-ID'
    | 'BAD-INVITATION'
    | 'INVITATION-UNKNOWN'
    | 'BAD-OBJECT'
    | 'BAD-INPUT'
    | 'CONFIRMATION-MISSING'
    | 'NOT-TRUSTED'
    | 'TOO-MANY-INVITATIONS'
    | 'BAD-URL'
    | 'EP-KEYMISSMATCH'
    | 'EP-PERSONIDMISMATCH'
    | 'EP-INSTANCEIDMISMATCH'
    | 'EP-KEYS-OWNER-MISMATCH'
    | 'IDENTITY-MISMATCH'
    | 'INSTANCE-OWNER-MISMATCH'
    | 'OWN-PERSON'
    | 'OWN-NODE'
    | 'OWN-INVITATION'
    | 'UNKNOWN-INSTANCE'
    | 'CHALLENGE-REFLECTED'
    | 'PAIRING-OFF'
    | 'OVER-BUDGET'
    | 'NO-WAY'
    | 'LINK-USED'
    | 'OUTBOX-FULL'
    | 'TIMEOUT'
    | 'CONN-TIMEOUT'
    | 'PEER-SILENT'
    | 'NOT-HERE'
    | 'STILL-FETCHING'
    | 'LOST-THERE';

export const METHODS: Readonly<Record<MethodName, Readonly<{ site: 'supervisor' | 'node'; mutates: boolean; timeoutMs: number }>>>;
export const ERRORS: Readonly<Record<ErrorCode, Readonly<{ number: number; exit: number; hint: string }>>>;
export const EVENTS: readonly EventName[];
