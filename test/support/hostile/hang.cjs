// Listens on many ports, takes every connection and never answers.
const { createServer } = require('node:net');
const [first, many] = process.argv.slice(2).map(Number);
for (let port = first; port < first + many; port++) createServer(() => {}).listen(port);
