/**
 * Node's `http`. An import of `node:http` reads all that it exports, WebSocket among it, and so loads undici: 40 ms
 * and 13 MiB that the daemon has no use for.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
