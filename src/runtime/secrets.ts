const HIDDEN = '(hidden)';

/** `user:secret@` and `token@` after `://`, whatever characters the secret has. */
const AUTHORITY = /(:\/\/)[^\s"'`]*@/g;
/** The same without a scheme: `user:secret@host`. */
const USER = /(^|[\s"'`=,])[^\s"'`:/@=,]+:(?!\/\/)[^\s"'`@]+@/g;
/** `?token=…`, `&api_key=…` */
const PARAMETER =
  /([?&;][^=&;#\s"'`]*(?:token|secret|passw|pwd|api-?_?key|access-?_?key|auth|credential|signature|sig)[^=&;#\s"'`]*=)[^&;#\s"'`]*/gi;

/** Hides passwords, tokens and keys in the URIs of a text. For every text that may contain a URI from a user. */
export const withoutSecrets = (text: string): string =>
  text.replace(AUTHORITY, `$1${HIDDEN}@`).replace(USER, `$1${HIDDEN}@`).replace(PARAMETER, `$1${HIDDEN}`);
