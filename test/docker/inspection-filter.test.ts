import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InspectionFilter } from '../../src/docker/inspection-filter.ts';
import { ALL_METADATA, type KeptMetadata } from '../../src/docker/kept-metadata.ts';
import { count } from '../support/counts.ts';
import { pieces } from '../support/pieces.ts';

const OURS: KeptMetadata = {
  isRead: (name) => name.startsWith('SERVICE_'),
  isWellKnown: (name) => name === 'SERVICE_NAME',
  othersLimit: 0,
};

function filtered(text: string, lengths: readonly number[], kept = OURS): string {
  const filter = new InspectionFilter(kept);
  const parts = [...pieces(text, lengths)].flatMap((piece) => filter.take(piece));
  return Buffer.concat(parts).toString();
}

const name = fc.oneof(
  fc.constantFrom('SERVICE_NAME', 'SERVICE_"', 'Config', 'Labels', 'Env', '{', '},', '\\', 'a=b'),
  fc.string().filter((text) => text !== '__proto__'),
);
const value = fc.oneof(fc.string(), fc.constantFrom('{', '}', '"', ',', ']', '\\"'));
const labels = fc.dictionary(name, value);
const inspection = fc.record({
  Id: fc.string(),
  Config: fc.record({
    Env: fc.oneof(fc.array(fc.tuple(name, value).map((pair) => pair.join('='))), fc.constant(null)),
    Labels: fc.oneof(labels, fc.constant(null)),
    Cmd: fc.array(value),
    ExposedPorts: fc.dictionary(fc.constantFrom('80/tcp', '53/udp'), fc.constant({})),
  }),
  Mounts: fc.array(fc.record({ Config: fc.record({ Labels: labels }), Env: fc.array(value) })),
  NetworkSettings: fc.record({
    Ports: fc.dictionary(
      fc.constantFrom('80/tcp', '53/udp'),
      fc.oneof(fc.constant(null), fc.array(fc.record({ HostIp: value, HostPort: value }))),
    ),
    Networks: fc.dictionary(name, fc.record({ Labels: labels, Env: fc.array(value) })),
  }),
});
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

describe('an inspection', () => {
  it('keeps all but unused labels and variables, however it is cut into chunks', () => {
    fc.assert(
      fc.property(inspection, lengths, fc.constantFrom(0, 2), (container, pieces, indent) => {
        const { Env: env, Labels: all } = container.Config;
        const isRead = (text: string) => OURS.isRead(JSON.stringify(text).slice(1, -1));
        const expected = {
          ...container,
          Config: {
            ...container.Config,
            Env: env?.filter(isRead) ?? null,
            Labels: all && Object.fromEntries(Object.entries(all).filter(([key]) => isRead(key))),
          },
        };
        const text = filtered(JSON.stringify(container, null, indent), pieces);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: count(300, 5000) },
    );
  });

  it('is unchanged if everything is used', () => {
    fc.assert(
      fc.property(inspection, lengths, (container, pieces) => {
        const text = JSON.stringify(container);
        expect(JSON.parse(filtered(text, pieces, ALL_METADATA))).toEqual(JSON.parse(text));
      }),
      { numRuns: count(100, 2000) },
    );
  });

  it('is bounded in used entries, in other entries for templates, and in ports', () => {
    const huge = 'x'.repeat(70_000);
    const ports = Object.fromEntries(Array.from({ length: 65_535 }, (_, n) => [`${n + 1}/tcp`, {}]));
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, n) => [`SERVICE_${n}`, 'x'.repeat(30_000)]),
    );
    const text = JSON.stringify({
      Config: { Labels: { SERVICE_X: huge, other: 'y', SERVICE_NAME: 'web', ...many }, ExposedPorts: ports },
    });
    const { Config, HeddleLeftOut } = JSON.parse(filtered(text, [65_536], { ...OURS, othersLimit: 100 }));
    const kept = Object.keys(Config.Labels).filter((label) => OURS.isRead(label));
    expect(HeddleLeftOut, 'how many are left out is said').toBe(502 - kept.length);
    expect(Config.Labels).not.toHaveProperty('SERVICE_X');
    expect(Config.Labels).toMatchObject({ other: 'y', SERVICE_NAME: 'web' });
    expect(JSON.stringify(Config.Labels).length).toBeLessThan(4.5e6);
    expect(Object.keys(Config.ExposedPorts)).toHaveLength(4_096);
    expect(Object.keys(Config.ExposedPorts)).toEqual(expect.arrayContaining(['80/tcp', '10000/tcp']));
  });

  it('keeps the other ports beside a range of high ones, which the engine lists first', () => {
    const range = Array.from({ length: 16_385 }, (_, n) => `${16_384 + n}/udp`);
    const ExposedPorts = Object.fromEntries([...range, '443/tcp', '80/tcp'].map((port) => [port, {}]));
    const { Config } = JSON.parse(filtered(JSON.stringify({ Config: { ExposedPorts } }), [65_536]));
    expect(Object.keys(Config.ExposedPorts)).toEqual([...range.slice(0, 2_048), '443/tcp', '80/tcp']);
  });

  it.each(['before', 'behind'])('keeps well-known entries %s thousands of others', (where) => {
    const others = Array.from({ length: 10_000 }, (_, n) => [`SERVICE_KEY${n}`, 'v'] as const);
    const own = ['SERVICE_NAME', 'web'] as const;
    const all = where === 'before' ? [own, ...others] : [...others, own];
    const Env = all.map((pair) => pair.join('='));
    const text = filtered(JSON.stringify({ Config: { Env, Labels: Object.fromEntries(all) } }), [65_536]);
    const { Config, HeddleLeftOut } = JSON.parse(text);
    expect(Config.Env).toContain('SERVICE_NAME=web');
    expect(Config.Labels).toHaveProperty('SERVICE_NAME', 'web');
    expect(HeddleLeftOut).toBe(20_000 - 4_096);
  });

  it('never throws, whatever arrives', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.stringMatching(/^[[\]{},:"\\a]*$/).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, lengths, (given, pieces) => {
        const text = Buffer.from(given).toString('latin1');
        expect(filtered(text, pieces).length).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });
});
