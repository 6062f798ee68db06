/** The settings file, unless --config or HEDDLE_CONFIG names another. */
export const DEFAULT_FILE = '/etc/heddle/heddle.yml';

/** The daemon's control socket, unless --socket names another. */
export const DEFAULT_CONTROL_SOCKET = '/run/heddle/heddle.sock';
