import type { ZoneAnswer } from '../../dns/zone-answer.ts';
import { containerName } from '../../docker/container-name.ts';
import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { type Candidate, type Explanation, parseServiceQuery } from '../../operations/explanation.ts';
import { type MatchedContainer, type Meaning, meaningOf } from '../../operations/meaning.ts';
import type { Instance } from '../../registry/registry.ts';
import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { answer, formatOption } from '../syntax/format.ts';
import { describeService } from './services.ts';

const MEANT = 'web, v1.web, web.service.dc1.consul, web.weave.local, 10.2.1.1, a container';

export const explainCommand: HostCommand = {
  name: 'explain',
  examples: ['explain web', 'explain web.service.dc1.consul', 'explain 10.2.1.1'],
  describe: (command) =>
    void command
      .summary('why a name, address or container answers what it does')
      .description(
        'Says what DNS answers and which of its zones does, and follows a name back to containers, addresses, checks ' +
          'and the registry. Status 3: nothing answers.',
      )
      .argument('<name>', MEANT)
      .addOption(formatOption()),
  check: ({ args: [word = ''] }) => void meantBy(word),
  async run(host, { args: [word = ''], options }, io) {
    const meaning = await meaningOf(meantBy(word), host);
    answer(io, options, text(meaning), meaning);
    const isThere = meaning.answers.length > 0 || meaning.containers.some(({ isAnnounced }) => isAnnounced);
    return isThere ? 0 : 3;
  },
};

/** Names of DNS hold more than those of containers: `_web._tcp.service.consul`. */
const NO_NAME = /[\s/\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const LONGEST = 1024;

/** What is asked about. @throws HeddleError `bad-input` for what is neither a name, an address nor a container */
function meantBy(word: string): string {
  // Only a container is written with a slash, as `docker inspect` prints it.
  if (word.startsWith('/')) return containerName(word);
  if (parseServiceQuery(word).name !== '' && word.length <= LONGEST && !NO_NAME.test(word)) return word;
  throw new HeddleError('bad-input', `expected a name, an address or a container: ${MEANT}`);
}

function text(meaning: Meaning): string {
  const { asked, containers, isService } = meaning;
  const hasOther = asked.some(({ rcode }) => rcode === 'NOERROR') || containers.length > 0;
  const service = isService && (meaning.here.length + meaning.elsewhere.length > 0 || !hasOther);
  const lines = [
    ...asked.map(ofZone),
    ...(service ? ofService(meaning) : []),
    ...containers.flatMap(ofMeant),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What each zone holds, for people. */
const ZONES: Readonly<Record<string, string>> = {
  service: 'services, nodes and addresses',
  weave: 'names of containers',
  reverse: 'names of addresses',
  'special-use': 'names of special use, which no server is asked for',
  consul: 'asked from Consul',
  forward: "names of others, asked from the host's resolvers",
};

function ofZone({ name, zone, rcode, answers, why }: ZoneAnswer): string {
  const what = ZONES[zone] === undefined ? '' : ` (${ZONES[zone]})`;
  const found = answers.length > 0 ? answers.join(', ') : 'no address';
  const said = rcode === 'NOERROR' ? found : `${rcode}${why === undefined ? '' : `: ${why}`}`;
  return printable(`${name}, zone ${zone}${what}: ${said}`);
}

function ofService({ name, tag, answers, here, elsewhere, nothing }: Explanation): readonly string[] {
  const title = `service ${printable(name)}${tag === undefined ? '' : `, tag ${printable(tag)}`}`;
  const result = nothing === undefined ? `answers ${answers.join(', ')}` : `nothing answers: ${nothing}`;
  return [`${title}: ${printable(result)}`, ...here.flatMap(ofContainer), ...elsewhere.flatMap(ofOtherHost)];
}

function ofContainer(candidate: Candidate): readonly string[] {
  const { container, containerName, service, checks, announced, registration, why, problems } = candidate;
  return [
    `${printable(containerName)} (${shortId(container)}) ${why === undefined ? 'answers' : `does not answer: ${printable(why)}`}`,
    `  ${printable(announced)}`,
    ...describeService(service, checks).map((line) => `  ${line}`),
    `  registry: ${printable(registration)}`,
    ...problems.map((problem) => `  note: ${printable(problem)}`),
  ];
}

function ofOtherHost({ service, node, status, unwell = [] }: Instance): readonly string[] {
  return [
    `node ${printable(node)}, ${status}`,
    ...describeService(service, unwell).map((line) => `  ${line}`),
  ];
}

function ofMeant(meant: MatchedContainer): readonly string[] {
  const { container, containerName, announced, names, services, problems } = meant;
  return [
    `container ${printable(containerName)} (${shortId(container)})`,
    `  ${printable(announced)}`,
    `  names     ${printable(names.join(', ')) || '-'}`,
    `  services  ${printable(services.join(', ')) || '-'}`,
    ...problems.map((problem) => `  note: ${printable(problem)}`),
  ];
}
