import { globSync } from 'node:fs';
import { ROOT } from '../root.ts';
import { OLD, type WorldEngine } from '../world/engines.ts';

/** A vitest project and its files. vitest.config.ts reads it, and so does this file to select the worlds for a filter. */
export interface TestProject {
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
}

const scenarios = (numbers: string): string => `test/scenarios/${numbers}*.test.ts`;
const CONTRACT = 'test/contract/**/*.test.ts';
/** Scenarios that need an engine or a firewall that only one world has. */
const LEGACY = scenarios('71');
const PODMAN = scenarios('72');

// scripts/test.ts reads the flag, and sets the variable for vitest.
const full = process.env.HEDDLE_TEST_FULL === '1' || process.argv.includes('--full');
const NAMES = scenarios('[0-2]');
const NETWORK = scenarios('[3-9]');
/** Scenarios that depend on the engine: the lab, registration and names; attaching and other hosts. */
const ENGINE_NAMES = ['010', '100', '110', '200', '220'].map(scenarios);
const ENGINE_NETWORK = ['300', '600', '700', '705'].map(scenarios);
const FEW_FILES = ['010', '220', '300', '705'].map(scenarios);

export const IN_WORLDS = {
  contract: { include: [CONTRACT] },
  names: { include: [NAMES] },
  network: { include: [NETWORK], exclude: [LEGACY, PODMAN] },
  'current-names': { include: full ? [CONTRACT, NAMES] : ENGINE_NAMES },
  'current-network': { include: full ? [NETWORK] : ENGINE_NETWORK, exclude: [LEGACY, PODMAN] },
  'defaults-of-29': { include: full ? [...ENGINE_NAMES, ...ENGINE_NETWORK] : FEW_FILES },
  legacy: { include: [LEGACY, ...(full ? [scenarios('3')] : [])] },
  podman: { include: [PODMAN] },
} as const satisfies Record<string, TestProject>;

export interface World {
  readonly name: string;
  readonly engine: WorldEngine;
  readonly projects: readonly (keyof typeof IN_WORLDS)[];
}

/** Every world with tests, the longest first: two run side by side. */
export const WORLDS: readonly World[] = [
  { name: 'contracts, registration and names', engine: OLD, projects: ['contract', 'names'] },
  { name: 'network, faults and other hosts', engine: OLD, projects: ['network'] },
  { name: 'the current engine: names', engine: { program: 'new' }, projects: ['current-names'] },
  { name: 'the current engine: network', engine: { program: 'new' }, projects: ['current-network'] },
  {
    name: "the current engine with 29's defaults and cgroup v2",
    engine: { program: 'new', defaultsOf29: true, cgroup2: true },
    projects: ['defaults-of-29'],
  },
  { name: 'iptables-legacy', engine: { program: 'old', iptablesLegacy: true }, projects: ['legacy'] },
  { name: 'podman', engine: { program: 'podman' }, projects: ['podman'] },
];

/** Whether any test file of these projects matches the filters, which are parts of paths. */
export function hasTests(projects: World['projects'], filters: readonly string[]): boolean {
  if (filters.length === 0) return true;
  return projects.some((name) => {
    const { include, exclude = [] }: TestProject = IN_WORLDS[name];
    const files = globSync([...include], { cwd: ROOT, exclude: [...exclude] });
    return files.some((file) => filters.some((filter) => `${ROOT}/${file}`.includes(filter)));
  });
}
