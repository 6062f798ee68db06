/** Read when no other file is named. */
export const DEFAULT_FILE = '/etc/heddle/heddle.yml';

/** The daemon's, where no setting names another. */
export const DEFAULT_CONTROL_SOCKET = '/run/heddle/heddle.sock';
