import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { marathonName } from '../../../src/services/naming/marathon.ts';

const y = (count: number) => 'y'.repeat(count);

describe('a Marathon app id', () => {
  test.each([
    ['/web/customer1/site1', 'web', ['site1.customer1', 'site1-customer1']],
    ['web/customer1/site1', 'web', ['site1.customer1', 'site1-customer1']],
    ['/web/customer1/site1/', 'web', ['site1.customer1', 'site1-customer1']],
    ['//web//customer1/site1', 'web', ['site1.customer1', 'site1-customer1']],
    ['/web', 'web', []],
    ['/shop/db', 'shop', ['db']],
    ['/blog/db', 'blog', ['db']],
    ['/a/b/c/d/e/f/g/h', 'a', ['h.g.f.e.d.c.b', 'h-g-f-e-d-c-b']],
    ['/Web_Shop/Cust_1/API', 'web-shop', ['api.cust-1', 'api-cust-1']],
    ['/7/42', '7', ['42']],
    ['/web/foo.bar', 'web', ['foo.bar', 'foo-bar']],
    ['/a.b/c', 'b', ['c.a', 'c-a']],
    [`/g/${y(64)}`, 'g', [`${y(54)}-ffbf30ab`]],
    ['/web/b/a', 'web', ['a.b', 'a-b']],
    ['/web/a-b', 'web', ['a-b']],
  ])('%s is service %s with tags %j', (appId, name, tags) => {
    expect(marathonName(appId)).toEqual({ name, tags });
  });

  test.each(['', '/', '//'])('%j names nothing', (appId) => {
    expect(marathonName(appId)).toBeUndefined();
  });

  test.each(['/web/__/site1', '/web/a..b', '/-'])(
    '%s, with a part of no letter or digit, is refused',
    (appId) => {
      expect(marathonName(appId)).toEqual({
        problem: expect.stringContaining('must have a letter or digit'),
      });
    },
  );

  test('in group consul is refused', () => {
    expect(marathonName('/consul/ui')).toEqual({ problem: expect.stringContaining('belongs to the Consul') });
  });

  test('too long for DNS keeps only its shortened dashed tag', () => {
    const parts = [y(60), 'x'.repeat(60), 'z'.repeat(60), 'w'.repeat(60)];
    const named = marathonName(`/web/${parts.join('/')}`);
    expect(named).toEqual({ name: 'web', tags: [expect.stringMatching(/^w{54}-[0-9a-f]{8}$/)] });
  });

  test('gives labels that DNS can query, whatever its text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (appId) => {
        const named = marathonName(appId);
        if (named === undefined || 'problem' in named) return;
        const labels = [named.name, ...named.tags.flatMap((tag) => tag.split('.'))];
        for (const label of labels) expect(label).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      }),
    );
  });
});
