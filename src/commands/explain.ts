import { askedName, type Candidate, type Explanation, explain } from '../control/explanation.ts';
import { shortId } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { Instance } from '../registry/registry.ts';
import { answer, formatOption } from './format.ts';
import { describeService } from './services.ts';
import { printable } from './table.ts';
import type { HostWord } from './word.ts';

export const explainWord: HostWord = {
  name: 'explain',
  describe: (command) =>
    void command
      .summary('why a name answers what it does')
      .description(
        'Follows a service name back to containers, addresses, checks and the registry. Status 3: nothing answers.',
      )
      .argument('<name>', 'web, v1.web, web.service.dc1.consul')
      .addOption(formatOption()),
  check: ({ args }) => {
    if (askedName(args[0] ?? '').name !== '') return;
    throw new HeddleError('bad-input', 'expected the name of a service: web, v1.web, web.service.dc1.consul');
  },
  async run(host, { args, options }, io) {
    const asked = askedName(args[0] as string);
    const [reports, instances] = [await host.containers(), await host.instances(asked.name)];
    const explanation = explain(asked, reports, instances, host);
    answer(io, options, text(explanation), explanation);
    return explanation.answers.length > 0 ? 0 : 3;
  },
};

function text({ name, tag, answers, here, elsewhere, nothing }: Explanation): string {
  const title = `service ${printable(name)}${tag === undefined ? '' : `, tag ${printable(tag)}`}`;
  const result = nothing === undefined ? `answers ${answers.join(', ')}` : `nothing answers: ${nothing}`;
  const parts = [...here.flatMap(ofContainer), ...elsewhere.flatMap(ofOtherHost)];
  return `${[`${title}: ${printable(result)}`, ...parts].join('\n')}\n`;
}

function ofContainer(candidate: Candidate): readonly string[] {
  const { container, containerName, service, checks, announced, registration, why } = candidate;
  return [
    `${printable(containerName)} (${shortId(container)}) ${why === undefined ? 'answers' : `does not answer: ${printable(why)}`}`,
    `  ${printable(announced)}`,
    ...describeService(service, checks).map((line) => `  ${line}`),
    `  registry: ${printable(registration)}`,
  ];
}

function ofOtherHost({ service, node, status, unwell = [] }: Instance): readonly string[] {
  return [
    `node ${printable(node)}, ${status}`,
    ...describeService(service, unwell).map((line) => `  ${line}`),
  ];
}
