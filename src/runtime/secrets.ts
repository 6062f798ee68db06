const HIDDEN = '(hidden)';

/** `user:secret@` and `token@` behind `://`, whatever the secret is made of. */
const AUTHORITY = /(:\/\/)[^\s"'`]*@/g;
/** The same without a scheme: `user:secret@host`. */
const USER = /(^|[\s"'`=,])[^\s"'`:/@=,]+:(?!\/\/)[^\s"'`@]+@/g;
/** `?token=…`, `&api_key=…` */
const PARAMETER =
  /([?&;][^=&;#\s"'`]*(?:token|secret|passw|pwd|api-?_?key|access-?_?key|auth|credential|signature|sig)[^=&;#\s"'`]*=)[^&;#\s"'`]*/gi;

/** A text for people, in which no URI shows a password, a token or a key. For whatever may hold a URI somebody gave. */
export const withoutSecrets = (text: string): string =>
  text.replace(AUTHORITY, `$1${HIDDEN}@`).replace(USER, `$1${HIDDEN}@`).replace(PARAMETER, `$1${HIDDEN}`);
