// @tandem/client: what the app depends on, or what lies beside this folder in Debian's package or in the repository.
async function find(places) {
    for (const place of places)
        try {
            return await import(place);
        } catch (error) {
            if (error.code !== 'ERR_MODULE_NOT_FOUND' || place === places.at(-1))
                throw error;
        }
}

export const {launch} = await find(['@tandem/client', '../client/index.mjs', '../node/index.mjs']);
