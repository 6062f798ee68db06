import { messageOf } from '../../errors.ts';
import { TemplateError } from './syntax.ts';

/** How long a hanging server may delay the start. */
const TIMEOUT_MS = 5_000;
const MAX_LENGTH = 64 * 1024;

/** The documents of a template (`httpGet`). Each URL is requested until it succeeds; then its text is kept. */
export class Documents {
  readonly #missing: Set<string>;
  readonly #load: (() => Promise<void>) | undefined;
  readonly #texts = new Map<string, string>();

  /** @param load loads what else the template needs before it can be filled */
  constructor(urls: Iterable<string>, load?: () => Promise<void>) {
    this.#missing = new Set(urls);
    this.#load = load;
  }

  /** True when all documents are fetched. */
  get complete(): boolean {
    return this.#missing.size === 0;
  }

  /** @throws TemplateError until the document is fetched */
  get(url: string): string {
    const text = this.#texts.get(url);
    if (text === undefined) throw new TemplateError(`${shown(url)} has not answered`);
    return text;
  }

  /** Requests each missing document once; resolves to a sentence for each failure. */
  async fetchMissing(signal?: AbortSignal): Promise<readonly string[]> {
    await this.#load?.();
    const failures = [...this.#missing].map(async (url) => {
      try {
        this.#texts.set(url, await fetchText(url, signal));
        this.#missing.delete(url);
        return [];
      } catch (error) {
        return [`cannot get ${shown(url)} for --tags: ${messageOf(error)}`];
      }
    });
    return (await Promise.all(failures)).flat();
  }
}

/** The trimmed body of a GET with status 200. @throws Error with the status or the reason */
function fetchText(url: string, stopSignal: AbortSignal | undefined): Promise<string> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = stopSignal === undefined ? timeout : AbortSignal.any([stopSignal, timeout]);
  // Loaded on demand: every command reads settings, but few templates have documents.
  const { get } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const request = get(url, { signal, agent: false }, (response) => {
      if (response.statusCode !== 200) request.destroy(new Error(`it answered ${response.statusCode}`));
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_LENGTH) request.destroy(new Error(`more than ${MAX_LENGTH} characters`));
      });
      response.on('error', reject);
      response.once('end', () => resolve(text.trim()));
    });
    request.on('error', (error) => reject(timeout.aborted ? new Error('no answer in time') : error));
  });
}

/** The URL without its user, password and query, which may be secret. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
