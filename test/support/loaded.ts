import { registerHooks } from 'node:module';

/** Given to Node by `--import`: at its end, a program says on stderr which packages it has loaded. */
const loaded = new Set<string>();
registerHooks({
  load(url, context, next) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
process.on('exit', () => process.stderr.write(`${[...loaded].sort().join(' ')}\n`));
