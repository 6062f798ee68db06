/**
 * Node's `http`. An import of `node:http` reads all its exports, WebSocket included, and so loads undici: 40 ms and
 * 13 MiB that the daemon does not need.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
