/** Labels from the environment can hold anything: nothing of it may move a terminal's cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
