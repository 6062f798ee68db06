import { readFile, stat } from 'node:fs/promises';
import { type DockerOption, optionsIn } from '../docker/run-arguments.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS } from '../ipam/request.ts';
import { addressTexts, requestedAddresses } from '../ipam/requested.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The addresses that the options of `docker run` request for a new container: `-e WEAVE_CIDR=…`, `--env-file`,
 * `--label heddle.cidr=…`, `--label-file`. Without a request: any free address. With `none`: no address.
 * @param env of the caller: docker reads the value of `-e WEAVE_CIDR` from it
 * @throws HeddleError `bad-input`
 */
export async function metadataRequests(
  dockerOptions: readonly string[],
  env: Environment,
): Promise<readonly AddressRequest[]> {
  const metadata = await metadataIn(optionsIn(dockerOptions), env);
  const texts = addressTexts(metadata)?.texts ?? [];
  if (texts.includes('none')) return [];
  const { requests, problem } = requestedAddresses({ metadata });
  if (problem !== undefined) throw new HeddleError('bad-input', problem);
  return requests.length > 0 ? requests : [ANY_ADDRESS];
}

/** Reads the options as docker does: files before options, labels over variables, and the last value of a key wins. */
async function metadataIn(
  options: readonly DockerOption[],
  env: Environment,
): Promise<ReadonlyMap<string, string>> {
  const valuesOf = (...names: readonly string[]) =>
    options.flatMap((option) => {
      const matches = names.includes(option.names.at(-1) ?? '');
      return matches && option.value !== undefined ? [option.value] : [];
    });
  const metadata = new Map<string, string>();
  const variables = [...(await linesOf(valuesOf('--env-file'))), ...valuesOf('-e', '--env')];
  for (const variable of variables) {
    const [key, value] = splitAtEquals(variable, (name) => env[name]);
    // docker removes a variable that the caller's environment does not have.
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  for (const label of [...(await linesOf(valuesOf('--label-file'))), ...valuesOf('-l', '--label')]) {
    const [key, value] = splitAtEquals(label, () => '');
    metadata.set(key, value);
  }
  return metadata;
}

function splitAtEquals<T>(text: string, defaultOf: (key: string) => T): readonly [string, string | T] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, defaultOf(text)] : [text.slice(0, equals), text.slice(equals + 1)];
}

/**
 * The entries of `--env-file` and `--label-file`. docker itself reports a file that cannot be read. Pipes are left to
 * docker, because they can be read only once.
 */
async function linesOf(paths: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const path of paths) {
    const isFile = await stat(path)
      .then((found) => found.isFile())
      .catch(() => false);
    const text = isFile ? await readFile(path, 'utf8').catch(() => '') : '';
    lines.push(
      ...text
        .replace(/^\uFEFF/, '')
        .split(/\r?\n/)
        .map((line) => line.trimStart()),
    );
  }
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
