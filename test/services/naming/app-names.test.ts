import { describe, expect, test } from 'vitest';
import { define } from '../../../src/services/define.ts';
import { AppNames } from '../../../src/services/naming/app-names.ts';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';

function rig() {
  const names = new AppNames();
  const run = (id: string, appId: string, env: Record<string, string> = {}) => {
    const entry = entryOf({ id: containerId(id), env: { MARATHON_APP_ID: appId, ...env } });
    const { definitions } = define(entry, { hostId: 'h' });
    names.set(
      entry.snapshot,
      definitions.map(({ service }) => service),
    );
  };
  return {
    run,
    end: (id: string) => names.delete(containerId(id)),
    problems: (id: string) => names.problems(containerId(id)),
  };
}

describe('two Marathon apps with the same name', () => {
  test.each([
    ['/web/b/a', '/web/a-b', 'a-b.web'],
    ['/web/foo.bar', '/web/bar/foo', 'foo.bar.web'],
    ['/Web/x', '/web/x', 'x.web'],
    ['/Web', '/web', 'web'],
  ])('%s and %s both report %s', (one, other, name) => {
    const { run, end, problems } = rig();
    run('1', one);
    run('2', other);
    expect(problems('1').join()).toContain(`the app ${other} also has the name ${name}`);
    expect(problems('2').join()).toContain(`the app ${one} also has the name ${name}`);
    end('1');
    expect(problems('2')).toEqual([]);
  });

  test.each([
    ['instances of one app', '/web/a', 'web/a/', {}],
    ['a group and an app in it', '/web', '/web/customer1', {}],
    ['apps of one last part', '/shop/db', '/blog/db', {}],
    ['an app with a name of its own', '/web/b/a', '/web/a-b', { SERVICE_NAME: 'other' }],
  ])('%s do not collide', (_, one, other, env) => {
    const { run, problems } = rig();
    run('1', one);
    run('2', other, env);
    expect([...problems('1'), ...problems('2')]).toEqual([]);
  });

  test('are removed with their last container', () => {
    const { run, end, problems } = rig();
    run('1', '/web/b/a');
    run('2', '/web/b/a');
    run('3', '/web/a-b');
    end('1');
    expect(problems('3')).toHaveLength(1);
    end('2');
    expect(problems('3')).toEqual([]);
  });
});
