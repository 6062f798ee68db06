/** One entry of apt's sources. */
export interface AptEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** `deb [options] uri suite component...`, one a line. */
export function listEntries(text: string): AptEntry[];
/** Paragraphs of `Key: value`. */
export function deb822Entries(text: string): AptEntry[];
/** The mirror of Debian's own packages for this suite, in the apt configuration of this folder. */
export function debianMirror(codename?: string, etc?: string): string | undefined;
