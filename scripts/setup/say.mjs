/** One line for each step that does something. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** Ends the set-up with the reason. */
export function fail(reason) {
  process.stderr.write(`set-up: ${reason}\n`);
  process.exit(1);
}
