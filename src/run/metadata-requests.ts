import { readFile, stat } from 'node:fs/promises';
import { type DockerOption, optionsIn } from '../docker/run-arguments.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS } from '../ipam/request.ts';
import { addressWords, requestedAddresses } from '../ipam/requested.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The addresses that a new container asks for by its own metadata, as `docker run` is told of it: `-e WEAVE_CIDR=…`,
 * `--env-file`, `--label heddle.cidr=…`, `--label-file`. Any free one where it says nothing, and none where it says
 * `none`.
 * @param env of the caller: docker takes the value of `-e WEAVE_CIDR` from there
 * @throws HeddleError `bad-input`
 */
export async function metadataRequests(
  dockerOptions: readonly string[],
  env: Environment,
): Promise<readonly AddressRequest[]> {
  const metadata = await metadataIn(optionsIn(dockerOptions), env);
  const words = addressWords(metadata)?.words ?? [];
  if (words.includes('none')) return [];
  const { requests, problem } = requestedAddresses({ metadata });
  if (problem !== undefined) throw new HeddleError('bad-input', problem);
  return requests.length > 0 ? requests : [ANY_ADDRESS];
}

/** As docker reads it: files before options, labels over variables, and the last of one key. */
async function metadataIn(
  options: readonly DockerOption[],
  env: Environment,
): Promise<ReadonlyMap<string, string>> {
  const valuesOf = (...names: readonly string[]) =>
    options.flatMap((option) => {
      const isIt = names.includes(option.names.at(-1) ?? '');
      return isIt && option.value !== undefined ? [option.value] : [];
    });
  const metadata = new Map<string, string>();
  const variables = [...(await linesOf(valuesOf('--env-file'))), ...valuesOf('-e', '--env')];
  for (const variable of variables) {
    const [key, value] = splitAtEquals(variable, (name) => env[name]);
    // A variable that the caller does not have is taken out of the container's.
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  for (const label of [...(await linesOf(valuesOf('--label-file'))), ...valuesOf('-l', '--label')]) {
    const [key, value] = splitAtEquals(label, () => '');
    metadata.set(key, value);
  }
  return metadata;
}

function splitAtEquals<T>(text: string, otherwise: (key: string) => T): readonly [string, string | T] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, otherwise(text)] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** The entries of such files. One that cannot be read is docker's to complain of; a pipe can be read but once. */
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
