import fc from 'fast-check';
import { expect, it } from 'vitest';
import { containerName, isContainer } from '../../src/docker/container-name.ts';
import { HeddleError } from '../../src/errors.ts';

it.each([
  ['web', 'web'],
  ['/web', 'web'],
  ['compose_web.1-a', 'compose_web.1-a'],
  ['0123456789ab', '0123456789ab'],
])('%j is %s', (text, name) => {
  expect(containerName(text)).toBe(name);
});

it.each([
  '',
  '/',
  '//web',
  '/web/',
  'a/b',
  '..',
  '../web',
  '.',
  '-web',
  'we b',
  'wëb',
  'web\n',
  'web?',
  'x'.repeat(1025),
])('%j is no container name', (text) => {
  expect(() => containerName(text)).toThrow(/container.*expected its name or id/);
});

it('every text becomes a name that needs no escape in a path, or a short error in plain text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('é'.repeat(65_536))),
      (text) => {
        try {
          expect(containerName(text)).toMatch(/^[A-Za-z0-9][\w.-]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(HeddleError);
          expect((error as Error).message).toMatch(/^[\x20-\x7e…]{20,500}$/);
        }
      },
    ),
  );
});

it('a container matches its name, and prefixes of its id of at least three digits', () => {
  const web = { id: 'c0ffee', name: 'web' };
  for (const asked of ['web', '/web', 'c0f', 'c0ffee']) expect(isContainer(web, asked)).toBe(true);
  for (const asked of ['', '/', 'c0', 'we', '//web']) expect(isContainer(web, asked)).toBe(false);
});
