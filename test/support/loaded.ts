import { registerHooks } from 'node:module';

/** Loaded by `node --import`: at its end, the program prints its loaded packages on stderr. */
const loaded = new Set<string>();
registerHooks({
  load(url, context, next) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
process.on('exit', () => process.stderr.write(`${[...loaded].sort().join(' ')}\n`));
