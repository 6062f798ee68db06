/** Prints one line for a step that changes something. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** Prints the reason and ends the set-up. */
export function fail(reason) {
  process.stderr.write(`set-up: ${reason}\n`);
  process.exit(1);
}
