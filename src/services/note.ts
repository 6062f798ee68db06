/** Takes one sentence about metadata of a container that is not used, and why. */
export type Note = (problem: string) => void;
