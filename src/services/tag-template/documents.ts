import { messageOf } from '../../errors.ts';
import { TemplateError } from './syntax.ts';

/** A server that hangs holds up the start so long, and no longer. */
const TIMEOUT_MS = 5_000;
const MAX_LENGTH = 64 * 1024;

/** What the URLs of a template (`httpGet`) have answered: each is asked until it has, and then its answer is kept. */
export class Documents {
  readonly #missing: Set<string>;
  readonly #load: (() => Promise<void>) | undefined;
  readonly #texts = new Map<string, string>();

  /** @param load what else the template needs before it can be filled */
  constructor(urls: Iterable<string>, load?: () => Promise<void>) {
    this.#missing = new Set(urls);
    this.#load = load;
  }

  /** True when all have answered. */
  get complete(): boolean {
    return this.#missing.size === 0;
  }

  /** @throws TemplateError while it has not answered */
  get(url: string): string {
    const text = this.#texts.get(url);
    if (text === undefined) throw new TemplateError(`${shown(url)} has not answered`);
    return text;
  }

  /** Asks those that have not answered, once; resolves to a sentence for each that still has not. */
  async ask(signal?: AbortSignal): Promise<readonly string[]> {
    await this.#load?.();
    const complaints = [...this.#missing].map(async (url) => {
      try {
        this.#texts.set(url, await fetchText(url, signal));
        this.#missing.delete(url);
        return [];
      } catch (error) {
        return [`cannot get ${shown(url)} for --tags: ${messageOf(error)}`];
      }
    });
    return (await Promise.all(complaints)).flat();
  }
}

/** The body of a GET that ends with 200, without the blanks around it. @throws Error saying what came instead */
function fetchText(url: string, stopping: AbortSignal | undefined): Promise<string> {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  const signal = stopping === undefined ? late : AbortSignal.any([stopping, late]);
  // Loaded here, because hardly any template has documents, and every word reads settings.
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
    request.on('error', (error) => reject(late.aborted ? new Error('no answer in time') : error));
  });
}

/** Without what may be secret in it. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
