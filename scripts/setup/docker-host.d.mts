/** Where the caller's Docker engine is, as `docker` itself would look for it. */
export function dockerHost(): string;
/** Whether that engine answers; over TLS (port 2376) an open port is taken for an answer. */
export function engineAnswers(host?: string): Promise<boolean>;
