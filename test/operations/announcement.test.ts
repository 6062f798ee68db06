import { describe, expect, test } from 'vitest';
import { announcement } from '../../src/operations/announcement.ts';
import { containerCounts } from '../../src/operations/report.ts';
import { define } from '../../src/services/define.ts';
import { entryOf } from '../support/roster.ts';

const own = (role: string) => {
  const entry = entryOf({ env: { 'heddle.role': role, SERVICE_IGNORE: 'true' } });
  const labelNames = new Set(['heddle.role', 'SERVICE_IGNORE']);
  return { ...entry, snapshot: { ...entry.snapshot, labelNames } };
};

describe("heddle's own containers", () => {
  test.each([
    ['daemon', 'not announced: heddle itself'],
    ['helper', 'not announced: heddle itself, for one command'],
    ['heddle', 'not announced: heddle itself'],
  ])('with the role %s are marked', (role, text) => {
    expect(announcement({ entry: own(role) })).toEqual({ announced: false, text });
  });

  test('do not count as announced, and others do', () => {
    const other = entryOf({ env: { SERVICE_NAME: 'web' } });
    expect(containerCounts([own('daemon'), own('helper'), other])).toEqual({
      running: 3,
      announced: 1,
      awaiting: 0,
    });
  });

  test('with services are shown with their address, so a false label hides nothing', () => {
    const entry = own('daemon');
    const services = define(entryOf({ env: { SERVICE_NAME: 'web' } }), { hostId: 'h' }).definitions;
    const report = { entry, services: services.map(({ service }) => service) };
    expect(announcement(report)).toMatchObject({
      announced: true,
      text: expect.stringContaining('10.2.1.1'),
    });
  });
});
