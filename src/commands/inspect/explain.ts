import type { ZoneAnswer } from '../../dns/zone-answer.ts';
import { containerName } from '../../docker/container-name.ts';
import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { type Candidate, type Explanation, parseServiceQuery } from '../../operations/explanation.ts';
import { type MatchedContainer, type Meaning, meaningOf } from '../../operations/meaning.ts';
import type { Instance } from '../../registry/registry.ts';
import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';
import { describeService } from './services.ts';

const SUBJECT_FORMS = 'web, v1.web, web.service.dc1.consul, web.weave.local, 10.2.1.1, a container';

export const explainCommand: HostCommand = {
  name: 'explain',
  examples: ['explain web', 'explain web.service.dc1.consul', 'explain 10.2.1.1'],
  describe: (command) =>
    void command
      .summary('explain the answer for a name, address or container')
      .description(
        'Prints the answer of DNS and its zone, and traces the name to containers, addresses, checks and the registry. ' +
          'Status 3: nothing answers.',
      )
      .argument('<name>', SUBJECT_FORMS)
      .addOption(formatOption()),
  check: ({ args: [subject = ''] }) => void parseSubject(subject),
  async run(host, { args: [subject = ''], options }, io) {
    const meaning = await meaningOf(parseSubject(subject), host);
    printResult(io, options, text(meaning), meaning);
    const isThere = meaning.answers.length > 0 || meaning.containers.some(({ isAnnounced }) => isAnnounced);
    return isThere ? 0 : 3;
  },
};

/** DNS names allow more characters than container names: `_web._tcp.service.consul`. */
const NOT_IN_NAMES = /[\s/\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const MAX_LENGTH = 1024;

/** @throws HeddleError `bad-input` for anything but a name, an address or a container */
function parseSubject(subject: string): string {
  // Only container names have a slash, as `docker inspect` prints them.
  if (subject.startsWith('/')) return containerName(subject);
  if (parseServiceQuery(subject).name !== '' && subject.length <= MAX_LENGTH && !NOT_IN_NAMES.test(subject))
    return subject;
  throw new HeddleError('bad-input', `expected a name, an address or a container: ${SUBJECT_FORMS}`);
}

function text(meaning: Meaning): string {
  const { asked, containers, isService } = meaning;
  const hasOther = asked.some(({ rcode }) => rcode === 'NOERROR') || containers.length > 0;
  const service = isService && (meaning.here.length + meaning.elsewhere.length > 0 || !hasOther);
  const lines = [
    ...asked.map(zoneLine),
    ...(service ? serviceLines(meaning) : []),
    ...containers.flatMap(containerLines),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What each zone contains, for the printed text. */
const ZONES: Readonly<Record<string, string>> = {
  service: 'services, nodes and addresses',
  weave: 'names of containers',
  reverse: 'names of addresses',
  'special-use': 'special-use names, not sent to any server',
  consul: 'answered by Consul',
  forward: "other names, answered by the host's resolvers",
};

function zoneLine({ name, zone, rcode, answers, why }: ZoneAnswer): string {
  const what = ZONES[zone] === undefined ? '' : ` (${ZONES[zone]})`;
  const found = answers.length > 0 ? answers.join(', ') : 'no address';
  const result = rcode === 'NOERROR' ? found : `${rcode}${why === undefined ? '' : `: ${why}`}`;
  return printable(`${name}, zone ${zone}${what}: ${result}`);
}

function serviceLines({ name, tag, answers, here, elsewhere, nothing }: Explanation): readonly string[] {
  const title = `service ${printable(name)}${tag === undefined ? '' : `, tag ${printable(tag)}`}`;
  const result = nothing === undefined ? `answers ${answers.join(', ')}` : `nothing answers: ${nothing}`;
  return [
    `${title}: ${printable(result)}`,
    ...here.flatMap(candidateLines),
    ...elsewhere.flatMap(instanceLines),
  ];
}

function candidateLines(candidate: Candidate): readonly string[] {
  const { container, containerName, service, checks, announced, registration, why, problems } = candidate;
  return [
    `${printable(containerName)} (${shortId(container)}) ${why === undefined ? 'answers' : `does not answer: ${printable(why)}`}`,
    `  ${printable(announced)}`,
    ...describeService(service, checks).map((line) => `  ${line}`),
    `  registry: ${printable(registration)}`,
    ...problems.map((problem) => `  note: ${printable(problem)}`),
  ];
}

function instanceLines({ service, node, status, unwell = [] }: Instance): readonly string[] {
  return [
    `node ${printable(node)}, ${status}`,
    ...describeService(service, unwell).map((line) => `  ${line}`),
  ];
}

function containerLines(meant: MatchedContainer): readonly string[] {
  const { container, containerName, announced, names, services, problems } = meant;
  return [
    `container ${printable(containerName)} (${shortId(container)})`,
    `  ${printable(announced)}`,
    `  names     ${printable(names.join(', ')) || '-'}`,
    `  services  ${printable(services.join(', ')) || '-'}`,
    ...problems.map((problem) => `  note: ${printable(problem)}`),
  ];
}
