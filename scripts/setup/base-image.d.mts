/** The tar of the base image under test; its name follows from the recipe. */
export function baseImageTar(): string;
