import { Resolver } from 'node:dns/promises';
import { messageOf } from '../../src/errors.ts';

export interface Visits {
  /** The body of every answer, in the order of their arrival. */
  readonly answers: readonly string[];
  readonly errors: readonly string[];
}

const VISITORS = 4;

/**
 * Clients of a service: each resolves its name, fetches a page from the first address, and begins again, for as long
 * as something else takes.
 * @param meanwhile receives the answers as they arrive
 */
export async function visitMeanwhile(
  { server, name, path }: { readonly server: string; readonly name: string; readonly path: string },
  meanwhile: (answers: readonly string[]) => Promise<unknown>,
): Promise<Visits> {
  const resolver = new Resolver();
  resolver.setServers([server]);
  const [answers, errors]: [string[], string[]] = [[], []];
  let over = false;
  const visit = async () => {
    while (!over) {
      try {
        const [address] = await resolver.resolve4(name);
        answers.push((await (await fetch(`http://${address}${path}`)).text()).trim());
      } catch (error) {
        errors.push(`${messageOf(error)}: ${messageOf((error as Error).cause)}`);
      }
    }
  };
  const visitors = Array.from({ length: VISITORS }, visit);
  try {
    await meanwhile(answers);
  } finally {
    over = true;
    await Promise.all(visitors);
  }
  return { answers, errors };
}
