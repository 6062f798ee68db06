/** Which of these parts this machine lacks. */
export function missingParts(
  names: readonly string[],
): { readonly package: string; readonly about: string }[];
