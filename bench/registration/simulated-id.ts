/** The n-th container's id: 64 digits, like an engine's. */
export const simulatedId = (index: number): string => index.toString(16).padStart(8, '0').padEnd(64, 'a');
