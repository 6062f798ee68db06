import { describe, expect, test } from 'vitest';
import { dnsLabel, imageName } from '../../../src/services/naming/dns-label.ts';

describe('a DNS label', () => {
  test.each([
    ['web', 'web'],
    ['My_App', 'my-app'],
    ['foo.bar', 'foo-bar'],
    ['--a--', 'a'],
    ['Größe', 'gr--e'],
    ['web\0', 'web'],
    ['', ''],
    ['___', ''],
    ['a'.repeat(63), 'a'.repeat(63)],
  ])('of %j is %j', (text, label) => {
    expect(dnsLabel(text)).toBe(label);
  });

  test('of two long names that differ at the end stays different', () => {
    const [one, two] = [dnsLabel(`${'a'.repeat(80)}1`), dnsLabel(`${'a'.repeat(80)}2`)];
    expect(one).toHaveLength(63);
    expect(one).not.toBe(two);
  });

  test('of a megabyte of hyphens is computed at once', () => {
    expect(dnsLabel(`a${'-'.repeat(1 << 20)}b`)).toHaveLength(63);
  });
});

describe('the name that an image suggests', () => {
  test.each([
    ['nginx', 'nginx'],
    ['nginx:1.9.3', 'nginx'],
    ['team/web', 'web'],
    ['registry.example:5000/team/web:2', 'web'],
    ['registry.example:5000/web', 'web'],
    [`team/web@sha256:${'0'.repeat(64)}`, 'web'],
    [`host:5000/web:2@sha256:${'0'.repeat(64)}`, 'web'],
    ['My_Image', 'my-image'],
    [`sha256:${'0'.repeat(64)}`, ''],
    ['0'.repeat(64), ''],
    ['', ''],
  ])('%s is %j', (image, name) => {
    expect(imageName(image)).toBe(name);
  });
});
