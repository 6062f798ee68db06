import { runProgram } from './program.ts';

export interface DigRecord {
  readonly name: string;
  readonly ttl: number;
  readonly type: string;
  /** As dig prints it: `10.2.1.1`, `1 1 80 0a020101.addr.dc1.consul.`. */
  readonly data: string;
}

/** One reply, as the real dig reads it. */
export interface DigReply {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED`, … */
  readonly status: string;
  readonly flags: readonly string[];
  readonly answers: readonly DigRecord[];
  readonly authority: readonly DigRecord[];
  readonly additional: readonly DigRecord[];
}

export interface DigOptions {
  readonly type?: string;
  readonly server?: string;
  readonly port?: number;
  readonly tcp?: boolean;
  /** Asks from this named network namespace (`ip netns`). */
  readonly namespace?: string;
  /** Further arguments: `+bufsize=512`, `-x`. */
  readonly args?: readonly string[];
}

/** Asks once (no retry, 3 s). @throws Error when no reply comes */
export async function dig(name: string, options: DigOptions = {}): Promise<DigReply> {
  const { type = 'A', server = '127.0.0.1', port = 53, tcp = false, namespace, args = [] } = options;
  const form = ['+noall', '+comments', '+answer', '+authority', '+additional', '+nocookie'];
  const once = ['+tries=1', '+time=3', '+noidnin', '+noidnout', '+ignore', tcp ? '+tcp' : '+notcp'];
  const dig = ['dig', `@${server}`, '-p', String(port), ...form, ...once, ...args, '-q', name, '-t', type];
  const [program, ...programArgs] =
    namespace === undefined ? dig : ['nsenter', `--net=/run/netns/${namespace}`, ...dig];
  const { status, stdout, stderr } = await runProgram(program as string, programArgs);
  if (status !== 0) throw new Error(`no reply to ${dig.join(' ')}: ${stdout}${stderr}`.trimEnd());
  return parseReply(stdout);
}

/** The addresses (or other data) of the answers, sorted. */
export function dataOf(reply: DigReply): string[] {
  return reply.answers.map((record) => record.data).sort();
}

function parseReply(text: string): DigReply {
  const section = (title: string) => {
    const start = text.indexOf(`;; ${title} SECTION:\n`);
    return start < 0 ? [] : records(text.slice(text.indexOf('\n', start) + 1).split('\n\n')[0] as string);
  };
  return {
    status: /status: (\w+)/.exec(text)?.[1] ?? 'none',
    flags: /^;; flags: ([^;]*);/m.exec(text)?.[1]?.trim().split(' ') ?? [],
    answers: section('ANSWER'),
    authority: section('AUTHORITY'),
    additional: section('ADDITIONAL'),
  };
}

function records(text: string): DigRecord[] {
  return text
    .split('\n')
    .map((line) => /^([^;\s]\S*)\s+(\d+)\s+\S+\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = '', ttl, type = '', data = '']) => ({ name, ttl: Number(ttl), type, data }));
}
